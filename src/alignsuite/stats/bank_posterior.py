"""Posterior distribution of a bank's rate from judged replies: interval, estimate and tail probabilities.

A bank of N cases has K bad ones; n of the N were asked in random order, and the judge flagged x. What K may be follows from three sources
of doubt, all summed exactly: the judge's errors with these n, what its card leaves open about them, and the cases not asked.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from alignsuite.stats.distributions import beta_at_most, beta_binomial, binomial_exactly
from alignsuite.stats.error_rates import Beta, Card, ErrorRates, hits
from alignsuite.stats.errors import NoEvidence, StatsError, check_count, check_open
from alignsuite.stats.rates import Interval

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEVEL = 0.98
"""Level of an interval that may be looked at wherever a gate stopped: it then covers 95 %."""

PRIOR = 0.5
"""Jeffreys' prior of a rate is Beta(½, ½)."""

_NEGLIGIBLE = 1e-17
_SLACK = 1e-12
_STEPS = 60


class BankInterval(NamedTuple):
    """Credible interval of a bank's rate with its estimate (the median), as fractions of the bank.

    >>> BankInterval(0.045, 0.15, 0.11)
    BankInterval(0.045–0.15, estimate 0.11)
    """

    low: float
    high: float
    estimate: float

    def __repr__(self) -> str:
        """Four digits, so that reports and doctests do not hang on the fifteenth."""
        return f"BankInterval({round(self.low, 4)}–{round(self.high, 4)}, estimate {round(self.estimate, 4)})"

    @property
    def width(self) -> float:
        """Width of the interval."""
        return self.high - self.low


@dataclass(frozen=True, eq=False)
class BankRate:
    """Posterior distribution of the number of bad cases in a bank, of which some or all were asked.

    Attributes:
        asked: n, the cases asked.
        among_asked: probability that 0, 1, … n of them are bad.
        chances: probability that 0, 1, … N of the whole bank are bad.
    """

    asked: int
    among_asked: NDArray[np.float64]
    chances: NDArray[np.float64]

    @classmethod
    def from_weights(cls, weights: NDArray[np.float64], bank: int) -> BankRate:
        """`BankRate` from the likelihood of 0, 1, … n bad cases among those asked, in any unit.

        The prior of a bank's rate is Beta(½, ½).
        """
        asked = len(weights) - 1
        among = weights * beta_binomial(np.arange(asked + 1), asked, PRIOR, PRIOR)
        if not among.sum() > 0:
            raise StatsError("no number of bad cases could have given these counts with these error rates")
        among = among / among.sum()
        whole = _whole_bank(among, bank)
        for kept in (among, whole):  # by caches, too
            kept.setflags(write=False)
        return cls(asked, among, whole)

    @property
    def bank(self) -> int:
        """Number of cases in the bank."""
        return len(self.chances) - 1

    def at_least(self, bad: int) -> float:
        """Posterior probability that at least so many cases of the bank are bad."""
        return float(min(1.0, self.chances[max(0, bad) :].sum()))

    @property
    def estimate(self) -> float:
        """Posterior median of the bank's rate."""
        return self._quantile(0.5) / self.bank

    def interval(self, level: float = LEVEL) -> BankInterval:
        """`BankInterval` with equal tails: at this level, the bank's rate is in it."""
        check_open(level=level)
        tail = (1 - level) / 2
        low = int(np.argmax(np.cumsum(self.chances) > tail))
        return BankInterval(low / self.bank, self._quantile(1 - tail) / self.bank, self.estimate)

    def population_at_least(self, rate: float) -> float:
        """Posterior probability that the rate over all prompts like these is at least so high."""
        k = np.flatnonzero(self.among_asked > _NEGLIGIBLE)
        return float(1 - self.among_asked[k] @ beta_at_most(rate, PRIOR + k, PRIOR + self.asked - k))

    def population(self, level: float = LEVEL) -> BankInterval:
        """`BankInterval` of the rate over all prompts like these, a mixture of Betas: for reports, never for gates."""
        check_open(level=level)
        low, high, middle = (self._population_quantile(q) for q in ((1 - level) / 2, (1 + level) / 2, 0.5))
        return BankInterval(low, high, middle)

    def _quantile(self, q: float) -> int:
        return int(np.argmax(np.cumsum(self.chances) >= q - _SLACK))

    def _population_quantile(self, q: float) -> float:
        low, high = 0.0, 1.0
        for _ in range(_STEPS):
            middle = (low + high) / 2
            low, high = (middle, high) if 1 - self.population_at_least(middle) < q else (low, middle)
        return high


