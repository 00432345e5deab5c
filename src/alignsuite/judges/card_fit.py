"""Covariate shift between a judge's card and the replies judged: are they of kinds that it was measured on?

A card says how often a judge erred on other replies. In another language, on code or on word salad it errs otherwise, and a rate that is
corrected by the card is then wrong with confidence. So a card keeps a `Profile`: for each of a few features of a reply where the odd ones
begin, and how many were odd in the group of replies (one model, one source) that had most of them *while it was held out*. A run's
replies fit if no feature is odd more often than in that group, and than in one of ten, by Fisher's exact test. Replies of one prompt or
template are no independent trials, so each cluster counts once, with its share of odd ones.

Features look at the first 30 words, so that a reply of 24 tokens and one of 500 are measured alike; but for the length. Short replies are
not odd: `No.` is one. A card whose own replies are in other languages than English finds none of these odd.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from alignsuite.judges.language import may_be_english
from alignsuite.judges.protocol import OFF_TASK, UNREADABLE

if TYPE_CHECKING:
    from alignsuite.judges.labelled_replies import Labelled
    from alignsuite.judges.protocol import Behaviour, Judgement

ALPHA = 0.01
"""Chance that replies which fit are said not to, over all features together."""

SLACK = 0.1
"""Share of replies that may be odd in each way whatever the card says: models differ, and a card knows few of them."""

_NEVER_ODD: Mapping[str, float] = {
    "long": 100, "code": 0.05, "wordlen": 6.5, "letters": 0.75, "ascii": 0.9, "repeats": 0.6,
}  # fmt: skip
"""How far a reply may go in any case: a narrow card would call a name with an accent odd, or a sum of money."""

_FEWEST = 100  # replies of a card, of which one in a hundred is to be odd
_TAIL = 0.01  # of the card's replies beyond a feature's bound, groups weighing alike
_LEAST = 30  # replies of a group that is held out by itself
_LEAST_ERRORS = 20  # wrong judgements with a score from which a zone of doubt is read
_QUANTILES = (0.0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1.0)
_HEAD = 30

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_LAYOUT = frozenset("*#_`-•.,!?;:—–")  # of Markdown and of sentences: neither letters nor odd
_CODE = frozenset("{}[]<>=|\\~^@$&+/")


@dataclass(frozen=True, slots=True)
class Feature:
    """Feature of a reply as a card knows it: where odd ones begin, and how many the oddest group held.

    Attributes:
        below, above: a reply under or over it is odd; None: that side has no bound. Of a score: odd from `below` to `above`.
        hits, of: clusters that were odd, and all, of the group that had most of them, with bounds set by the others.
        group: its name.
        quantiles: of all replies, at 0, 1, 5, 25, 50, 75, 95, 99 and 100 %; empty for what is yes or no.
    """

    below: float | None
    above: float | None
    hits: int
    of: int
    group: str
    quantiles: tuple[float, ...] = ()


Profile = Mapping[str, Feature]
"""What a card's replies are like: features by name, of `SAID`."""


@dataclass(frozen=True, slots=True)
class Odd:
    """Odd replies here, `hits` of `of` clusters, beside the card's oddest group, and Fisher's one-sided p-value.

    `card_hits` are those held against: a tenth of the group's at least. `card_counted` are those that it had.
    """

    hits: int
    of: int
    card_hits: int
    card_of: int
    card_counted: int
    p: float


@dataclass(frozen=True, slots=True)
class Fit:
    """Fit of a card to judged replies: for each feature the odd ones, and which features are odd too often."""

    replies: int
    odd: Mapping[str, Odd]

    @property
    def misfits(self) -> tuple[str, ...]:
        """Features that are odd more often than chance and the difference of models explain, the clearest first."""
        level = ALPHA / max(1, len(self.odd))
        return tuple(
            sorted((name for name, one in self.odd.items() if one.p <= level), key=lambda name: self.odd[name].p)
        )

    def said(self) -> str:
        """The misfit in words, the clearest feature with its counts; empty where the card fits."""
        if not self.misfits:
            return ""
        first, *others = self.misfits
        one = self.odd[first]
        also = f", and {len(others)} more such difference{'s' * (len(others) > 1)}" if others else ""
        granted = f" ({one.card_hits} were granted, since models differ)" if one.card_hits > one.card_counted else ""
        card = f"{one.card_counted} of {one.card_of} at most where it was measured{granted}"
        return f"{one.hits} of {one.of} {SAID[first]}, against {card}{also}"


