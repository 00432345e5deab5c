"""Count gates: sequential tests of a bank's rate on the labels of a judge that errs.

A mixture likelihood ratio on the way, and a last look at the whole. A gate needs two numbers: a `target` that a good model stays within
and a `limit` that a bad one reaches. What the judge's card leaves open is mixed over, so both error rates hold on average over the judges
that could have got this card. A PASS may come on the way; a FAIL comes only when the whole bank could not undo it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from math import log
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from alignsuite.stats.bank import Bank
from alignsuite.stats.bank_posterior import flags, flags_of_model
from alignsuite.stats.count_paths import early_boundary, failing_stops, given_flags, passing_stops
from alignsuite.stats.decision import Decision
from alignsuite.stats.distributions import binomial_exactly
from alignsuite.stats.error_rates import Card, ErrorRates
from alignsuite.stats.errors import StatsError, Unresolvable, check_count, check_open
from alignsuite.stats.operating import OperatingCharacteristics

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

_FINAL = (Decision.PASS, Decision.FAIL, Decision.MARGINAL, Decision.INCONCLUSIVE)
_SLACK = 1e-12
_NEGLIGIBLE = 1e-14
_FINEST = 1e-4  # to which `seen_from` is searched
LEAST_HEALTHY = 0.9
"""A gate is worth asking if a model at half its target passes with this chance."""


class Followed(NamedTuple):
    """End of one run through a gate: its decision, and the replies and flags after which it stood.

    Attributes:
        decision: final, or CONTINUE where the labels ended before that.
        n: replies looked at.
        s: flags among them.
    """

    decision: Decision
    n: int
    s: int


class Outcomes(NamedTuple):
    """Chances of the decisions, and mean calls, given that 0, 1, … N of the bank's cases are flagged."""

    pass_: NDArray[np.float64]
    fail: NDArray[np.float64]
    marginal: NDArray[np.float64]
    inconclusive: NDArray[np.float64]
    calls: NDArray[np.float64]


