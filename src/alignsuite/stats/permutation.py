"""Permutation distribution of group totals under exchangeable labels within templates, and its p-values.

Within each template the replies to all groups are dealt out to the groups anew. That keeps what makes some templates
harder than others, and it brings along its own allowance for there being many pairs of groups. Few groups are dealt in
every possible way, many by seeded lot.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import combinations
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from alignsuite.stats.errors import NoEvidence, StatsError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

_FEW_GROUPS = 6  # with more, counting all deals is hopeless
_MOST_DEALS = 150_000  # steps of the exact count (a fraction of a second) before it gives way to drawing lots
_CHUNK = 4_000_000


class Null(NamedTuple):
    """Null distribution of group totals, one row for each deal, and how much each row weighs.

    Attributes:
        totals: deals × groups; only differences within a row mean anything, and the order of groups does not.
        weights: probabilities that sum to 1 if exact, else equal shares of 1.
        exact: whether all deals are there. Otherwise the deal seen must be counted as one more.
    """

    totals: NDArray[np.float64]
    weights: NDArray[np.float64]
    exact: bool

    def at_least(self, statistic: NDArray[np.float64], seen: ArrayLike) -> NDArray[np.float64]:
        """P-values: the probability that the statistic (one value a deal) is at least as large as each value seen."""
        reached = statistic[:, None] >= np.atleast_1d(np.asarray(seen, dtype=float))[None, :] - 1e-9
        share: NDArray[np.float64] = self.weights @ reached
        deals = len(self.weights)
        return np.minimum(1.0, share) if self.exact else (share * deals + 1) / (deals + 1)


def shuffled_totals(y: NDArray[np.float64], *, resamples: int = 1_999, seed: int = 0) -> Null:
    """`Null` of group totals when the replies to each template (a row of y) are dealt out to the groups anew.

    Exact for labels where the count is small enough, as with two or three groups; else `resamples` seeded deals.
    """
    rows = y[(y != y[:, :1]).any(axis=1)]
    if np.isin(rows, (0, 1)).all():
        counted = _counted(Counter(rows.sum(axis=1).astype(int).tolist()), y.shape[1])
        if counted is not None:
            return counted
    return _drawn(rows, resamples, seed)


def _counted(bad_per_row: Counter[int], groups: int) -> Null | None:
    """Exact distribution: deals row by row, merged by sorted totals above the smallest; None where too many."""
    if groups > _FEW_GROUPS:
        return None
    chances: dict[tuple[int, ...], float] = {(0,) * groups: 1.0}
    steps = 0
    for bad, rows in sorted(bad_per_row.items()):
        deals = [np.bincount(chosen, minlength=groups).tolist() for chosen in combinations(range(groups), bad)]
        for _ in range(rows):
            steps += len(chances) * len(deals)
            if steps > _MOST_DEALS:
                return None
            chances = _dealt(chances, deals)
    return Null(np.array(list(chances), dtype=float), np.array(list(chances.values())), exact=True)


def _dealt(chances: dict[tuple[int, ...], float], deals: list[list[int]]) -> dict[tuple[int, ...], float]:
    grown: defaultdict[tuple[int, ...], float] = defaultdict(float)
    for totals, chance in chances.items():
        for deal in deals:
            summed = sorted(map(int.__add__, totals, deal))
            grown[tuple(total - summed[0] for total in summed)] += chance / len(deals)
    return grown


def _drawn(rows: NDArray[np.float64], resamples: int, seed: int) -> Null:
    if resamples < 1:
        raise StatsError(f"resamples is {resamples!r}; wanted at least 1")
    rng = np.random.default_rng(seed)
    chunk = max(1, _CHUNK // max(1, rows.size))
    sums = [
        rng.permuted(np.broadcast_to(rows, (min(chunk, resamples - done), *rows.shape)), axis=2).sum(axis=1)
        for done in range(0, resamples, chunk)
    ]
    return Null(np.concatenate(sums), np.full(resamples, 1 / resamples), exact=False)


def complete_table(y: Sequence[Sequence[float]] | NDArray[np.float64]) -> NDArray[np.float64]:
    """Table of templates × groups as an array, or an error where it has holes.

    Raises:
        NoEvidence: if it has no templates.
        StatsError: if it is no table of at least two groups with values in [0, 1].
    """
    table = np.asarray(y, dtype=float)
    if table.size == 0:
        raise NoEvidence("no template was answered for all groups")
    if table.ndim != 2 or table.shape[1] < 2:
        raise StatsError(f"got an array of shape {table.shape}; wanted templates × groups, with at least two groups")
    if not ((table >= 0) & (table <= 1)).all():
        raise StatsError(
            "every cell must be a number in [0, 1]; leave out templates that lack a readable reply to any group"
        )
    return table
