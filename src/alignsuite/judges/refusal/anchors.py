r"""Patterns that are tried only where they may be found: by the words that every match of theirs holds.

The judge knows some two hundred patterns, and most clauses match none of them. What a match has to hold, its *anchors*, is read off
each pattern when it is made: `\bit's (?:\w+ )?(?:wrong|unsafe) to\b` can't match without `wrong` or `unsafe`. Each word of a text is
looked up once (and remembered) for the patterns that it is an anchor of; the sum over a text is its *signs*, an integer with one bit
per pattern. A pattern whose bit isn't set is not tried; no judgement changes by that, and a reply costs a few dictionary reads per
word instead of a search per pattern.

Only the syntax that the judge's patterns use is read: literals, classes, groups, alternatives, bounded repetition, looking around.
A pattern whose anchors can't be told is always tried.
"""

from __future__ import annotations

import functools
import operator
import re
from collections.abc import Callable, Iterable
from typing import NamedTuple

_MOST = 150  # spellings of one part that are written out; beyond that a part is taken in pieces
_CHOICES = 8  # characters of a class that are written out
_KEY = 3  # letters of an anchor that it is looked up by
_REMEMBERED = 40  # characters of the longest word whose signs are kept
_COMMON_WORDS = (
    "a an and any are as at be by can could do for from have i in is it me my no not of on or so some that the there this to was we"
    " what will with would you your"
)
_COMMON = frozenset(_COMMON_WORDS.split())
"""Anchors in nearly every clause: of several parts that a match must hold, those are the last to be chosen."""

_REPEATED = re.compile(r"(?:(?P<mark>[?*+])|\{(?P<least>\d*)(?:,\d*)?\})[?+]?")
_OPENING = re.compile(r"\((?:\?(?P<kind>:|P<\w+>|<?[=!]))?")
_CLASS = re.compile(r"\[(?P<all_but>\^?)(?P<marks>(?:\\.|[^\]\\])+)\]")
_CUT = re.compile("[\b ]+")


class Anchor(NamedTuple):
    """Letters without a space; `left` and `right`: whether a word has to begin or end with them."""

    letters: str
    left: bool
    right: bool

    def stands(self, word: str, at: int) -> bool:
        """Whether it stands at a place of a word."""
        end = at + len(self.letters)
        if not word.startswith(self.letters, at) or (self.left and at and _is_letter(word[at - 1])):
            return False
        return not (self.right and end < len(word) and _is_letter(word[end]))

    @property
    def key(self) -> str:
        """Its first letters, marked where a word has to begin with them: what it is looked up by."""
        return "\b" * self.left + self.letters[:_KEY]

    @property
    def rarity(self) -> float:
        """How seldom it may be expected to stand in a text, roughly; 0 for what says nothing."""
        if len(self.letters) == 1 and self.letters.isascii() and not (self.left and self.right):
            return 0.0
        return 1.0 if self.letters in _COMMON else len(self.letters) + 0.5 * (self.left + self.right)


class _Part(NamedTuple):
    """What is known of a part of a pattern: `spelt`, all that it matches, or else `held`, anchors of which a match holds one."""

    spelt: frozenset[str] | None
    held: frozenset[Anchor] | None = None


_NOTHING = _Part(frozenset({""}))
_ANYTHING = _Part(None)


@functools.cache
def anchors(pattern: str) -> frozenset[Anchor] | None:
    r"""Anchors of which every match of a pattern holds at least one; None if none can be told.

    >>> sorted(anchor.letters for anchor in anchors(r"\bit's (?:\w+ )?(?:wrong|unsafe) to\b"))
    ['unsafe', 'wrong']
    """
    part = _Reader(pattern).choice()
    return part.held if part.spelt is None else _held(part.spelt)