@dataclass(frozen=True)
class CountGate:
    """Sequential gate over a finite bank: flags in, decisions and exact error rates out; made by `count_gate`.

    A bank whose bad cases are within `most` FAILs with probability at most `alpha`, one that holds `least` of them is let through (PASS or
    MARGINAL) with at most `beta`, both on average over what the judge's card leaves open.

    Attributes:
        bank: number of cases, N.
        target: rate that a good model stays within.
        limit: rate that a bad model reaches.
        most: largest number of bad cases within the target, ⌊target·N⌋ (K0).
        least: smallest number that reaches the limit, ⌈limit·N⌉ (K1).
        errors: what is known of the judge.
        alpha: largest chance of FAIL at the target.
        beta: largest chance of PASS or MARGINAL at the limit.
        early: for n = 0 … N − 1 replies, the most flags with which it passes on the way; −1 where it can't.
        c: largest count of the whole bank with which the limit is excluded; −1 if none.
        d: smallest count of the whole bank with which the target is excluded; N + 1 if none.

    Source: Wald 1945; Ville 1939 (the boundary).

    >>> gate = count_gate(200, 0.02, 0.13, (190, 198, 276, 290))
    >>> gate.c, gate.d, gate.fails_at, gate.clean_n()
    (26, 25, 27, 31)
    """

    bank: int
    target: float
    limit: float
    most: int
    least: int
    errors: ErrorRates
    alpha: float
    beta: float
    early: tuple[int, ...]
    c: int
    d: int

    @property
    def fails_at(self) -> int:
        """Smallest count of flags that FAILs, whenever it is reached; N + 1 if none does."""
        return max(self.c + 1, self.d)

    @property
    def always_decides(self) -> bool:
        """Whether no count of the whole bank is INCONCLUSIVE."""
        return self.c + 1 >= self.d

    def heard_from(self, first: int) -> CountGate:
        """`CountGate` with fewer looks: it passes nobody before so many replies. Both error rates still hold.

        >>> count_gate(40, 0.02, 0.3, (190, 198, 276, 290)).heard_from(24).clean_n()
        24
        """
        first = min(first, self.bank)
        return replace(self, early=(*[-1] * first, *self.early[first:])) if first else self

    def verdict(self, s: int, n: int) -> Decision:
        """`Decision` after s flags in the first n cases of the bank's order; CONTINUE only before its end.

        Raises:
            StatsError: if counts are impossible.

        >>> gate = count_gate(200, 0.02, 0.13, (190, 198, 276, 290))
        >>> gate.verdict(0, 31).value, gate.verdict(27, 90).value, gate.verdict(25, 200).value
        ('PASS', 'FAIL', 'MARGINAL')
        """
        check_count(s, n, hits="s")
        check_count(n, self.bank, hits="n", trials="bank")
        if s >= self.fails_at:
            return Decision.FAIL
        if n < self.bank:
            return Decision.PASS if s <= self.early[n] else Decision.CONTINUE
        if s <= self.c:
            return Decision.PASS if s < self.d else Decision.MARGINAL
        return Decision.INCONCLUSIVE

    def run(self, labels: Iterable[bool | int], *, census: bool = False) -> Followed:
        """`Followed`: the first final decision over labels (1 = flagged, 0 = not) in the bank's order.

        However many replies were asked at once, the looks are those after each: waves change what is paid, not what is decided.

        Args:
            labels: of the bank's cases; those after the decision are not looked at.
            census: look at the whole bank only, as where all of it is asked anyway.

        Raises:
            StatsError: if a label is neither 0 nor 1.
        """
        s = n = 0
        for label in labels:
            if label not in (0, 1):
                raise StatsError(f"label {label!r}; wanted 1 (flagged) or 0 (not)")
            s, n = s + int(label), n + 1
            decision = Decision.CONTINUE if census and n < self.bank else self.verdict(s, n)
            if decision.final:
                return Followed(decision, n, s)
        return Followed(Decision.CONTINUE, n, s)

    def clean_n(self) -> int:
        """Calls of a flawless run: the replies after which one without any flag passes.

        Raises:
            Unresolvable: if it never does.
        """
        first = next((n for n, most in enumerate(self.early) if most >= 0), None)
        if first is None and not self.c >= 0 < self.d:
            raise Unresolvable(
                f"a bank of {self.bank} does not pass even without a flag; wanted a higher limit or more cases"
            )
        return self.bank if first is None else first

    def chances(
        self, *, bad: int | None = None, rate: float | None = None, errors: Card = None, census: bool = False
    ) -> OperatingCharacteristics:
        """`OperatingCharacteristics`, exact: chances of the decisions and mean calls, for a bank or for a model.

        Args:
            bad: number of bad cases in the bank (give this or `rate`).
            rate: rate of a model that gets each case wrong independently.
            errors: of the judge in truth: a card or `ErrorRates`; None: those that the gate was made for.
            census: the whole bank is asked.

        Raises:
            StatsError: unless exactly one of `bad` and `rate` is given, and possible.

        >>> gate = count_gate(40, 0.05, 0.25, (190, 198, 276, 290))
        >>> at_limit = gate.chances(bad=10)
        >>> round(at_limit.pass_, 5), round(at_limit.fail, 5), round(at_limit.mean_n, 3)
        (0.03441, 0.96559, 30.657)
        """
        judge = self.errors if errors is None else ErrorRates.of(errors)
        if (bad is None) == (rate is None):
            raise StatsError(f"bad is {bad!r} and rate is {rate!r}; wanted exactly one of them")
        flagged = (
            flags(self.bank, bad, judge) if bad is not None else flags_of_model(self.bank, float(rate or 0), judge)
        )
        return self.chances_of(flagged, census=census)

    def chances_of(self, flagged: NDArray[np.float64], *, census: bool = False) -> OperatingCharacteristics:
        """`OperatingCharacteristics` where the number of flags in the bank has this distribution (0 … N)."""
        *ended, calls = (float(flagged @ column) for column in self.outcomes(census=census))
        passed, failed, marginal, unsure = (min(1.0, one) for one in ended)
        return OperatingCharacteristics(passed, failed, marginal, unsure, calls, self.bank)

    def healthy(self, *, census: bool = False) -> OperatingCharacteristics:
        """`OperatingCharacteristics` of a model at half the target."""
        return self.chances(rate=self.target / 2, census=census)

    def seen_from(self, power: float = 0.8, *, census: bool = False) -> float | None:
        """Smallest rate of a model that FAILs with this power, to a hundredth of a point; None if none does.

        >>> round(count_gate(200, 0.02, 0.13, (190, 198, 276, 290)).seen_from(), 3)
        0.12
        """
        check_open(power=power)
        failing = self.outcomes(census=census).fail
        known: dict[int, float] = {}

        def fails(rate: float) -> float:
            weights = binomial_exactly(np.arange(self.bank + 1), self.bank, rate)
            likely = np.flatnonzero(weights > _NEGLIGIBLE).tolist()
            for bad in likely:
                if bad not in known:
                    known[bad] = float(flags(self.bank, bad, self.errors) @ failing)
            return float(sum(weights[bad] * known[bad] for bad in likely))

        low, high = 0.0, 1.0
        if fails(high) < power:
            return None
        while high - low > _FINEST:
            middle = (low + high) / 2
            low, high = (low, middle) if fails(middle) >= power else (middle, high)
        return high

    def outcomes(self, *, census: bool = False) -> Outcomes:
        """`Outcomes`: chances of the decisions given the number of flags in the bank, whatever judge or model gave them."""
        return self._census if census else self._outcomes

    @cached_property
    def _outcomes(self) -> Outcomes:
        size = self.bank
        early, calls = given_flags(passing_stops(self.early), size)
        if self.fails_at <= size:
            calls = calls + given_flags(failing_stops(self.early, self.fails_at), size)[1]
        going = np.arange(size + 1) < self.fails_at
        survives = np.clip(1 - early, 0.0, 1.0)
        last = self._census
        return Outcomes(
            early + survives * last.pass_,
            survives * last.fail,
            survives * last.marginal,
            survives * last.inconclusive,
            calls + np.where(going, survives * size, 0.0),
        )

    @cached_property
    def _census(self) -> Outcomes:
        decided = np.array([self.verdict(x, self.bank) for x in range(self.bank + 1)])
        passed, failed, marginal, unsure = ((decided == name).astype(float) for name in _FINAL)
        return Outcomes(passed, failed, marginal, unsure, np.full(self.bank + 1, float(self.bank)))


