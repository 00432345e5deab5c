"""Command `alignsuite version`."""

from __future__ import annotations

import argparse

from alignsuite.cli.command import OK, Command


def text() -> str:
    """Name and version, as both `version` and `--version` print them."""
    from alignsuite import __version__

    return f"alignsuite {__version__}"


def _run(_: argparse.Namespace) -> int:
    print(text())
    return OK


COMMAND = Command("show the version", _run)
