"""Log-probabilities of options at an endpoint: a `Choose` to a `Chosen`, by what the server shows.

Three ways, best first; what a server can do is found out once, by the first request that needs it while the others
wait, and remembered. One answer that lacks something proves nothing, so that takes four; later such an answer is tried
again:

- *Echo* (raw prompts; vLLM, SGLang): the server scores prompt and option as given, so each option gets its exact
  log-likelihood.
- *Next token* (chat, and raw prompts without echo): the server lists its likeliest first tokens, twenty or fewer, and
  each option takes the value of the token that it begins with.
- *Neither*: `unsupported`, with what to do.

How the numbers are read is `endpoint.logprobs`' matter.
"""

from __future__ import annotations

import asyncio
import math
import re
from dataclasses import dataclass, field

from alignsuite.models.engines.endpoint.client import Answer
from alignsuite.models.engines.endpoint.faults import JSON, Fault
from alignsuite.models.engines.endpoint.finish import finish_of
from alignsuite.models.engines.endpoint.generate import CHAT_PATH, RAW_PATH, messages_of, text_of
from alignsuite.models.engines.endpoint.logprobs import (
    check_first_words,
    chosen_by,
    list_length,
    match_tokens,
    read_echo,
    shown_tokens,
)
from alignsuite.models.engines.endpoint.parameters import Parameters
from alignsuite.models.protocol import Choose, Chosen

_DOUBTS = 4
_MOST = 20
_ROUNDING = 0.01
_SHORTER = {20: 10, 10: 5, 5: 2}  # OpenAI and vLLM list twenty, TGI and OpenAI's completions five
_ABOUT_ECHO = re.compile(r"echo|logprobs|max_tokens", re.IGNORECASE)
_ELSEWHERE = (
    "Ask a server that does (vLLM, SGLang, llama-server, OpenAI), run the model in process (hf: or gguf:), or leave "
    "out probes that choose between options."
)


@dataclass
class _Api:
    """One of the two APIs, and what it has shown of itself."""

    path: str
    name: str  # of the parameter that says how long a list is asked for
    top: int = _MOST
    shows: int = 0  # how long the longest list was; 0 until one was seen
    varies: bool = False  # its lists differ in length, and it means it
    unable: str = ""  # why, once it is known
    finding_out: asyncio.Lock = field(default_factory=asyncio.Lock)

    def is_known(self) -> bool:
        """Whether it is known to show log-probabilities, or not to."""
        return bool(self.shows or self.unable)


