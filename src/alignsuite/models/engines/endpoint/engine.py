"""A model behind an OpenAI-compatible endpoint: OpenAI, vLLM, TGI, SGLang, Ollama, llama-server, `transformers serve`.

Opening one costs next to nothing and connects to nothing; the first request does. It does not decide what a store may
answer, and it measures no rates: it turns requests into replies or `RequestError`s, and raises `ModelError` where
asking on is useless. What surprises: `answer` runs the caller's iterator of requests in another thread.

The parts: `endpoint.address` (base URLs), `endpoint.http` (connections), `endpoint.wire` (one exchange), `endpoint.faults`
(what went wrong), `endpoint.pace` (how much at once, and a minute), `endpoint.places` (whom to ask), `endpoint.line`
(trying again), `endpoint.generate`, `endpoint.choose` and `endpoint.logprobs` (what to ask, how to read it),
`endpoint.run` (threads).
"""

from __future__ import annotations

import logging
import os
import threading
import weakref
from collections.abc import Callable, Coroutine, Iterable, Iterator
from dataclasses import replace
from typing import Any, Literal

from alignsuite.errors import ModelError, RequestError, SettingsError
from alignsuite.models.engines.endpoint.address import ENGINE, Address, fingerprint, parse_addresses
from alignsuite.models.engines.endpoint.choose import Chooser
from alignsuite.models.engines.endpoint.client import Client
from alignsuite.models.engines.endpoint.faults import Fault
from alignsuite.models.engines.endpoint.generate import Writer
from alignsuite.models.engines.endpoint.loop_thread import LoopThread, Result, Run
from alignsuite.models.engines.endpoint.rate_limit import Clock, ConcurrencyLimit, RateLimit
from alignsuite.models.engines.endpoint.replicas import Replica, Replicas
from alignsuite.models.engines.endpoint.retry import Backoff, Retrier
from alignsuite.models.protocol import Generate, ModelInfo, ModelSettings, Reply, Request

__all__ = ["Backoff", "Clock", "ConcurrencyLimit", "EndpointModel", "Form", "open_endpoint"]

Form = Literal["auto", "chat", "raw"]

OPENAI_URL = "https://api.openai.com/v1"
"""As the `openai` package has it (a test compares), which takes half a second to import."""


def open_target(target: str, name: str, form: Form, settings: ModelSettings) -> EndpointModel:
    """Endpoint model of `openai:NAME`; see `Engine.open`."""
    return open_endpoint(
        target.partition(":")[2],
        base_url=settings.base_url,
        api_key=settings.api_key,
        name=name,
        form=form,
        requests_per_minute=settings.requests_per_minute,
        tokens_per_minute=settings.tokens_per_minute,
        tell=settings.progress,
    )


def open_endpoint(
    model: str,
    *,
    base_url: str | None,
    api_key: str | None,
    name: str | None = None,
    form: Form = "auto",
    concurrency: int = 64,
    timeout_s: float = 60,
    retries: int = 6,
    requests_per_minute: int | None = None,
    tokens_per_minute: int | None = None,
    tell: Callable[[str], None] | None = None,
    limiter: Callable[[], ConcurrencyLimit] | None = None,
    backoff: Backoff | None = None,
    clock: Clock | None = None,
) -> EndpointModel:
    """A model by its name at an endpoint; nothing is connected yet.

    Args:
        model: the name that the server knows it by.
        base_url: usually ends in `/v1`; several servers of the same model are separated by commas. None for
            OPENAI_BASE_URL, and without that for OpenAI itself.
        api_key: None for OPENAI_API_KEY. Servers that want none get a placeholder; OpenAI itself wants one.
        name: what to call it in reports; the server's name by default.
        form: `raw` is a base model that has no chat template, `chat` a model that only chats, `auto` may do both.
        concurrency: how many tries may be under way at each base URL; how many are is found out by asking.
        timeout_s: for one try, from sending to the last byte.
        retries: tries after the first, for what may pass.
        requests_per_minute: of all tries to all base URLs; None for no limit.
        tokens_per_minute: of prompts and replies, as the server counts them where it does; None for no limit.
        tell: hears one line when a base URL is left out, and when it is back; a logged warning without it.
        limiter: makes what takes the place of the usual limiter, one for each base URL.
        backoff: takes the place of the usual waits between tries.
        clock: takes the place of real time in everything but `backoff`.

    Raises:
        SettingsError: if a number or the form makes no sense.
        ModelError: if a URL is none, or the key can't be a key.
    """
    _check(form, concurrency, timeout_s, retries, (requests_per_minute, tokens_per_minute))
    addresses = parse_addresses(
        base_url or os.environ.get("OPENAI_BASE_URL") or OPENAI_URL, api_key or os.environ.get("OPENAI_API_KEY")
    )
    clock, backoff = clock or Clock(), backoff or Backoff()
    made = limiter or (lambda: ConcurrencyLimit(concurrency, clock=clock))
    places = Replicas(
        [Replica(Client(address, timeout_s, backoff.now), made()) for address in addresses], tell or _warn, clock
    )
    paces = [RateLimit(limit, clock) for limit in (requests_per_minute, tokens_per_minute)]
    line = Retrier(places, model, backoff=backoff, retries=retries, requests=paces[0], tokens=paces[1])
    info = ModelInfo(
        name=name or model,
        fingerprint=fingerprint(addresses, model, form),
        engine=ENGINE,
        can_chat=form != "raw",
        can_choose=True,
        details={"url": places.names, "form": form},
    )
    return EndpointModel(info, places, line, form=form, most=concurrency * len(addresses))


