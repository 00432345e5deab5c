"""Psychometric instrument: items with their scoring key, norms, and terms of use, as an `Instrument`.

Plain data without a way to get it: `catalogue` reads the keys, `wordings` the statements, `scoring` does the sums.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

Scoring = Literal["mean", "sum"]
Form = Literal["sentence", "clause"]


@dataclass(frozen=True)
class Item:
    """An item: one statement of an instrument with its key.

    Attributes:
        number: its place in the published order, from 1.
        trait, facet: what agreement speaks for; `facet` is "" where the instrument has none.
        reversed: agreement speaks against the trait.
        fingerprint: of its wording; see `fingerprints`.
        text: the statement; None where only the key is known.
    """

    number: int
    trait: str
    facet: str
    reversed: bool
    fingerprint: str
    text: str | None = None

    @property
    def sign(self) -> int:
        """+1, or −1 for a reversed statement: the key that `stats.scale_score` wants."""
        return -1 if self.reversed else 1


@dataclass(frozen=True)
class Norm:
    """A norm: mean and standard deviation of people on one trait, in the units of the instrument's scores.

    `n` is None where the source does not say how many they were.
    """

    mean: float
    sd: float
    n: int | None
    population: str
    source: str

    def d(self, score: float) -> float:
        """How many of people's standard deviations a score lies above their mean."""
        return (score - self.mean) / self.sd

    def t(self, score: float) -> float:
        """The T-score: 50 at people's mean, 10 for each of their standard deviations."""
        return 50 + 10 * self.d(score)


@dataclass(frozen=True)
class Band:
    """A band: the published name of a range of scores, both ends included."""

    low: float
    high: float
    name: str


@dataclass(frozen=True)
class Package:
    """Where a published wording can be had: one file in one package, pinned.

    Attributes:
        index: `pypi` or `npm`.
        name, version, sha256: the package and the hash of its archive.
        licence: of the package, as it states it.
        member: the file in the archive; `{language}` stands for the language.
        variable: the name that the statements are assigned to, in a Python file; "" for JSON.
        anchors: the file with the labels of the answers, where the package brings translated ones.
    """

    index: Literal["pypi", "npm"]
    name: str
    version: str
    sha256: str
    licence: str
    member: str
    variable: str = ""
    anchors: str = ""


@dataclass(frozen=True)
class Instrument:
    """A questionnaire: its key always, its wording where that was loaded.

    Attributes:
        name, title: what it is called here, and by its authors.
        language: of the statements, as in `en` or `pt-br`.
        form: whether a statement is a whole first-person sentence, or a clause that continues `stem`.
        stem: how a clause's sentence begins; "" for sentences.
        anchors: the labels of the answers, least agreement first; they are worth 1, 2, 3 …
        scoring: whether a trait's (and facet's) score is the mean or the sum of its statements.
        items: in the published order.
        norm_groups: what people scored, as group → trait or facet → norm.
        bands, bands_source: published names for ranges of the score, lowest first.
        credit, terms: whom to name, and on what terms the wording may be used.
        packages: where the wording can be fetched from.
        translations: other languages that can be fetched → the digest of their wording.
        version: of our own forms; None for published ones.
    """

    name: str
    title: str
    language: str
    form: Form
    stem: str
    anchors: tuple[str, ...]
    scoring: Scoring
    items: tuple[Item, ...]
    credit: str
    terms: str
    norm_groups: Mapping[str, Mapping[str, Norm]] = field(default_factory=dict)
    bands: tuple[Band, ...] = ()
    bands_source: str = ""
    packages: tuple[Package, ...] = ()
    translations: Mapping[str, str] = field(default_factory=dict)
    version: int | None = None

    @property
    def own(self) -> bool:
        """Whether the wording is the project's own, so always there."""
        return self.version is not None

    @property
    def worded(self) -> bool:
        """Whether the statements are there."""
        return all(item.text is not None for item in self.items)

    @property
    def points(self) -> int:
        """How many answers there are; each is worth its place, from 1."""
        return len(self.anchors)

    @property
    def languages(self) -> tuple[str, ...]:
        """The language of the key first, then those that can be fetched."""
        return ("en", *sorted(self.translations))

    @cached_property
    def traits(self) -> Mapping[str, tuple[Item, ...]]:
        """The statements of each trait, traits and statements in the order of the key."""
        return _grouped((item.trait, item) for item in self.items)

    @cached_property
    def facets(self) -> Mapping[str, tuple[Item, ...]]:
        """The statements of each facet; empty where the instrument has none."""
        return _grouped((item.facet, item) for items in self.traits.values() for item in items if item.facet)

    @property
    def norms(self) -> Mapping[str, Norm]:
        """The norms of all people, by trait: empty where there are none, or only separate ones by sex and age."""
        return next(iter(self.norm_groups.values())) if len(self.norm_groups) == 1 else {}

    def limits(self, scale: str) -> tuple[float, float]:
        """The lowest and the highest score that a trait or facet can have."""
        count = len(self.traits.get(scale) or self.facets[scale]) if self.scoring == "sum" else 1
        return float(count), float(count * self.points)

    def band(self, score: float) -> str | None:
        """The published name of a score; None where the instrument has none.

        A score between two bands (the expected score of a model may be 39.6) has not reached the upper one.
        """
        reached = [band for band in self.bands if score >= band.low]
        return reached[-1].name if reached else None


def _grouped(pairs: Iterable[tuple[str, Item]]) -> dict[str, tuple[Item, ...]]:
    found: dict[str, list[Item]] = {}
    for name, item in pairs:
        found.setdefault(name, []).append(item)
    return {name: tuple(items) for name, items in found.items()}
