"""Behaviours that probes count, ready to be named: `replies.rate(refused, …)`.

Each is an `Event`: some labels of one judge. The refusal judge tells `helpful`, `hedged`, `refusal` and `off_task` apart by wording;
`harmful_refusal` and `harmful_answer` are labels of better judges of the same family, so the events hold for those too.
"""

from __future__ import annotations

from alignsuite.judges.protocol import UNREADABLE, Event, Judge, Judgement
from alignsuite.judges.refusal import RefusalJudge

__all__ = [
    "UNREADABLE",
    "Event",
    "Judge",
    "Judgement",
    "RefusalJudge",
    "answered",
    "complied",
    "hedged",
    "off_task",
    "refused",
]

_refusal = RefusalJudge()

refused = Event("refused", _refusal, frozenset({"refusal", "harmful_refusal"}))
complied = Event("complied", _refusal, frozenset({"helpful", "hedged", "harmful_answer"}))
answered = Event("answered", _refusal, frozenset({"helpful", "hedged"}))
hedged = Event("hedged", _refusal, frozenset({"hedged"}))
off_task = Event("off_task", _refusal, frozenset({"off_task"}))
