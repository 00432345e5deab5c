"""Candidate against baseline on the same prompts."""

import math
from collections.abc import Callable
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2
from statsmodels.stats.contingency_tables import mcnemar

from alignsuite.stats import (
    Decision,
    Interval,
    NoEvidence,
    StatsError,
    Unresolvable,
    bonett_price,
    least_discordant,
    mcnemar_exact,
    mcnemar_midp,
    minimum_detectable_drop,
    paired_regression,
    sign_flip,
)

MAIZE = [49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48]


def pairs(both: int, worse: int, better: int, neither: int) -> tuple[list[int], list[int]]:
    """Labels of two runs with these four counts."""
    base = [1] * both + [0] * worse + [1] * better + [0] * neither
    cand = [1] * both + [1] * worse + [0] * better + [0] * neither
    return base, cand


@pytest.mark.parametrize(("n10", "n01", "exact", "midp"), [(7, 1, 0.0703, 0.0391), (16, 6, 0.0525, 0.0347)])
def test_fagerland_2013_is_reproduced(n10: int, n01: int, exact: float, midp: float) -> None:
    """The airway and the complete-response tables, two-sided as published, whichever way round."""
    for a, b in ((n10, n01), (n01, n10)):
        assert mcnemar_exact(a, b, two_sided=True) == pytest.approx(exact, abs=5e-5)
        assert mcnemar_midp(a, b, two_sided=True) == pytest.approx(midp, abs=5e-5)


def test_fagerland_2013_interval_is_reproduced() -> None:
    """Bonett-Price for the airway table; the other direction is its mirror image."""
    assert bonett_price(7, 1, 21) == pytest.approx((0.0134, 0.5084), abs=5e-5)
    mirrored = bonett_price(1, 7, 21)
    assert (-mirrored.hi, -mirrored.lo) == pytest.approx((0.0134, 0.5084), abs=5e-5)


def test_agresti_s_approval_ratings_agree_with_their_chi_squared() -> None:
    """86 and 150 changed minds give chi-squared 17.36; the exact test must be about as surprised."""
    published = mcnemar([[794, 86], [150, 570]], exact=False, correction=False).statistic
    assert published == pytest.approx(17.36, abs=5e-3)
    assert mcnemar_exact(150, 86, two_sided=True) == pytest.approx(chi2.sf(17.36, 1), rel=0.25)
    assert paired_regression(*pairs(794, 150, 86, 570)).diff == pytest.approx(64 / 1600)


@given(n10=st.integers(0, 60), n01=st.integers(0, 60))
@settings(deadline=None)
def test_statsmodels_computes_the_same_exact_test(n10: int, n01: int) -> None:
    """Two-sided, at every pair of counts, ties and zeros included."""
    expected = min(1.0, mcnemar([[0, n10], [n01, 0]], exact=True).pvalue)
    assert mcnemar_exact(n10, n01, two_sided=True) == pytest.approx(expected, abs=1e-12)


def test_only_a_change_for_the_worse_is_a_regression() -> None:
    """The gate's test is one-sided: a model that got better has a p-value near 1, not near 0."""
    assert mcnemar_exact(8, 0) == 0.5**8
    assert mcnemar_exact(0, 8) == 1.0
    assert mcnemar_exact(0, 0) == 1.0
    assert mcnemar_midp(8, 0) == pytest.approx(0.5**9)


def test_darwin_s_maize_gives_fisher_s_863_of_32768() -> None:
    """All 2^15 sign patterns, counted: 863 have a sum of at least 314, ties included."""
    assert sign_flip(MAIZE) == 863 / 32768
    assert sign_flip([x / 8 for x in MAIZE]) == 863 / 32768
    assert sign_flip([*MAIZE, 0, 0, 0]) == 863 / 32768


@given(st.lists(st.integers(-4, 4), min_size=1, max_size=9), st.sampled_from([1, 3, 0.1, math.pi]))
@settings(deadline=None)
def test_sign_flips_are_counted_exactly(values: list[int], unit: float) -> None:
    """Against writing out all sign patterns, in whatever unit: whole, tenths with their rounding, irrational."""
    differences = [value * unit for value in values]
    patterns = list(product((1, -1), repeat=len(values)))
    reached = sum(
        sum(sign * abs(value) for sign, value in zip(signs, values, strict=True)) >= sum(values) for signs in patterns
    )
    assert sign_flip(differences) == pytest.approx(reached / len(patterns), abs=1e-12)


def test_sign_flip_on_labels_is_mcnemar() -> None:
    """With differences of -1, 0 and 1 the two tests are one; also with hundreds of them, where listing is hopeless."""
    assert sign_flip([1] * 90 + [-1] * 60 + [0] * 850) == pytest.approx(mcnemar_exact(90, 60), rel=1e-9)


def test_sums_that_cannot_be_counted_are_drawn_and_repeatable() -> None:
    """Forty irrational differences: the p-value is drawn, the same each time, never 0, and near the truth."""
    rng = np.random.default_rng(3)
    differences = (rng.normal(size=40) + 0.25).tolist()
    first = sign_flip(differences, resamples=4999, seed=1)
    assert first == sign_flip(differences, resamples=4999, seed=1)
    assert first == pytest.approx(sign_flip(differences, resamples=4999, seed=2), abs=0.03)
    assert sign_flip([5 + x * 1e-7 * math.pi for x in rng.normal(size=40)], resamples=99) == 0.01


