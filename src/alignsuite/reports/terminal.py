"""Terminal section of a run, for the end of a session and for `alignsuite report`.

Axis by axis, a line a record. Where the terminal is narrow, columns go before names do. Replies are shown only on request,
and cleaned.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from alignsuite.reports import axes, footprint
from alignsuite.reports.explanation import explain
from alignsuite.reports.rows import STYLES, TITLES, RecordRow, deciding, row
from alignsuite.runs.multiplicity import describe
from alignsuite.runs.records import Example, Record, Run, Verdict
from alignsuite.text.cells import columns, cut, fit, one_line, pad, wrap
from alignsuite.text.clean import clean
from alignsuite.text.numbers import plural
from alignsuite.text.risk import in_words

__all__ = ["explain", "section"]

LEAST_WIDTH = 40

_CODES = {"green": "32", "yellow": "33", "magenta": "35", "red": "31", "dim": "2", "bold": "1"}
_GOES_FIRST = ("energy", "stored", "tokens", "time", "interval", "counts")
_NAME_WANTS = 20
_MARK = "✗"

Line = list[tuple[str, str]]
"""Pieces of text, each with its style."""


def section(run: Run, *, width: int = 100, color: bool = False, show: int = 0) -> list[str]:
    """Lines of the terminal section.

    Args:
        run: header, records and summary; keys that are missing are left unsaid.
        width: no line is wider; below 40 it counts as 40.
        color: whether to add ANSI colours.
        show: how many of each record's examples to print, replies and all.
    """
    width = max(width, LEAST_WIDTH)
    rows = [row(record) for record in run.records]
    layout = _Layout.of(rows, width)
    lines = [*_header(run, width), *([layout.titles()] if any(one.cells for one in rows) else [])]
    for axis, members in groupby(sorted(rows, key=lambda one: one.record.axis), key=lambda one: one.record.axis):
        lines += _axis(axis, list(members), layout, show)
    lines += axes.lines(run.regressions, width, layout.word)
    return [paint(line, color) for line in [*lines, *_closing(run, width)]]


def _header(run: Run, width: int) -> Iterator[Line]:
    first, *rest = wrap(" · ".join(model_facts(run.header)), width - 2)
    yield [(first, "bold")]
    yield from ([(f"  {line}", "")] for line in rest)


def model_facts(header: Mapping[str, Any]) -> list[str]:
    """Facts of the model: name, engine, how a server took it, stage and form, tier, the fingerprint's beginning."""
    model = header.get("model")
    model = model if isinstance(model, Mapping) else {"name": model}
    stage = ", ".join(str(header[key]) for key in ("stage", "form") if header.get(key))
    against = f"against {header['baseline']}" if header.get("baseline") else "census" if header.get("census") else ""
    tier = f"tier {header['tier']}" if header.get("tier") else ""
    fingerprint = str(model.get("fingerprint") or header.get("fingerprint") or "")
    details = model.get("details")
    asked = details.get("parameters") if isinstance(details, Mapping) else None
    parts = [
        model.get("name") or "unnamed model",
        model.get("engine"),
        f"asked {asked}" if asked else "",
        stage,
        tier,
        against,
        *_ways_of_asking(header),
        short_fingerprint(fingerprint),
    ]
    return [one_line(str(part), 120) for part in parts if part]


def _ways_of_asking(header: Mapping[str, Any]) -> Iterator[str]:
    """What the model's template and its requests got besides, as the options that gave it say it."""
    arguments = header.get("template_arguments")
    if isinstance(arguments, Mapping) and arguments:
        yield "template " + ", ".join(f"{name}={json.dumps(value)}" for name, value in arguments.items())
    if header.get("body"):
        yield f"body {json.dumps(header['body'])}"
    if header.get("thinking_tokens"):
        yield f"{header['thinking_tokens']} tokens for thinking"


def short_fingerprint(fingerprint: str) -> str:
    """Short fingerprint: the first twelve characters of what stands behind the last colon.

    >>> short_fingerprint("sha256:3f2a9c1be77d04aa5521")
    '3f2a9c1be77d'
    """
    return fingerprint.rsplit(":", 1)[-1][:12]


