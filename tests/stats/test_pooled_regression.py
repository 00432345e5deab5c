"""Regressions over all replies of an axis: exact p-values, the floor of relevance, Holm, and power."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar

from alignsuite.stats import Decision, NoEvidence, StatsError, holm, sign_flip
from alignsuite.stats.pooled_regression import (
    PooledRegression,
    least_worse,
    over_axes,
    pooled_regression,
    regression_power,
    seen_loss,
)


def runs(pairs: int, worse: int, better: int, both: int = 0) -> tuple[list[int], list[int]]:
    """Labels of two runs with so many changes."""
    same = pairs - worse - better - both
    return [0] * worse + [1] * better + [1] * both + [0] * same, [1] * worse + [0] * better + [1] * both + [0] * same


def test_known_sign_flips() -> None:
    """38 to 0 is a fair coin that fell 38 times; sums of clusters flip as one."""
    assert pooled_regression(*runs(10_000, 38, 0)).p == 2.0**-38
    assert pooled_regression(*runs(100, 10, 8)).p == pytest.approx(0.407265, abs=5e-7)
    assert sign_flip([2, 1, 1, -1]) == 4 / 16
    assert sign_flip([1, 1, 1, -1]) == 0.3125  # which is what was once written down for 2, 1, 1, −1


@pytest.mark.parametrize("seed", range(4))
def test_clusters_flip_as_one_in_every_pattern(seed: int) -> None:
    """All patterns of signs, one by one."""
    rng = np.random.default_rng(seed)
    base, cand, clusters = rng.random(60) < 0.2, rng.random(60) < 0.35, rng.integers(0, 10, 60)
    sums = np.array([(cand[clusters == c].astype(int) - base[clusters == c]).sum() for c in range(10)])
    patterns = np.array(list(product((-1, 1), repeat=10))) @ sums
    found = pooled_regression(base.astype(int).tolist(), cand.astype(int).tolist(), clusters=clusters.tolist())
    assert found.p == pytest.approx((patterns >= sums.sum()).mean())


@pytest.mark.parametrize(("worse", "better"), [(7, 1), (12, 3), (9, 9), (2, 8)])
def test_single_cases_are_mcnemars_test(worse: int, better: int) -> None:
    """As scipy's binomial test and statsmodels' exact one have it."""
    found = pooled_regression(*runs(200, worse, better, 5))
    assert found.p == pytest.approx(stats.binomtest(worse, worse + better, 0.5, alternative="greater").pvalue)
    two_sided = mcnemar([[5, better], [worse, 200]], exact=True).pvalue
    if worse > better:
        assert min(1, 2 * found.p) == pytest.approx(two_sided)


@pytest.mark.parametrize(
    ("pairs", "worse", "better", "before", "verdict"),
    [
        (10_000, 38, 0, 40, Decision.FAIL),  # below a point, but bad replies nearly doubled
        (10_000, 38, 38, 40, Decision.PASS),
        (10_000, 38, 0, 400, Decision.PASS),  # beyond chance, and neither a point nor half of what there was
        (10_000, 9, 0, 9, Decision.PASS),  # doubled, by fewer than ten
        (500, 5, 0, 5, Decision.MARGINAL),  # a point, and five coins fall so once in 32
        (500, 12, 0, 12, Decision.FAIL),
        (4_239, 45, 33, 33, Decision.PASS),
        (4_239, 48, 0, 33, Decision.FAIL),
        (100, 0, 0, 3, Decision.PASS),
        (100, 0, 9, 9, Decision.PASS),
    ],
)
def test_a_loss_has_to_be_beyond_chance_and_to_matter(
    pairs: int, worse: int, better: int, before: int, verdict: Decision
) -> None:
    """FAIL needs both, MARGINAL is a loss that matters and may be chance."""
    found = pooled_regression(*runs(pairs, worse, better, before - better))
    assert (found.worse, found.better, found.before) == (worse, better, before)
    assert found.loss == pytest.approx((worse - better) / pairs)
    assert found.verdict is verdict


def test_axes_share_a_level_by_holm() -> None:
    """Each p is adjusted for the others; one that passes alone may not pass in company."""
    alone = {name: pooled_regression(*runs(300, w, 0)) for name, w in (("a", 7), ("b", 1), ("c", 12), ("d", 0))}
    together = over_axes(alone)
    assert [one.p_holm for one in together.values()] == list(holm([one.p for one in alone.values()]).adjusted)
    assert alone["a"].verdict is Decision.FAIL
    assert together["a"].verdict is Decision.MARGINAL
    assert together["c"].verdict is Decision.FAIL
    assert over_axes({}) == {}


def test_known_powers() -> None:
    """At the level of four axes."""
    assert regression_power(500, 0.05) == pytest.approx(0.941064, abs=5e-7)
    assert regression_power(1000, 0.02) == pytest.approx(0.604919, abs=5e-7)
    assert regression_power(1000, 0.05, churn=0.03) == pytest.approx(0.976933, abs=5e-7)


@pytest.mark.parametrize(
    ("pairs", "powers"),
    [
        (200, (0.00, 0.03, 0.10, 0.38, 0.02, 0.05, 0.19)),
        (500, (0.04, 0.23, 0.54, 0.94, 0.08, 0.24, 0.69)),
        (1000, (0.12, 0.60, 0.93, 1.00, 0.25, 0.61, 0.98)),
        (2000, (0.37, 0.96, 1.00, 1.00, 0.62, 0.95, 1.00)),
    ],
)
def test_the_table_of_powers(pairs: int, powers: tuple[float, ...]) -> None:
    """Losses of 1, 2, 3 and 5 points with 1 % churn, and of 2, 3 and 5 with 3 %."""
    cells = [(0.01, 0.01), (0.02, 0.01), (0.03, 0.01), (0.05, 0.01), (0.02, 0.03), (0.03, 0.03), (0.05, 0.03)]
    found = [regression_power(pairs, loss, churn=churn) for loss, churn in cells]
    assert found == pytest.approx(powers, abs=0.006)
    assert regression_power(pairs, 0.0) <= 0.0025


def test_power_is_a_sum_over_all_tables() -> None:
    """Every pair of counts of sixty replies, each judged by the test itself."""
    total = 0.0
    for worse in range(61):
        for better in range(61 - worse):
            found = PooledRegression(
                60, worse, better, 1_000, p := float(stats.binom.sf(worse - 1, worse + better, 0.5)), p, 0.01
            )
            if found.verdict is Decision.FAIL:
                total += stats.multinomial.pmf([worse, better, 60 - worse - better], 60, [0.17, 0.05, 0.78])
    assert regression_power(60, 0.12, churn=0.05, alpha=0.01) == pytest.approx(total)


def test_the_smallest_loss_seen_has_its_power() -> None:
    """And a hair less has not; too few pairs see nothing."""
    loss = seen_loss(1000)
    assert loss is not None
    assert regression_power(1000, loss) >= 0.8 > regression_power(1000, loss - 2e-4)
    assert seen_loss(8) is None
    assert regression_power(8, 0.98) == 0.0
    assert regression_power(100, 0.0, churn=0.0) == 0.0
    assert regression_power(100, 1.0, churn=0.0) == pytest.approx(1)


def test_the_fewest_worse_replies_that_can_fail() -> None:
    """All of them worse: a fair coin that falls so often."""
    for alpha in (0.05, 0.01, 0.0025, 0.25):
        least = least_worse(alpha)
        assert 0.5**least <= alpha < 0.5 ** (least - 1)


def test_what_cannot_be_compared_is_refused() -> None:
    """No pairs, unequal lengths, scores, shares that are none."""
    with pytest.raises(NoEvidence):
        pooled_regression([], [])
    with pytest.raises(StatsError, match="wanted pairs"):
        pooled_regression([0], [0, 1])
    with pytest.raises(StatsError, match=r"label 0\.5"):
        pooled_regression([0], [0.5])  # type: ignore[list-item]
    with pytest.raises(StatsError, match="margin is 5"):
        pooled_regression([0], [1], margin=5)
    with pytest.raises(StatsError, match=r"loss is 0\.99"):
        regression_power(100, 0.99, churn=0.1)
