"""Comparison of runs as documents: terminal text, a Markdown table for a merge request, JSON for programs.

The terminal's lines stand under what they say: what got worse comes first. Where it is narrow, columns go before names do.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Collection, Iterator, Sequence
from itertools import groupby

from alignsuite.claims import present
from alignsuite.reports import axes
from alignsuite.reports.rows import test_title
from alignsuite.reports.terminal import LEAST_WIDTH, Line, model_facts, paint
from alignsuite.runs.compare import ComparedClaim, Comparison, Shown
from alignsuite.runs.paired import PairedOutcomes
from alignsuite.runs.records import ClaimResult, Json
from alignsuite.text.cells import columns, cut, fit, one_line, pad, wrap
from alignsuite.text.numbers import declared, odds, percent, plural, span

STYLES = {Shown.WORSE: "red", Shown.BETTER: "green", Shown.NOTHING: "bold", Shown.NOT_COMPARABLE: "yellow"}

_TITLES = {
    "a": "A", "b": "B", "shared": "shared", "changed": "worse:better", "difference": "difference", "interval": "95 % interval",
    "p": "adjusted p", "least": "shows from",
}  # fmt: skip
_GOES_FIRST = ("least", "interval", "shared", "changed", "p", "difference")
_SLICE_WANTS = 10
_WORD = 8  # the columns of a verdict over a whole axis
_INDENT = 4
_SPECIAL = re.compile(r"([\\`*_\[\]<>|#~])")


def as_text(comparison: Comparison, width: int = 100, color: bool = False) -> list[str]:
    """Lines of a comparison for a terminal; none is wider than `width` (below 40 it counts as 40)."""
    width = max(width, LEAST_WIDTH)
    rows = [(row, _cells(comparison, row)) for row in comparison.rows]
    layout = _Layout.of(rows, width)
    lines: list[Line] = []
    for side, header in (("A", comparison.a), ("B", comparison.b)):
        first, *rest = wrap(" · ".join(model_facts(header)), width - 3)
        lines += [[(f"{side}  {first}", "bold")], *([(f"   {line}", "")] for line in rest)]
    for note in _notes(comparison):
        lines += [[(line, "yellow")] for line in wrap(note, width)]
    for shown in Shown:
        lines += _group(shown, [(row, cells) for row, cells in rows if row.shown is shown], layout, len(rows))
    lines += axes.lines(comparison.axes, width, _WORD)
    lines += [[("", "")], [("─" * width, "dim")]]
    lines += [[(line, "dim")] for sentence in _legend(comparison, layout.widths) for line in wrap(sentence, width)]
    text, style = consequence(comparison)
    return [paint(line, color) for line in [*lines, *([(part, style)] for part in wrap(text, width))]]


@dataclasses.dataclass(frozen=True)
class _Layout:
    """Layout of columns. `widths` holds those that fit, in order."""

    width: int
    name: int
    widths: dict[str, int]

    @classmethod
    def of(cls, rows: Sequence[tuple[ComparedClaim, dict[str, str]]], width: int) -> _Layout:
        widths = {
            name: max([columns(title), *(columns(cells.get(name, "")) for _, cells in rows)])
            for name, title in _TITLES.items()
            if any(name in cells for _, cells in rows)
        }
        longest = max((columns(_slice(row)) for row, _ in rows), default=0)
        for goes in (None, *_GOES_FIRST):
            widths.pop(goes or "", None)
            name = width - _INDENT - sum(2 + one for one in widths.values())
            if name >= min(longest, _SLICE_WANTS):
                break
        return cls(width, max(1, min(name, longest)), widths)

    def line(self, name: str, cells: dict[str, str], style: str = "") -> Line:
        shown = "".join(f"  {pad(cells.get(column, ''), size, right=True)}" for column, size in self.widths.items())
        return [(cut(f"{' ' * _INDENT}{pad(fit(name, self.name), self.name)}{shown}".rstrip(), self.width), style)]


def _group(
    shown: Shown, members: list[tuple[ComparedClaim, dict[str, str]]], layout: _Layout, of: int
) -> Iterator[Line]:
    if not members:
        return
    title, summary = f"{shown} ", f" {len(members)} of {of}"
    yield [("", "")]
    yield [(title, STYLES[shown]), ("─" * (layout.width - columns(title) - columns(summary)), "dim"), (summary, "dim")]
    yield layout.line("", _TITLES, "dim")
    for (axis, test), rows in groupby(members, key=lambda one: (one[0].axis, one[0].test)):
        yield [(f"  {cut(f'{one_line(axis)}: {test_title(test)}', layout.width - 2)}", "")]
        for row, cells in rows:
            yield layout.line(_slice(row), cells)
            for note in _remarks(row):
                lines = wrap(note, layout.width - _INDENT - 4)
                yield from ([(f"{' ' * _INDENT}{'└ ' if line is lines[0] else '  '}{line}", "dim")] for line in lines)


def _slice(row: ComparedClaim) -> str:
    return one_line(row.slice) or "all cases"


def _cells(comparison: Comparison, row: ComparedClaim) -> dict[str, str]:
    cells = {"a": _side(row.a), "b": _side(row.b)}
    if (pairs := row.pairs) is None:
        return cells
    p = min((one.adjusted for one in (pairs.worse, pairs.better) if one.adjusted is not None), default=None)
    least = comparison.detectable(row)
    return cells | {
        "shared": str(pairs.shared),
        "changed": f"{pairs.worse.count}:{pairs.better.count}",
        "difference": _difference(pairs),
        "interval": _interval(pairs),
        "p": "–" if p is None else _p(p),
        "least": "–" if least is None else f"{percent(least, unit='')} pts",
    }


def _side(claim: ClaimResult | None) -> str:
    if claim is None:
        return "–"
    if claim.value is None:
        return str(claim.verdict)
    return f"{claim.verdict} {present(claim).value}"


def _difference(pairs: PairedOutcomes) -> str:
    if pairs.unit == "statement":
        return f"{pairs.difference:+.2f}".replace("-", "−")
    return f"{'+' if pairs.difference > 0 else ''}{percent(pairs.difference, unit=' pts')}"


def _interval(pairs: PairedOutcomes) -> str:
    low, high = pairs.interval
    if pairs.unit == "statement":
        return f"{low:.2f} to {high:.2f}".replace("-", "−")
    return span(low, high, unit="")


def _p(p: float) -> str:
    """P-value in two digits; never 0.

    >>> _p(0.0234), _p(1.0), _p(3e-9)
    ('0.023', '1', '< 0.0001')
    """
    return "< 0.0001" if p < 0.0001 else f"{p:.2g}"


def _remarks(row: ComparedClaim) -> Iterator[str]:
    """Remarks that a reader needs on a row beyond its cells."""
    if row.reason:
        yield one_line(row.reason)
    if (pairs := row.pairs) is None:
        return
    if row.a is not None and row.a.pairing.across:
        how_often = f"{percent(pairs.a)} in A, {percent(pairs.b)} in B"
        yield f"A and B show the gaps; what is compared is how often `{one_line(row.what)}` happened at all: {how_often}"
    if any(pairs.unread):
        in_a, in_b = pairs.unread
        yield f"of the shared, {in_a} could not be read in A and {in_b} in B: they count against whatever would be shown"


def _notes(comparison: Comparison) -> Iterator[str]:
    if comparison.one_model:
        yield "A and B have one fingerprint, so they are one model: what differs here is noise (an A/A comparison)"
    engines = [(header.get("model") or {}).get("engine") for header in (comparison.a, comparison.b)]
    if engines[0] != engines[1]:
        names = ", ".join(one_line(str(engine), 120) for engine in engines)
        yield f"the engines differ ({names}): part of a difference may be theirs, not the checkpoint's"


def _legend(comparison: Comparison, shown: Collection[str] = tuple(_TITLES)) -> Iterator[str]:
    """Legend of the columns that are shown."""
    if not comparison.compared:
        return
    enough = f"{comparison.least} cases, or templates where these came with several"
    words = {
        "a": "A and B: verdict and value of each claim, over all that it asked. The rest is over shared cases, each compared with itself.",
        "difference": "difference: B minus A. More of a rate is worse; of a scale, going towards its bound is.",
        "p": f"adjusted p: one-sided, of the likelier direction, by Holm over {plural(comparison.family, 'row')} in which enough changed "
        f"to show anything ({enough}); the others have none.",
        "least": "shows from: the true loss that as many cases show four times in five.",
    }
    yield from (sentence for name, sentence in words.items() if name in shown)
    yield f"Where nothing changed, any row at all is called worse at most {odds(comparison.alpha, 'comparisons')}, and any whole axis."


def consequence(comparison: Comparison) -> tuple[str, str]:
    """Consequence of the comparison, in one sentence, and its style."""
    worse, better, compared = comparison.count(Shown.WORSE), comparison.count(Shown.BETTER), comparison.compared
    if not compared:
        return "nothing could be compared", "red"
    left = len(comparison.rows) - compared
    rest = f"; {left} could not be compared" if left else ""
    also = f", better in {better}" if better else ""
    if comparison.worse:
        where = [f"in {worse} of {plural(compared, 'claim')}{also}"] if worse else []
        where += [f"over {lost}"] if (lost := axes.lost(comparison.axes)) else []
        return f"B is shown to be worse than A {'; '.join(where)}{rest}", "red"
    if better:
        return (
            f"B is shown to be better than A in {better} of {plural(compared, 'claim')}, worse in none{rest}",
            "green",
        )
    return (
        f"no difference is shown in {plural(compared, 'claim')}{rest}; that does not prove that there is none",
        "bold",
    )


def as_markdown(comparison: Comparison) -> str:
    """Markdown document: who was compared, one table with all rows, what is not comparable and why, the consequence."""
    lines = [
        f"- **{side}**: {_escaped(' · '.join(model_facts(header)))}"
        for side, header in (("A", comparison.a), ("B", comparison.b))
    ]
    lines += [f"- {_escaped(note)}" for note in _notes(comparison)]
    titles = ("", "claim", *_TITLES.values())
    lines += ["", f"| {' | '.join(titles)} |", f"|{'---|' * len(titles)}"]
    for row in sorted(comparison.rows, key=lambda row: list(Shown).index(row.shown)):
        cells = _cells(comparison, row)
        word = f"**{row.shown}**" if row.shown in (Shown.WORSE, Shown.BETTER) else str(row.shown)
        name = f"{one_line(row.axis)}: {test_title(row.test)} ({_slice(row)})"
        remarks = "".join(f"<br>{_escaped(remark)}" for remark in _remarks(row))
        lines.append(
            f"| {word} | {_escaped(name)}{remarks} | {' | '.join(_escaped(cells.get(key, '–')) for key in _TITLES)} |"
        )
    lines += [""] if comparison.axes else []
    for one in comparison.axes:
        lines.append(f"- {_escaped(axes.title(one))}: **{one.verdict}**. {'<br>'.join(map(_escaped, axes.notes(one)))}")
    lines += ["", f"**{consequence(comparison)[0]}** (alpha {declared(comparison.alpha)}).", ""]
    return "\n".join([*lines, *(f"- {_escaped(sentence)}" for sentence in _legend(comparison))])


def _escaped(text: str) -> str:
    """Text escaped for Markdown."""
    return _SPECIAL.sub(r"\\\1", text)


def as_json(comparison: Comparison) -> Json:
    """Comparison as plain data: headers, level, counts, and every row with its raw and adjusted p-values."""
    return {
        "a": comparison.a, "b": comparison.b, "one_model": comparison.one_model, "alpha": comparison.alpha,
        "least_changed": comparison.least, "family": comparison.family, "compared": comparison.compared,
        "counts": {str(shown): comparison.count(shown) for shown in Shown},
        "rows": [_row_json(comparison, row) for row in comparison.rows],
        "regressions": [one.to_json() for one in comparison.axes], "consequence": consequence(comparison)[0],
    }  # fmt: skip


def _row_json(comparison: Comparison, row: ComparedClaim) -> Json:
    data: Json = {
        **{name: getattr(row, name) for name in ("axis", "probe", "test", "slice", "kind", "what", "reason")},
        "shown": str(row.shown), "a": _claim_json(row.a), "b": _claim_json(row.b), "pairs": None,
    }  # fmt: skip
    if row.pairs is not None:
        extra = {"p_two_sided": row.pairs.p_two_sided, "detectable": comparison.detectable(row)}
        data["pairs"] = {**dataclasses.asdict(row.pairs), **extra}
    return data


def _claim_json(claim: ClaimResult | None) -> Json | None:
    if claim is None:
        return None
    names = ("value", "interval", "asked", "bank", "bad", "unread")
    return {"verdict": str(claim.verdict), **{name: getattr(claim, name) for name in names}}
