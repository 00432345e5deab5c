"""The map of groups and classes of replies: who is answered, who is refused, and how?

A row is a group, a column a class of replies, a cell the share of the group's replies that were read so; the picture of Chehbouni et al.
2024. Rates of refusal alone would hide that one group is refused politely and another with an insult.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from alignsuite.judges.protocol import UNREADABLE
from alignsuite.reports.figures.comparisons import Comparison, Counts, ranked, reach
from alignsuite.reports.figures.svg import WIDE, Drawing, fitted, length
from alignsuite.reports.traits import finite, readable_name
from alignsuite.runs.records import Verdict
from alignsuite.text.cells import one_line, wrap
from alignsuite.text.numbers import percent, plural, points

WIDTH, MARGIN, TOP = 900, 24, 184
LABELS = (110, 300)
"""The least and the most room that the groups' names take."""
COLUMN, REPLIES, ROW = 130, 70, 28
"""The widest column of a class; the column that counts replies; a row."""
MOST_COLUMNS = 10
"""More labels than that have no room; the rarest go together."""
NAME = 20
"""In columns of text: how much of a group's name the headline shows."""
REFUSALS = frozenset({"refusal", "harmful_refusal"})
_TITLES = {"off_task": "off-task", UNREADABLE: "unreadable"}
_IN_ORDER = ("refusal", "harmful_refusal", "harmful_answer", "hedged", "off_task", "helpful")
_ALWAYS = frozenset({"refusal", "helpful"})
_LEGEND = (0, 0.01, 0.05, 0.1, 0.25, 0.5, 1)


@dataclass(frozen=True)
class Class:
    """One column: its title, and the labels that it counts."""

    title: str
    labels: frozenset[str]

    def count(self, counts: Mapping[str, int]) -> int:
        """How many of a group's replies are of this class."""
        return sum(count for label, count in counts.items() if label in self.labels)


def class_map(comparisons: Sequence[Comparison], facts: Sequence[str], *, name: str) -> str:
    """The SVG document for claims that rest on the same replies; "" where their classes are not known.

    Args:
        comparisons: with the same `classes`; each is named with its verdict.
        facts: who was asked, as `text.model_facts` says it.
        name: makes its ids unique in a page.
    """
    if not comparisons[0].classes:
        return ""
    map_ = _Map(comparisons, name)
    map_.head(facts)
    return map_.drawing.write(map_.foot(map_.body(map_.titles(TOP))))


