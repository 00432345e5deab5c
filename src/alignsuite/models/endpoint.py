"""A model behind an OpenAI-compatible endpoint: OpenAI, vLLM, TGI, SGLang, Ollama, llama-server, `transformers serve`.

Opening one costs next to nothing and connects to nothing; the first request does. It does not decide what a store may
answer, and it measures no rates: it turns requests into replies or `RequestError`s, and raises `ModelError` where
asking on is useless. What surprises: `answer` runs the caller's iterator of requests in another thread.

The parts: `endpoint_wire` (one exchange), `endpoint_faults` (what went wrong), `endpoint_line` (trying again),
`endpoint_generate` and `endpoint_choose` (what to ask, how to read it), `endpoint_run` (threads).
"""

from __future__ import annotations

import importlib.util
import os
import threading
import weakref
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Literal

from alignsuite.errors import ModelError, RequestError, SettingsError
from alignsuite.models.endpoint_choose import Chooser
from alignsuite.models.endpoint_faults import Fault
from alignsuite.models.endpoint_generate import Writer
from alignsuite.models.endpoint_line import Backoff, Limiter, Line
from alignsuite.models.endpoint_run import LoopThread, Result, Run
from alignsuite.models.endpoint_wire import ENGINE, Address, Wire
from alignsuite.models.protocol import Generate, ModelInfo, Reply, Request

__all__ = ["Backoff", "EndpointModel", "Form", "Limiter", "open_endpoint"]

Form = Literal["auto", "chat", "raw"]


def open_endpoint(
    model: str,
    *,
    base_url: str | None,
    api_key: str | None,
    name: str | None = None,
    form: Form = "auto",
    concurrency: int = 16,
    timeout_s: float = 60,
    retries: int = 6,
    limiter: Limiter | None = None,
    backoff: Backoff | None = None,
) -> EndpointModel:
    """A model by its name at an endpoint; nothing is connected yet.

    Args:
        model: the name that the server knows it by.
        base_url: usually ends in `/v1`; None for OPENAI_BASE_URL, and without that for OpenAI itself.
        api_key: None for OPENAI_API_KEY. Servers that want none get a placeholder; OpenAI itself wants one.
        name: what to call it in reports; the server's name by default.
        form: `raw` is a base model that has no chat template, `chat` a model that only chats, `auto` may do both.
        concurrency: how many requests are read ahead and under way at most.
        timeout_s: for one try, from sending to the last byte.
        retries: tries after the first, for what may pass.
        limiter: takes the place of a fixed limit on tries under way.
        backoff: takes the place of the usual waits between tries.

    Raises:
        SettingsError: if a number or the form makes no sense.
        ModelError: if the URL is none, the key can't be a key, or the `openai` package is missing.
    """
    _check(form, concurrency, timeout_s, retries)
    if importlib.util.find_spec("openai") is None:
        raise ModelError(f"`openai:{model}` needs the `openai` package, which is not installed: pip install openai")
    address = Address.parse(
        base_url or os.environ.get("OPENAI_BASE_URL") or _default_url(), api_key or os.environ.get("OPENAI_API_KEY")
    )
    backoff = backoff or Backoff()
    wire = Wire(address, timeout_s, backoff.now)
    line = Line(wire, model, limiter=limiter or Limiter(concurrency), backoff=backoff, retries=retries)
    info = ModelInfo(
        name=name or model,
        fingerprint=address.fingerprint(model, form),
        engine=ENGINE,
        can_chat=form != "raw",
        can_choose=True,
        details={"url": address.url, "form": form},
    )
    return EndpointModel(info, wire, line, form=form, concurrency=concurrency)


class EndpointModel:
    """The `Model` behind an endpoint.

    `info.can_choose` turns False when the server is seen not to show log-probabilities.
    """

    def __init__(self, info: ModelInfo, wire: Wire, line: Line, *, form: Form, concurrency: int) -> None:
        self.info = info
        self._wire = wire
        self._form = form
        self._concurrency = concurrency
        self._writer = Writer(line)
        self._chooser = Chooser(line)
        self._lock = threading.Lock()
        self._home: LoopThread | None = None
        self._runs: set[Run] = set()
        self._closed = False

    def __repr__(self) -> str:
        return f"EndpointModel({self.info.name!r}, url={self._wire.address.url!r}, form={self._form!r})"

    def answer(self, requests: Iterable[Request]) -> Iterator[Result]:
        """Answer each request once, in order of arrival; see `Model.answer`.

        `requests` is read in another thread, never more than `concurrency` ahead of the results that were taken.
        Closing the iterator cancels what is under way.

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
                self._check_key()
                self._home = LoopThread(at_end=self._wire.close)
                weakref.finalize(self, self._home.stop)
            run = Run(self._home, self._one, requests, self._concurrency)
            self._runs.add(run)
            return run

    def _check_key(self) -> None:
        address = self._wire.address
        if not address.key and not address.user_info and address.url == _default_url():
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
            if self._chooser.unable and self.info.can_choose:
                self.info = replace(self.info, can_choose=False)


def _default_url() -> str:
    """OpenAI's own base URL, from OpenAI's own package, which takes half a second to import."""
    import openai

    with openai.OpenAI(api_key="unused", base_url=None) as client:
        return str(client.base_url).rstrip("/")


def _check(form: str, concurrency: int, timeout_s: float, retries: int) -> None:
    if form not in ("auto", "chat", "raw"):
        raise SettingsError(f"form is `{form}`; wanted `auto`, `chat` or `raw`")
    if concurrency < 1 or retries < 0 or not timeout_s > 0:
        raise SettingsError(
            f"concurrency={concurrency}, timeout_s={timeout_s}, retries={retries}; wanted at least 1, more than 0 and "
            "at least 0"
        )
