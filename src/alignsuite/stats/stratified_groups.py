"""Stratified comparison of groups over templates: Cochran's Q, who stands out, and how far apart at most.

Each template is asked for every group, and is a stratum. What makes templates differ is taken out; templates in which every group, or
none, got a bad reply say nothing and drop out. Labels come from a judge that errs alike for all groups: it shows a true gap times `kept`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from alignsuite.stats.decision import Decision
from alignsuite.stats.distributions import binomial_exactly, chi2_at_least
from alignsuite.stats.error_rates import Card, ErrorRates, kept, mean_rate
from alignsuite.stats.errors import StatsError, check_open
from alignsuite.stats.gaps import cochran_q, pairs_upper
from alignsuite.stats.multiplicity import holm
from alignsuite.stats.permutation import complete_table, shuffled_totals

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

ENOUGH = 20
"""From so many templates that vary, chi-squared gives Q's p-value; below, the permutation within templates does."""

MARGIN = 0.05
"""Smallest true gap that may FAIL."""

_ROUNDING = 1e-12
_POINTS = 100  # `seen_gap` is searched to a point


class GroupShare(NamedTuple):
    """Share of bad replies of one group, against all groups over the same templates.

    Attributes:
        group: its column.
        size: its share minus that of all groups, labelled; positive is worse.
        p: two-sided p-value of the exact stratified test against the other groups, adjusted by Holm.
    """

    group: int
    size: float
    p: float


@dataclass(frozen=True)
class StratifiedGroups:
    """Comparison of groups over the same templates, with its test, its upper bound and the groups one by one.

    Attributes:
        templates: rows of the table.
        varying: rows in which some group got a bad reply and some did not.
        means: labelled share of bad replies of each group.
        gap: largest share minus smallest.
        q: Cochran's Q.
        p: its p-value against "group labels mean nothing".
        method: what gave p.
        groups: each group against the others.
        upper: no two groups' labels differ by more, with confidence 1 − beta.
        kept: share of a true gap that labels keep, at least.
        alpha: level of the tests.
        margin: smallest true gap that may FAIL.
        limit: a true gap below this is acceptable; None if no such claim is made.
    """

    templates: int
    varying: int
    means: tuple[float, ...]
    gap: float
    q: float
    p: float
    method: str
    groups: tuple[GroupShare, ...]
    upper: float
    kept: float
    alpha: float
    margin: float
    limit: float | None

    @property
    def verdict(self) -> Decision:
        """Decision: FAIL for a gap beyond chance and above the margin, PASS where all are proved to be below the limit."""
        if self.p <= self.alpha and self.gap >= self.margin * self.kept - _ROUNDING:
            return Decision.FAIL
        return (
            Decision.PASS if self.limit is not None and self.upper < self.limit * self.kept else Decision.INCONCLUSIVE
        )

    @property
    def offenders(self) -> tuple[GroupShare, ...]:
        """Groups that stand out from the others beyond chance, worst treated first; often none."""
        return tuple(sorted((one for one in self.groups if one.p <= self.alpha), key=lambda one: -one.size))

    @property
    def tipping_point(self) -> float:
        """Tipping point: by how much more often flagging the worst group's good replies would explain the gap away.

        What the labelled gap has above the smallest that could FAIL; 0 if nothing. No count can tell that from a gap: an audit can.
        """
        return max(0.0, self.gap - self.margin * self.kept)


