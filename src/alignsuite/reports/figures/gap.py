"""Forest plot of a gap: each group's rate with its interval, the mean of all, and the gap beside its limit.

Sorted by rate, because the first question is who is worst off. The intervals are of each group by itself: two that overlap don't say that
there is no gap (where every template was asked for every group, groups are compared more sharply than their intervals suggest), and of many
groups some lie apart by chance. So the verdict stands above, and its measure, the gap beside the limit, below.

Two rules about comparisons stand here once. One is drawn whole or not at all: a detail that is missing, or is not what it should be (run
files come from anywhere), makes it unknown, and unknown is said, not drawn. And what a claim turned down as INVALID has no rates to be put
on an axis.

Names of groups may be of any script. Sentences about them keep a Latin word between a name and the next number, because digits that follow
an Arabic or a Hebrew name directly are shown on its wrong side.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import TypeVar

from alignsuite.claims import present
from alignsuite.reports.figures.svg import bold_width, draw
from alignsuite.reports.traits import finite, whole
from alignsuite.runs.records import ClaimResult, Record, Run, Verdict
from alignsuite.text.cells import cut, one_line, readable_name
from alignsuite.text.numbers import declared, percent, plural, points, span

T = TypeVar("T")
Counts = Mapping[str, Mapping[str, int]]
"""Group → label of a reply → how many."""

WIDTH, MARGIN = 900, 24
LABELS = (110, 280)
"""The least and the most room that the groups' names take."""
RIGHT = 596
"""Where the axis ends; behind it stand the numbers."""
NAME = 20
"""In columns of text: how much of a group's name the headline shows."""
_STEPS = (0.01, 0.02, 0.05, 0.1, 0.2)
_MOST_TICKS = 6


@dataclass(frozen=True)
class GapData:
    """Rates and classes of replies by group, as a claim's details have them; empty where one group's is not known.

    Attributes:
        bounds: the declared numbers, in words.
        between: what the groups are groups by: `group`.
        templates: the size of the design; None where it is not known.
        within: whether groups were compared within each template; otherwise templates were, each of one group.
        classes: how the replies to each group were read.
        rates: group → share of its replies that showed the behaviour.
        intervals: of the rates.
        offenders: groups whose rate lies above the mean of all by more than chance.
        proved: how close labels have to be to prove the limit, where the judge's errors hide a part of a true gap.
        kept: the share of a true gap that the judge's labels show at least; None where no card says.
    """

    bounds: str
    between: str
    templates: int | None
    within: bool
    classes: Counts
    rates: Mapping[str, float]
    intervals: Mapping[str, tuple[float, float]]
    offenders: frozenset[str]
    proved: float | None
    kept: float | None


def gap_data(claim: ClaimResult) -> GapData | None:
    """Figure data of a claim, drawn whole or not at all; None where it compares no groups."""
    row = present(claim)
    if row.groups is None:
        return None
    groups, judge = row.groups, row.groups.judge
    rates = groups.groups if claim.verdict is not Verdict.INVALID and len(groups.groups) > 1 else {}
    intervals = {
        group: (low, high) for group, (low, high) in groups.intervals.items() if group in rates and low <= high
    }
    known = len(groups.classes) > 1 and any(map(_total, groups.classes.values()))
    return GapData(
        bounds=row.bounds,
        between=one_line(readable_name(groups.between or "group"), 60),
        templates=groups.templates,
        within=groups.unit != "template",
        classes=groups.classes if known else {},
        rates=rates,
        intervals=intervals if len(intervals) == len(rates) else {},
        offenders=frozenset(groups.offenders),
        proved=judge.limit if judge else None,
        kept=judge.kept if judge else None,
    )


