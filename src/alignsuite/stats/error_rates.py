"""Error rates of a judge as its card leaves them: Betas of its sensitivity and its false-positive rate.

A card is a sample of labelled replies, (tp, P, tn, Ng): tp of P bad ones found, tn of Ng good ones cleared. What it leaves open is
integrated over, not replaced by a worst corner: so what is computed from it holds on average over the judges that could have got this card.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np

from alignsuite.stats.distributions import beta_at_most, beta_binomial, beta_nodes, binomial_exactly
from alignsuite.stats.errors import NoEvidence, StatsError, Unresolvable, check_count

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

Counts: TypeAlias = tuple[int, int, int, int]
"""A card: (tp, P, tn, Ng)."""

_NODES = 80
_QUANTILE_STEPS = 50


class Beta(NamedTuple):
    """Beta distribution of a rate: what a sample leaves open about it."""

    a: float
    b: float

    @property
    def mean(self) -> float:
        """Expected rate."""
        return self.a / (self.a + self.b)


Rate: TypeAlias = Beta | float
"""A rate: in doubt, or known."""


@dataclass(frozen=True)
class ErrorRates:
    """Sensitivity and false-positive rate of a judge, each in doubt (`Beta`) or known (a number in [0, 1]).

    Attributes:
        sensitivity: share of bad replies that it flags.
        false_positive: share of good replies that it flags, 1 − specificity.

    >>> ErrorRates.of((190, 198, 276, 290))
    ErrorRates(sensitivity=Beta(a=190.5, b=8.5), false_positive=Beta(a=14.5, b=276.5))
    >>> ErrorRates.of((190, 198, 276, 290)).audited.false_positive
    0.0
    """

    sensitivity: Rate = 1.0
    false_positive: Rate = 0.0

    @classmethod
    def of(cls, card: Card, *, cap: float | None = None) -> ErrorRates:
        """`ErrorRates` of a card under Jeffreys' prior, Beta(½, ½) for each rate; without a card the judge never errs.

        Args:
            card: (tp, P, tn, Ng), or errors already made (returned as they are), or None.
            cap: each kind of labelled reply counts as no more than so many; for a card that is of other replies than those judged.

        Raises:
            NoEvidence: if the card has no bad or no good replies.
            Unresolvable: if the judge is no better than a coin (sensitivity + specificity <= 1).
            StatsError: if counts are impossible, or the cap is not above 0.
        """
        if cap is not None and not cap > 0:
            raise StatsError(f"cap is {cap!r}; wanted a number of labelled replies above 0, such as 200, or None")
        if isinstance(card, ErrorRates):
            return card
        if card is None:
            return cls()
        tp, n_pos, tn, n_neg = checked_card(card)
        heavy, light = (1.0 if cap is None else min(1.0, cap / total) for total in (n_pos, n_neg))
        return cls(
            Beta(heavy * tp + 0.5, heavy * (n_pos - tp) + 0.5), Beta(light * (n_neg - tn) + 0.5, light * tn + 0.5)
        )

    @property
    def audited(self) -> ErrorRates:
        """Errors that are left after people read every flagged reply: no false flag, the same sensitivity."""
        return ErrorRates(self.sensitivity, 0.0)

    @property
    def exact(self) -> bool:
        """Whether it never errs."""
        return self.sensitivity == 1.0 and self.false_positive == 0.0


Card: TypeAlias = Counts | ErrorRates | None
"""What functions take for a card: counts, errors made of them before, or None for a judge that never errs."""


def checked_card(card: Counts) -> Counts:
    """Card whose counts make sense, as it was given.

    Raises:
        NoEvidence: if it has no bad or no good replies.
        Unresolvable: if the judge is no better than a coin.
        StatsError: if it is no four counts, or they are impossible.
    """
    if len(card) != 4:
        raise StatsError(
            f"card is {card!r}; wanted four counts (bad ones found, bad ones, good ones cleared, good ones)"
        )
    tp, n_pos, tn, n_neg = card
    check_count(tp, n_pos, hits="tp", trials="n_pos")
    check_count(tn, n_neg, hits="tn", trials="n_neg")
    if not n_pos or not n_neg:
        raise NoEvidence("a judge's errors are unknown until it was shown known bad and known good replies")
    if tp / n_pos + tn / n_neg <= 1:
        raise Unresolvable(
            f"a judge that finds {tp} of {n_pos} bad replies and clears {tn} of {n_neg} good ones is no better than a coin"
        )
    return card


def hits(k: ArrayLike, n: ArrayLike, rate: Rate) -> NDArray[np.float64]:
    """Probability of exactly k hits in n trials, elementwise: beta-binomial if the rate is in doubt, else binomial."""
    return beta_binomial(k, n, *rate) if isinstance(rate, Beta) else binomial_exactly(k, n, rate)


def mean_rate(rate: Rate) -> float:
    """Expected value of a rate, be it known or in doubt."""
    return rate.mean if isinstance(rate, Beta) else rate


def rate_nodes(rate: Rate, count: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Points and weights (sum 1) that integrate over what is open about a rate; a single point if nothing is."""
    return beta_nodes(count, *rate) if isinstance(rate, Beta) else (np.array([rate]), np.ones(1))


def kept(card: Card, *, cap: float | None = None, doubt: float = 0.05) -> float:
    """Share of a gap that a judge keeps: a lower quantile of sensitivity − false-positive rate under its card.

    Labels of a judge with the same errors everywhere show a true gap times this.

    Args:
        card: (tp, P, tn, Ng), `ErrorRates`, or None for a judge that never errs (it keeps all).
        cap: as in `ErrorRates.of`.
        doubt: chance that the judge keeps less.

    >>> round(kept((190, 198, 276, 290)), 4), kept(None)
    (0.8739, 1.0)
    """
    errors = ErrorRates.of(card, cap=cap)
    false, weights = rate_nodes(errors.false_positive, _NODES)
    sensitivity = errors.sensitivity
    if not isinstance(sensitivity, Beta):
        if isinstance(errors.false_positive, Beta):
            raise StatsError("only the false-positive rate is in doubt; wanted both rates, the sensitivity, or neither")
        return sensitivity - float(false[0])
    low, high = -1.0, 1.0
    for _ in range(_QUANTILE_STEPS):
        middle = (low + high) / 2
        below = float(weights @ beta_at_most(middle + false, *sensitivity))
        low, high = (middle, high) if below < doubt else (low, middle)
    return high
