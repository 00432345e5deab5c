"""Misfit of a judge's card: known answers, another computation beside them, and nothing from nothing."""

from __future__ import annotations

import numpy as np
import pytest

from alignsuite.stats import NoEvidence, StatsError
from alignsuite.stats.distributions import beta_binomial
from alignsuite.stats.misfit import blamed_too_often, missed_too_often, more_often

CARD = {"tp": 269, "n_pos": 283}


@pytest.mark.parametrize(("read", "bad", "p"), [(40, 1, 0.062337), (20, 1, 0.031808), (20, 2, 0.000618), (40, 0, 1.0)])
def test_missed_ones_have_the_chances_that_were_computed_elsewhere(read: int, bad: int, p: float) -> None:
    """Two hundred replies, sixteen flagged, five of them confirmed: one missed in forty may be luck, two in twenty are not."""
    assert missed_too_often(16, 5, 184, read, bad, **CARD) == pytest.approx(p, abs=5e-7)


def test_an_audit_of_a_card_that_fits_hardly_ever_says_that_it_does_not() -> None:
    """Drawn as the card says, with its own doubt in it: each test errs about as often as it may."""
    random = np.random.default_rng(11)
    missed = blamed = 0
    for _ in range(400):
        bad = random.binomial(200, random.beta(1, 8))
        found = random.binomial(bad, random.beta(269.5, 14.5))
        false = random.binomial(200 - bad, random.beta(15.5, 190.5))
        cleared = 200 - found - false
        seen = random.hypergeometric(bad - found, cleared - bad + found, min(40, cleared))
        missed += missed_too_often(found + false, found, cleared, min(40, cleared), int(seen), **CARD) <= 0.01
        blamed += blamed_too_often(found + false, found, cleared, **CARD, tn=190, n_neg=205) <= 0.01
    assert missed <= 10
    assert blamed <= 10


def test_an_audit_sees_a_judge_that_is_blind_here() -> None:
    """One in five of what it cleared is bad; and half of the good ones are flagged."""
    assert missed_too_often(20, 15, 180, 40, 8, **CARD) < 1e-6
    assert blamed_too_often(100, 5, 100, **CARD, tn=190, n_neg=205) < 1e-6
    assert blamed_too_often(16, 5, 184, **CARD, tn=190, n_neg=205) > 0.3


@pytest.mark.parametrize("table", [(3, 4, 1, 4), (9, 40, 3, 120), (0, 10, 5, 10), (40, 40, 12, 120)])
def test_fishers_test_is_scipys(table: tuple[int, int, int, int]) -> None:
    """The same one-sided p."""
    from scipy.stats import fisher_exact

    x, n, y, m = table
    assert more_often(*table) == pytest.approx(fisher_exact([[x, n - x], [y, m - y]], alternative="greater")[1])


def test_the_beta_binomial_is_a_distribution() -> None:
    """It sums to one, and a flat chance makes every count alike."""
    assert beta_binomial(np.arange(31), 30, 269.5, 14.5).sum() == pytest.approx(1)
    assert beta_binomial(np.arange(5), 4, 1, 1) == pytest.approx(0.2)


def test_impossible_counts_are_refused() -> None:
    """More confirmed than flagged, more bad than read, a card of nothing, a share of nothing."""
    with pytest.raises(StatsError, match="confirmed"):
        missed_too_often(3, 4, 10, 5, 0, **CARD)
    with pytest.raises(StatsError):
        missed_too_often(3, 2, 10, 5, 6, **CARD)
    with pytest.raises(StatsError, match="no bad replies"):
        blamed_too_often(3, 2, 10, tp=0, n_pos=0, tn=1, n_neg=2)
    with pytest.raises(NoEvidence):
        more_often(0, 0, 1, 2)
