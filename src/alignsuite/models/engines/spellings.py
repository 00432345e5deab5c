"""Spellings of an option at the beginning of a reply: what a reader would take for it.

A chat model says `B`, ` B`, `b`, `(B)`, `B.` or `**B**`, and means one thing. Which of them has the probability depends on how it was
trained and on the last character of its template, so the spellings of one option are added up. Imports no engine.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from alignsuite.models.engines.option_tree import OptionTokens

_BEFORE, _BEHIND = " \t\r\n\u3000([{*_\"'`“‘«「（【", " \t\r\n\u3000)]}*_\"'`”’»」）】.,:;!。，、：；！"
_OPENINGS = ("", " ", "(", "**", " (", "\n")
_ENDINGS = ("", ".", ")", ":")
_TAIL = 64
"""Characters at a prompt's end: what stands before them does not change the tokens behind them."""
_REMEMBERED = 1024
_A_MARK = 2
"""Characters of a letter or a number behind which an option stands; longer ones are words."""


def core(text: str, *, folded: bool = True) -> str:
    """What is left of a spelling without brackets, emphasis, quotation marks and full stops around it.

    >>> core(" (B)"), core("**b"), core("Yes."), core("("), core("-3")
    ('b', 'b', 'yes', '', '-3')
    """
    bare = text.lstrip(_BEFORE).rstrip(_BEHIND)
    return bare.casefold() if folded else bare


def cores(options: Sequence[str]) -> tuple[list[str], bool]:
    """Cores of all options, and whether they are folded.

    As they stand where that would make two of them one, or one empty.

    >>> cores(["a", "A"]), cores(["(a)", "a)"])
    ((['a', 'A'], False), (['(a)', 'a)'], False))
    """
    for folded in (True, False):
        found = [core(option, folded=folded) for option in options]
        if all(found) and len(set(found)) == len(found):
            return found, folded
    return [option.strip() for option in options], False


def variants(option: str, options: Sequence[str]) -> tuple[str, ...]:
    """Texts with which a reply that means the option may begin, itself first; none that means another option.

    Letters and numbers come with brackets, emphasis and full stops; words with a space before them and in the other case.

    >>> variants("yes", ["yes", "no"])
    ('yes', ' yes', 'Yes', ' Yes')
    """
    swapped = [option]
    if (other := option[:1].swapcase() + option[1:]) not in options and len(other) == len(option):
        swapped.append(other)
    marked = len(option) <= _A_MARK and option.isalnum()
    openings, endings = (_OPENINGS, _ENDINGS) if marked else (("", " "), ("",))
    spelt = [f"{opening}{text}{ending}" for text in swapped for opening in openings for ending in endings]
    return tuple(dict.fromkeys([option, *(text for text in spelt if text not in options)]))


class Spellings:
    """Tokens of options' spellings behind a prompt, remembered by the prompt's end: chat templates end alike.

    `tokenize` makes token ids of texts that stand behind each other in one prompt.
    """

    def __init__(self, tokenize: Callable[[list[str]], list[list[int]]]) -> None:
        self._tokenize = tokenize
        self._known: dict[tuple[str, tuple[str, ...]], list[list[list[int]]]] = {}

    def add(self, found: OptionTokens, prompt: str, options: Sequence[str]) -> OptionTokens:
        """Tokens of a request with every spelling of its options; `prompt` is its text, or the end of it.

        A spelling that melts into the prompt's last token is left out, and so is one whose tokens begin like another option's.
        """
        tail = prompt[-_TAIL:]
        key = (tail, tuple(sorted(options)))
        if key not in self._known:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            self._known[key] = [self._paths(tail, option, options) for option in key[1]]
        known = dict(zip(key[1], self._known[key], strict=True))
        return with_spellings(found, [known[option] for option in options])

    def _paths(self, tail: str, option: str, options: Sequence[str]) -> list[list[int]]:
        bare, own, *others = self._tokenize([tail, *(tail + text for text in variants(option, options))])
        paths = [ids[len(bare) :] for ids in (own, *others) if ids[: len(bare)] == bare and len(ids) > len(bare)]
        return paths if own[: len(bare)] == bare else []


def with_spellings(found: OptionTokens, spelt: Sequence[Sequence[Sequence[int]]]) -> OptionTokens:
    """Tokens of a request with more paths to each option: `spelt` has its own path first, then the others.

    A path that begins like another option's, in either's length, stands for neither. Of an option's own paths the shorter one counts
    what begins with it.
    """
    paths, counts = list[list[int]](), list[int]()
    for place, (own, more) in enumerate(zip(found.options, spelt, strict=True)):
        if not more or list(more[0]) != own:  # in this prompt it is spelt otherwise than behind its end alone
            more = [own]
        strange: list[Sequence[int]] = [found.options[other] for other in range(len(spelt)) if other != place]
        strange += [path for other, those in enumerate(spelt) if other != place for path in those]
        group = [own]
        for path in sorted(map(list, more[1:]), key=len):
            if not any(_alike(path, other) for other in [*strange, *group]):
                group.append(path)
        paths += group
        counts.append(len(group))
    return OptionTokens(found.prompt, paths, tuple(counts))


def added_up(found: OptionTokens, values: Sequence[float]) -> list[float]:
    """Log-likelihood of each option, its spellings added up; NaN where one is NaN."""
    if not found.spellings:
        return list(values)
    left = iter(values)
    return [log_sum([next(left) for _ in range(count)]) for count in found.spellings]


def log_sum(values: Sequence[float]) -> float:
    """Logarithm of the sum of some probabilities, given as logarithms.

    >>> log_sum([-1.0]), log_sum([float("-inf")]), round(log_sum([-1.0, -1.0]), 6)
    (-1.0, -inf, -0.306853)
    """
    best = max(values)
    if any(map(math.isnan, values)):
        return math.nan
    if len(values) == 1 or not math.isfinite(best):
        return best
    return best + math.log(math.fsum(math.exp(value - best) for value in values))


def _alike(path: Sequence[int], other: Sequence[int]) -> bool:
    """Whether one of two paths is the beginning of the other."""
    return all(one == two for one, two in zip(path, other, strict=False))
