"""Quantiles and tail probabilities of the few textbook distributions that the package needs.

The only door to scipy. It opens on the first call: `scipy.special` takes longer to import than all else here together
(and `scipy.stats` three times as long again), and a project that never computes an interval should not pay for it.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


@cache
def _special() -> Any:  # noqa: ANN401 - a module without types
    return import_module("scipy.special")


def normal_quantile(p: float) -> float:
    """Normal quantile: the point below which a standard normal falls with probability p."""
    return float(_special().ndtri(p))


def student_quantile(p: float, df: float) -> float:
    """Student quantile: the point below which Student's t with df degrees of freedom falls with probability p."""
    return float(_special().stdtrit(df, p))


def beta_quantile(p: float, a: float, b: float) -> float:
    """Beta quantile: the point below which a Beta(a, b) variable falls with probability p."""
    return float(_special().betaincinv(a, b, p))


def log_beta(a: float, b: float) -> float:
    """Logarithm of the Beta function B(a, b)."""
    return float(_special().betaln(a, b))


def beta_binomial(k: ArrayLike, n: ArrayLike, a: float, b: float) -> NDArray[np.float64]:
    """Beta-binomial probability: P(exactly k hits in n trials whose chance is drawn from Beta(a, b)), elementwise."""
    k, n = np.asarray(k, dtype=float), np.asarray(n, dtype=float)
    return np.asarray(np.exp(log_choose(n, k) + _special().betaln(a + k, b + n - k) - log_beta(a, b)))


def log_choose(n: ArrayLike, k: ArrayLike) -> NDArray[np.float64]:
    """Logarithm of the binomial coefficient "n choose k", elementwise; minus infinity where k is outside 0..n."""
    n, k = np.asarray(n, dtype=float), np.asarray(k, dtype=float)
    inside = (k >= 0) & (k <= n)
    k = np.where(inside, k, 0.0)
    gammaln = _special().gammaln
    return np.where(inside, gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1), -np.inf)


def binomial_at_least(k: ArrayLike, n: ArrayLike, p: float = 0.5) -> NDArray[np.float64]:
    """Binomial upper tail: P(at least k hits in n trials of chance p), elementwise; 1 if k <= 0, 0 if k > n."""
    k, n = np.broadcast_arrays(np.asarray(k, dtype=float), np.asarray(n, dtype=float))
    inside = (k >= 1) & (k <= n)
    tail = _special().betainc(np.where(inside, k, 1.0), np.where(inside, n - k + 1, 1.0), p)
    return np.where(inside, tail, np.where(k < 1, 1.0, 0.0))


def binomial_exactly(k: ArrayLike, n: ArrayLike, p: float = 0.5) -> NDArray[np.float64]:
    """Binomial probability: P(exactly k hits in n trials of chance p), elementwise."""
    k, n = np.asarray(k, dtype=float), np.asarray(n, dtype=float)
    special = _special()
    weight = special.xlogy(k, p) + special.xlog1py(n - k, -p)
    return np.asarray(np.exp(log_choose(n, k) + np.where((k >= 0) & (k <= n), weight, 0.0)))


def chi2_at_least(x: float, df: int) -> float:
    """Chi-squared upper tail: P(a variable with df degrees of freedom is at least x)."""
    return float(_special().chdtrc(df, x))