@dataclass(frozen=True)
class _Layout:
    """Layout of columns. `widths` holds those that fit, in order."""

    width: int
    word: int
    name: int
    widths: dict[str, int]

    @classmethod
    def of(cls, rows: Sequence[RecordRow], width: int) -> _Layout:
        widths = {
            name: max([columns(title), *(columns(one.cells[name]) for one in rows if name in one.cells)])
            for name, title in TITLES.items()
            if any(name in one.cells for one in rows)
        }
        word = max((columns(one.word) for one in rows), default=4)
        longest = max((columns(_label(one)) for one in rows), default=0)
        for goes in (None, *_GOES_FIRST):
            widths.pop(goes or "", None)
            name = width - 2 - word - 2 - sum(2 + one for one in widths.values())
            if name >= min(longest, _NAME_WANTS):
                break
        return cls(width, word, min(name, max(longest, _NAME_WANTS)), widths)

    @property
    def indent(self) -> int:
        """Column where names begin."""
        return 2 + self.word + 2

    def titles(self) -> Line:
        titles = "".join(f"  {pad(TITLES[name], size, right=True)}" for name, size in self.widths.items())
        return [(f"{' ' * (self.indent + self.name)}{titles}".rstrip(), "dim")]

    def line(self, one: RecordRow, name: str) -> Line:
        cells = [f"  {pad(one.cells.get(column, ''), size, right=True)}" for column, size in self.widths.items()]
        rest = f"  {pad(fit(name, self.name), self.name)}{''.join(cells)}".rstrip()
        return [(f"{_MARK} " if one.blocks else "  ", "red"), (pad(one.word, self.word), one.style), (rest, "")]


def _label(one: RecordRow) -> str:
    return f"{one.test} [{one.slice}]" if one.slice else one.test


def _axis(axis: str, rows: list[RecordRow], layout: _Layout, show: int) -> Iterator[Line]:
    word, style = _summary_word(rows)
    blocking = sum(one.blocks for one in rows)
    summary = (
        f" {word} · {blocking} of {len(rows)} {'blocks' if blocking == 1 else 'block'}" if blocking else f" {word}"
    )
    title = f"{cut(one_line(axis) or 'no axis', layout.width - columns(summary) - 4)} "
    yield [("", "")]
    yield [(title, "bold"), ("─" * (layout.width - columns(title) - columns(summary)), "dim"), (summary, style)]
    judged = [one for one in rows if not _merely_skipped(one)]
    for _, group in groupby(judged, key=lambda one: (one.record.probe, one.record.test)):
        yield from _test(list(group), layout, show)
    yield from _skipped([one for one in rows if _merely_skipped(one)], layout)


def _merely_skipped(one: RecordRow) -> bool:
    """Whether an item was not for this run: many are so for one and the same reason."""
    return one.record.outcome == "skipped" and one.record.verdict is None and not one.record.claims


def _skipped(rows: Sequence[RecordRow], layout: _Layout) -> Iterator[Line]:
    """Lines of the skipped items of an axis, reason by reason; one by itself keeps its name."""
    reasons: dict[str, list[RecordRow]] = {}
    for one in rows:
        reasons.setdefault(one_line(one.record.reason), []).append(one)
    for reason, alike in reasons.items():
        name = _label(alike[0]) if len(alike) == 1 else plural(len(alike), "item")
        yield layout.line(alike[0], name)
        first, *rest = wrap(reason or "no reason was given", layout.width - layout.indent - 4)
        yield [(f"{' ' * layout.indent}  └ {first}", "dim")]
        yield from ([(f"{' ' * layout.indent}    {line}", "dim")] for line in rest)


def _test(rows: list[RecordRow], layout: _Layout, show: int) -> Iterator[Line]:
    inline = len(rows) == 1 and columns(_label(rows[0])) <= layout.name
    if not inline:
        yield [(" " * layout.indent + fit(rows[0].test, layout.width - layout.indent), "")]
    for one in rows:
        yield layout.line(one, _label(one) if inline else f"  {one.slice or 'all cases'}")
        yield from _notes(one, layout)
        yield from _examples(one.record, layout, show)


def _notes(one: RecordRow, layout: _Layout) -> Iterator[Line]:
    room = layout.width - layout.indent - 4
    for note in one.notes:
        first, *rest = wrap(note.text, room)
        yield [(f"{' ' * layout.indent}  └ {first}", note.style)]
        if rest:
            yield [(f"{' ' * layout.indent}    {cut(' '.join(rest), room)}", note.style)]