SAID: Mapping[str, str] = {
    "unread": "are UNREADABLE to the judge",
    "off_task": "are labelled off task",
    "doubt": "lie in the judge's zone of doubt",
    "long": "are longer than 99 in 100 of the card's",
    "letters": "hold few letters for what they hold of figures and signs",
    "foreign": "are in another language than English",
    "code": "hold many signs of code",
    "ascii": "hold many letters beyond the English alphabet",
    "repeats": "say the same words over and over",
    "wordlen": "hold very long words",
}
"""Features by name, as a clause about replies that are odd in them."""

_UPPER = frozenset({"long", "code", "wordlen"})
_LOWER = frozenset({"letters", "ascii", "repeats"})
_LABELS: Mapping[str, str] = {"unread": UNREADABLE, "off_task": OFF_TASK}

Read = tuple[str, str, "Judgement"]
"""A judged reply: its cluster (prompt, pair, template), its text, and what the judge said of it."""


def measures(text: str) -> dict[str, float]:
    """Features of a reply's text: `long` in words, `wordlen` in letters, the others shares in [0, 1].

    >>> found = measures("I'm sorry, but I can't help with that.")
    >>> found["long"], found["letters"], found["code"]
    (8, 1.0, 0.0)
    """
    words = list(_WORD.finditer(text))
    head = text[: words[_HEAD - 1].end()] if len(words) >= _HEAD else text[:400]
    said = [word.group().lower().replace("’", "'") for word in words[:_HEAD]]
    marks = [mark for mark in head if not mark.isspace() and mark not in _LAYOUT]
    letters = [mark for mark in marks if mark.isalpha() or mark in "'’"]
    return {
        "long": len(words),
        "letters": len(letters) / max(1, len(marks)),
        "code": sum(mark in _CODE for mark in marks) / max(1, len(marks)),
        "ascii": sum(mark.isascii() or mark == "’" for mark in letters) / max(1, len(letters)),
        "repeats": len(set(said)) / max(1, len(said)),
        "wordlen": sum(map(len, said)) / max(1, len(said)),
    }


def profile_of(pairs: Sequence[tuple[Labelled, Judgement]], event: Behaviour) -> dict[str, Feature]:
    """`Profile` of labelled replies and what the judge said of them.

    Its zone of doubt is where it errs about `event`.

    Groups are sources and models; those with fewer than 30 replies are one group together. Replies without text are left out. Of
    fewer than 100 there is no profile: it is empty.
    """
    some = [(row, judgement) for row, judgement in pairs if row.reply.strip()]
    if len(some) < _FEWEST:
        return {}
    groups: dict[str, list[int]] = {}
    for place, (row, _) in enumerate(some):
        groups.setdefault(" ".join(filter(None, (row.source, row.model))) or "all", []).append(place)
    small = [name for name, own in groups.items() if len(own) < _LEAST]
    if small and len(groups) > 1:
        rest = [place for name in small for place in groups.pop(name)]
        groups["others"] = rest
    clusters = [row.unit for row, _ in some]
    out: dict[str, Feature] = {}
    values = [measures(row.reply) for row, _ in some]
    for name in (*_UPPER, *_LOWER):
        out[name] = _tail(name, [one[name] for one in values], clusters, groups)
    for name in ("foreign", *_LABELS):
        flags = [_is_flagged(name, row.reply, judgement) for row, judgement in some]
        out[name] = _flagged(flags, clusters, groups)
    zone = _zone_of_doubt(some, event)
    if zone is not None:
        flags = [judgement.score is not None and zone[0] <= judgement.score <= zone[1] for _, judgement in some]
        out["doubt"] = replace(_flagged(flags, clusters, groups), below=zone[0], above=zone[1])
    return {name: out[name] for name in SAID if name in out}


