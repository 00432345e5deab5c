"""How likely each option is, from what an endpoint lets us see.

Three ways, best first; what a server can do is found out at first need and remembered:

- *Echo* (raw prompts; vLLM, SGLang): the server scores prompt and option as given, so each option gets its exact
  log-likelihood.
- *Next token* (chat, and raw prompts without echo): the server lists its likeliest first tokens, twenty or fewer, and
  each option takes the value of the token that it begins with.
- *Neither*: `unsupported`, with what to do.

How an option finds its token: the very same text first; else, white space at the ends set aside, the longest token that
the option begins with. A token with which two options begin stands for neither. An option that is not in the list gets
`-inf`, and the reply is then not exact; nor is it where a token is only the beginning of its option.
"""

from __future__ import annotations

import asyncio
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from alignsuite.models.endpoint_faults import JSON, Fault, as_list, as_object, tidy
from alignsuite.models.endpoint_generate import CHAT_PATH, RAW_PATH, messages_of, text_of
from alignsuite.models.endpoint_line import Line
from alignsuite.models.endpoint_wire import Answer
from alignsuite.models.protocol import Choose, Chosen

Shown = list[tuple[str, float]]

_SHORTER = {20: 10, 10: 5, 5: 2}  # OpenAI and vLLM list twenty, TGI and OpenAI's completions five
_ABOUT_ECHO = re.compile(r"echo|logprobs|max_tokens", re.IGNORECASE)
_WAYS_OUT = (
    "Label the options with letters that the prompt explains (A, B, …), ask with a raw prompt on a server that echoes "
    "log-probabilities (vLLM), or run the model in process (hf: or gguf:)."
)


@dataclass
class _Api:
    """One of the two APIs, and what it has shown of itself."""

    path: str
    top: int = 20
    unable: str = ""  # why, once it is known


class Chooser:
    """Asks for log-probabilities of options."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._chat = _Api(CHAT_PATH)
        self._raw = _Api(RAW_PATH)
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
        try:
            chosen = await self._echoed(request)
        except Fault as fault:
            if fault.kind not in ("refused_by_server", "no_echo"):
                raise
            self._echoes = False if fault.kind == "no_echo" or _ABOUT_ECHO.search(fault.message) else None
        else:
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
            "model": self._line.model,
            "prompt": prompts,
            "max_tokens": 0,
            "echo": True,
            "logprobs": 1,
            "temperature": 0,
        }
        return await self._line.ask(RAW_PATH, body, lambda answer: _read_echo(answer, prompts))

    async def _next_token(self, request: Choose, api: _Api) -> Chosen:
        self._check_first_words(request.options)
        while not api.unable:
            top = api.top
            try:
                return await self._line.ask(
                    api.path, self._body(request, top), lambda answer: self._read(answer, request)
                )
            except Fault as fault:
                if fault.kind == "no_log_probs":
                    api.unable = fault.message
                elif fault.kind == "refused_by_server" and "logprob" in fault.message.lower():
                    self._step_down(api, top, fault)
                else:
                    raise
        raise Fault("unsupported", f"{self._line.place} shows no log-probabilities ({api.unable}). {_ELSEWHERE}")

    def _step_down(self, api: _Api, refused: int, fault: Fault) -> None:
        if refused in _SHORTER:
            api.top = min(api.top, _SHORTER[refused])  # another request may have found out more meanwhile
        else:
            api.unable = fault.message

    def _body(self, request: Choose, top: int) -> JSON:
        # temperature 0 and not 1: engines that scale log-probabilities by it leave them alone when they decode greedily
        body: dict[str, object] = {"model": self._line.model, "max_tokens": 1, "temperature": 0, "seed": 0}
        if isinstance(request.prompt, str):
            return {**body, "prompt": request.prompt, "logprobs": top}
        return {**body, "messages": messages_of(request.prompt), "logprobs": True, "top_logprobs": top}

    def _read(self, answer: Answer, request: Choose) -> Chosen:
        choice = answer.choice()
        if choice.get("finish_reason") == "content_filter":
            raise Fault("refused_by_server", "the provider's content filter withheld the reply")
        shown = _shown_tokens(choice)
        if not shown and not text_of(choice):
            raise Fault("bad_answer", "the reply ended before its first token, and no log-probabilities came with it")
        if not shown:
            raise Fault("no_log_probs", "it answered a request for them with text alone")
        log_probs, exact = match_tokens(request.options, shown)
        return _chosen(answer, log_probs, exact)

    def _check_first_words(self, options: Sequence[str]) -> None:
        """No tokenizer's token crosses a space, so options that share their first word share their first token."""
        first: dict[str, str] = {}
        for option in options:
            word = next(iter(option.split()), "")
            if word in first:
                raise _indistinct(first[word], option, word)
            first[word] = option


_ELSEWHERE = (
    "Ask a server that does (vLLM, SGLang, llama-server, OpenAI), run the model in process (hf: or gguf:), or leave "
    "out probes that choose between options."
)


def _indistinct(one: str, other: str, token: str) -> Fault:
    return Fault(
        "unsupported",
        f"options `{tidy(one)}` and `{tidy(other)}` begin with the same token (`{tidy(token)}`), and the endpoint "
        f"shows first tokens only. {_WAYS_OUT}",
    )