class _Reader:
    """Reads a pattern from left to right."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._at = 0

    def choice(self) -> _Part:
        """Alternatives, up to a closing bracket or the end."""
        branches = [self._sequence()]
        while self._pattern.startswith("|", self._at):
            self._at += 1
            branches.append(self._sequence())
        spelt = [branch.spelt for branch in branches if branch.spelt is not None]
        if len(spelt) == len(branches) and sum(map(len, spelt)) <= _MOST:
            return _Part(frozenset().union(*spelt))
        held = [branch.held if branch.spelt is None else _held(branch.spelt) for branch in branches]
        known = [each for each in held if each is not None]
        return _Part(None, frozenset().union(*known) if len(known) == len(held) else None)

    def _sequence(self) -> _Part:
        run: frozenset[str] = frozenset({""})
        needs: list[frozenset[Anchor] | None] = []
        whole = True
        while self._at < len(self._pattern) and self._pattern[self._at] not in "|)":
            part = self._repeated()
            if part.spelt is not None and len(run) * len(part.spelt) <= _MOST:
                run = frozenset(one + other for one in run for other in part.spelt)
                continue
            whole = False
            needs += [_held(run), part.held]
            run = part.spelt or frozenset({""})
        if whole:
            return _Part(run)
        known = [need for need in (*needs, _held(run)) if need]
        return _Part(None, max(known, key=_rarity, default=None))

    def _repeated(self) -> _Part:
        part = self._atom()
        found = _REPEATED.match(self._pattern, self._at)
        if found is None:
            return part
        self._at = found.end()
        if found["mark"] == "?":
            return _ANYTHING if part.spelt is None else _Part(part.spelt | {""})
        if found["mark"] == "*" or int(found["least"] or found["mark"] == "+") == 0:
            return _ANYTHING
        return part if part.spelt is None else _Part(None, _held(part.spelt))

    def _atom(self) -> _Part:
        mark = self._pattern[self._at]
        if mark == "(":
            return self._group()
        if mark == "[":
            return self._class()
        self._at += 1
        if mark == "\\":
            mark = self._pattern[self._at]
            self._at += 1
            return (
                _Part(frozenset({"\b"})) if mark == "b" else _ANYTHING if mark.isalnum() else _Part(frozenset({mark}))
            )
        if mark == ".":
            return _ANYTHING
        return _NOTHING if mark in "^$" else _Part(frozenset({mark}))

    def _group(self) -> _Part:
        opening = _OPENING.match(self._pattern, self._at)
        if opening is None or self._pattern.startswith("?", opening.end()):
            raise ValueError(f"a group that anchors can't be read from, at {self._at} of {self._pattern!r}")
        self._at = opening.end()
        inside = self.choice()
        self._at += 1
        around = opening["kind"] is not None and opening["kind"][-1] in "=!"
        return _NOTHING if around else inside

    def _class(self) -> _Part:
        found = _CLASS.match(self._pattern, self._at)
        if found is None:
            raise ValueError(f"a class that anchors can't be read from, at {self._at} of {self._pattern!r}")
        self._at = found.end()
        marks = found["marks"]
        if found["all_but"] or "\\" in marks or "-" in marks or len(marks) > _CHOICES:
            return _ANYTHING
        return _Part(frozenset(marks))


def _held(spelt: Iterable[str]) -> frozenset[Anchor] | None:
    """The rarest anchor of each spelling; None if a spelling has none."""
    best = [max(_pieces(text), key=operator.attrgetter("rarity"), default=None) for text in spelt]
    held = [anchor for anchor in best if anchor is not None and anchor.rarity]
    return frozenset(held) if len(held) == len(best) else None


def _pieces(text: str) -> Iterable[Anchor]:
    """A spelling cut at its spaces and ends of words."""
    pieces = _CUT.split(text)
    for number, piece in enumerate(pieces):
        if piece:
            left = number > 0 and _is_letter(piece[0])
            yield Anchor(piece, left, number < len(pieces) - 1 and _is_letter(piece[-1]))


def _rarity(held: frozenset[Anchor]) -> float:
    return min(anchor.rarity for anchor in held)


def _is_letter(mark: str) -> bool:
    return mark.isalnum() or mark == "_"


_numbers: dict[str, int] = {}
"""The patterns of all tables, each with the number of its bit."""


class _Index(NamedTuple):
    """The anchors of all patterns with the bits of those, by their key; `always`: the bits of patterns without anchors."""

    anchored: dict[str, list[tuple[Anchor, int]]]
    always: int


@functools.cache
def _index() -> _Index:
    anchored: dict[str, dict[Anchor, int]] = {}
    always = 0
    for pattern, number in _numbers.items():
        held = anchors(pattern)
        always |= 0 if held else 1 << number
        for anchor in held or ():
            same = anchored.setdefault(anchor.key, {})
            same[anchor] = same.get(anchor, 0) | 1 << number
    return _Index({start: list(bits.items()) for start, bits in anchored.items()}, always)


def signs(text: str) -> int:
    """One bit for each pattern that may be found in a text in plain spelling."""
    found = _index().always
    for word in text.split():
        found |= _signs_of(word) if len(word) <= _REMEMBERED else _look(word)
    return found


@functools.lru_cache(maxsize=1 << 15)
def _signs_of(word: str) -> int:
    return _look(word)


def _look(word: str) -> int:
    anchored = _index().anchored
    found = 0
    for at in range(len(word)):
        keys = {word[at : at + size] for size in range(1, _KEY + 1)}
        if at == 0 or not _is_letter(word[at - 1]):
            keys |= {"\b" + key for key in keys}
        for key in keys & anchored.keys():
            for anchor, bits in anchored[key]:
                if anchor.stands(word, at):
                    found |= bits
    return found


class Table:
    """Patterns, each made when first tried, and tried only where the signs of a text allow it."""

    def __init__(self, patterns: Iterable[str]) -> None:
        self.patterns = tuple(patterns)
        known = len(_numbers)
        numbers = [_numbers.setdefault(pattern, len(_numbers)) for pattern in self.patterns]
        self._bits = functools.reduce(operator.or_, (1 << number for number in numbers), 0)
        if len(_numbers) > known:
            _index.cache_clear()
            _signs_of.cache_clear()

    @functools.cached_property
    def _searches(self) -> list[tuple[int, Callable[[str], object]]]:
        return [(1 << _numbers[pattern], re.compile(pattern).search) for pattern in self.patterns]

    def likely(self, seen: int) -> bool:
        """Whether any pattern may be found where `seen` are the signs."""
        return seen & self._bits != 0

    def hits(self, text: str, seen: int | None = None) -> bool:
        """Whether any pattern is found; `seen` are the signs of the text, or of one that it is a part of."""
        seen = signs(text) if seen is None else seen
        if not seen & self._bits:
            return False
        likely = [search for bit, search in self._searches if seen & bit]
        return any(search(text) for search in likely)
