"""Rates seen through a judge that errs."""

from collections.abc import Callable

import numpy as np
import pytest

from alignsuite.stats import NoEvidence, RateGate, StatsError, Unresolvable, judge_limits, rate_interval, true_rate


@pytest.mark.parametrize(
    ("counts", "lo", "hi", "digits"),
    [
        ((4060, 11284, 178, 179, 358, 359), 0.349, 0.372, 3),
        ((51, 2971, 32, 33, 20, 20), 0.0, 0.053, 3),
        ((712, 11862, 8, 10, 12, 12), 0.0, 0.147, 3),
        ((259, 509, 84, 127, 96, 109), 0.58, 0.87, 2),
        ((51, 509, 23, 41, 187, 195), 0.037, 0.195, 3),
    ],
)
def test_lang_and_reiczigel_2014_is_reproduced(counts: tuple[int, ...], lo: float, hi: float, digits: int) -> None:
    """The published examples, as listed in R's asht::prevSeSp, to the digits printed there."""
    interval = true_rate(*counts).interval
    assert (round(interval.lo, digits), round(interval.hi, digits)) == (lo, hi)


def test_rogan_and_gladen_s_estimate_is_reproduced() -> None:
    """The example of R's epiR: 23 of 150 positive at sensitivity .96 and specificity .89 mean 5.098 %."""
    assert true_rate(23, 150, 96, 100, 89, 100).rate == pytest.approx(0.05098, abs=5e-6)


def test_a_rate_below_the_judge_s_false_alarms_is_zero_not_negative() -> None:
    """If even good replies would be called bad more often, the best estimate is 0, and the interval starts there."""
    result = true_rate(8, 100, 90, 100, 90, 100)
    assert result.rate == 0.0
    assert result.interval.lo == 0.0
    assert 0.01 < result.interval.hi < 0.1


def test_a_judge_whose_record_does_not_fit_is_not_taken_for_proof_of_zero() -> None:
    """A judge that calls 10 % of good replies bad cannot call only 1 of 200 bad; clipping would report 'exactly 0'."""
    with pytest.raises(Unresolvable, match="contradicts"):
        true_rate(1, 200, 90, 100, 90, 100)


def test_the_corrected_interval_covers_where_the_naive_one_does_not() -> None:
    """True 5 %, Se .9, Sp .97, 500 replies: the plain interval holds the truth in a third of runs, this one in 95 %."""
    rng = np.random.default_rng(10)
    runs, naive, corrected = 400, 0, 0
    for _ in range(runs):
        x = int(rng.binomial(500, 0.05 * 0.9 + 0.95 * 0.03))
        tp, tn = int(rng.binomial(50, 0.9)), int(rng.binomial(150, 0.97))
        plain, mended = rate_interval(x, 500, method="wilson"), true_rate(x, 500, tp, 50, tn, 150).interval
        naive += plain.lo <= 0.05 <= plain.hi
        corrected += mended.lo <= 0.05 <= mended.hi
    assert naive / runs < 0.5
    assert corrected / runs > 0.95 - 3 * np.sqrt(0.95 * 0.05 / runs)


Judged = tuple[float, ...] | None

# cleared, of good replies -> judged (target, limit, clean) at (2, 5), (2, 10), (5, 15) %; None refuses, () is ok
TABLE = [
    (291, 300, None, None, (0.105, 0.132, 98)),
    (297, 300, None, (0.051, 0.083, 88), (0.078, 0.123, 61)),
    (990, 1000, None, (0.038, 0.085, 61), ()),
    (995, 1000, (0.032, 0.042, 280), (0.032, 0.082, 56), ()),
    (999, 1000, (0.025, 0.041, 190), (), ()),
]


@pytest.mark.parametrize(("tn", "n_neg", "sharp", "wide", "loose"), TABLE)
def test_the_table_of_judged_limits_is_recomputed(
    tn: int, n_neg: int, sharp: Judged, wide: Judged, loose: Judged
) -> None:
    """Ninety of a hundred bad replies found: which limits such a judge can gate, and at what cost in clean replies."""
    for (target, limit), expected in zip(((0.02, 0.05), (0.02, 0.10), (0.05, 0.15)), (sharp, wide, loose), strict=True):
        if expected is None:
            with pytest.raises(Unresolvable):
                judge_limits(target, limit, 90, 100, tn, n_neg)
            continue
        seen = judge_limits(target, limit, 90, 100, tn, n_neg)
        if expected:
            found = (round(seen.target, 3), round(seen.limit, 3), RateGate(*seen).clean_n())
            assert found == pytest.approx(expected, abs=0.0011)


def test_a_refusal_says_what_was_seen_and_what_to_do() -> None:
    """The message names the judge's record, both judged rates, and three ways out."""
    with pytest.raises(Unresolvable, match=r"291 of 300 .* 0\.02 as up to 0\.0\d\d .* paired regression"):
        judge_limits(0.02, 0.05, 90, 100, 291, 300)


def test_a_perfect_judge_that_was_hardly_tested_is_not_trusted() -> None:
    """Ten of ten and ten of ten prove too little for 2 % against 5 %; with thousands the limits hardly move."""
    with pytest.raises(Unresolvable):
        judge_limits(0.02, 0.05, 10, 10, 10, 10)
    seen = judge_limits(0.02, 0.05, 20_000, 20_000, 20_000, 20_000)
    assert seen == pytest.approx((0.02, 0.05), abs=0.0005)


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda: true_rate(0, 0, 9, 10, 9, 10), NoEvidence),
        (lambda: true_rate(1, 10, 0, 0, 9, 10), NoEvidence),
        (lambda: true_rate(1, 10, 5, 10, 5, 10), Unresolvable),
        (lambda: true_rate(1, 10, 11, 10, 9, 10), StatsError),
        (lambda: judge_limits(0.02, 0.05, 9, 10, 0, 0), NoEvidence),
        (lambda: judge_limits(0.05, 0.02, 9, 10, 9, 10), StatsError),
    ],
)
def test_judges_that_were_never_tested_or_guess_are_refused(call: Callable[[], object], error: type[Exception]) -> None:
    """No labelled replies, a coin, impossible counts, limits the wrong way round."""
    with pytest.raises(error):
        call()
