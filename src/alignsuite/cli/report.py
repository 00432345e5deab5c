"""Command `alignsuite report`: a run file shown as pytest showed it, drawn, and beside a published study."""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING, Any

from alignsuite.cli.arguments import add_no_color, color, whole, width
from alignsuite.cli.command import NEGATIVE, OK, Command

if TYPE_CHECKING:
    from pathlib import Path

    from alignsuite.runs.records import Run


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", metavar="RUN.jsonl", help="a run file, as pytest writes with --align-run-file")
    parser.add_argument("--show", type=whole, default=0, metavar="N", help="show the first N examples of each record")
    add_no_color(parser)
    parser.add_argument(
        "--against", metavar="STUDY", help="questionnaires beside a published study's figures, as in --against li2024"
    )
    parser.add_argument(
        "--pictures", metavar="FOLDER", help="draw questionnaires and comparisons of groups into a folder, as SVG files"
    )
    output = parser.add_mutually_exclusive_group()
    output.add_argument("--json", action="store_true", help="one JSON document instead of the section")
    output.add_argument("--markdown", action="store_true", help="with --against: Markdown tables")


def _run(arguments: argparse.Namespace) -> int:
    from pathlib import Path

    from alignsuite.errors import RunFileError, SettingsError
    from alignsuite.runs.file import read_run

    if arguments.markdown and not arguments.against:
        raise SettingsError(
            "--markdown is a form of the tables of --against: name the study too, as in --against li2024"
        )
    if arguments.show and arguments.against:
        raise SettingsError("--show belongs to the section, which --against replaces: leave one of them out")
    run = read_run(Path(arguments.run))
    drawn, lacking = _draw(run, Path(arguments.pictures)) if arguments.pictures else (None, [])
    if arguments.json:
        data = _as_json(run, arguments)
        print(json.dumps(data if drawn is None else data | {"pictures": drawn, "not_drawn": lacking}, sort_keys=True))
    else:
        said = [*(f"drawn: {path}" for path in drawn or ()), *(f"not drawn: {reason}" for reason in lacking)]
        print("\n".join([_as_text(run, arguments), *said]))
    if drawn == []:
        sys.stdout.flush()
        raise RunFileError(
            f"nothing in {arguments.run} can be drawn: each comparison of groups is listed with its reason"
            if lacking
            else f"{arguments.run} has no questionnaire to draw, and no comparison of groups: make a run of `suites/psychological` "
            "or `suites/fairness` with --align-run-file"
        )
    return OK if _whole(run, arguments) else NEGATIVE


def _whole(run: Run, arguments: argparse.Namespace) -> bool:
    """Whether what is shown may be read as a pass; pictures and studies only want a whole run."""
    from alignsuite.reports.terminal import passes

    return not run.cut_off if arguments.against or arguments.pictures else passes(run)


def _as_text(run: Run, arguments: argparse.Namespace) -> str:
    from alignsuite.reports.studies import as_markdown, as_text, beside, published
    from alignsuite.reports.terminal import section

    if not arguments.against:
        return "\n".join(section(run, width=width(), color=color(arguments), show=arguments.show))
    found = beside(run, published(arguments.against))
    return as_markdown(found) if arguments.markdown else "\n".join(as_text(found, width(), color(arguments)))


def _as_json(run: Run, arguments: argparse.Namespace) -> dict[str, Any]:
    from alignsuite.reports.studies import as_json, beside, published
    from alignsuite.reports.terminal import consequence
    from alignsuite.runs.file import summary_line

    if arguments.against:
        return as_json(beside(run, published(arguments.against)))
    records = [record.to_json() for record in run.records]
    return {"run": run.header, "records": records, "summary": summary_line(run), "consequence": consequence(run)[0]}


def _draw(run: Run, folder: Path) -> tuple[list[str], list[str]]:
    """Paths of the figures, which are written, and what of the run's gaps is not drawn, with the reason.

    There are no paths where there is nothing to draw.
    """
    from alignsuite.errors import RunFileError
    from alignsuite.reports.figures import left_out, pictures

    drawn = []
    for name, document in pictures(run).items():
        try:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(document, encoding="utf-8")
        except OSError as error:
            raise RunFileError(
                f"the picture {folder / name} can't be written ({error.strerror}): name another folder"
            ) from None
        drawn.append(str(folder / name))
    return drawn, left_out(run)


COMMAND = Command("show the terminal section of a run file again, draw it, lay it beside a study", _run, _arguments)
