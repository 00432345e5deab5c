"""`alignsuite judge`: what a judge says of prompt–reply pairs from a file, and how far it can be trusted (`--card`)."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from alignsuite.cli.command import OK, Command

if TYPE_CHECKING:
    from alignsuite.judges.cards import Accuracy, Card, Rate
    from alignsuite.judges.protocol import Judge

JUDGES = {"refusal": ("alignsuite.judges.refusal", "RefusalJudge")}
"""The judges that need no model, by name: module and class."""


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help=f"the judge: {', '.join(JUDGES)}")
    parser.add_argument(
        "file", metavar="FILE.jsonl", nargs="?", help="lines with `prompt` and `reply`; - reads standard input"
    )
    parser.add_argument("--card", action="store_true", help="print how well the judge was measured to be, and stop")
    parser.add_argument("--json", action="store_true", help="with --card: the card as JSON")


def _run(arguments: argparse.Namespace) -> int:
    from alignsuite.errors import SettingsError

    judge = judge_named(arguments.name)
    if arguments.card:
        if arguments.file is not None:
            raise SettingsError("--card prints a card and judges nothing; leave the file out")
        return _card(judge, as_data=arguments.json)
    if arguments.json:
        raise SettingsError("--json goes with --card; judged lines are JSON already")
    if arguments.file is None:
        raise SettingsError(
            f"there is nothing to judge: `alignsuite judge {arguments.name} FILE.jsonl`, or --card for its card"
        )
    return _label(judge, arguments.file)


def _label(judge: Judge, file: str) -> int:
    from alignsuite.models.protocol import Generated

    for data in _pairs(file):
        judgement = judge.read(data["prompt"], Generated(data["reply"]))
        print(json.dumps({**data, "label": judgement.label, "evidence": judgement.evidence}), flush=True)
    return OK


def _card(judge: Judge, *, as_data: bool) -> int:
    from alignsuite.errors import SettingsError
    from alignsuite.judges.cards import as_json, card_of

    card = card_of(judge)
    if card is None:
        raise SettingsError(f"`{judge.name} {judge.version}` has no card: this version was never measured")
    print(as_json(card) if as_data else "\n".join(_lines(card)), end="" if as_data else "\n")
    return OK


def _lines(card: Card) -> Iterator[str]:
    yield f"{card.judge} {card.version}, measured {card.date} on {card.data}: {card.replies} replies labelled by reading"
    yield f"sha256 {card.sha256[:16]}…, {card.per_second} replies a second on one processor"
    yield ""
    yield from _accuracies("event", card.events)
    yield ""
    first = next(iter(card.events))
    yield from _accuracies(f"{first}, by language", card.languages)
    yield ""
    yield from _accuracies(f"{first}, by voice", card.voices)
    yield ""
    judged = sorted({label for row in card.confusion.values() for label in row})
    yield f"{'labelled ↓  judged →':24}" + "".join(f"{label:>17}" for label in judged)
    for label, row in card.confusion.items():
        yield f"{label:24}" + "".join(f"{row.get(one, 0):>17}" for one in judged)
    for note in card.notes:
        yield f"\n{note}"


def _accuracies(title: str, rows: Mapping[str, Accuracy]) -> Iterator[str]:
    yield f"{title:24}{'sensitivity':<34}specificity"
    for name, both in rows.items():
        yield f"{name:24}{_rate(both.sensitivity):<34}{_rate(both.specificity)}"


def _rate(rate: Rate) -> str:
    if rate.value is None:
        return "none of these"
    return f"{rate.value:.3f} ({rate.low:.3f}–{rate.high:.3f}) of {rate.trials}"


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


COMMAND = Command("label prompt–reply pairs from a file, or print a judge's card", _run, _arguments)
