"""Paired regression and noise floor of a claim as text."""

from __future__ import annotations

from alignsuite.runs.records import ClaimResult, Noise, Regression, Verdict
from alignsuite.text.cells import one_line
from alignsuite.text.numbers import percent, plural, points


def against(regression: Regression) -> str:
    """Paired regression, one clause, such as `against main: 8.0 % → 9.5 %, 7 worse and 4 better of 200 cases`.

    It ends in the minimum detectable effect: `finds losses from 4.6 points on`.
    """
    name = one_line(regression.baseline, 40)
    if regression.p is None:
        return f"against {name}: not compared, because {one_line(regression.reason)}"
    assert regression.before is not None
    assert regression.now is not None
    score = regression.unit == "statement"
    before, now = (f"{value:.2f}" if score else percent(value) for value in (regression.before, regression.now))
    changed = f"{regression.worse} worse and {regression.better} better of {plural(regression.pairs, regression.unit)}"
    return f"against {name}: {before} → {now}, {changed}; {detectable(regression)}"


def detectable(regression: Regression) -> str:
    """Minimum detectable effect as text: the true loss that so many pairs show four times in five."""
    if regression.units < regression.least:
        return "too few to find any loss"
    if regression.unit == "statement":
        return f"losses from {percent(regression.margin)} of the range on may fail"
    if regression.detectable is None:
        return "too few to find any loss four times in five"
    return f"finds losses from {points(max(regression.detectable, regression.margin))} on"


def by_itself(noise: Noise) -> str:
    """Noise floor, one clause."""
    unit = plural(noise.pairs, "pair")
    against = (
        "when asked again"
        if noise.against == "again"
        else f"against {one_line(noise.against, 40)} with nothing changed"
    )
    return (
        f"noise: {noise.worse + noise.better} of {unit} change {against} ({noise.worse} worse, {noise.better} better)"
    )


def style(claim: ClaimResult) -> str:
    """Style of the clause: how loudly to say it."""
    regression = claim.regression
    if regression is None or regression.p is None:
        return "dim"
    return {Verdict.FAIL: "red", Verdict.MARGINAL: "yellow"}.get(regression.verdict, "dim")
