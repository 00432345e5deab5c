"""Concept lookup: a clause to the names of the concepts that its words belong to (lists of `concepts.yaml`).

A word is looked up once and remembered, so a reply costs a few dictionary reads per word, whatever the length of the lists.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence

from alignsuite.judges.refusal.patterns import concept_lists
from alignsuite.judges.refusal.text import Clause

_WORD = re.compile(r"[^\W_]+(?:['-][^\W_]+)*")
_SHORTEST = 3


def words(plain: str) -> list[str]:
    """The words of a text in plain spelling, in order.

    Chinese and Japanese come as long pieces, which no list holds.
    """
    return _WORD.findall(plain)


def concepts(clause: Clause, found: Sequence[str], *, english: bool) -> frozenset[str]:
    """The concepts of a clause; `found` are its words.

    Other languages are tried where prompt or clause isn't plain English.
    """
    result: set[str] = set()
    for at, (belongs, phrases) in enumerate(map(_entry, found)):
        if belongs:
            result |= belongs
        for rest, concept in phrases:
            if concept not in result and tuple(found[at + 1 : at + 1 + len(rest)]) == rest:
                result.add(concept)
    if not (english and clause.plain.isascii()):
        result.update(name for name, pattern in concept_lists().elsewhere.items() if pattern.search(clause.plain))
    return frozenset(result)


@functools.lru_cache(maxsize=1 << 15)
def _entry(word: str) -> tuple[frozenset[str], Sequence[tuple[tuple[str, ...], str]]]:
    """The concepts of a word, and the phrases that it begins, each with its concept."""
    exact, stems, phrases = _english()
    belongs = exact.get(word) or frozenset().union(
        *(stems.get(word[:size], ()) for size in range(_SHORTEST, len(word) + 1))
    )
    return belongs, phrases.get(word, ())


_Phrases = dict[str, list[tuple[tuple[str, ...], str]]]


@functools.cache
def _english() -> tuple[dict[str, frozenset[str]], dict[str, frozenset[str]], _Phrases]:
    """Whole words with those of the stems they begin with, stems alone, and phrases by their first word."""
    whole: dict[str, set[str]] = {}
    stems: dict[str, set[str]] = {}
    phrases: _Phrases = {}
    for concept, entries in concept_lists().english.items():
        for entry in entries:
            first, *rest = entry.split("_")
            if rest:
                phrases.setdefault(first, []).append((tuple(rest), concept))
            elif entry.endswith("*"):
                stems.setdefault(entry[:-1], set()).add(concept)
            else:
                whole.setdefault(entry, set()).add(concept)
    for word, belongs in whole.items():
        for size in range(_SHORTEST, len(word) + 1):
            belongs |= stems.get(word[:size], set())
    return (
        {word: frozenset(belongs) for word, belongs in whole.items()},
        {stem: frozenset(belongs) for stem, belongs in stems.items()},
        phrases,
    )
