"""Retries with exponential backoff: a request to one of several replicas, until an answer or a final error.

Every try runs inside its server's concurrency limit, which sees how it ended. Retries are ours and not the client's, so that
a request that waits holds no place, `Retry-After` holds everybody, and a test needs no clock.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeVar

from alignsuite.errors import ModelError, did_you_mean
from alignsuite.models.engines.endpoint.client import Answer
from alignsuite.models.engines.endpoint.faults import JSON, Fault
from alignsuite.models.engines.endpoint.rate_limit import RateLimit, TurnedAway, scarce_s
from alignsuite.models.engines.endpoint.replicas import Replica, Replicas
from alignsuite.text.clean import tidy

T = TypeVar("T")

_HELLO_RETRIES = 2  # while nothing was ever heard from the endpoint
_GONE_AFTER = 3  # requests in a row that found nobody there on every try
_TURNED_AWAY = 3  # requests that were each turned away (429) twice …
_TURNED_AWAY_S = 30.0  # … and nothing else heard for so long, or for three of the waits that the server named
_BYTES_A_TOKEN = 4  # of a prompt in English; what it really cost is settled when the answer comes


@dataclass
class Backoff:
    """Exponential backoff with jitter: seconds to wait before the next try.

    As long as the server asks for, up to `ask_cap_s`; else `first_s`, doubled each time up to `cap_s`, and of that at
    least half, by seeded chance. `sleep` and `now` (seconds since 1970) are there to be replaced in tests.
    """

    first_s: float = 0.5
    cap_s: float = 30.0
    ask_cap_s: float = 120.0
    seed: int = 0
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep
    now: Callable[[], float] = time.time
    _rng: random.Random = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._rng = random.Random(self.seed)

    def wait_s(self, tries: int, asked_s: float | None) -> float:
        """Seconds to wait after that many tries.

        Never less than a server asked for below the cap; a little more, so that not all come back in the same instant.
        """
        step = min(self.cap_s, self.first_s * 2.0 ** min(tries - 1, 30))
        if asked_s is None:
            return step * self._rng.uniform(0.5, 1.0)
        return min(asked_s, self.ask_cap_s) + step * self._rng.uniform(0.0, 0.25)


class Outdated(Exception):  # noqa: N818 (nothing failed)
    """The body is not what is asked by now; nothing was sent."""


class Retrier:
    """Retrier of one model's requests over all its replicas: again and again where that can help.

    It knows whether anything was ever heard, and raises `ModelError` instead of `Fault` once asking on is useless.
    `resting` counts the requests that wait before their next try; `changed` is called when one begins to.
    """

    def __init__(
        self, replicas: Replicas, model: str, *, backoff: Backoff, retries: int, requests: RateLimit, tokens: RateLimit
    ) -> None:
        self.model = model
        self.urls = replicas.names
        self.resting = 0
        self.changed: Callable[[], None] = lambda: None
        self._replicas = replicas
        self._backoff = backoff
        self._retries = retries
        self._requests, self._tokens = requests, tokens
        self._heard = False  # anything at all came back, once
        self._answered = False  # a good answer came back, once
        self._gone = 0
        self._turned_away_since: float | None = None  # nothing but 429 was ever heard
        self._turned_away = 0

    async def ask(
        self, path: str, body: JSON, read: Callable[[Answer], T], is_outdated: Callable[[], bool] = lambda: False
    ) -> T:
        """What `read` makes of the answer; a `Fault` that `read` raises counts like the server's own.

        `is_outdated` is asked before every try, once it is its turn.

        Raises:
            Fault: if the retries are spent, or trying again is useless for this request.
            Outdated: if the body is.
            ModelError: if it is useless for all.
        """
        content, limit = json.dumps(body).encode("ascii"), _limit_of(body)
        tries = 0
        while True:
            replica = self._replicas.next()
            try:
                return read(await self._try(replica, path, content, limit, is_outdated))
            except TurnedAway:
                continue
            except Fault as caught:
                fault = caught
            tries += 1
            fault.tries = tries
            fault.message = replica.client.address.clean(
                fault.message
            )  # what was read from an answer is a stranger's too
            elsewhere = self._replicas.went_badly(replica, fault)
            if not elsewhere:
                await self._give_up_on_all(replica, fault)
            if not fault.retry or tries > self._retries:
                raise fault
            if not elsewhere:
                await self._rest(self._backoff.wait_s(tries, fault.wait_s))

    async def _try(
        self, replica: Replica, path: str, content: bytes, limit: int, is_outdated: Callable[[], bool]
    ) -> Answer:
        expected = len(content) // _BYTES_A_TOKEN + limit
        async with replica.concurrency:
            if is_outdated():
                raise Outdated
            await self._requests.take(1)
            await self._tokens.take(expected)
            answer = await replica.client.post(path, content)
        self._heard, self._answered, self._gone = True, True, 0
        self._replicas.went_well(replica)
        spent = answer.tokens("prompt_tokens") + answer.tokens("completion_tokens")
        self._tokens.settle(spent - expected if spent else 0)
        if scarce := scarce_s(answer.headers, expected):
            replica.concurrency.hold(min(scarce, self._backoff.ask_cap_s))
        return answer

    async def _rest(self, seconds: float) -> None:
        counts = int(self._heard)  # where nobody was ever heard, those who wait make no room for more
        self.resting += counts
        self.changed()
        try:
            await self._backoff.sleep(seconds)
        finally:
            self.resting -= counts

    async def _give_up_on_all(self, replica: Replica, fault: Fault) -> None:
        if fault.unconnected:
            return self._nobody_there(fault)
        self._heard, self._gone = True, 0
        self._check_turned_away(replica, fault)
        if fault.fatal == "key" or (fault.fatal == "forbidden" and not self._answered):
            raise ModelError(
                f"{replica.url} refused the key ({fault.message}). Set {replica.client.address.key_variable} to a key of "
                f"this endpoint that may use `{tidy(self.model)}`."
            )
        if fault.fatal == "quota":
            raise ModelError(
                f"{replica.url} says that the account is spent ({fault.message}). Top it up, or use another key."
            )
        if fault.fatal == "moved":
            raise ModelError(f"{replica.url} is somewhere else now ({fault.message}). Name that as the base URL.")
        if fault.fatal == "model":
            raise await self._no_such_model(replica, fault)
        if fault.fatal == "path" and not self._answered and not await replica.client.served():
            raise ModelError(
                f"{replica.url} has no OpenAI-compatible API ({fault.message}, and it lists no models). Base URLs "
                "usually end in /v1."
            )
        return None

    def _check_turned_away(self, replica: Replica, fault: Fault) -> None:
        """Whether this endpoint ever says anything but that it is asked too much."""
        if self._answered or fault.kind != "rate_limited" or fault.fatal:
            self._turned_away_since, self._turned_away = None, 0
            return
        now = self._backoff.now()
        since = self._turned_away_since = now if self._turned_away_since is None else self._turned_away_since
        self._turned_away += fault.tries == 2
        patience = max(_TURNED_AWAY_S, 3 * min(fault.wait_s or 0.0, self._backoff.ask_cap_s))
        if self._turned_away >= _TURNED_AWAY and now - since >= patience:
            raise ModelError(
                f"{replica.url} has answered nothing but HTTP 429 for {now - since:.0f} s ({fault.message}). Is the account's quota "
                "spent, or does something else use it up? See the provider's page of limits, then set --align-requests-per-minute "
                "and --align-tokens-per-minute to what it allows, or use another key."
            )

    def _nobody_there(self, fault: Fault) -> None:
        if not self._heard and fault.tries > min(self._retries, _HELLO_RETRIES):
            raise ModelError(
                f"{self.urls} can't be reached: {fault.message} (tried {fault.tries} times). Is the server running, "
                "and is this its base URL (--align-base-url or OPENAI_BASE_URL)?"
            )
        self._gone += fault.tries > self._retries
        if self._gone >= _GONE_AFTER:
            raise ModelError(
                f"{self.urls} went away: {fault.message}, on every try of {self._gone} requests in a row. Restart the "
                "server and run again; replies that had arrived are kept."
            )

    async def _no_such_model(self, replica: Replica, fault: Fault) -> ModelError:
        names = await replica.client.served()
        if "not a chat model" in fault.message:
            hint = "It is a base model: open it with form=raw."
        elif names and self.model not in names:
            hint = f"Of the models there, {did_you_mean(self.model, names)}"
        else:
            hint = "Name a model that the server has."
        return ModelError(f"{replica.url} has no model `{tidy(self.model)}` for this ({fault.message}). {tidy(hint)}")


def _limit_of(body: JSON) -> int:
    """How many tokens the answer may have, under whichever name."""
    limits = (value for name, value in body.items() if name.startswith("max_") and isinstance(value, int))
    return max(limits, default=0)
