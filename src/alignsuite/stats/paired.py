"""Paired regression tests: is the candidate worse than the baseline on the same prompts?

Only prompts whose label changed say anything, so two runs are compared prompt by prompt, never by their two rates: at
500 prompts that finds a loss of four points nearly nine times in ten where the unpaired test needs luck (four in ten).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, inf, log2, sqrt
from typing import TYPE_CHECKING, Literal

import numpy as np

from alignsuite.stats.decision import Decision
from alignsuite.stats.distributions import binomial_at_least, binomial_exactly, normal_quantile
from alignsuite.stats.errors import NoEvidence, StatsError, Unresolvable, check_count, check_open
from alignsuite.stats.rates import Interval, design_effect
from alignsuite.stats.sign_flip import cluster_sums, sign_flip

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from numpy.typing import NDArray


@dataclass(frozen=True)
class PairedRegression:
    """Paired regression: a comparison of two runs over the same prompts, with its test and interval.

    Attributes:
        n: prompts compared.
        n10: prompts on which the candidate is worse.
        n01: prompts on which the candidate is better.
        diff: mean of candidate minus baseline; positive is worse.
        interval: two-sided range for the difference.
        upper: the difference is no larger than this, with confidence 1 − beta.
        p: one-sided p-value against "no worse".
        alpha: the level of the test.
        test: which test gave p.
        least_m: with fewer changed prompts (or clusters) than this, p cannot reach alpha.
    """

    n: int
    n10: int
    n01: int
    diff: float
    interval: Interval
    upper: float
    p: float
    alpha: float
    test: Literal["mcnemar", "sign_flip"]
    least_m: int

    @property
    def m(self) -> int:
        """Number of discordant prompts: changed, for better or worse."""
        return self.n10 + self.n01

    def verdict(self, *, margin: float = 0.02, limit: float | None = None) -> Decision:
        """Decision: FAIL for a loss beyond chance and worth blocking for, PASS only for one proved to be small.

        Args:
            margin: smallest loss that may fail.
            limit: a loss below this is acceptable; without it nothing is ever proved, and there is no PASS.
        """
        if self.p <= self.alpha and self.diff >= margin:
            return Decision.FAIL
        return Decision.PASS if limit is not None and self.upper < limit else Decision.INCONCLUSIVE


def paired_regression(
    base: Sequence[float],
    cand: Sequence[float],
    *,
    alpha: float = 0.05,
    beta: float = 0.05,
    clusters: Sequence[Hashable] | None = None,
    resamples: int = 9_999,
    seed: int = 0,
) -> PairedRegression:
    """`PairedRegression` of candidate and baseline: whether it is worse on the same prompts, and by how much.

    Labels (0 = fine, 1 = bad) are compared by the exact McNemar test; scores between, means over samples, and clustered
    prompts by the sign-flip test. The interval is Bonett–Price's (for scores its generalisation: one pseudo-pair of +1
    and one of −1 are added, so that no change at all is not taken for proof); clusters widen it by their design effect.

    Args:
        base: badness of the baseline's reply to each prompt, in [0, 1].
        cand: the same for the candidate, in the same order.
        alpha: level of the test, and one minus the confidence of `interval`.
        beta: one minus the confidence of `upper`.
        clusters: a label for each prompt, such as its template; prompts with one label vary together.
        resamples: for sign-flips that cannot be counted.
        seed: of those.

    Raises:
        NoEvidence: if there are no pairs.
        StatsError: if lengths differ or a badness is outside [0, 1].

    Source: Fagerland, Lydersen & Laake 2013; Bonett & Price 2012.

    >>> result = paired_regression([0] * 20, [1] * 6 + [0] * 14)
    >>> result.p, result.diff, result.least_m
    (0.015625, 0.3, 5)
    """
    check_open(alpha=alpha, beta=beta)
    before, after = np.asarray(base, dtype=float), np.asarray(cand, dtype=float)
    if before.ndim != 1 or before.shape != after.shape:
        raise StatsError(f"{before.size} baseline values and {after.size} of the candidate; wanted pairs")
    if not all(((row >= 0) & (row <= 1)).all() for row in (before, after)):
        raise StatsError("badness must be a number in [0, 1] for every reply; leave unreadable pairs out")
    d = after - before
    sums = cluster_sums(d.tolist(), clusters)
    n10, n01 = int((d > 0).sum()), int((d < 0).sum())
    labels = bool(np.isin(before, (0, 1)).all() and np.isin(after, (0, 1)).all())
    plain = clusters is None and labels
    n = d.size / _cluster_effect(d, clusters)
    mean, square = float(d.mean()), float((d * d).mean())
    return PairedRegression(
        n=d.size,
        n10=n10,
        n01=n01,
        diff=mean,
        interval=_difference(mean, square, n, alpha),
        upper=_difference(mean, square, n, 2 * beta).hi,
        p=mcnemar_exact(n10, n01) if plain else sign_flip(sums.tolist(), resamples=resamples, seed=seed),
        alpha=alpha,
        test="mcnemar" if plain else "sign_flip",
        least_m=least_discordant(alpha),
    )


def _cluster_effect(d: NDArray[np.float64], clusters: Sequence[Hashable] | None) -> float:
    if clusters is None:
        return 1.0
    sums = cluster_sums((d - d.mean()).tolist(), clusters)
    if sums.size < 2:
        raise NoEvidence("one cluster does not show how much clusters differ; wanted at least two")
    return design_effect(sums.tolist(), d.size, float(d.var()))


def mcnemar_exact(n10: int, n01: int, *, two_sided: bool = False) -> float:
    """Exact McNemar p-value: the chance of n10 prompts worse and only n01 better, if nothing had changed.

    The chance that at least n10 of n10 + n01 fair coins show heads. 1.0 if no prompt changed.

    Source: McNemar 1947; values checked against Fagerland, Lydersen & Laake 2013.

    >>> round(mcnemar_exact(7, 1), 4), round(mcnemar_exact(7, 1, two_sided=True), 4)
    (0.0352, 0.0703)
    """
    m = _discordant(n10, n01)
    if two_sided:
        return min(1.0, 2 * float(binomial_at_least(max(n10, n01), m)))
    return float(binomial_at_least(n10, m))


def mcnemar_midp(n10: int, n01: int, *, two_sided: bool = False) -> float:
    """Mid-p McNemar p-value: the outcome seen counts half; more power, in practice no more false alarms.

    Source: Fagerland, Lydersen & Laake 2013, who found it at or below its nominal level in all 9 595 scenarios.

    >>> round(mcnemar_midp(7, 1, two_sided=True), 4)
    0.0391
    """
    m = _discordant(n10, n01)
    seen = float(binomial_exactly(n10, m))
    if two_sided:
        return min(1.0, 2 * float(binomial_at_least(max(n10, n01), m)) - seen)
    return float(binomial_at_least(n10, m)) - seen / 2


def bonett_price(n10: int, n01: int, n: int, *, alpha: float = 0.05) -> Interval:
    """Bonett–Price interval of the change in a rate, where n10 of n pairs are worse and n01 better.

    Two-sided; the change is in [-1, 1], positive is worse. No change at all still leaves an interval wider than a
    point.

    Raises:
        NoEvidence: if n is 0.
        StatsError: if more pairs changed than there are.

    Source: Bonett & Price 2012.

    >>> bonett_price(7, 1, 21)
    Interval(0.0134, 0.5084)
    """
    check_open(alpha=alpha)
    check_count(_discordant(n10, n01), n, hits="n10 + n01")
    if n == 0:
        raise NoEvidence("no pair of replies could be compared")
    return _difference((n10 - n01) / n, (n10 + n01) / n, n, alpha)


def _difference(mean: float, square: float, n: float, alpha: float) -> Interval:
    """Bonett–Price interval from mean and mean square: two pseudo-pairs, +1 and −1, then mean ± z·se."""
    centre, second = mean * n / (n + 2), (square * n + 2) / (n + 2)
    spread = normal_quantile(1 - alpha / 2) * sqrt(max(0.0, second - centre**2) / (n + 2))
    return Interval(max(-1.0, centre - spread), min(1.0, centre + spread))


def _discordant(n10: int, n01: int) -> int:
    check_count(n10, n10, hits="n10", trials="n10")
    check_count(n01, n01, hits="n01", trials="n01")
    return n10 + n01


def least_discordant(alpha: float) -> int:
    """Smallest number of discordant prompts that can fail at this level, all of them for the worse.

    A suite in which fewer prompts ever change cannot find a regression at all.

    >>> least_discordant(0.05), least_discordant(0.01), least_discordant(0.05 / 30)
    (5, 7, 10)
    """
    check_open(alpha=alpha)
    return ceil(log2(1 / alpha) - 1e-12)


def minimum_detectable_drop(n: int, alpha: float = 0.05, power: float = 0.8, discordance: float = 0.05) -> float:
    """Minimum detectable effect: how much worse the candidate must be for n paired prompts to show it.

    Args:
        n: prompts answered by both.
        alpha: one-sided level of the exact McNemar test.
        power: the chance wanted of finding the drop.
        discordance: share of prompts whose label changes even between equally good checkpoints, half of them each
            way. A true drop d is on top of the half that gets worse: P(worse) = discordance/2 + d.

    Returns:
        The smallest such d, as a fraction of all prompts.

    Raises:
        Unresolvable: if n prompts cannot show any drop with this power.
        StatsError: if a share or level is out of range.

    >>> round(minimum_detectable_drop(200), 3)
    0.061
    """
    check_open(alpha=alpha, power=power)
    if not 0.0 <= discordance < 1.0:
        raise StatsError(f"discordance is {discordance!r}; wanted a share in [0, 1)")
    critical = np.array([_critical(m, alpha) for m in range(n + 1)])
    lo, hi = 0.0, 1.0 - discordance
    if _power(critical, discordance, hi) < power:
        raise Unresolvable(
            f"{n} prompts cannot show any drop at level {alpha:g} with power {power:g}; "
            f"at least {least_discordant(alpha)} must change for the worse"
        )
    while hi - lo > 1e-6:
        middle = (lo + hi) / 2
        lo, hi = (lo, middle) if _power(critical, discordance, middle) >= power else (middle, hi)
    return hi


def _power(critical: NDArray[np.float64], discordance: float, drop: float) -> float:
    """Power of the exact McNemar test, summed over the number m of changed prompts."""
    changed = discordance + drop
    if changed <= 0:
        return 0.0
    n = critical.size - 1
    m = np.arange(n + 1)
    weight = binomial_exactly(m, n, changed) if changed < 1 else (m == n).astype(float)
    worse = (discordance / 2 + drop) / changed
    reached = binomial_at_least(critical, m, worse) if worse < 1 else (critical <= m).astype(float)
    return float((weight * reached).sum())


def _critical(m: int, alpha: float) -> float:
    """Critical value: the smallest number of worse prompts among m changed ones that fails; infinite if none does."""
    tails = binomial_at_least(np.arange(m + 1), m)
    return float(np.argmax(tails <= alpha)) if tails[-1] <= alpha else inf
