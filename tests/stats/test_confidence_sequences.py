"""Intervals that hold wherever one stops."""

import math
from typing import Any

import numpy as np
import pytest
import ville

from alignsuite.stats import StatsError, confidence_sequence, rate_interval


@pytest.mark.parametrize(
    ("s", "n", "kwargs", "expected"),
    [
        (10, 100, {"prior": (1, 1)}, (0.02884, 0.22827)),
        (0, 97, {}, (0.0, 0.04253)),
        (7, 200, {"bank": 200}, (0.035, 0.035)),
        (0, 0, {}, (0.0, 1.0)),
        (0, 0, {"bank": 50}, (0.0, 1.0)),
    ],
)
def test_known_intervals_are_reproduced(s: int, n: int, kwargs: dict[str, Any], expected: tuple[float, float]) -> None:
    """Two computed by hand, a census that closes to its point, and total ignorance before the first reply."""
    assert confidence_sequence(s, n, alpha=0.05, **kwargs) == pytest.approx(expected, abs=5e-6)


@pytest.mark.parametrize("prior", [(1.0, 1.0), (0.5, 9.5), (2.0, 5.0)])
def test_ville_computes_the_same_at_every_step(prior: tuple[float, float]) -> None:
    """An independent implementation gives these ends all along a stream, not only at its end."""
    x = (np.random.default_rng(5).random(80) < 0.15).astype(int)
    oracle = ville.BernoulliCS(alpha=0.05, prior=prior, intersect=False).fit(x)
    for n in range(1, 81, 7):
        ours = confidence_sequence(int(x[:n].sum()), n, alpha=0.05, prior=prior)
        assert ours == pytest.approx((oracle.lower_[n - 1], oracle.upper_[n - 1]), abs=1e-6)


def test_it_pays_for_stopping_early_with_width() -> None:
    """An interval that may be read at any time is wider than one for a fixed number of replies, yet less than twice."""
    anytime, fixed = confidence_sequence(10, 200), rate_interval(10, 200)
    assert fixed.width < anytime.width < 2 * fixed.width


def test_a_bank_interval_tightens_faster_than_an_endless_stream() -> None:
    """Near the end of a bank little is left unknown; one hit more or less is all."""
    bank, stream = confidence_sequence(9, 190, bank=200), confidence_sequence(9, 190)
    assert bank.width < stream.width / 2
    assert bank.lo >= 9 / 200
    assert bank.hi <= 19 / 200


def test_a_bank_interval_is_the_prior_posterior_ratio_set() -> None:
    """For a small bank the set of totals that the definition keeps is written out with exact fractions."""
    s, n, size, a, b = 2, 9, 20, 1, 3

    def prior(k: int) -> float:
        return math.comb(size, k) * math.gamma(a + k) * math.gamma(b + size - k)

    def likelihood(k: int) -> int:
        return math.comb(k, s) * math.comb(size - k, n - s)

    weight = sum(prior(k) * likelihood(k) for k in range(size + 1))
    norm = sum(prior(k) for k in range(size + 1))
    kept = [k for k in range(size + 1) if likelihood(k) and weight / (norm * likelihood(k)) < 1 / 0.05]
    expected = (min(kept) / size, max(kept) / size)
    assert confidence_sequence(s, n, alpha=0.05, prior=(a, b), bank=size) == pytest.approx(expected)


def test_the_truth_rarely_ever_leaves_it() -> None:
    """Looked at after each of 150 replies, it excludes the truth at some point in fewer than 5 % of runs."""
    rng = np.random.default_rng(11)
    truth, runs, horizon = 0.05, 300, 150
    inside = {
        (s, n): confidence_sequence(s, n).lo <= truth <= confidence_sequence(s, n).hi
        for n in range(1, horizon + 1)
        for s in range(min(n, 25) + 1)
    }
    sums = (rng.random((runs, horizon)) < truth).cumsum(axis=1)
    left = sum(not all(inside[int(s), n] for n, s in enumerate(row, 1)) for row in sums)
    assert left / runs <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / runs)


@pytest.mark.parametrize(
    ("args", "kwargs"), [((3, 2), {}), ((1, 30), {"bank": 20}), ((1, 3), {"prior": (0, 1)}), ((1, 3), {"alpha": 2})]
)
def test_impossible_questions_are_refused(args: tuple[int, int], kwargs: dict[str, Any]) -> None:
    """More hits than replies, more replies than cases, a prior of nothing, a level of two."""
    with pytest.raises(StatsError):
        confidence_sequence(*args, **kwargs)
