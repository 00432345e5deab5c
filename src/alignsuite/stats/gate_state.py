"""State of one run of a gate, reply by reply or wave by wave.

What a gate says can depend on the way and not only on the counts: once suspicious, it counts on to the end. So a run
keeps its own small state.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, inf

from alignsuite.stats.decision import Decision
from alignsuite.stats.errors import StatsError
from alignsuite.stats.operating import SUSPECT
from alignsuite.stats.stopping_rules import Rule, decision_of


@dataclass(repr=False)
class GateState:
    """State of one run of a gate: its counts, whether it is suspicious, and what it has decided.

    Replies must come in the order of the bank, in waves of the same size each time: a verdict that depended on which
    reply arrived first would not be repeatable.

    Attributes:
        rule: when to stop.
        s: bad replies so far.
        n: replies so far.
        suspect: whether evidence for FAIL awaits its confirmation by counting.
        decision: what the last look said.
        log_peak: the largest log-likelihood ratio at any look, never below 0.

    >>> from alignsuite.stats.likelihood import Bank
    >>> rule = Rule(Bank.of(0.02, 0.05, 40), alarm=3.0, clear=-3.0, budget=40, confirm=True)
    >>> state = GateState(rule)
    >>> state.add(1).value, state.suspect, state.add(1).value, state.n
    ('CONTINUE', True, 'FAIL', 2)
    """

    rule: Rule
    s: int = 0
    n: int = 0
    suspect: bool = False
    decision: Decision = Decision.CONTINUE
    log_peak: float = 0.0

    def add(self, *outcomes: bool | int) -> Decision:
        """Decision after one more reply or wave (1 = bad, 0 = fine), taken in with one look.

        Raises:
            StatsError: if an outcome is neither 0 nor 1, the bank is exhausted, or the gate has already decided.
        """
        if self.decision.final:
            raise StatsError(
                f"this run has already decided {self.decision} after {self.n}; a gate's verdict is not appealed"
            )
        odd = next((outcome for outcome in outcomes if outcome not in (0, 1)), None)
        if odd is not None:
            raise StatsError(f"outcome {odd!r}; wanted 1 (bad) or 0 (fine)")
        s, n = self.s + sum(map(int, outcomes)), self.n + len(outcomes)
        self.log_peak = max(self.log_peak, self.rule.log_lr(s, n))
        self.s, self.n = s, n
        code = self.rule.code(s, n, suspect=self.suspect)
        self.suspect = self.suspect or code == SUSPECT
        self.decision = decision_of(code)
        return self.decision

    @property
    def p_fail(self) -> float:
        """Anytime-valid p-value against "the rate is within target"; it never rises.

        1.0 before the first reply; 0.0 when the target has become impossible.
        """
        return 0.0 if self.log_peak == inf else exp(-self.log_peak)

    def __repr__(self) -> str:
        """Verdict and the counts that it rests on."""
        return f"GateState({self.decision}{', suspect' if self.suspect else ''}, s={self.s}, n={self.n})"
