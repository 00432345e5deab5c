"""Command `alignsuite limits`: all claims' limits in one file, and an audit that none was lowered in silence.

To know the claims, the suites are collected and read through in a dry run with a scripted model: no model is loaded and nothing is asked.
"""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING, cast

from alignsuite.cli.arguments import width
from alignsuite.cli.command import NEGATIVE, OK, Command, group

if TYPE_CHECKING:
    from pathlib import Path

    from alignsuite.config import Options
    from alignsuite.limits import Declared, Key
    from alignsuite.pytest_plugin.collect import DryRunItem


def _suites(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "paths", metavar="PATH", nargs="*", help="suites, as pytest takes them (default: those that pytest collects)"
    )
    parser.add_argument("--pyargs", action="store_true", help="PATH names a package, such as alignsuite.suites")
    parser.add_argument(
        "--file", metavar="FILE", help="the file of limits (default: what the ini value align_limits says)"
    )


def _suites_and_json(parser: argparse.ArgumentParser) -> None:
    _suites(parser)
    parser.add_argument("--json", action="store_true", help="one JSON document instead of the table")


def _check_arguments(parser: argparse.ArgumentParser) -> None:
    _suites_and_json(parser)
    parser.add_argument(
        "--against", metavar="REV", required=True, help="the git revision to compare with, such as origin/main"
    )


def _list(arguments: argparse.Namespace) -> int:
    from alignsuite.limits import Limits
    from alignsuite.limits.table import limits_json, limits_table

    claims, path = claims_and_file(arguments, must_exist=True)
    limits = Limits.read(path)
    if arguments.json:
        print(json.dumps(limits_json(claims, limits), sort_keys=True))
    else:
        print("\n".join(limits_table(claims, limits, width=width())))
    return OK


def _write(arguments: argparse.Namespace) -> int:
    from pathlib import Path

    from alignsuite.errors import SettingsError
    from alignsuite.limits import completed

    claims, path = claims_and_file(arguments)
    try:
        before = path.read_text(encoding="utf-8") if path.exists() else ""
        after = completed(before, claims, path.name)
        if after != before:
            path.write_text(after, encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} can't be completed: {error}") from None
    shown = path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
    print(f"{shown}: {'complete, nothing to add' if after == before else 'completed; read it, and commit it'}")
    return OK


def _check(arguments: argparse.Namespace) -> int:
    from alignsuite.cli.git_file import text_at
    from alignsuite.errors import SettingsError
    from alignsuite.limits import Limits, audit
    from alignsuite.limits.table import audit_text

    claims, path = claims_and_file(arguments)
    before = text_at(path, arguments.against)
    if before is None and not path.exists():
        raise SettingsError(
            f"there is no {path}, neither now nor at {arguments.against}: `alignsuite limits write` makes one"
        )
    old = None if before is None else Limits.parse(before, f"{arguments.against}:{path.name}")
    found = audit(claims, Limits.read(path), old)
    if arguments.json:
        print(json.dumps({"file": path.name, "against": arguments.against, **found.to_json()}, sort_keys=True))
    else:
        print("\n".join(audit_text(found, path.name, arguments.against, width=width())))
    return NEGATIVE if found.failures else OK


def claims_and_file(arguments: argparse.Namespace, *, must_exist: bool = False) -> tuple[list[Declared], Path]:
    """Claims of the suites that parsed arguments name, and the path of the file that governs them.

    Raises:
        SettingsError: when there are no claims, or one name stands for two that differ; or the file was named and isn't there, where
            it `must_exist`.
    """
    from pathlib import Path

    from alignsuite.errors import SettingsError

    paths = [*(["--pyargs"] if arguments.pyargs else []), *arguments.paths]
    claims = claims_of(paths)
    path, named = (Path(arguments.file), True) if arguments.file else _governing_file(paths)
    if must_exist and named and not path.exists():
        raise SettingsError(
            f"there is no {path}: correct its name, check it out, or make it with `alignsuite limits write`"
        )
    return claims, path


def claims_of(paths: list[str]) -> list[Declared]:
    """Claims of the suites that pytest collects with these arguments, each once.

    Raises:
        SettingsError: when there are none, or one name stands for two that differ.
    """
    from alignsuite.errors import SettingsError
    from alignsuite.pytest_plugin.collect import dry_run

    found: dict[Key, tuple[Declared, str]] = {}
    for item in dry_run(paths):
        for one in _claims_in(item):
            other, where = found.setdefault(one.key, (one, item.nodeid))
            if other.numbers != one.numbers:
                raise SettingsError(
                    f"{where} and {item.nodeid} are both {one.key}, with different numbers; an entry would set both: rename one"
                )
    if not found:
        raise SettingsError(
            f"there are no probes in {', '.join(paths) or 'what pytest collects here'}: name the suites"
        )
    return [claim for claim, _ in found.values()]


def _claims_in(item: DryRunItem) -> list[Declared]:
    """Claims of one item; of a body that can't be read through, one without known numbers, so its entry is guarded."""
    from alignsuite.limits import Declared

    claims = [
        Declared(item.prompt_set, item.function, item.slice, index, claim.kind, claim.what, claim.numbers)
        for index, claim in enumerate(item.claims)
    ]
    return claims or [
        Declared(item.prompt_set, item.function, item.slice, 0, "?", "can't be read before it runs", None)
    ]


def _governing_file(paths: list[str]) -> tuple[Path, bool]:
    """Path from the ini value `align_limits`, in the root folder that pytest finds, and whether it was named there.

    Nothing is collected for it.
    """
    import pytest

    from alignsuite.config import read_settings
    from alignsuite.errors import SettingsError

    class Ask:
        file: Path | None = None
        named = False

        @pytest.hookimpl(tryfirst=True)
        def pytest_cmdline_main(self, config: pytest.Config) -> int:
            settings = read_settings(cast("Options", config))
            self.file, self.named = settings.limits, settings.limits_named
            return 0

    ask = Ask()
    code = pytest.main(paths, plugins=[ask])
    if ask.file is None:
        raise SettingsError(f"pytest can't read its settings here (exit code {int(code)}): name the file with --file")
    return ask.file, ask.named


COMMAND = group(
    "the targets and limits in force, as one file, and a check that none was weakened in silence",
    {
        "list": Command(
            "every claim: the suite's numbers, those in force, where they are from and why", _list, _suites_and_json
        ),
        "write": Command("make the file of limits, or add what it lacks; what stands there stays", _write, _suites),
        "check": Command(
            "fail where a number is weaker than at a git revision and no new reason is given", _check, _check_arguments
        ),
    },
)
