"""Errors of judges: cards become distributions, caps scale them, and nodes integrate over them."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import integrate, optimize, special, stats

from alignsuite.stats import NoEvidence, StatsError, Unresolvable
from alignsuite.stats.distributions import beta_at_most, beta_binomial, beta_nodes, binomial_exactly
from alignsuite.stats.error_rates import Beta, ErrorRates, hits, kept, mean_rate, rate_nodes

REFUSED, COMPLIED = (190, 198, 276, 290), (269, 283, 190, 205)


def test_a_card_is_two_jeffreys_posteriors() -> None:
    """Half a reply is added on each side; the second rate is that of false flags."""
    assert ErrorRates.of(REFUSED) == ErrorRates(Beta(190.5, 8.5), Beta(14.5, 276.5))
    assert ErrorRates.of(None).exact
    assert not ErrorRates.of(REFUSED).exact
    assert ErrorRates.of(ErrorRates(0.9, 0.1)) == ErrorRates(0.9, 0.1)


def test_a_cap_scales_each_kind_of_reply_by_itself() -> None:
    """A thousand replies count as two hundred, and ninety as ninety: shares stay, doubt grows."""
    capped = ErrorRates.of((960, 1000, 1425, 1500), cap=200)
    assert capped.sensitivity == pytest.approx((192.5, 8.5))
    assert capped.false_positive == pytest.approx((10.5, 190.5))
    assert ErrorRates.of((80, 90, 190, 205), cap=200) == ErrorRates(
        Beta(80.5, 10.5), ErrorRates.of((80, 90, 190, 205), cap=200).false_positive
    )
    assert ErrorRates.of(REFUSED, cap=1e9) == ErrorRates.of(REFUSED)


@pytest.mark.parametrize(("card", "answer"), [(REFUSED, 0.873916), (COMPLIED, 0.834682)])
def test_what_a_judge_keeps_of_a_gap_is_the_quantile_of_a_difference_of_betas(
    card: tuple[int, int, int, int], answer: float
) -> None:
    """As adaptive quadrature has it; the answers once written down came from a grid of 400 midpoints, and are off by 2·10⁻⁵."""
    tp, n_pos, tn, n_neg = card
    found, blamed = stats.beta(tp + 0.5, n_pos - tp + 0.5), stats.beta(n_neg - tn + 0.5, tn + 0.5)

    def below(share: float) -> float:
        return float(integrate.quad(lambda u: found.cdf(share + u) * blamed.pdf(u), 0, 1, points=[blamed.mean()])[0])

    assert kept(card) == pytest.approx(optimize.brentq(lambda share: below(share) - 0.05, 0.7, 0.95), abs=1e-7)
    assert kept(card) == pytest.approx(answer, abs=2.5e-5)
    midpoints = (np.arange(400) + 0.5) / 400
    grid = np.sort((found.ppf(midpoints)[:, None] - blamed.ppf(midpoints)).ravel())
    assert grid[int(0.05 * 160_000)] == pytest.approx(answer, abs=1e-6)


def test_known_errors_and_audits_keep_what_they_keep() -> None:
    """A judge that never errs keeps everything; after an audit only the sensitivity is in doubt."""
    assert kept(None) == 1.0
    assert kept(ErrorRates(0.96, 0.05)) == pytest.approx(0.91)
    assert kept(ErrorRates.of(REFUSED).audited) == pytest.approx(stats.beta(190.5, 8.5).ppf(0.05), abs=1e-9)
    with pytest.raises(StatsError, match="only the false-positive rate is in doubt"):
        kept(ErrorRates(1.0, Beta(2, 30)))


@pytest.mark.parametrize(("a", "b"), [(0.5, 0.5), (1, 1), (2, 6), (8.5, 190.5)])
def test_the_nodes_are_scipys(a: float, b: float) -> None:
    """Where scipy's own rule does not overflow, both are the same."""
    points, weights = beta_nodes(7, a, b)
    theirs, mass = special.roots_jacobi(7, b - 1, a - 1)
    assert points == pytest.approx((theirs + 1) / 2, abs=1e-12)
    assert weights == pytest.approx(mass / mass.sum(), abs=1e-12)


@pytest.mark.parametrize(("a", "b"), [(1440.5, 60.5), (1, 1), (0.5, 99.5)])
def test_nodes_give_the_moments_of_a_beta(a: float, b: float) -> None:
    """Also for cards of thousands: polynomials up to degree 13 are exact with seven nodes."""
    points, weights = beta_nodes(7, a, b)
    assert weights.sum() == pytest.approx(1)
    for power in (1, 2, 5, 13):
        assert weights @ points**power == pytest.approx(
            np.exp(special.betaln(a + power, b) - special.betaln(a, b)), rel=1e-9
        )


def test_hits_are_scipys_and_nothing_outside_the_range() -> None:
    """Beta-binomial in doubt, binomial if known; a count below 0 or above n has no chance."""
    k = np.arange(-1, 12)
    assert hits(k, 10, Beta(190.5, 8.5)) == pytest.approx(stats.betabinom(10, 190.5, 8.5).pmf(k), rel=1e-9)
    assert hits(k, 10, 0.3) == pytest.approx(stats.binom(10, 0.3).pmf(k))
    assert hits(k, 10, 1.0)[11] == hits(k, 10, 0.0)[1] == 1.0
    assert beta_binomial(k, 10, 1, 1)[[0, 12]].tolist() == [0.0, 0.0]
    assert np.isfinite(beta_binomial(np.arange(2501), 2500, 1440.5, 60.5)).all()
    assert binomial_exactly(1, 2, np.array([0.5, 0.1])) == pytest.approx([0.5, 0.18])
    assert beta_at_most([-1, 0.5, 2], 2, 2) == pytest.approx([0, 0.5, 1])


def test_a_known_rate_is_one_node() -> None:
    """Nothing to integrate over."""
    points, weights = rate_nodes(0.9, 7)
    assert (points.tolist(), weights.tolist()) == ([0.9], [1.0])
    assert (mean_rate(0.9), mean_rate(Beta(1, 3))) == (0.9, 0.25)


def test_impossible_cards_are_refused() -> None:
    """Three counts, more found than there were, none of a kind, a coin, a cap of nothing."""
    with pytest.raises(StatsError, match=r"card is \(1, 2, 3\); wanted four counts"):
        ErrorRates.of((1, 2, 3))  # type: ignore[arg-type]
    with pytest.raises(StatsError, match="tp = 5 of n_pos = 4"):
        ErrorRates.of((5, 4, 3, 4))
    with pytest.raises(NoEvidence):
        ErrorRates.of((0, 0, 3, 4))
    with pytest.raises(Unresolvable, match="no better than a coin"):
        ErrorRates.of((1, 4, 3, 4))
    with pytest.raises(StatsError, match="cap is 0"):
        ErrorRates.of(REFUSED, cap=0)
