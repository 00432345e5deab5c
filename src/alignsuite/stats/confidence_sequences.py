"""Confidence sequences of a rate: intervals that hold when the sample size was not fixed beforehand.

A gate stops when its verdict stands. An ordinary interval computed at that moment covers less than it promises, because
the moment was chosen by the data. These intervals hold at all moments together, at the price of being about a third
wider.
"""

from __future__ import annotations

from math import log
from typing import TYPE_CHECKING

import numpy as np

from alignsuite.stats.distributions import log_beta, log_choose
from alignsuite.stats.errors import StatsError, check_count, check_open
from alignsuite.stats.rates import Interval

if TYPE_CHECKING:
    from collections.abc import Callable

_HALVINGS = 80  # bisection below the last digit of a double


def confidence_sequence(
    s: int, n: int, *, alpha: float = 0.05, prior: tuple[float, float] = (0.5, 9.5), bank: int | None = None
) -> Interval:
    """Confidence sequence at n: the `Interval` of rates compatible with s bad replies, however one came to stop.

    With probability at least 1 − alpha the truth is inside at every n at once. With `bank` the truth is the rate of a
    finite bank of which n cases were drawn at random without replacement; the interval then closes to a point when all
    are drawn. Before the first reply it is (0, 1).

    Args:
        s: bad replies so far.
        n: replies so far.
        alpha: chance that the truth is ever outside.
        prior: Beta(a, b) weights that say where the interval should be narrow; the default favours rates near 5 %. It
            moves the width, never the guarantee.
        bank: size of the finite bank, or None for rates over all prompts like these.

    Raises:
        StatsError: if counts are impossible, or prior is not two positive numbers.

    Source: Robbins 1970; Howard et al. 2021 (Beta mixture); Waudby-Smith & Ramdas 2020 (prior–posterior ratio, banks).

    >>> confidence_sequence(10, 100, alpha=0.05, prior=(1, 1))
    Interval(0.0288, 0.2283)
    >>> confidence_sequence(7, 200, alpha=0.05, bank=200)
    Interval(0.035, 0.035)
    """
    check_open(alpha=alpha)
    check_count(s, n, hits="s")
    if min(prior) <= 0:
        raise StatsError(f"prior is {prior!r}; wanted two positive numbers")
    evidence = log_beta(prior[0] + s, prior[1] + n - s) - log_beta(*prior)
    if bank is not None:
        return _bank(s, n, bank, log(alpha) + evidence)
    if n == 0:
        return Interval(0.0, 1.0)

    def kept(p: float) -> bool:
        # x log 0 is minus infinity, and 0 log 0 is nothing
        hit = s * log(p) if p > 0 else (-np.inf if s else 0.0)
        miss = (n - s) * log(1 - p) if p < 1 else (-np.inf if n - s else 0.0)
        return bool(hit + miss > log(alpha) + evidence)

    rate = s / n
    lo = 0.0 if s == 0 else _edge(kept, inside=rate, outside=0.0)
    hi = 1.0 if s == n else _edge(kept, inside=rate, outside=1.0)
    return Interval(lo, hi)


def _edge(kept: Callable[[float], bool], *, inside: float, outside: float) -> float:
    for _ in range(_HALVINGS):
        middle = (inside + outside) / 2
        if kept(middle):
            inside = middle
        else:
            outside = middle
    return outside


def _bank(s: int, n: int, bank: int, floor: float) -> Interval:
    """Interval of bank totals K whose hypergeometric likelihood is above the mixture's by no less than alpha."""
    if n > bank:
        raise StatsError(f"n = {n} replies from a bank of {bank}; wanted n <= bank")
    totals = np.arange(bank + 1)
    likelihood = log_choose(totals, s) + log_choose(bank - totals, n - s) - log_choose(bank, n)
    # `floor` is about one order of replies, the likelihood about their count: n choose s orders have that count
    kept = totals[likelihood - log_choose(n, s) > floor]
    return Interval(float(kept[0]) / bank, float(kept[-1]) / bank)