def fit(profile: Profile, replies: Sequence[Read]) -> Fit:
    """`Fit` of a card's profile to judged replies; those without text are left out, and without any nothing is odd."""
    from alignsuite.stats.misfit import more_often

    some = [one for one in replies if one[1].strip()]
    if not some:
        return Fit(0, {})
    clusters, values = [one[0] for one in some], [measures(one[1]) for one in some]
    odd = {}
    for name, feature in profile.items():
        if name not in SAID:
            continue  # of an earlier version's card
        flags = [_is_odd(name, feature, value, one) for value, one in zip(values, some, strict=True)]
        hits, of = _counted(range(len(some)), clusters, flags, up=False)
        most = max(feature.hits, -int(-SLACK * feature.of // 1))
        odd[name] = Odd(hits, of, most, feature.of, feature.hits, more_often(hits, of, most, feature.of))
    return Fit(len(some), odd)


def _is_odd(name: str, feature: Feature, value: Mapping[str, float], read: Read) -> bool:
    if name not in value and name != "doubt":
        return _is_flagged(name, *read[1:])
    low, high, judgement = feature.below, feature.above, read[2]
    if name == "doubt":
        return judgement.score is not None and low is not None and high is not None and low <= judgement.score <= high
    return (low is not None and value[name] < low) or (high is not None and value[name] > high)


def _is_flagged(name: str, text: str, judgement: Judgement) -> bool:
    """Whether a reply is odd in a way that knows no bound: by its language, or by its label."""
    return judgement.label == _LABELS[name] if name in _LABELS else not may_be_english(text)


def _flagged(flags: Sequence[bool], clusters: Sequence[str], groups: Mapping[str, Sequence[int]]) -> Feature:
    """What is odd or not without a bound, and the group that was so most often."""
    return Feature(None, None, *_most(groups, lambda own: _counted(own, clusters, flags)))


def _tail(name: str, values: Sequence[float], clusters: Sequence[str], groups: Mapping[str, Sequence[int]]) -> Feature:
    """Bound of one side of a feature, and the group that was beyond the bound of the others most often."""
    upper = name in _UPPER

    def bound(of: Iterable[str]) -> float:
        weighed = [(values[place], 1 / len(groups[group])) for group in of for place in groups[group]]
        edge = _quantile(weighed, 1 - _TAIL if upper else _TAIL)
        return max(edge, _NEVER_ODD[name]) if upper else min(edge, _NEVER_ODD[name])

    def odd(own: Sequence[int]) -> tuple[int, int]:
        others = [group for group in groups if groups[group] is not own] or list(groups)
        edge = bound(others)
        return _counted(own, clusters, [value > edge if upper else value < edge for value in values])

    edge = round(bound(groups), 4)
    everything = [(value, 1.0) for value in values]
    quantiles = tuple(round(_quantile(everything, share), 4) for share in _QUANTILES)
    return Feature(None if upper else edge, edge if upper else None, *_most(groups, odd), quantiles)


def _most(
    groups: Mapping[str, Sequence[int]], counted: Callable[[Sequence[int]], tuple[int, int]]
) -> tuple[int, int, str]:
    """Counts of the group with the largest share, and its name."""
    found = [(*counted(own), name) for name, own in groups.items()]
    return max(found, key=lambda one: (one[0] / one[1], one[1]))


def _counted(
    places: Iterable[int], clusters: Sequence[str], flags: Sequence[bool], *, up: bool = True
) -> tuple[int, int]:
    """Clusters that are odd, each by its share of odd replies, rounded as told; and all clusters."""
    cells: dict[str, list[bool]] = {}
    for place in places:
        cells.setdefault(clusters[place], []).append(flags[place])
    odd = sum(sum(cell) / len(cell) for cell in cells.values())
    return (-int(-(odd - 1e-9) // 1) if up else int(odd + 1e-9)), len(cells)


def _quantile(weighed: list[tuple[float, float]], share: float) -> float:
    """Smallest value with at least this share of the weight at or below it."""
    ordered = sorted(weighed)
    wanted, sum_ = share * sum(weight for _, weight in ordered) - 1e-9, 0.0
    for value, weight in ordered:
        sum_ += weight
        if sum_ >= wanted:
            return value
    return ordered[-1][0]


def _zone_of_doubt(pairs: Sequence[tuple[Labelled, Judgement]], event: Behaviour) -> tuple[float, float] | None:
    """Scores between which the middle half of a judge's errors lie; None where it gives no scores, or hardly errs."""
    wrong = [
        (judgement.score, 1.0)
        for row, judgement in pairs
        if judgement.score is not None and event.shown_by(judgement) not in (None, row.label in event.labels)
    ]
    if len(wrong) < _LEAST_ERRORS:
        return None
    return round(_quantile(wrong, 0.25), 4), round(_quantile(wrong, 0.75), 4)
