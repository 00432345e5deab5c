"""Log-probabilities of options, read from answers in the shapes that servers give them.

How an option finds its token: the very same text first; else, white space at the ends set aside, the longest token that
the option begins with. A token with which two options begin stands for neither. An option that is not in the list gets
`-inf`, and the reply is then not exact; nor is it where a token is only the beginning of its option.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from alignsuite.models.engines.endpoint.client import Answer
from alignsuite.models.engines.endpoint.faults import JSON, Fault, as_list, as_object
from alignsuite.models.engines.endpoint.generate import text_of
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


def shown_tokens(choice: JSON) -> Shown:
    """The first position's tokens, in chat's shape or in that of older completions; empty if the server shows none."""
    shown = as_object(choice.get("logprobs"))
    first = as_object(next(iter(as_list(shown.get("content"))), None))
    entries = [as_object(entry) for entry in [*as_list(first.get("top_logprobs")), first]]
    pairs = [(entry.get("token"), entry.get("logprob")) for entry in entries]
    pairs += as_object(next(iter(as_list(shown.get("top_logprobs"))), None)).items()
    return [
        (token, value) for token, shown_value in pairs if isinstance(token, str) for value in _log_prob(shown_value)
    ]


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
    starts = [_common(alone, tokens) for tokens, _ in rest]
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


def _common(one: Sequence[object], other: Sequence[object]) -> int:
    pairs = zip(one, other, strict=False)
    return next((index for index, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))


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