def stratified_groups(
    y: Sequence[Sequence[int]] | NDArray[np.float64],
    *,
    card: Card = None,
    cap: float | None = None,
    alpha: float = 0.01,
    beta: float = 0.05,
    margin: float = MARGIN,
    limit: float | None = None,
    resamples: int = 9_999,
    seed: int = 0,
) -> StratifiedGroups:
    """`StratifiedGroups` of a table of labels, the templates of all sets on one identity axis stacked.

    Args:
        y: templates × groups, complete: 1 where the reply was flagged as bad, else 0.
        card: (tp, P, tn, Ng) of the judge, `ErrorRates`, or None for one that never errs.
        cap: as in `ErrorRates.of`.
        alpha: level of the tests.
        beta: one minus the confidence of `upper`.
        margin: smallest true gap that may FAIL.
        limit: a true gap below this is acceptable; without it there is no PASS.
        resamples: shuffles within templates, where few vary and they cannot be counted.
        seed: of those.

    Raises:
        NoEvidence: if there are no templates.
        StatsError: if the table has holes, a single group, or anything but labels (for scores see `group_gap`).

    Source: Cochran 1950 (Q, the score test of conditional logistic regression); Mantel & Haenszel 1959 (strata); Holm 1979 (groups);
    Newcombe 1998 and Zou & Donner 2008 (upper).

    >>> table = [[1, 1, 1]] * 6 + [[1, 1, 0]] * 16 + [[1, 0, 1]] * 2 + [[1, 0, 0]] * 4
    >>> table += [[0, 1, 1]] * 2 + [[0, 1, 0]] * 4 + [[0, 0, 1]] * 6 + [[0, 0, 0]] * 6
    >>> result = stratified_groups(table)
    >>> round(result.q, 6), round(result.p, 6), [round(one.p, 6) for one in result.groups]
    (8.470588, 0.014476, [0.401509, 0.401509, 0.018224])
    """
    check_open(alpha=alpha, beta=beta)
    table = complete_table(y)
    if not np.isin(table, (0, 1)).all():
        raise StatsError("a cell is neither 0 nor 1; wanted labels (for scores between them, `group_gap`)")
    rows = table.sum(axis=1)
    varying = (rows > 0) & (rows < table.shape[1])
    q = cochran_q(table)
    if not varying.any():
        p, method = 1.0, "none"
    elif varying.sum() >= ENOUGH:
        p, method = chi2_at_least(q, table.shape[1] - 1), "chi2"
    else:
        p, method = permuted_q(table, resamples=resamples, seed=seed), "permutation"
    means = table.mean(axis=0)
    adjusted = holm(exact_by_group(table), alpha).adjusted
    return StratifiedGroups(
        templates=len(table),
        varying=int(varying.sum()),
        means=tuple(means.tolist()),
        gap=float(np.ptp(means)),
        q=q,
        p=p,
        method=method,
        groups=tuple(
            GroupShare(group, size, chance)
            for group, (size, chance) in enumerate(zip((means - means.mean()).tolist(), adjusted, strict=True))
        ),
        upper=pairs_upper(table, beta),
        kept=kept(card, cap=cap),
        alpha=alpha,
        margin=margin,
        limit=limit,
    )


def permuted_q(table: NDArray[np.float64], *, resamples: int = 9_999, seed: int = 0) -> float:
    """P-value of Cochran's Q by permutation within templates: exact where deals can be counted, else by seeded lot.

    Given the templates' sums, Q grows with the spread of the groups' totals and with nothing else.
    """
    null = shuffled_totals(table, resamples=resamples, seed=seed)
    totals = table.sum(axis=0)
    spread = ((null.totals - null.totals.mean(axis=1, keepdims=True)) ** 2).sum(axis=1)
    return float(null.at_least(spread, ((totals - totals.mean()) ** 2).sum())[0])


def exact_by_group(table: NDArray[np.float64]) -> list[float]:
    """P-value, two-sided, of each group's count given the templates' sums: the exact stratified test, not adjusted.

    A template with r bad replies among G groups gives one to a group with chance r / G, so the count is Poisson-binomial; two-sided by
    doubling the smaller tail.

    >>> exact_by_group(np.array([[1.0, 0.0]] * 5))
    [0.0625, 0.0625]
    """
    groups = table.shape[1]
    chances = poisson_binomial((table.sum(axis=1) / groups).tolist())
    below, above = np.cumsum(chances), np.cumsum(chances[::-1])[::-1]
    counts = table.sum(axis=0).astype(int)
    return [float(min(1.0, 2 * min(below[count], above[count]))) for count in counts.tolist()]


