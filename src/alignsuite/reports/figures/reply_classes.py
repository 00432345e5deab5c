"""Table of groups by classes of replies: who is answered, who is refused, and how.

A row is a group, a column a class of replies, a cell the share of the group's replies that were read so; the figure of Chehbouni et al.
2024. Rates of refusal alone would hide that one group is refused politely and another with an insult.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from alignsuite.reports.figures.gap import Comparison, Counts, ranked, reach
from alignsuite.reports.figures.svg import WIDE, draw, shade, text_width
from alignsuite.reports.traits import finite
from alignsuite.runs.records import Verdict
from alignsuite.text.cells import one_line, readable_name, wrap
from alignsuite.text.numbers import percent, plural, points

WIDTH, MARGIN = 900, 24
LABELS = (110, 300)
"""The least and the most room that the groups' names take."""
COLUMN, REPLIES = 130, 70
"""The widest column of a class; the column that counts replies."""
MOST_COLUMNS = 10
"""More labels than that have no room; the rarest go together."""
NAME = 20
"""In columns of text: how much of a group's name the headline shows."""
UNREADABLE = "UNREADABLE"
"""The label of a reply that no judge could read, as run files have it."""
REFUSALS = frozenset({"refusal", "harmful_refusal"})
_TITLES = {"off_task": "off-task", UNREADABLE: "unreadable"}
_IN_ORDER = ("refusal", "harmful_refusal", "harmful_answer", "hedged", "off_task", "helpful")
_ALWAYS = frozenset({"refusal", "helpful"})


@dataclass(frozen=True)
class Class:
    """Class of replies, one column: its title, and the labels that it counts."""

    title: str
    labels: frozenset[str]

    def count(self, counts: Mapping[str, int]) -> int:
        """Number of a group's replies that are of this class."""
        return sum(count for label, count in counts.items() if label in self.labels)


def class_map(comparisons: Sequence[Comparison], facts: Sequence[str], *, name: str) -> str:
    """Table of classes by group as an SVG document; "" where the classes are not known.

    Args:
        comparisons: claims that rest on the same replies, with the same `classes`; each is named with its verdict.
        facts: who was asked, as `terminal.model_facts` says it.
        name: makes its ids unique in a page.
    """
    first = comparisons[0]
    if not first.data.classes:
        return ""
    table = _Table(comparisons)
    title = f"{first.name}: classes of replies by {first.data.between}"
    return draw(
        "reply_classes", name=name, title=title, about=table.about(), width=WIDTH, shades=table.shades(),
        table=table, facts=facts,
    )  # fmt: skip


def columns(classes: Counts) -> list[Class]:
    """Classes to be shown: of refusals and help, then a judge's own by their number, then what could not be read.

    A class that no reply belongs to is left out, but for refusal and helpful where any class of theirs occurs: no refusal is a finding.
    """
    seen = Counter({label: 0 for counts in classes.values() for label in counts})
    for counts in classes.values():
        seen.update(counts)
    always = _ALWAYS if seen.keys() & set(_IN_ORDER) else frozenset[str]()
    known = [label for label in _IN_ORDER if seen[label] or label in always]
    others = [label for label in seen if seen[label] and label not in {*_IN_ORDER, UNREADABLE}]
    others.sort(key=lambda label: (-seen[label], label))
    last = [UNREADABLE] if seen[UNREADABLE] else []
    room = MOST_COLUMNS - len(known) - len(last)
    shown, rest = (others, []) if len(others) <= room else (others[: room - 1], others[room - 1 :])
    found = [Class(_title(label), frozenset({label})) for label in (*known, *shown)]
    found += [Class(f"{len(rest)} others", frozenset(rest))] if rest else []
    return [*found, *(Class(_title(label), frozenset({label})) for label in last)]


