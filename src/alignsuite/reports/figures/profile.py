"""The profile: where the model puts itself on each trait, beside where people put themselves.

One row a trait, one axis a scale. An INVALID trait gets a hollow mark beside the axis and never a place on it: a number that only says
where the options stood would look like any other there.
"""

from __future__ import annotations

from collections.abc import Sequence

from alignsuite.reports.figures.svg import Drawing, fitted, length
from alignsuite.reports.traits import Trait, conditions, readable_name
from alignsuite.runs.records import Verdict
from alignsuite.text.cells import one_line

WIDTH, MARGIN, ROW = 860, 24, 34
LEFT, RIGHT = 190, 540
"""Where the axis begins and ends."""
WORDS = RIGHT + 28
"""Where the words about a row begin."""
ROOM = WIDTH - MARGIN - WORDS


def profile(groups: Sequence[Sequence[Trait]], facts: Sequence[str]) -> str:
    """The SVG document with a panel for each group of traits that belong to one scale.

    Args:
        groups: as `traits.grouped` gives them; none may be empty.
        facts: who was asked, as `text.model_facts` says it.
    """
    drawing = Drawing("profile", WIDTH, title="How the model answers questionnaires", about=_about(groups))
    drawing.text(MARGIN, 38, "How the model answers questionnaires", size=20, bold=True)
    drawing.text(MARGIN, 60, fitted(" · ".join(facts), WIDTH - 2 * MARGIN), "quiet")
    y = _legend(drawing, groups, 86) + 26
    for traits in groups:
        y = _panel(drawing, traits, y)
    drawing.text(
        MARGIN, y, "Answers, not behaviour: a model that calls itself kind need not act kindly.", "quiet", size=12
    )
    return drawing.write(y + 22)


def _legend(drawing: Drawing, groups: Sequence[Sequence[Trait]], y: float) -> float:
    traits = [trait for group in groups for trait in group]
    x: float = MARGIN
    if any(trait.score is not None for trait in traits):
        _score(drawing, x + 12, x + 4, x + 20, y)
        x = _words(drawing, x + 30, y, "the model ± standard error")
    if any(trait.norm for trait in traits):
        _people(drawing, x, x + 30, x + 15, y)
        x = _words(drawing, x + 40, y, "people: mean ± 1 s.d.")
    if not all(trait.valid for trait in traits):
        drawing.circle(x + 6, y, 5.5, "alarm-line")
        _words(drawing, x + 20, y, "INVALID: no score, so no place on the axis")
    return y


def _words(drawing: Drawing, x: float, y: float, words: str) -> float:
    drawing.text(x, y + 4.5, words, "quiet", size=12)
    return x + length(words, 12) + 18


def _panel(drawing: Drawing, traits: Sequence[Trait], y: float) -> float:
    first = traits[0]
    title = first.form.title if first.form else readable_name(first.scale)
    drawing.text(MARGIN, y + 14, fitted(title, WIDTH - 2 * MARGIN, 15), size=15, bold=True)
    version = first.count("instrument_version")
    said = (first.scale if first.form else "", f"version {version}" if version else "", conditions(traits))
    drawing.text(MARGIN, y + 32, fitted(" · ".join(filter(None, said)), WIDTH - 2 * MARGIN, 12), "quiet", size=12)
    y += 46
    bottom = y + ROW * len(traits)
    _axis(drawing, first, y, bottom)
    for index, trait in enumerate(traits):
        _row(drawing, trait, y + ROW * (index + 0.5))
    return bottom + 56


def _axis(drawing: Drawing, trait: Trait, top: float, bottom: float) -> None:
    low, high = trait.bounds
    whole = high - low <= 10 and (high - low).is_integer()
    ticks = [low + step for step in range(int(high - low) + 1)] if whole else [low, (low + high) / 2, high]
    for tick in ticks:
        x = _place(trait, tick)
        drawing.line(x, top, x, bottom)
        drawing.text(x, bottom + 15, f"{tick:g}", "quiet", size=11, anchor="middle")
    if trait.form and (low, high) == (1, trait.form.points):
        for x, anchor, words in ((LEFT, "start", trait.form.anchors[0]), (RIGHT, "end", trait.form.anchors[-1])):
            drawing.text(x, bottom + 29, fitted(words, (RIGHT - LEFT) / 2, 11), "quiet", size=11, anchor=anchor)


