"""OpenAI-compatible endpoint engine: a `Model` behind OpenAI, Azure, vLLM, TGI, SGLang, Ollama or llama-server.

Opening one costs next to nothing and connects to nothing; the first request does. It does not decide what a store may
answer, and it measures no rates: it turns requests into replies or `RequestError`s, and raises `ModelError` where
asking on is useless. What surprises: `answer` runs the caller's iterator of requests in another thread.

The parts: `address` (base URLs and keys), `client` and `stream` (one exchange, by `openai`), `faults` (what went wrong), `rate_limit`
(how much at once, and a minute), `replicas` (whom to ask), `retry` (trying again), `parameters` (what a server takes), `generate`,
`choose` and `logprobs` (what to ask), `reading`, `finish` and `error_text` (how a reply is read), `loop_thread` (threads).
"""

from __future__ import annotations

import json
import logging
import threading
import weakref
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Literal

from alignsuite.errors import ModelError, RequestError, SettingsError
from alignsuite.models.engines.endpoint.address import ENGINE, OPENAI_URL, Address, addresses_of
from alignsuite.models.engines.endpoint.choose import Chooser
from alignsuite.models.engines.endpoint.client import Client
from alignsuite.models.engines.endpoint.faults import Fault
from alignsuite.models.engines.endpoint.generate import Writer
from alignsuite.models.engines.endpoint.loop_thread import Done, LoopThread, Result, Run
from alignsuite.models.engines.endpoint.parameters import Parameters, check_body, in_words
from alignsuite.models.engines.endpoint.rate_limit import Clock, ConcurrencyLimit, RateLimit
from alignsuite.models.engines.endpoint.replicas import Replica, Replicas
from alignsuite.models.engines.endpoint.retry import Backoff, Retrier
from alignsuite.models.engines.framing import Framed
from alignsuite.models.identity import fingerprint
from alignsuite.models.protocol import Generate, Model, ModelInfo, ModelSettings, Reply, Request, ways_of_asking

__all__ = ["Backoff", "Clock", "ConcurrencyLimit", "EndpointModel", "Form", "open_endpoint"]

Form = Literal["auto", "chat", "raw"]
_READING = "read 2"
"""Part of the fingerprint: goes up when what servers say is read otherwise, so that no reply stays as it was misread."""
NOTHING: Mapping[str, object] = MappingProxyType({})


