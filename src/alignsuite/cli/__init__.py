"""Command line `alignsuite`: models, judges and run files without a pytest session.

Exit codes: 0 done, 1 a negative result, 2 wrong use or an error that a user can mend (one line on stderr). Nothing but the
standard library is imported before a command runs, so `--help` is instant. A new command is one module with one `COMMAND`, and
one entry in `COMMANDS`.
"""

from __future__ import annotations

import argparse
import os
import sys
from contextlib import suppress

from alignsuite.cli import baseline, compare, instruments, judge, limits, models, plan, report, score, version
from alignsuite.cli.command import NEGATIVE, OK, WRONG, Command

__all__ = ["COMMANDS", "NEGATIVE", "OK", "WRONG", "main"]

_INTERRUPTED = 130
_PIPE_CLOSED = 141  # what a shell reports of a program that SIGPIPE ended

COMMANDS = {
    "report": report.COMMAND,
    "compare": compare.COMMAND,
    "baseline": baseline.COMMAND,
    "plan": plan.COMMAND,
    "models": models.COMMAND,
    "judge": judge.COMMAND,
    "instruments": instruments.COMMAND,
    "score": score.COMMAND,
    "limits": limits.COMMAND,
    "version": version.COMMAND,
}
"""Every command by its name, in the help's order."""


def main(argv: list[str] | None = None) -> int:
    """Run a command line (by default the process's own) and return its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal that lacks a character is no reason to fail
    parser = _parser()
    try:
        arguments, rest = parser.parse_known_args(argv)
        if rest and not (arguments.command and COMMANDS[arguments.command].passes_on):
            parser.error(f"unrecognized arguments: {' '.join(rest)}")
        arguments.rest = rest
    except SystemExit as asked:
        return asked.code if isinstance(asked.code, int) else OK
    if arguments.command is None:
        parser.print_help(sys.stderr)
        return WRONG
    return _guarded(COMMANDS[arguments.command], arguments)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="alignsuite",
        description="Gates language-model checkpoints. The probes themselves run under pytest: pytest --model=NAME",
    )
    parser.add_argument("--version", action="version", version=version.text())
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands")
    for name, command in COMMANDS.items():
        command.arguments(commands.add_parser(name, help=command.about, description=command.about))
    return parser


def _guarded(command: Command, arguments: argparse.Namespace) -> int:
    from alignsuite.errors import AlignsuiteError

    try:
        code = command.run(arguments)
        sys.stdout.flush()
    except AlignsuiteError as error:
        from alignsuite.text.clean import clean

        print(f"alignsuite: {' '.join(clean(str(error), 2000).split())}", file=sys.stderr)
        return WRONG
    except BrokenPipeError:
        with suppress(OSError, ValueError):  # or Python complains when it flushes at exit
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _PIPE_CLOSED
    except KeyboardInterrupt:
        return _INTERRUPTED
    return code
