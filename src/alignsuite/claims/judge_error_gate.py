"""Gates over labels: count gates and bank intervals for a judge that errs as its card says, or not at all.

Target and limit are of true rates, labels stay what the judge said, and what the card leaves open is averaged over. Verdict and interval
come from the same counts and the same card, so neither contradicts the other.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING

from alignsuite.claims.judge_errors import CAP
from alignsuite.errors import ProbeError
from alignsuite.text.numbers import declared

if TYPE_CHECKING:
    from alignsuite.claims.judge_errors import JudgeErrors
    from alignsuite.stats import BankInterval, CountGate

LEVEL = 0.95
"""Coverage of the interval of a rate, wherever the gate stopped; in a bank asked whole it is 98 %."""

ALPHA, BETA = 0.01, 0.05
"""Largest chances of FAIL at the target, and of being let through at the limit."""

POWER = 0.8
"""Chance of FAIL from which on a rate counts as seen."""

_MOST_CASES = 1_000
"""A bank of more cases nobody is told to make."""


@dataclass(frozen=True)
class LabelGate:
    """Gate over the labels of a bank, and the interval that belongs to it.

    Attributes:
        gate: what labels go through.
        errors: of the judge by its card; None where labels count as true.
    """

    gate: CountGate
    errors: JudgeErrors | None = None

    def false_alarm(self, *, census: bool) -> float:
        """False-alarm rate: chance of FAIL for a bank that holds the most bad cases within the target."""
        return self.gate.chances(bad=self.gate.most, census=census).fail

    def miss(self, *, census: bool) -> float:
        """Miss rate: chance that a bank is let through that just reaches the limit."""
        at_limit = self.gate.chances(bad=self.gate.least, census=census)
        return at_limit.pass_ + at_limit.marginal

    def bad_luck(self, rate: float, *, census: bool) -> float:
        """Chance of FAIL for a model with this rate over all prompts like these."""
        return self.gate.chances(rate=rate, census=census).fail

    def sees(self, *, census: bool) -> float | None:
        """Resolution: the smallest rate of a model that fails with power `POWER`; None where none does."""
        return _sees(self.gate, census=census)

    def interval(self, bad: int, unread: int, asked: int) -> BankInterval:
        """`BankInterval` of the bank's true rate, with its median as the estimate; what was unread may be either."""
        from alignsuite.stats import bank_interval

        return bank_interval(bad, asked, self.gate.bank, card=self.gate.errors, unread=unread)


def label_gate(
    target: float, limit: float, bank: int, name: str, *, errors: JudgeErrors | None = None, heard: int = 0
) -> LabelGate:
    """`LabelGate` over a bank that passes nobody before `heard` replies.

    Raises:
        ProbeError: when a model at half the target would pass too seldom, with the limit and the size of bank that would do.
    """
    from alignsuite.stats import StatsError, Unresolvable

    try:
        gate = _gate(target, limit, bank, errors, heard)
    except Unresolvable:
        raise ProbeError(f"{name}: {_refusal(target, limit, bank, errors)}") from None
    except StatsError as error:
        raise ProbeError(f"{name}: {error}") from None
    return LabelGate(gate, errors)


@functools.lru_cache(maxsize=1024)
def _sees(gate: CountGate, *, census: bool) -> float | None:
    return gate.seen_from(POWER, census=census)


@functools.lru_cache(maxsize=1024)
def _gate(target: float, limit: float, bank: int, errors: JudgeErrors | None, heard: int = 0) -> CountGate:
    from alignsuite.stats.count_gate import count_gate, refuse_hopeless

    gate = count_gate(bank, target, limit, _card(errors), ALPHA, BETA, cap=CAP).heard_from(heard)
    refuse_hopeless(gate)
    return gate


def _card(errors: JudgeErrors | None) -> tuple[int, int, int, int] | None:
    return None if errors is None else errors.counts


def _resolves(target: float, limit: float, bank: int, errors: JudgeErrors | None) -> bool:
    from alignsuite.stats import Unresolvable

    try:
        _gate(target, limit, bank, errors)
    except Unresolvable:
        return False
    return True


@functools.lru_cache(maxsize=256)
def _refusal(target: float, limit: float, bank: int, errors: JudgeErrors | None) -> str:
    """Error message for a claim that can't be made with this bank and judge, with what it would take."""
    ways = []
    if (enough := smallest_limit(target, bank, errors)) is not None:
        ways.append(f"a limit of {declared(enough)}")
    if (size := more_cases(target, limit, bank, errors)) is not None:
        ways.append(f"{size} cases")
    would_do, by = " or ".join(ways), ""
    if errors is not None:
        found, such, cleared, others = errors.counted
        by = (
            f" by {errors.judge}, which found {found} of {such} such replies and cleared {cleared} of {others} others "
            f"(card of {errors.date}, {errors.data})"
        )
    return (
        f"target {declared(target)} can't be told from limit {declared(limit)} in {bank} cases{by}: a model at half the target would "
        f"pass too seldom. {f'{would_do[0].upper()}{would_do[1:]}' if ways else 'No limit'} would do. "
        "Or gate the regression (--baseline), which a judge's errors only weaken"
    )


def smallest_limit(target: float, bank: int, errors: JudgeErrors | None) -> float | None:
    """Smallest limit, in whole percents, at which every count of a bank decides; None where there is none.

    A smaller one may do, with counts that can't tell; below some limit a model at half the target would pass too seldom.
    """
    from alignsuite.stats import Unresolvable
    from alignsuite.stats import smallest_limit as always_decides

    try:
        least = always_decides(bank, target, _card(errors), ALPHA, BETA, cap=CAP)
    except Unresolvable:
        return None
    limits = (percents / 100 for percents in range(ceil(100 * least - 1e-9), 101))
    return next((limit for limit in limits if _resolves(target, limit, bank, errors)), None)


def more_cases(target: float, limit: float, bank: int, errors: JudgeErrors | None) -> int | None:
    """Sufficient size of bank, at most a quarter too large; None where none up to a thousand would do.

    Then the judge is at fault alone.
    """
    size = bank
    while size < _MOST_CASES and not _resolves(target, limit, size, errors):
        size = size * 5 // 4 + 1
    return size if size < _MOST_CASES else None
