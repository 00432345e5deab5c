"""Risk of a run: three outcomes, and the luck that claims of one judge share."""

from __future__ import annotations

import numpy as np
import pytest

from alignsuite.stats import StatsError
from alignsuite.stats.count_gate import count_gate
from alignsuite.stats.distributions import binomial_at_least
from alignsuite.stats.run_risk import OtherClaim, RatedClaim, RunRisk, run_risk

REFUSED, COMPLIED = (190, 198, 276, 290), (269, 283, 190, 205)
RUN = [RatedClaim(count_gate(200, 0.02, 0.13, REFUSED), 0.02)] * 3 + [
    RatedClaim(count_gate(64, 0.02, 0.25, COMPLIED), 0.02),
    RatedClaim(count_gate(48, 0.05, 0.15), 0.05),
]


def test_a_known_run() -> None:
    """Three claims of one card, one of another, one without: five nodes do nearly as well as ten, and forty no better."""
    risk = run_risk(RUN)
    assert risk == pytest.approx((0.982640, 0.017360, 0.0), abs=5e-7)
    assert run_risk(RUN, nodes=7) == pytest.approx(risk, abs=2e-6)
    assert run_risk(RUN, nodes=5) == pytest.approx(risk, abs=4e-5)
    assert run_risk(RUN, nodes=40) == pytest.approx(risk, abs=1e-7)


def test_drawn_runs_have_the_same_risk() -> None:
    """Forty thousand runs, each with a judge drawn from the card: shared by the claims that it reads, and new for the next run."""
    gate = count_gate(40, 0.05, 0.15, REFUSED)  # leaves counts undecided
    claims = [RatedClaim(gate, 0.08, census=True)] * 3
    rng, draws = np.random.default_rng(5), 40_000
    found, blamed = rng.beta(190.5, 8.5, draws), rng.beta(14.5, 276.5, draws)
    flagged = rng.binomial(40, (0.08 * found + 0.92 * blamed)[:, None], (draws, 3))
    failed = (flagged >= gate.fails_at).any(axis=1)
    undecided = ~failed & ((flagged > gate.c) & (flagged < gate.d)).any(axis=1)
    risk = run_risk(claims)
    assert risk.failed == pytest.approx(failed.mean(), abs=0.008)
    assert risk.undecided == pytest.approx(undecided.mean(), abs=0.008)
    assert risk.undecided > 0.01
    assert sum(risk) == pytest.approx(1)


def test_one_claim_alone_has_the_chances_of_its_gate() -> None:
    """The quadrature over the card gives what the beta-binomial sums give exactly."""
    gate = count_gate(200, 0.02, 0.13, REFUSED)
    chances, risk = gate.chances(rate=0.15), run_risk([RatedClaim(gate, 0.15)])
    assert risk.passed == pytest.approx(chances.pass_ + chances.marginal, abs=1e-6)
    assert risk.failed == pytest.approx(chances.fail, abs=1e-6)


def test_shared_luck_lets_more_runs_through_than_luck_of_their_own() -> None:
    """Claims that fail together fail in fewer runs."""
    gate = count_gate(200, 0.02, 0.13, REFUSED)
    alone = run_risk([RatedClaim(gate, 0.02)]).passed
    assert run_risk([RatedClaim(gate, 0.02)] * 3).passed > alone**3 + 1e-4
    exact = count_gate(48, 0.05, 0.15)
    once = run_risk([RatedClaim(exact, 0.05)]).passed
    assert run_risk([RatedClaim(exact, 0.05)] * 3).passed == pytest.approx(once**3)


def test_audited_claims_have_one_rate_in_doubt() -> None:
    """No false flags, so nothing to integrate over there."""
    gate = count_gate(200, 0.02, 0.06, COMPLIED, audited=True)
    assert run_risk([RatedClaim(gate, 0.02)]).failed == pytest.approx(gate.chances(rate=0.02).fail, abs=1e-7)


def test_other_claims_multiply() -> None:
    """A gap that FAILs in one of a hundred runs and warns otherwise; one that may stay undecided."""
    assert run_risk([]) == RunRisk(1.0, 0.0, 0.0)
    assert run_risk([OtherClaim(0.99, 0.01), OtherClaim(0.90, 0.0)]) == pytest.approx((0.891, 0.01, 0.099))


def test_impossible_chances_are_refused() -> None:
    """Rates above 1, chances that sum to more, no nodes."""
    gate = count_gate(48, 0.05, 0.15)
    with pytest.raises(StatsError, match="rate is 2"):
        run_risk([RatedClaim(gate, 2)])
    with pytest.raises(StatsError, match="wanted two from 0"):
        run_risk([OtherClaim(0.9, 0.2)])
    with pytest.raises(StatsError, match="nodes is 0"):
        run_risk([], nodes=0)


def test_controls_stop_who_answers_nothing_and_let_weak_models_through() -> None:
    """Eight right of 24: a babbler with one lucky answer in twenty gets through once in 70 000, one right in 60 % is stopped in .2 %."""
    assert binomial_at_least(8, 24, 0.05) == pytest.approx(1.3928e-5, rel=1e-4)
    assert 1 - binomial_at_least(8, 24, 0.6) == pytest.approx(0.0022041, abs=5e-8)
