"""The map of statements and orders of the options: does the model answer what is said, or where the answer stands?

A row is a statement, a column an order of the options; columns are sorted by the option that stands first. Whoever answers the content
draws rows of one colour, whoever answers a place draws columns. The colours are raw answers, not reversed, so that a model that agrees
with everything is of one colour all over. Blue, grey and orange stay apart with the common forms of colour blindness.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from statistics import fmean

from alignsuite.reports.figures.svg import Drawing, fitted, length
from alignsuite.reports.traits import Order, Trait, conditions, readable_name

WIDTH, MARGIN, TOP = 900, 24, 168
LABELS = (170, 410)
"""The least and the most room that the statements' labels take; `CELL` is the widest column."""
CELL = 84
GROUP, STRIP, GAP = 26, 34, 12
"""Room of a trait's heading; of the strip with averages; of what lies between."""
MOST_WITH_NUMBERS = 400
FOLLOWS = 0.75
"""The share of the differences from which on the headline says that the answers follow the statement, or the place."""
LEAST_SPREAD = 0.03
"""In shares of the range: with a smaller standard deviation over all cells there are hardly any differences to explain."""
_STOPS = ((33, 102, 172), (103, 169, 207), (240, 240, 238), (241, 163, 64), (179, 88, 6))
_SHADES = 40


@dataclass(frozen=True)
class _Row:
    """One statement: `label` to be shown, expected answers by order, whether it is reversed (None: not known)."""

    label: str
    turned: bool | None
    scores: Mapping[Order, float]


@dataclass(frozen=True)
class _Shares:
    """How the answers' differences split: with the statement, with the order, with both together. They add up to 1."""

    statement: float
    order: float
    both: float
    spread: float


def heatmap(traits: Sequence[Trait], facts: Sequence[str], *, name: str) -> str:
    """The SVG document for one scale; "" where no trait of it has answers order by order.

    Args:
        traits: of one scale and protocol.
        facts: who was asked, as `text.model_facts` says it.
        name: makes its ids unique in a page.
    """
    blocks = [(trait, rows) for trait in traits if (rows := _rows(trait))]
    orders = sorted({order for _, rows in blocks for row in rows for order in row.scores})
    if not orders:
        return ""
    map_ = _Map(traits[0], blocks, orders, name)
    map_.head(facts)
    return map_.drawing.write(map_.foot(map_.body(map_.columns(TOP))))


def shares(rows: Sequence[Mapping[Order, float]], orders: Sequence[Order]) -> _Shares | None:
    """A two-way split of the answers' variance; None where an answer is missing, so that the parts would not add up."""
    if any(order not in row for row in rows for order in orders):
        return None
    table = [[row[order] for order in orders] for row in rows]
    middle = fmean(score for row in table for score in row)
    total = fmean((score - middle) ** 2 for row in table for score in row)
    by_row = fmean((fmean(row) - middle) ** 2 for row in table)
    by_order = fmean((fmean(column) - middle) ** 2 for column in zip(*table, strict=True))
    if total < 1e-12:
        return _Shares(0.0, 0.0, 0.0, 0.0)
    return _Shares(by_row / total, by_order / total, max(0.0, 1 - (by_row + by_order) / total), total**0.5)


def _rows(trait: Trait) -> list[_Row]:
    """A trait's statements in the order of the key, those that are reversed last."""
    found = []
    same_text = trait.form is not None and trait.form.own and trait.form.version == trait.count("instrument_version")
    for statement, scores in trait.by_order.items():
        item = trait.item(statement)
        label = statement
        if item:
            label = f"{item.number} {item.text}" if item.text and same_text else f"statement {item.number}"
        turned = item.reversed if item else None
        found.append((bool(turned), item.number if item else 0, _Row(label, turned, scores)))
    return [row for _, _, row in sorted(found, key=lambda one: one[:2])]


