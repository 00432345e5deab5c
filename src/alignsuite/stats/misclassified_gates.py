"""Misclassification-corrected gates: gates whose replies are labelled by a judge that errs.

Moving the gate's two numbers to where the judge would see them (`judge_limits`) is right on average. A bank is finite, though, and the
judge's luck with its few bad cases does not average out: of ten bad replies a judge that finds nine in ten finds seven or less one time
in fourteen. So the error rates of such a gate are computed with that luck in them, at the worst error rates that the judge's record
leaves open; and a gate whose rates would come out higher than declared is made stricter, or refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import ceil, floor
from typing import TYPE_CHECKING

import numpy as np

from alignsuite.stats.distributions import binomial_exactly, log_choose
from alignsuite.stats.errors import Unresolvable
from alignsuite.stats.gates import RateGate
from alignsuite.stats.likelihood import Bank
from alignsuite.stats.misclassification import JudgeBounds, judge_bounds, judge_limits
from alignsuite.stats.operating import OperatingCharacteristics, operate

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

_ROUNDING = 1e-9
_STRICTER = (1.0, 0.6, 0.4, 0.2, 0.1, 0.04, 0.02)
"""Shares of beta that are left to the gate itself, tried in turn: what the judge's luck adds has to fit into the rest."""


@dataclass(frozen=True)
class JudgedGate:
    """Misclassification-corrected gate: on judged labels, with its error rates about true ones.

    A bank whose true rate is within `target` fails, and one whose true rate reaches `limit` passes, with at most the chance
    declared (`alpha`, `beta`), the judge's luck with this bank included, plus `gamma` for the judge's record being a sample.
    The judge's errors are taken to be independent from reply to reply, and as frequent here as on the labelled replies.

    Attributes:
        target, limit: of true rates.
        bounds: how often the judge is right.
        gamma: chance that it isn't.
        gate: what is run on its labels.
    """

    target: float
    limit: float
    bounds: JudgeBounds
    gamma: float
    gate: RateGate

    @classmethod
    def of(
        cls,
        target: float,
        limit: float,
        counts: tuple[int, int, int, int],
        *,
        bank: int,
        alpha: float = 0.05,
        beta: float = 0.05,
        gamma: float = 0.05,
    ) -> JudgedGate:
        """`JudgedGate` over a bank, as strict as it has to be.

        Args:
            target: the true rate that a good model stays within.
            limit: the true rate that a bad model reaches.
            counts: (tp, n_pos, tn, n_neg) as in `judge_limits`.
            bank: number of cases in the bank.
            alpha: largest chance of FAIL at the target, before `gamma`.
            beta: largest chance of PASS at the limit, before `gamma`.
            gamma: chance that the judge's error rates are outside their bounds.

        Raises:
            Unresolvable: if the judge, or the bank, or both together can't tell target from limit.

        >>> JudgedGate.of(0.02, 0.10, (90, 100, 990, 1000), bank=200).gate.clean_n()
        57
        """
        seen, bounds = judge_limits(target, limit, *counts, gamma=gamma), judge_bounds(*counts, gamma=gamma)

        def made(share: float) -> JudgedGate:
            gate = RateGate(*seen, alpha=alpha, beta=share * beta, bank=bank, confirm=True)
            return cls(target, limit, bounds, gamma, gate)

        strictest = made(_STRICTER[-1])
        alarm, miss = strictest._false_alarm(census=True), strictest._miss(census=False)
        if alarm > alpha or miss > beta:
            raise Unresolvable(
                f"a bank of {bank} is too small to tell target {target:g} from limit {limit:g} by a judge that errs: by its luck with "
                f"this bank alone, one at the target may fail with probability {alarm:.2g} and one at the limit pass with {miss:.2g}"
            )
        gates = (made(share) for share in _STRICTER)
        return next(gate for gate in gates if gate._miss(census=False) <= beta)

    @property
    def size(self) -> int:
        """Number of cases in the bank."""
        assert self.gate.bank is not None
        return self.gate.bank

    def false_alarm(self, *, census: bool = False) -> float:
        """False-alarm rate: chance, at most, that a bank within the target fails.

        `census`: where the whole bank is asked, which only adds to it.
        """
        return min(1.0, self._false_alarm(census=census) + self.gamma)

    def miss(self, *, census: bool = False) -> float:
        """Miss rate: chance, at most, that a bank at the limit passes."""
        return min(1.0, self._miss(census=census) + self.gamma)

    def bad_luck(self, rate: float, *, census: bool = False) -> float:
        """Chance, at most, that a model with this true rate over all prompts like these fails."""
        source, judged = _bank(self.gate), self.bounds.judged(rate).hi
        if census:
            chance = float(binomial_exactly(np.arange(source.least, self.size + 1), self.size, judged).sum())
        else:
            chance = _operated(self.gate, lambda s, _: np.full(np.shape(s), judged)).fail
        return min(1.0, chance + self.gamma)

    def _false_alarm(self, *, census: bool) -> float:
        most = floor(self.target * self.size + _ROUNDING)
        chances = judged_bad(most, self.size, self.bounds.sensitivity.hi, self.bounds.specificity.lo)
        if census:
            return float(chances[_bank(self.gate).least :].sum())
        return _at(self.gate, most, self.bounds.sensitivity.hi, self.bounds.specificity.lo).fail

    def _miss(self, *, census: bool) -> float:
        least = ceil(self.limit * self.size - _ROUNDING)
        chances = judged_bad(least, self.size, self.bounds.sensitivity.lo, self.bounds.specificity.hi)
        if census:
            return float(chances[: _bank(self.gate).most + 1].sum())
        return _at(self.gate, least, self.bounds.sensitivity.lo, self.bounds.specificity.hi).pass_


