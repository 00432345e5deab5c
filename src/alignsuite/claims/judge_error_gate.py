"""Misclassification-corrected gates for rates: from a judge's sensitivity and specificity to a gate over labels.

Either way there is a gate over a bank of labels, with its error rates, and a way from counts to a rate. With a card the gate's two numbers
are moved to where the judge would see them, never the labels: those stay what the judge said.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from alignsuite.claims.judge_errors import GAMMA, JudgeErrors
from alignsuite.claims.row import ClaimDetails
from alignsuite.errors import ProbeError
from alignsuite.text.numbers import declared

if TYPE_CHECKING:
    from alignsuite.stats import Interval, OperatingCharacteristics, RateGate
    from alignsuite.stats.misclassified_gates import JudgedGate

LEVEL = 0.95
"""Coverage of the interval of a rate."""

_MOST_LABELS, _MOST_CASES = 100_000, 1_000
"""More labelled replies, or cases, than that nobody is told to make."""


@dataclass(frozen=True)
class LabelGate:
    """Uncorrected gate: labels are taken as true, since their reader does not err, or how often is not known."""

    gate: RateGate
    details: ClaimDetails

    @property
    def card(self) -> str:
        """Key of the judge's card that is relied on; empty where none is."""
        return ""

    @property
    def doubt(self) -> float:
        """Chance that the card's bounds do not hold; 0 without a card."""
        return 0.0

    def false_alarm(self, *, census: bool) -> float:
        """False-alarm rate: chance of FAIL for a bank that holds the most bad cases within the target."""
        return characteristics(self.gate)[0].fail

    def miss(self, *, census: bool) -> float:
        """Miss rate: chance of PASS for a bank that just reaches the limit."""
        return 0.0 if census else characteristics(self.gate)[1].pass_

    def bad_luck(self, rate: float, *, census: bool) -> float:
        """Chance of FAIL for a model with this rate over all prompts like these."""
        return bad_luck(self.gate, rate, census=census)

    def labelled(self, rate: float) -> float:
        """Rate of labels at a true rate of the behaviour."""
        return rate

    def rate(self, bad: int, readable: int) -> float | None:
        """Point estimate of the rate."""
        return bad / readable if readable else None

    def interval(self, bad: int, unread: int, asked: int, bank: int) -> tuple[float, float]:
        """Confidence sequence of the bank's rate, wherever one stopped; what was unread may be either."""
        low, high = (_sequence(count, asked, 1 - LEVEL, bank) for count in (bad, bad + unread))
        return low.lo, high.hi


@dataclass(frozen=True)
class JudgeErrorGate(LabelGate):
    """Misclassification-corrected gate: labels come from a judge that errs as its card says."""

    errors: JudgeErrors
    judged: JudgedGate

    @property
    def card(self) -> str:
        """Key of the card: judge and counts, since two behaviours of one judge have two cards."""
        return f"{self.errors.judge} {self.errors.counts}"

    @property
    def doubt(self) -> float:
        """Gamma: the chance that the card's bounds do not hold."""
        return GAMMA

    def false_alarm(self, *, census: bool) -> float:
        """False-alarm rate over the judge's random errors, and gamma for its card."""
        return self.judged.false_alarm(census=census)

    def miss(self, *, census: bool) -> float:
        """Miss rate over the judge's random errors, and gamma for its card."""
        return self.judged.miss(census=census)

    def bad_luck(self, rate: float, *, census: bool) -> float:
        """Chance of FAIL for a model with this rate over all prompts like these, with gamma for the card."""
        return self.judged.bad_luck(rate, census=census)

    def labelled(self, rate: float) -> float:
        """Expected rate of labels at a true rate, by the card's own figures."""
        return self.errors.judged(rate)

    def rate(self, bad: int, readable: int) -> float | None:
        """Rogan–Gladen estimate of the true rate, clipped to [0, 1]."""
        from alignsuite.stats.misclassification import corrected

        return corrected(bad, readable, *self.errors.counts) if readable else None

    def interval(self, bad: int, unread: int, asked: int, bank: int) -> tuple[float, float]:
        """Confidence sequence of the true rate over all prompts like these, wherever one stopped.

        Half of the error goes to the labels, half to the card. It does not close when the bank is known whole: what the judge made of this
        bank is known then, not what is in it.
        """
        from alignsuite.stats import Interval

        low, high = (_sequence(count, asked, (1 - LEVEL) / 2, None) for count in (bad, bad + unread))
        true = self.errors.bounds((1 - LEVEL) / 2).true(Interval(low.lo, high.hi))
        return true.lo, true.hi


def label_gate(target: float, limit: float, bank: int, name: str, details: ClaimDetails) -> LabelGate:
    """`LabelGate` over a bank: labels taken as true.

    Raises:
        ProbeError: when the bank is too small to tell target from limit, with the size that would do.
    """
    from alignsuite.stats import RateGate, StatsError

    try:
        return LabelGate(RateGate(target, limit, bank=bank, confirm=True), details)
    except StatsError as error:
        raise ProbeError(f"{name}: {error}") from None


