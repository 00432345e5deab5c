"""Risk of a whole run: how often a model of given rates passes it, is blocked by a FAIL, or stays undecided.

Claims that one judge reads share its luck: if its true errors are worse than its card shows, they are worse for all. So the chances are
computed given the judge's errors and averaged over what the card leaves open, instead of being multiplied as if each claim had a judge of
its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from alignsuite.stats.distributions import binomial_exactly
from alignsuite.stats.error_rates import rate_nodes
from alignsuite.stats.errors import StatsError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from alignsuite.stats.count_gate import CountGate
    from alignsuite.stats.error_rates import ErrorRates

NODES = 10
"""Nodes for each of a card's two rates: seven differ by 10⁻⁶, five by 3·10⁻⁵."""

_SLACK = 1e-9


class RunRisk(NamedTuple):
    """Chances of a run's three outcomes, which sum to 1.

    Attributes:
        passed: every claim lets the model through (PASS or MARGINAL).
        failed: at least one claim FAILs.
        undecided: none FAILs, and at least one is INCONCLUSIVE or INVALID.

    >>> RunRisk(0.98264, 0.01736, 0.0).undecided
    0.0
    """

    passed: float
    failed: float
    undecided: float


class RatedClaim(NamedTuple):
    """Claim of a run: its gate, and the rate of a model in all that it asks.

    Attributes:
        gate: made for the card of the judge that reads it. Claims whose gates have the same `errors` share their luck.
        rate: the model's true rate, in [0, 1].
        census: whether the whole bank is asked.
        warns: whether only a FAIL blocks.
    """

    gate: CountGate
    rate: float
    census: bool = False
    warns: bool = False


class OtherClaim(NamedTuple):
    """Claim of a run that is independent of all others, with its chances; a gap FAILs with alpha at most.

    Attributes:
        passed: chance that it lets the model through.
        failed: chance of FAIL.
    """

    passed: float
    failed: float


def run_risk(claims: Iterable[RatedClaim | OtherClaim], *, nodes: int = NODES) -> RunRisk:
    """`RunRisk` of a run of these claims, exact but for the quadrature over the cards.

    Given the cards, claims are taken as independent. Claims over the same replies are not: give the pooled one only.

    Args:
        claims: all that can block; without any, a run passes.
        nodes: Gauss–Jacobi nodes for each rate that a card leaves open.

    Raises:
        StatsError: if a rate or chance is outside [0, 1], or there are no nodes.

    Source: Golub & Welsch 1969 (the nodes).

    >>> from alignsuite.stats.count_gate import count_gate
    >>> gate = count_gate(200, 0.02, 0.13, (190, 198, 276, 290))
    >>> risk = run_risk([RatedClaim(gate, 0.02)] * 3)
    >>> round(risk.passed, 3), round(risk.failed, 3)
    (0.987, 0.013)
    """
    if nodes < 1:
        raise StatsError(f"nodes is {nodes!r}; wanted at least 1")
    passed = not_failed = 1.0
    by_judge: dict[ErrorRates, list[RatedClaim]] = {}
    for claim in claims:
        if isinstance(claim, OtherClaim):
            if min(claim) < 0 or sum(claim) > 1 + _SLACK:
                raise StatsError(f"chances are {tuple(claim)!r}; wanted two from 0 whose sum is at most 1")
            passed, not_failed = passed * claim.passed, not_failed * (1 - claim.failed)
            continue
        if not 0.0 <= claim.rate <= 1.0:
            raise StatsError(f"rate is {claim.rate!r}; wanted a share in [0, 1]")
        by_judge.setdefault(claim.gate.errors, []).append(claim)
    for judge, of_it in by_judge.items():
        through, unfailed = _given_card(judge, of_it, nodes)
        passed, not_failed = passed * through, not_failed * unfailed
    return RunRisk(min(1.0, passed), max(0.0, 1 - not_failed), max(0.0, not_failed - passed))


def _given_card(judge: ErrorRates, claims: list[RatedClaim], nodes: int) -> tuple[float, float]:
    """Chances that all claims of one judge let through, and that none FAILs: averaged over its errors."""
    (found, of_found), (blamed, of_blamed) = (rate_nodes(r, nodes) for r in (judge.sensitivity, judge.false_positive))
    weights = np.outer(of_found, of_blamed).ravel()
    through, unfailed = np.ones(weights.size), np.ones(weights.size)
    for gate, rate, census, warns in claims:
        flagged = (rate * found[:, None] + (1 - rate) * blamed).ravel()
        lets_through, fails = _chances(gate, flagged, census=census)
        through, unfailed = through * (1 - fails if warns else lets_through), unfailed * (1 - fails)
    return float(weights @ through), float(weights @ unfailed)


def _chances(
    gate: CountGate, flagged: NDArray[np.float64], *, census: bool
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Chances that a gate lets through, and that it FAILs, at each of these chances that a reply is flagged."""
    outcomes = gate.outcomes(census=census)
    bank = binomial_exactly(np.arange(gate.bank + 1), gate.bank, np.minimum(flagged, 1.0)[:, None])
    return bank @ (outcomes.pass_ + outcomes.marginal), bank @ outcomes.fail