def judged_bad(bad: int, bank: int, sensitivity: float, specificity: float) -> NDArray[np.float64]:
    """Distribution of the number of cases that a judge calls bad, in a bank in which `bad` are.

    >>> judged_bad(1, 2, 0.9, 1.0).round(3).tolist()
    [0.1, 0.9, 0.0]
    """
    found = binomial_exactly(np.arange(bad + 1), bad, sensitivity)
    blamed = binomial_exactly(np.arange(bank - bad + 1), bank - bad, 1 - specificity)
    return np.convolve(found, blamed)


def _bank(gate: RateGate) -> Bank:
    source = gate.rule.source
    assert isinstance(source, Bank)
    return source


@lru_cache(maxsize=1024)
def _at(gate: RateGate, bad: int, sensitivity: float, specificity: float) -> OperatingCharacteristics:
    """Operating characteristics for a bank with so many truly bad cases, in random order, under such a judge."""
    assert gate.bank is not None
    return _operated(gate, _drawn(judged_bad(bad, gate.bank, sensitivity, specificity)))


def _operated(gate: RateGate, hit: Callable[[NDArray[np.int64], int], NDArray[np.float64]]) -> OperatingCharacteristics:
    return operate(gate.rule.look, hit, n_max=gate.budget).characteristics


def _drawn(chances: NDArray[np.float64]) -> Callable[[NDArray[np.int64], int], NDArray[np.float64]]:
    """Predictive chance that the next case is labelled bad after s of n were, the bank's count being random itself.

    Labels in random order are exchangeable, so one run of n with s bad has a probability that depends on (s, n) only: a row of the
    table for each n, from the last backwards, as a run either goes on with a bad label or with a good one.
    """
    size = len(chances) - 1
    with np.errstate(divide="ignore"):
        rows = [np.log(chances) - log_choose(size, np.arange(size + 1))]
    for _ in range(size):
        rows.append(np.logaddexp(rows[-1][1:], rows[-1][:-1]))
    rows.reverse()

    def hit(s: NDArray[np.int64], n: int) -> NDArray[np.float64]:
        here = rows[n][s]
        possible = np.isfinite(here)
        return np.where(possible, np.exp(rows[n + 1][s + 1] - np.where(possible, here, 0.0)), 0.0)

    return hit
