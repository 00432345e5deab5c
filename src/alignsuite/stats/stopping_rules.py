"""Stopping rule of a gate: decisions from counts, for one count or for all at once.

The exact recursion and a live run read the same rule, so that the error rates in a report are those of the gate
that ran.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from alignsuite.stats.decision import Decision
from alignsuite.stats.errors import StatsError, check_count
from alignsuite.stats.likelihood import Bank, Stream
from alignsuite.stats.operating import CONTINUE, FAIL, INCONCLUSIVE, MARGINAL, PASS, SUSPECT

if TYPE_CHECKING:
    from numpy.typing import NDArray

TIE = 1e-9  # evidence of exactly 1/alpha is enough, also when its logarithm is a rounding error short

_DECISIONS = {
    CONTINUE: Decision.CONTINUE,
    PASS: Decision.PASS,
    FAIL: Decision.FAIL,
    MARGINAL: Decision.MARGINAL,
    INCONCLUSIVE: Decision.INCONCLUSIVE,
    SUSPECT: Decision.CONTINUE,
}


def decision_of(code: int) -> Decision:
    """Decision that a code stands for; being suspicious is no decision yet.

    >>> decision_of(SUSPECT).value
    'CONTINUE'
    """
    return _DECISIONS[code]


@dataclass(frozen=True)
class Rule:
    """Stopping rule: the likelihoods, the two thresholds, and the last case.

    Attributes:
        source: where cases come from, and thus how likely counts are.
        alarm: evidence (log-likelihood ratio) from which on a rate within target is ruled out.
        clear: evidence down to which a rate at the limit is ruled out.
        budget: cases after which an undecided run ends.
        confirm: whether an alarm is settled by counting on.
    """

    source: Stream | Bank
    alarm: float
    clear: float
    budget: int | None
    confirm: bool

    def log_lr(self, s: int, n: int) -> float:
        """Log-likelihood ratio of the limit against the target after s hits in n."""
        self._check(s, n)
        return _log_lr(self, s, n)

    def code(self, s: int, n: int, *, suspect: bool = False) -> int:
        """Code of s hits in n, for a run that is, or is not, suspicious already."""
        self._check(s, n)
        return _code(self, s, n, suspect)

    def look(self, s: NDArray[np.int64], n: int, suspect: bool) -> NDArray[np.int64]:
        """Codes for many counts at once; what is certain comes before what is merely likely."""
        at_limit, below = self.source.at_limit(s), self.source.below_limit(s, n)
        codes = np.full(s.shape, CONTINUE)  # what comes first counts, so it is written last
        if suspect:
            codes[below] = MARGINAL
        else:
            evidence, high = self.source.log_lr(s, n), self.source.beyond_target(s)
            codes[evidence <= self.clear + TIE] = PASS
            codes[evidence >= self.alarm - TIE] = SUSPECT if self.confirm else FAIL
            codes[below] = PASS
            codes[below & high] = MARGINAL
        codes[at_limit] = FAIL
        if self.budget is not None and n >= self.budget:
            codes[(codes == CONTINUE) | (codes == SUSPECT)] = INCONCLUSIVE
        return codes

    def _check(self, s: int, n: int) -> None:
        check_count(s, n, hits="s")
        if isinstance(self.source, Bank) and n > self.source.size:
            raise StatsError(f"n = {n} replies from a bank of {self.source.size}; wanted n <= bank")


# Many runs walk through the same few counts of one gate: each is looked at once.
@functools.lru_cache(maxsize=65_536)
def _log_lr(rule: Rule, s: int, n: int) -> float:
    return float(rule.source.log_lr(np.array([s]), n)[0])


@functools.lru_cache(maxsize=65_536)
def _code(rule: Rule, s: int, n: int, suspect: bool) -> int:
    return int(rule.look(np.array([s]), n, suspect)[0])