def open_target(target: str, name: str, form: Form, settings: ModelSettings) -> Model:
    """Endpoint model of `openai:NAME`; see `Engine.open`.

    A template of the framing's own is rendered here with its arguments, and sent as raw text.
    """
    framing = settings.framing
    is_ours = framing is not None and framing.template is not None
    model = open_endpoint(
        target.partition(":")[2],
        base_url=settings.base_url,
        api_key=settings.api_key,
        name=name,
        form=form,
        requests_per_minute=settings.requests_per_minute,
        tokens_per_minute=settings.tokens_per_minute,
        tell=settings.progress,
        body=settings.body,
        template_arguments=NOTHING if is_ours else settings.template_arguments,
        thinking_tokens=settings.thinking_tokens,
    )
    return Framed(model, framing, settings.template_arguments) if framing is not None and is_ours else model


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
    concurrency_limit: Callable[[], ConcurrencyLimit] | None = None,
    backoff: Backoff | None = None,
    clock: Clock | None = None,
    body: Mapping[str, object] = NOTHING,
    template_arguments: Mapping[str, object] = NOTHING,
    thinking_tokens: int = 0,
) -> EndpointModel:
    """The `EndpointModel` of a name that a server knows; nothing is connected yet.

    Args:
        model: the name that the server knows it by.
        base_url: usually ends in `/v1`; several servers of the same model are separated by commas. None for
            OPENAI_BASE_URL; without that it is Azure's where the environment says so (`addresses_of`), else OpenAI's.
        api_key: None for OPENAI_API_KEY, at Azure AZURE_OPENAI_AD_TOKEN or AZURE_OPENAI_API_KEY. Servers that want none get
            a placeholder; OpenAI and Azure want one.
        name: what to call it in reports; the server's name by default.
        form: `raw` is a base model that has no chat template, `chat` a model that only chats, `auto` may do both.
        concurrency: how many tries may be under way at each base URL; how many are is found out by asking.
        timeout_s: for one try, from sending to the last byte.
        retries: tries after the first, for what may pass.
        requests_per_minute: of all tries to all base URLs; None for no limit.
        tokens_per_minute: of prompts and replies, as the server counts them where it does; None for no limit.
        tell: hears one line when a base URL is left out, and when it is back; a logged warning without it.
        concurrency_limit: makes what takes the place of the usual concurrency limit, one for each base URL.
        backoff: takes the place of the usual waits between tries.
        clock: takes the place of real time in everything but `backoff`.
        body: fields that are added to the body of every request, all the way down.
        template_arguments: what the server's chat template is told, as `chat_template_kwargs`.
        thinking_tokens: what each reply is allowed on top of its own limit.

    Raises:
        SettingsError: if a number or the form makes no sense.
        ModelError: if a URL is none, the key can't be a key, or the environment says half of what Azure needs.
    """
    _check(form, concurrency, timeout_s, retries, (requests_per_minute, tokens_per_minute))
    check_body(body)
    addresses = addresses_of(model, base_url, api_key)
    clock, backoff = clock or Clock(), backoff or Backoff()
    made = concurrency_limit or (lambda: ConcurrencyLimit(concurrency, clock=clock))
    replicas = Replicas(
        [Replica(Client(address, timeout_s, backoff.now), made()) for address in addresses], tell or _warn, clock
    )
    rate_limits = [RateLimit(limit, clock) for limit in (requests_per_minute, tokens_per_minute)]
    retrier = Retrier(replicas, model, backoff=backoff, retries=retries, requests=rate_limits[0], tokens=rate_limits[1])
    parameters = Parameters(retrier, body, template_arguments)
    added = {"body": body, "template_arguments": template_arguments, "thinking_tokens": thinking_tokens}
    ways = ways_of_asking(template_arguments, body, thinking_tokens)
    info = _described(name or model, addresses, model, form, ways, added)
    most = concurrency * len(addresses)
    return EndpointModel(info, replicas, retrier, parameters, form=form, most=most, thinking_tokens=thinking_tokens)