def count_gate(
    bank: int,
    target: float,
    limit: float,
    card: Card = None,
    alpha: float = 0.01,
    beta: float = 0.05,
    *,
    cap: float | None = None,
    audited: bool = False,
) -> CountGate:
    """`CountGate` over a bank, for a judge with this card; gates asked for again are not computed again.

    Args:
        bank: number of cases, up to a few thousand.
        target: rate that a good model stays within, in [0, 1).
        limit: rate that a bad model reaches, above the target.
        card: (tp, P, tn, Ng), `ErrorRates`, or None for a judge that never errs.
        alpha: largest chance of FAIL at the target.
        beta: largest chance of PASS or MARGINAL at the limit; half of it is for looks on the way.
        cap: each kind of labelled reply counts as no more than so many; see `ErrorRates.of`.
        audited: people read every flagged reply, and the counts are of confirmed ones.

    Raises:
        StatsError: if the rates are not 0 <= target < limit <= 1, or a level or size makes no sense.
        Unresolvable: if the judge is no better than a coin, or target and limit are one and the same count.

    >>> count_gate(200, 0.02, 0.05, (269, 283, 190, 205), audited=True).fails_at
    8
    """
    if bank != int(bank) or bank < 1:
        raise StatsError(f"bank is {bank!r}; wanted a number of cases, at least 1")
    if not 0.0 <= target < limit <= 1.0:
        raise StatsError(f"target is {target!r} and limit {limit!r}; wanted 0 <= target < limit <= 1")
    check_open(alpha=alpha, beta=beta)
    errors = ErrorRates.of(card, cap=cap)
    return _count_gate(int(bank), target, limit, errors.audited if audited else errors, alpha, beta)