def columns(classes: Counts) -> list[Class]:
    """The classes to be shown: those of refusals and help first, then a judge's own by their number, at last what could not be read.

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


class _Map:
    """One picture: where its parts stand, and how they are drawn, from the top."""

    def __init__(self, comparisons: Sequence[Comparison], name: str) -> None:
        self.comparisons, self.first = comparisons, comparisons[0]
        self.classes = self.first.classes
        self.columns = columns(self.classes)
        self.everybody = Counter[str]()
        for counts in self.classes.values():
            self.everybody.update(counts)
        self.refused = {
            group: sum(counts.get(label, 0) for label in REFUSALS) / total
            for group, counts in self.classes.items()
            if (total := sum(counts.values()))
        }
        labels = max(length(one_line(group), 12) for group in self.classes)
        self.left = MARGIN + min(max(labels, LABELS[0]), LABELS[1]) + 14
        self.cell = min(COLUMN, (WIDTH - MARGIN - REPLIES - self.left) / len(self.columns))
        self.headline = self._headline()
        title = f"{self.first.name}: classes of replies by {self.first.between}"
        self.drawing = Drawing(name, WIDTH, title=title, about=self._about())

    def head(self, facts: Sequence[str]) -> None:
        """What is seen, in a sentence; what was asked of whom; what the claims made of it; the shades."""
        room = WIDTH - 2 * MARGIN
        self.drawing.text(MARGIN, 38, fitted(self.headline, room, 20, bold=True), size=20, bold=True)
        self.drawing.text(MARGIN, 60, fitted(" · ".join(self.first.about), room))
        self.drawing.text(MARGIN, 79, fitted(" · ".join(facts), room), "quiet")
        blocking = any(one.claim.verdict in (Verdict.FAIL, Verdict.INVALID) for one in self.comparisons)
        said = fitted(" · ".join(map(_verdict, self.comparisons)), room, bold=True)
        self.drawing.text(MARGIN, 100, said, "alarm" if blocking else "ink", bold=True)
        self.drawing.text(MARGIN, 130, "share of a group's replies", "quiet", size=11)
        for place, share in enumerate(_LEGEND):
            self.drawing.tile(MARGIN + 160 + 52 * place, 116, 48, 20, share, percent(share).replace(".0", ""))

    def titles(self, y: float) -> float:
        """Headings of the columns, standing on their line."""
        for place, column in enumerate(self.columns):
            lines = wrap(column.title, max(2, int((self.cell - 4) / (11 * WIDE))))[:3]
            for above, line in enumerate(reversed(lines)):
                self.drawing.text(self._x(place + 0.5), y - 6 - 13 * above, line, size=11, anchor="middle")
        self.drawing.text(self._x(len(self.columns)) + REPLIES - 8, y - 6, "replies", "quiet", size=11, anchor="end")
        return y

    def body(self, y: float) -> float:
        """All groups together, then group by group, the one with the most refusals first."""
        self._row("all groups", self.everybody, y, bold=True)
        y += ROW + 8
        for group in self._in_order():
            self._row(group, self.classes[group], y)
            y += ROW
        return y

    def foot(self, y: float) -> float:
        """What is not shown, and how to read the map."""
        y += 24
        for line in self._notes():
            self.drawing.text(MARGIN, y, fitted(line, WIDTH - 2 * MARGIN, 12), "quiet", size=12)
            y += 17
        return y + 8

    def _row(self, group: str, counts: Mapping[str, int], y: float, *, bold: bool = False) -> None:
        total, room = sum(counts.values()), self.left - MARGIN - 14
        with self.drawing.tip(group):
            self.drawing.text(MARGIN, y + ROW / 2 + 3, fitted(group, room, 12, bold=bold), size=12, bold=bold)
        for place, column in enumerate(self.columns if total else ()):
            count = column.count(counts)
            with self.drawing.tip(f"{count} of {plural(total, 'reply')} {column.title}: {group}"):
                words = percent(count / total)
                self.drawing.tile(self._x(place), y, self.cell - 3, ROW - 3, count / total, words)
        x = self._x(len(self.columns)) + REPLIES - 8
        self.drawing.text(x, y + ROW / 2 + 3, str(total), "quiet", size=11, anchor="end")

    def _x(self, place: float) -> float:
        return self.left + self.cell * place

    def _in_order(self) -> list[str]:
        return [*ranked(self.refused), *sorted(self.classes.keys() - self.refused.keys())]

    @property
    def _knows_refusals(self) -> bool:
        return any(REFUSALS & column.labels for column in self.columns)

    def _headline(self) -> str:
        """The one sentence that the picture shows."""
        if not any(one.valid for one in self.comparisons):
            return f"Classes of replies by {self.first.between}; the comparison is INVALID"
        if not self._knows_refusals or len(self.refused) < 2:
            return f"Classes of replies by {self.first.between}"
        if not any(self.refused.values()):
            return "No group was refused anything"
        return f"Refusals: {reach(self.refused, NAME)}"

    def _notes(self) -> list[str]:
        shown = {label for column in self.columns for label in column.labels}
        unseen = [_title(label) for label in _IN_ORDER if label not in shown]
        said = [f"No reply was read as {' or '.join(filter(None, (', '.join(unseen[:-1]), unseen[-1])))}."]
        return [
            *(said if self._knows_refusals and unseen else []),
            "The stronger the shade, the larger the share, by its square root, so that rare classes show.",
            "Rows differ by chance, too; whether they differ by more than that is what the verdict says.",
        ]

    def _about(self) -> str:
        """The picture in sentences, for who can't see it."""
        rows = (("all groups", self.everybody), *((group, self.classes[group]) for group in self._in_order()))
        said = (f"{_spoken(self.columns, counts)}: {one_line(group, 60)}." for group, counts in rows)
        return "\n".join([f"{self.headline}.", *(f"{_verdict(one)}." for one in self.comparisons), *said])


def _spoken(shown: Sequence[Class], counts: Mapping[str, int]) -> str:
    total = sum(counts.values())
    found = (f"{percent(count / total)} {column.title}" for column in shown if (count := column.count(counts)))
    return ", ".join(found) or "No replies"


def _verdict(comparison: Comparison) -> str:
    """What a claim made of these replies: `refused: FAIL, a gap of 19.0 points`, or why nothing."""
    claim = comparison.claim
    if not comparison.valid:
        return ", ".join([f"{comparison.what}: {claim.verdict}", *map(one_line, claim.reasons[:1])])
    gap = finite(claim.value)
    return f"{comparison.what}: {claim.verdict}{'' if gap is None else f', a gap of {points(gap)}'}"


def _title(label: str) -> str:
    return _TITLES.get(label) or one_line(readable_name(label), 40)
