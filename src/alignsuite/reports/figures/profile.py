"""Trait profile: the model's score on each trait of a questionnaire, beside people's norms.

One row a trait, one axis a scale. An INVALID trait gets a hollow mark beside the axis and never a place on it: a number that only says
where the options stood would look like any other there.
"""

from __future__ import annotations

from collections.abc import Sequence

from alignsuite.reports.figures.svg import draw
from alignsuite.reports.traits import Trait, conditions
from alignsuite.runs.records import Verdict
from alignsuite.text.cells import one_line, readable_name

WIDTH, MARGIN = 860, 24
LEFT, RIGHT = 190, 540
"""Where the axis begins and ends."""
WORDS = RIGHT + 28
"""Where the words about a row begin."""


def profile(groups: Sequence[Sequence[Trait]], facts: Sequence[str]) -> str:
    """Trait profile as an SVG document, with a panel for each group of traits that belong to one scale.

    Args:
        groups: as `traits.grouped` gives them; none may be empty.
        facts: who was asked, as `terminal.model_facts` says it.
    """
    plot = _Plot(groups)
    title = "How the model answers questionnaires"
    return draw("profile", name="profile", title=title, about=plot.about(), width=WIDTH, plot=plot, facts=facts)


class _Plot:
    """Layout of all panels: what stands where along the axis, and which marks the legend explains."""

    left, right, words, room = LEFT, RIGHT, WORDS, WIDTH - MARGIN - WORDS

    def __init__(self, groups: Sequence[Sequence[Trait]]) -> None:
        self.panels = [_Panel(traits) for traits in groups]
        self.rows = [row for panel in self.panels for row in panel.rows]
        self.scored = any(row.score is not None for row in self.rows)
        self.normed = any(row.norm for row in self.rows)
        self.turned_down = not all(row.trait.valid for row in self.rows)

    def about(self) -> str:
        """Text alternative: the figure in sentences, for who can't see it."""
        return " ".join(row.in_sentence() for row in self.rows)


class _Panel:
    """Panel of one scale: its heading, its axis, its rows."""

    def __init__(self, traits: Sequence[Trait]) -> None:
        form, scale, version = traits[0].form, traits[0].scale, traits[0].details.instrument_version
        self.title = form.title if form else readable_name(scale)
        parts = (scale if form else "", f"version {version}" if version else "", conditions(traits))
        self.conditions = " · ".join(filter(None, parts))
        low, high = traits[0].bounds
        whole = high - low <= 10 and (high - low).is_integer()
        ticks = [low + step for step in range(int(high - low) + 1)] if whole else [low, (low + high) / 2, high]
        self.ticks = [(_place(traits[0], tick), f"{tick:g}") for tick in ticks]
        self.anchors = form.anchors if form and (low, high) == (1, form.points) else ()
        self.rows = [_Row(trait) for trait in traits]


class _Row:
    """Row of one trait: coordinates of its score and its norm (None without one), and its words in two lines."""

    def __init__(self, trait: Trait) -> None:
        self.trait, self.data = trait, trait.details
        self.name = readable_name(trait.name)
        self.fails = trait.claim.verdict is Verdict.FAIL
        self.norm = _around(trait, trait.norm.mean, trait.norm.sd) if trait.norm else None
        self.score = None if trait.score is None else _around(trait, trait.score, self.data.sem or 0.0)
        if trait.score is None:
            self.first, self.second = "no score" if trait.valid else "INVALID", self._instead()
        else:
            self.first, self.second = self._numbers(trait.score), self._compared()

    def in_sentence(self) -> str:
        """Row in words, for who can't see the figure."""
        norm = self.trait.norm
        people = f" People: {norm.mean:.2f}, s.d. {norm.sd:.2f}." if norm else ""
        shown = ", ".join(filter(None, (self.first, self.second)))
        shown = shown if self.score else f"INVALID, no score ({self.second})"
        return f"{one_line(self.trait.scale)}, {self.name}: {shown}.{people}"

    def _numbers(self, score: float) -> str:
        """Score with its standard error, and the verdict where it is another than PASS."""
        numbers = f"{score:.2f}" + (f" ± {self.data.sem:.2f}" if self.data.sem is not None else "")
        verdict = self.trait.claim.verdict
        return numbers if verdict is Verdict.PASS else f"{numbers}  {verdict}"

    def _compared(self) -> str:
        """Score beside people and bands."""
        trait = self.trait
        parts = [f"d {trait.d:+.2f} from people".replace("-", "−")] if trait.d is not None else []
        if trait.total is not None:
            parts.append(f"sum {trait.total:.1f}" + (f", {trait.band}" if trait.band else ""))
        return " · ".join(parts)

    def _instead(self) -> str:
        """Measurements in the place of a score, in as few words as a row has room for."""
        shown = (("place moved it", self.data.place_variation), ("content", self.data.content_variation))
        parts = [f"{words} {value:.2f}" for words, value in shown if value is not None]
        if self.data.refused:
            parts.append(f"{self.data.refused:.0%} refused".replace("%", " %"))
        return ", ".join(parts) or self.trait.trouble


def _around(trait: Trait, middle: float, half: float) -> tuple[float, float, float]:
    """Coordinates of a range around a score: its ends, then its middle."""
    return _place(trait, middle - half), _place(trait, middle + half), _place(trait, middle)


def _place(trait: Trait, score: float) -> float:
    """Coordinate of a score on the axis."""
    low, high = trait.bounds
    return LEFT + (RIGHT - LEFT) * (min(max(score, low), high) - low) / (high - low)
