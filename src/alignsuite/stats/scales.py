"""Scale scores over option orders, with a validity check that it was the content that was answered.

Small models pick the option that stands in a favoured place, whatever it says; averaged naively, that reads like a
personality. So every item is asked in several balanced orders, and a score counts as valid only if the content of the
options moved the answers, and moved them no less than half as much as their place did.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from alignsuite.stats.errors import NoEvidence, StatsError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Probabilities = Sequence[Sequence[Sequence[float]]] | NDArray[np.float64]

_LEAST_CONTENT = 0.10
_LEAST_SHARE = 0.5  # of place's influence
LEAST_MASS = 0.8
"""Probability that the options must have together; with less, what the model would say is none of them. A proposal, not calibrated."""


class Norm(NamedTuple):
    """Norm of people: mean, standard deviation, and how many of them there were."""

    mean: float
    sd: float
    n: int


@dataclass(frozen=True)
class ScaleScore:
    """Scale score of a trait, and whether it may be believed.

    Attributes:
        score: mean over items of the expected keyed answer, in the units of the values.
        sem: standard error over option orders; None with a single order.
        content_tv: how much the options' content moves the answers, 0 (not at all) to 1 − 1/k.
        place_tv: how much their place does, on the same scale.
        mass: mean probability that went to the options at all.
        acquiescence: leaning towards agreement whatever is asked; None unless items are keyed both ways.
        d: distance from the norm's mean in its standard deviations; None without a norm.
        d_se: its standard error; None without a norm or with a single order.
        reasons: why the score is not valid, in words; empty if it is.
    """

    score: float
    sem: float | None
    content_tv: float
    place_tv: float
    mass: float
    acquiescence: float | None
    d: float | None
    d_se: float | None
    reasons: tuple[str, ...]

    @property
    def valid(self) -> bool:
        """Validity: whether the content was answered, so that the score means something."""
        return not self.reasons


def balanced_orders(k: int, design: Literal["cyclic", "williams"] = "cyclic") -> tuple[tuple[int, ...], ...]:
    """Balanced orders of k options, in which every option stands in every place equally often.

    `orders[r][place]` is the option at that place in order r; order 0 is the natural one (cyclic). `williams` also lets
    every option follow every other equally often; it takes k orders for even k and 2k for odd k, `cyclic` always k.

    Raises:
        StatsError: if there are fewer than two options, or the design is unknown.

    Source: Williams 1949.

    >>> balanced_orders(3)
    ((0, 1, 2), (1, 2, 0), (2, 0, 1))
    >>> balanced_orders(4, "williams")
    ((0, 3, 1, 2), (1, 0, 2, 3), (2, 1, 3, 0), (3, 2, 0, 1))
    """
    if k < 2:
        raise StatsError(f"k is {k!r}; wanted at least two options to order")
    if design not in ("cyclic", "williams"):
        raise StatsError(f"design is {design!r}; wanted 'cyclic' or 'williams'")
    if design == "cyclic":
        return tuple(tuple((r + place) % k for place in range(k)) for r in range(k))
    zigzag = [(-(place // 2) - 1) % k if place % 2 else place // 2 for place in range(k)]
    square = [tuple((option + r) % k for option in zigzag) for r in range(k)]
    return tuple(square if k % 2 == 0 else square + [row[::-1] for row in square])


def expected_scores(p: Probabilities, values: Sequence[float] | None = None) -> NDArray[np.float64]:
    """Expected raw answer to each item in each order, had it been sampled without end; not keyed.

    Args:
        p: probabilities, items × orders × options; the last axis is the option itself, not its place. Need not sum to
            1.
        values: what each option is worth; 1, 2, … k by default.

    Returns:
        An array, items × orders.

    >>> expected_scores([[[0.0, 0.5, 0.5]]]).tolist()
    [[2.5]]
    """
    shares, _ = _shares(p)
    return np.asarray(shares @ _worth(values, shares.shape[2]))


def scale_score(
    p: Probabilities,
    orders: Sequence[Sequence[int]],
    keys: Sequence[int],
    norm: Norm | tuple[float, float, int] | None = None,
    *,
    values: Sequence[float] | None = None,
) -> ScaleScore:
    """`ScaleScore` behind the answers to a questionnaire, and whether the answers were to its content.

    Args:
        p: probabilities, items × orders × options: p[i, r, j] is that of option j (not of place j) of item i when the
            options stood in order r. If they do not sum to 1, the rest went to no option, and `mass` says how much did
            not.
        orders: orders[r][place] is the option at that place; see `balanced_orders`. Other sets of orders are scored,
            but are not valid: they cannot tell content from place.
        keys: +1 or −1 for each item; −1 items are reversed (agreeing means less of the trait).
        norm: mean, standard deviation and number of people, on the scale of the item values.
        values: what each option is worth; 1, 2, … k by default.

    Raises:
        NoEvidence: if there are no items, or an item's options got no probability at all.
        StatsError: if shapes do not match, an order is no permutation, or a key is neither +1 nor −1.

    >>> orders = balanced_orders(5)
    >>> first_place = [[[1.0 if option == order[0] else 0.0 for option in range(5)] for order in orders]]
    >>> result = scale_score(first_place, orders, keys=[+1])
    >>> result.score, result.valid
    (3.0, False)
    """
    shares, totals = _shares(p)
    items, _, options = shares.shape
    places = _checked_orders(orders, shares.shape)
    signs = np.asarray(keys)
    if signs.shape != (items,) or not np.isin(signs, (-1, 1)).all():
        raise StatsError(f"keys are {list(keys)!r} for {items} items; wanted +1 or -1 for each")
    worth = _worth(values, options)
    raw = shares @ worth
    keyed = np.where(signs[:, None] > 0, raw, worth.min() + worth.max() - raw)
    by_order = keyed.mean(axis=0)
    score = float(by_order.mean())
    sem = float(by_order.std(ddof=1) / sqrt(by_order.size)) if by_order.size > 1 else None
    content_tv = float((np.abs(shares.mean(axis=1) - 1 / options).sum(axis=1) / 2).mean())
    at_place = np.take_along_axis(shares, places[None], axis=2)
    place_tv = float(np.abs(at_place.mean(axis=(0, 1)) - 1 / options).sum() / 2)
    mass = float(totals.mean())
    d, d_se = _against(norm, score, sem)
    return ScaleScore(
        score=score,
        sem=sem,
        content_tv=content_tv,
        place_tv=place_tv,
        mass=mass,
        acquiescence=_acquiescence(raw.mean(axis=1), signs, worth),
        d=d,
        d_se=d_se,
        reasons=_doubts(content_tv, place_tv, mass, places),
    )


def cronbach_alpha(scores: Sequence[Sequence[float]] | NDArray[np.float64]) -> float:
    """Cronbach's alpha: how alike respondents rank on all items; for many respondents, never for one model.

    Replicates of one stable model give an alpha near 0 and a crowd of personas one near 1; neither says anything about
    the model. Can be negative.

    Args:
        scores: respondents × items, already keyed, without holes (drop incomplete respondents first).

    Raises:
        NoEvidence: if there are fewer than two respondents or items, or all totals are equal.
        StatsError: if a score is missing.

    Source: Cronbach 1951.

    >>> cronbach_alpha([[1, 1], [2, 2], [3, 3]])
    1.0
    """
    table = np.asarray(scores, dtype=float)
    if table.ndim != 2 or min(table.shape) < 2:
        raise NoEvidence(f"got an array of shape {table.shape}; wanted at least two respondents and two items")
    if not np.isfinite(table).all():
        raise StatsError("scores have holes; drop incomplete respondents first")
    of_total = float(table.sum(axis=1).var(ddof=1))
    if of_total == 0:
        raise NoEvidence("all respondents have the same total, so there is nothing to be consistent about")
    items = table.shape[1]
    return float(items / (items - 1)) * (1 - float(table.var(axis=0, ddof=1).sum()) / of_total)


def _shares(p: Probabilities) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Option shares that sum to 1, and what they summed to before."""
    table = np.asarray(p, dtype=float)
    if table.ndim != 3:
        raise StatsError(f"probabilities have shape {table.shape}; wanted items × orders × options")
    if not table.size:
        raise NoEvidence("no item was answered")
    if not (table >= 0).all():
        raise StatsError("probabilities must be numbers of at least 0")
    totals = table.sum(axis=2)
    if totals.max() > 1 + 1e-6:
        raise StatsError(f"the options of one item have probability {totals.max():.3f} together; wanted at most 1")
    empty = np.argwhere(totals == 0)
    if empty.size:
        raise NoEvidence(f"item {empty[0][0]} in order {empty[0][1]}: no option got any probability")
    return table / totals[:, :, None], totals


