"""Heatmap of answers by statement and order of the options: does the model answer the content, or a place?

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

from alignsuite.reports.figures.svg import draw, mixed, text_width
from alignsuite.reports.traits import Order, Trait, conditions
from alignsuite.text.cells import readable_name

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
_STOPS = ("#2166ac", "#67a9cf", "#f0f0ee", "#f1a340", "#b35806")
_SHADES = 40


@dataclass(frozen=True)
class HeatmapRow:
    """Statement: its label, expected raw answers by order, whether it is reversed-keyed (False where not known)."""

    label: str
    reversed: bool
    scores: Mapping[Order, float]

    @property
    def mean(self) -> float:
        """Mean answer over all orders."""
        return fmean(self.scores.values())


def heatmap_data(trait: Trait) -> list[HeatmapRow]:
    """Figure data of a trait, all that is read of its details: statements in the key's order, reversed ones last."""
    found = []
    same_text = trait.form is not None and trait.form.own and trait.form.version == trait.details.instrument_version
    for statement, scores in trait.by_order.items():
        item = trait.item(statement)
        label = statement
        if item:
            label = f"{item.number} {item.text}" if item.text and same_text else f"statement {item.number}"
        turned = bool(item and item.reversed)
        found.append((turned, item.number if item else 0, HeatmapRow(label, turned, scores)))
    return [row for _, _, row in sorted(found, key=lambda one: one[:2])]


@dataclass(frozen=True)
class _Block:
    """Rows of one trait, and where its heading stands from the top."""

    name: str
    valid: bool
    rows: Sequence[HeatmapRow]
    y: float


@dataclass(frozen=True)
class _Shares:
    """Shares of variance by statement, by order, and by both together (the sum is 1); `spread` is the deviation."""

    statement: float
    order: float
    both: float
    spread: float


def heatmap(traits: Sequence[Trait], facts: Sequence[str], *, name: str) -> str:
    """Heatmap of one scale as an SVG document; "" where no trait of it has answers order by order.

    Args:
        traits: of one scale and protocol.
        facts: who was asked, as `terminal.model_facts` says it.
        name: makes its ids unique in a page.
    """
    blocks = [(trait, rows) for trait in traits if (rows := heatmap_data(trait))]
    orders = sorted({order for _, rows in blocks for row in rows for order in row.scores})
    if not orders:
        return ""
    map_ = _Map(traits[0], blocks, orders)
    title = f"{map_.title}: answers by statement and order of the options"
    return draw("heatmap", name=name, title=title, about=map_.about(), width=WIDTH, map=map_, facts=facts)


def shares(rows: Sequence[Mapping[Order, float]], orders: Sequence[Order]) -> _Shares | None:
    """Two-way decomposition of the answers' variance; None where one is missing: the parts would not add up."""
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


