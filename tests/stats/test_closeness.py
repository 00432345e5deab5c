"""The bound behind a PASS keeps its word, counted over all outcomes, where groups are exactly as far apart as the limit."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import gammaln, xlogy

from alignsuite.stats import NoEvidence, StatsError, bonett_price, paired_upper, rate_interval

BETA = 0.05
SIZES = (14, 19, 22, 40, 60, 73, 100)
LIMITS = (0.05, 0.10, 0.15, 0.20, 0.30)


@cache
def bounds(pairs: int, *, bonett: bool = False) -> NDArray[np.float64]:
    """The bound for every outcome: rows are pairs that got worse, columns those that got better; infinite where there are none such."""
    out = np.full((pairs + 1, pairs + 1), np.inf)
    for worse in range(pairs + 1):
        for better in range(pairs + 1 - worse):
            out[worse, better] = (
                bonett_price(worse, better, pairs, alpha=2 * BETA).hi
                if bonett
                else paired_upper(worse, better, pairs, beta=BETA)
            )
    return out


def chances(pairs: int, worse: float, better: float) -> NDArray[np.float64]:
    """The chance of every outcome, where a pair gets worse and better with these chances."""
    up, down = np.meshgrid(np.arange(pairs + 1), np.arange(pairs + 1), indexing="ij")
    same = np.maximum(0, pairs - up - down)
    ways = gammaln(pairs + 1) - gammaln(up + 1) - gammaln(down + 1) - gammaln(same + 1)
    logs = ways + xlogy(up, worse) + xlogy(down, better) + xlogy(same, max(0.0, 1 - worse - better))
    return np.asarray(np.where(up + down <= pairs, np.exp(logs), 0.0))


def miss(pairs: int, gap: float, better: float, limit: float, *, bonett: bool = False) -> float:
    """The chance of a PASS."""
    return float(chances(pairs, better + gap, better)[bounds(pairs, bonett=bonett) < limit].sum())


@pytest.mark.parametrize("limit", LIMITS)
@pytest.mark.parametrize("pairs", SIZES)
def test_pairs_at_the_limit_pass_no_more_often_than_beta(pairs: int, limit: float) -> None:
    """Exactly, from one side that never errs to no pair that is alike."""
    assert max(miss(pairs, limit, better, limit) for better in np.linspace(0, (1 - limit) / 2, 24)) <= BETA


def test_so_do_two_hundred_pairs() -> None:
    """The largest of the grid, at the limit that suites declare."""
    assert max(miss(200, 0.15, better, 0.15) for better in np.linspace(0, 0.425, 12)) <= BETA


@pytest.mark.parametrize(("pairs", "missed"), [(14, 0.1028), (60, 0.0968)])
def test_bonett_and_price_miss_twice_as_much_where_one_side_never_errs(pairs: int, missed: float) -> None:
    """Why their bound doesn't stand behind a PASS: a gap of 15 points in one group only."""
    assert miss(pairs, 0.15, 0.0, 0.15, bonett=True) == pytest.approx(missed, abs=5e-5)
    assert miss(pairs, 0.15, 0.0, 0.15) <= BETA


@pytest.mark.parametrize("pairs", [14, 60])
def test_larger_gaps_pass_less_often(pairs: int) -> None:
    """One more pair that is worse raises the bound and one more that is better lowers it, so the limit is the hardest case."""
    table = bounds(pairs)
    for worse in range(pairs):
        for better in range(pairs - worse):
            assert table[worse + 1, better] >= table[worse, better] >= table[worse, better + 1]
    for gap in (0.16, 0.20, 0.30):
        assert miss(pairs, gap, 0.05, 0.15) < miss(pairs, 0.15, 0.05, 0.15)


@pytest.mark.parametrize("worse", [0, 1, 7, 40])
def test_where_nothing_got_better_it_is_the_exact_bound_of_one_rate(worse: int) -> None:
    """Clopper and Pearson's, with one side; no change at all leaves 1 − beta^(1/n)."""
    assert paired_upper(worse, 0, 40) == pytest.approx(rate_interval(worse, 40, alpha=2 * BETA).hi)
    assert paired_upper(0, 0, 40) == pytest.approx(1 - BETA ** (1 / 40))


