"""Upper confidence bounds of a paired difference of two rates: how far apart may they be at most?

A PASS says that a gap is below its limit, so the bound behind it has to keep its word where it is hardest: few prompts, and one
side that never errs. Intervals that are right on average are not (`bonett_price` misses 10 % there where it promises 5 %).
"""

from __future__ import annotations

from functools import lru_cache
from math import isfinite, sqrt

from alignsuite.stats.distributions import beta_quantile
from alignsuite.stats.errors import NoEvidence, StatsError, check_open

_ROUNDING = 1e-9  # what sums of shares of a cell may be off by


def paired_upper(n10: float, n01: float, n: int, *, beta: float = 0.05) -> float:
    """Upper confidence bound, 1 − beta, of the change in a rate where n10 of n pairs are worse and n01 better.

    The share of pairs that got worse and that of pairs that got better have exact bounds of their own; their distances from what was
    seen are added as squares, with the correlation that the two shares of a whole have. Where no pair got better it is the exact
    bound of a single rate, and where all pairs changed, some either way, that of a coin. No change at all leaves 1 − beta^(1/n).

    For scores and means of several replies, n10 is the sum of the differences above 0 and n01 that of those below: they vary less than
    labels with the same sums, so the bound is on the safe side.

    Args:
        n10: pairs that got worse.
        n01: pairs that got better; with n10, no more than n.
        n: pairs in all.
        beta: chance to be wrong. Counted over all outcomes it holds wherever we looked (decision 0020).

    Returns:
        A difference in (-1, 1]; positive is worse. It rises with n10 and falls with n01.

    Raises:
        NoEvidence: if n is 0.
        StatsError: if a count is negative, or more pairs changed than there are.

    Source: Clopper & Pearson 1934 (the two shares); Newcombe 1998 and Zou & Donner 2008 (adding squares of distances), here with exact
    ends.

    >>> round(paired_upper(0, 0, 100), 4), round(paired_upper(3, 1, 100), 4)
    (0.0295, 0.0668)
    """
    check_open(beta=beta)
    if n != int(n) or not (isfinite(n10) and isfinite(n01)) or min(n10, n01) < 0 or n10 + n01 > n + _ROUNDING:
        raise StatsError(
            f"n10 = {n10!r} and n01 = {n01!r} of n = {n!r}; wanted numbers from 0, together no more than n pairs"
        )
    if n == 0:
        raise NoEvidence("no pair of replies could be compared")
    worse, better = n10 / n, n01 / n
    up, down = highest(n10, n, beta) - worse, better - lowest(n01, n, beta)
    # What is worse can't be better: the two shares are correlated by the negative of this.
    unlike = (1 - worse) * (1 - better)
    against = sqrt(min(1.0, worse * better / unlike)) if unlike > 0 else 0.0
    return min(1.0, worse - better + sqrt(up * up + down * down + 2 * against * up * down))


@lru_cache(maxsize=8_192)
def lowest(bad: float, size: int, beta: float) -> float:
    """Clopper–Pearson lower bound of a rate, wrong with chance beta.

    Means of several replies count as if they were labels.
    """
    return beta_quantile(beta, bad, size - bad + 1) if bad > 0 else 0.0


@lru_cache(maxsize=8_192)
def highest(bad: float, size: int, beta: float) -> float:
    """Clopper–Pearson upper bound of a rate; see `lowest`."""
    return beta_quantile(1 - beta, bad + 1, size - bad) if bad < size else 1.0