class _Table:
    """Layout of one figure from left to right, and its words; where they stand from the top says the template."""

    room, legend = WIDTH - 2 * MARGIN, (0, 0.01, 0.05, 0.1, 0.25, 0.5, 1)

    def __init__(self, comparisons: Sequence[Comparison]) -> None:
        self.comparisons, self.first = comparisons, comparisons[0]
        classes = self.first.data.classes
        self.columns = columns(classes)
        self.knows_refusals = any(REFUSALS & column.labels for column in self.columns)
        everybody = Counter[str]()
        for counts in classes.values():
            everybody.update(counts)
        self.refused = {
            group: sum(counts.get(label, 0) for label in REFUSALS) / total
            for group, counts in classes.items()
            if (total := sum(counts.values()))
        }
        in_order = [*ranked(self.refused), *sorted(classes.keys() - self.refused.keys())]
        # All groups together, then group by group, the one with the most refusals first.
        self.rows = [("all groups", everybody), *((group, classes[group]) for group in in_order)]
        names = max(text_width(one_line(group), 12) for group in classes)
        self.left = MARGIN + min(max(names, LABELS[0]), LABELS[1]) + 14
        self.cell = min(COLUMN, (WIDTH - MARGIN - REPLIES - self.left) / len(self.columns))
        self.replies_at = self.x(len(self.columns)) + REPLIES - 8
        self.blocks = any(one.claim.verdict in (Verdict.FAIL, Verdict.INVALID) for one in comparisons)
        self.verdicts = [_verdict(one) for one in comparisons]
        self.headline = self._headline()

    def x(self, place: float) -> float:
        """Coordinate of a column's left edge."""
        return self.left + self.cell * place

    def heading(self, column: Class) -> list[str]:
        """Title of a column, line by line."""
        return wrap(column.title, max(2, int((self.cell - 4) / (11 * WIDE))))[:3]

    def in_sentence(self, column: Class, counts: Mapping[str, int]) -> str:
        """Count of a cell in words: `10 of 40 replies refusal`."""
        return f"{column.count(counts)} of {plural(sum(counts.values()), 'reply')} {column.title}"

    def shades(self) -> set[int]:
        """Shades of all cells and of the legend."""
        filled = [(counts, total) for _, counts in self.rows if (total := sum(counts.values()))]
        shares = (column.count(counts) / total for counts, total in filled for column in self.columns)
        return {shade(share) for share in (*self.legend, *shares)}

    @property
    def unseen(self) -> list[str]:
        """Titles of the classes that no reply belongs to and that have no column, where the judge knows refusals."""
        shown = {label for column in self.columns for label in column.labels}
        return [_title(label) for label in _IN_ORDER if label not in shown] if self.knows_refusals else []

    def about(self) -> str:
        """Text alternative: the figure in sentences, for who can't see it."""
        rows = (f"{_shares(self.columns, counts)}: {one_line(group, 60)}." for group, counts in self.rows)
        return "\n".join([f"{self.headline}.", *(f"{verdict}." for verdict in self.verdicts), *rows])

    def _headline(self) -> str:
        """Finding that the figure shows, in one sentence."""
        between = self.first.data.between
        if not any(one.valid for one in self.comparisons):
            return f"Classes of replies by {between}; the comparison is INVALID"
        if not self.knows_refusals or len(self.refused) < 2:
            return f"Classes of replies by {between}"
        if not any(self.refused.values()):
            return "No group was refused anything"
        return f"Refusals: {reach(self.refused, NAME)}"


def _shares(shown: Sequence[Class], counts: Mapping[str, int]) -> str:
    total = sum(counts.values())
    found = (f"{percent(count / total)} {column.title}" for column in shown if (count := column.count(counts)))
    return ", ".join(found) or "No replies"


def _verdict(comparison: Comparison) -> str:
    """Verdict of a claim on these replies: `refused: FAIL, a gap of 19.0 points`, or why there is none."""
    claim = comparison.claim
    if not comparison.valid:
        return ", ".join([f"{comparison.what}: {claim.verdict}", *map(one_line, claim.reasons[:1])])
    gap = finite(claim.value)
    return f"{comparison.what}: {claim.verdict}{'' if gap is None else f', a gap of {points(gap)}'}"


def _title(label: str) -> str:
    return _TITLES.get(label) or one_line(readable_name(label), 40)
