"""Likert patterns: the word lists of `patterns.yaml` as `Patterns`, read for the first scale."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

BARE, WEAK, MIDDLING, STRONG = 0, 1, 2, 3
"""Degrees of agreement."""

SENTENCE_ENDS = frozenset(".!?;\n。！？；")
SILENT = frozenset("\"'()[]{}«»「」„“”\\$")
_CLAUSE_ENDS = frozenset(".!?;:\n,。！？；：，、")
_LINKS = frozenset("/-\"'«»“”()[]{}|")
_LIST_LINKS = frozenset(",.;:\n、，。*•")

Words = frozenset[str]


@dataclass(frozen=True)
class Family:
    """The words for the two sides of one kind of scale.

    Nouns count only behind `in` or a degree: `level of agreement` says nothing.
    """

    yes: Words
    no: Words
    nouns: Words = frozenset()


@dataclass(frozen=True)
class Degrees:
    """The words of each degree that is not bare."""

    weak: Words
    middling: Words
    strong: Words


@dataclass(frozen=True)
class Phrase:
    """Several words that mean one: `instead` takes their place; one of the `stems` must be there."""

    stems: tuple[str, ...]
    pattern: re.Pattern[str]
    instead: str


@dataclass(frozen=True)
class Patterns:
    """The lists as the file has them, each explained there."""

    families: tuple[Family, ...]
    degrees: Degrees
    middle: Words
    neither_nor: Words
    no_slips: Words
    phrases: tuple[Phrase, ...]
    negators: Words
    other_negators: Words
    not_only: Words
    raisers: Words
    unsure: Words
    reports: Words
    inability: Words
    fillers: Words
    after: Words
    own: Words
    others: Words
    some: Words
    modals: Words
    conditions: Words
    concessions: Words
    rejecting: Words
    rejected: re.Pattern[str]
    decided: Words
    soft: Words
    final: Words
    final_phrase: re.Pattern[str]
    statement_nouns: Words
    clause_openers: Words
    link_words: Words
    disclaimers: re.Pattern[str]

    @cached_property
    def by_degree(self) -> dict[int, Words]:
        """The words of each degree that is not bare, by its number."""
        return {WEAK: self.degrees.weak, MIDDLING: self.degrees.middling, STRONG: self.degrees.strong}

    @cached_property
    def clause_ends(self) -> Words:
        """Marks and words that end a clause."""
        return _CLAUSE_ENDS | self.clause_openers

    @cached_property
    def links(self) -> Words:
        """Marks and words that link two options."""
        return _LINKS | self.link_words

    @cached_property
    def list_links(self) -> Words:
        """What stands between the options of a list."""
        return self.links | _LIST_LINKS


@functools.cache
def patterns() -> Patterns:
    """The lists, read once."""
    from alignsuite.judges.word_lists import read_word_lists

    return read_word_lists(Path(__file__).with_name("patterns.yaml"), Patterns)