@pytest.mark.parametrize("worse", [1, 3, 20, 39])
def test_where_every_pair_changed_it_is_the_bound_of_a_coin(worse: int) -> None:
    """Some went either way, and heads less tails is twice heads, less one."""
    assert paired_upper(worse, 40 - worse, 40) == pytest.approx(2 * rate_interval(worse, 40, alpha=2 * BETA).hi - 1)


@pytest.mark.parametrize(("rate", "least"), [(0.0, 1.0), (0.02, 0.999), (0.05, 0.99), (0.10, 0.93)])
def test_fair_models_still_pass(rate: float, least: float) -> None:
    """A hundred pairs, so many of which change either way: what the promise costs is little (0.955 were 0.935 at 10 %)."""
    assert miss(100, 0.0, rate, 0.15) >= least
    assert miss(100, 0.0, 0.10, 0.15) == pytest.approx(0.935, abs=5e-4)


@pytest.mark.parametrize("parts", [2, 3])
def test_means_of_several_replies_miss_no_more_than_labels(parts: int) -> None:
    """Twenty-two cells of so many replies, each cell by a law of its own kind: whole cells, single replies, and lopsided mixtures."""
    pairs, limit = 22, 0.15
    size = pairs * parts + 1
    passes = np.array(
        [[worse + better <= (size - 1) and paired_upper(worse / parts, better / parts, pairs) < limit for better in range(size)]
         for worse in range(size)]
    )  # fmt: skip
    rng = np.random.default_rng(4)
    steps = np.arange(-parts, parts + 1)
    seen = []
    for _ in range(60):
        law = tilted(steps / parts, rng.dirichlet(np.full(steps.size, 0.3)), limit)
        one = np.zeros((size, size))
        one[np.maximum(0, steps), np.maximum(0, -steps)] = law
        sums = np.fft.irfft2(np.fft.rfft2(one) ** pairs, s=(size, size))
        assert sums.sum() == pytest.approx(1)
        seen.append(float(sums[passes].sum()))
    assert 0.01 < max(seen) <= BETA


def tilted(values: NDArray[np.float64], law: NDArray[np.float64], mean: float) -> NDArray[np.float64]:
    """The law nearest to this one that has the mean."""
    low, high = -200.0, 200.0
    for _ in range(100):
        middle = (low + high) / 2
        weights = (law + 1e-9) * np.exp(middle * values - abs(middle))
        low, high = (middle, high) if weights @ values < mean * weights.sum() else (low, middle)
    return np.asarray(weights / weights.sum())


@pytest.mark.parametrize(
    ("counts", "error", "says"),
    [
        ((0, 0, 0), NoEvidence, "no pair"),
        ((3, 3, 5), StatsError, "n10 = 3 and n01 = 3 of n = 5"),
        ((-1, 0, 5), StatsError, "n10 = -1"),
        ((float("nan"), 0, 5), StatsError, "n10 = nan"),
        ((0, 0, 4.5), StatsError, "n = 4.5"),
    ],
)
def test_counts_that_cannot_be_are_refused(counts: tuple[Any, Any, Any], error: type[Exception], says: str) -> None:
    """No pairs, more changed than there are, fewer than none."""
    with pytest.raises(error, match=says):
        paired_upper(*counts)
    with pytest.raises(StatsError, match="beta"):
        paired_upper(0, 0, 5, beta=0.0)


def test_sums_of_shares_may_be_off_by_a_rounding() -> None:
    """Three cells in which one of three replies is bad add up to a little more or less than one."""
    assert paired_upper(0.1 + 0.2, 0.7, 1) == pytest.approx(paired_upper(0.3, 0.7, 1))
    assert paired_upper(1 + 1e-12, 0, 1) == 1.0
