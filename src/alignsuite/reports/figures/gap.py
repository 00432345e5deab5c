"""The picture of a gap: each group's rate with its interval, the mean of all, and how the gap compares with its limit.

Sorted by rate, because the first question is who is worst off. The intervals are of each group by itself: two that overlap don't say that
there is no gap (where every template was asked for every group, groups are compared more sharply than their intervals suggest), and of many
groups some lie apart by chance. So the verdict stands above, and its measure, the gap beside the limit, below.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean

from alignsuite.claims.presentation import bounds as bounds_in_words
from alignsuite.reports.figures.comparisons import Comparison, ranked, reach
from alignsuite.reports.figures.svg import Drawing, bold_length, fitted, length
from alignsuite.reports.traits import finite
from alignsuite.runs.records import Verdict
from alignsuite.text.cells import one_line
from alignsuite.text.numbers import declared, percent, points, span

WIDTH, MARGIN, ROW, TOP = 900, 24, 26, 156
LABELS = (110, 280)
"""The least and the most room that the groups' names take."""
RIGHT = 596
"""Where the axis ends; behind it stand the numbers."""
RATE, INTERVAL, REPLIES, APART = RIGHT + 66, RIGHT + 158, RIGHT + 212, WIDTH - MARGIN
"""Where the columns of numbers end: they are set to the right."""
NAME = 20
"""In columns of text: how much of a group's name the headline shows."""
_STEPS = (0.01, 0.02, 0.05, 0.1, 0.2)
_MOST_TICKS = 6


def gap(comparison: Comparison, facts: Sequence[str], *, name: str) -> str:
    """The SVG document; "" where the groups' intervals are not known, or the claim is INVALID.

    Args:
        comparison: one claim.
        facts: who was asked, as `text.model_facts` says it.
        name: makes its ids unique in a page.
    """
    if not comparison.intervals:
        return ""
    plot = _Plot(comparison, name)
    plot.head(facts)
    return plot.drawing.write(plot.foot(plot.rulers(plot.body(TOP))))


