"""Command `alignsuite judge`: labels for prompt–reply pairs of a file, and a judge's error rates.

`--card` and `--measure` say how far it can be trusted.
"""

from __future__ import annotations

import argparse
import functools
import itertools
import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alignsuite.cli.command import NEGATIVE, OK, Command

if TYPE_CHECKING:
    from alignsuite.judges.cards import Card
    from alignsuite.judges.guards.spec import Named
    from alignsuite.judges.protocol import Behaviour, Exchange, Judge

JUDGES = ("refusal", "harm", "detoxify", "detoxify:VARIANT", "toxicity:PLACE", "praise", "llm")
"""The judges' names; `llm` is a model, which `--model` names. Guards come beside them."""

_LLM = "llm"
_PORTION = 64
"""Lines that a judge which reads many at once is handed together."""


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "name",
        metavar="NAME",
        help=f"the judge: {', '.join(JUDGES)}; a guard, as --align-judge takes it (wildguard, qwen3guard:MODEL, ./mine.toml:MODEL); or "
        "`pull`, which fetches what the guard or toxicity judge named behind it needs",
    )
    parser.add_argument(
        "file", metavar="FILE.jsonl", nargs="?", help="lines with `prompt` and `reply`; - reads standard input"
    )
    parser.add_argument("--from", dest="place", metavar="PLACE", help="with pull: a file or folder that holds the text")
    parser.add_argument("--model", metavar="NAME", help="with llm: the model that judges, as `--model` of pytest")
    parser.add_argument(
        "--align-base-url",
        metavar="URL",
        help="with llm and guards: address of an OpenAI-compatible endpoint, for openai:NAME",
    )
    parser.add_argument("--align-store", metavar="PATH", help="with llm and guards: where their answers are kept")
    parser.add_argument("--card", action="store_true", help="print how well the judge was measured to be, and stop")
    parser.add_argument(
        "--measure",
        action="store_true",
        help="lines have a `label` too: print how often the judge is right about them, as a card",
    )
    parser.add_argument("--keep", action="store_true", help="with --measure: keep the card, for --card and for runs")
    parser.add_argument(
        "--labelled-by",
        metavar="TEXT",
        help="with --measure: whose labels these are, such as 'people: two annotators'; only people's correct a verdict",
    )
    parser.add_argument(
        "--against",
        metavar="RUN.jsonl",
        help="lines have `case` and people's `label`: say how far the judge agrees with them in that run, and whether its card fits",
    )
    parser.add_argument("--json", action="store_true", help="with --card and --measure: the card as JSON")


def _run(arguments: argparse.Namespace) -> int:
    from alignsuite.cli.guard import PULL, pull
    from alignsuite.errors import SettingsError
    from alignsuite.judges.guards.spec import guard_named

    if arguments.name == PULL:
        return pull(arguments)
    _check(arguments)
    with ExitStack() as open_things:
        if arguments.card and (named := guard_named(arguments.name, model_wanted=False)) is not None:
            return _guard_card(named, arguments, open_things)
        judge = _opened(arguments, open_things)
        if arguments.card:
            return _card(judge, as_data=arguments.json)
        if arguments.file is None:
            raise SettingsError(
                f"there is nothing to judge: `alignsuite judge {arguments.name} FILE.jsonl`, or --card for its card"
            )
        if arguments.against is not None:
            return _against(judge, arguments.file, Path(arguments.against))
        if arguments.measure:
            return _measure(judge, arguments)
        return _label(judge, arguments.file)


def _check(arguments: argparse.Namespace) -> None:
    from alignsuite.errors import SettingsError

    if arguments.card and arguments.file is not None:
        raise SettingsError("--card prints a card and judges nothing; leave the file out")
    if arguments.card and arguments.measure:
        raise SettingsError("--card prints the card that is kept, --measure makes one: leave one out")
    if arguments.json and not (arguments.card or arguments.measure):
        raise SettingsError("--json goes with --card and --measure; judged lines are JSON already")
    if arguments.keep and not arguments.measure:
        raise SettingsError("--keep goes with --measure: it keeps the card")
    if arguments.labelled_by and not arguments.measure:
        raise SettingsError("--labelled-by goes with --measure: it says whose labels the card rests on")
    if arguments.against is not None and (arguments.card or arguments.measure):
        raise SettingsError("--against compares labels with a run's; leave --card and --measure out")
    if arguments.name == _LLM and arguments.model is None:
        raise SettingsError("the judge `llm` is a model: name it with --model=NAME, such as --model=openai:gpt-4")
    _check_model(arguments)


def _check_model(arguments: argparse.Namespace) -> None:
    """Whether what was said of a model goes with this judge."""
    from alignsuite.errors import SettingsError
    from alignsuite.judges.guards.spec import guard_named

    if arguments.place is not None:
        raise SettingsError("--from goes with `alignsuite judge pull NAME`: it says where the text of a guard lies")
    named = guard_named(arguments.name, model_wanted=False) if arguments.name != _LLM else None
    if named is not None and arguments.model:
        raise SettingsError(f"a guard's model stands behind its name: {named.spec.id}:{arguments.model}")
    if (
        named is None
        and arguments.name != _LLM
        and (arguments.model or arguments.align_base_url or arguments.align_store)
    ):
        raise SettingsError(
            f"--model, --align-base-url and --align-store go with the judge `llm`; `{arguments.name}` asks no model"
        )


