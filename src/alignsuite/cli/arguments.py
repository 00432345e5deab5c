"""Arguments that several commands share, and the types that check them."""

from __future__ import annotations

import argparse
import os
import sys


def whole(text: str) -> int:
    """Argument type: a whole number of 0 or more."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number")
    return int(text)


def fraction(text: str) -> float:
    """Argument type: a number above 0 and below 1."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number between 0 and 1")
    return value


def add_no_color(parser: argparse.ArgumentParser) -> None:
    """Add the option `--no-color`, which `color` reads."""
    parser.add_argument("--no-color", action="store_true", help="no colours (also: the variable NO_COLOR)")


def color(arguments: argparse.Namespace) -> bool:
    """Whether to print in colours: into a terminal, unless `--no-color` or the environment says otherwise."""
    return sys.stdout.isatty() and not arguments.no_color and not os.environ.get("NO_COLOR")


def width(most: int = 120) -> int:
    """Width of the terminal in columns, 100 where there is none, at most `most`: long lines are hard to read."""
    import shutil

    return min(shutil.get_terminal_size((100, 24)).columns, most)