def _row(drawing: Drawing, trait: Trait, y: float) -> None:
    drawing.text(LEFT - 16, y + 4.5, fitted(readable_name(trait.name), LEFT - 16 - MARGIN), anchor="end")
    drawing.line(LEFT, y, RIGHT, y, dashed=trait.score is None)
    if trait.norm:
        mean, sd = trait.norm.mean, trait.norm.sd
        _people(drawing, _place(trait, mean - sd), _place(trait, mean + sd), _place(trait, mean), y)
    if trait.score is None:
        drawing.circle(WORDS + 6, y, 5.5, "alarm-line")
        drawing.text(WORDS + 20, y - 1.5, "INVALID" if not trait.valid else "no score", "alarm", bold=True)
        drawing.text(WORDS + 20, y + 12.5, fitted(_instead(trait), ROOM - 20, 11), "quiet", size=11)
        return
    half = trait.number("sem") or 0.0
    _score(drawing, _place(trait, trait.score), _place(trait, trait.score - half), _place(trait, trait.score + half), y)
    first, second = _numbers(trait)
    drawing.text(WORDS, y + (-1.5 if second else 4.5), fitted(first, ROOM), bold=trait.claim.verdict is Verdict.FAIL)
    drawing.text(WORDS, y + 12.5, fitted(second, ROOM, 11), "quiet", size=11)


def _place(trait: Trait, score: float) -> float:
    low, high = trait.bounds
    return LEFT + (RIGHT - LEFT) * (min(max(score, low), high) - low) / (high - low)


def _people(drawing: Drawing, low: float, high: float, mean: float, y: float) -> None:
    drawing.rect(low, y - 9, high - low, 18, "band", round_=3)
    drawing.line(mean, y - 9, mean, y + 9, "quiet-line", thick=1.5)


def _score(drawing: Drawing, x: float, low: float, high: float, y: float) -> None:
    if high > low:
        drawing.line(low, y, high, y, "mark-line", thick=2)
        drawing.line(low, y - 6, low, y + 6, "mark-line", thick=2)
        drawing.line(high, y - 6, high, y + 6, "mark-line", thick=2)
    drawing.circle(x, y, 5, "mark")


def _numbers(trait: Trait) -> tuple[str, str]:
    """The score in words: first what was measured, then what it is beside people and bands."""
    sem, verdict = trait.number("sem"), trait.claim.verdict
    first = f"{trait.score:.2f}" + (f" ± {sem:.2f}" if sem is not None else "")
    second = [f"d {trait.d:+.2f} from people".replace("-", "−")] if trait.d is not None else []
    if trait.total is not None:
        second.append(f"sum {trait.total:.1f}" + (f", {trait.band}" if trait.band else ""))
    return first if verdict is Verdict.PASS else f"{first}  {verdict}", " · ".join(second)


def _instead(trait: Trait) -> str:
    """What was measured in the place of a score, in as few words as a row has room for."""
    shown = (("place_variation", "place moved it"), ("content_variation", "content"))
    said = [f"{words} {value:.2f}" for name, words in shown if (value := trait.number(name)) is not None]
    if trait.number("refused"):
        said.append(f"{trait.number('refused'):.0%} refused".replace("%", " %"))
    return ", ".join(said) or trait.trouble


def _about(groups: Sequence[Sequence[Trait]]) -> str:
    """The picture in sentences, for who can't see it."""
    said = []
    for trait in (trait for group in groups for trait in group):
        norm = f" People: {trait.norm.mean:.2f}, s.d. {trait.norm.sd:.2f}." if trait.norm else ""
        shown = (
            f"INVALID, no score ({_instead(trait)})"
            if trait.score is None
            else ", ".join(filter(None, _numbers(trait)))
        )
        said.append(f"{one_line(trait.scale)}, {readable_name(trait.name)}: {shown}.{norm}")
    return " ".join(said)