def _examples(record: Record, layout: _Layout, show: int) -> Iterator[Line]:
    claim = deciding(record)
    if claim is None or show <= 0:
        return
    for example in claim.examples[:show]:
        yield from _example(example, min(layout.indent, 8), layout.width)


def _example(example: Example, indent: int, width: int) -> Iterator[Line]:
    evidence = f" · “{one_line(example.evidence)}”" if example.evidence else ""
    blank = " " * indent
    for line in wrap(f"case {one_line(example.case)} · {one_line(example.label)}{evidence}", width - indent):
        yield [(f"{blank}{line}", "bold")]
    for role, text in (("prompt", example.prompt), ("thought", example.thought), ("reply", example.reply)):
        if role == "thought" and not text:
            continue
        for index, line in enumerate(wrap(clean(text).strip("\n"), width - indent - 10)):
            yield [(f"{blank}  {role if index == 0 else '':<7} {line}", "dim" if role == "thought" else "")]


def _summary_word(rows: Iterable[RecordRow]) -> tuple[str, str]:
    """Word of an axis: FAIL before errors, errors before the milder verdicts, skips last."""
    ranks = {one.word: (_rank(one), one.style) for one in rows}
    word = max(ranks, key=lambda word: ranks[word][0])
    return word, ranks[word][1]


def _rank(one: RecordRow) -> float:
    if one.record.verdict is not None:
        return one.record.verdict.severity
    return {"red": 3.5, "yellow": 1.5}.get(one.style, -1)


def _closing(run: Run, width: int) -> Iterator[Line]:
    yield [("", "")]
    yield [("─" * width, "dim")]
    yield from _counts(run.records, width)
    for told in footprint.lines(run):
        yield from ([(line, "dim")] for line in wrap(told, width))
    compared = sum(one.p is not None for one in run.regressions)
    for sentence in describe(run.summary.get("together") or {}, compared):
        yield from ([(line, "dim")] for line in wrap(one_line(sentence, 2000), width))
    for sentence in in_words(run.summary.get("risk") or {}):
        yield from ([(line, "dim")] for line in wrap(one_line(sentence, 2000), width))
    for note in run.summary.get("notes") or ():
        yield from ([(line, "yellow")] for line in wrap(one_line(str(note)), width))
    text, style = consequence(run)
    yield from ([(line, style)] for line in wrap(text, width))


def _counts(records: Sequence[Record], width: int) -> Iterator[Line]:
    counted = Counter(row(record).word for record in records)
    verdicts = [str(verdict) for verdict in Verdict]
    styles = {str(verdict): style for verdict, style in STYLES.items()}
    words = sorted(counted, key=lambda word: (verdicts.index(word) if word in verdicts else len(verdicts), word))
    line: Line = [(f"{plural(len(records), 'probe')}: " if words else "no probes", "")]
    for word in words:
        piece = f"{counted[word]} {word}"
        if sum(columns(text) for text, _ in line) + columns(piece) + 3 > width:
            yield line
            line = [("  ", "")]
        elif len(line) > 1:
            line.append((" · ", "dim"))
        line.append((piece, styles.get(word, "")))
    yield line


def consequence(run: Run) -> tuple[str, str]:
    """Consequence of the run, in one sentence, and its style."""
    records, cut_off = run.records, run.cut_off
    items = sum(record.blocks for record in records) + len((run.summary.get("together") or {}).get("also", ()))
    by = [f"{items} of {plural(len(records), 'probe')}"] if items else []
    by += [f"what got worse over {lost}"] if (lost := axes.lost(run.regressions)) else []
    if by:
        return f"blocked by {'; by '.join(by)}{f'; {one_line(cut_off, 2000)}' if cut_off else ''}", "red"
    if cut_off:
        return (
            f"{one_line(cut_off, 2000)}: this is no pass; run it again, replies in the store are not asked twice",
            "red",
        )
    if not any(record.verdict for record in records):
        return "nothing blocks, but nothing was measured either: this is no pass", "yellow"
    return "nothing blocks", "green"


def passes(run: Run) -> bool:
    """Whether the run was whole, something was judged, and nothing blocks."""
    return consequence(run)[1] == "green"


def paint(line: Line, color: bool) -> str:
    return "".join(
        f"\x1b[{_CODES[style]}m{text}\x1b[0m" if color and style and text.strip() else text for text, style in line
    ).rstrip(" ")
