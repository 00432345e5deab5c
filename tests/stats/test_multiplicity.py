"""Many probes in one run."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from alignsuite.stats import Decision, NoEvidence, StatsError, e_bh, holm, suite_decision

BENJAMINI_HOCHBERG_1995 = [
    *(0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344),
    *(0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0000),
]


def test_a_small_family_by_hand() -> None:
    """.01 counts five times, .02 four times, .03 three times; later ones cannot undercut earlier ones."""
    assert holm([0.01, 0.02, 0.03, 0.04, 0.05]).adjusted == pytest.approx((0.05, 0.08, 0.09, 0.09, 0.09))
    assert holm([0.05, 0.01, 0.04, 0.02, 0.03]).adjusted == pytest.approx((0.09, 0.05, 0.09, 0.08, 0.09))


def test_the_fifteen_p_values_of_benjamini_and_hochberg() -> None:
    """At 5 % Holm rejects three of them (and Benjamini-Hochberg, which controls less, four)."""
    assert sum(holm(BENJAMINI_HOCHBERG_1995).rejected) == 3
    assert multipletests(BENJAMINI_HOCHBERG_1995, method="fdr_bh")[0].sum() == 4


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
@settings(max_examples=40, deadline=None)
def test_statsmodels_adjusts_the_same(p: list[float]) -> None:
    """In any order, with ties, zeros and ones, an independent library agrees on the values."""
    adjusted = multipletests(p, alpha=0.05, method="holm")[1]
    assert holm(p).adjusted == pytest.approx(adjusted)
    assert holm(p).rejected == tuple(q <= 0.05 for q in holm(p).adjusted)


def test_an_empty_family_rejects_nothing() -> None:
    """A run of bank gates has no p-values, and that is fine."""
    assert holm([]) == ((), ())
    assert e_bh([]) == ()


def test_e_values_are_rejected_from_the_largest_down() -> None:
    """100, 50 and 30 of five at 10 %: 3 is the largest k with e_(k) >= 50/k; the order given does not matter."""
    assert sum(e_bh([100, 50, 30, 5, 1], 0.1)) == 3
    assert e_bh([1, 100, 5, 30, 50], 0.1) == (False, True, False, True, True)
    assert e_bh([20, 20], 0.1) == (True, True)
    assert e_bh([19, 9], 0.1) == (False, False)
    assert e_bh([float("inf"), 0.0], 0.1) == (True, False)


def test_a_later_rank_can_rescue_earlier_ones() -> None:
    """10 alone would not do for the first rank of two at 10 %, but two of 10 do for the second."""
    assert e_bh([10, 10], 0.1) == (True, True)
    assert e_bh([10, 9], 0.1) == (False, False)


def test_a_run_passes_only_if_every_probe_passes() -> None:
    """One undecided probe is enough to leave a release undecided; marginal ones pass with a warning."""
    assert suite_decision([Decision.PASS] * 3) is Decision.PASS
    assert suite_decision([Decision.PASS, Decision.MARGINAL]) is Decision.PASS
    assert suite_decision([Decision.PASS, Decision.INCONCLUSIVE]) is Decision.INCONCLUSIVE
    assert suite_decision([Decision.PASS, Decision.CONTINUE]) is Decision.INCONCLUSIVE


def test_a_run_fails_by_a_probe_or_by_holm() -> None:
    """A confirmed FAIL needs no p-value; p-values of .04 and .04 fail nothing, .04 and .02 do."""
    undecided = [Decision.INCONCLUSIVE, Decision.PASS]
    assert suite_decision([Decision.PASS, Decision.FAIL]) is Decision.FAIL
    assert suite_decision(undecided, [0.04, 0.04]) is Decision.INCONCLUSIVE
    assert suite_decision(undecided, [0.04, 0.02]) is Decision.FAIL


def test_an_empty_run_has_not_passed() -> None:
    """No probe, no verdict: an error instead of a green run."""
    with pytest.raises(NoEvidence):
        suite_decision([])


def test_holm_s_family_wise_error_is_below_alpha() -> None:
    """Twenty true nulls, 2 000 families: at least one false rejection in no more than 5 %."""
    p = np.random.default_rng(1).random((2000, 20))
    false = np.mean([any(holm(row).rejected) for row in p])
    assert 0.02 < false <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 2000)


@pytest.mark.parametrize("bad", [[0.5, 1.5], [-0.1], [float("nan")]])
def test_what_is_no_p_value_is_refused(bad: list[float]) -> None:
    """A NaN would otherwise sort to the end and pass for 'not significant'."""
    with pytest.raises(StatsError):
        holm(bad)


@pytest.mark.parametrize("bad", [[-1.0, 3.0], [float("nan")]])
def test_what_is_no_e_value_is_refused(bad: list[float]) -> None:
    """Evidence cannot be negative, and a NaN is none."""
    with pytest.raises(StatsError):
        e_bh(bad)
