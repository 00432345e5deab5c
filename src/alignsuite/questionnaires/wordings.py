"""Item wordings of published instruments: a user's file to an `Instrument` with its statements.

They are kept in the user's cache, and checked whenever read.

A wording is whole or refused (see `matching`), and what was kept is recognised anew each time, so a file that was edited in the
cache is no wording either. Translations are known by one digest of all their statements in the order of the key.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from alignsuite.config import cache_folder
from alignsuite.errors import InstrumentError, did_you_mean
from alignsuite.questionnaires.catalogue import key
from alignsuite.questionnaires.csv_tables import read_table
from alignsuite.questionnaires.fingerprints import digest, fingerprint
from alignsuite.questionnaires.instrument import Instrument
from alignsuite.questionnaires.matching import Line, recognised

_REVERSED = {"yes": True, "true": True, "1": True, "r": True, "no": False, "false": False, "0": False, "": False}


def load(name: str, language: str = "en") -> Instrument:
    """An instrument with its wording. Ours are always there; published ones once they were imported or fetched.

    Raises:
        InstrumentError: no such instrument or language; or the wording isn't there, and the message has the command to type.
    """
    instrument = in_language(key(name), language)
    if instrument.own:
        return instrument
    path = wording_path(instrument)
    again = how_to_get(instrument)
    try:
        kept: Any = json.loads(path.read_text(encoding="utf-8"))
        texts = {int(number): str(text) for number, text in kept["texts"].items()}
        anchors = [str(anchor) for anchor in kept["anchors"]]
    except FileNotFoundError:
        raise InstrumentError(f"the wording of {_called(instrument)} isn't here: {again}") from None
    except OSError as error:
        raise InstrumentError(f"{path} can't be read ({error.strerror}): {again}") from None
    except (ValueError, LookupError, TypeError, AttributeError):
        raise InstrumentError(f"{path} is damaged: {again}") from None
    if not is_wording(instrument, texts) or len(anchors) not in (0, instrument.points):
        raise InstrumentError(f"{path} was changed, and is no wording of {_called(instrument)} any more: {again}")
    return _worded(instrument, texts, anchors)


def is_here(name: str, language: str = "en") -> bool:
    """Whether a wording is at hand; that it is right is seen when it is loaded."""
    instrument = in_language(key(name), language)
    return instrument.own or wording_path(instrument).is_file()


def import_wording(name: str, file: Path) -> Instrument:
    """Take the English wording of a published instrument from a CSV file, and keep it for `load`.

    The column `text` has the statements, in any order. Where `item` and `reversed` are there, the first helps to say which item a
    wrong line stands for, the second is compared with the key. Other columns mean nothing.

    Raises:
        InstrumentError: for each line that is no statement of the instrument, and each item that is missing: nothing is kept
            then. Also if the instrument is ours, or the file can't be read, or the cache can't be written.
    """
    instrument = key(name)
    if instrument.own:
        raise InstrumentError(f"{instrument.name} comes with its wording: there is nothing to import")
    try:
        content = file.read_bytes()
    except OSError as error:
        raise InstrumentError(f"{file} can't be read ({error.strerror})") from None
    rows = read_table(content, str(file), ("text",), None)
    lines = [_line(f"{file.name}:{line}", row) for line, row in rows]
    return keep(instrument, recognised(instrument, lines, file.name, _earlier(instrument)), (), file.name)


def keep(instrument: Instrument, texts: Mapping[int, str], anchors: Sequence[str], source: str) -> Instrument:
    """Write a wording to the cache, whole or not at all, and return the instrument with it.

    Raises:
        InstrumentError: the cache can't be written.
    """
    path = wording_path(instrument)
    document = {"instrument": instrument.name, "language": instrument.language, "source": source}
    content = json.dumps({**document, "texts": dict(texts), "anchors": list(anchors)}, ensure_ascii=False, indent=1)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(prefix="wording-", dir=path.parent)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as sink:
                sink.write(content)
            os.replace(temporary, path)
        except BaseException:
            with suppress(OSError):
                os.unlink(temporary)
            raise
    except OSError as error:
        raise InstrumentError(
            f"the wording can't be kept in {path.parent} ({error.strerror}): make room, or set ALIGNSUITE_HOME to another folder"
        ) from None
    return _worded(instrument, texts, anchors)


def in_language(instrument: Instrument, language: str) -> Instrument:
    """An instrument in another language, still without its statements; only the translation as a whole has a digest.

    Raises:
        InstrumentError: there is no such translation.
    """
    if language == instrument.language:
        return instrument
    if language not in instrument.translations:
        known = did_you_mean(language, instrument.languages)
        raise InstrumentError(f"{instrument.name} is not known in `{language}`; {known}")
    items = tuple(replace(item, fingerprint="", text=None) for item in instrument.items)
    return replace(instrument, language=language, items=items)


def is_wording(instrument: Instrument, texts: Mapping[int, str]) -> bool:
    """Whether some texts, by item number, are the instrument's statements in its language."""
    if set(texts) != {item.number for item in instrument.items}:
        return False
    if instrument.language in instrument.translations:
        return digest(texts[item.number] for item in instrument.items) == instrument.translations[instrument.language]
    return all(fingerprint(texts[item.number]) == item.fingerprint for item in instrument.items)


def wording_path(instrument: Instrument) -> Path:
    """Where the wording of a published instrument is kept."""
    return cache_folder() / "instruments" / f"{instrument.name}.{instrument.language}.json"


def how_to_get(instrument: Instrument) -> str:
    """The commands that bring a wording."""
    language = "" if instrument.language == "en" else f" --language {instrument.language}"
    fetch = f"alignsuite instruments fetch {instrument.name}{language}"
    file = f"alignsuite instruments import {instrument.name} FILE.csv (a column `text` with the statements)"
    if language:
        return fetch
    return f"{fetch}, or {file}" if instrument.packages else file


def _worded(instrument: Instrument, texts: Mapping[int, str], anchors: Sequence[str]) -> Instrument:
    items = tuple(
        replace(item, text=texts[item.number], fingerprint=fingerprint(texts[item.number])) for item in instrument.items
    )
    return replace(instrument, items=items, anchors=tuple(anchors) or instrument.anchors)


def _line(where: str, row: Mapping[str, str]) -> Line:
    number = row.get("item", "")
    keyed = _REVERSED.get(row["reversed"].casefold()) if "reversed" in row else None
    return Line(where, row["text"], int(number) if number.isascii() and number.isdigit() else None, keyed)


def _earlier(instrument: Instrument) -> dict[int, str]:
    """The wording that was kept before, if it is still right."""
    with suppress(InstrumentError):
        return {item.number: item.text or "" for item in load(instrument.name).items}
    return {}


def _called(instrument: Instrument) -> str:
    return instrument.name if instrument.language == "en" else f"{instrument.name} in `{instrument.language}`"
