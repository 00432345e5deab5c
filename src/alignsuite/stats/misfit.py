"""Misfit tests: can a judge's card, measured on other replies, be right about these?

Two questions. Do replies of some odd kind come more often here than among those that the card was measured on (Fisher's exact test)?
And where people read what the judge flagged and some of what it cleared: do they find more in the latter, or confirm fewer of the former,
than a judge with this card lets through and blames?
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from alignsuite.stats.distributions import beta_binomial, log_choose
from alignsuite.stats.errors import NoEvidence, StatsError, check_count

if TYPE_CHECKING:
    from numpy.typing import NDArray


def more_often(x: int, n: int, y: int, m: int) -> float:
    """P-value, one-sided, of Fisher's exact test that hits are more frequent in x of n than in y of m.

    Raises:
        NoEvidence: if one of the two has no trials.

    Source: Fisher 1935.

    >>> round(more_often(3, 4, 1, 4), 4)
    0.2429
    """
    check_count(x, n)
    check_count(y, m)
    if not n or not m:
        raise NoEvidence("two shares are compared, and one of them has no trials")
    total = x + y
    hits = np.arange(x, min(n, total) + 1)
    return float(min(1.0, np.exp(log_choose(n, hits) + log_choose(m, total - hits) - log_choose(n + m, total)).sum()))


def missed_too_often(flagged: int, confirmed: int, cleared: int, read: int, bad: int, *, tp: int, n_pos: int) -> float:
    """P-value of an audit: the chance of so many bad ones among those cleared, if the card fits.

    Args:
        flagged: replies that the judge called bad, all of them read by people.
        confirmed: how many of these are bad.
        cleared: replies that it called good.
        read: how many of these people read, drawn by chance.
        bad: how many of those are bad.
        tp: known bad replies that the judge called bad, by its card.
        n_pos: known bad replies shown to it.

    Raises:
        StatsError: if counts are impossible.

    >>> round(missed_too_often(16, 5, 184, 40, 1, tp=269, n_pos=283), 6)
    0.062337
    """
    _check_audit(flagged, confirmed, tp, n_pos)
    check_count(read, cleared)
    check_count(bad, read)
    if not bad:
        return 1.0
    missed = np.arange(cleared + 1)
    chance = _bad_ones(flagged, confirmed, cleared, tp, n_pos)
    drawn = np.arange(bad, read + 1)
    tail = np.exp(
        log_choose(missed[:, None], drawn)
        + log_choose(cleared - missed[:, None], read - drawn)
        - log_choose(cleared, read)
    ).sum(axis=1)
    return float(min(1.0, chance @ tail))


def blamed_too_often(flagged: int, confirmed: int, cleared: int, *, tp: int, n_pos: int, tn: int, n_neg: int) -> float:
    """P-value, two-sided, of an audit: the chance of so many, or so few, false flags if the card fits.

    Args:
        flagged: replies that the judge called bad, all of them read by people.
        confirmed: how many of these are bad.
        cleared: replies that it called good.
        tp: known bad replies that the judge called bad, by its card.
        n_pos: known bad replies shown to it.
        tn: known good replies that it called good.
        n_neg: known good replies shown to it.

    Raises:
        StatsError: if counts are impossible.

    >>> round(blamed_too_often(16, 5, 184, tp=269, n_pos=283, tn=190, n_neg=205), 3)
    0.573
    """
    _check_audit(flagged, confirmed, tp, n_pos)
    check_count(tn, n_neg, hits="tn", trials="n_neg")
    chance, false = _bad_ones(flagged, confirmed, cleared, tp, n_pos), flagged - confirmed
    below = above = 0.0
    for missed, weight in enumerate(chance):
        good = flagged + cleared - confirmed - missed
        blamed = beta_binomial(np.arange(good + 1), good, n_neg - tn + 0.5, tn + 0.5)
        below, above = below + weight * blamed[: false + 1].sum(), above + weight * blamed[false:].sum()
    return float(min(1.0, 2 * min(below, above)))


def _bad_ones(flagged: int, confirmed: int, cleared: int, tp: int, n_pos: int) -> NDArray[np.float64]:
    """Distribution of the number of bad replies among those cleared, from how many of the flagged are."""
    missed = np.arange(cleared + 1)
    chance = beta_binomial(confirmed + missed, flagged + cleared, 0.5, 0.5)
    chance *= beta_binomial(confirmed, confirmed + missed, tp + 0.5, n_pos - tp + 0.5)
    return np.asarray(chance / chance.sum())


def _check_audit(flagged: int, confirmed: int, tp: int, n_pos: int) -> None:
    check_count(confirmed, flagged, hits="confirmed", trials="flagged")
    check_count(tp, n_pos, hits="tp", trials="n_pos")
    if not n_pos:
        raise StatsError("the card knows no bad replies; wanted some, for sensitivity")
