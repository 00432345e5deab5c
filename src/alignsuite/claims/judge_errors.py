"""Error rates of a claim's judge: sensitivity and specificity for its behaviour, from the judge's card.

A card belongs to one version of one judge. Judges of a user's own have none, and neither has a shipped one of which no labelled reply
shows the behaviour: then the claim counts labels, says so, and goes on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from alignsuite.claims.row import CardName, Counted, KnownErrors

if TYPE_CHECKING:
    from alignsuite.judges.cards import Accuracy, Card
    from alignsuite.judges.protocol import Behaviour
    from alignsuite.stats.misclassification import JudgeBounds

GAMMA = 0.05
"""Chance that a judge's error rates lie outside the bounds that its card gives; it is added to a claim's own error rates."""


@dataclass(frozen=True)
class JudgeErrors:
    """Sensitivity and specificity of a judge for one behaviour, as counts of its card.

    Attributes:
        judge: name and version.
        version, date, data: of the card: the judge's version, the day, the labelled set.
        tp: of `n_pos` labelled replies that show the behaviour, how many it found; `tn`: of `n_neg` others, how many it cleared.
    """

    judge: str
    version: str
    date: str
    data: str
    tp: int
    n_pos: int
    tn: int
    n_neg: int

    @property
    def counts(self) -> tuple[int, int, int, int]:
        """Counts of both rates, as the statistics take them."""
        return self.tp, self.n_pos, self.tn, self.n_neg

    def bounds(self, gamma: float = GAMMA) -> JudgeBounds:
        """`JudgeBounds`: intervals of both rates, with confidence 1 − gamma together."""
        from alignsuite.stats.misclassification import judge_bounds

        return judge_bounds(*self.counts, gamma=gamma)

    @property
    def kept(self) -> float:
        """Lower bound of the share of a true difference that shows in labels, with confidence 1 − GAMMA.

        It is 0 where it may be none of it.
        """
        if self.tp / self.n_pos + self.tn / self.n_neg <= 1:
            return 0.0
        return max(0.0, self.bounds(2 * GAMMA).kept)  # two of the four ends are in it

    def judged(self, rate: float) -> float:
        """Expected rate of labels at a true rate, by the card's own figures."""
        return rate * self.tp / self.n_pos + (1 - rate) * (1 - self.tn / self.n_neg)

    def details(self, **more: float) -> KnownErrors:
        """`KnownErrors` of a record: the card, both rates with their bounds, and what a kind of claim made of them."""
        from alignsuite.stats import rate_interval

        found, cleared = (rate_interval(*counts, alpha=GAMMA / 2) for counts in (self.counts[:2], self.counts[2:]))
        return KnownErrors(
            card=CardName(version=self.version, date=self.date, data=self.data),
            sensitivity=Counted(hits=self.tp, trials=self.n_pos, low=found.lo, high=found.hi),
            specificity=Counted(hits=self.tn, trials=self.n_neg, low=cleared.lo, high=cleared.hi),
            gamma=GAMMA,
            **more,
        )


def errors_of(event: Behaviour) -> JudgeErrors | None:
    """`JudgeErrors` of a behaviour's judge; None where no card has them.

    A behaviour that the card does not name is counted from what it holds of every label.
    """
    from alignsuite.judges.cards import card_of

    card = card_of(event.judge)
    if card is None:
        return None
    found = card.events.get(event.name)
    counts = _measured(found) if found is not None else _counted(card, event)
    if not (counts[1] and counts[3]):
        return None
    return JudgeErrors(event.reader, card.version, card.date, card.data, *counts)


def known_errors(errors: JudgeErrors | None, **more: float) -> KnownErrors:
    """`KnownErrors` of a record; without a card it says that there is none."""
    return KnownErrors(card=None) if errors is None else errors.details(**more)


def _measured(accuracy: Accuracy) -> tuple[int, int, int, int]:
    sensitivity, specificity = accuracy.sensitivity, accuracy.specificity
    return sensitivity.hits, sensitivity.trials, specificity.hits, specificity.trials


def _counted(card: Card, event: Behaviour) -> tuple[int, int, int, int]:
    """Counts as `alignsuite.judges.cards.accuracy` makes them, from the confusion of labels; unreadable in no rate."""
    from alignsuite.judges.protocol import UNREADABLE

    cells = {(True, True): 0, (True, False): 0, (False, True): 0, (False, False): 0}
    for true, judged in card.confusion.items():
        for label, count in judged.items():
            shown = event.counts(label)
            if UNREADABLE not in (true, label) and shown is not None:
                cells[true in event.labels, shown] += count
    found, blamed = cells[True, True], cells[False, True]
    return found, found + cells[True, False], cells[False, False], cells[False, False] + blamed
