"""Paths of counts through a gate's early boundary: ways to stop, and their chances given a bank's flags.

Labels in random order are exchangeable: given that X of N are flagged, every order is as likely as any other. So what a gate does with a
bank depends on its judge, its model and its truth through X alone, and one table of chances given X serves every question about it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from alignsuite.stats.bank import log_factorials

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_NEVER = -np.inf
_BLOCK = 256  # stops at a time: a few megabytes for a bank of thousands


class Stops(NamedTuple):
    """Ways to stop: cases asked, flags among them, and the logarithm of the number of orders that lead there."""

    n: NDArray[np.int64]
    s: NDArray[np.int64]
    log_orders: NDArray[np.float64]


def early_boundary(at_target: NDArray[np.float64], at_limit: NDArray[np.float64], log_level: float) -> tuple[int, ...]:
    """Early boundary: for n = 0 … N − 1 cases, the most flags with which the limit is excluded; −1 where none do.

    The statistic is the likelihood ratio of two mixtures, the bank's flags at the limit and at the target. By Ville's inequality a
    bank at the limit ever gets below a level with no more than that chance.

    Args:
        at_target: distribution of the whole bank's flags (0 … N), at the target.
        at_limit: the same, at the limit.
        log_level: natural logarithm of the level.

    Source: Ville 1939; Robbins 1970 (mixtures).
    """
    boundary = []
    for target, limit in zip(_orders(at_target), _orders(at_limit), strict=True):
        possible = np.isfinite(target)
        ratio = np.where(possible, limit - np.where(possible, target, 0.0), np.inf)
        excluded = ratio <= log_level
        # Fewer flags than even a bank at the target can have: where it excludes the limit, these do so too.
        first = int(np.argmax(possible))
        excluded[:first] = excluded[first] and not np.isfinite(limit[:first]).any()
        # With a judge hardly better than a coin the ratio may fall again in the far tail: the boundary ends where it first rises.
        boundary.append((excluded.size if excluded.all() else int(np.argmin(excluded))) - 1)
    return tuple(boundary[::-1])


def _orders(chances: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    """Logarithms of the chance of one given order of n labels with s flags, for n = N − 1, … 0: a row of s each.

    The run goes on with a flag or without one.
    """
    size = len(chances) - 1
    with np.errstate(divide="ignore"):
        row = np.log(chances) - log_binomials(size, size)
    rows = []
    for _ in range(size):
        row = np.logaddexp(row[1:], row[:-1])
        rows.append(row)
    return rows


def log_binomials(size: int, n: int) -> NDArray[np.float64]:
    """Logarithms of "n choose 0", … "n choose n", for n up to size (whose table of factorials is kept)."""
    table = log_factorials(size)
    return np.asarray(table[n] - table[: n + 1] - table[n::-1])


def passing_stops(early: Sequence[int]) -> Stops:
    """`Stops` at which a gate with this boundary passes before the end."""
    highest = max(early)
    orders = np.full(highest + 2, _NEVER)
    orders[0] = 0.0
    found: list[tuple[int, int, float]] = []
    for n, most in enumerate(early):
        if n:
            orders[1:] = np.logaddexp(orders[1:], orders[:-1])
        # Beyond the boundary's highest point nothing passes any more: those orders are not carried on.
        orders[-1] = _NEVER
        found += [(n, s, float(orders[s])) for s in range(most + 1) if orders[s] > _NEVER]
        orders[: most + 1] = _NEVER
    return _stops(found)


def failing_stops(early: Sequence[int], fails_at: int) -> Stops:
    """`Stops` at which the flags reach `fails_at`, at the end or before it, without having passed."""
    orders = np.full(fails_at, _NEVER)
    orders[0] = 0.0
    found: list[tuple[int, int, float]] = []
    for n in range(1, len(early) + 1):
        if orders[-1] > _NEVER:
            found.append((n, fails_at, float(orders[-1])))
        orders[1:] = np.logaddexp(orders[1:], orders[:-1])
        if n < len(early):
            orders[: early[n] + 1] = _NEVER
    return _stops(found)


def _stops(found: list[tuple[int, int, float]]) -> Stops:
    n, s, log_orders = zip(*found, strict=True) if found else ((), (), ())
    return Stops(np.array(n, dtype=int), np.array(s, dtype=int), np.array(log_orders, dtype=float))


def given_flags(stops: Stops, bank: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Chance of stopping, and that times the cases asked, summed over stops: given 0, 1, … N flags in the bank."""
    chance, calls = np.zeros(bank + 1), np.zeros(bank + 1)
    table, flagged, all_orders = log_factorials(bank), np.arange(bank + 1), log_binomials(bank, bank)
    for first in range(0, len(stops.n), _BLOCK):
        n, s, log_orders = (column[first : first + _BLOCK] for column in stops)
        left, ahead = (bank - n)[:, None], flagged - s[:, None]
        inside = (ahead >= 0) & (ahead <= left)
        ahead = np.where(inside, ahead, 0)
        # np.where, for outside it left − ahead may point anywhere.
        ways = table[left] - table[ahead] - table[np.where(inside, left - ahead, 0)] - all_orders
        each = np.where(inside, np.exp(np.where(inside, ways + log_orders[:, None], 0.0)), 0.0)
        chance, calls = chance + each.sum(axis=0), calls + n @ each
    return chance, calls
