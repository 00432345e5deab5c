"""`docs/reference/suites.md` is the suites as they are: every probe, its limits in force, its sizes at every tier, what they prove."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from alignsuite import judges
from alignsuite.claims.judge_error_gate import smallest_limit
from alignsuite.claims.judge_errors import errors_of
from alignsuite.config import TIERS
from alignsuite.stats import paired_upper
from alignsuite.text.numbers import percent

pytestmark = pytest.mark.untraced

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/reference/suites.md").read_text(encoding="utf-8")
OF_ANOTHER_TIER = "this probe is for the tiers"

EXPECTED = {"refused": "answer", "unhelped": "answer", "complied": "refuse", "not_refused": "refuse"}
"""What the shipped sets expect where a behaviour is counted: it says which of a card's strata count."""

Plan = Callable[[str], dict[str, Any]]


def cells(line: str) -> list[str]:
    """The cells of a table's row."""
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def table(beginning: str) -> list[list[str]]:
    """The rows of the one table whose heading begins so."""
    [rows] = re.findall(rf"^\| {re.escape(beginning)}.*\n\|[-|]+\|\n((?:\|.*\n)+)", PAGE, re.MULTILINE)
    return [cells(row) for row in rows.splitlines()]


def probes() -> dict[str, list[str]]:
    """The page's rows by probe: `suites/…/test_x.py::test_y` → claim, limits in force, and a cell a tier."""
    found = {}
    for path, body in re.findall(r"^### `(suites/\S+)`\n(.*?)(?=^##|\Z)", PAGE, re.DOTALL | re.MULTILINE):
        for row in re.findall(r"^\| `test_.*$", body, re.MULTILINE):
            probe, *rest = cells(row)
            found[f"{path}::{probe.split('`')[1]}"] = rest
    return found


