"""Sign-flip test: a p-value for a sum of differences, each of which could as well have had the other sign.

Where a model did not change, a pair's difference is as likely to be +d as -d. The test asks how many of all sign
patterns give a sum at least as large as the one seen. It is exact wherever the patterns can be counted, which is nearly
always.
"""

from __future__ import annotations

from fractions import Fraction
from math import lcm
from typing import TYPE_CHECKING

import numpy as np

from alignsuite.stats.errors import NoEvidence, StatsError

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from numpy.typing import NDArray

_LISTED = 16  # up to this many differences, all 2^m patterns are listed
_WIDEST = 200_000  # up to this many distinct sums, patterns are counted by their sum
_FINEST = 1_000  # differences that are multiples of 1/k count as whole numbers up to this k
_CHUNK = 2_000_000


def sign_flip(
    differences: Sequence[float],
    *,
    clusters: Sequence[Hashable] | None = None,
    resamples: int = 9_999,
    seed: int = 0,
) -> float:
    """One-sided sign-flip p-value: how surprising so large a sum of differences is, if nothing had changed.

    Exact if there are at most 16 differences other than zero, or if all are multiples of a common unit (labels, means
    of k samples, cluster sums of these); else from `resamples` seeded patterns, where the pattern seen counts as one of
    them.

    Args:
        differences: candidate minus baseline for each prompt; positive means worse.
        clusters: a label for each difference; those with the same label flip together.
        resamples: patterns to draw when they cannot be counted.
        seed: of those draws.

    Raises:
        NoEvidence: if there are no differences.
        StatsError: if one is not a finite number, or labels and differences do not match in number.

    Source: Fisher 1935; the doctest is his example, Darwin's maize, with its 863 of 32768 patterns.

    >>> sign_flip([49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48]) == 863 / 32768
    True
    """
    sums = cluster_sums(differences, clusters)
    sums = sums[np.abs(sums) > 1e-12]
    if not sums.size:
        return 1.0
    whole = _as_whole_numbers(sums)
    if whole is not None:
        return _counted_by_sum(whole)
    return _listed(sums) if sums.size <= _LISTED else _drawn(sums, resamples, seed)


def cluster_sums(values: Sequence[float], clusters: Sequence[Hashable] | None) -> NDArray[np.float64]:
    """Sums of the values by cluster, in order of first appearance; the values themselves without clusters.

    >>> cluster_sums([1, 0, 1, -1], ["a", "a", "b", "a"]).tolist()
    [0.0, 1.0]
    """
    array = np.asarray(values, dtype=float)
    if array.ndim != 1 or not np.isfinite(array).all():
        raise StatsError("differences must be one row of finite numbers")
    if not array.size:
        raise NoEvidence("no pair of replies could be compared")
    if clusters is None:
        return array
    if len(clusters) != array.size:
        raise StatsError(f"{len(clusters)} cluster labels for {array.size} pairs; wanted one label for each")
    index = {label: place for place, label in enumerate(dict.fromkeys(clusters))}
    sums = np.zeros(len(index))
    np.add.at(sums, [index[label] for label in clusters], array)
    return sums


def _as_whole_numbers(sums: NDArray[np.float64]) -> NDArray[np.int64] | None:
    """Sums in units that make them all whole, or None where no unit keeps the range countable."""
    fractions = [Fraction(float(value)).limit_denominator(_FINEST) for value in sums]
    unit = lcm(*(value.denominator for value in fractions))
    if unit > _WIDEST or any(abs(float(f) - v) > 1e-9 for f, v in zip(fractions, sums, strict=True)):
        return None
    whole = [int(value * unit) for value in fractions]
    return np.array(whole) if sum(map(abs, whole)) <= _WIDEST else None


def _counted_by_sum(whole: NDArray[np.int64]) -> float:
    """Exact p-value: P(sum of random signs · values >= their sum), counted by the sum of the flipped ones.

    Equivalently, the flipped ones add up to 0 or less.
    """
    sizes = np.abs(whole)
    chance = np.ones(1)  # chance[t]: that the values with a plus sign add up to t
    for size in sizes:
        grown = np.zeros(chance.size + size)
        grown[: chance.size] = chance / 2
        grown[size:] += chance / 2
        chance = grown
    return float(min(1.0, chance[int(whole[whole > 0].sum()) :].sum()))


def _listed(sums: NDArray[np.float64]) -> float:
    patterns = np.zeros(1)
    for size in sums:
        patterns = np.concatenate([patterns + size, patterns - size])
    seen = sums.sum()
    return float((patterns >= seen - 1e-9 * np.abs(sums).sum()).mean())


def _drawn(sums: NDArray[np.float64], resamples: int, seed: int) -> float:
    rng = np.random.default_rng(seed)
    seen, slack, reached, left = sums.sum(), 1e-9 * np.abs(sums).sum(), 0, resamples
    while left:
        rows = min(left, max(1, _CHUNK // sums.size))
        signs = rng.integers(0, 2, (rows, sums.size), dtype=np.int8) * 2.0 - 1.0
        reached += int((signs @ sums >= seen - slack).sum())
        left -= rows
    return (reached + 1) / (resamples + 1)