def match_tokens(options: Sequence[str], shown: Shown) -> tuple[tuple[float, ...], bool]:
    """Each option's log-probability by its first token, and whether all of them are the whole story.

    Raises:
        Fault: `unsupported`, if the only token that an option begins with is the beginning of another option too.

    >>> match_tokens(("A", "B", "C"), [("A", -0.2), (" B", -1.9), (" A", -4.0)])
    ((-0.2, -1.9, -inf), False)
    """
    found = [_match(option, [other for other in options if other != option], shown) for option in options]
    return tuple(value for value, _ in found), all(whole for _, whole in found)


def _match(option: str, others: Sequence[str], shown: Shown) -> tuple[float, bool]:
    same = [value for token, value in shown if token == option]
    if same:
        return max(same), True
    wanted = option.strip()
    begins = [(token.strip(), value) for token, value in shown if token.strip() and wanted.startswith(token.strip())]
    shared = {
        token: other for token, _ in begins for other in others if other.strip().startswith(token) and token != wanted
    }
    own = [(len(token), value) for token, value in begins if token not in shared]
    if own:
        length, value = max(own)
        return value, length == len(wanted)
    if shared:
        token, other = next(iter(shared.items()))
        raise _indistinct(option, other, token)
    return -math.inf, False


def _shown_tokens(choice: JSON) -> Shown:
    """The first position's tokens, in chat's shape or in that of older completions; empty if the server shows none."""
    shown = as_object(choice.get("logprobs"))
    first = as_object(next(iter(as_list(shown.get("content"))), None))
    entries = [as_object(entry) for entry in [*as_list(first.get("top_logprobs")), first]]
    pairs = [(entry.get("token"), entry.get("logprob")) for entry in entries]
    pairs += as_object(next(iter(as_list(shown.get("top_logprobs"))), None)).items()
    return [
        (token, value) for token, shown_value in pairs if isinstance(token, str) for value in _log_prob(shown_value)
    ]


def _log_prob(value: object) -> list[float]:
    """The number in a list, or nothing: servers put null and NaN there too. Rounding may put a certainty above 0."""
    if not isinstance(value, int | float) or isinstance(value, bool) or not value <= 1e-3:  # NaN compares False
        return []
    return [min(0.0, float(value))]


def _read_echo(answer: Answer, prompts: Sequence[str]) -> Chosen:
    """Options' log-likelihoods from scored texts: the prompt alone, then with each option.

    Where the option's first characters melt into the prompt's last token, the tokens from there on are scored in both,
    and the difference is the option's; that is the probability of text and not of tokens, so the reply is not exact.
    """
    answer.choice()
    choices = [as_object(choice) for choice in as_list(answer.data.get("choices"))]
    if len(choices) != len(prompts):
        raise Fault("no_echo", f"{len(prompts)} prompts were answered by {len(choices)} choices")
    choices.sort(key=lambda choice: index if isinstance(index := choice.get("index"), int) else 0)
    scored = [_scored(choice, prompt) for choice, prompt in zip(choices, prompts, strict=True)]
    (alone, alone_values), *rest = scored
    starts = [_common(alone, tokens) for tokens, _ in rest]
    if any(start == len(tokens) for start, (tokens, _) in zip(starts, rest, strict=True)):
        raise Fault("no_echo", "an option got no tokens of its own")
    log_probs = tuple(
        min(0.0, _total(values[start:]) - _total(alone_values[start:]))
        for start, (_, values) in zip(starts, rest, strict=True)
    )
    return _chosen(answer, log_probs, exact=all(start == len(alone) for start in starts))


def _scored(choice: JSON, text: str) -> tuple[list[object], list[object]]:
    """Tokens of the text and their log-probabilities.

    Raises:
        Fault: `no_echo`, if these are not the tokens of the text.
    """
    shown = as_object(choice.get("logprobs"))
    tokens, values = as_list(shown.get("tokens")), as_list(shown.get("token_logprobs"))
    joined = "".join(str(token) for token in tokens)
    if not text_of(choice).endswith(text) or _letters(joined) < _letters(text) or len(tokens) != len(values):
        raise Fault("no_echo", "the answer does not hold the prompt's tokens with their log-probabilities")
    return tokens, values


def _letters(text: str) -> int:
    """How many plain letters and digits: tokenizers spell everything else in their own ways."""
    return sum(character.isascii() and character.isalnum() for character in text)


def _common(one: Sequence[object], other: Sequence[object]) -> int:
    pairs = zip(one, other, strict=False)
    return next((place for place, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))


def _total(values: Sequence[object]) -> float:
    numbers = [number for value in values for number in _log_prob(value)]
    if len(numbers) < len(values):
        raise Fault("bad_answer", "the server left a token of the option without log-probability", retry=True)
    return math.fsum(numbers)


def _chosen(answer: Answer, log_probs: tuple[float, ...], exact: bool) -> Chosen:
    return Chosen(
        log_probs=log_probs,
        exact=exact,
        prompt_tokens=answer.tokens("prompt_tokens"),
        completion_tokens=answer.tokens("completion_tokens"),
        seconds=answer.seconds,
    )
