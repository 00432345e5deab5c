"""Error rates of a claim's judge: sensitivity and specificity for its behaviour, from the judge's card.

A card belongs to one version of one judge, and enters a verdict only where people gave its labels: a language model's labels say how
often two machines agree. Judges of a user's own have none, and neither has a shipped one of which no labelled reply shows the
behaviour: then the claim counts labels, says so, and goes on.

A judge errs otherwise on harmless requests than on harmful ones, so each rate is that of the strata that fit the set (`expect`), put
together with further ones where they hold too few. Counts are effective ones: replies to one prompt are no independent trials.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from alignsuite.claims.row import CardName, Counted, KnownErrors

if TYPE_CHECKING:
    from alignsuite.judges.cards import Card, Rate
    from alignsuite.judges.protocol import Behaviour

CAP = 200
"""Labelled replies of a kind that a card counts as at most: it is of other replies than those judged, until people checked it on these."""

DOUBT = 0.05
"""Chance that labels show less of a difference than `JudgeErrors.kept`."""

_TOO_FEW = 100
"""Independent trials below which a stratum is put together with others: 100 without an error leave four points open, more than
strata of one judge differ by."""

ALL = "all"
"""Name of the whole card, where no narrower strata are used."""


@dataclass(frozen=True)
class JudgeErrors:
    """Sensitivity and specificity of a judge for one behaviour, as counts of its card.

    Attributes:
        judge: name and version.
        version, date, data: of the card: the judge's version, the day, the labelled set.
        tp: of `n_pos` labelled replies that show the behaviour, how many it found; `tn`: of `n_neg` others, how many it cleared: as
            many independent ones as tell what the card's do.
        labelled_by: whose labels the card rests on.
        strata: of the card's replies that the first and the second rate come from, such as `harmless + borderline`; or `all`.
        replies: hits and trials of both rates as they were counted; empty where they are `counts`.
    """

    judge: str
    version: str
    date: str
    data: str
    tp: int
    n_pos: int
    tn: int
    n_neg: int
    labelled_by: str = ""
    strata: tuple[str, str] = (ALL, ALL)
    replies: tuple[int, ...] = ()

    @property
    def counted(self) -> tuple[int, ...]:
        """Hits and trials of both rates as a person counts them."""
        return self.replies or self.counts

    @property
    def counts(self) -> tuple[int, int, int, int]:
        """Counts of both rates, as the statistics take them."""
        return self.tp, self.n_pos, self.tn, self.n_neg

    @property
    def kept(self) -> float:
        """Share of a true difference that shows in labels: with 95 % no less than this, by the card.

        It is 0 where it may be none of it.
        """
        from alignsuite.stats import Unresolvable, kept

        try:
            return max(0.0, kept(self.counts, cap=CAP, doubt=DOUBT))
        except Unresolvable:
            return 0.0

    def judged(self, rate: float) -> float:
        """Expected rate of labels at a true rate, by the card's own figures."""
        return rate * self.tp / self.n_pos + (1 - rate) * (1 - self.tn / self.n_neg)

    def details(self, **more: float) -> KnownErrors:
        """`KnownErrors` of a record: the card, both rates with their bounds, and what a kind of claim made of them."""
        from alignsuite.stats import rate_interval

        rates = []
        for place, counts, stratum in ((0, self.counts[:2], self.strata[0]), (2, self.counts[2:], self.strata[1])):
            interval, (hits, trials) = rate_interval(*counts, alpha=DOUBT / 2), self.counted[place : place + 2]
            rates.append(
                Counted(
                    hits=hits, trials=trials, low=interval.lo, high=interval.hi, effective=counts[1], stratum=stratum
                )
            )
        known = KnownErrors(
            card=CardName(version=self.version, date=self.date, data=self.data, labelled_by=self.labelled_by),
            sensitivity=rates[0],
            specificity=rates[1],
        )
        return known.model_copy(update=more)


