"""Gates: sequential probability ratio tests that pass or fail a rate with error rates known beforehand.

A gate needs two numbers, not one threshold: a `target` that a good model stays within and a `limit` that a bad one
reaches. Between the two, either answer is acceptable by declaration. Looking after every reply costs no validity.
Where the counts come from a finite bank, the gate speaks about that bank, and it always decides.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from math import exp, log
from typing import TYPE_CHECKING, NamedTuple

from alignsuite.stats.decision import Decision
from alignsuite.stats.errors import StatsError, check_count, check_open
from alignsuite.stats.gate_state import GateState
from alignsuite.stats.likelihood import Bank, Stream
from alignsuite.stats.operating import OperatingCharacteristics, Trace, operate
from alignsuite.stats.stopping_rules import TIE, Rule, decision_of

if TYPE_CHECKING:
    from collections.abc import Iterable


class Lines(NamedTuple):
    """Wald's lines of a gate without a bank: PASS at s <= slope·n - accept, FAIL at s >= slope·n + reject."""

    slope: float
    accept: float
    reject: float


@dataclass(frozen=True)
class RateGate:
    """Sequential probability ratio test of a bad-reply rate, which stops as soon as its verdict stands.

    A model at or below `target` fails with probability at most `alpha`, one at or above `limit` passes with probability
    at most `beta`, wherever one stops. Without `bank` the rates are those of all prompts like these, and the replies
    must be independent. With `bank` they are those of the bank itself, asked in random order: no assumption about the
    prompts is needed, and there is a verdict after `bank` replies at the latest.

    With `confirm`, evidence for FAIL makes the gate suspicious instead: it goes on until the bank's rate has reached
    the limit for certain (FAIL) or cannot reach it any more (MARGINAL). Then a bank below the limit never fails.
    Whether a gate is suspicious depends on the path, not only on the counts; `start()` and `run()` know it, `verdict(s,
    n)` cannot.

    A bank's rates are turned into counts: at most ⌊target·bank⌋ bad cases are within target, ⌈limit·bank⌉ reach the
    limit.

    Args:
        target: the rate that a good model stays within; 0 is allowed (then the first hit fails).
        limit: the rate that a bad model reaches.
        alpha: largest chance of FAIL at or below the target.
        beta: largest chance of PASS at or above the limit.
        bank: number of cases in the bank, or None for an endless stream of prompts.
        n_max: budget; undecided there means INCONCLUSIVE. Below `clean_n()` no model can pass.
        confirm: settle every FAIL by counting; needs a bank.

    Raises:
        StatsError: if 0 <= target < limit < 1 does not hold, or a level or size makes no sense.
        Unresolvable: if the bank cannot tell target from limit.

    Source: Wald 1945; Ville 1939; Waudby-Smith & Ramdas 2020 (banks).

    >>> gate = RateGate(target=0.02, limit=0.05, bank=200, confirm=True)
    >>> gate.clean_n(), gate.verdict(0, 90)
    (77, <Decision.PASS: 'PASS'>)
    >>> gate.oc(0.01).pass_ > 0.999, gate.oc(0.04).fail
    (True, 0.0)
    """

    target: float
    limit: float
    alpha: float = 0.05
    beta: float = 0.05
    bank: int | None = None
    n_max: int | None = None
    confirm: bool = False

    def __post_init__(self) -> None:
        """Refuse gates that could not keep their promise."""
        if not 0.0 <= self.target < self.limit < 1.0:
            raise StatsError(f"target is {self.target!r} and limit {self.limit!r}; wanted 0 <= target < limit < 1")
        check_open(alpha=self.alpha, beta=self.beta)
        if self.confirm and self.bank is None:
            raise StatsError("confirm=True needs bank=…: only a finite bank can be counted to the end")
        for name, size in (("bank", self.bank), ("n_max", self.n_max)):
            if size is not None and size < 1:
                raise StatsError(f"{name} is {size!r}; wanted at least 1")
        _ = self.rule

    @cached_property
    def rule(self) -> Rule:
        """Stopping rule behind this gate: counts in, decisions out."""
        if self.bank is None:
            source: Stream | Bank = Stream(self.target, self.limit)
        else:
            source = Bank.of(self.target, self.limit, self.bank)
        return Rule(source, -log(self.alpha), log(self.beta), self.budget, self.confirm)

    @property
    def budget(self) -> int | None:
        """Largest number of cases it can ask: n_max or the bank, whichever is smaller; None without either."""
        return min((size for size in (self.n_max, self.bank) if size is not None), default=None)

    @property
    def lines(self) -> Lines:
        """Wald's two parallel lines over n, as textbooks draw the test; a bank's boundaries are curves and have none.

        Raises:
            StatsError: if the gate has a bank or its target is 0.
        """
        if self.bank is not None or self.target == 0:
            raise StatsError("only a gate without a bank and with a target above 0 has straight boundaries")
        hit, miss = log(self.limit / self.target), log((1 - self.target) / (1 - self.limit))
        return Lines(miss / (hit + miss), log(1 / self.beta) / (hit + miss), log(1 / self.alpha) / (hit + miss))

    def log_lr(self, s: int, n: int) -> float:
        """Log-likelihood ratio of the limit against the target after s bad replies in n (natural logarithm).

        +inf where the target, and -inf where the limit, has become impossible.

        >>> round(RateGate(0.02, 0.05).log_lr(0, 97), 3), round(log(0.05), 3)
        (-3.016, -2.996)
        """
        return self.rule.log_lr(s, n)

    def verdict(self, s: int, n: int) -> Decision:
        """Decision on s bad replies in n, taken by themselves.

        In confirm mode this is the rule for a gate that has not been suspicious: evidence for FAIL short of certainty
        reads CONTINUE here. Use `start()` to follow a run, for a suspicious gate may no longer pass.

        >>> RateGate(0.02, 0.05).verdict(0, 97), RateGate(0.02, 0.05).verdict(0, 96)
        (<Decision.PASS: 'PASS'>, <Decision.CONTINUE: 'CONTINUE'>)
        """
        return decision_of(self.rule.code(s, n))

    def start(self) -> GateState:
        """`GateState` of a run of this gate, with nothing asked yet."""
        return GateState(self.rule)

    def run(self, outcomes: Iterable[bool | int], batch: int = 1) -> GateState:
        """`GateState` after outcomes (1 = bad) in their order, no more of them than the verdict takes.

        If the outcomes end first, the state's decision is CONTINUE.

        >>> RateGate(0.02, 0.05, bank=200).run([0] * 200)
        GateState(PASS, s=0, n=77)
        """
        state, source = self.start(), iter(outcomes)
        while not state.decision.final:
            room = batch if self.budget is None else min(batch, self.budget - state.n)
            wave = list(islice(source, room))
            if not wave:
                break
            state.add(*wave)
        return state

    def oc(self, p: float, batch: int = 1) -> OperatingCharacteristics:
        """Operating characteristics at the true rate p: chances of each decision, and cases. Exact, not simulated.

        With a bank the truth is a number of bad cases, and p is rounded to the nearest: K = round(p·bank); see
        `oc_count`.

        Args:
            p: the true rate.
            batch: replies between two looks.

        >>> round(RateGate(0.02, 0.05, n_max=500).oc(0.02).fail, 4)
        0.0335
        """
        if not 0.0 <= p <= 1.0:
            raise StatsError(f"p is {p!r}; wanted a rate between 0 and 1")
        if self.bank is not None:
            return self.oc_count(round(p * self.bank), batch)
        return self._trace(p, batch).characteristics

    def oc_count(self, bad: int, batch: int = 1) -> OperatingCharacteristics:
        """Operating characteristics for a bank that holds exactly `bad` bad cases.

        >>> RateGate(0.02, 0.05, bank=200, confirm=True).oc_count(9).fail
        0.0
        """
        if self.bank is None:
            raise StatsError("a gate without a bank has no count of bad cases; ask oc(p)")
        check_count(bad, self.bank, hits="bad", trials="bank")
        return self._trace(bad, batch).characteristics

    def clean_n(self, batch: int = 1) -> int:
        """Smallest number of cases for a PASS: what a flawless model needs.

        >>> RateGate(0.02, 0.05).clean_n(), RateGate(0, 0.01).clean_n()
        (97, 299)
        """
        if self.bank is None:
            miss = log((1 - self.target) / (1 - self.limit))
            clean = int(-((log(self.beta) + TIE) // miss))
        else:
            free = replace(self, n_max=None)
            clean = next(n for n in range(1, self.bank + 1) if free.verdict(0, n) is Decision.PASS)
        waves = -(-clean // batch) * batch
        return waves if self.bank is None else min(waves, self.bank)

    def enough(self, inconclusive: float = 0.05) -> int:
        """Smallest budget with which models at the target and at the limit rarely end undecided.

        Args:
            inconclusive: the largest chance of INCONCLUSIVE that is acceptable at either rate.

        >>> RateGate(0.02, 0.05).enough()
        523
        """
        check_open(inconclusive=inconclusive)
        free = replace(self, n_max=None)
        source = free.rule.source
        truths = (self.target, self.limit) if isinstance(source, Stream) else (source.most, source.least)
        traces = [free._trace(truth, 1).undecided for truth in truths]
        return max(next(n for n, left in enumerate(trace) if left <= inconclusive) for trace in traces)

    def p_fail(self, path: Iterable[tuple[int, int]]) -> float:
        """Anytime-valid p-value against "the rate is within target" along a path of counts (s, n).

        It is one over the largest likelihood ratio seen, so it never rises again. 0.0 means that the target is
        impossible.

        >>> round(RateGate(0.02, 0.05).p_fail([(1, 1), (2, 2), (3, 3), (3, 4)]), 3)
        0.064
        """
        return min(1.0, exp(-max((self.log_lr(s, n) for s, n in path), default=0.0)))

    def _trace(self, truth: float, batch: int) -> Trace:
        if batch < 1:
            raise StatsError(f"batch is {batch!r}; wanted at least 1")
        return operate(self.rule.look, lambda s, n: self.rule.source.hit(s, n, truth), batch=batch, n_max=self.budget)
