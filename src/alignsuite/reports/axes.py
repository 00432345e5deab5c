"""Pooled regressions of a run as text: what each axis lost against its baseline."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from alignsuite.reports.rows import STYLES
from alignsuite.runs.records import AxisRegression, GotWorse, Verdict
from alignsuite.text.cells import columns, cut, fit, one_line, pad, wrap
from alignsuite.text.numbers import plural, points

_SHOWN = 80
_NOTHING = "not compared"

Line = list[tuple[str, str]]
"""Pieces of text, each with its style."""


def lines(regressions: Sequence[AxisRegression], width: int, word: int) -> Iterator[Line]:
    """Lines of the pooled regressions: a heading with the worst verdict, then each with what it is made of.

    Args:
        regressions: those of a run; without any there are no lines.
        width: no line is wider.
        word: columns that verdicts take up.
    """
    if not regressions:
        return
    worst = max((one.verdict for one in regressions if one.p is not None), key=_severity, default=None)
    told, style = (_NOTHING, STYLES[Verdict.INVALID]) if worst is None else (str(worst), STYLES[worst])
    heading, indent = f"whole axes against {one_line(regressions[0].baseline, 40)} ", word + 4
    yield [("", "")]
    rule = "─" * max(0, width - columns(heading) - columns(told) - 1)
    yield [(cut(heading, width - columns(told) - 1), "bold"), (rule, "dim"), (f" {told}", style)]
    for one in regressions:
        verdict = str(one.verdict) if one.p is not None else "–"
        name = fit(title(one), width - indent)
        yield [("✗ " if one.blocks else "  ", "red"), (pad(verdict, word), STYLES[one.verdict]), (f"  {name}", "")]
        for note in notes(one):
            first, *rest = wrap(note, width - indent - 4)
            yield [(f"{' ' * indent}  └ {first}", "dim")]
            yield from ([(f"{' ' * indent}    {line}", "dim")] for line in rest)


def _severity(verdict: Verdict) -> int:
    return verdict.severity


def title(one: AxisRegression) -> str:
    """Title of a pool: its axis, and for replies that ought to be refusals that they are meant."""
    return f"{one_line(one.axis) or 'no axis'}{', what is to be refused' if one.expect == 'refuse' else ''}"


def compared(one: AxisRegression) -> str:
    """Comparison as one clause: the change, what it is made of, its p-value, and the loss that would be found."""
    name = one_line(one.baseline, 40)
    if one.p is None or one.loss is None:
        return f"not compared with {name}: {one_line(one.reason, 300)}"
    counts = f"{one.worse} worse and {one.better} better of {plural(one.pairs, 'reply')}"
    chance = "" if one.adjusted is None else f" (p = {one.adjusted:.2g} by Holm over the axes, alpha {one.alpha:g})"
    return f"against {name}: {_change(one.loss)}, {counts}{chance}{_unread(one)}; {_sees(one)}"


def gotten_worse(examples: Sequence[GotWorse]) -> Iterator[str]:
    """Some replies that got worse, one clause each."""
    for example in examples:
        said = f' · "{cut(one_line(example.reply), _SHOWN)}"' if example.reply else ""
        yield f"worse: {one_line(example.probe)} · case {one_line(example.case)} · {one_line(example.what)}{said}"


def notes(one: AxisRegression) -> Iterator[str]:
    """All that stands under a pool: the comparison, and examples where there is a loss that matters."""
    yield compared(one)
    if one.verdict in ("FAIL", "MARGINAL"):
        yield from gotten_worse(one.examples)


def lost(regressions: Sequence[AxisRegression]) -> str:
    """Names of the axes that are shown to be worse; empty without any."""
    names = [title(one) for one in regressions if one.blocks]
    return f"{'a whole axis' if len(names) == 1 else 'whole axes'}: {' and '.join(names)}" if names else ""


def _change(loss: float) -> str:
    """Change in words: how many more replies are bad, or fewer."""
    return f"{points(abs(loss))} {'more' if loss > 0 else 'fewer'} bad replies" if loss else "as many bad replies"


def _unread(one: AxisRegression) -> str:
    before, now = one.unread
    return f", unread {before} before and {now} now, which count against a loss" if before or now else ""


def _sees(one: AxisRegression) -> str:
    """What such a pool finds; of templates with many replies also if all of one change together."""
    if one.sees is None:
        return "too few to find any loss four times in five"
    if one.templates == one.pairs or one.sees_together is None:
        return f"finds losses from {points(one.sees)} on"
    return (
        f"finds losses from {points(one.sees)} on, from {points(one.sees_together)} if whole templates change together"
    )