class _Map:
    """One picture: where its parts stand, and how they are drawn, from the top."""

    def __init__(self, first: Trait, blocks: list[tuple[Trait, list[_Row]]], orders: list[Order], name: str) -> None:
        rows = [row for _, block in blocks for row in block]
        self.first, self.blocks, self.orders, self.rows = first, blocks, orders, rows
        self.low, self.high = first.bounds
        self.shares = shares([row.scores for row in rows], orders)
        self.tall = 19 if len(rows) <= 60 else 12
        labels = max(length(row.label, self._small) for row in rows)
        self.left = MARGIN + min(max(labels, LABELS[0]), LABELS[1]) + 26
        self.cell = min(CELL, (WIDTH - MARGIN - STRIP - GAP - self.left) / len(orders))
        self.numbers = len(rows) * len(orders) <= MOST_WITH_NUMBERS and self.cell > 30
        self.headline = self._headline()
        title = f"{self._title}: answers by statement and order of the options"
        self.drawing = Drawing(name, WIDTH, title=title, about=self._about())

    @property
    def _flat(self) -> bool:
        """Whether the answers differ so little that a split of their differences would be a split of nothing."""
        return self.shares is not None and self.shares.spread < LEAST_SPREAD * (self.high - self.low)

    @property
    def _title(self) -> str:
        return self.first.form.title if self.first.form else readable_name(self.first.scale)

    def head(self, facts: Sequence[str]) -> None:
        """What is seen, in a sentence; whose answers these are; the colours."""
        room = WIDTH - 2 * MARGIN
        self.drawing.text(MARGIN, 38, self.headline, size=20, bold=True)
        self.drawing.text(
            MARGIN, 60, fitted(f"{self._title} · {conditions([trait for trait, _ in self.blocks])}", room)
        )
        self.drawing.text(MARGIN, 79, fitted(" · ".join(facts), room), "quiet")
        self._bar(MARGIN, 96)
        self._colours(WIDTH - MARGIN - 300, 96)

    def columns(self, y: float) -> float:
        """Headings of the columns: which option stands first, and where there is room the whole order, first place on top."""
        for first, members in groupby(enumerate(self.orders), key=lambda one: one[1][0]):
            places = [place for place, _ in members]
            left, right = self._x(places[0]) + 1.5, self._x(places[-1] + 1) - 1.5
            self.drawing.text((left + right) / 2, y - 8, f"{first} first", "quiet", size=11, anchor="middle")
            self.drawing.line(left, y - 3, right, y - 3, "quiet-line", thick=1.5)
        self.drawing.text(self.left - 10, y - 8, "which option stands first:", "quiet", size=11, anchor="end")
        self.drawing.text(self._strip + STRIP / 2, y - 8, "mean", "quiet", size=11, anchor="middle")
        return y

    def body(self, y: float) -> float:
        """The cells, trait by trait, each row with its average."""
        mosaic: dict[str, list[tuple[float, float]]] = defaultdict(list)
        for trait, rows in self.blocks:
            self.drawing.text(MARGIN, y + 18, fitted(readable_name(trait.name), 260), bold=True, size=12)
            if not trait.valid:
                self.drawing.text(self.left - 10, y + 18, "INVALID", "alarm", bold=True, size=12, anchor="end")
            y += GROUP
            for row in rows:
                self._row(row, y, mosaic)
                y += self.tall
        for fill, corners in sorted(mosaic.items()):
            self.drawing.mosaic(fill, corners, self.cell - self._gap, self.tall - 1)
        return y

    def foot(self, y: float) -> float:
        """The average of each column, and how to read the map."""
        y += GAP
        self.drawing.text(self.left - 10, y + 13, "mean of the order", "quiet", size=11, anchor="end")
        for place, order in enumerate(self.orders):
            scores = [row.scores[order] for row in self.rows if order in row.scores]
            self._box(self._x(place), y, self.cell - self._gap, 18, fmean(scores))
        y += 34
        if self.cell > 20:
            self.drawing.text(self.left - 10, y + 9, "options as shown, first on top", "quiet", size=11, anchor="end")
            for place, order in enumerate(self.orders):
                for line, option in enumerate(order):
                    self.drawing.text(
                        self._x(place + 0.5), y + 9 + 12 * line, str(option), "quiet", size=10, anchor="middle"
                    )
            y += 12 * len(self.orders[0]) + 14
        return y + 8

    def _row(self, row: _Row, y: float, mosaic: dict[str, list[tuple[float, float]]]) -> None:
        size = self._small
        label = fitted(row.label, self.left - MARGIN - 26, size)
        self.drawing.text(MARGIN, y + self.tall / 2 + 4, label, size=size)
        if row.turned:
            self.drawing.text(self.left - 10, y + self.tall / 2 + 4, "R", "quiet", size=size, anchor="end")
        for place, order in enumerate(self.orders):
            if (score := row.scores.get(order)) is None:
                continue
            if self.numbers:
                self._box(self._x(place), y, self.cell - self._gap, self.tall - 1, score)
            else:
                mosaic[self._colour(score)].append((self._x(place), y))
        self._box(self._strip, y, STRIP, self.tall - 1, fmean(row.scores.values()))

    def _box(self, x: float, y: float, width: float, height: float, score: float) -> None:
        fill = self._colour(score)
        self.drawing.rect(x, y, width, height, fill=fill)
        if width > 26 and height > 12:
            self.drawing.label(x + width / 2, y + height / 2 + 3.5, f"{score:.1f}", fill)

    @property
    def _small(self) -> int:
        return 12 if self.tall > 15 else 10

    def _x(self, place: float) -> float:
        return self.left + self.cell * place

    @property
    def _strip(self) -> float:
        return self._x(len(self.orders)) + GAP

    @property
    def _gap(self) -> float:
        return 1.0 if self.cell > 10 else 0.0

    def _colour(self, score: float) -> str:
        share = min(max((score - self.low) / (self.high - self.low), 0.0), 1.0)
        return colour(round(share * _SHADES) / _SHADES)

    def _bar(self, x: float, y: float) -> None:
        """What the differences between cells go with, as one bar."""
        if self.shares is None or self._flat:
            return
        self.drawing.text(x, y + 9, "the answers differ by", "quiet", size=11)
        split = self.shares
        parts = (
            ("statement", split.statement, "sound"),
            ("order", split.order, "alarm"),
            ("both together", split.both, "band"),
        )
        at, words = x, x
        for name, share, style in parts:
            self.drawing.rect(at, y + 15, 420 * share, 10, style)
            at += 420 * share
            self.drawing.rect(words, y + 33, 9, 9, style)
            self.drawing.text(words + 14, y + 41, f"{name} {share:.0%}".replace("%", " %"), size=12)
            words += 140

    def _colours(self, x: float, y: float) -> None:
        """The scale of colours, with what its ends say."""
        anchors = self.first.form.anchors if self.first.form else ("disagree", "agree")
        self.drawing.text(x, y + 9, "answer (not reversed; R marks reversed statements)", "quiet", size=11)
        step = 300 / (_SHADES + 1)
        for shade in range(_SHADES + 1):
            self.drawing.rect(x + shade * step, y + 15, step + 0.3, 10, fill=colour(shade / _SHADES))
        self.drawing.text(x, y + 41, fitted(f"{self.low:g} {anchors[0]}", 145, 12), size=12)
        self.drawing.text(x + 300, y + 41, fitted(f"{anchors[-1]} {self.high:g}", 145, 12), size=12, anchor="end")

    def _headline(self) -> str:
        """The one sentence that the picture shows."""
        if self.shares is None:
            return "Answers by statement and order of the options"
        if self._flat:
            middle = fmean(score for row in self.rows for score in row.scores.values())
            return f"Hardly any differences: all answers lie near {middle:.1f}"
        if self.shares.statement >= FOLLOWS:
            sound = all(trait.valid for trait, _ in self.blocks)
            return (
                f"Rows differ{': the answers follow the statements' if sound else ', but the measurement is INVALID'}"
            )
        if self.shares.order >= FOLLOWS:
            return "Columns differ: the answers follow the options' places"
        return "Rows and columns differ: statements and places both move the answers"

    def _about(self) -> str:
        """The picture in sentences, for who can't see it."""
        said = f"{self.headline}. {len(self.rows)} statements in {len(self.orders)} orders of the options."
        if self.shares is not None and not self._flat:
            parts = f"{self.shares.statement:.0%} go with the statement, {self.shares.order:.0%} with the order"
            said += f" Of the differences between answers {parts}.".replace("%", " %")
        invalid = [readable_name(trait.name) for trait, _ in self.blocks if not trait.valid]
        return f"{said} INVALID: {', '.join(invalid)}." if invalid else said


def colour(share: float) -> str:
    """The colour of a share of the range: blue at 0, grey at one half, orange at 1.

    >>> colour(0.0), colour(0.5), colour(1.0)
    ('#2166ac', '#f0f0ee', '#b35806')
    """
    step = min(int(share * (len(_STOPS) - 1)), len(_STOPS) - 2)
    rest = share * (len(_STOPS) - 1) - step
    mixed = (round(a + (b - a) * rest) for a, b in zip(_STOPS[step], _STOPS[step + 1], strict=True))
    return f"#{''.join(f'{part:02x}' for part in mixed)}"
