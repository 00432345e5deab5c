"""Command `alignsuite baseline`: runs kept under a name, for `pytest --baseline=NAME`."""

from __future__ import annotations

import argparse
from pathlib import Path

from alignsuite.cli.command import OK, Command, group


def _folder() -> Path:
    from alignsuite.config import baselines_folder, cache_folder

    return baselines_folder(cache_folder())


def _save_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="what to call it, such as release-4")
    parser.add_argument("run", metavar="RUN.jsonl", help="a run file that was written with --align-census")
    parser.add_argument("--force", action="store_true", help="replace a baseline of that name")


def _save(arguments: argparse.Namespace) -> int:
    from alignsuite.runs.baseline import save

    kept = save(arguments.name, Path(arguments.run), _folder(), force=arguments.force)
    print(f"kept as {arguments.name}: {kept}")
    print(f"compare with it: pytest --model=… --baseline={arguments.name}")
    return OK


def _list(_: argparse.Namespace) -> int:
    from alignsuite.errors import RunFileError
    from alignsuite.runs.baseline import Baseline, kept_file, kept_names
    from alignsuite.runs.file import read_run

    names = kept_names(_folder())
    for name in names:
        try:
            found = Baseline(name, read_run(kept_file(name, _folder())))
        except RunFileError as error:
            print(f"{name:<20} {error}")
        else:
            print(f"{name:<20} {found.model.get('name', '?')}  {_summary(found.run)}")
    if not names:
        print("no baseline is kept; `alignsuite baseline save NAME RUN.jsonl` keeps one")
    return OK


def _name_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="the name that it was kept under")


def _show(arguments: argparse.Namespace) -> int:
    from alignsuite.cli.arguments import width
    from alignsuite.reports.terminal import section
    from alignsuite.runs.baseline import open_baseline

    print("\n".join(section(open_baseline(arguments.name, _folder(), Path()).run, width=width())))
    return OK


def _remove(arguments: argparse.Namespace) -> int:
    from alignsuite.runs.baseline import kept_file

    kept_file(arguments.name, _folder()).unlink()
    print(f"{arguments.name} is no longer kept")
    return OK


def _summary(run: object) -> str:
    from alignsuite.runs.records import Run

    assert isinstance(run, Run)
    verdicts = ", ".join(f"{number} {word}" for word, number in sorted(run.summary.get("verdicts", {}).items()))
    return f"{run.header.get('tier')}, {run.header.get('stage')}: {verdicts}"


COMMAND = group(
    "runs kept under a name, to hold later ones against",
    {
        "save": Command("keep a run file under a name", _save, _save_arguments),
        "list": Command("the kept ones", _list),
        "show": Command("the section of a kept run", _show, _name_argument),
        "remove": Command("keep it no longer", _remove, _name_argument),
    },
    default="list",
)