@dataclass(frozen=True)
class Comparison:
    """Comparison of groups: one claim about a gap, the record that it stands in, and what its details say."""

    record: Record
    claim: ClaimResult
    data: GapData

    @property
    def name(self) -> str:
        """Prompt set and slice: `fairness/everyday_requests[religion]`."""
        return one_line(f"{self.record.probe}[{self.record.slice}]" if self.record.slice else self.record.probe, 120)

    @property
    def what(self) -> str:
        """Behaviour that is counted, in words."""
        return one_line(readable_name(self.claim.what), 60)

    @property
    def about(self) -> list[str]:
        """Measurement conditions: prompt set, its version, judge, size of the design."""
        version, templates = whole(self.record.prompt_set.get("version")), self.data.templates
        parts = (
            self.name,
            f"version {version}" if version else "",
            f"judge {one_line(self.claim.judge, 60)}",
            plural(templates, "template") if templates else "",
        )
        return [part for part in parts if part]

    @property
    def valid(self) -> bool:
        """Validity: whether the measurement held."""
        return self.claim.verdict is not Verdict.INVALID

    @property
    def limit(self) -> float | None:
        """Limit, the largest gap that is allowed."""
        limit = finite(self.claim.bounds.get("limit"))
        return limit if limit is not None and 0 < limit <= 1 else None

    def replies(self, group: str) -> int | None:
        """Number of replies that a group got; None where that is not known."""
        return _total(self.data.classes[group]) if group in self.data.classes else None

    @property
    def missing(self) -> str:
        """Reason why something can't be drawn, as a sentence without a full stop; empty where all can."""
        lacks = [] if self.data.classes else ["how the replies to each group were read"]
        if self.valid and not self.data.intervals:
            lacks.append("each group's rate with its interval")
        reasons = [] if self.valid else ["the gap is INVALID, so it has no place on an axis"]
        if lacks:
            reasons.append(
                f"the run file lacks {' and '.join(lacks)}; run again, replies in the store are not asked twice"
            )
        return f"{self.name}, {self.what}: {'; '.join(reasons)}" if reasons else ""


def compared(run: Run) -> list[Comparison]:
    """Comparisons of groups in a run, in the order of its records."""
    return [
        Comparison(record, claim, data)
        for record in run.records
        for claim in record.claims
        if (data := gap_data(claim)) is not None
    ]


def gap(comparison: Comparison, facts: Sequence[str], *, name: str) -> str:
    """Forest plot as an SVG document; "" where the groups' intervals are not known, or the claim is INVALID.

    Args:
        comparison: one claim.
        facts: who was asked, as `terminal.model_facts` says it.
        name: makes its ids unique in a page.
    """
    if not comparison.data.intervals:
        return ""
    title = f"{comparison.name}: {comparison.what}, by {comparison.data.between}"
    plot = _Plot(comparison)
    return draw("gap", name=name, title=title, about=plot.about(), width=WIDTH, plot=plot, facts=facts)


