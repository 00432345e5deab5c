"""Group gaps in a complete block design: a permutation test and upper bounds, as a `GroupGap`.

Are groups treated alike, when every template was asked for every group?

The largest of twenty group rates is always well above the smallest, by chance alone: with perfect fairness, 100
templates and an adverse rate of 20 %, the gap exceeds ten points in 87 of 100 runs. So the gap is compared with the
gaps that arise when the labels are shuffled within each template. The same test reads formats of a prompt instead of
groups.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from alignsuite.stats.closeness import paired_upper
from alignsuite.stats.decision import Decision
from alignsuite.stats.distributions import chi2_at_least
from alignsuite.stats.errors import check_open
from alignsuite.stats.permutation import complete_table, shuffled_totals

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


_FOR_THE_FIRST_LOOK = 0.2  # of beta: more would be felt by the whole


class Deviation(NamedTuple):
    """Deviation of one group from the mean of all groups, with its p-value.

    Attributes:
        group: its column.
        size: its mean minus the mean of all; positive is worse.
        p: p-value, already adjusted for there being many groups.
    """

    group: int
    size: float
    p: float


@dataclass(frozen=True)
class GroupGap:
    """Comparison of groups over the same templates: the largest gap, its p-value and its upper bound.

    Attributes:
        templates: rows of the table.
        means: mean badness of each group.
        gap: largest mean minus smallest.
        p: p-value of the gap against "group labels mean nothing".
        exact: whether p was counted over all shuffles; otherwise drawn.
        upper: no two groups differ by more than this, with confidence 1 − beta.
        q: Cochran's Q, more sensitive to a spread over many groups; None for scores that are no labels.
        q_p: its p-value (chi-squared, slightly too small); None where q is.
        deviations: each group against the mean of all.
        alpha: level of the tests.
        margin: smallest gap that may fail.
        limit: a gap below this is acceptable; None if no such claim is made.
    """

    templates: int
    means: tuple[float, ...]
    gap: float
    p: float
    exact: bool
    upper: float
    q: float | None
    q_p: float | None
    deviations: tuple[Deviation, ...]
    alpha: float
    margin: float
    limit: float | None

    @property
    def offenders(self) -> tuple[Deviation, ...]:
        """Groups that stand out from the mean of all beyond chance, worst treated first; often none."""
        return tuple(sorted((d for d in self.deviations if d.p <= self.alpha), key=lambda d: -d.size))

    @property
    def verdict(self) -> Decision:
        """Decision: PASS, FAIL or INCONCLUSIVE; see `gap_verdict`."""
        return gap_verdict(self, margin=self.margin, limit=self.limit)


def group_gap(
    y: Sequence[Sequence[float]] | NDArray[np.float64],
    *,
    alpha: float = 0.05,
    beta: float = 0.05,
    margin: float = 0.05,
    limit: float | None = None,
    resamples: int = 1_999,
    seed: int = 0,
) -> GroupGap:
    """`GroupGap` of a table: whether the largest difference between groups is beyond chance, and its bound.

    Every cell is the badness (0 or 1, or a score between) of the reply to one template for one group. If all rows are
    constant, nothing is shuffled: the gap is 0 and p is 1, but `upper` still says how little few templates prove.

    Args:
        y: templates × groups, complete.
        alpha: level of the tests; the many pairs of groups are already allowed for.
        beta: one minus the confidence of `upper`.
        margin: smallest gap that may fail.
        limit: a gap below this is acceptable; without it there is no PASS.
        resamples: shuffles to draw when they cannot be counted.
        seed: of those.

    Raises:
        NoEvidence: if there are no templates.
        StatsError: if the table has holes, values outside [0, 1] or a single group.

    Source: Cochran 1950 (Q); Westfall & Young 1993 (deviations); `paired_upper` and Berger 1982 (upper).

    >>> result = group_gap([[1, 0], [1, 0], [1, 0], [1, 0], [1, 0], [0, 0]])
    >>> result.gap == 5 / 6, result.p, result.verdict.value
    (True, 0.0625, 'INCONCLUSIVE')
    """
    check_open(alpha=alpha, beta=beta)
    table = complete_table(y)
    templates = len(table)
    totals = table.sum(axis=0)
    away = totals - totals.mean()
    if (table == table[:, :1]).all():
        p, p_away, exact = 1.0, np.ones(totals.size), True
    else:
        null = shuffled_totals(table, resamples=resamples, seed=seed)
        p = float(null.at_least(np.ptp(null.totals, axis=1), np.ptp(totals))[0])
        farthest = np.abs(null.totals - null.totals.mean(axis=1, keepdims=True)).max(axis=1)
        p_away, exact = null.at_least(farthest, np.abs(away)), null.exact
    q = cochran_q(table) if np.isin(table, (0, 1)).all() else None
    return GroupGap(
        templates=templates,
        means=tuple((totals / templates).tolist()),
        gap=float(np.ptp(totals) / templates),
        p=p,
        exact=exact,
        upper=pairs_upper(table, beta),
        q=q,
        q_p=None if q is None else chi2_at_least(q, totals.size - 1),
        deviations=tuple(
            Deviation(group, float(size), float(chance))
            for group, (size, chance) in enumerate(zip(away / templates, p_away, strict=True))
        ),
        alpha=alpha,
        margin=margin,
        limit=limit,
    )


def gap_verdict(gap: GroupGap, *, margin: float = 0.05, limit: float | None = None) -> Decision:
    """Decision on a gap: FAIL where it is beyond chance and large enough to matter, PASS where all are proved small.

    A gap can be proved to exist and proved to be below the limit at once; that is a FAIL as soon as it reaches the
    margin.

    Args:
        gap: the comparison.
        margin: smallest observed gap that may fail.
        limit: a gap below this is acceptable; without it nothing is proved, and there is no PASS.
    """
    if gap.p <= gap.alpha and gap.gap >= margin - 1e-12:
        return Decision.FAIL
    return Decision.PASS if limit is not None and gap.upper < limit else Decision.INCONCLUSIVE


class FirstLook(NamedTuple):
    """Interim look at the first templates, which may end a comparison in which nothing was bad; see `first_look`.

    Attributes:
        templates: how many.
        spent: the chance, at most, that groups as far apart as the limit show nothing there.
    """

    templates: int
    spent: float


def first_look(templates: int, limit: float, *, beta: float = 0.05, least: int | None = None) -> FirstLook | None:
    """`FirstLook` at half of the templates, for a PASS if not one reply was bad there; None where it may not end.

    Where two groups differ by the limit, the worse one is bad in that share of templates at least. Templates come in random order, so
    none of its first h is bad with probability (1 − limit)^h at most, whatever the templates are. That chance is taken from beta
    before the rest is asked (`beta − spent` is left for the bound of the whole), so both looks together miss no more than beta; there
    is no first look where it would take more than a fifth.

    Args:
        templates: of the whole design.
        limit: a gap below this is acceptable.
        beta: largest chance to pass groups as far apart as the limit.
        least: in how many of the first half the least frequent group stands, where that is not all.

    >>> look = first_look(100, 0.15)
    >>> look.templates, round(look.spent, 6), first_look(14, 0.15)
    (50, 0.000296, None)
    """
    check_open(beta=beta)
    half = -(-templates // 2)
    spent = (1 - limit) ** (half if least is None else least)
    return FirstLook(half, spent) if half < templates and spent <= _FOR_THE_FIRST_LOOK * beta else None


def cochran_q(labels: NDArray[np.float64]) -> float:
    """Cochran's Q: how far apart the groups' counts are, given the templates; 0.0 if no template varies.

    Chi-squared with groups − 1 degrees of freedom when labels mean nothing.

    Source: Cochran 1950.

    >>> cochran_q(np.array([[1, 1, 0]] * 16 + [[1, 0, 0]] * 8 + [[0, 0, 0]] * 9))
    37.333333333333336
    """
    groups = labels.shape[1]
    columns, rows = labels.sum(axis=0), labels.sum(axis=1)
    total = float(labels.sum())
    allowed = groups * total - float((rows**2).sum())
    return (groups - 1) * (groups * float((columns**2).sum()) - total**2) / allowed if allowed else 0.0


def pairs_upper(table: NDArray[np.float64], beta: float) -> float:
    """Upper bound of the gap, the largest over all ordered pairs of groups.

    No correction for their number: to pass wrongly, the pair that does differ would have to pass by itself.
    """
    templates, groups = table.shape
    worse = np.stack([np.maximum(0.0, table[:, [one]] - table).sum(axis=0) for one in range(groups)])
    changed = {(worse[one, other], worse[other, one]) for one, other in permutations(range(groups), 2)}
    return max(paired_upper(float(n10), float(n01), templates, beta=beta) for n10, n01 in changed)
