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


def beta_binomial(k: ArrayLike, n: ArrayLike, a: ArrayLike, b: ArrayLike) -> NDArray[np.float64]:
    """Beta-binomial probability: P(exactly k hits in n trials whose chance is drawn from Beta(a, b)), elementwise.

    0 where k is outside 0..n.
    """
    k, n = np.asarray(k, dtype=float), np.asarray(n, dtype=float)
    k = np.where((k >= 0) & (k <= n), k, np.nan)
    log_p = log_choose(n, k) + _special().betaln(a + k, b + n - k) - _special().betaln(a, b)
    return np.where(np.isnan(k), 0.0, np.exp(log_p))


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


def binomial_exactly(k: ArrayLike, n: ArrayLike, p: ArrayLike = 0.5) -> NDArray[np.float64]:
    """Binomial probability: P(exactly k hits in n trials of chance p), elementwise."""
    k, n = np.asarray(k, dtype=float), np.asarray(n, dtype=float)
    special = _special()
    weight = special.xlogy(k, p) + special.xlog1py(n - k, -np.asarray(p, dtype=float))
    return np.asarray(np.exp(log_choose(n, k) + np.where((k >= 0) & (k <= n), weight, 0.0)))


def chi2_at_least(x: float, df: int) -> float:
    """Chi-squared upper tail: P(a variable with df degrees of freedom is at least x)."""
    return float(_special().chdtrc(df, x))


def beta_at_most(x: ArrayLike, a: ArrayLike, b: ArrayLike) -> NDArray[np.float64]:
    """Beta distribution function: P(a Beta(a, b) variable is at most x), elementwise; x is clipped to [0, 1]."""
    return np.asarray(_special().betainc(a, b, np.clip(np.asarray(x, dtype=float), 0.0, 1.0)))


def beta_nodes(count: int, a: float, b: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Gauss–Jacobi rule of a Beta(a, b) variable: so many points in (0, 1), and weights that sum to 1.

    The mean of a function is its weighted sum over the points, exactly so for polynomials up to degree 2·count − 1. Unlike
    `scipy.special.roots_jacobi` it does not overflow where a + b is in the thousands.

    Source: Golub & Welsch 1969.

    >>> points, weights = beta_nodes(3, 2, 6)
    >>> round(float(weights @ points), 12), round(float(weights @ points**2), 12)
    (0.25, 0.083333333333)
    """
    i = np.arange(1, count)
    up, down = b - 1, a - 1  # exponents of 1 − t and 1 + t on [−1, 1]
    total = up + down + 2 * np.arange(count)
    middle = np.empty(count)
    middle[0] = (down - up) / (up + down + 2)
    middle[1:] = (down**2 - up**2) / (total[1:] * (total[1:] + 2)) if count > 1 else 0
    beside = 4 * i * (i + up) * (i + down) / (total[1:] ** 2 * (total[1:] + 1))
    # (i + up + down) / (total − 1) is 0 / 0 for the uniform and its like at i = 1, where it is 1.
    ratio = np.divide(i + up + down, total[1:] - 1, out=np.ones(count - 1), where=np.abs(total[1:] - 1) > 1e-12)
    points, vectors = np.linalg.eigh(
        np.diag(middle) + np.diag(np.sqrt(beside * ratio), 1) + np.diag(np.sqrt(beside * ratio), -1)
    )
    return (points + 1) / 2, vectors[0] ** 2
