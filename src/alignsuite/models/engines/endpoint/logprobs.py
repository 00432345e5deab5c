"""Log-probabilities of options, read from answers in the shapes that servers give them.

How an option finds its tokens: each token is read as the bytes that it stands for, and set free of spaces, brackets, emphasis and full
stops around it (`spellings.core`); those that are then the option, in either case, are added up. Where there is none, the longest token
that the option begins with stands for it, again in all its spellings: half a character may be all that the first token is. A token with
which two options begin stands for neither. An option that is not in the list gets `-inf`, and the reply is then not exact; nor is
it where a token is only the beginning of its option.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from alignsuite.models.engines.endpoint.client import Answer
from alignsuite.models.engines.endpoint.faults import JSON, Fault, as_list, as_object
from alignsuite.models.engines.endpoint.generate import text_of
from alignsuite.models.engines.option_tree import shared_length
from alignsuite.models.engines.spellings import core, cores, log_sum
from alignsuite.models.protocol import Chosen
from alignsuite.text.clean import tidy

Shown = list[tuple[str, float]]

_WAYS_OUT = (
    "Label the options with letters that the prompt explains (A, B, …), ask with a raw prompt on a server that echoes "
    "log-probabilities (vLLM), or run the model in process (hf: or gguf:)."
)


def check_first_words(options: Sequence[str]) -> None:
    """No tokenizer's token crosses a space, so options that share their first word share their first token.

    Raises:
        Fault: `unsupported`, if two of them do.
    """
    first: dict[str, str] = {}
    for option in options:
        word = next(iter(option.split()), "")
        if word in first:
            raise _indistinct(first[word], option, word)
        first[word] = option


def _indistinct(one: str, other: str, token: str) -> Fault:
    return Fault(
        "unsupported",
        f"options `{tidy(one)}` and `{tidy(other)}` begin with the same token (`{tidy(token)}`), and the endpoint "
        f"shows first tokens only. {_WAYS_OUT}",
    )


def match_tokens(options: Sequence[str], shown: Shown) -> tuple[tuple[float, ...], bool]:
    """Each option's log-probability by the first tokens that stand for it, and whether they are the whole story.

    Raises:
        Fault: `unsupported`, if the only token that an option begins with is the beginning of another option too.

    >>> match_tokens(("A", "B", "C"), [("A", -0.2), ("B", -1.9), ("The", -4.0)])
    ((-0.2, -1.9, -inf), False)
    """
    wanted, folded = cores(options)
    known = [(_as_bytes(core(token, folded=folded)), value) for token, value in shown]
    texts = [_as_bytes(text) for text in wanted]
    found = [
        _match(
            text,
            [(other, option) for other, option in zip(texts, options, strict=True) if other != text],
            option,
            known,
        )
        for text, option in zip(texts, options, strict=True)
    ]
    return tuple(value for value, _ in found), all(whole for _, whole in found)


def _match(
    wanted: bytes, others: Sequence[tuple[bytes, str]], option: str, known: Sequence[tuple[bytes, float]]
) -> tuple[float, bool]:
    begins = [(token, value) for token, value in known if token and wanted.startswith(token)]
    shared = {
        token: other for token, _ in begins for text, other in others if text.startswith(token) and token != wanted
    }
    own = [(token, value) for token, value in begins if token not in shared]
    if own:
        longest = max((token for token, _ in own), key=len)
        return min(0.0, log_sum([value for token, value in own if token == longest])), longest == wanted
    if shared:
        token, other = next(iter(shared.items()))
        raise _indistinct(option, other, token.decode("utf-8", "replace"))
    return -math.inf, False


def shown_tokens(choice: JSON) -> Shown:
    """The first position's tokens, in chat's shape or in that of older completions; empty if the server shows none.

    A token's `bytes` go before its text, which may show half a character in one way or another; without them, the marks of tokenizers
    for a space and the spellings of single bytes are read as what they stand for.
    """
    shown = as_object(choice.get("logprobs"))
    first = as_object(next(iter(as_list(shown.get("content"))), None))
    entries = [as_object(entry) for entry in as_list(first.get("top_logprobs"))]
    if not any(_is_same(entry, first) for entry in entries):
        entries.append(first)  # the token that was written, where it is not in the list
    pairs = [(_bytes_of(entry) or entry.get("token"), entry.get("logprob")) for entry in entries]
    pairs += as_object(next(iter(as_list(shown.get("top_logprobs"))), None)).items()
    found = [(token, value) for token, number in pairs if isinstance(token, str | bytes) for value in _log_prob(number)]
    by_bytes = any(isinstance(token, str) and not _BYTE_SIGNS.isdisjoint(token) for token, _ in found)
    return [(_plain(token, by_bytes=by_bytes), value) for token, value in found]


def _is_same(entry: JSON, other: JSON) -> bool:
    return all(entry.get(name) == other.get(name) for name in ("token", "bytes"))


def _bytes_of(entry: JSON) -> bytes | None:
    """The bytes of a token, where the server shows them."""
    numbers = as_list(entry.get("bytes"))
    whole = all(isinstance(number, int) and 0 <= number < 256 for number in numbers)
    return bytes(numbers) if numbers and whole else None  # type: ignore[arg-type]


def _plain(token: str | bytes, *, by_bytes: bool) -> str:
    """Text of a token, half a character as lone surrogates.

    `by_bytes`: the server shows byte-level tokens as they stand in the tokenizer's files.
    """
    if isinstance(token, bytes):
        return token.decode("utf-8", "surrogateescape")
    if by_bytes and all(sign in _BYTE_LEVEL for sign in token):
        return bytes(_BYTE_LEVEL[sign] for sign in token).decode("utf-8", "surrogateescape")
    if _SPELT_BYTES.fullmatch(token):
        return bytes(int(pair, 16) for pair in _HEX.findall(token)).decode("utf-8", "surrogateescape")
    return token.replace("▁", " ")


def _byte_level() -> dict[str, int]:
    """Byte of each sign by which byte-level tokenizers show one.

    Printable signs of Latin-1 stand for themselves, others from U+0100 on.
    """
    plain = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    others = [number for number in range(256) if number not in plain]
    return {chr(number): number for number in plain} | {chr(256 + place): number for place, number in enumerate(others)}


_BYTE_LEVEL = _byte_level()
_BYTE_SIGNS = frozenset("ĠĊ")
_SPELT_BYTES = re.compile(r"(?:bytes:)?(?:\\x[0-9a-fA-F]{2})+|(?:<0x[0-9a-fA-F]{2}>)+")
_HEX = re.compile(r"x([0-9a-fA-F]{2})")


def _as_bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def list_length(choice: JSON) -> tuple[int, bool]:
    """How many tokens are listed; False where some may hide behind others of the same text, as in a mapping."""
    shown = as_object(choice.get("logprobs"))
    first = as_object(next(iter(as_list(shown.get("content"))), None))
    if listed := as_list(first.get("top_logprobs")):
        return len(listed), True
    return len(as_object(next(iter(as_list(shown.get("top_logprobs"))), None))), False


def _log_prob(value: object) -> list[float]:
    """The number in a list, or nothing: servers put null and NaN there too. Rounding may put a certainty above 0."""
    if not isinstance(value, int | float) or isinstance(value, bool) or not value <= 1e-3:  # NaN compares False
        return []
    return [min(0.0, float(value))]


def read_echo(answer: Answer, prompts: Sequence[str]) -> Chosen:
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
    starts = [shared_length(alone, tokens) for tokens, _ in rest]
    if any(start == len(tokens) for start, (tokens, _) in zip(starts, rest, strict=True)):
        raise Fault("no_echo", "an option got no tokens of its own")
    log_probs = tuple(
        min(0.0, _total(values[start:]) - _total(alone_values[start:]))
        for start, (_, values) in zip(starts, rest, strict=True)
    )
    return chosen_by(answer, log_probs, exact=all(start == len(alone) for start in starts))


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


def _total(values: Sequence[object]) -> float:
    numbers = [number for value in values for number in _log_prob(value)]
    if len(numbers) < len(values):
        raise Fault("bad_answer", "the server left a token of the option without log-probability", retry=True)
    return math.fsum(numbers)


def chosen_by(answer: Answer, log_probs: tuple[float, ...], exact: bool) -> Chosen:
    """The reply, with what it cost."""
    return Chosen(
        log_probs=log_probs,
        exact=exact,
        prompt_tokens=answer.tokens("prompt_tokens"),
        completion_tokens=answer.tokens("completion_tokens"),
        seconds=answer.seconds,
    )