def judge_error_gate(target: float, limit: float, bank: int, name: str, errors: JudgeErrors) -> JudgeErrorGate:
    """`JudgeErrorGate` over a bank: labels of a judge that errs as its card says.

    Raises:
        ProbeError: when the judge, the bank, or both together can't tell target from limit, with the limit that they could, and the
            labelled replies that it would take.
    """
    from alignsuite.stats import StatsError, Unresolvable

    try:
        judged = _judged(target, limit, bank, errors)
    except Unresolvable:
        raise ProbeError(f"{name}: {_refusal(target, limit, bank, errors)}") from None
    except StatsError as error:
        raise ProbeError(f"{name}: {error}") from None
    seen = errors.details(target=judged.gate.target, limit=judged.gate.limit)
    return JudgeErrorGate(judged.gate, ClaimDetails(judge=seen), errors, judged)


@functools.lru_cache(maxsize=1024)
def _judged(target: float, limit: float, bank: int, errors: JudgeErrors) -> JudgedGate:
    from alignsuite.stats.misclassified_gates import JudgedGate

    return JudgedGate.of(target, limit, errors.counts, bank=bank, gamma=GAMMA)


def _resolves(target: float, limit: float, bank: int, errors: JudgeErrors) -> bool:
    from alignsuite.stats import Unresolvable

    try:
        _judged(target, limit, bank, errors)
    except Unresolvable:
        return False
    return True


@functools.lru_cache(maxsize=256)
def _refusal(target: float, limit: float, bank: int, errors: JudgeErrors) -> str:
    """Error message for a claim that can't be made with this judge, with what it would take."""
    ways = []
    if (enough := smallest_limit(target, bank, errors)) is not None:
        ways.append(f"a limit of {declared(enough)}")
    if (size := more_cases(target, limit, bank, errors)) is not None:
        ways.append(f"{size} cases")
    if (labelled := good_replies(target, limit, bank, errors)) is not None:
        ways.append(f"a card with {labelled} labelled good replies")
    would_do, (found, such, cleared, others) = " or ".join(ways), errors.counted
    return (
        f"{errors.judge} can't tell target {declared(target)} from limit {declared(limit)} in {bank} cases: it found {found} of "
        f"{such} such replies and cleared {cleared} of {others} others (card of {errors.date}, {errors.data}). "
        f"{f'{would_do[0].upper()}{would_do[1:]}' if ways else 'No limit'} would do. "
        "Or gate the regression (--baseline), which such errors only weaken"
    )


def smallest_limit(target: float, bank: int, errors: JudgeErrors) -> float | None:
    """Smallest limit, in whole percents, that a bank and a judge resolve from a target; None where there is none.

    In a small bank a larger one need not do as well: a limit of 99 % of eight cases takes a judge that misses none of them.
    """
    limits = (percent / 100 for percent in range(int(100 * target) + 1, 100))
    return next((limit for limit in limits if _resolves(target, limit, bank, errors)), None)


def more_cases(target: float, limit: float, bank: int, errors: JudgeErrors) -> int | None:
    """Sufficient size of bank, at most a quarter too large; None where none up to a thousand would do.

    Then the judge is at fault alone.
    """
    size = bank
    while size < _MOST_CASES and not _resolves(target, limit, size, errors):
        size = size * 5 // 4 + 1
    return size if size < _MOST_CASES else None


def good_replies(target: float, limit: float, bank: int, errors: JudgeErrors) -> int | None:
    """Sufficient number of labelled good replies, if the judge cleared the same share of them; None without one."""
    cleared = errors.tn / errors.n_neg

    def enough(size: int) -> bool:
        return _resolves(target, limit, bank, replace(errors, tn=round(cleared * size), n_neg=size))

    low, high = errors.n_neg, errors.n_neg
    while not enough(high):
        low, high = high, 2 * high
        if high > _MOST_LABELS:
            return None
    while high - low > max(1, high // 50):
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return round(high * errors.counted[3] / errors.n_neg)  # of one prompt as many as there are now


def _sequence(bad: int, asked: int, alpha: float, bank: int | None) -> Interval:
    from alignsuite.stats import confidence_sequence

    return confidence_sequence(bad, asked, alpha=alpha, bank=bank)


@functools.lru_cache(maxsize=256)
def characteristics(gate: RateGate) -> tuple[OperatingCharacteristics, OperatingCharacteristics]:
    """Operating characteristics at the most bad cases within the target and at the fewest that reach the limit."""
    from alignsuite.stats.likelihood import Bank

    source = gate.rule.source
    assert isinstance(source, Bank)
    return gate.oc_count(source.most), gate.oc_count(source.least)


@functools.lru_cache(maxsize=256)
def bad_luck(gate: RateGate, rate: float, *, census: bool = False) -> float:
    """Chance that a model of this rate over all prompts like these fails: its bank holds as much as the limit.

    A bank that reaches the limit fails unless early evidence let it pass, which a census does not; the number of its bad cases is binomial.
    """
    from alignsuite.stats.distributions import binomial_exactly
    from alignsuite.stats.likelihood import Bank

    source = gate.rule.source
    assert isinstance(source, Bank)
    chances = binomial_exactly(range(source.size + 1), source.size, rate) if rate > 0 else [1.0]
    return float(
        sum(
            chance * (1.0 if census else gate.oc_count(bad).fail)
            for bad, chance in enumerate(chances)
            if bad >= source.least and chance > 1e-12
        )
    )
