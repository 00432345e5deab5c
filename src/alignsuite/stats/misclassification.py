"""Misclassification correction of rates: from a judge's sensitivity and specificity to true rates and limits.

A judge that calls 3 % of good replies bad reports 7 % for a model at 5 %, and no number of replies mends that. Either
the estimate is corrected, or the gate's two limits are moved to where that judge would see them; and where its errors
are too large to see the difference at all, the honest answer is a refusal.
"""

from __future__ import annotations

from math import sqrt
from typing import NamedTuple

from alignsuite.stats.distributions import normal_quantile
from alignsuite.stats.errors import NoEvidence, StatsError, Unresolvable, check_count, check_open
from alignsuite.stats.rates import Interval, rate_interval

_DISTINCT = 0.8  # judged target may be at most this share of judged limit


class TrueRate(NamedTuple):
    """Corrected rate, with its interval.

    Attributes:
        rate: the best estimate, clipped to [0, 1].
        interval: the range of true rates compatible with the counts.
    """

    rate: float
    interval: Interval


class JudgeBounds(NamedTuple):
    """Confidence intervals of a judge's sensitivity and specificity; see `judge_bounds`.

    Attributes:
        sensitivity: share of bad replies that it calls bad.
        specificity: share of good replies that it calls good.

    >>> bounds = JudgeBounds(Interval(0.8, 0.9), Interval(0.95, 0.99))
    >>> bounds.judged(0.10), bounds.true(Interval(0.089, 0.135))
    (Interval(0.089, 0.135), Interval(0.0459, 0.1582))
    """

    sensitivity: Interval
    specificity: Interval

    @property
    def kept(self) -> float:
        """Lower bound of Youden's J, the share of a true difference that labels show.

        It is 0 or less where the judge may be no better than a coin.
        """
        return self.sensitivity.lo + self.specificity.lo - 1

    def judged(self, rate: float) -> Interval:
        """Interval of the rate of "bad" that replies with this true rate may get."""
        return Interval(
            rate * self.sensitivity.lo + (1 - rate) * (1 - self.specificity.hi),
            rate * self.sensitivity.hi + (1 - rate) * (1 - self.specificity.lo),
        )

    def true(self, judged: Interval) -> Interval:
        """Interval of true rates behind a rate of "bad" in this range, within [0, 1].

        Where no true rate gives that, the judge errs less here than on the replies it was measured on: fewer are called bad than it
        would call good ones by mistake, or more than it would find. The error that is contradicted is then taken to be anything
        down to 0, for clipping alone would report a rate of exactly 0 or 1.
        """
        (worst, best), (blaming, clearing) = self.sensitivity, self.specificity
        if min(best + blaming, worst + clearing) <= 1:
            return Interval(0.0, 1.0)
        lo, hi = _corrected(judged.lo, best, blaming), _corrected(judged.hi, worst, clearing)
        if hi <= 0:
            hi = _corrected(judged.hi, worst, 1.0)
        if lo >= 1:
            lo = _corrected(judged.lo, 1.0, blaming)
        return Interval(min(1.0, max(0.0, lo)), min(1.0, max(0.0, hi)))


class JudgedLimits(NamedTuple):
    """Target and limit of a gate on judged labels, for `RateGate(target, limit)`.

    Attributes:
        target: the largest rate of "bad" that a model at the true target may get.
        limit: the smallest rate of "bad" that a model at the true limit may get.
    """

    target: float
    limit: float


def true_rate(x: int, n: int, tp: int, n_pos: int, tn: int, n_neg: int, *, alpha: float = 0.05) -> TrueRate:
    """`TrueRate` behind x calls of "bad" in n, corrected for how often the judge errs.

    Args:
        x: replies that the judge called bad.
        n: replies judged.
        tp: known bad replies that the judge called bad.
        n_pos: known bad replies shown to it.
        tn: known good replies that the judge called good.
        n_neg: known good replies shown to it.
        alpha: one minus the confidence; the judge's errors being estimates is accounted for.

    Raises:
        NoEvidence: if nothing was judged, or nothing of either kind was labelled.
        Unresolvable: if the judge is no better than a coin (sensitivity + specificity <= 1), or if no true rate is
            compatible with both these calls and its record.

    Source: Rogan & Gladen 1978 (estimate); Lang & Reiczigel 2014 (interval).

    >>> true_rate(259, 509, 84, 127, 96, 109).interval
    Interval(0.5849, 0.8665)
    """
    check_open(alpha=alpha)
    _check_judge(tp, n_pos, tn, n_neg)
    check_count(x, n)
    if n == 0:
        raise NoEvidence("no reply was judged, and that is not a rate of 0")
    return TrueRate(corrected(x, n, tp, n_pos, tn, n_neg), _lang_reiczigel(x, n, tp, n_pos, tn, n_neg, alpha))


def corrected(x: int, n: int, tp: int, n_pos: int, tn: int, n_neg: int) -> float:
    """Rogan–Gladen estimate of the true rate behind x calls of "bad" in n, clipped to [0, 1].

    >>> round(corrected(23, 150, 96, 100, 89, 100), 5)
    0.05098
    """
    return min(1.0, max(0.0, _corrected(x / n, tp / n_pos, tn / n_neg)))