class EndpointModel:
    """The `Model` behind an endpoint.

    `info.can_choose` turns False when the server is seen not to show log-probabilities; `info.details["left_out"]` names
    base URLs that are left out at the moment.
    """

    def __init__(self, info: ModelInfo, places: Replicas, line: Retrier, *, form: Form, most: int) -> None:
        self.info = info
        self._places = places
        self._line = line
        self._form = form
        self._most = most
        self._writer = Writer(line)
        self._chooser = Chooser(line)
        self._lock = threading.Lock()
        self._home: LoopThread | None = None
        self._runs: set[Run] = set()
        self._closed = False

    def __repr__(self) -> str:
        return f"EndpointModel({self.info.name!r}, url={self._places.names!r}, form={self._form!r})"

    def answer(self, requests: Iterable[Request]) -> Iterator[Result]:
        """Answer each request once, in order of arrival; see `Model.answer`.

        `requests` is read in another thread, at most `concurrency` and an eighth ahead of the results that were taken,
        and less while less may be under way. Closing the iterator cancels what is under way.

        Raises:
            ModelError: if the endpoint can't be reached, refuses the key, lacks the model, or went away.
        """
        run = self._run(requests)
        try:
            yield from run.results()
        finally:
            self._runs.discard(run)

    def close(self) -> None:
        """Cancel what is under way, drop connections, end threads. May be called twice."""
        with self._lock:
            self._closed, home, runs = True, self._home, list(self._runs)
        for run in runs:
            run.fail(ModelError(f"{self.info.name} was closed while requests were under way; open it again to ask on"))
        if home is not None:
            home.stop()

    def _run(self, requests: Iterable[Request]) -> Run:
        with self._lock:
            if self._closed:
                raise ModelError(f"{self.info.name} was closed; open it again to ask on")
            if self._home is None:
                for place in self._places:
                    self._check_key(place.wire.address)
                self._home = LoopThread(at_end=_closer(tuple(place.wire for place in self._places)))
                weakref.finalize(self, self._home.stop)
                self._line.changed = _waker(self._runs)
            run = Run(self._home, self._one, requests, self._room)
            self._runs.add(run)
            return run

    def _room(self) -> int:
        """How many requests may be out: twice what may be under way, so that it can double, and what rests between tries.

        At the upper bound, that and an eighth: the next request is at hand when a place falls free.
        """
        return min(2 * self._places.width + self._line.resting, self._most) + self._most // 8

    def _check_key(self, address: Address) -> None:
        if not address.key and not address.user_info and address.url == OPENAI_URL:
            raise ModelError(
                f"no API key for {address.url}: set OPENAI_API_KEY, or name another server by --align-base-url or "
                "OPENAI_BASE_URL"
            )

    async def _one(self, request: Request) -> Reply | RequestError:
        is_chat = not isinstance(request.prompt, str)
        if self._form == ("raw" if is_chat else "chat"):
            wanted = "a raw text prompt, or a chat model" if is_chat else "a conversation, or a base model"
            return RequestError("unsupported", f"{self.info.name} was opened with form={self._form}; it wants {wanted}")
        try:
            if isinstance(request, Generate):
                return await self._writer.generate(request)
            return await self._chooser.choose(request)
        except Fault as fault:
            return fault.as_request_error()
        finally:
            self._note()

    def _note(self) -> None:
        """Keep `info` true."""
        if self._chooser.unable and self.info.can_choose:
            self.info = replace(self.info, can_choose=False)
        left_out = ", ".join(self._places.left_out())
        if left_out != self.info.details.get("left_out", ""):
            details = {name: value for name, value in self.info.details.items() if name != "left_out"}
            self.info = replace(self.info, details=details | ({"left_out": left_out} if left_out else {}))


def _closer(wires: tuple[Client, ...]) -> Callable[[], Coroutine[Any, Any, None]]:
    """Closes all of them; holds no model, which must stay free to be forgotten."""

    async def close() -> None:
        for wire in wires:
            await wire.close()

    return close


def _waker(runs: set[Run]) -> Callable[[], None]:
    def wake() -> None:
        for run in tuple(runs):
            run.look_again()

    return wake


def _warn(line: str) -> None:
    logging.getLogger("alignsuite").warning("%s", line)


def _check(
    form: str, concurrency: int, timeout_s: float, retries: int, per_minute: tuple[int | None, int | None]
) -> None:
    if form not in ("auto", "chat", "raw"):
        raise SettingsError(f"form is `{form}`; wanted `auto`, `chat` or `raw`")
    if concurrency < 1 or retries < 0 or not timeout_s > 0:
        raise SettingsError(
            f"concurrency={concurrency}, timeout_s={timeout_s}, retries={retries}; wanted at least 1, more than 0 and "
            "at least 0"
        )
    if any(limit is not None and limit < 1 for limit in per_minute):
        raise SettingsError(f"requests and tokens per minute are {per_minute}; wanted 1 or more, or None for no limit")
