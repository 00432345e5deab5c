"""Bank of cases: a finite list, of which target and limit are counts; and a table of factorials for its orders."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from math import ceil, floor
from typing import TYPE_CHECKING

import numpy as np

from alignsuite.stats.errors import Unresolvable

if TYPE_CHECKING:
    from numpy.typing import NDArray

_ROUNDING = 1e-9  # 0.05 · 200 is 10, whatever binary floating point makes of it


@dataclass(frozen=True)
class Bank:
    """Bank of a fixed number of cases, asked in random order and none twice; at the end everything is certain.

    Attributes:
        size: cases in the bank, N.
        most: the largest number of bad cases that is still within the target, ⌊target·N⌋.
        least: the smallest number of bad cases that reaches the limit, ⌈limit·N⌉.
    """

    size: int
    most: int
    least: int

    @classmethod
    def of(cls, target: float, limit: float, size: int) -> Bank:
        """`Bank` of this size, with the two rates turned into counts.

        Raises:
            Unresolvable: if one and the same number of bad cases is within the target and reaches the limit.
        """
        most, least = floor(target * size + _ROUNDING), ceil(limit * size - _ROUNDING)
        if most >= least:
            raise Unresolvable(
                f"a bank of {size} cannot tell target {target!r} from limit {limit!r}: {least} bad cases are both. "
                f"A bank of {ceil(1 / (limit - target))} could"
            )
        return cls(size, most, least)


@cache
def log_factorials(size: int) -> NDArray[np.float64]:
    """Logarithms of 0!, 1!, … size!."""
    return np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, size + 1)))])