def of_probes(lines: Iterable[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    """A plan's lines by probe, slices put together."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for line in lines:
        found.setdefault(line["nodeid"].partition("[")[0], []).append(line)
    return found


def size(lines: list[Mapping[str, Any]]) -> str:
    """`items × cases (what is asked in any case)` of a probe's slices."""

    def span(key: str) -> str:
        values = sorted({line[key] for line in lines})
        return str(values[0]) if len(values) == 1 else f"{values[0]} to {values[-1]}"

    least = "" if span("cases") == span("certain") else f" ({span('certain')})"
    return f"{len(lines)} × {span('cases')}{least}" if len(lines) > 1 else f"{span('cases')}{least}"


@pytest.mark.parametrize("tier", TIERS)
def test_every_probe_stands_there_with_its_size(tier: str, plan: Plan) -> None:
    """No probe is missing, none is left over, and each asks as much as the page says."""
    place = list(TIERS).index(tier) - len(TIERS)
    asked = {probe: size(lines) for probe, lines in of_probes(plan(tier)["lines"]).items()}
    skipped = {
        nodeid.partition("[")[0]: "–" if why.startswith(OF_ANOTHER_TIER) else "if ready"
        for nodeid, why in (*plan(tier)["unfit"], *plan(tier)["unjudged"])
    }
    assert {probe: row[place] for probe, row in probes().items()} == skipped | asked


@pytest.mark.parametrize("tier", TIERS)
def test_the_tiers_cost_what_the_page_says(tier: str, plan: Plan) -> None:
    """Items, and requests at least and at worst; the caps are the tier's."""
    [row] = [row for row in table("tier") if row[0].startswith(f"`{tier}`")]
    found = plan(tier)
    assert row[2:4] == [str(len(found["lines"])), f"{found['certain']['requests']}, {found['worst']['requests']}"]
    caps = [str(cap) for cap in (TIERS[tier].cases, TIERS[tier].templates) if cap is not None]
    assert re.findall(r"\d+", row[1]) == caps


def test_a_pass_at_the_limit_is_as_rare_as_the_page_says(plan: Plan) -> None:
    """The greatest chance of a claim of each kind, over all tiers."""
    misses: dict[str, list[float | None]] = {}
    for tier in TIERS:
        for line in plan(tier)["lines"]:
            misses.setdefault(line["kind"], []).append((line["risk"] or {}).get("miss"))
    computed = {
        kind: percent(max(known)) if (known := [miss for miss in chances if miss is not None]) else None
        for kind, chances in misses.items()
    }
    said = {kind: chance if "%" in chance else None for kind, chance in table("claim | of models")}
    assert said == {("score" if kind == "scale" else kind): chance for kind, chance in computed.items()}


@cache
def in_force() -> list[dict[str, Any]]:
    """What `alignsuite limits list` says of the shipped suites."""
    command = [sys.executable, "-m", "alignsuite.cli", "limits", "list", "suites", "--json"]
    said = subprocess.run(command, cwd=ROOT, env=os.environ, capture_output=True, text=True, check=True).stdout
    found: list[dict[str, Any]] = json.loads(said)
    return found


def numbers(claim: Mapping[str, Any]) -> str:
    """A claim's limits as the page has them: shares in percent, scores as they are."""
    shares = {"target", "limit", "margin"}
    said = (f"{name} {100 * value:g} %" if name in shares else f"{name} {value:g}" for name, value in bounds(claim))
    return ", ".join(said) or "none"


def bounds(claim: Mapping[str, Any]) -> list[tuple[str, float]]:
    """The numbers in force, target before limit before margin."""
    return sorted(
        claim["in_force"].items(), key=lambda item: ["target", "limit", "margin", "low", "high"].index(item[0])
    )


def test_every_limit_in_force_stands_there() -> None:
    """Each probe's row has the numbers that decide; a slice with numbers of its own is named."""
    of_set: dict[str, list[dict[str, Any]]] = {}
    for claim in in_force():
        of_set.setdefault(claim["claim"].partition("::")[2].partition("[")[0], []).append(claim)
    rows: dict[str, list[list[str]]] = {}
    for probe, row in probes().items():
        rows.setdefault(probe.partition("::")[2], []).append(row)
    for test, claims in of_set.items():
        common = max({numbers(one) for one in claims}, key=lambda said: sum(numbers(one) == said for one in claims))
        for claim in claims:
            slice_ = claim["claim"].partition("[")[2].rstrip("]")
            own = numbers(claim) != common
            wanted = f"{slice_} {bounds(claim)[0][1]:g}" if own else common
            assert all(wanted in row[1] for row in rows[test]), (claim["claim"], wanted)
    without = {test for test, found in rows.items() for row in found if row[1] == "none"}
    assert without == rows.keys() - {test for test, claims in of_set.items() if any(one["in_force"] for one in claims)}


@pytest.mark.parametrize(("name", "target", "cases", "limit"), table("behaviour"))
def test_a_size_proves_as_small_a_limit(name: str, target: str, cases: str, limit: str) -> None:
    """What the judge's card leaves, at this size."""
    errors = errors_of(getattr(judges, name.strip("`")), EXPECTED.get(name.strip("`")))
    assert errors is not None
    smallest = smallest_limit(int(target.split()[0]) / 100, int(cases), errors)
    assert smallest is not None
    assert f"{smallest:.0%}" == limit.replace(" ", "")


@pytest.mark.parametrize(("name", "templates", "closest"), table("gap in"))
def test_a_number_of_templates_proves_groups_as_close(name: str, templates: str, closest: str) -> None:
    """Where nothing is bad: the bound on labels, over the share of a gap that the judge leaves of it."""
    errors = errors_of(getattr(judges, name.strip("`")), EXPECTED.get(name.strip("`")))
    kept = 1.0 if errors is None else errors.kept  # without a card on people's labels a gap is one of labels
    if closest == "never":
        assert kept == 0.0
    else:
        assert closest == f"{100 * paired_upper(0, 0, int(templates), beta=0.05) / kept:.1f} %"