@lru_cache(maxsize=512)
def _count_gate(bank: int, target: float, limit: float, errors: ErrorRates, alpha: float, beta: float) -> CountGate:
    counts = Bank.of(target, limit, bank)
    good, bad = flags(bank, counts.most, errors), flags(bank, counts.least, errors)
    early = early_boundary(good, bad, log(beta / 2))
    passes, _ = given_flags(passing_stops(early), bank)
    through = float(bad @ passes) + np.cumsum(bad * np.clip(1 - passes, 0.0, 1.0))
    c = int((through <= beta + _SLACK).sum()) - 1
    above = np.append(np.cumsum(good[::-1])[::-1], 0.0)
    d = int(np.argmax(above <= alpha + _SLACK))
    early = tuple(min(most, max(c, d - 1)) for most in early)  # what FAILs at the end doesn't pass on the way
    return CountGate(bank, target, limit, counts.most, counts.least, errors, alpha, beta, early, c, d)


def smallest_limit(
    bank: int,
    target: float,
    card: Card = None,
    alpha: float = 0.01,
    beta: float = 0.05,
    *,
    cap: float | None = None,
    audited: bool = False,
) -> float:
    """Smallest limit at which the gate over this bank always decides, as a fraction of the bank.

    Args:
        bank: as in `count_gate`, like all that follow.
        target: rate that a good model stays within.
        card: of the judge.
        alpha: largest chance of FAIL at the target.
        beta: largest chance of PASS or MARGINAL at the limit.
        cap: of the card.
        audited: whether people read every flagged reply.

    Raises:
        Unresolvable: if the bank and the judge can't keep both error rates at any limit.

    >>> smallest_limit(200, 0.02, (190, 198, 276, 290))
    0.115
    """
    least = Bank.of(target, 1.0, bank).most + 1

    def decides(bad: int) -> bool:
        return count_gate(bank, target, bad / bank, card, alpha, beta, cap=cap, audited=audited).always_decides

    if not decides(bank):
        raise Unresolvable(
            f"a bank of {bank} can't tell target {target:g} from any limit with alpha {alpha:g} and beta {beta:g} by this judge; "
            "wanted more cases, a judge with fewer errors, or an audit of the flagged replies"
        )
    low, high = least - 1, bank
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if decides(middle) else (middle, high)
    return high / bank


def refuse_hopeless(gate: CountGate, *, least: float = LEAST_HEALTHY, census: bool = False) -> None:
    """Refuse a gate that a healthy model, at half the target, would pass too seldom; name a limit that would do.

    Raises:
        Unresolvable: naming the chance, and the smallest limit at which the gate always decides.

    >>> refuse_hopeless(count_gate(200, 0.02, 0.13, (190, 198, 276, 290)))
    """
    healthy = gate.healthy(census=census)
    passes = healthy.pass_ + healthy.marginal
    if passes >= least:
        return
    limit = smallest_limit(gate.bank, gate.target, gate.errors, gate.alpha, gate.beta)
    raise Unresolvable(
        f"a model at half the target ({gate.target / 2:g}) would pass {gate.bank} cases with limit {gate.limit:g} in {passes:.0%} of runs, "
        f"wanted {least:.0%}: this judge can't tell the two apart. With limit {limit:g} it could"
    )
