"""CSV tables that people bring, as rows, read strictly: a complaint names the line."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterator, Sequence

from alignsuite.errors import InstrumentError, did_you_mean


def read_table(
    content: bytes, place: str, needed: Sequence[str], optional: Collection[str] | None
) -> Iterator[tuple[int, dict[str, str]]]:
    """The rows of a CSV file in UTF-8 (with or without a byte-order mark), each with the line it ends on.

    Names of columns are compared without case; values come stripped; blank lines count for nothing.

    Args:
        content: the bytes of the file.
        place: the file as it is called in messages.
        needed: columns that must be there.
        optional: columns that may be there; None lets any be there.

    Raises:
        InstrumentError: as `place:line: …` for a header or a line that does not fit.
    """
    rows = _rows(content, place)
    line, header = next(rows, (1, [""]))
    columns = [name.strip().casefold() for name in header]
    _check_header(columns, f"{place}:{line}", needed, optional)
    for line, row in rows:
        if len(row) != len(columns):
            wanted = f"{len(columns)} ({','.join(columns)})"
            hint = "; put a text with commas in it between double quotes" if len(row) > len(columns) else ""
            raise InstrumentError(f"{place}:{line}: {len(row)} value{'s' * (len(row) != 1)}; wanted {wanted}{hint}")
        yield line, dict(zip(columns, (value.strip() for value in row), strict=True))


def _rows(content: bytes, place: str) -> Iterator[tuple[int, list[str]]]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InstrumentError(f"{place}: not UTF-8 at byte {error.start}: save the file as UTF-8") from None
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        for row in reader:
            if any(value.strip() for value in row):
                yield reader.line_num, row
    except csv.Error as error:
        raise InstrumentError(f"{place}:{reader.line_num}: not CSV ({error})") from None


def _check_header(columns: list[str], where: str, needed: Sequence[str], optional: Collection[str] | None) -> None:
    wanted = f"wanted a first line such as `{','.join(needed)}`"
    if columns == [""]:
        raise InstrumentError(f"{where}: the file is empty; {wanted}")
    if len(columns) == 1 and any(mark in columns[0] for mark in ";\t"):
        raise InstrumentError(f"{where}: the header is `{columns[0]}`; {wanted}, its columns separated by commas")
    for name in columns:
        if optional is not None and name not in (*needed, *optional):
            raise InstrumentError(
                f"{where}: `{name}` is no column here; {did_you_mean(name, (*needed, *optional))}; {wanted}"
            )
        if columns.count(name) > 1:
            raise InstrumentError(f"{where}: the column `{name}` stands twice; {wanted}")
    for name in needed:
        if name not in columns:
            raise InstrumentError(f"{where}: the column `{name}` is missing; {wanted}")
