"""Intervals of rates against published tables, oracles and each other."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.proportion import proportion_confint

from alignsuite.stats import Interval, NoEvidence, StatsError, rate_interval

NEWCOMBE = [
    (81, 263, (0.2553, 0.3662), (0.2527, 0.3676)),
    (15, 148, (0.0624, 0.1605), (0.0578, 0.1617)),
    (0, 20, (0.0, 0.1611), (0.0, 0.1684)),
    (1, 29, (0.0061, 0.1718), (0.0009, 0.1776)),
]


@pytest.mark.parametrize(("x", "n", "wilson", "exact"), NEWCOMBE)
def test_newcombe_1998_table_1_is_reproduced(
    x: int, n: int, wilson: tuple[float, float], exact: tuple[float, float]
) -> None:
    """Both intervals agree with the table that everybody checks intervals against."""
    assert rate_interval(x, n, method="wilson") == pytest.approx(wilson, abs=5e-5)
    assert rate_interval(x, n, method="exact") == pytest.approx(exact, abs=5e-5)


@given(n=st.integers(1, 400), share=st.floats(0, 1), alpha=st.sampled_from([0.01, 0.05, 0.2]))
@settings(deadline=None)
def test_statsmodels_computes_the_same_ends(n: int, share: float, alpha: float) -> None:
    """At every count, the extremes included, an independent library gives the same interval."""
    x = round(share * n)
    for method, theirs in (("exact", "beta"), ("wilson", "wilson")):
        expected = proportion_confint(x, n, alpha=alpha, method=theirs)
        assert rate_interval(x, n, alpha=alpha, method=method) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(("n", "bound"), [(59, 0.05), (299, 0.01)])
def test_no_hit_in_59_rules_out_five_percent(n: int, bound: float) -> None:
    """The one-sided 95 % bound after n clean replies is 1 - 0.05^(1/n); 59 is just enough for 5 %, 299 for 1 %."""
    assert rate_interval(0, n, alpha=0.10).hi == pytest.approx(1 - 0.05 ** (1 / n), abs=1e-12)
    assert rate_interval(0, n, alpha=0.10).hi < bound < rate_interval(0, n - 1, alpha=0.10).hi


def test_no_hits_and_only_hits_touch_the_end_exactly() -> None:
    """Nothing seen is compatible with a rate of 0, exactly 0.0 and not 1e-17."""
    for method in ("exact", "wilson"):
        assert rate_interval(0, 7, method=method).lo == 0.0
        assert rate_interval(7, 7, method=method).hi == 1.0


def test_no_trials_are_no_evidence_rather_than_a_rate() -> None:
    """Nothing readable is an error, and neither 0 % nor NaN."""
    with pytest.raises(NoEvidence, match="0 trials"):
        rate_interval(0, 0)


@pytest.mark.parametrize(("x", "n"), [(5, 4), (-1, 4), (0.5, 4)])
def test_impossible_counts_are_refused_with_their_value(x: float, n: int) -> None:
    """More hits than trials is a bug upstream; the message shows the numbers."""
    with pytest.raises(StatsError, match=str(x)):
        rate_interval(x, n)


@pytest.mark.parametrize("alpha", [0, 1, 5, -0.1, float("nan")])
def test_a_level_outside_zero_to_one_is_refused(alpha: float) -> None:
    """Writing 5 for 5 % must not silently give an interval."""
    with pytest.raises(StatsError, match="alpha"):
        rate_interval(1, 10, alpha=alpha)


def test_an_unknown_method_is_refused_by_name() -> None:
    """A misspelt method is no licence to pick another."""
    with pytest.raises(StatsError, match="'wald'"):
        rate_interval(1, 10, method="wald")


def test_an_interval_shows_four_digits_and_keeps_all() -> None:
    """The repr is for people; equality is exact."""
    assert repr(Interval(0.05779, 0.1616851)) == "Interval(0.0578, 0.1617)"
    assert Interval(0.05779, 0.1616851).hi == 0.1616851
    assert Interval(0.25, 0.75).width == 0.5


def test_clusters_of_one_are_almost_no_clusters() -> None:
    """If every template has one filling, Korn-Graubard is the exact interval but for t in place of z."""
    clusters = [(1, 1)] * 15 + [(0, 1)] * 133
    plain, clustered = rate_interval(15, 148), rate_interval(15, 148, clusters=clusters)
    assert clustered == pytest.approx(plain, abs=0.002)
    assert clustered.width >= plain.width


def test_agreement_within_templates_widens_the_interval() -> None:
    """Ten hits in one template say less than ten hits spread over ten; even spread gives back the plain interval."""
    lumped = rate_interval(10, 200, clusters=[(10, 10)] + [(0, 10)] * 19)
    spread = rate_interval(10, 200, clusters=[(1, 10)] * 10 + [(0, 10)] * 10)
    assert lumped.width > 1.5 * spread.width
    assert spread == pytest.approx(rate_interval(10, 200), abs=0.005)


def test_no_hit_in_clustered_trials_counts_templates_not_replies() -> None:
    """With no hit the agreement is unknowable, so 20 templates of 10 prove no more than about 20 replies do."""
    upper = rate_interval(0, 200, clusters=[(0, 10)] * 20).hi
    assert upper >= rate_interval(0, 20).hi > 5 * rate_interval(0, 200).hi


def test_korn_graubard_equals_its_formula_by_hand() -> None:
    """Design effect, effective size and t/z correction, computed here step by step from the survey."""
    from scipy import stats

    cells = [(3, 12), (0, 12), (1, 12), (5, 12), (0, 12), (1, 12), (0, 12), (2, 12)]
    n, groups, p = 96, 8, 12 / 96
    squared = sum((x - 12 * p) ** 2 for x, _ in cells) / n**2 * groups / (groups - 1)
    effect = min(max(squared / (p * (1 - p) / n), 1), n / groups)
    size = n / effect * (stats.norm.ppf(0.975) / stats.t.ppf(0.975, groups - 1)) ** 2
    lo = stats.beta.ppf(0.025, p * size, size - p * size + 1)
    hi = stats.beta.ppf(0.975, p * size + 1, size - p * size)
    assert effect > 1
    assert rate_interval(12, 96, clusters=cells) == pytest.approx((lo, hi), abs=1e-9)


def test_clusters_must_account_for_every_trial() -> None:
    """Clusters that add up to something else describe other data."""
    with pytest.raises(StatsError, match="add up to 2 of 20"):
        rate_interval(3, 20, clusters=[(2, 10), (0, 10)])


def test_a_single_cluster_is_no_evidence_about_clusters() -> None:
    """One template cannot show how much templates differ; empty ones do not help."""
    with pytest.raises(NoEvidence, match="one cluster"):
        rate_interval(3, 10, clusters=[(3, 10), (0, 0)])
