"""Command `alignsuite score`: questionnaire scores of given answers, people's or a model's, without any model."""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING, Any

from alignsuite.cli.command import OK, Command

if TYPE_CHECKING:
    from collections.abc import Mapping

    from alignsuite.questionnaires import Instrument, Norm, Scores


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("instrument", metavar="INSTRUMENT", help="as `alignsuite instruments list` names it")
    parser.add_argument(
        "file",
        metavar="FILE.csv",
        help="columns item and answer, respondent for several people; - reads standard input",
    )
    parser.add_argument("--json", action="store_true", help="one JSON document instead of the table")
    parser.add_argument("--facets", action="store_true", help="facets too")
    parser.add_argument("--norms", metavar="GROUP", help="compare with these people, where norms differ by sex and age")


def _run(arguments: argparse.Namespace) -> int:
    from alignsuite.questionnaires import key, read_sheets, score

    instrument = key(arguments.instrument)
    norms = _norms(instrument, arguments.norms)
    content, place = _read(arguments.file)
    scored = {name: score(instrument, sheet) for name, sheet in read_sheets(instrument, content, place).items()}
    if arguments.json:
        chosen = norms if arguments.norms else {}
        print(json.dumps(_document(scored, arguments.facets, chosen)))
    else:
        print("\n".join(_text(instrument, scored, arguments.facets, norms)))
    return OK


def _read(file: str) -> tuple[bytes, str]:
    """Bytes of a file, and its name in messages.

    Raises:
        InstrumentError: it can't be read.
    """
    from pathlib import Path

    from alignsuite.errors import InstrumentError

    if file == "-":
        return sys.stdin.buffer.read(), "standard input"
    try:
        return Path(file).read_bytes(), file
    except OSError as error:
        raise InstrumentError(f"{file} can't be read: {error.strerror}") from None


def _norms(instrument: Instrument, group: str | None) -> Mapping[str, Norm]:
    from alignsuite.errors import InstrumentError, did_you_mean

    if group is None:
        return instrument.norms
    if group not in instrument.norm_groups:
        near = did_you_mean(group, instrument.norm_groups)
        raise InstrumentError(f"--norms={group}: {instrument.name} has no norms of that name; {near}")
    return instrument.norm_groups[group]


def _document(scored: Mapping[str, Scores], facets: bool, norms: Mapping[str, Norm]) -> dict[str, Any]:
    """Scores as a document: `{"scores": …}` for one respondent; for several, `{"respondents": […]}` of such."""
    sheets = []
    for name, scores in scored.items():
        sheet: dict[str, Any] = {"respondent": name} if len(scored) > 1 else {}
        sheet["scores"] = {trait: _number(value) for trait, value in scores.traits.items()}
        if facets:
            sheet["facets"] = {facet: _number(value) for facet, value in scores.facets.items()}
        values = {**scores.traits, **(scores.facets if facets else {})}
        if norms:
            sheet["d"] = {scale: norms[scale].d(value) for scale, value in values.items() if scale in norms}
        sheets.append(sheet)
    return sheets[0] if len(sheets) == 1 else {"respondents": sheets}


def _number(value: float) -> float:
    return int(value) if value.is_integer() else value


def _text(instrument: Instrument, scored: Mapping[str, Scores], facets: bool, norms: Mapping[str, Norm]) -> list[str]:
    from alignsuite.text.clean import clean

    lines = [f"{instrument.title} · {instrument.scoring} of the statements"]
    for name, scores in scored.items():
        lines += ["", f"respondent {clean(name, 60)}"] if name else [""]
        lines += _table(instrument, scores, facets, norms)
    used = next(iter(norms.values()), None)
    if used is not None:
        lines += ["", f"d and T: against {used.population}{f', N = {used.n}' if used.n else ''} ({used.source})"]
    elif instrument.norm_groups:
        lines += ["", f"norms differ by sex and age: --norms with one of {', '.join(instrument.norm_groups)}"]
    if instrument.bands:
        lines += ["", f"in words: {instrument.bands_source}"]
    return lines


def _table(instrument: Instrument, scores: Scores, facets: bool, norms: Mapping[str, Norm]) -> list[str]:
    head = ["", "score", "possible", *(["people", "d", "T"] if norms else []), *(["in words"] if scores.bands else [])]
    rows = [head]
    for trait, value in scores.traits.items():
        rows.append([trait, *_cells(instrument, trait, value, norms), *([scores.bands[trait]] if scores.bands else [])])
        if facets:
            own = dict.fromkeys(item.facet for item in instrument.traits[trait] if item.facet)
            rows += [[f"  {facet}", *_cells(instrument, facet, scores.facets[facet], norms)] for facet in own]
    widths = [max(len(row[column]) for row in rows if column < len(row)) for column in range(len(head))]
    return ["  ".join(cell.ljust(size) for cell, size in zip(row, widths, strict=False)).rstrip() for row in rows]


def _cells(instrument: Instrument, scale: str, value: float, norms: Mapping[str, Norm]) -> list[str]:
    low, high = instrument.limits(scale)
    cells = [f"{value:.4g}" if instrument.scoring == "sum" else f"{value:.2f}", f"{low:g}–{high:g}"]
    if norms:
        norm = norms.get(scale)
        cells += (
            [f"{norm.mean:.2f} ± {norm.sd:.2f}", f"{norm.d(value):+.2f}", f"{norm.t(value):.0f}"] if norm else ["-"] * 3
        )
    return cells


COMMAND = Command("score answers to a questionnaire", _run, _arguments)
