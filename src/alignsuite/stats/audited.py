"""Posterior distribution of an audited rate: people read what the judge flagged, and some of what it cleared.

False flags say nothing any more, so of the judge's card only its sensitivity is left to lean on; and what people found among the cleared
replies says whether that fits, or stands in for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import ceil

import numpy as np

from alignsuite.stats.bank_posterior import LEVEL, BankInterval, BankRate
from alignsuite.stats.distributions import log_choose
from alignsuite.stats.error_rates import Beta, Card, Counts, ErrorRates, Rate, checked_card, hits, mean_rate
from alignsuite.stats.errors import NoEvidence, StatsError, check_count
from alignsuite.stats.misfit import blamed_too_often, missed_too_often

MISFIT = 0.01
"""P-value from which a card does not fit."""

ENOUGH = 40
"""Cleared replies that people have to read before a card counts as checked."""

_UNKNOWN = Beta(1.0, 1.0)


def audited_rate(
    confirmed: int,
    flagged: int,
    n: int,
    bank: int,
    *,
    card: Card = None,
    cap: float | None = None,
    read: int = 0,
    bad: int = 0,
) -> BankRate:
    """`BankRate`: posterior of the bank's bad cases after an audit of all flagged replies.

    Args:
        confirmed: how many of the flagged replies are bad.
        flagged: replies that the judge flagged, all of them read by people.
        n: cases asked, in random order.
        bank: cases in the bank.
        card: (tp, P, tn, Ng), `ErrorRates`, or None where nobody trusts the card: the sensitivity is unknown, so `read` should be 40.
        cap: as in `ErrorRates.of`.
        read: cleared replies that people read, drawn by chance.
        bad: how many of those are bad.

    Raises:
        NoEvidence: if nothing was asked.
        StatsError: if counts are impossible.

    Source: Tenenbein 1970 (double sampling), here with all positives read and a finite bank.

    >>> rate = audited_rate(4, 9, 64, 64, card=(269, 283, 190, 205), read=20)
    >>> round(float(rate.chances[4]), 6), round(rate.at_least(5), 6)
    (0.861967, 0.138033)
    """
    check_count(confirmed, flagged, hits="confirmed", trials="flagged")
    check_count(flagged, n, hits="flagged", trials="n")
    check_count(n, bank, hits="n", trials="bank")
    check_count(read, n - flagged, hits="read", trials="cleared replies")
    check_count(bad, read, hits="bad", trials="read")
    if n == 0:
        raise NoEvidence("no case was asked, and that is not a rate of 0")
    sensitivity = _UNKNOWN if card is None else ErrorRates.of(card, cap=cap).sensitivity
    return _audited_rate(confirmed, flagged, n, bank, sensitivity, read, bad)


@lru_cache(maxsize=1_024)
def _audited_rate(confirmed: int, flagged: int, n: int, bank: int, sensitivity: Rate, read: int, bad: int) -> BankRate:
    k = np.arange(n + 1)
    missed, cleared = k - confirmed, n - flagged
    with np.errstate(invalid="ignore"):
        ways = log_choose(missed, bad) + log_choose(cleared - missed, read - bad) - log_choose(cleared, read)
    possible = (missed >= bad) & (cleared - missed >= read - bad)
    seen = np.where(possible, np.exp(np.where(possible, ways, 0.0)), 0.0)
    return BankRate.from_weights(hits(confirmed, k, sensitivity) * seen, bank)


def audited_interval(
    confirmed: int,
    flagged: int,
    n: int,
    bank: int,
    *,
    card: Card = None,
    cap: float | None = None,
    read: int = 0,
    bad: int = 0,
    unread: int = 0,
    level: float = LEVEL,
) -> BankInterval:
    """`BankInterval` of a bank's rate after an audit of all flagged replies: false flags say nothing any more.

    Args:
        confirmed: how many of the flagged replies are bad.
        flagged: replies that the judge flagged, all of them read by people.
        n: cases asked, in random order, the unreadable ones included.
        bank: cases in the bank.
        card: as in `audited_rate`: None means that the sensitivity is unknown, not that it is 1.
        cap: as in `ErrorRates.of`.
        read: cleared replies that people read, drawn by chance.
        bad: how many of those are bad.
        unread: replies that could not be used: fine for the low end, bad for the high one.
        level: posterior probability of the interval.

    Raises:
        NoEvidence: if nothing was asked.
        StatsError: if counts are impossible, or the level is outside (0, 1).

    >>> audited_interval(5, 16, 200, 200, card=(269, 283, 190, 205))
    BankInterval(0.025–0.035, estimate 0.025)
    >>> audited_interval(5, 16, 200, 200, read=40)
    BankInterval(0.025–0.085, estimate 0.03)
    """
    sure = audited_rate(confirmed, flagged, n, bank, card=card, cap=cap, read=read, bad=bad).interval(level)
    if not unread:
        return sure
    check_count(unread, n - flagged - read, hits="unread", trials="replies that are neither flagged nor read")
    worst = audited_rate(confirmed + unread, flagged + unread, n, bank, card=card, cap=cap, read=read, bad=bad)
    return BankInterval(sure.low, worst.interval(level).high, sure.estimate)


@dataclass(frozen=True)
class Misfit:
    """Misfit test of a judge's card: does an audit find more missed replies, or other false flags, than it allows?

    Attributes:
        read: cleared replies that people read.
        missed: p-value of so many bad ones among them, or more.
        blamed: p-value, two-sided, of such a number of false flags; None where the card's specificity is not known.
    """

    read: int
    missed: float
    blamed: float | None

    @property
    def invalid(self) -> bool:
        """Whether the judge clears what it should flag, so that its labels mean nothing."""
        return self.missed <= MISFIT

    @property
    def checked(self) -> bool:
        """Whether the card may count with all its replies from now on: enough were read, and nothing speaks against it."""
        return not self.invalid and self.read >= ENOUGH and self.blamed is not None and self.blamed > MISFIT


def misfit(confirmed: int, flagged: int, n: int, *, card: Counts, read: int, bad: int) -> Misfit:
    """`Misfit` of a card on the replies of one claim, all of whose flagged replies people have read.

    It finds gross misfit only: with 10 % bad among the cleared ones in .92 of audits (40 read), with 5 % in .60.

    Args:
        confirmed: how many of the flagged replies are bad.
        flagged: replies that the judge flagged.
        n: replies judged.
        card: (tp, P, tn, Ng), as measured: no cap.
        read: cleared replies that people read, drawn by chance.
        bad: how many of those are bad.

    Raises:
        StatsError: if counts are impossible.

    >>> one, two = (misfit(5, 16, 200, card=(269, 283, 190, 205), read=20, bad=bad) for bad in (1, 2))
    >>> round(one.missed, 6), one.invalid, round(two.missed, 6), two.invalid
    (0.031808, False, 0.000618, True)
    """
    tp, n_pos, tn, n_neg = checked_card(card)
    check_count(flagged, n, hits="flagged")
    cleared = n - flagged
    missed = missed_too_often(flagged, confirmed, cleared, read, bad, tp=tp, n_pos=n_pos)
    blamed = blamed_too_often(flagged, confirmed, cleared, tp=tp, n_pos=n_pos, tn=tn, n_neg=n_neg)
    return Misfit(read, missed, blamed)


def labels_needed(bank: int, rate: float, card: Card, *, cap: float | None = None, cleared: int = 0) -> int:
    """Expected number of labels of an audit: all replies of a bank that are flagged, and so many cleared ones.

    Args:
        bank: cases asked.
        rate: rate of bad replies that is expected, in [0, 1].
        card: (tp, P, tn, Ng), `ErrorRates`, or None for a judge that never errs.
        cap: as in `ErrorRates.of`.
        cleared: cleared replies that are read besides.

    >>> labels_needed(200, 0.01, (190, 198, 276, 290)), labels_needed(200, 0.01, (269, 283, 190, 205))
    (12, 17)
    """
    if not 0.0 <= rate <= 1.0:
        raise StatsError(f"rate is {rate!r}; wanted a share in [0, 1]")
    errors = ErrorRates.of(card, cap=cap)
    found, blamed = (mean_rate(one) for one in (errors.sensitivity, errors.false_positive))
    return ceil(bank * (rate * found + (1 - rate) * blamed) - 1e-9) + cleared


def second_judge(card: Card, on_flagged: Card) -> ErrorRates:
    """`ErrorRates` of two judges in a row: the second one confirms, or not, what the first one flagged.

    The product of their sensitivities and that of their false-positive rates, each as the Beta distribution with its mean and variance.

    Args:
        card: of the first judge.
        on_flagged: of the second, measured on replies that the first one flagged.

    >>> both = second_judge((190, 198, 276, 290), (95, 100, 90, 100))
    >>> round(both.sensitivity.mean, 4), round(both.false_positive.mean, 5)
    (0.9052, 0.00518)
    """
    first, second = ErrorRates.of(card), ErrorRates.of(on_flagged)
    return ErrorRates(
        _product(first.sensitivity, second.sensitivity), _product(first.false_positive, second.false_positive)
    )


def _product(one: Rate, other: Rate) -> Rate:
    """Beta distribution with the mean and variance of the product of two independent rates."""
    mean = mean_rate(one) * mean_rate(other)
    spread = _square(one) * _square(other) - mean * mean
    if spread <= 0:
        return mean
    total = mean * (1 - mean) / spread - 1
    return Beta(mean * total, (1 - mean) * total)


def _square(rate: Rate) -> float:
    """Expected square."""
    if not isinstance(rate, Beta):
        return rate * rate
    return rate.mean * (rate.a + 1) / (rate.a + rate.b + 1)