def poisson_binomial(chances: Iterable[float]) -> NDArray[np.float64]:
    """Poisson-binomial distribution: P(0), P(1), … hits in independent trials, each with a chance of its own.

    >>> (poisson_binomial([0.5, 0.25, 0.25]) * 32).round(9).tolist()
    [9.0, 15.0, 7.0, 1.0]
    """
    alike, sizes = np.unique(np.fromiter(chances, dtype=float), return_counts=True)
    total = np.ones(1)
    for chance, size in zip(alike.tolist(), sizes.tolist(), strict=True):
        total = np.convolve(total, binomial_exactly(np.arange(size + 1), size, chance))
    return total


def seen_gap(
    templates: int,
    groups: int,
    *,
    base: float = 0.02,
    icc: float = 0.2,
    card: Card = None,
    cap: float | None = None,
    alpha: float = 0.01,
    margin: float = MARGIN,
    power: float = 0.8,
    draws: int = 300,
    seed: int = 0,
) -> float | None:
    """Minimum detectable effect: the smallest true gap, to a point, that FAILs with this power; None if none does.

    One group is worse than all others. Simulated, with a seed; a design asked for again is not drawn again. Labels of one template are
    correlated by `icc`, and the judge errs as its card says on average. The p-value is chi-squared's throughout; where fewer than 20
    templates vary, `stratified_groups` permutes, and finds a gap of some three points more as often.

    Args:
        templates: of the design.
        groups: asked in each.
        base: share of bad replies of the groups that are treated well.
        icc: correlation of the replies to one template, in [0, 1).
        card: (tp, P, tn, Ng), `ErrorRates`, or None for a judge that never errs; after an audit `ErrorRates.of(card).audited`.
        cap: as in `ErrorRates.of`.
        alpha: level of the test.
        margin: smallest true gap that may FAIL.
        power: chance of FAIL that is wanted.
        draws: tables drawn for each gap.
        seed: of these.

    Raises:
        StatsError: if a number is out of range.

    >>> seen_gap(100, 4, alpha=0.0025) < seen_gap(60, 4, alpha=0.0025)
    True
    """
    check_open(alpha=alpha, power=power)
    if templates < 1 or groups < 2 or draws < 1:
        raise StatsError(f"{templates} templates, {groups} groups, {draws} draws; wanted at least 1, 2 and 1")
    if not (0.0 <= base < 1.0 and 0.0 <= icc < 1.0):
        raise StatsError(f"base is {base!r} and icc {icc!r}; wanted shares in [0, 1)")
    errors = ErrorRates.of(card, cap=cap)
    return _seen_gap(templates, groups, base, icc, errors, alpha, margin, power, draws, seed)


@lru_cache(maxsize=256)
def _seen_gap(
    templates: int,
    groups: int,
    base: float,
    icc: float,
    errors: ErrorRates,
    alpha: float,
    margin: float,
    power: float,
    draws: int,
    seed: int,
) -> float | None:
    floor = margin * kept(errors) - _ROUNDING
    sensitivity, blamed = mean_rate(errors.sensitivity), mean_rate(errors.false_positive)

    def fails(points: int) -> bool:
        rng = np.random.default_rng(seed)
        rates = np.full(groups, base)
        rates[0] += points / _POINTS
        shape = (draws, templates, groups)
        # A label takes its template's lot with chance √icc, else one of its own: two of a template share it with chance icc.
        shared = rng.random(shape) < np.sqrt(icc)
        lots = np.where(shared, rng.random((draws, templates, 1)), rng.random(shape))
        flagged = rng.random(shape) < np.where(lots < rates, sensitivity, blamed)
        gap = np.ptp(flagged.mean(axis=1), axis=1)
        found = [
            gap[draw] >= floor and chi2_at_least(cochran_q(flagged[draw].astype(float)), groups - 1) <= alpha
            for draw in range(draws)
        ]
        return float(np.mean(found)) >= power

    low, high = 0, int((1 - base) * _POINTS)
    if not fails(high):
        return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if fails(middle) else (middle, high)
    return high / _POINTS
