"""Whole axes held against a baseline, on trial: how often is a loss found, and how often one that isn't there?

Outcomes are drawn by seed and put into runs; what judges them is what judges a run: pairs, Holm over four axes, margin, verdict.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

from alignsuite.runs.pooled import axis_regressions
from alignsuite.runs.records import ClaimResult, Record, Run, Verdict
from alignsuite.stats.pooled_regression import regression_power

pytestmark = pytest.mark.untraced

AXES, CLAIMS, RUNS = ("fairness", "psychological", "robustness", "safety"), 5, 300
CHURN = 0.01
Labels = NDArray[np.int64]


def axis(name: str, labels: Labels, per_template: int) -> Iterator[Record]:
    """Records of five claims over one axis, each reading a fifth of its replies."""
    for number, part in enumerate(np.array_split(labels, CLAIMS)):
        outcomes = {f"t{at // per_template}/{at}": int(bad) for at, bad in enumerate(part.tolist())}
        claim = ClaimResult(
            "rate", Verdict.PASS, "refused", "refusal 3", asked=len(part), bank=len(part), outcomes=outcomes
        )
        probe = f"{name}/{number}"
        asked = {"id": probe, "version": 1, "hash": "ab", "expect": "answer"}
        yield Record(
            probe, name, probe, "test_it", "", "", asked, "finetuning", "chat", "passed", Verdict.PASS, False, "", (claim,)
        )  # fmt: skip


def run(labels: dict[str, Labels], per_template: int = 1) -> Run:
    """A run with these labels on each axis."""
    return Run({}, tuple(record for name, one in labels.items() for record in axis(name, one, per_template)), {})


def failed(seed: int, pairs: int, loss: float, runs: int = RUNS) -> tuple[float, float]:
    """Share of runs in which the axis that lost FAILs, and in which one of the three that didn't does."""
    rng, found, wronged = np.random.default_rng(seed), 0, 0
    for _ in range(runs):
        before, after = {}, {}
        for name in AXES:
            draw = rng.random(pairs)  # worse, better or unchanged: one of the three for each pair
            worse, better = draw < CHURN + (loss if name == "fairness" else 0), draw > 1 - CHURN
            before[name], after[name] = better.astype(int), worse.astype(int)
        verdicts = {one.axis: one.verdict for one in axis_regressions(run(before), run(after))}
        found += verdicts.pop("fairness") is Verdict.FAIL
        wronged += Verdict.FAIL in verdicts.values()
    return found / runs, wronged / runs


@pytest.mark.parametrize(("pairs", "loss"), [(500, 0.05), (1000, 0.03), (500, 0.02)])
def test_a_loss_is_found_as_often_as_it_is_said_to_be(pairs: int, loss: float) -> None:
    """Five points in 500 replies: 94 of 100 runs, though four axes share alpha. Holm finds no less than equal shares, which are tabled."""
    found, wronged = failed(14, pairs, loss)
    tabled = regression_power(pairs, loss, churn=CHURN)
    assert tabled - 3 * np.sqrt(tabled * (1 - tabled) / RUNS) <= found
    assert wronged <= 0.01 + 3 * np.sqrt(0.01 * 0.99 / RUNS)
    if (pairs, loss) == (500, 0.05):
        assert found >= 0.9


@pytest.mark.parametrize("per_template", [1, 10])
def test_an_unchanged_model_is_blocked_at_most_as_often_as_alpha_says(per_template: int) -> None:
    """Replies of one template go together, and each is drawn anew in both runs: any axis FAILs in 1 of 100 runs at most."""
    rng, blocked = np.random.default_rng(15), 0
    for _ in range(RUNS):
        rates = {name: np.repeat(rng.beta(0.3, 3, 500 // per_template), per_template) for name in AXES}
        before, after = (
            run({name: (rng.random(500) < rate).astype(int) for name, rate in rates.items()}, per_template)
            for _ in range(2)
        )
        blocked += any(one.blocks for one in axis_regressions(before, after))
    assert blocked / RUNS <= 0.01 + 3 * np.sqrt(0.01 * 0.99 / RUNS)