class EndpointModel:
    """`Model` of a server that speaks the OpenAI API.

    `info.can_choose` turns False when the server is seen not to show log-probabilities; `info.details["left_out"]` names
    base URLs that are left out at the moment, `info.details["parameters"]` what was learnt of how this server has to be asked
    (`info.learnt`, part of its identity). It is what was true of the reply that was handed out last.
    """

    def __init__(
        self,
        info: ModelInfo,
        replicas: Replicas,
        retrier: Retrier,
        parameters: Parameters,
        *,
        form: Form,
        most: int,
        thinking_tokens: int,
    ) -> None:
        self.info = info
        self._replicas = replicas
        self._retrier = retrier
        self._form = form
        self._most = most
        self._parameters = parameters
        self._writer = Writer(parameters, thinking_tokens)
        self._chooser = Chooser(parameters)
        self._lock = threading.Lock()
        self._loop_thread: LoopThread | None = None
        self._runs: set[Run] = set()
        self._closed = False

    def __repr__(self) -> str:
        return f"EndpointModel({self.info.name!r}, url={self._replicas.names!r}, form={self._form!r})"

    def answer(self, requests: Iterable[Request]) -> Iterator[Result]:
        """Answer each request once, in order of arrival; see `Model.answer`.

        `requests` is read in another thread, at most `concurrency` and an eighth ahead of the results that were taken,
        and less while less may be under way. Closing the iterator cancels what is under way.

        Raises:
            ModelError: if the endpoint can't be reached, refuses the key, lacks the model, or went away.
        """
        run = self._run(requests)
        try:
            for request, (reply, self.info) in run.results():
                yield request, reply
        finally:
            self._runs.discard(run)

    def recall(self, learnt: Mapping[str, str]) -> None:
        """Ask from the start as an earlier session learnt to; see `LearningModel`."""
        self._parameters.learnt = dict(learnt)
        self.info = self._known()

    def close(self) -> None:
        """Cancel what is under way, drop connections, end threads. May be called twice."""
        with self._lock:
            self._closed, home, runs = True, self._loop_thread, list(self._runs)
        for run in runs:
            run.fail(ModelError(f"{self.info.name} was closed while requests were under way; open it again to ask on"))
        if home is not None:
            home.stop()

    def _run(self, requests: Iterable[Request]) -> Run:
        with self._lock:
            if self._closed:
                raise ModelError(f"{self.info.name} was closed; open it again to ask on")
            if self._loop_thread is None:
                for replica in self._replicas:
                    self._check_key(replica.client.address)
                self._loop_thread = LoopThread(at_end=_closer(tuple(replica.client for replica in self._replicas)))
                weakref.finalize(self, self._loop_thread.stop)
                self._retrier.changed = _waker(self._runs)
            run = Run(self._loop_thread, self._one, requests, self._room)
            self._runs.add(run)
            return run

    def _room(self) -> int:
        """How many requests may be out: twice what may be under way, so that it can double, and what rests.

        At the upper bound, that and an eighth: the next request is at hand when a place falls free.
        """
        return min(2 * self._replicas.width + self._retrier.resting, self._most) + self._most // 8

    def _check_key(self, address: Address) -> None:
        if not address.key and not address.user_info and (address.url == OPENAI_URL or address.deployment):
            raise ModelError(
                f"no API key for {address.url}: set {address.key_variable}, or name another server by --align-base-url or "
                "OPENAI_BASE_URL"
            )

    async def _one(self, request: Request) -> Done:
        reply = await self._answered(request)
        return reply, self._known()

    async def _answered(self, request: Request) -> Reply | RequestError:
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

    def _known(self) -> ModelInfo:
        """What is known of the model by now."""
        learnt, found = self._parameters.learnt, {}
        if learnt:
            found["parameters"] = in_words(learnt)
        if left_out := ", ".join(self._replicas.left_out()):
            found["left_out"] = left_out
        kept = {name: value for name, value in self.info.details.items() if name not in ("parameters", "left_out")}
        can_choose = self.info.can_choose and not self._chooser.unable
        if (can_choose, kept | found, learnt) == (self.info.can_choose, self.info.details, self.info.learnt):
            return self.info
        return replace(self.info, can_choose=can_choose, details=kept | found, learnt=learnt)


def _described(
    name: str,
    addresses: tuple[Address, ...],
    model: str,
    form: Form,
    ways: tuple[str, ...],
    added: Mapping[str, object],
) -> ModelInfo:
    """The model as it is known before the server was heard, with what the user adds to every request.

    Secrets and the order of URLs are no part of the fingerprint.
    """
    urls = [address.url for address in addresses]
    return ModelInfo(
        name=name,
        fingerprint=fingerprint(ENGINE, _READING, json.dumps(sorted(urls)), model, form, *ways),
        engine=ENGINE,
        can_chat=form != "raw",
        can_choose=True,
        details={"url": ", ".join(urls), "form": form}
        | {name: json.dumps(value, sort_keys=True) for name, value in added.items() if value},
    )


def _closer(clients: tuple[Client, ...]) -> Callable[[], Coroutine[Any, Any, None]]:
    """Closes all of them; holds no model, which must stay free to be forgotten."""

    async def close() -> None:
        for client in clients:
            await client.close()

    return close


def _waker(runs: set[Run]) -> Callable[[], None]:
    def wake() -> None:
        for run in tuple(runs):
            run.look_again()

    return wake


def _warn(message: str) -> None:
    logging.getLogger("alignsuite").warning("%s", message)


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