def _opened(arguments: argparse.Namespace, open_things: ExitStack) -> Judge:
    """Judge that is named; a model is closed with `open_things`.

    Of a guard of two families it is the one that its adapter names first.
    """
    from alignsuite.judges.guards.spec import guard_named
    from alignsuite.judges.registry import judges_named, model_of, models_among

    guard = arguments.name != _LLM and guard_named(arguments.name) is not None
    if guard and not models_among([arguments.name]):
        return judges_named(arguments.name, None, ready=not arguments.card)[0]
    if not guard and arguments.name != _LLM:
        return judge_named(arguments.name, ready=not arguments.card)
    from alignsuite.config import cache_folder
    from alignsuite.models.broker.broker import Broker
    from alignsuite.models.registry import ModelSettings, open_model
    from alignsuite.models.store import Store

    base_url = arguments.align_base_url or os.environ.get("OPENAI_BASE_URL") or None
    tell = None if sys.stderr.isatty() else functools.partial(print, file=sys.stderr, flush=True)
    asked = arguments.name if guard else arguments.model
    wanted = model_of(asked)
    settings = ModelSettings(
        cache_folder(), base_url, os.environ.get("OPENAI_API_KEY"), progress=tell, adapter=wanted.adapter, framing=wanted.framing,
        template_arguments={} if wanted.framing is None else wanted.framing.arguments,
    )  # fmt: skip
    model = open_model(wanted.name, settings=settings)
    store = open_things.enter_context(closing(Store(Path(arguments.align_store or cache_folder() / "store.sqlite"))))
    broker = open_things.enter_context(closing(Broker(model, store)))
    return judges_named(asked, broker, ready=not arguments.card)[0]


def _label(judge: Judge, file: str) -> int:
    from alignsuite.judges.protocol import OneByOne
    from alignsuite.judges.reading import read_replies
    from alignsuite.judges.registry import as_judge

    judge, pairs = as_judge(judge), _pairs(file)
    while some := list(itertools.islice(pairs, 1 if isinstance(judge, OneByOne) else _PORTION)):
        read = read_replies(judge, [_exchange(data) for data in some])
        for data, (_, judgement) in zip(some, read, strict=True):
            print(json.dumps({**data, "label": judgement.label, "evidence": judgement.evidence}), flush=True)
    return OK


def _exchange(data: Mapping[str, Any]) -> Exchange:
    from alignsuite.judges.protocol import exchange_of
    from alignsuite.models.protocol import Generated
    from alignsuite.models.thoughts import parted

    return exchange_of(data["prompt"], parted(Generated(data["reply"])), tuple(data.get("hidden", ())))


def _card(judge: Judge, *, as_data: bool) -> int:
    from alignsuite.errors import SettingsError
    from alignsuite.judges.cards import card_of

    card = card_of(judge)
    if card is None:
        raise SettingsError(
            f"`{judge.name} {judge.version}` has no card: this version was never measured; label some replies, then "
            "`alignsuite judge NAME LABELLED.jsonl --measure --keep`"
        )
    _print(card, as_data=as_data)
    return OK


def _guard_card(named: Named, arguments: argparse.Namespace, open_things: ExitStack) -> int:
    """What was measured of a guard with the model that is named, and what others published, which enters no verdict."""
    from alignsuite.cli.guard import published
    from alignsuite.judges.cards import card_of

    card = card_of(_opened(arguments, open_things)) if named.given else None
    if card is not None:
        _print(card, as_data=arguments.json)
    if card is None or not arguments.json:
        print("\n".join(published(named, measured=card is not None)))
    return OK


def _measure(judge: Judge, arguments: argparse.Namespace) -> int:
    from datetime import date

    from alignsuite.errors import SettingsError
    from alignsuite.judges.cards import keep_card, measure, read_labelled
    from alignsuite.judges.protocol import UNREADABLE

    file = Path(arguments.file)
    if not file.is_file():
        raise SettingsError(f"{file}: there is no such file; wanted lines with `prompt`, `reply` and `label`")
    unknown = sorted({row.label for row in read_labelled(file)} - judge.labels - {UNREADABLE})
    if unknown:
        raise SettingsError(
            f"{file}: `{judge.name}` knows no label {', '.join(unknown)}; it has {', '.join(sorted(judge.labels))}"
        )
    card = measure(
        judge,
        file,
        behaviours_of(judge),
        date=date.today().isoformat(),
        data=file.stem,
        labelled_by=arguments.labelled_by or "",
    )
    _print(card, as_data=arguments.json)
    if arguments.keep:
        print(f"kept: {keep_card(card)}", file=sys.stderr)
    if arguments.keep and not card.by_people:
        print(
            "it corrects no verdict; where people gave the labels, say so: --labelled-by='people: …'", file=sys.stderr
        )
    return OK


