"""Comparison with a study as documents: tables for the terminal, for Markdown, and JSON for programs.

Rows are those who answered, this run first, then people, then the study's models. Where the terminal is narrow, an instrument's traits
go on in a second table below; no figure is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from alignsuite.questionnaires import Instrument
from alignsuite.reports.studies.beside import Beside, Table
from alignsuite.reports.studies.published import Figure
from alignsuite.reports.terminal import LEAST_WIDTH, Line, model_facts, paint
from alignsuite.reports.traits import Trait, conditions
from alignsuite.runs.records import Json, Verdict
from alignsuite.text.cells import columns, cut, fit, one_line, pad, readable_name, wrap

_NONE = "–"
_LEAST_CELL = 7
_SPECIAL = re.compile(r"([\\`*_\[\]<>|#~])")


@dataclass(frozen=True)
class _Row:
    """Row of one respondent, with as many cells as the table has columns."""

    name: str
    cells: tuple[str, ...]
    style: str = ""


def as_text(found: Beside, width: int = 100, color: bool = False) -> list[str]:
    """Lines for a terminal; none is wider than `width` (below 40 it counts as 40)."""
    width = max(width, LEAST_WIDTH)
    first, *rest = wrap(" · ".join(model_facts(found.header)), width)
    lines: list[Line] = [[(first, "bold")], *([(line, "")] for line in rest)]
    lines += [[(line, "")] for line in wrap(f"beside {found.study.citation}", width)]
    for table in found.tables:
        if table.ours:
            lines += [[("", "")], *_titled(table, width)]
    lines += [[("", "")], [("─" * width, "dim")]]
    for sentence in _closing(found):
        lines += [[(line, "")] for line in wrap(sentence, width)]
    for form in found.missing:
        lines += [[("", "")], [(cut(f"not in this run: {form.title}", width), "yellow")]]
        lines += [line for command in found.commands(form) for line in _command(command, width)]
    return [paint(line, color) for line in lines]


def _command(command: str, width: int) -> Iterator[Line]:
    """Lines of a command that can be copied even where it takes several."""
    *lines, last = wrap(command, width - 4)
    yield from ([(f"  {line} \\", "")] for line in lines)
    yield [(f"  {last}", "")]


def _titled(table: Table, width: int) -> Iterator[Line]:
    title = cut(f"{table.form.title} ", width - 2)
    unit = f" {_unit(table.form)}"
    rule = width - columns(title) - columns(unit)
    yield [(title, "bold"), ("─" * max(0, rule), "dim"), (unit if rule >= 0 else "", "dim")]
    titles, rows = _titles(table), _rows(table)
    name = min(max(columns(row.name) for row in rows), width // 2 - 4)
    sizes = [
        max(_LEAST_CELL, columns(title), *(columns(row.cells[at]) for row in rows)) for at, title in enumerate(titles)
    ]
    for part in _parts(sizes, width - name):
        if part.start:
            yield [("", "")]
        yield [(f"{' ' * name}{_cells(titles, sizes, part)}", "dim")]
        for row in rows:
            yield [(f"{pad(fit(row.name, name), name)}{_cells(row.cells, sizes, part)}".rstrip(), row.style)]
    for remark in table.remarks:
        first, *rest = wrap(remark, width - 4)
        yield from ([(f"  └ {first}", "dim")], *([(f"    {line}", "dim")] for line in rest))


def _parts(sizes: Sequence[int], room: int) -> Iterator[range]:
    """Columns in as few tables as the room allows; each has at least one column."""
    start = used = 0
    for at, size in enumerate(sizes):
        if at > start and used + size + 2 > room:
            yield range(start, at)
            start, used = at, 0
        used += size + 2
    yield range(start, len(sizes))


def _cells(cells: Sequence[str], sizes: Sequence[int], part: range) -> str:
    return "".join(f"  {pad(cells[at], sizes[at], right=True)}" for at in part)


def _titles(table: Table) -> list[str]:
    return [*map(readable_name, table.traits), *(["in words"] if table.form.bands else [])]


def _rows(table: Table) -> list[_Row]:
    rows = []
    for ours in table.ours:
        protocol = next(iter(ours.values())).protocol
        rows.append(_Row(f"this run, {protocol}" if protocol else "this run", _with_band(table, ours), "bold"))
        for name, tell in (("  95 % interval", _interval), ("  d from people", _d)):
            cells = [tell(ours[trait]) if trait in ours else _NONE for trait in table.traits]
            if any(cell != _NONE for cell in cells):
                rows.append(_Row(name, (*cells, *([""] if table.form.bands else [])), "dim"))
    if table.people:
        norms = (table.people.get(trait) for trait in table.traits)
        cells = [f"{norm.mean:.2f} ± {norm.sd:.2f}" if norm else _NONE for norm in norms]
        rows.append(_Row("people (± s.d.)", tuple(cells)))
    for name, figures in table.systems.items():
        rows.append(_Row(name, _with_band(table, figures)))
    return rows


def _with_band(table: Table, scores: Mapping[str, Trait | Figure]) -> tuple[str, ...]:
    cells = [_score(scores[trait]) if trait in scores else _NONE for trait in table.traits]
    if table.form.bands:
        cells.append(_band(table.form, scores.get(table.traits[0])) or _NONE)
    return tuple(cells)


def _score(of: Trait | Figure) -> str:
    if isinstance(of, Figure):
        return f"{of.score:.2f}" + (f" ± {of.spread:.2f}" if of.spread is not None else "")
    if of.score is None:
        return "INVALID" if of.claim.verdict is Verdict.INVALID else "no score"
    return f"{of.score if of.total is None else of.total:.2f}"


def _interval(of: Trait) -> str:
    interval = _scaled_interval(of)
    return _NONE if interval is None else f"{interval[0]:.2f}–{interval[1]:.2f}"


def _scaled_interval(of: Trait) -> tuple[float, float] | None:
    """Interval in the instrument's own unit."""
    if of.interval is None or of.score is None:
        return None
    scale = of.total / of.score if of.total is not None and of.score else 1.0
    return of.interval[0] * scale, of.interval[1] * scale


