"""Command `alignsuite compare`: a paired comparison of two run files; exit code 1 where the second is worse."""

from __future__ import annotations

import argparse
import json
import sys

from alignsuite.cli.arguments import add_no_color, color, fraction, width
from alignsuite.cli.command import NEGATIVE, OK, Command


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("a", metavar="A.jsonl", help="the run to compare with, such as the last release's")
    parser.add_argument("b", metavar="B.jsonl", help="the run in question")
    parser.add_argument(
        "--alpha",
        type=fraction,
        default=0.01,
        metavar="P",
        help="chance that any row at all is wrongly called worse, as much for better, and as much for whole axes (default: 0.01)",
    )
    output = parser.add_mutually_exclusive_group()
    output.add_argument("--json", action="store_true", help="one JSON document instead of the table")
    output.add_argument("--markdown", action="store_true", help="a Markdown table, as for a merge request")
    add_no_color(parser)


def _run(arguments: argparse.Namespace) -> int:
    from pathlib import Path

    from alignsuite.errors import RunFileError
    from alignsuite.reports.comparison import as_json, as_markdown, as_text
    from alignsuite.runs.compare import compare
    from alignsuite.runs.file import read_run

    a, b = read_run(Path(arguments.a)), read_run(Path(arguments.b))
    result = compare(a, b, alpha=arguments.alpha)
    if arguments.json:
        print(json.dumps(as_json(result), sort_keys=True))
    elif arguments.markdown:
        print(as_markdown(result))
    else:
        print("\n".join(as_text(result, width(), color(arguments))))
    if not result.compared:
        sys.stdout.flush()
        first = f", first because {result.rows[0].reason}" if result.rows else ": neither made a claim"
        raise RunFileError(f"nothing in {arguments.a} and {arguments.b} can be compared{first}")
    lacking = [f"{path} was {run.cut_off}" for path, run in ((arguments.a, a), (arguments.b, b)) if run.cut_off]
    if lacking:
        print(f"not all could be compared: {'; '.join(lacking)}", file=sys.stderr)
    return NEGATIVE if result.worse or lacking else OK


COMMAND = Command("two run files side by side, case by case: is B worse than A?", _run, _arguments)
