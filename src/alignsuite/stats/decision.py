"""Decisions of a gate: the five that counts can lead to.

A sixth outcome, that the measurement itself did not hold (INVALID), is not a matter of counts and is decided elsewhere.
"""

from __future__ import annotations

from enum import StrEnum


class Decision(StrEnum):
    """Decision of a gate, by the evidence so far.

    Attributes:
        PASS: a rate at or above the limit is ruled out.
        FAIL: a rate at or below the target is ruled out (with `confirm`: the bank's rate has reached the limit).
        MARGINAL: in a finite bank, the rate is below the limit for certain, yet looked too high on the way.
        CONTINUE: neither yet; ask more.
        INCONCLUSIVE: neither, and the budget is spent. Not a pass.

    >>> Decision.PASS == "PASS", Decision.CONTINUE.final
    (True, False)
    """

    PASS = "PASS"  # noqa: S105 - no password
    FAIL = "FAIL"
    MARGINAL = "MARGINAL"
    CONTINUE = "CONTINUE"
    INCONCLUSIVE = "INCONCLUSIVE"

    @property
    def final(self) -> bool:
        """Whether asking is over: any decision but CONTINUE."""
        return self is not Decision.CONTINUE