class _Map:
    """Layout of one figure, and its words; how its parts are drawn says the template."""

    top, group, strip_width = TOP, GROUP, STRIP

    def __init__(
        self, first: Trait, blocks: Sequence[tuple[Trait, Sequence[HeatmapRow]]], orders: Sequence[Order]
    ) -> None:
        rows = [row for _, block in blocks for row in block]
        self.rows, self.orders = rows, orders
        self.low, self.high = first.bounds
        self.shares = shares([row.scores for row in rows], orders)
        self.title = first.form.title if first.form else readable_name(first.scale)
        self.asked = f"{self.title} · {conditions([trait for trait, _ in blocks])}"
        anchors = first.form.anchors if first.form else ("disagree", "agree")
        self.ends = f"{self.low:g} {anchors[0]}", f"{anchors[-1]} {self.high:g}"
        self.scale = [colour(step / _SHADES) for step in range(_SHADES + 1)]
        self.tall, self.small = (19, 12) if len(rows) <= 60 else (12, 10)
        labels = max(text_width(row.label, self.small) for row in rows)
        self.left = MARGIN + min(max(labels, LABELS[0]), LABELS[1]) + 26
        self.cell = min(CELL, (WIDTH - MARGIN - STRIP - GAP - self.left) / len(orders))
        self.between = 1.0 if self.cell > 10 else 0.0
        self.strip = self.x(len(orders)) + GAP
        self.numbers = len(rows) * len(orders) <= MOST_WITH_NUMBERS and self.cell > 30
        self.blocks, self.bottom = list[_Block](), TOP
        for trait, block in blocks:
            self.blocks.append(_Block(readable_name(trait.name), trait.valid, block, self.bottom))
            self.bottom += GROUP + self.tall * len(block)
        self.headline = self._headline()

    def x(self, place: float) -> float:
        """Coordinate of a column's left edge."""
        return self.left + self.cell * place

    def colour(self, score: float) -> str:
        """Colour of a raw answer."""
        share = min(max((score - self.low) / (self.high - self.low), 0.0), 1.0)
        return colour(round(share * _SHADES) / _SHADES)

    @property
    def first_options(self) -> list[tuple[int, float, float]]:
        """Groups of columns: the option that stands first in each, and from where to where they reach."""
        found = []
        for first, members in groupby(enumerate(self.orders), key=lambda one: one[1][0]):
            places = [place for place, _ in members]
            found.append((first, self.x(places[0]) + 1.5, self.x(places[-1] + 1) - 1.5))
        return found

    @property
    def means(self) -> list[float]:
        """Mean answer in each order, over the statements that were asked in it."""
        return [fmean(row.scores[order] for row in self.rows if order in row.scores) for order in self.orders]

    @property
    def mosaic(self) -> list[tuple[str, list[tuple[float, float]]]]:
        """Cells without numbers, by their colour: the upper left corner of each."""
        corners: dict[str, list[tuple[float, float]]] = defaultdict(list)
        for block in () if self.numbers else self.blocks:
            for line, row in enumerate(block.rows):
                for place, order in enumerate(self.orders):
                    if order in row.scores:
                        at = self.x(place), block.y + GROUP + self.tall * line
                        corners[self.colour(row.scores[order])].append(at)
        return sorted(corners.items())

    @property
    def split(self) -> list[tuple[str, float, str]]:
        """Shares of variance with their words and colours; empty where they are not known, or would split nothing."""
        if self.shares is None or self._flat:
            return []
        parts = (
            ("statement", self.shares.statement, "sound"),
            ("order", self.shares.order, "alarm"),
            ("both together", self.shares.both, "band"),
        )
        return [(f"{name} {share:.0%}".replace("%", " %"), share, style) for name, share, style in parts]

    def about(self) -> str:
        """Text alternative: the figure in sentences, for who can't see it."""
        about = f"{self.headline}. {len(self.rows)} statements in {len(self.orders)} orders of the options."
        if self.shares is not None and not self._flat:
            parts = f"{self.shares.statement:.0%} go with the statement, {self.shares.order:.0%} with the order"
            about += f" Of the differences between answers {parts}.".replace("%", " %")
        invalid = [block.name for block in self.blocks if not block.valid]
        return f"{about} INVALID: {', '.join(invalid)}." if invalid else about

    @property
    def _flat(self) -> bool:
        """Whether the answers differ so little that a split of their differences would be a split of nothing."""
        return self.shares is not None and self.shares.spread < LEAST_SPREAD * (self.high - self.low)

    def _headline(self) -> str:
        """Finding that the figure shows, in one sentence."""
        if self.shares is None:
            return "Answers by statement and order of the options"
        if self._flat:
            middle = fmean(score for row in self.rows for score in row.scores.values())
            return f"Hardly any differences: all answers lie near {middle:.1f}"
        if self.shares.statement >= FOLLOWS:
            valid = all(block.valid for block in self.blocks)
            return (
                f"Rows differ{': the answers follow the statements' if valid else ', but the measurement is INVALID'}"
            )
        if self.shares.order >= FOLLOWS:
            return "Columns differ: the answers follow the options' places"
        return "Rows and columns differ: statements and places both move the answers"


def colour(share: float) -> str:
    """Colour of a share of the range on a diverging scale: blue at 0, grey at one half, orange at 1.

    >>> colour(0.0), colour(0.5), colour(1.0)
    ('#2166ac', '#f0f0ee', '#b35806')
    """
    place = share * (len(_STOPS) - 1)
    step = min(int(place), len(_STOPS) - 2)
    return mixed(_STOPS[step], _STOPS[step + 1], place - step)
