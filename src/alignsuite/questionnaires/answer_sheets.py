"""Answer sheets: a CSV file of `item`, `answer` and perhaps `respondent` as answers by respondent and item.

A wrong line is told with its number rather than left out: a score with a hole in it looks like any other.
"""

from __future__ import annotations

import re

from alignsuite.errors import InstrumentError
from alignsuite.questionnaires.csv_tables import read_table
from alignsuite.questionnaires.instrument import Instrument
from alignsuite.questionnaires.scoring import listed

Sheets = dict[str, dict[int, float]]
"""Raw answers by respondent, in the file's order; "" is the respondent of a file that names none."""

_NUMBER = re.compile(r"[+-]?[0-9]{1,9}(\.[0-9]{1,30})?\Z", re.ASCII)


def read_sheets(instrument: Instrument, content: bytes, place: str) -> Sheets:
    """The complete answers of every respondent in a CSV file; lines may come in any order.

    Raises:
        InstrumentError: for the first thing that is wrong, as `place:line`, the value, and what was wanted.
    """
    sheets: Sheets = {}
    seen: dict[tuple[str, int], int] = {}
    for line, fields in read_table(content, place, ("item", "answer"), ("respondent",)):
        where = f"{place}:{line}"
        respondent = fields.get("respondent", "")
        if "respondent" in fields and not respondent:
            raise InstrumentError(f"{where}: the respondent is empty; wanted a name or number on every line")
        number = _item(instrument, fields["item"], where)
        if (respondent, number) in seen:
            raise InstrumentError(
                f"{where}: item {number} stands twice{_of(respondent)} (first in line {seen[respondent, number]})"
            )
        seen[respondent, number] = line
        sheets.setdefault(respondent, {})[number] = _answer(instrument, fields["answer"], where)
    if not sheets:
        raise InstrumentError(f"{place}: there are no answers under the header; wanted one line for each item")
    for respondent, answers in sheets.items():
        _check_whole(instrument, respondent, answers, place)
    return sheets


def _item(instrument: Instrument, text: str, where: str) -> int:
    if not (text.isascii() and text.isdigit()) or not 1 <= int(text[:9]) <= len(instrument.items):
        raise InstrumentError(
            f"{where}: `{text[:40]}` is no item of {instrument.name}; wanted 1 to {len(instrument.items)}"
        )
    return int(text)


def _answer(instrument: Instrument, text: str, where: str) -> float:
    wanted = f"wanted a number from 1 ({instrument.anchors[0]}) to {instrument.points} ({instrument.anchors[-1]})"
    if not text:
        raise InstrumentError(f"{where}: the answer is empty; {wanted}: nothing is filled in for a missing answer")
    if not _NUMBER.match(text):
        hint = ", with a decimal point" if re.fullmatch(r"[0-9]+,[0-9]+", text) else ""
        raise InstrumentError(f"{where}: the answer `{text[:40]}` is no number; {wanted}{hint}")
    if not 1 <= float(text) <= instrument.points:
        raise InstrumentError(f"{where}: the answer {text} is out of range; {wanted}")
    return float(text)


def _check_whole(instrument: Instrument, respondent: str, answers: dict[int, float], place: str) -> None:
    missing = [item.number for item in instrument.items if item.number not in answers]
    if missing:
        raise InstrumentError(
            f"{place}: no answer to item{'s' * (len(missing) > 1)} {listed(missing)} of {instrument.name}{_of(respondent)} "
            f"({len(missing)} of {len(instrument.items)}); an incomplete sheet has no score"
        )


def _of(respondent: str) -> str:
    return f" for respondent `{respondent[:40]}`" if respondent else ""
