"""Confidence intervals for rates seen in few trials: exact, Wilson, and clustered.

Alignment runs are small: two hundred replies, not twenty thousand. The usual p ± 1.96·se is wrong there (it says that 0
of 20 proves 0 %), so everything that reports a rate takes its bounds from here. The sample size must have been fixed
beforehand; where a gate stopped early, use `bank_interval`.
"""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING, Literal, NamedTuple

from alignsuite.stats.distributions import beta_quantile, normal_quantile, student_quantile
from alignsuite.stats.errors import NoEvidence, StatsError, check_count, check_open

if TYPE_CHECKING:
    from collections.abc import Sequence


class Interval(NamedTuple):
    """Interval: a lower and an upper end, as fractions; it shows four digits and keeps them all.

    >>> Interval(0.05779, 0.1616851)
    Interval(0.0578, 0.1617)
    """

    lo: float
    hi: float

    def __repr__(self) -> str:
        """Four digits, so that reports and doctests do not hang on the fifteenth."""
        return f"Interval({round(self.lo, 4)}, {round(self.hi, 4)})"

    @property
    def width(self) -> float:
        """Width of the interval."""
        return self.hi - self.lo


def rate_interval(
    x: int,
    n: int,
    *,
    alpha: float = 0.05,
    method: Literal["exact", "wilson"] = "exact",
    clusters: Sequence[tuple[int, int]] | None = None,
) -> Interval:
    """Confidence `Interval` of a rate: the true rates that x bad replies in n are compatible with.

    `exact` (Clopper–Pearson) covers the truth at least 1 − alpha of the time, whatever the rate; `wilson` covers it
    about 1 − alpha of the time and is narrower. Zero hits give a lower end of exactly 0.0. The interval has two sides,
    so for a one-sided bound at 5 % ask for alpha = 0.10.

    Replies to fillings of one template are no independent trials. Give `clusters`, one pair (hits, trials) for each
    template, and the interval widens as much as they agree (Korn–Graubard: the same interval at the effective sample
    size). With no hit or nothing but hits their agreement cannot be seen, and each cluster counts as one trial.

    Args:
        x: how many trials were hits (bad replies).
        n: how many trials there were.
        alpha: one minus the confidence.
        method: `exact` or `wilson`.
        clusters: (hits, trials) of each cluster; they must add up to (x, n). Empty clusters are left out.

    Raises:
        NoEvidence: if n is 0, or fewer than two clusters have trials: neither is a rate of 0.
        StatsError: if counts are impossible, or the clusters do not add up to x and n.

    Source: Clopper & Pearson 1934; Wilson 1927; Korn & Graubard 1998. Values checked against Newcombe 1998, table I.

    >>> rate_interval(15, 148)
    Interval(0.0578, 0.1617)
    >>> rate_interval(15, 148, method="wilson")
    Interval(0.0624, 0.1605)
    >>> rate_interval(4, 40, clusters=[(4, 10), (0, 10), (0, 10), (0, 10)])
    Interval(0.0, 0.6957)
    """
    check_open(alpha=alpha)
    check_count(x, n)
    if n == 0:
        raise NoEvidence("0 trials: no reply was readable, and that is not a rate of 0")
    if method not in ("exact", "wilson"):
        raise StatsError(f"method is {method!r}; wanted 'exact' or 'wilson'")
    hits, trials = float(x), float(n)
    if clusters is not None:
        trials = effective_trials(x, n, clusters, alpha=alpha)
        hits = x / n * trials
    return _wilson(hits, trials, alpha) if method == "wilson" else _clopper_pearson(hits, trials, alpha)


def _clopper_pearson(x: float, n: float, alpha: float) -> Interval:
    lo = 0.0 if x <= 0 else beta_quantile(alpha / 2, x, n - x + 1)
    hi = 1.0 if x >= n else beta_quantile(1 - alpha / 2, x + 1, n - x)
    return Interval(lo, hi)


def _wilson(x: float, n: float, alpha: float) -> Interval:
    z = normal_quantile(1 - alpha / 2)
    p = x / n
    centre, spread = p + z * z / (2 * n), z * sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    lo, hi = (centre - spread) / (1 + z * z / n), (centre + spread) / (1 + z * z / n)
    return Interval(0.0 if x <= 0 else max(0.0, lo), 1.0 if x >= n else min(1.0, hi))


def effective_trials(x: int, n: int, clusters: Sequence[tuple[int, int]], *, alpha: float = 0.05) -> float:
    """Effective sample size: independent trials that tell as much as n clustered ones.

    Raises:
        NoEvidence: if fewer than two clusters have trials.
        StatsError: if the clusters do not add up to x and n.

    >>> round(effective_trials(4, 40, [(4, 10), (0, 10), (0, 10), (0, 10)]), 1)
    4.0
    """
    cells = [(hits, trials) for hits, trials in clusters if trials]
    for hits, trials in cells:
        check_count(hits, trials, hits="hits of a cluster", trials="trials")
    total = (sum(hits for hits, _ in cells), sum(trials for _, trials in cells))
    if total != (x, n):
        raise StatsError(f"clusters add up to {total[0]} of {total[1]}; wanted x = {x} of n = {n}")
    if len(cells) < 2:
        raise NoEvidence("one cluster does not show how much clusters differ; wanted at least two")
    most = sum(trials * trials for _, trials in cells) / n  # clusters of one size would be n / most
    shrink = normal_quantile(1 - alpha / 2) / student_quantile(1 - alpha / 2, n / most - 1)
    sums = [hits - trials * x / n for hits, trials in cells]
    return max(n / design_effect(sums, n, x / n * (1 - x / n), most=most) * shrink**2, n / most)


def design_effect(cluster_sums: Sequence[float], n: int, variance: float, *, most: float | None = None) -> float:
    """Design effect: how many times wider the variance of a mean is because its n trials come in clusters.

    Between 1 (clusters do not matter) and `most` (each cluster is one trial); it is the latter when nothing
    varies, for then the agreement within clusters cannot be seen.

    Args:
        cluster_sums: for each cluster, the sum of its trials' deviations from the mean.
        n: trials in all.
        variance: variance of one trial.
        most: the sum of the clusters' squared sizes over n; None: they are of one size, which makes it n / clusters.

    >>> round(design_effect([3, -1, -1, -1], 40, 0.09), 3)
    4.444
    """
    most = n / len(cluster_sums) if most is None else most
    if variance <= 0:
        return most
    clustered = sum(total * total for total in cluster_sums) / n**2 * len(cluster_sums) / (len(cluster_sums) - 1)
    return float(min(most, max(1.0, clustered * n / variance)))
