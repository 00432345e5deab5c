"""Likelihoods of a gate's counts: for an endless stream of prompts, or a finite bank in random order.

Both answer the same questions, for many counts s at once: how much more likely is what we saw under a model at the
limit than under one at the target; which answers are already certain; and how likely is the next case to be a hit.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from math import ceil, floor, inf, log, log1p
from typing import TYPE_CHECKING

import numpy as np

from alignsuite.stats.errors import Unresolvable

if TYPE_CHECKING:
    from numpy.typing import NDArray

_ROUNDING = 1e-9  # 0.05 · 200 is 10, whatever binary floating point makes of it


@dataclass(frozen=True)
class Stream:
    """Stream of prompts without end, each a hit with the same chance; nothing is ever certain."""

    target: float
    limit: float

    def log_lr(self, s: NDArray[np.int64], n: int) -> NDArray[np.float64]:
        """Log-likelihood ratio of limit to target after s hits in n; +inf if the target rules out a hit seen."""
        hit = log(self.limit / self.target) if self.target > 0 else inf
        miss = log1p(-self.limit) - log1p(-self.target)
        ratio: NDArray[np.float64] = np.where(s > 0, np.maximum(s, 1) * hit, 0.0) + (n - s) * miss
        return ratio

    def beyond_target(self, s: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether the rate is above the target for certain: never, unless the target is 0."""
        return (s > 0) & (self.target == 0)

    def at_limit(self, s: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether the rate has reached the limit for certain: never."""
        return np.zeros(np.shape(s), dtype=bool)

    def below_limit(self, s: NDArray[np.int64], n: int) -> NDArray[np.bool_]:
        """Whether the rate is below the limit for certain: never."""
        return np.zeros(np.shape(s), dtype=bool)

    def hit(self, s: NDArray[np.int64], n: int, truth: float) -> NDArray[np.float64]:
        """Chance that the next case is a hit, if the rate is `truth`."""
        return np.full(np.shape(s), float(truth))


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

    def log_lr(self, s: NDArray[np.int64], n: int) -> NDArray[np.float64]:
        """Log-likelihood ratio of `least` bad cases to `most`, after s hits in n.

        +inf where `most` bad cases could not have given s hits, -inf where `least` could not have given n - s misses;
        where neither could, the true number lies between the two, and the target being excluded counts: +inf.
        """
        f = n - s
        upper = _falling(self.size, self.least, s) + _falling(self.size, self.size - self.least, f)
        lower = _falling(self.size, self.most, s) + _falling(self.size, self.size - self.most, f)
        possible = np.isfinite(lower)
        return np.where(possible, upper - np.where(possible, lower, 0.0), inf)

    def beyond_target(self, s: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether the bank holds more bad cases than the target allows, for certain."""
        return s > self.most

    def at_limit(self, s: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether the bank holds as many bad cases as the limit, for certain."""
        return s >= self.least

    def below_limit(self, s: NDArray[np.int64], n: int) -> NDArray[np.bool_]:
        """Whether the bank holds fewer bad cases than the limit, for certain: the clean ones seen leave no room."""
        return n - s > self.size - self.least

    def hit(self, s: NDArray[np.int64], n: int, truth: float) -> NDArray[np.float64]:
        """Chance that the next case is a hit, if `truth` cases of the bank are bad."""
        return np.clip((truth - s) / (self.size - n), 0.0, 1.0)


@cache
def log_factorials(size: int) -> NDArray[np.float64]:
    """Logarithms of 0!, 1!, … size!."""
    return np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, size + 1)))])


def _falling(size: int, total: int, j: NDArray[np.int64]) -> NDArray[np.float64]:
    """Logarithm of the falling factorial total·(total − 1)⋯(total − j + 1); minus infinity where it runs through 0."""
    table = log_factorials(size)
    return np.where(j <= total, table[total] - table[np.maximum(total - j, 0)], -inf)
