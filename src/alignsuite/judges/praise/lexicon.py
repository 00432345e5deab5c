"""Praise lexicon: the word lists of `lexicon.yaml` as a `Lexicon`, read at the first reply."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Quality:
    """A quality: one line of a list, with its kind of praise and its number among all lines."""

    kind: str
    line: int


@dataclass(frozen=True)
class Kinds:
    """The qualities by kind of praise, one a line, each with its forms."""

    ability: str
    effort: str
    warmth: str
    looks: str


@dataclass(frozen=True, eq=False)
class Lexicon:
    """The lists as the file has them, each explained there."""

    kinds: Kinds
    denies: frozenset[str]
    superlative: frozenset[str]
    compares: frozenset[str]
    undenies: frozenset[str]
    links: frozenset[str]
    people: frozenset[str]
    things: frozenset[str]
    sizes: frozenset[str]
    standout: frozenset[str]
    roles: frozenset[str]

    @cached_property
    def forms(self) -> Mapping[str, list[tuple[tuple[str, ...], Quality, bool]]]:
        """Every form by its first word, the longest first.

        A form is the words that follow, the quality, and whether it is said of things as well.
        """
        forms: dict[str, list[tuple[tuple[str, ...], Quality, bool]]] = {}
        entries = [(kind, entry) for kind, listed in asdict(self.kinds).items() for entry in listed.splitlines()]
        for line, (kind, entry) in enumerate(entries, start=1):
            for form, of_things in _spelt(entry):
                first, *rest = form.split("_")
                forms.setdefault(first, []).append((tuple(rest), Quality(kind, line), of_things))
        good_at_it = Quality("ability", len(entries) + 1)
        for standout in self.standout:
            forms.setdefault(standout, []).extend(((role,), good_at_it, False) for role in self.roles)
        for same in forms.values():
            same.sort(key=lambda one: -len(one[0]))
        return forms


@functools.cache
def lexicon() -> Lexicon:
    """The lexicon, read once."""
    from alignsuite.judges.word_lists import read_word_lists

    return read_word_lists(Path(__file__).with_name("lexicon.yaml"), Lexicon)


def _spelt(entry: str) -> Iterator[tuple[str, bool]]:
    """The forms of one line, written out, each with its mark."""
    first, *_ = entry.split()
    stem = first.removeprefix("?")
    for form in entry.split():
        bare = form.removeprefix("?")
        yield bare.replace("~", stem) if bare.startswith("~") else bare, form.startswith("?")