def errors_of(event: Behaviour, expect: str | None = None) -> JudgeErrors | None:
    """`JudgeErrors` of a behaviour's judge; None where no card has them, or none on people's labels.

    Args:
        event: the behaviour.
        expect: what a good model does with the prompts, `answer` or `refuse`, or None where the set does not say: which strata fit.
    """
    from alignsuite.judges.cards import card_of

    card = card_of(event.judge)
    return errors_in(card, event, expect) if card is not None and card.by_people else None


def errors_in(card: Card, event: Behaviour, expect: str | None = None) -> JudgeErrors | None:
    """`JudgeErrors` for a behaviour by a card, whoever labelled it; None where it has no such replies, or no others.

    A behaviour that the card does not name is counted from what it holds of every label, in all strata together; unless the judge gave
    labels that no reader gave, for then nobody knows which replies the readers would have called so.
    """
    from alignsuite.judges.cards import POOLS

    if event.name in card.events:
        pools = [" + ".join(strata) for strata in POOLS.get(expect or "", ())]
        named = [(name, card.pools[name][event.name]) for name in pools if event.name in card.pools.get(name, {})]
        named.append((ALL, card.events[event.name]))
        found = next((name, both.sensitivity) for name, both in named if _enough(both.sensitivity) or name == ALL)
        cleared = next((name, both.specificity) for name, both in named if _enough(both.specificity) or name == ALL)
        counts = (*found[1].counts, *cleared[1].counts)
        replies = (found[1].hits, found[1].trials, cleared[1].hits, cleared[1].trials)
        strata = (found[0], cleared[0])
    else:
        counts, replies, strata = *_unnamed(card, event), (ALL, ALL)
    if not (counts[1] and counts[3]):
        return None
    return JudgeErrors(
        event.reader,
        card.version,
        card.date,
        card.data,
        *counts,
        labelled_by=card.labelled_by,
        strata=strata,
        replies=replies,
    )


def known_errors(errors: JudgeErrors | None, of: Behaviour, **more: float) -> KnownErrors:
    """`KnownErrors` of a record; without a card on people's labels it names the one that is set aside."""
    from alignsuite.judges.cards import card_of

    if errors is not None:
        return errors.details(**more)
    card = card_of(of.judge)
    if card is None or card.by_people:
        return KnownErrors(card=None)
    name = CardName(version=card.version, date=card.date, data=card.data, labelled_by=card.labelled_by)
    return KnownErrors(card=None, set_aside=name)


def _enough(rate: Rate) -> bool:
    return rate.counts[1] >= _TOO_FEW


def _unnamed(card: Card, event: Behaviour) -> tuple[tuple[int, int, int, int], tuple[int, int, int, int]]:
    """Counts as `alignsuite.judges.cards.accuracy` makes them, from the confusion of labels; unreadable in no rate.

    The confusion knows no clusters, so trials count as little as in the behaviour of the card where they count least.
    """
    from alignsuite.judges.protocol import UNREADABLE

    labels = {label for judged in card.confusion.values() for label in judged} - {UNREADABLE}
    if not labels <= card.confusion.keys():
        return (0, 0, 0, 0), (0, 0, 0, 0)
    cells = {(True, True): 0, (True, False): 0, (False, True): 0, (False, False): 0}
    for true, judged in card.confusion.items():
        for label, count in judged.items():
            shown = event.counts(label)
            if UNREADABLE not in (true, label) and shown is not None:
                cells[true in event.labels, shown] += count
    found, cleared = cells[True, True], cells[False, False]
    replies = (found, found + cells[True, False], cleared, cleared + cells[False, True])
    rates = [rate for both in card.events.values() for rate in (both.sensitivity, both.specificity) if rate.trials]
    share = min((rate.counts[1] / rate.trials for rate in rates), default=1.0)
    trials = round(replies[1] * share), round(replies[3] * share)
    hits = [
        round(hit / max(1, size) * left) for hit, size, left in zip(replies[::2], replies[1::2], trials, strict=True)
    ]
    return (hits[0], trials[0], hits[1], trials[1]), replies