class _Plot:
    """One picture: where its parts stand, and how they are drawn, from the top."""

    def __init__(self, comparison: Comparison, name: str) -> None:
        self.comparison, self.claim = comparison, comparison.claim
        self.rates, self.intervals = comparison.rates, comparison.intervals
        self.groups, self.apart = ranked(self.rates), comparison.offenders
        self.mean = fmean(self.rates.values())
        self.gap, self.most_gap = self._gaps()
        labels = max(bold_length(one_line(group)) for group in self.groups)
        self.left = MARGIN + min(max(labels, LABELS[0]), LABELS[1]) + 16
        self.step, self.most = self._axis()
        self.headline = self._headline()
        title = f"{comparison.name}: {comparison.what}, by {comparison.between}"
        self.drawing = Drawing(name, WIDTH, title=title, about=self._about())

    def head(self, facts: Sequence[str]) -> None:
        """What is seen, in a sentence; what was asked of whom; the verdict with its numbers."""
        room, blocks = WIDTH - 2 * MARGIN, self.claim.verdict is Verdict.FAIL
        self.drawing.text(MARGIN, 38, fitted(self.headline, room, 20, bold=True), size=20, bold=True)
        self.drawing.text(MARGIN, 60, fitted(" · ".join(self.comparison.about), room))
        self.drawing.text(MARGIN, 79, fitted(" · ".join(facts), room), "quiet")
        self.drawing.text(MARGIN, 102, str(self.claim.verdict), "alarm" if blocks else "ink", bold=True)
        x = MARGIN + bold_length(str(self.claim.verdict)) + 10
        self.drawing.text(x, 102, fitted(self._caption(), WIDTH - MARGIN - x, 12), size=12)

    def body(self, y: float) -> float:
        """The axis, the mean of all groups, and a row for each."""
        bottom = y + ROW * len(self.groups)
        for tick in range(round(self.most / self.step) + 1):
            x = self._x(tick * self.step)
            self.drawing.line(x, y, x, bottom)
            self.drawing.text(x, bottom + 15, f"{tick * self.step:.0%}".replace("%", " %"), "quiet", size=11, anchor="middle")  # fmt: skip
        mean, words = self._x(self.mean), f"mean of the groups {percent(self.mean)}"
        half = length(words, 11) / 2
        self.drawing.line(mean, y - 8, mean, bottom, "quiet-line", thick=1.5, dashed=True)
        self.drawing.text(min(max(mean, self.left + half), RIGHT - half), y - 12, words, "quiet", size=11, anchor="middle")  # fmt: skip
        for x, title in ((RATE, "rate"), (INTERVAL, f"{declared(self.claim.level)} interval"), (REPLIES, "replies")):
            self.drawing.text(x, y - 12, title, "quiet", size=11, anchor="end")
        for place, group in enumerate(self.groups):
            self._row(group, y + ROW * (place + 0.5))
        return bottom + 22

    def rulers(self, y: float) -> float:
        """The gap as a length on the axis, dashed as far as it may reach; beneath it the limit, dashed where labels have to be closer."""
        style = "alarm" if self.claim.verdict is Verdict.FAIL else "mark"
        limit, of_labels = self.comparison.limit, self.comparison.limit_of_labels
        said = f"gap {points(self.gap)}" + (f", at most {percent(self.most_gap, unit='')}" if self.most_gap else "")
        self._ruler(self.gap, self.most_gap, y + 14, f"{style}-line", said)
        if limit is None or of_labels is None:
            return y + 26
        said = f"limit {declared(limit, unit=' points')}"
        said += f" ({percent(of_labels, unit='')} in labels)" if of_labels < limit else ""
        self._ruler(of_labels, limit, y + 34, "quiet-line", said)
        return y + 46

    def foot(self, y: float) -> float:
        """How to read the picture."""
        y += 24
        for line in self._notes():
            self.drawing.text(MARGIN, y, fitted(line, WIDTH - 2 * MARGIN, 12), "quiet", size=12)
            y += 17
        return y + 8

    def _notes(self) -> list[str]:
        shown = self.comparison.shown
        where = "within each template" if self.comparison.within else "over the templates"
        card = f"Rates are of the judge's labels, which by its card show no less than {percent(shown or 0.0)} of a true gap."
        return [
            *([card] if shown is not None else []),
            f"FAIL: such a gap hardly ever appears when the groups' names are shuffled {where}.",
            "PASS: the gap, dashes included, is shorter than the limit's unbroken line.",
            "A bar is the interval of one group by itself: bars that overlap don't show that groups are treated alike, nor do",
            "bars that lie apart show that they are not.",
        ]

    def _row(self, group: str, y: float) -> None:
        rate, (low, high), apart = self.rates[group], self.intervals[group], group in self.apart
        style, replies = "alarm" if apart else "mark", self.comparison.replies(group)
        with self.drawing.tip(f"{self._spoken(group)}: {group}"):
            label = fitted(group, self.left - 16 - MARGIN, bold=apart)
            self.drawing.text(self.left - 16, y + 4.5, label, anchor="end", bold=apart)
            self._bar(low, high, y, f"{style}-line")
            (self.drawing.diamond if apart else self.drawing.circle)(self._x(rate), y, 7 if apart else 5, style)
        self.drawing.text(RATE, y + 4.5, percent(rate), style if apart else "ink", anchor="end", bold=apart)
        self.drawing.text(INTERVAL, y + 4.5, span(low, high, unit=""), "quiet", size=11, anchor="end")
        if replies is not None:
            self.drawing.text(REPLIES, y + 4.5, str(replies), "quiet", size=10, anchor="end")
        if apart:
            self.drawing.text(APART, y + 4.5, "set apart", "alarm", size=11, anchor="end", bold=True)

    def _ruler(self, sure: float, farthest: float, y: float, style: str, words: str) -> None:
        """A length from the lowest rate on; dashed from `sure` to `farthest`, where that lies further."""
        low = self.rates[self.groups[-1]]
        if farthest > sure:
            self.drawing.line(self._x(low + sure), y, self._x(low + farthest), y, style, thick=2, dashed=True)
            self.drawing.line(self._x(low + farthest), y - 3, self._x(low + farthest), y + 3, style, thick=2)
        self._bar(low, low + sure, y, style)
        self.drawing.text(RIGHT + 20, y + 4.5, words, "quiet", size=12)

    def _bar(self, low: float, high: float, y: float, style: str) -> None:
        self.drawing.line(self._x(low), y, self._x(high), y, style, thick=2)
        for end in (low, high):
            self.drawing.line(self._x(end), y - 5, self._x(end), y + 5, style, thick=2)

    def _x(self, rate: float) -> float:
        return self.left + (RIGHT - self.left) * min(rate, self.most) / self.most

    def _gaps(self) -> tuple[float, float]:
        """The gap that was seen, and the largest that may be, with the claim's confidence; 0 where that is not known."""
        seen = max(self.rates.values()) - min(self.rates.values())
        most = finite(self.claim.interval[1]) if self.claim.interval is not None else None
        return seen, max(seen, min(most, 1.0)) if most is not None else 0.0

    def _axis(self) -> tuple[float, float]:
        """The distance of ticks, and where the axis ends: all intervals have room, and gap and limit from the lowest rate on."""
        lengths = min(self.rates.values()) + max(self.comparison.limit or 0.0, self.most_gap)
        reached = min(1.0, max(lengths, *(high for _, high in self.intervals.values()), _STEPS[0]))
        step = next((step for step in _STEPS if reached / step <= _MOST_TICKS), _STEPS[-1])
        return step, step * math.ceil(reached / step - 1e-9)

    def _headline(self) -> str:
        """The one sentence that the picture shows."""
        what = f"{self.comparison.what[:1].upper()}{self.comparison.what[1:]}"
        if self.claim.verdict is Verdict.FAIL and self.apart:
            return f"{what} more often than the rest: {', '.join(one_line(group) for group in self.apart)}"
        if self.claim.verdict is Verdict.PASS and (limit := self.comparison.limit) is not None:
            return f"{what}: no two groups are {declared(limit, unit=' points')} apart"
        if self.claim.verdict is Verdict.INCONCLUSIVE:
            return f"{what}: neither a gap nor its absence is shown"
        return f"{what}: {reach(self.rates, NAME)}"

    def _caption(self) -> str:
        """The gap with its bounds: `gap 9.0 points, at most 14.1 with 95 % confidence · limit 15 points · p = 0.2`."""
        claim, said = self.claim, f"gap {points(self.gap)}"
        if claim.interval is not None:
            low, high = claim.interval
            ends = f"at most {percent(high, unit='')}" if low <= 0 else span(low, high, unit="")
            said += f", {ends} with {declared(claim.level)} confidence"
        p = "" if (chance := finite(claim.p)) is None else "p < 0.000001" if chance < 1e-6 else f"p = {chance:.2g}"
        return " · ".join(filter(None, (said, bounds_in_words(claim, unit=" points"), p)))

    def _spoken(self, group: str) -> str:
        low, high = self.intervals[group]
        replies = self.comparison.replies(group)
        of = f" of {replies} replies" if replies is not None else ""
        apart = ", set apart" if group in self.apart else ""
        return f"{percent(self.rates[group])}{of}, {declared(self.claim.level)} interval {span(low, high)}{apart}"

    def _about(self) -> str:
        """The picture in sentences, for who can't see it."""
        said = (f"{self._spoken(group)}: {one_line(group, 60)}." for group in self.groups)
        mean = f"Mean of the groups {percent(self.mean)}."
        return "\n".join([f"{self.headline}.", f"{self.claim.verdict}: {self._caption()}.", mean, *said])