def _whole_bank(among: NDArray[np.float64], bank: int) -> NDArray[np.float64]:
    """Distribution of the bad cases of a bank from that of those among the asked: the rest is predicted from them."""
    asked = len(among) - 1
    if asked == bank:
        return among
    k = np.flatnonzero(among > _NEGLIGIBLE)
    rest = np.arange(bank - asked + 1)
    ahead = beta_binomial(rest, bank - asked, (PRIOR + k)[:, None], (PRIOR + asked - k)[:, None]) * among[k, None]
    whole = np.zeros(bank + 1)
    for start, row in zip(k.tolist(), ahead, strict=True):
        whole[start : start + len(rest)] += row
    return np.asarray(whole / whole.sum())


def flags(bank: int, bad: int, card: Card = None, *, cap: float | None = None) -> NDArray[np.float64]:
    """Distribution of the number of flags (0 … N) in a bank with so many bad cases, the card's doubt included.

    The convolution of two beta-binomials: bad cases found, and good cases blamed. Without a card it is the point `bad`.

    Args:
        bank: number of cases, N.
        bad: number of bad ones, K.
        card: (tp, P, tn, Ng), `ErrorRates`, or None for a judge that never errs.
        cap: as in `ErrorRates.of`.

    Raises:
        StatsError: if there are more bad cases than cases.

    >>> round(float(flags(200, 4, (190, 198, 276, 290))[20:].sum()), 6)
    0.078043
    """
    check_count(bad, bank, hits="bad", trials="bank")
    return _flags(bank, bad, ErrorRates.of(card, cap=cap))


@lru_cache(maxsize=2_048)
def _flags(bank: int, bad: int, errors: ErrorRates) -> NDArray[np.float64]:
    found = hits(np.arange(bad + 1), bad, errors.sensitivity)
    blamed = hits(np.arange(bank - bad + 1), bank - bad, errors.false_positive)
    together = np.convolve(found, blamed)
    together.setflags(write=False)
    return together


def flags_of_model(bank: int, rate: float, card: Card = None, *, cap: float | None = None) -> NDArray[np.float64]:
    """Distribution of the number of flags in a bank whose cases a model gets wrong at this rate, independently.

    Args:
        bank: number of cases.
        rate: in [0, 1].
        card: as in `flags`.
        cap: as in `ErrorRates.of`.
    """
    if not 0.0 <= rate <= 1.0:
        raise StatsError(f"rate is {rate!r}; wanted a share in [0, 1]")
    errors = ErrorRates.of(card, cap=cap)
    found, blamed = errors.sensitivity, errors.false_positive
    if not isinstance(found, Beta) and not isinstance(blamed, Beta):
        return binomial_exactly(np.arange(bank + 1), bank, rate * found + (1 - rate) * blamed)
    weights = binomial_exactly(np.arange(bank + 1), bank, rate)
    likely = np.flatnonzero(weights > _NEGLIGIBLE).tolist()
    mixed = np.zeros(bank + 1)
    for bad in likely:
        mixed += weights[bad] * _flags(bank, bad, errors)
    return mixed