def test_prompts_of_one_template_flip_together() -> None:
    """Thirty prompts of three templates that all got worse are three votes, and three votes prove nothing."""
    clusters = ["a"] * 10 + ["b"] * 10 + ["c"] * 10
    base, cand = [0] * 30, [1] * 30
    assert paired_regression(base, cand).p == 0.5**30
    clustered = paired_regression(base, cand, clusters=clusters)
    assert (clustered.p, clustered.test) == (0.125, "sign_flip")
    assert clustered.interval.width > 2 * paired_regression(base, cand).interval.width


def test_a_comparison_of_labels_reports_its_counts() -> None:
    """Worse, better, changed, difference and test, and how many changes it would have taken at least."""
    result = paired_regression(*pairs(1, 7, 1, 12))
    assert (result.n, result.n10, result.n01, result.m) == (21, 7, 1, 8)
    assert result.diff == pytest.approx(6 / 21)
    assert result.interval == bonett_price(7, 1, 21)
    assert result.upper == bonett_price(7, 1, 21, alpha=0.10).hi
    assert (result.p, result.test, result.least_m) == (mcnemar_exact(7, 1), "mcnemar", 5)


def test_scores_between_zero_and_one_are_compared_by_sign_flip() -> None:
    """Graded badness has no discordant pairs to count, but it has signs to flip: five of five up is 1 in 32."""
    base, cand = [0.1, 0.2, 0.3, 0.4, 0.5, 0.5], [0.2, 0.3, 0.4, 0.5, 0.6, 0.5]
    result = paired_regression(base, cand)
    assert (result.test, result.p, result.n10, result.n01) == ("sign_flip", 1 / 32, 5, 0)
    assert result.diff == pytest.approx(5 / 60)


def test_no_change_at_all_is_no_proof_of_no_change() -> None:
    """Twenty identical replies leave room for a real loss of some points; two thousand leave little."""
    few, many = (paired_regression([0] * n, [0] * n) for n in (20, 2000))
    assert few.interval.lo < 0 < few.interval.hi
    assert few.verdict(limit=0.05) is Decision.INCONCLUSIVE
    assert many.verdict(limit=0.05) is Decision.PASS
    assert many.verdict() is Decision.INCONCLUSIVE


def test_failing_takes_both_surprise_and_size() -> None:
    """A sure loss of half a point stays below the margin; a large one by chance stays above alpha."""
    sure_but_small = paired_regression(*pairs(0, 10, 0, 1990))
    assert sure_but_small.p < 0.001
    assert sure_but_small.verdict(margin=0.02) is Decision.INCONCLUSIVE
    large_by_chance = paired_regression(*pairs(0, 4, 0, 16))
    assert large_by_chance.diff == 0.2
    assert large_by_chance.verdict() is Decision.INCONCLUSIVE
    assert paired_regression(*pairs(0, 6, 0, 14)).verdict() is Decision.FAIL


@pytest.mark.parametrize(("alpha", "m"), [(0.05, 5), (0.01, 7), (0.05 / 30, 10), (1 / 32, 5)])
def test_too_few_changes_can_never_fail(alpha: float, m: int) -> None:
    """With m - 1 changes, all for the worse, the test stays above alpha; with m it can reach it."""
    assert least_discordant(alpha) == m
    assert mcnemar_exact(m, 0) <= alpha < mcnemar_exact(m - 1, 0)


def test_the_detectable_drop_has_the_power_that_it_claims() -> None:
    """Simulated at the drop it names, the exact McNemar test finds it in 80 % of runs."""
    n, churn = 200, 0.06
    drop = minimum_detectable_drop(n, 0.05, 0.8, churn)
    rng = np.random.default_rng(8)
    counts = rng.multinomial(n, [churn / 2 + drop, churn / 2, 1 - churn - drop], size=4000)
    found = np.mean([mcnemar_exact(int(a), int(b)) <= 0.05 for a, b, _ in counts])
    assert found == pytest.approx(0.8, abs=0.02)


def test_more_prompts_and_calmer_models_show_smaller_drops() -> None:
    """The detectable drop falls with the number of prompts and rises with how much answers change anyway."""
    assert minimum_detectable_drop(400) < minimum_detectable_drop(100)
    assert minimum_detectable_drop(100, discordance=0.0) < minimum_detectable_drop(100, discordance=0.2)
    with pytest.raises(Unresolvable, match="4 prompts cannot show any drop"):
        minimum_detectable_drop(4)


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda: paired_regression([], []), NoEvidence),
        (lambda: paired_regression([0, 1], [0]), StatsError),
        (lambda: paired_regression([0, float("nan")], [0, 1]), StatsError),
        (lambda: paired_regression([0, 3], [0, 1]), StatsError),
        (lambda: paired_regression([0, 1], [0, 1], clusters=["a"]), StatsError),
        (lambda: paired_regression([0, 1], [0, 1], clusters=["a", "a"]), NoEvidence),
        (lambda: bonett_price(0, 0, 0), NoEvidence),
        (lambda: bonett_price(3, 3, 5), StatsError),
        (lambda: mcnemar_exact(-1, 3), StatsError),
        (lambda: sign_flip([]), NoEvidence),
        (lambda: sign_flip([1.0, float("inf")]), StatsError),
        (lambda: minimum_detectable_drop(100, discordance=1.0), StatsError),
    ],
)
def test_comparisons_that_mean_nothing_are_refused(call: Callable[[], object], error: type[Exception]) -> None:
    """Unequal lengths, holes, scores beyond 1, missing or single clusters, impossible counts."""
    with pytest.raises(error):
        call()


def test_an_interval_of_differences_stays_within_its_range() -> None:
    """A difference of rates is between -1 and 1, also for two pairs."""
    assert bonett_price(2, 0, 2) == Interval(bonett_price(2, 0, 2).lo, 1.0)
