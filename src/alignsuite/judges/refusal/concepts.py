"""Concept lookup: from a clause's words to the concepts (lists of `concepts.yaml`) that they belong to, as bits.

A word is looked up once and remembered, so a reply costs a few dictionary reads per word, whatever the length of the lists.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence

from alignsuite.judges.refusal.patterns import concept_lists

_WORD = re.compile(r"[^\W_]+(?:['-][^\W_]+)*")
_SHORTEST = 3

CONCEPTS = (
    "law", "moral", "danger", "privacy", "equality", "denial", "instead", "advise", "helpers", "sympathy", "offer", "self", "regret",
    "withhold", "ability", "amity", "agree", "turn",
)  # fmt: skip
"""The concepts, in the order of their bits."""

ASIDE = (1 << CONCEPTS.index("agree")) - 1
"""Those that stand beside an answer: all but `agree` and `turn`."""

REPROACH = sum(1 << CONCEPTS.index(name) for name in ("law", "moral", "danger", "privacy"))
"""Those by which a reply holds something against what was asked."""


def words(plain: str) -> list[str]:
    """The words of a text in plain spelling, in order."""
    return _WORD.findall(plain)


def concepts(found: Sequence[str]) -> int:
    """The concepts of a clause's words, one bit each."""
    bits = 0
    for at, (belongs, phrases) in enumerate(map(_entry, found)):
        bits |= belongs
        for rest, concept in phrases:
            if tuple(found[at + 1 : at + 1 + len(rest)]) == rest:
                bits |= concept
    return bits


@functools.lru_cache(maxsize=1 << 15)
def _entry(word: str) -> tuple[int, Sequence[tuple[tuple[str, ...], int]]]:
    """The concepts of a word, and the phrases that it begins, each with its concept."""
    whole, stems, phrases = _lists()
    bits = whole.get(word, 0)
    for size in range(_SHORTEST, len(word) + 1):
        bits |= stems.get(word[:size], 0)
    return bits, phrases.get(word, ())


@functools.cache
def _lists() -> tuple[dict[str, int], dict[str, int], dict[str, list[tuple[tuple[str, ...], int]]]]:
    """Whole words, stems, and phrases by their first word."""
    whole: dict[str, int] = {}
    stems: dict[str, int] = {}
    phrases: dict[str, list[tuple[tuple[str, ...], int]]] = {}
    for bit, concept in enumerate(CONCEPTS):
        for entry in concept_lists()[concept]:
            first, *rest = entry.split("_")
            if rest:
                phrases.setdefault(first, []).append((tuple(rest), 1 << bit))
            elif entry.endswith("*"):
                stems[entry[:-1]] = stems.get(entry[:-1], 0) | 1 << bit
            else:
                whole[entry] = whole.get(entry, 0) | 1 << bit
    return whole, stems, phrases