class Chooser:
    """Asks for log-probabilities of options, and remembers how this server shows them."""

    def __init__(self, retrier: Parameters) -> None:
        self._retrier = retrier
        self._chat = _Api(CHAT_PATH, "top_logprobs")
        self._raw = _Api(RAW_PATH, "logprobs")
        self._echoes: bool | None = None
        self._finding_out = asyncio.Lock()

    @property
    def unable(self) -> bool:
        """Whether the server has been seen not to show log-probabilities on one of its APIs."""
        return bool(self._chat.unable or (self._raw.unable and not self._echoes))

    async def choose(self, request: Choose) -> Chosen:
        """Log-probabilities of the options.

        Raises:
            Fault: if there are none to be had for this request; kind `unsupported` if the server never shows them.
            ModelError: if asking on is useless.
        """
        if not isinstance(request.prompt, str):
            return await self._next_token(request, self._chat)
        if self._echoes is None and request.prompt and not self._raw.unable:
            async with self._finding_out:
                if self._echoes is None:
                    return await self._find_out(request)
        return await (self._echoed(request) if self._echoes else self._next_token(request, self._raw))

    async def _find_out(self, request: Choose) -> Chosen:
        """Ask the first raw request in a way that shows whether the server echoes.

        A refusal counts against echo only if it speaks of it, or the same request then goes through without it.
        """
        for doubts in range(_DOUBTS):
            try:
                chosen = await self._echoed(request)
            except Fault as fault:
                if fault.kind == "no_echo" and doubts < _DOUBTS - 1:
                    continue
                if fault.kind not in ("refused_by_server", "no_echo"):
                    raise
                self._echoes = False if fault.kind == "no_echo" or _ABOUT_ECHO.search(fault.message) else None
                break
            self._echoes = True
            return chosen
        chosen = await self._next_token(request, self._raw)
        self._echoes = False
        return chosen

    async def _echoed(self, request: Choose) -> Chosen:
        prompt = request.prompt
        assert isinstance(prompt, str)
        prompts = [prompt, *(prompt + option for option in request.options)]
        body = {
            "model": self._retrier.model,
            "prompt": prompts,
            "max_tokens": 0,
            "echo": True,
            "logprobs": 1,
            "temperature": 0,
        }

        def read(answer: Answer) -> Chosen:
            try:
                return read_echo(answer, prompts)
            except Fault as fault:
                fault.retry = fault.retry or bool(self._echoes)
                raise

        return await self._retrier.ask(RAW_PATH, body, read)

    async def _next_token(self, request: Choose, api: _Api) -> Chosen:
        check_first_words(request.options)
        api.top = min(api.top, int(self._retrier.learnt.get(api.name, api.top)))
        if not api.is_known():
            async with api.finding_out:
                if not api.is_known():
                    return await self._find_length(request, api)
        return await self._stepped(request, api)

    async def _find_length(self, request: Choose, api: _Api) -> Chosen:
        """Ask the first request until a full list comes, or four answers have shown how much there is to be had."""
        best, why = None, ""
        for _ in range(_DOUBTS):
            longest = api.shows
            try:
                chosen = await self._stepped(request, api)
            except Fault as fault:
                if fault.kind != "no_log_probs":
                    raise
                why = fault.message
                continue
            best = chosen if best is None or api.shows > longest else best
            if api.shows >= api.top:
                break
        if best is None:
            api.unable = why
            raise self._cannot(api)
        return best

    async def _stepped(self, request: Choose, api: _Api) -> Chosen:
        """Ask for as long a list as the server allows."""
        while not api.unable:
            top = api.top
            try:
                chosen = await self._listed(request, api, top)
                if top < _MOST:
                    self._retrier.note(api.name, str(top))
                return chosen
            except Fault as fault:
                if fault.kind == "short_list" and fault.tries >= _DOUBTS:
                    api.varies = True  # so many short lists in a row for one request are no accident
                elif fault.kind == "refused_by_server" and "logprob" in fault.message.lower():
                    self._step_down(api, top, fault)
                else:
                    raise
        raise self._cannot(api)

    def _cannot(self, api: _Api) -> Fault:
        return Fault("unsupported", f"{self._retrier.urls} shows no log-probabilities ({api.unable}). {_ELSEWHERE}")

    async def _listed(self, request: Choose, api: _Api, top: int) -> Chosen:
        return await self._retrier.ask(
            api.path, self._body(request, top), lambda answer: self._read(answer, request, api, top)
        )

    def _step_down(self, api: _Api, refused: int, fault: Fault) -> None:
        if refused in _SHORTER:
            api.top = min(api.top, _SHORTER[refused])  # another request may have found out more meanwhile
        else:
            api.unable = fault.message

    def _body(self, request: Choose, top: int) -> JSON:
        # temperature 0 and not 1: engines that scale log-probabilities by it leave them alone when they decode greedily
        body: dict[str, object] = {
            "model": self._retrier.model,
            "max_tokens": 1,
            "temperature": 0,
            "seed": request.seed,
        }
        if isinstance(request.prompt, str):
            return {**body, "prompt": request.prompt, "logprobs": top}
        return {**body, "messages": messages_of(request.prompt), "logprobs": True, "top_logprobs": top}

    def _read(self, answer: Answer, request: Choose, api: _Api, top: int) -> Chosen:
        choice = answer.choice()
        if finish_of(choice, answer.data, is_empty=False, is_full=True)[0] == "withheld":
            raise Fault("refused_by_server", "the provider's content filter withheld the reply")
        shown = shown_tokens(choice)
        if not shown and not text_of(choice):
            raise Fault("bad_answer", "the reply ended before its first token, and no log-probabilities came with it")
        if not shown:
            said = "it answered a request for them with text alone"
            raise Fault("no_log_probs", said, retry=bool(api.shows))
        length, exact_length = list_length(choice)
        least = min(top, api.shows) if exact_length else min(top, api.shows) // 2
        if length < least and not api.varies:
            raise Fault("short_list", f"it listed {length} tokens where it has listed {api.shows}", retry=True)
        total = math.fsum(math.exp(value) for _, value in shown)
        if total > 1 + _ROUNDING:
            raise Fault(
                "bad_answer",
                f"the log-probabilities that it listed add up to a probability of {total:.3g}, and no more than 1 can",
            )
        api.shows = max(api.shows, length)
        log_probs, exact = match_tokens(request.options, shown)
        return chosen_by(answer, log_probs, exact)
