"""Operating characteristics of a gate: how often it says what, at a given truth."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class OperatingCharacteristics:
    """Operating characteristics at one true rate: how often a gate says what, and how many cases it takes.

    Attributes:
        pass_: probability of PASS.
        fail: probability of FAIL.
        marginal: probability of MARGINAL.
        inconclusive: probability of INCONCLUSIVE.
        mean_n: cases asked on average.
        worst_n: cases asked at most.
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
