"""The `alignsuite` command: what can be done with models, judges and run files without a pytest session.

Exit codes: 0 done, 1 a negative result, 2 wrong use or an error that a user can mend (one line on stderr). Nothing but the
standard library is imported before a command runs, so `--help` is instant. A new command is one function that takes the
parsed arguments and returns the exit code, and one entry in `COMMANDS` with a function that adds its arguments.
"""

from __future__ import annotations

import argparse
import functools
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import nullcontext, suppress
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from alignsuite.judges.protocol import Judge
    from alignsuite.models.protocol import Model, ModelInfo, Request
    from alignsuite.records import Run

OK, NEGATIVE, WRONG = 0, 1, 2
_INTERRUPTED = 130
_PIPE_CLOSED = 141  # what a shell reports of a program that SIGPIPE ended

JUDGES = {"refusal": ("alignsuite.judges.refusal", "RefusalJudge")}
"""The judges that need no model, by name: module and class."""


class Command(NamedTuple):
    """A subcommand: its line in the help, its arguments, and what it does."""

    about: str
    arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]


def main(argv: list[str] | None = None) -> int:
    """Run a command line (by default the process's own) and return its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal that lacks a character is no reason to fail
    parser = _parser()
    try:
        arguments = parser.parse_args(argv)
    except SystemExit as asked:
        return asked.code if isinstance(asked.code, int) else OK
    if arguments.command is None:
        parser.print_help(sys.stderr)
        return WRONG
    return _guarded(COMMANDS[arguments.command], arguments)


def _guarded(command: Command, arguments: argparse.Namespace) -> int:
    from alignsuite.errors import AlignsuiteError

    try:
        code = command.run(arguments)
        sys.stdout.flush()
    except AlignsuiteError as error:
        from alignsuite.records import clean

        print(f"alignsuite: {' '.join(clean(str(error), 2000).split())}", file=sys.stderr)
        return WRONG
    except BrokenPipeError:
        with suppress(OSError, ValueError):  # or Python complains when it flushes at exit
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _PIPE_CLOSED
    except KeyboardInterrupt:
        return _INTERRUPTED
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="alignsuite",
        description="Gates language-model checkpoints. The probes themselves run under pytest: pytest --model=NAME",
    )
    parser.add_argument("--version", action="version", version=_version())
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands")
    for name, command in COMMANDS.items():
        command.arguments(commands.add_parser(name, help=command.about, description=command.about))
    return parser


def _version() -> str:
    from alignsuite import __version__

    return f"alignsuite {__version__}"


def _show_version(_: argparse.Namespace) -> int:
    print(_version())
    return OK


# report -----------------------------------------------------------------------------------------------------------------


def _report_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", metavar="RUN.jsonl", help="a run file, as pytest writes with --align-run-file")
    parser.add_argument("--show", type=_whole, default=0, metavar="N", help="show the first N examples of each record")
    parser.add_argument("--no-color", action="store_true", help="no colours (also: the variable NO_COLOR)")
    parser.add_argument("--json", action="store_true", help="one JSON document instead of the section")


def _whole(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number")
    return int(text)


def _report(arguments: argparse.Namespace) -> int:
    from pathlib import Path

    from alignsuite.records import read_run
    from alignsuite.report.text import section

    run = read_run(Path(arguments.run))
    if arguments.json:
        print(json.dumps(_as_json(run), sort_keys=True))
        return OK
    print("\n".join(section(run, width=_width(), color=_color(arguments), show=arguments.show)))
    return OK


def _width() -> int:
    import shutil

    return min(shutil.get_terminal_size((100, 24)).columns, 120)


def _color(arguments: argparse.Namespace) -> bool:
    return sys.stdout.isatty() and not arguments.no_color and not os.environ.get("NO_COLOR")


def _as_json(run: Run) -> dict[str, Any]:
    from alignsuite.report.text import consequence

    records = [record.to_json() for record in run.records]
    return {"run": run.header, "records": records, "summary": run.summary, "consequence": consequence(run.records)[0]}


# compare ----------------------------------------------------------------------------------------------------------------


def _compare_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("a", metavar="A.jsonl", help="the run to compare with, such as the last release's")
    parser.add_argument("b", metavar="B.jsonl", help="the run in question")
    parser.add_argument(
        "--alpha",
        type=_fraction,
        default=0.01,
        metavar="P",
        help="chance that any row at all is wrongly called worse, and as much for better (default: 0.01)",
    )
    output = parser.add_mutually_exclusive_group()
    output.add_argument("--json", action="store_true", help="one JSON document instead of the table")
    output.add_argument("--markdown", action="store_true", help="a Markdown table, as for a merge request")
    parser.add_argument("--no-color", action="store_true", help="no colours (also: the variable NO_COLOR)")


def _fraction(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number between 0 and 1")
    return value


def _compare(arguments: argparse.Namespace) -> int:
    from pathlib import Path

    from alignsuite.errors import RunFileError
    from alignsuite.records import read_run
    from alignsuite.report.compare import Shown, compare
    from alignsuite.report.compare_text import as_json, as_markdown, as_text

    result = compare(read_run(Path(arguments.a)), read_run(Path(arguments.b)), alpha=arguments.alpha)
    if arguments.json:
        print(json.dumps(as_json(result), sort_keys=True))
    elif arguments.markdown:
        print(as_markdown(result))
    else:
        print("\n".join(as_text(result, _width(), _color(arguments))))
    if not result.compared:
        sys.stdout.flush()
        first = f", first because {result.rows[0].reason}" if result.rows else ": neither made a claim"
        raise RunFileError(f"nothing in {arguments.a} and {arguments.b} can be compared{first}")
    return NEGATIVE if result.count(Shown.WORSE) else OK


# judge ------------------------------------------------------------------------------------------------------------------


def _judge_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help=f"the judge: {', '.join(JUDGES)}")
    parser.add_argument("file", metavar="FILE.jsonl", help="lines with `prompt` and `reply`; - reads standard input")


def _judge(arguments: argparse.Namespace) -> int:
    from alignsuite.models.protocol import Generated

    judge = _judge_named(arguments.name)
    for data in _pairs(arguments.file):
        judgement = judge.read(data["prompt"], Generated(data["reply"]))
        print(json.dumps({**data, "label": judgement.label, "evidence": judgement.evidence}), flush=True)
    return OK


def _judge_named(name: str) -> Judge:
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


# models -----------------------------------------------------------------------------------------------------------------


def _models_arguments(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(action="list")
    actions = parser.add_subparsers(dest="action", metavar="ACTION")
    actions.add_parser("list", help="every alias: what it stands for, and which studies used it (the default)")
    for action, about in (
        ("show", "one row of the table in full"),
        ("pull", "fetch a model's weights, so that later runs work offline"),
        ("check", "open a model, ask it for one text and one choice"),
    ):
        one = actions.add_parser(action, help=about, description=about)
        one.add_argument(
            "name",
            metavar="NAME",
            help="what --model takes: an alias, a file, a folder, hf:…, gguf:…, openai:…, scripted:…",
        )
        if action != "show":
            one.add_argument(
                "--align-base-url", metavar="URL", help="address of an OpenAI-compatible endpoint, for openai:NAME"
            )


def _models(arguments: argparse.Namespace) -> int:
    return {"list": _list_models, "show": _show_model, "pull": _pull_model, "check": _check_model}[
        arguments.action or "list"
    ](arguments)


def _list_models(_: argparse.Namespace) -> int:
    import shutil

    from alignsuite.models.registry import rows
    from alignsuite.report.models import model_table

    print("\n".join(model_table(rows(), width=shutil.get_terminal_size((100, 24)).columns)))
    return OK


def _show_model(arguments: argparse.Namespace) -> int:
    from alignsuite.errors import ModelError, did_you_mean
    from alignsuite.models.registry import lookup, rows
    from alignsuite.report.models import row_text

    row = lookup(arguments.name)
    if row is None:
        near = did_you_mean(arguments.name, (row.alias for row in rows()))
        raise ModelError(f"`{arguments.name}` is no alias of the model table; {near}")
    print(row_text(row))
    return OK


def _pull_model(arguments: argparse.Namespace) -> int:
    from alignsuite.models.registry import lookup
    from alignsuite.report.models import model_line

    row = lookup(arguments.name)
    target = row.target if row else arguments.name
    if target.startswith(("openai:", "scripted:")):
        print(f"{arguments.name}: there is nothing to fetch, {target} is answered elsewhere")
        return OK
    model = _open(arguments)  # opening fetches what is missing and loads no weights
    model.close()
    print(f"{model_line(model.info)}\nready: later runs need no network")
    return OK


def _open(arguments: argparse.Namespace) -> Model:
    from alignsuite.config import cache_folder
    from alignsuite.models.registry import ModelSettings, open_model

    base_url = arguments.align_base_url or os.environ.get("OPENAI_BASE_URL") or None
    tell = None if sys.stderr.isatty() else functools.partial(print, file=sys.stderr, flush=True)
    settings = ModelSettings(cache_folder(), base_url, os.environ.get("OPENAI_API_KEY"), progress=tell)
    return open_model(arguments.name, settings=settings)


def _check_model(arguments: argparse.Namespace) -> int:
    from contextlib import closing

    from alignsuite.errors import RequestError
    from alignsuite.report.models import answer_text, model_line

    with closing(_open(arguments)) as model:
        print(model_line(model.info))
        failed = False
        for request in _questions(model.info):
            for _, reply in model.answer([request]):
                failed = failed or isinstance(reply, RequestError)
                print(answer_text(request, reply))
    return NEGATIVE if failed else OK


def _questions(info: ModelInfo) -> Iterator[Request]:
    from alignsuite.models.protocol import Choose, Generate, Message

    asked = "In one short sentence: what is a unit test?" if info.can_chat else "A unit test is"
    colour = "What colour is a ripe banana? Answer with one word." if info.can_chat else "A ripe banana has the colour"
    options = ("Yellow", "Blue") if info.can_chat else (" yellow", " blue")
    if info.can_generate:
        yield Generate((Message("user", asked),) if info.can_chat else asked, max_tokens=48)
    if info.can_choose:
        yield Choose((Message("user", colour),) if info.can_chat else colour, options)


COMMANDS = {
    "report": Command("show the terminal section of a run file again", _report_arguments, _report),
    "compare": Command("two run files side by side, case by case: is B worse than A?", _compare_arguments, _compare),
    "models": Command("the models that can be named, fetched and checked", _models_arguments, _models),
    "judge": Command("label prompt–reply pairs from a file", _judge_arguments, _judge),
    "version": Command("show the version", lambda _: None, _show_version),
}

if __name__ == "__main__":
    sys.exit(main())