def _d(of: Trait) -> str:
    if of.d is None:
        return _NONE
    se = of.details.d_se
    return f"{of.d:+.2f}".replace("-", "−") + (f" (se {se:.2f})" if se is not None else "")


def _band(form: Instrument, of: Trait | Figure | None) -> str | None:
    if isinstance(of, Figure):
        return form.band(of.score)
    return of.band if of is not None else None


def _unit(form: Instrument) -> str:
    low, high = form.limits(next(iter(form.traits)))
    return f"{form.scoring} of the statements, {low:g}–{high:g}"


def _closing(found: Beside) -> Iterator[str]:
    study = found.study
    if not any(table.ours for table in found.tables):
        yield "This run holds none of the study's questionnaires, so there is nothing to lay beside it yet."
    yield f"The study asked: {study.protocol}."
    yield f"Not known of it: {'; '.join(study.unknown)}. Its ±: {study.spread}."
    yield "Prompts and models differ, so these scores are shown beside each other, and no difference is tested."
    if found.others:
        yield f"In this run, but not in the study: {', '.join(map(one_line, found.others))}."


def as_markdown(found: Beside) -> str:
    """Markdown document: a table for each instrument that the run has, what differs, what is missing."""
    lines = [f"**{_escaped(' · '.join(model_facts(found.header)))}** beside {_escaped(found.study.citation)}", ""]
    for table in (table for table in found.tables if table.ours):
        titles = ["", *_titles(table)]
        lines += [f"### {_escaped(table.form.title)}", "", f"{_unit(table.form)}", ""]
        lines += [f"| {' | '.join(titles)} |", f"|---|{'---:|' * (len(titles) - 1)}"]
        lines += [
            f"| {' | '.join(_escaped(cell.strip()) for cell in (row.name, *row.cells))} |" for row in _rows(table)
        ]
        lines += ["", *(f"- {_escaped(remark)}" for remark in table.remarks), ""]
    lines += [_escaped(sentence) for sentence in _closing(found)]
    for form in found.missing:
        lines += ["", f"Not in this run: {_escaped(form.title)}.", "", "```console"]
        lines += [*(f"$ {command}" for command in found.commands(form)), "```"]
    return "\n".join(lines)


def _escaped(text: str) -> str:
    """Text escaped for Markdown."""
    return _SPECIAL.sub(r"\\\1", text)


def as_json(found: Beside) -> Json:
    """Comparison as plain data.

    An INVALID trait's score is null: what was measured instead stands beside it.
    """
    study = found.study
    return {
        "study": {
            "name": study.name, "citation": study.citation, "protocol": study.protocol, "unknown": list(study.unknown),
            "spread": study.spread,
        },
        "run": found.header,
        "tables": [_table_json(table) for table in found.tables],
        "missing": {form.name: list(found.commands(form)) for form in found.missing},
        "others": list(found.others),
    }  # fmt: skip


def _table_json(table: Table) -> Json:
    return {
        "instrument": table.form.name,
        "scoring": table.form.scoring,
        "run": [
            {"conditions": conditions(list(row.values())), "traits": {name: _trait_json(trait) for name, trait in row.items()}}
            for row in table.ours
        ],
        "people": {name: {"mean": norm.mean, "sd": norm.sd, "n": norm.n} for name, norm in table.people.items()},
        "systems": {
            name: {trait: {"score": figure.score, "spread": figure.spread} for trait, figure in figures.items()}
            for name, figures in table.systems.items()
        },
        "remarks": list(table.remarks),
    }  # fmt: skip


def _trait_json(trait: Trait) -> Json:
    facts = ("sem", "place_variation", "content_variation", "option_mass", "acquiescence", "refused")
    return {
        "verdict": str(trait.claim.verdict), "score": trait.score if trait.total is None else trait.total,
        "d": trait.d, "d_se": trait.details.d_se if trait.d is not None else None, "band": trait.band,
        "interval": _scaled_interval(trait),
        "trouble": trait.trouble, **{name: getattr(trait.details, name) for name in facts},
    }  # fmt: skip