class _Plot:
    """Layout of one figure along the axis, and its words; where they stand from the top says the template."""

    room, right = WIDTH - 2 * MARGIN, RIGHT
    rate_at, interval_at, replies_at, apart_at = RIGHT + 66, RIGHT + 158, RIGHT + 212, WIDTH - MARGIN
    """Where the columns of numbers end: they are set to the right."""

    def __init__(self, comparison: Comparison) -> None:
        self.comparison, self.claim, data = comparison, comparison.claim, comparison.data
        self.rates, self.intervals, self.limit = data.rates, data.intervals, comparison.limit
        self.verdict, self.fails = str(self.claim.verdict), self.claim.verdict is Verdict.FAIL
        self.level, self.kept = declared(self.claim.level), data.kept
        self.groups = ranked(self.rates)
        self.apart = [group for group in self.groups if group in data.offenders]
        self.mean, self.lowest = fmean(self.rates.values()), min(self.rates.values())
        self.gap, self.most_gap = self._gaps()
        # Labels that show only a part of a true gap have to be closer than the limit to prove it.
        self.proved = self.limit if self.limit is None or data.proved is None else min(self.limit, data.proved)
        names = max(bold_width(one_line(group)) for group in self.groups)
        self.left = MARGIN + min(max(names, LABELS[0]), LABELS[1]) + 16
        self.step, self.most = self._axis()
        self.headline, self.caption = self._headline(), self._caption()

    def x(self, rate: float) -> float:
        """Coordinate of a rate on the axis."""
        return self.left + (RIGHT - self.left) * min(rate, self.most) / self.most

    @property
    def ticks(self) -> list[tuple[float, str]]:
        """Ticks of the axis: where each stands, and its words."""
        rates = (tick * self.step for tick in range(round(self.most / self.step) + 1))
        return [(self.x(rate), f"{rate:.0%}".replace("%", " %")) for rate in rates]

    def in_sentence(self, group: str) -> str:
        """Rate of a group with its interval, in words."""
        replies, apart = self.comparison.replies(group), ", set apart" if group in self.apart else ""
        of = f" of {replies} replies" if replies is not None else ""
        return f"{percent(self.rates[group])}{of}, {self.level} interval {span(*self.intervals[group])}{apart}"

    def about(self) -> str:
        """Text alternative: the figure in sentences, for who can't see it."""
        rows = (f"{self.in_sentence(group)}: {one_line(group, 60)}." for group in self.groups)
        mean = f"Mean of the groups {percent(self.mean)}."
        return "\n".join([f"{self.headline}.", f"{self.verdict}: {self.caption}.", mean, *rows])

    def _gaps(self) -> tuple[float, float]:
        """Gap that was seen, and the largest that may be, with the claim's confidence; 0 where that is not known."""
        seen = max(self.rates.values()) - self.lowest
        most = finite(self.claim.interval[1]) if self.claim.interval is not None else None
        return seen, max(seen, min(most, 1.0)) if most is not None else 0.0

    def _axis(self) -> tuple[float, float]:
        """Axis: distance of ticks, and its end, so that all intervals have room, and gap and limit from the lowest rate."""
        lengths = self.lowest + max(self.limit or 0.0, self.most_gap)
        reached = min(1.0, max(lengths, *(high for _, high in self.intervals.values()), _STEPS[0]))
        step = next((step for step in _STEPS if reached / step <= _MOST_TICKS), _STEPS[-1])
        return step, step * math.ceil(reached / step - 1e-9)

    def _headline(self) -> str:
        """Finding that the figure shows, in one sentence."""
        what = f"{self.comparison.what[:1].upper()}{self.comparison.what[1:]}"
        if self.fails and self.apart:
            return f"{what} more often than the rest: {', '.join(one_line(group) for group in self.apart)}"
        if self.claim.verdict is Verdict.PASS and self.limit is not None:
            return f"{what}: no two groups are {declared(self.limit, unit=' points')} apart"
        if self.claim.verdict is Verdict.INCONCLUSIVE:
            return f"{what}: neither a gap nor its absence is shown"
        return f"{what}: {reach(self.rates, NAME)}"

    def _caption(self) -> str:
        """Gap with its bounds: `gap 9.0 points, at most 14.1 with 95 % confidence · limit 15 points · p = 0.2`."""
        seen = f"gap {points(self.gap)}"
        if self.claim.interval is not None:
            low, high = self.claim.interval
            ends = f"at most {percent(high, unit='')}" if low <= 0 else span(low, high, unit="")
            seen += f", {ends} with {self.level} confidence"
        chance = finite(self.claim.p)
        p = "" if chance is None else "p < 0.000001" if chance < 1e-6 else f"p = {chance:.2g}"
        return " · ".join(filter(None, (seen, self.comparison.data.bounds, p)))


def ranked(rates: Mapping[str, float]) -> list[str]:
    """Groups by rate, the highest first; those alike by name."""
    return sorted(rates, key=lambda group: (-rates[group], group))


def reach(rates: Mapping[str, float], room: int) -> str:
    """Range of the rates in words: who has the highest, and who the lowest.

    Args:
        rates: of two groups or more.
        room: for each name, in columns of text.

    >>> reach({"hindu": 0.31, "christian": 0.12, "muslim": 0.12}, 20)
    '31.0 % for hindu and 12.0 % for 2 groups'
    """
    high, low = max(rates.values()), min(rates.values())
    if high == low:
        return f"{percent(high)} for every group"
    return " and ".join(f"{percent(rate)} for {_whose(rates, rate, room)}" for rate in (high, low))


def _whose(rates: Mapping[str, float], rate: float, room: int) -> str:
    """Group with this rate, or how many have it: to name one of them would be unjust to it."""
    groups = [group for group in rates if rates[group] == rate]
    return cut(one_line(groups[0]), room) if len(groups) == 1 else plural(len(groups), "group")


def _total(counts: Mapping[str, int]) -> int:
    return sum(counts.values())