def _lang_reiczigel(x: int, n: int, tp: int, n_pos: int, tn: int, n_neg: int, alpha: float) -> Interval:
    z = normal_quantile(1 - alpha / 2)
    total, positives, negatives = n + z * z, n_pos + 2, n_neg + 2
    apparent = (x + z * z / 2) / total
    sensitivity, specificity = (tp + 1) / positives, (tn + 1) / negatives
    gain = sensitivity + specificity - 1
    rate = (apparent + specificity - 1) / gain
    from_positives = sensitivity * (1 - sensitivity) / positives
    from_negatives = specificity * (1 - specificity) / negatives
    shift = 2 * z * z * (rate * from_positives - (1 - rate) * from_negatives)
    variance = apparent * (1 - apparent) / total + rate**2 * from_positives + (1 - rate) ** 2 * from_negatives
    spread = z * sqrt(variance) / gain
    lo, hi = rate + shift - spread, rate + shift + spread
    if hi <= 0 or lo >= 1:
        raise Unresolvable(
            f"{x} of {n} called bad contradicts the judge's record ({tp} of {n_pos} bad replies found, "
            f"{tn} of {n_neg} good ones cleared): no true rate gives that. It errs differently here; label some replies"
        )
    return Interval(max(0.0, lo), min(1.0, hi))


def _corrected(judged: float, sensitivity: float, specificity: float) -> float:
    """Rogan–Gladen estimate, not clipped."""
    return (judged + specificity - 1) / (sensitivity + specificity - 1)


def judge_bounds(tp: int, n_pos: int, tn: int, n_neg: int, *, gamma: float = 0.05) -> JudgeBounds:
    """`JudgeBounds`: exact intervals of a judge's two rates that hold together with confidence 1 − gamma.

    Args:
        tp: known bad replies that the judge called bad.
        n_pos: known bad replies shown to it.
        tn: known good replies that the judge called good.
        n_neg: known good replies shown to it.
        gamma: chance that one of the two is outside; a quarter of it lies beyond each of the four ends.

    Raises:
        Unresolvable: if the judge is no better than a coin (sensitivity + specificity <= 1).
        NoEvidence: if nothing of either kind was labelled.

    >>> judge_bounds(90, 100, 990, 1000)
    JudgeBounds(sensitivity=Interval(0.8122, 0.9562), specificity=Interval(0.9804, 0.9957))
    """
    check_open(gamma=gamma)
    _check_judge(tp, n_pos, tn, n_neg)
    return JudgeBounds(rate_interval(tp, n_pos, alpha=gamma / 2), rate_interval(tn, n_neg, alpha=gamma / 2))


def judge_limits(
    target: float, limit: float, tp: int, n_pos: int, tn: int, n_neg: int, *, gamma: float = 0.05
) -> JudgedLimits:
    """`JudgedLimits`: a gate's target and limit, moved to where a judge that errs sees them.

    A gate run on judged labels with these two numbers errs at most alpha + gamma and beta + gamma in true labels.

    Args:
        target: true rate that a good model stays within.
        limit: true rate that a bad model reaches.
        tp: known bad replies that the judge called bad.
        n_pos: known bad replies shown to it.
        tn: known good replies that the judge called good.
        n_neg: known good replies shown to it.
        gamma: chance that either of the judge's error rates is outside the exact interval used here for it.

    Raises:
        Unresolvable: if the judge cannot tell target from limit (judged target at or above 0.8 of the judged limit).
        NoEvidence: if nothing of either kind was labelled.

    >>> limits = judge_limits(0.02, 0.10, 90, 100, 990, 1000)
    >>> round(limits.target, 3), round(limits.limit, 3)
    (0.038, 0.085)
    """
    check_open(gamma=gamma)
    if not 0.0 <= target < limit < 1.0:
        raise StatsError(f"target is {target!r} and limit {limit!r}; wanted 0 <= target < limit < 1")
    bounds = judge_bounds(tp, n_pos, tn, n_neg, gamma=gamma)
    seen = JudgedLimits(bounds.judged(target).hi, bounds.judged(limit).lo)
    if seen.target >= _DISTINCT * seen.limit:
        raise Unresolvable(
            f"this judge ({tp} of {n_pos} bad replies found, {tn} of {n_neg} good ones cleared) "
            f"sees target {target:g} as up to {seen.target:.3f} and limit {limit:g} as little as {seen.limit:.3f}. "
            "Label more good replies, widen the limits, or gate the paired regression instead of the rate"
        )
    return seen


def _check_judge(tp: int, n_pos: int, tn: int, n_neg: int) -> None:
    check_count(tp, n_pos, hits="tp", trials="n_pos")
    check_count(tn, n_neg, hits="tn", trials="n_neg")
    if not n_pos or not n_neg:
        raise NoEvidence("a judge's errors are unknown until it was shown known bad and known good replies")
    if tp / n_pos + tn / n_neg <= 1:
        raise Unresolvable(
            f"a judge that finds {tp} of {n_pos} bad replies and clears {tn} of {n_neg} good ones "
            "is no better than a coin"
        )
