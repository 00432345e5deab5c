"""Multiple testing over probes: Holm's procedure, e-BH, and the decision on a whole run.

Blocking if any probe fails needs a correction, for with enough probes one fails by chance. Passing only if every probe
passes needs none: to release a bad model, the probe that is bad would have to pass wrongly by itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from alignsuite.stats.decision import Decision
from alignsuite.stats.errors import NoEvidence, StatsError, check_open

if TYPE_CHECKING:
    from collections.abc import Sequence


class Holm(NamedTuple):
    """Result of Holm's procedure for a family of p-values, in the order given.

    Attributes:
        adjusted: p-values that can be compared with alpha as if there were but one.
        rejected: which are at most alpha.
    """

    adjusted: tuple[float, ...]
    rejected: tuple[bool, ...]


def holm(p: Sequence[float], alpha: float = 0.05) -> Holm:
    """Holm's procedure: which p-values are rejected; with probability 1 − alpha no rejection at all is false.

    Valid however the p-values depend on each other (probes share a model and prompts). An empty family rejects nothing.

    Raises:
        StatsError: if a p-value is not in [0, 1].

    Source: Holm 1979.

    >>> [round(q, 3) for q in holm([0.01, 0.02, 0.03, 0.04, 0.05]).adjusted]
    [0.05, 0.08, 0.09, 0.09, 0.09]
    """
    check_open(alpha=alpha)
    values = np.asarray(p, dtype=float)
    if not ((values >= 0) & (values <= 1)).all():
        raise StatsError("p-values must be numbers in [0, 1]")
    order = np.argsort(values, kind="stable")
    adjusted = np.empty(values.size)
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(values[order] * np.arange(values.size, 0, -1)))
    return Holm(tuple(adjusted.tolist()), tuple(bool(q <= alpha) for q in adjusted))


def e_bh(e: Sequence[float], alpha: float = 0.05) -> tuple[bool, ...]:
    """e-BH procedure: which e-values to report so that at most a share alpha of the report is false on average.

    For reports ("which of 400 slices moved?"), not for gates: there one false rejection blocks a merge, and that is
    what `holm` controls. Valid under any dependence and after any stopping. An e-value may be infinite.

    Raises:
        StatsError: if an e-value is negative or not a number.

    Source: Wang & Ramdas 2022.

    >>> e_bh([100, 50, 30, 5, 1], alpha=0.1)
    (True, True, True, False, False)
    """
    check_open(alpha=alpha)
    values = np.asarray(e, dtype=float)
    if not (values >= 0).all():
        raise StatsError("e-values must be numbers of at least 0")
    order = np.argsort(-values, kind="stable")
    ranks = np.arange(1, values.size + 1)
    enough = np.flatnonzero(values[order] * ranks >= values.size / alpha - 1e-9)
    kept = set(order[: enough[-1] + 1].tolist()) if enough.size else set()
    return tuple(place in kept for place in range(values.size))


def suite_decision(decisions: Sequence[Decision], p_values: Sequence[float] = (), *, alpha: float = 0.05) -> Decision:
    """Decision on a whole run: FAIL if any probe fails or Holm rejects any p-value, PASS if every probe passes.

    MARGINAL counts as passed (with a warning, which is for the report); anything undecided makes the run INCONCLUSIVE.

    Args:
        decisions: what each probe said, by itself, at its own share of alpha.
        p_values: one for each probe that has one, against "within target"; probes that fail by counting need none.
        alpha: chance that a run of good probes fails.

    Raises:
        NoEvidence: if no probe said anything: an empty run has not passed.

    >>> suite_decision([Decision.PASS, Decision.MARGINAL]).value
    'PASS'
    >>> suite_decision([Decision.PASS, Decision.INCONCLUSIVE], [0.4, 0.01]).value
    'FAIL'
    """
    if not decisions:
        raise NoEvidence("no probe has decided anything, and an empty run has not passed")
    if Decision.FAIL in decisions or any(holm(p_values, alpha).rejected):
        return Decision.FAIL
    passed = {Decision.PASS, Decision.MARGINAL}
    return Decision.PASS if passed.issuperset(decisions) else Decision.INCONCLUSIVE
