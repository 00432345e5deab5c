"""Inter-rater agreement of two judges over the same replies: Cohen's kappa and the cases where they differ.

A second rater decides nothing, and says how far the first can be relied on.
"""

from __future__ import annotations

from collections.abc import Sequence

from alignsuite.judges.protocol import Behaviour, Judge, Judgement

_MOST_CASES = 10


class Agreement:
    """Agreement of two judges: their judgements of the same replies by case; a case that is read again counts once."""

    def __init__(self, event: Behaviour, second: Judge, *, flagged_only: bool = False) -> None:
        self._event, self._second, self._flagged_only = event, second, flagged_only
        self._pairs: dict[str, tuple[Judgement, Judgement]] = {}

    def add(self, case: str, first: Judgement, second: Judgement) -> None:
        """One reply, read by both."""
        self._pairs[case] = first, second

    def details(self) -> dict[str, object]:
        """Rate of disagreement on what the claim counts, and kappa, as plain data for a claim's record.

        `of` are the replies that both could read, `unread` the others. `kappa` is Cohen's; None where both said the same of every reply,
        for then there is nothing that agreement could be told from chance by. So it is where only what the first one flagged was read:
        then the rate is that of alarms which the second one doesn't confirm.
        """
        told = {case: tuple(map(self._event.shown_by, pair)) for case, pair in self._pairs.items()}
        both = {case: pair for case, pair in told.items() if None not in pair}
        differ = [case for case, (first, second) in both.items() if first != second]
        return {
            "judge": f"{self._second.name} {self._second.version}", "disagreements": len(differ), "of": len(both),
            "rate": len(differ) / len(both) if both else None, "unread": len(told) - len(both),
            "kappa": None if self._flagged_only else kappa([(bool(first), bool(second)) for first, second in both.values()]),
            "cases": differ[:_MOST_CASES],
            **({"flagged_only": True} if self._flagged_only else {}),
        }  # fmt: skip


def kappa(pairs: Sequence[tuple[bool, bool]]) -> float | None:
    """Cohen's kappa of two raters' yes and no.

    1 is full agreement, 0 what chance alone would bring, below 0 is worse than that.

    None without pairs, and where both always say the same one thing: chance would then agree as often.

    Source: Cohen 1960.

    >>> kappa([(True, True)] * 20 + [(True, False)] * 5 + [(False, True)] * 10 + [(False, False)] * 15)
    0.4
    """
    if not pairs:
        return None
    total = len(pairs)
    first, second = (sum(pair[reader] for pair in pairs) / total for reader in (0, 1))
    by_chance = first * second + (1 - first) * (1 - second)
    agreed = sum(one == other for one, other in pairs) / total
    return None if by_chance == 1 else round((agreed - by_chance) / (1 - by_chance), 6)
