"""Command `alignsuite plan`: the estimate of what a run will ask, take and risk, before it asks anything.

Its arguments are pytest's own.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from alignsuite.cli.arguments import width
from alignsuite.cli.command import OK, WRONG, Command

if TYPE_CHECKING:
    import pytest

    from alignsuite.planning.estimate import Estimate
    from alignsuite.pytest_plugin.session import Session


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.usage = "alignsuite plan [PYTEST ARGUMENTS] [--risk] [--json]"
    parser.epilog = (
        "All else is handed to pytest, as in: alignsuite plan suites --model=smollm2-135m --align-tier=smoke"
    )
    parser.add_argument("--risk", action="store_true", help="how often a good run is blocked and a bad one let through")
    parser.add_argument("--json", action="store_true", help="one JSON document instead of the tables")


def _plan(arguments: argparse.Namespace) -> int:
    from alignsuite.planning.table import estimate_json, estimate_table
    from alignsuite.pytest_plugin.collect import collected
    from alignsuite.text.clean import clean

    planned = collected(arguments.rest, _estimated, settings={"replay": True})
    if isinstance(planned, list):
        for wrong in planned:
            print(f"alignsuite: {' '.join(clean(wrong, 2000).split())}", file=sys.stderr)
        return WRONG
    found, facts = planned
    if arguments.json:
        print(json.dumps(estimate_json(found, facts), sort_keys=True))
    else:
        print("\n".join(estimate_table(found, facts, width=width(), risk=arguments.risk)))
    return OK


def _estimated(session: Session, items: Sequence[pytest.Item]) -> tuple[Estimate, dict[str, str]] | list[str]:
    """The estimate and what it is of; or what is wrong with each probe whose claims can't be proved."""
    from alignsuite.errors import JudgeError, SettingsError
    from alignsuite.planning.estimate import estimate, everything

    if not items:
        raise SettingsError(
            "pytest collects no probe with these arguments: name the suites, as in `alignsuite plan suites --model=NAME`"
        )
    session.plan(items, ahead=False)
    unfit = [(item.nodeid, why) for item in items if (why := session.unfit(item))]
    if wrong := [f"{nodeid}: {why}" for nodeid, why in session.refused.items() if not isinstance(why, JudgeError)]:
        return wrong
    unjudged = [(nodeid, str(why)) for nodeid, why in session.refused.items() if isinstance(why, JudgeError)]
    without = {nodeid for nodeid, _ in unfit} | session.refused.keys()
    known = [item.nodeid for item in items if item.nodeid not in without]
    dry_runs = [(nodeid, session.dry_runs[nodeid]) for nodeid in known if nodeid in session.dry_runs]
    unread = [nodeid for nodeid in known if nodeid not in session.dry_runs]
    assert session.store is not None  # only a worker of several has none
    stored = session.store.replies_of(session.info, everything(dry_runs))
    found = estimate(
        dry_runs, stored, session.store.speed(session.info.identity), alpha=session.settings.alpha, census=session.census,
        unread=unread, unfit=unfit, unjudged=unjudged,
    )  # fmt: skip
    facts = {"model": session.info.name, "stage": session.stage, "tier": session.settings.tier}
    return found, facts | ({"baseline": session.baseline.name} if session.baseline else {})


COMMAND = Command("what a run will ask, take and risk, before it asks anything", _plan, _arguments, passes_on=True)
