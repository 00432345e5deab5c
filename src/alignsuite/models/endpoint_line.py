"""Patience with an endpoint: how many requests at once, when to try again, when to give up on all of them.

`Limiter` is the seam for adaptive concurrency: every try runs inside `async with limiter`, which sees the try's `Fault`
on the way out. Retries are ours and not the client's, so that waits are the same for every server and a test needs no
clock.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import TypeVar

from alignsuite.errors import ModelError, did_you_mean
from alignsuite.models.endpoint_faults import JSON, Fault, tidy
from alignsuite.models.endpoint_wire import Answer, Wire

T = TypeVar("T")

_HELLO_RETRIES = 2  # while nothing was ever heard from the endpoint
_GONE_AFTER = 3  # requests in a row that found nobody there on every try


class Limiter:
    """Lets `width` tries be under way at once. Fixed for now."""

    def __init__(self, width: int) -> None:
        self._free = asyncio.Semaphore(width)

    async def __aenter__(self) -> None:
        await self._free.acquire()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self._free.release()


@dataclass
class Backoff:
    """How long to wait before the next try.

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


class Line:
    """Asks one endpoint for one model, again and again where that can help.

    It knows whether anything was ever heard, and raises `ModelError` instead of `Fault` once asking on is useless.
    """

    def __init__(self, wire: Wire, model: str, *, limiter: Limiter, backoff: Backoff, retries: int) -> None:
        self.model = model
        self.place = wire.address.url
        self._wire = wire
        self._limiter = limiter
        self._backoff = backoff
        self._retries = retries
        self._heard = False  # anything at all came back, once
        self._answered = False  # a good answer came back, once
        self._gone = 0

    async def ask(self, path: str, body: JSON, read: Callable[[Answer], T]) -> T:
        """What `read` makes of the answer; a `Fault` that `read` raises counts like the server's own.

        Raises:
            Fault: if the retries are spent, or trying again is useless for this request.
            ModelError: if it is useless for all.
        """
        tries = 0
        while True:
            try:
                async with self._limiter:
                    answer = await self._wire.post(path, body)
                    self._heard, self._answered, self._gone = True, True, 0
                    return read(answer)
            except Fault as caught:
                fault = caught
            tries += 1
            fault.tries = tries
            await self._give_up_on_all(fault)
            if not fault.retry or tries > self._retries:
                raise fault
            await self._backoff.sleep(self._backoff.wait_s(tries, fault.wait_s))

    async def _give_up_on_all(self, fault: Fault) -> None:
        if fault.unconnected:
            return self._nobody_there(fault)
        self._heard, self._gone = True, 0
        if fault.fatal == "key" or (fault.fatal == "forbidden" and not self._answered):
            raise ModelError(
                f"{self.place} refused the key ({fault.message}). Set OPENAI_API_KEY to a key of this endpoint that "
                f"may use `{tidy(self.model)}`."
            )
        if fault.fatal == "quota":
            raise ModelError(
                f"{self.place} says that the account is spent ({fault.message}). Top it up, or use another key."
            )
        if fault.fatal == "model":
            raise await self._no_such_model(fault)
        if fault.fatal == "path" and not self._answered and not await self._wire.served():
            raise ModelError(
                f"{self.place} has no OpenAI-compatible API ({fault.message}, and it lists no models). Base URLs "
                "usually end in /v1."
            )
        return None

    def _nobody_there(self, fault: Fault) -> None:
        if not self._heard and fault.tries > min(self._retries, _HELLO_RETRIES):
            raise ModelError(
                f"{self.place} can't be reached: {fault.message} (tried {fault.tries} times). Is the server running, "
                "and is this its base URL (--align-base-url or OPENAI_BASE_URL)?"
            )
        self._gone += fault.tries > self._retries
        if self._gone >= _GONE_AFTER:
            raise ModelError(
                f"{self.place} went away: {fault.message}, on every try of {self._gone} requests in a row. Restart the "
                "server and run again; replies that had arrived are kept."
            )

    async def _no_such_model(self, fault: Fault) -> ModelError:
        names = await self._wire.served()
        if "not a chat model" in fault.message:
            hint = "It is a base model: open it with form=raw."
        elif names and self.model not in names:
            hint = f"Of the models there, {did_you_mean(self.model, names)}"
        else:
            hint = "Name a model that the server has."
        return ModelError(f"{self.place} has no model `{tidy(self.model)}` for this ({fault.message}). {tidy(hint)}")
