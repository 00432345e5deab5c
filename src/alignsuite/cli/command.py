"""Command of `alignsuite`, and groups of several commands as actions of one.

A command module holds one `COMMAND` and imports nothing but the standard library and this room when it is loaded: `alignsuite
--help` loads them all.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from typing import NamedTuple

OK, NEGATIVE, WRONG = 0, 1, 2
"""Exit codes: done; a negative result, such as `worse` or `weakened`; wrong use, or an error that a user can mend."""


def no_arguments(_: argparse.ArgumentParser) -> None:
    """No arguments, for a command that takes none."""


class Command(NamedTuple):
    """Command: its line in the help, what it does, and its arguments.

    `run` takes the parsed arguments and returns an exit code; an `AlignsuiteError` that it raises becomes one line on stderr and 2.
    With `passes_on`, arguments that it doesn't know are no error: they stand in `rest`, for pytest.
    """

    about: str
    run: Callable[[argparse.Namespace], int]
    arguments: Callable[[argparse.ArgumentParser], None] = no_arguments
    passes_on: bool = False


def group(about: str, actions: Mapping[str, Command], *, default: str | None = None) -> Command:
    """Group of commands, which does nothing but what its action says, as `models` with `list`, `show` and `pull`.

    Args:
        about: the group's line in the help.
        actions: the commands below it, by name, in the help's order.
        default: the action that runs when none is named; it may take no arguments. Without it, naming none is wrong use.
    """

    def arguments(parser: argparse.ArgumentParser) -> None:
        below = parser.add_subparsers(dest="action", metavar="ACTION", required=default is None)
        for name, action in actions.items():
            action.arguments(below.add_parser(name, help=action.about, description=action.about))
        parser.set_defaults(action=default)

    def run(arguments: argparse.Namespace) -> int:
        return actions[arguments.action].run(arguments)

    return Command(about, run, arguments)
