"""Operating characteristics of a gate at a given true rate, computed exactly instead of simulated.

The state of a gate is two numbers: hits so far and cases so far (and, when failures are confirmed, whether it is
already suspicious). So the probability of every state follows from the states one case earlier, and at each look the
mass that has been decided is taken out and counted. Only the band of undecided counts is carried, which is narrow.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

CONTINUE, PASS, FAIL, MARGINAL, INCONCLUSIVE, SUSPECT = range(6)

_NEGLIGIBLE = 1e-13


@dataclass(frozen=True)
class OperatingCharacteristics:
    """Operating characteristics at one true rate: how often a gate says what, and how many cases it takes.

    Attributes:
        pass_: probability of PASS.
        fail: probability of FAIL.
        marginal: probability of MARGINAL.
        inconclusive: probability of INCONCLUSIVE.
        mean_n: cases asked on average.
        worst_n: cases asked at most (for a gate without a budget: all but one run in 10^13 is over by then).
    """

    pass_: float
    fail: float
    marginal: float
    inconclusive: float
    mean_n: float
    worst_n: int

    @property
    def rerun_disagrees(self) -> float:
        """Disagreement rate: the chance that two independent runs of this gate say different things.

        >>> OperatingCharacteristics(0.5, 0.5, 0.0, 0.0, 100.0, 200).rerun_disagrees
        0.5
        """
        return 1 - (self.pass_**2 + self.fail**2 + self.marginal**2 + self.inconclusive**2)


class Trace(NamedTuple):
    """Operating characteristics, and the chance of being undecided after 0, 1, 2 … cases."""

    characteristics: OperatingCharacteristics
    undecided: tuple[float, ...]


def operate(
    look: Callable[[NDArray[np.int64], int, bool], NDArray[np.int64]],
    hit: Callable[[NDArray[np.int64], int], NDArray[np.float64]],
    *,
    batch: int = 1,
    n_max: int | None = None,
) -> Trace:
    """`Trace` of a gate: all its runs followed at once, until none is undecided.

    Args:
        look: (counts s, cases n, suspicious) -> a code for each s; every code must be final at n_max.
        hit: (counts s, cases n) -> the chance that case n + 1 is a hit.
        batch: cases between two looks.
        n_max: the budget, where there is one last look.
    """
    mass = np.array([[1.0], [0.0]])  # row 0: in order so far; row 1: suspicious
    low = n = worst = 0
    ended, calls, undecided = np.zeros(6), 0.0, [1.0]
    while undecided[-1] > _NEGLIGIBLE:
        mass = _step(mass, hit(np.arange(low, low + mass.shape[1]), n))
        n += 1
        if n % batch and n != n_max:
            undecided.append(undecided[-1])
            continue
        stopped = _take_decided(mass, np.arange(low, low + mass.shape[1]), n, look)
        if stopped[PASS : INCONCLUSIVE + 1].sum() > 0:
            ended, worst = ended + stopped, n
            calls += n * float(stopped[PASS : INCONCLUSIVE + 1].sum())
        alive = np.flatnonzero(mass.any(axis=0))
        undecided.append(float(mass.sum()))
        if not alive.size:
            break
        mass, low = mass[:, alive[0] : alive[-1] + 1], low + int(alive[0])
    passed, failed, marginal, unsure = (min(1.0, float(ended[code])) for code in (PASS, FAIL, MARGINAL, INCONCLUSIVE))
    return Trace(OperatingCharacteristics(passed, failed, marginal, unsure, calls, worst), tuple(undecided))


def _step(mass: NDArray[np.float64], chance: NDArray[np.float64]) -> NDArray[np.float64]:
    """State probabilities after one more case: each count stays or goes up by one."""
    grown = np.zeros((2, mass.shape[1] + 1))
    grown[:, :-1] = mass * (1 - chance)
    grown[:, 1:] += mass * chance
    return grown


def _take_decided(
    mass: NDArray[np.float64],
    s: NDArray[np.int64],
    n: int,
    look: Callable[[NDArray[np.int64], int, bool], NDArray[np.int64]],
) -> NDArray[np.float64]:
    """Probability of each code at this look, taken out of `mass`; what it makes suspicious is moved."""
    stopped = np.zeros(6)
    if mass[1].any():
        codes = look(s, n, True)
        stopped += np.bincount(codes, weights=mass[1], minlength=6)
        mass[1, codes != CONTINUE] = 0.0
    codes = look(s, n, False)
    stopped += np.bincount(codes, weights=mass[0], minlength=6)
    mass[1] += np.where(codes == SUSPECT, mass[0], 0.0)
    mass[0, codes != CONTINUE] = 0.0
    return stopped
