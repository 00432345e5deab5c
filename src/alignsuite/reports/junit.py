"""JUnit properties of a run: names and strings, for pytest's own JUnit writer to carry.

Nothing is written here. Every value is one short line of text that XML can hold; a number that was not measured is left out, for an
empty or NaN property would read as a value.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from alignsuite.claims import present
from alignsuite.reports import axes
from alignsuite.reports.rows import deciding
from alignsuite.reports.terminal import consequence
from alignsuite.runs.records import AxisRegression, ClaimResult, Record, Regression, Run
from alignsuite.text.cells import one_line

Property = tuple[str, str]

PREFIX = "alignsuite"
"""How names of our properties begin, before a full stop."""
_LONGEST = 600


def suite_properties(run: Run) -> list[Property]:
    """Properties of the whole run: who was asked, under which settings, and what follows.

    Named `alignsuite.model`, `.fingerprint`, `.engine`, `.stage`, `.form`, `.tier`, `.version`, `.blocking`, `.alpha`, `.baseline`,
    `.failed_together` (what Holm's procedure fails beyond the items), `.failed_axes` (what got worse as a whole), `.consequence`.
    """
    model = run.header.get("model")
    known = model if isinstance(model, dict) else {"name": model}
    values = {
        "model": known.get("name"),
        "fingerprint": known.get("fingerprint") or run.header.get("fingerprint"),
        "engine": known.get("engine"),
        **{name: run.header.get(name) for name in ("stage", "form", "tier")},
        "version": run.header.get("alignsuite"),
        "blocking": sum(record.blocks for record in run.records),
        "alpha": run.header.get("alpha"),
        "baseline": run.header.get("baseline"),
        "failed_together": " ".join((run.summary.get("together") or {}).get("also", ())),
        "failed_axes": axes.lost(run.regressions),
        "consequence": consequence(run)[0],
    }
    return list(_properties(PREFIX, values))


def case_properties(record: Record) -> list[Property]:
    """Properties of one test case.

    Where an item makes one claim its numbers stand under `alignsuite.rate` and so on; where it makes several, under `alignsuite.1.rate`,
    `alignsuite.2.rate` …, in the order claimed. The value is named after the kind: `rate` (also of flips), `gap` or `score`.
    """
    worst = deciding(record)
    values = {
        "verdict": record.verdict or "none",
        "axis": record.axis,
        "probe": record.probe,
        "slice": record.slice,
        "prompt_set": "@".join(str(record.prompt_set[key]) for key in ("id", "version") if key in record.prompt_set),
        "prompt_set_hash": record.prompt_set.get("hash"),
        "stage": record.stage,
        "form": record.form,
        "blocks": record.blocks,
        "reason": record.reason or ("; ".join(worst.reasons) if worst else ""),
        "replay": record.replay,
    }
    properties = list(_properties(PREFIX, values))
    for index, claim in enumerate(record.claims, start=1):
        prefix = PREFIX if len(record.claims) == 1 else f"{PREFIX}.{index}"
        properties += _properties(prefix, _claim(claim, alone=len(record.claims) == 1))
    return properties


@dataclass(frozen=True)
class RegressionCase:
    """Test case of JUnit that stands for a pooled regression, under a name that does not depend on the run."""

    name: str
    outcome: Literal["passed", "failure", "skipped"]
    said: str
    properties: list[Property]
    classname: str = f"{PREFIX}.regression"


def regression_case(one: AxisRegression) -> RegressionCase:
    """`RegressionCase` of an axis: a failure where it blocks, skipped where nothing could be compared."""
    values = {
        name: getattr(one, name)
        for name in ("verdict", "axis", "baseline", "pairs", "worse", "better", "loss", "p", "adjusted", "alpha", "margin")
    } | {"detectable_loss": one.sees, "blocks": one.blocks, "reason": one.reason}  # fmt: skip
    name = one_line(one.axis) + (f"[{one_line(one.expect)}]" if one.expect else "")
    said = "\n".join([f"{axes.title(one)}: {one.verdict}", *axes.notes(one)])
    outcome: Literal["passed", "failure", "skipped"] = (
        "failure" if one.blocks else "skipped" if one.p is None else "passed"
    )
    return RegressionCase(name, outcome, said, list(_properties(PREFIX, values)))


def _claim(claim: ClaimResult, *, alone: bool) -> dict[str, object]:
    low, high = claim.interval or (None, None)
    return {
        **({} if alone else {"verdict": claim.verdict, "reason": "; ".join(claim.reasons)}),
        "kind": claim.kind,
        "what": claim.what,
        present(claim).measure: claim.value,
        "interval_low": low,
        "interval_high": high,
        "level": claim.level,
        **{name: claim.bounds[name] for name in sorted(claim.bounds)},
        "asked": claim.asked,
        "bank": claim.bank,
        "bad": claim.bad,
        "unread": claim.unread,
        "judge": claim.judge,
        "p": claim.p,
        "sees": claim.sees,
        **{name: claim.errors[name] for name in sorted(claim.errors)},
        **_regression(claim.regression),
    }


def _regression(regression: Regression | None) -> dict[str, object]:
    if regression is None:
        return {}
    return {
        "baseline": regression.baseline,
        "baseline_value": regression.before,
        "loss": regression.loss,
        "regression": regression.verdict,
        "regression_p": regression.p,
        "detectable_loss": regression.detectable,
    }


def _properties(prefix: str, values: dict[str, object]) -> Iterator[Property]:
    for name, value in values.items():
        text = _text(value)
        if text:
            yield f"{prefix}.{one_line(name, 60)}", text


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:.6g}" if math.isfinite(value) else ""
    return one_line(str(value), _LONGEST)
