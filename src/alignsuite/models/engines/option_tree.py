"""Option log-likelihoods: exact for options of any length, from next-token distributions alone.

Options that begin alike share tokens, so their tokens form a tree: one distribution for each node that has children is
all that is needed, and five options of one token each cost one. The walk is depth first, so that each prefix extends or
shortens the one before and an engine that keeps its last prefix recomputes little. Imports no engine.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass, field
from itertools import accumulate

from alignsuite.errors import RequestError

_NEGLIGIBLE = math.log(1e-4)
Look = Callable[[list[int], Set[int]], dict[int, float]]
"""Natural-log probabilities of at least the wanted next tokens, after a prefix of token ids."""


@dataclass(slots=True)
class _Node:
    children: dict[int, _Node] = field(default_factory=dict)
    options: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class OptionTokens:
    """Token ids of a prompt and of its options: where the one ends and the others begin.

    `spellings` says how many of the paths in `options` belong to each option, the option's own first; empty: one each.
    """

    prompt: list[int]
    options: list[list[int]]
    spellings: tuple[int, ...] = ()

    @property
    def own(self) -> list[int]:
        """Places in `options` of the options as they were given, without other spellings."""
        if not self.spellings:
            return list(range(len(self.options)))
        return [end - count for end, count in zip(accumulate(self.spellings), self.spellings, strict=True)]


def split_options(prompt: Sequence[int], joined: Sequence[Sequence[int]]) -> OptionTokens:
    """Split of tokenized (prompt + option) texts, as `OptionTokens`, where the options part from the prompt.

    Each option was tokenized in its place, behind the prompt. Where the last characters of the prompt merge with an
    option's first ones into one token (a prompt that ends in a space), the split moves back to the last token that all
    share. The log-probabilities then include that short tail, which is what a model that never saw such a broken token
    would have written; it is the same text for every option.
    """
    shared = len(prompt)
    for tokens in joined:
        shared = min(shared, shared_length(prompt, tokens))
    return OptionTokens(list(prompt[:shared]), [list(tokens[shared:]) for tokens in joined])


def check_options(found: OptionTokens, options: Sequence[str]) -> None:
    """Whether each option has tokens of its own behind the prompt's.

    Raises:
        RequestError: `unsupported`: options that are the same to this model, or add nothing to the prompt.
    """
    if len({tuple(tokens) for tokens in found.options}) < len(options):
        raise RequestError("unsupported", f"two of the options {list(options)} are the same tokens to this model")
    if not all(options) or not all(found.options):
        raise RequestError("unsupported", f"one of the options {list(options)} adds no token to the prompt")
    if not found.prompt:
        raise RequestError(
            "unsupported", "the options merge with the whole prompt into one token; give it more text to begin with"
        )


def log_likelihoods(found: OptionTokens, look: Look) -> list[float]:
    """Log-likelihood of each option's tokens given the prompt's, natural and not normalised; one for each path.

    An option that is the beginning of another one counts everything that begins with it, the longer one too. Other spellings are
    followed only where they begin likely enough to matter, and have `-inf` else.
    """
    totals = [-math.inf] * len(found.options)
    own = {
        tuple(found.options[place][:length]) for place in found.own for length in range(len(found.options[place]) + 1)
    }
    stack: list[tuple[_Node, list[int], float]] = [(_tree(found.options), found.prompt, 0.0)]
    while stack:
        node, prefix, total = stack.pop()
        for option in node.options:
            totals[option] = total
        if node.children:
            path = prefix[len(found.prompt) :]
            wanted = {token for token in node.children if (*path, token) in own}
            shown = look(prefix, wanted)
            stack.extend(
                (child, [*prefix, token], total + shown[token])
                for token, child in reversed(node.children.items())
                if token in wanted or total + shown.get(token, -math.inf) > _NEGLIGIBLE
            )
    return totals


def _tree(options: Sequence[Sequence[int]]) -> _Node:
    root = _Node()
    for index, tokens in enumerate(options):
        node = root
        for token in tokens:
            node = node.children.setdefault(token, _Node())
        node.options.append(index)
    return root


def shared_length(one: Sequence[object], other: Sequence[object]) -> int:
    """How many of their first items two sequences share."""
    for index, (left, right) in enumerate(zip(one, other, strict=False)):
        if left != right:
            return index
    return min(len(one), len(other))