def _against(judge: Judge, file: str, run: Path) -> int:
    """Agreement with people's labels of a run's replies; exit status 1 where a card does not fit."""
    from alignsuite.errors import SettingsError
    from alignsuite.judges.protocol import UNREADABLE
    from alignsuite.reports.audit import audit_lines, audits
    from alignsuite.runs.file import read_run

    labels = {(str(data.get("probe", "")), data["case"]): data["label"] for data in _pairs(file, ("case", "label"))}
    known = judge.labels | {UNREADABLE}
    if unknown := sorted(set(labels.values()) - known):
        raise SettingsError(
            f"{file}: `{judge.name}` knows no label {', '.join(unknown)}; it has {', '.join(sorted(known))}"
        )
    behaviours = {event.name: counted(event) for event in behaviours_of(judge)}
    found = list(audits(read_run(run), f"{judge.name} {judge.version}", labels, behaviours))
    if not found:
        raise SettingsError(
            f"{file}: none of its {len(labels)} cases was read by `{judge.name} {judge.version}` in {run}; wanted case ids of that run"
        )
    for name, audit in found:
        print("\n".join(audit_lines(name, audit)))
    return NEGATIVE if any(audit.misfit for _, audit in found) else OK


def counted(event: Behaviour) -> frozenset[str]:
    """Labels of a behaviour as people give them, and the classes of a guard that stand for nothing else."""
    classes: Mapping[str, object] = getattr(event.judge, "stands_for", {})
    return event.labels | {name for name in classes if event.counts(name)}


def behaviours_of(judge: Judge) -> list[Behaviour]:
    """Behaviours that a judge can tell, of its family; where none are named, one for each of its labels."""
    from dataclasses import replace

    from alignsuite import judges
    from alignsuite.judges.protocol import Behaviour
    from alignsuite.judges.registry import family_of, untold

    known = [event for event in vars(judges).values() if isinstance(event, Behaviour)]
    own = [event for event in known if family_of(event.judge) == family_of(judge) and not untold(event, judge)]
    return [replace(event, judge=judge) for event in own] or [
        Behaviour(label, judge, frozenset({label})) for label in sorted(judge.labels)
    ]


def _print(card: Card, *, as_data: bool) -> None:
    from alignsuite.cli.arguments import width
    from alignsuite.cli.card import card_lines
    from alignsuite.judges.cards import as_json

    print(as_json(card) if as_data else "\n".join(card_lines(card, width())), end="" if as_data else "\n")


def judge_named(name: str, *, ready: bool = True) -> Judge:
    """Judge of a name in `JUDGES`, but for `llm`.

    Raises:
        SettingsError: for any other name, with the nearest right one; for a judge that should be `ready` and is not installed.
    """
    from alignsuite.errors import SettingsError, did_you_mean
    from alignsuite.judges.guards.spec import shipped
    from alignsuite.judges.registry import shipped_judge

    judge = shipped_judge(name, ready=ready)
    if judge is None:
        raise SettingsError(f"there is no judge `{name}`; {did_you_mean(name, (*JUDGES, *shipped()))}")
    return judge


def _pairs(file: str, wanted: tuple[str, str] = ("prompt", "reply")) -> Iterator[dict[str, Any]]:
    """Pairs of a file's lines, parsed and checked one by one; empty lines are left out.

    Raises:
        SettingsError: for the first line that is none, naming file, line and what was wanted.
    """
    from alignsuite.errors import SettingsError

    name = "standard input" if file == "-" else file
    try:
        with nullcontext(sys.stdin.buffer) if file == "-" else open(file, "rb") as lines:
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    yield _pair(line, f"{name}:{number}", wanted)
    except OSError as error:
        raise SettingsError(f"{name} can't be read: {error.strerror}") from None


def _pair(line: bytes, place: str, wanted: tuple[str, str]) -> dict[str, Any]:
    from alignsuite.errors import SettingsError

    try:
        data = json.loads(line.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise SettingsError(f"{place}: this is no JSON in UTF-8 ({error})") from None
    if not isinstance(data, dict):
        raise SettingsError(
            f'{place}: wanted an object such as {{"{wanted[0]}": "…", "{wanted[1]}": "…"}}, found {line[:40]!r}'
        )
    for key in wanted:
        if not isinstance(data.get(key), str):
            raise SettingsError(f"{place}: `{key}` is {json.dumps(data.get(key))[:40]}; wanted text")
    hidden = data.get("hidden", [])
    if not isinstance(hidden, list) or not all(isinstance(word, str) for word in hidden):
        raise SettingsError(f"{place}: `hidden` is {json.dumps(hidden)[:40]}; wanted a list of words to be taken out")
    return data


COMMAND = Command("label prompt–reply pairs from a file, or say how often a judge is right", _run, _arguments)
