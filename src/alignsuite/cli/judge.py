"""`alignsuite judge`: what a judge says of prompt–reply pairs from a file."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from alignsuite.cli.command import OK, Command

if TYPE_CHECKING:
    from alignsuite.judges.protocol import Judge

JUDGES = {"refusal": ("alignsuite.judges.refusal", "RefusalJudge")}
"""The judges that need no model, by name: module and class."""


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help=f"the judge: {', '.join(JUDGES)}")
    parser.add_argument("file", metavar="FILE.jsonl", help="lines with `prompt` and `reply`; - reads standard input")


def _run(arguments: argparse.Namespace) -> int:
    from alignsuite.models.protocol import Generated

    judge = judge_named(arguments.name)
    for data in _pairs(arguments.file):
        judgement = judge.read(data["prompt"], Generated(data["reply"]))
        print(json.dumps({**data, "label": judgement.label, "evidence": judgement.evidence}), flush=True)
    return OK


def judge_named(name: str) -> Judge:
    """The judge of a name in `JUDGES`.

    Raises:
        SettingsError: for any other name, with the nearest right one.
    """
    import importlib

    from alignsuite.errors import SettingsError, did_you_mean

    if name not in JUDGES:
        raise SettingsError(f"there is no judge `{name}`; {did_you_mean(name, JUDGES)}")
    module, kind = JUDGES[name]
    judge: Judge = getattr(importlib.import_module(module), kind)()
    return judge


def _pairs(file: str) -> Iterator[dict[str, Any]]:
    """The lines of a file, parsed and checked one by one; empty lines are left out.

    Raises:
        SettingsError: for the first line that is none, naming file, line and what was wanted.
    """
    from alignsuite.errors import SettingsError

    name = "standard input" if file == "-" else file
    try:
        with nullcontext(sys.stdin.buffer) if file == "-" else open(file, "rb") as lines:
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    yield _pair(line, f"{name}:{number}")
    except OSError as error:
        raise SettingsError(f"{name} can't be read: {error.strerror}") from None


def _pair(line: bytes, place: str) -> dict[str, Any]:
    from alignsuite.errors import SettingsError

    try:
        data = json.loads(line.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise SettingsError(f"{place}: this is no JSON in UTF-8 ({error})") from None
    if not isinstance(data, dict):
        raise SettingsError(f'{place}: wanted an object such as {{"prompt": "…", "reply": "…"}}, found {line[:40]!r}')
    for key in ("prompt", "reply"):
        if not isinstance(data.get(key), str):
            raise SettingsError(f"{place}: `{key}` is {json.dumps(data.get(key))[:40]}; wanted text")
    return data


COMMAND = Command("label prompt–reply pairs from a file", _run, _arguments)
