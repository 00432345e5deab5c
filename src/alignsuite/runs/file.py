"""Run file: a `Run` to JSON Lines and back; what an earlier schema left out is filled in by `v1`.

The first line is a header (`"kind": "run"`), then comes one line a record (`"kind": "record"`) in the order of their node ids, at last a
summary (`"kind": "summary"`). Everything is a function of the store, the prompt sets and the settings, but for what the run itself spent:
that stands only under keys named `time` or ending in `_s`. Two runs over one store are therefore byte-identical without those keys.
"""

from __future__ import annotations

import functools
import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from alignsuite.errors import RunFileError
from alignsuite.runs.records import SCHEMA, AxisRegression, Json, Record, Run
from alignsuite.runs.v1 import upgraded

if TYPE_CHECKING:
    from pydantic import TypeAdapter

Read = TypeVar("Read")

RENAMED = {"complied": "not_refused"}
"""Behaviours that had another name in earlier run files, where a judge of this package read them."""
RENAMED_FOR = ("refusal ", "refusal-patterns ", "llm-judge ")
"""Judges, by how their names begin, whose `complied` it is; a project's own behaviour of that name keeps it."""


_NAMES: Mapping[type, str] = {dict: "an object", list: "a list", int: "a whole number", str: "a text"}
_HEADER: Mapping[str, type] = {"items": int, "prompt_sets": dict, "time": dict}
_SUMMARY: Mapping[str, type] = {
    "missing": list, "ended": str, "time": dict, "tokens": dict, "together": dict, "verdicts": dict, "axes": dict,
    "regressions": list,
}  # fmt: skip
"""Shapes of what is read of a header and a summary, where it is there: run files come from anywhere."""


def write_run(run: Run, path: Path) -> None:
    """Write a run file, whole or not at all.

    Raises:
        RunFileError: when the place can't be written, with the reason.
    """
    lines = [run.header | {"schema": SCHEMA}, *(record.to_json() for record in run.records), summary_line(run)]
    text = "".join(f"{json.dumps(line, ensure_ascii=True, allow_nan=False)}\n" for line in lines)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(
            "w", dir=path.parent, prefix=f".{path.name}.", delete=False, encoding="ascii"
        ) as file:
            file.write(text)
        os.replace(file.name, path)
    except OSError as error:
        raise RunFileError(
            f"the run file {path} can't be written ({error.strerror}): name another place with --align-run-file"
        ) from error


def summary_line(run: Run) -> Json:
    """Summary of a run with its pooled regressions, as the last line of its file holds it."""
    return run.summary | {"regressions": [one.to_json() for one in run.regressions]}


def read_run(path: Path) -> Run:
    """`Run` from a run file of schema 1 or 2.

    Raises:
        RunFileError: when it is no run file, is cut off, or has another schema.
    """
    try:
        lines = [json.loads(line) for line in path.read_text(encoding="ascii").splitlines()]
    except FileNotFoundError:
        raise RunFileError(f"there is no run file {path}: pytest writes one with --align-run-file={path}") from None
    except (ValueError, OSError) as error:
        raise RunFileError(f"{path} is no run file: {error}") from None
    if len(lines) < 2 or not all(isinstance(line, dict) for line in lines) or lines[0].get("kind") != "run":
        raise RunFileError(f"{path} is no run file: its first line is no header of kind `run`")
    if lines[0].get("schema") not in (1, SCHEMA):
        raise RunFileError(
            f"{path} has schema {lines[0].get('schema')!r}, this version reads 1 and {SCHEMA}: make the run again"
        )
    if lines[-1].get("kind") != "summary":
        raise RunFileError(
            f"{path} is cut off: its last line is no summary; run again, replies in the store are not asked twice"
        )
    if wrong := _misshapen(lines[0], _HEADER) or _misshapen(lines[-1], _SUMMARY):
        raise RunFileError(f"{path} is no run file: {wrong}: make the run again")
    records = []
    for number, line in enumerate(lines[1:-1], 2):
        try:
            record = record_from_json(line)
        except RunFileError as error:
            raise RunFileError(f"{path}:{number}: {error}") from None
        records.append(upgraded(record) if lines[0]["schema"] == 1 else record)
    try:
        regressions = _validated(_regressions(), lines[-1].get("regressions") or [], "list of regressions")
    except RunFileError as error:
        raise RunFileError(f"{path}:{len(lines)}: {error}") from None
    return Run(lines[0], tuple(records), lines[-1], tuple(regressions))


def _misshapen(line: Mapping[str, Any], shapes: Mapping[str, type]) -> str:
    """The first key whose value has another shape, with both; empty where there is none."""
    for key, shape in shapes.items():
        if line.get(key) is not None and not isinstance(line[key], shape):
            return f"`{key}` of its {line['kind']} line is {str(line[key])[:60]!r}, wanted {_NAMES[shape]}"
    return ""


def record_from_json(data: Mapping[str, Any]) -> Record:
    """`Record` from the plain data of `Record.to_json`.

    Keys of a later minor version are ignored, old names of behaviours read as new.

    Raises:
        RunFileError: when the data are no record, naming the first key that is wrong.
    """
    return _validated(_reader(), _renamed(data), "record")


def _validated(reader: TypeAdapter[Read], data: object, what: str) -> Read:
    from pydantic import ValidationError

    try:
        return reader.validate_python(data)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise RunFileError(f"this is no {what}: `{where}` is {first['input']!r}: {first['msg']}") from None


def _renamed(data: Mapping[str, Any]) -> Mapping[str, Any]:
    """A record with today's names of behaviours, so that it is compared with what counts the same."""
    claims = data.get("claims")
    if not isinstance(claims, list):
        return data
    return {**data, "claims": [_renamed_claim(one) for one in claims]}


def _renamed_claim(claim: object) -> object:
    if not isinstance(claim, dict) or claim.get("what") not in RENAMED:
        return claim
    if not str(claim.get("judge")).startswith(RENAMED_FOR):
        return claim
    return {**claim, "what": RENAMED[claim["what"]]}


@functools.cache
def _reader() -> TypeAdapter[Record]:
    from pydantic import TypeAdapter

    return TypeAdapter(Record)


@functools.cache
def _regressions() -> TypeAdapter[list[AxisRegression]]:
    from pydantic import TypeAdapter

    return TypeAdapter(list[AxisRegression])