def bank_rate(x: int, n: int, bank: int, *, card: Card = None, cap: float | None = None) -> BankRate:
    """`BankRate`: posterior of the bank's bad cases, where a judge flagged x of the n that were asked.

    Args:
        x: replies flagged.
        n: cases asked, in random order.
        bank: cases in the bank.
        card: (tp, P, tn, Ng), `ErrorRates`, or None for a judge that never errs.
        cap: as in `ErrorRates.of`; 200 for a card that was not checked on replies like these.

    Raises:
        NoEvidence: if nothing was asked.
        StatsError: if counts are impossible.

    Source: uncertain sensitivity and specificity by Beta distributions, as in R's `prevalence::truePrev`, here summed over a
    finite bank; Rogan & Gladen 1978 for the model.

    >>> round(bank_rate(3, 8, 8, card=(269, 283, 190, 205)).at_least(4), 6)
    0.121333
    """
    check_count(x, n)
    check_count(n, bank, hits="n", trials="bank")
    if n == 0:
        raise NoEvidence("no case was asked, and that is not a rate of 0")
    return _bank_rate(x, n, bank, ErrorRates.of(card, cap=cap))


@lru_cache(maxsize=1_024)
def _bank_rate(x: int, n: int, bank: int, errors: ErrorRates) -> BankRate:
    k, found = np.arange(n + 1)[:, None], np.arange(x + 1)
    if errors.exact:
        seen = (k[:, 0] == x).astype(float)
    else:
        seen = (hits(found, k, errors.sensitivity) * hits(x - found, n - k, errors.false_positive)).sum(axis=1)
    return BankRate.from_weights(seen, bank)


def bank_interval(
    x: int, n: int, bank: int, *, card: Card = None, cap: float | None = None, unread: int = 0, level: float = LEVEL
) -> BankInterval:
    """`BankInterval`: range and median of a bank's rate, where a judge flagged x of the n cases asked.

    At its level of 98 % it covers the truth in 95 % of runs wherever a gate stopped, if the card is right about these replies.

    Args:
        x: replies flagged.
        n: cases asked, in random order, the unreadable ones included.
        bank: cases in the bank.
        card: (tp, P, tn, Ng), `ErrorRates`, or None for a judge that never errs.
        cap: as in `ErrorRates.of`.
        unread: replies that could not be used: fine for the low end, bad for the high one, left out of the estimate.
        level: posterior probability of the interval; each tail has half of the rest.

    Raises:
        NoEvidence: if nothing was asked.
        StatsError: if counts are impossible, or the level is outside (0, 1).

    Source: see `bank_rate`.

    >>> bank_interval(30, 200, 200, card=(190, 198, 276, 290))
    BankInterval(0.045–0.15, estimate 0.11)
    >>> bank_interval(7, 200, 200)
    BankInterval(0.035–0.035, estimate 0.035)
    """
    check_count(unread, n, hits="unread", trials="n")
    check_count(x, n - unread, hits="x", trials="readable ones of n")
    sure = bank_rate(x, n, bank, card=card, cap=cap).interval(level)
    if not unread:
        return sure
    high = bank_rate(x + unread, n, bank, card=card, cap=cap).interval(level).high
    middle = bank_rate(x, n - unread, bank, card=card, cap=cap).estimate if unread < n else (sure.low + high) / 2
    return BankInterval(sure.low, high, min(high, max(sure.low, middle)))


def population_interval(
    x: int, n: int, *, card: Card = None, cap: float | None = None, level: float = LEVEL
) -> Interval:
    """`Interval` of the rate over all prompts like these, by the same sums; for reports, never for gates.

    Args:
        x: replies flagged.
        n: replies judged.
        card: as in `bank_rate`.
        cap: as in `ErrorRates.of`.
        level: posterior probability of the interval.

    >>> population_interval(30, 200, card=(190, 198, 276, 290))
    Interval(0.0388, 0.1853)
    """
    ends = bank_rate(x, n, n, card=card, cap=cap).population(level)
    return Interval(ends.low, ends.high)