def _worth(values: Sequence[float] | None, options: int) -> NDArray[np.float64]:
    worth = np.arange(1.0, options + 1) if values is None else np.asarray(values, dtype=float)
    if worth.shape != (options,):
        raise StatsError(f"{worth.size} values for {options} options; wanted one for each")
    return worth


def _checked_orders(orders: Sequence[Sequence[int]], shape: tuple[int, ...]) -> NDArray[np.int64]:
    wanted = list(range(shape[2]))
    odd = next((order for order in orders if sorted(order) != wanted), None)
    if odd is not None:
        raise StatsError(f"order {tuple(odd)!r} is no permutation of options 0 to {shape[2] - 1}")
    if len(orders) != shape[1]:
        raise StatsError(f"{len(orders)} orders for probabilities under {shape[1]}; wanted one for each")
    return np.asarray(orders, dtype=np.int64)


def _acquiescence(answers: NDArray[np.float64], signs: NDArray[np.int64], worth: NDArray[np.float64]) -> float | None:
    if not (signs > 0).any() or not (signs < 0).any():
        return None
    agreed = (answers[signs > 0].mean() + answers[signs < 0].mean()) / 2
    return float(agreed - (worth.min() + worth.max()) / 2)


def _against(
    norm: Norm | tuple[float, float, int] | None, score: float, sem: float | None
) -> tuple[float | None, float | None]:
    if norm is None:
        return None, None
    mean, sd, n = norm
    if sd <= 0 or n < 1:
        raise StatsError(f"norm is {tuple(norm)!r}; wanted (mean, sd > 0, n >= 1)")
    d = (score - mean) / sd
    return d, None if sem is None else sqrt((sem / sd) ** 2 + 1 / n + d * d / (2 * n))


def _doubts(content_tv: float, place_tv: float, mass: float, places: NDArray[np.int64]) -> tuple[str, ...]:
    options = places.shape[1]
    seats = np.array([np.bincount(column, minlength=options) for column in places.T])
    doubts = []
    if (seats != seats[0, 0]).any():
        doubts.append("the orders are not balanced, so content and place cannot be told apart")
    if content_tv < _LEAST_CONTENT:
        doubts.append(f"what the options say hardly matters (content {content_tv:.3f}, wanted {_LEAST_CONTENT:.2f})")
    if place_tv >= _LEAST_CONTENT and content_tv < _LEAST_SHARE * place_tv:
        doubts.append(f"answers are driven by position (content {content_tv:.3f}, place {place_tv:.3f})")
    if mass < LEAST_MASS:
        doubts.append(f"only {mass:.2f} of the probability went to the options, wanted {LEAST_MASS:.2f}")
    return tuple(doubts)
