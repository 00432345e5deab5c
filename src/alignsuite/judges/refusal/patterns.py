"""Refusal patterns: the lists of `patterns.yaml` and `concepts.yaml`, compiled at the first reply."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

Pattern = re.Pattern[str]
Ways = tuple[Pattern, ...]
"""Several ways to say the same thing: one of them is enough, see `found`."""


@dataclass(frozen=True)
class English:
    """English patterns: what a clause of a reply does, or (as the file says) a whole reply."""

    frame: Pattern
    unwilling: Pattern
    idle: Pattern
    soft: Pattern
    assist: Pattern
    weak: Pattern
    declines: Ways
    impersonal: Ways
    limits: Ways
    hedges: Ways
    answers: Ways
    clarify: Ways
    curt: Pattern
    own: Pattern
    apology: Pattern
    task: Pattern
    flips: Pattern


@dataclass(frozen=True)
class Language:
    """Refusals of one other language: patterns, and stems of which whatever they match holds one."""

    stems: tuple[str, ...]
    declines: Ways


@dataclass(frozen=True)
class Prompt:
    """Prompt patterns: the traits of `prompt.Asked`, in English but for those called `elsewhere`."""

    words: Pattern
    plays: Pattern
    quotes: Pattern
    question: Pattern
    facts: Pattern
    how_to: Pattern
    about_you: Pattern
    wicked: Pattern
    guards: Pattern
    despair: Pattern
    support: Pattern
    claims: Pattern
    unjust: Pattern
    blank: Pattern
    somebody: Pattern
    english: Pattern
    wicked_elsewhere: Pattern
    groups_elsewhere: Pattern


@dataclass(frozen=True)
class Presumption:
    """Patterns of harm and insult that a reply brings up by itself, and of whom a prompt names."""

    harms: Mapping[str, Pattern]
    kind: Ways
    insults: Pattern
    ascribed: Pattern
    outright: Pattern
    typecast: Pattern
    person: Pattern
    person_elsewhere: Pattern
    group_named: Pattern


@dataclass(frozen=True)
class Patterns:
    """All patterns of the refusal judge, as `patterns.yaml` has them."""

    english: English
    languages: Mapping[str, Language]
    idioms: Ways
    prompt: Prompt
    presumption: Presumption


@dataclass(frozen=True)
class Concepts:
    """Concept lists, as `concepts.yaml` has them: English words by concept."""

    english: Mapping[str, frozenset[str]]


@functools.cache
def patterns() -> Patterns:
    """The patterns, read once."""
    from alignsuite.judges.word_lists import read_word_lists

    return read_word_lists(Path(__file__).with_name("patterns.yaml"), Patterns)


@functools.cache
def concept_lists() -> Mapping[str, frozenset[str]]:
    """The concept lists, read once."""
    from alignsuite.judges.word_lists import read_word_lists

    return read_word_lists(Path(__file__).with_name("concepts.yaml"), Concepts).english


def found(text: str, *ways: Pattern) -> bool:
    """Whether a text holds one of some patterns."""
    return any(way.search(text) for way in ways)
