"""Item matching: the lines of a file to the statements of an instrument, by fingerprint, refused one by one.

A wording that differs by a word may measure something else, so it is not taken for the published one. All that can be said
of a line that is no statement is which item it most likely stands for.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from alignsuite.errors import InstrumentError
from alignsuite.questionnaires.catalogue import key, known
from alignsuite.questionnaires.fingerprints import fingerprint, normalised
from alignsuite.questionnaires.instrument import Instrument, Item
from alignsuite.questionnaires.scoring import listed

_SHOWN = 8


@dataclass(frozen=True)
class Line:
    """A statement in a file, with its line.

    `number` and `key` are what the file gives it, None where it gives none.
    """

    where: str
    text: str
    number: int | None = None
    reversed: bool | None = None


def recognised(
    instrument: Instrument, lines: Sequence[Line], place: str, earlier: Mapping[int, str] | None = None
) -> dict[int, str]:
    """The statement of every item, in the order of the key.

    Args:
        instrument: whose statements are wanted.
        lines: the file's lines, in its order.
        place: the file as it is called in messages.
        earlier: the right wording where it is at hand, so that a refusal can name the nearest statement.

    Raises:
        InstrumentError: naming each line that is no statement of the key, is keyed otherwise there, or stands twice; or the items
            that no line holds. The first eight complaints are given in full.
    """
    by_print = {item.fingerprint: item for item in instrument.items}
    found: dict[int, Line] = {}
    strange: list[tuple[int, Line]] = []
    problems: list[str] = []
    for place_in_file, line in enumerate(lines, start=1):
        item = by_print.get(fingerprint(line.text))
        if item is None:
            strange.append((place_in_file, line))
        elif item.number in found:
            problems.append(f"{line.where}: item {item.number} stands twice (first at {found[item.number].where})")
        else:
            found[item.number] = line
            problems += _keyed_otherwise(instrument, item, line)
    if not found and lines:
        _refuse_another(instrument, lines, place)
    missing = {item.number: item for item in instrument.items if item.number not in found}
    for place_in_file, line in strange:
        problems.append(_refusal(instrument, line, _meant(line, place_in_file, missing, earlier or {})))
    if missing and not strange:
        problems.append(f"{place} lacks item{'s' * (len(missing) > 1)} {listed(list(missing))} of {instrument.name}")
    if problems:
        more = [f"and {len(problems) - _SHOWN} more"] if len(problems) > _SHOWN else []
        raise InstrumentError(";\n".join([*problems[:_SHOWN], *more, "nothing was kept"]))
    return {item.number: found[item.number].text for item in instrument.items}


def _refuse_another(instrument: Instrument, lines: Sequence[Line], place: str) -> None:
    """Say so once where a file holds a whole other instrument."""
    prints = {fingerprint(line.text) for line in lines}
    for name in known():
        if {item.fingerprint for item in key(name).items} <= prints:
            raise InstrumentError(f"{place} holds the statements of {name}, and none of {instrument.name}")


def _keyed_otherwise(instrument: Instrument, item: Item, line: Line) -> list[str]:
    if line.reversed is None or line.reversed == item.reversed:
        return []
    ours, theirs = ("reversed", "not reversed") if item.reversed else ("not reversed", "reversed")
    return [f"{line.where}: item {item.number} is {theirs} here, but {ours} in the published key of {instrument.name}"]


def _meant(line: Line, place_in_file: int, missing: Mapping[int, Item], earlier: Mapping[int, str]) -> Item | None:
    """The item that a strange line stands for.

    The one of the nearest wording, else of its number, else of its place, else the only one left.
    """
    texts = {normalised(text): number for number, text in earlier.items()}
    near = difflib.get_close_matches(normalised(line.text), texts, n=1)
    for number in (texts[near[0]] if near else None, line.number, place_in_file):
        if number is not None and number in missing:
            return missing[number]
    return next(iter(missing.values())) if len(missing) == 1 else None


def _refusal(instrument: Instrument, line: Line, item: Item | None) -> str:
    seen = f'{line.where}: "{line.text[:80]}" is no statement of {instrument.name} as published'
    if item is None:
        return f"{seen}, and no item is left that it could stand for"
    return (
        f"{seen}; nearest is item {item.number} ({item.trait}), whose exact wording was wanted (fingerprint {item.fingerprint}, "
        f"found {fingerprint(line.text)})"
    )
