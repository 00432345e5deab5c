"""Risk of a run: how often a model at half its targets, and one at them, passes, fails or stays undecided.

Claims that one judge reads share its luck; given that they are taken as independent, also those over the same replies, which pass and
fail together: such a run passes a little more often than is said.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from alignsuite.probes.replies import DryRun

SHARES = {"model_at_half": 0.5, "model": 1.0}
"""Models that a risk is told for, by the share of every target that their rates are."""


def risk_of(dry_runs: Iterable[DryRun]) -> dict[str, Any]:
    """Chances of the run's outcomes as plain data, by model: `passed`, `failed`, `undecided`, which sum to 1.

    `not_computed` are kinds of claims of which no more than the chance of a FAIL is in it, or not even that.
    """
    from alignsuite.stats import run_risk

    claims = [(claim, held) for held in dry_runs for claim in held.claims]
    risks: dict[str, Any] = {
        of: run_risk(one for claim, held in claims for one in claim.chances(held, share))._asdict()
        for of, share in SHARES.items()
    }
    return risks | {"not_computed": sorted({claim.name for claim, _ in claims if not claim.decides})}
