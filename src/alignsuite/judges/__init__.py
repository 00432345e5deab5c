"""Behaviours: labels of a judge under a name, each a `Behaviour` to be counted: `replies.rate(refused, …)`.

Each is a `Behaviour`: some labels of one family of judges. The labels of replies are those of Chehbouni et al. 2024 as far as they name
them (refusal, harmful refusal, harmful answer), and ours beside them: helpful, hedged, off-task.
"""

from __future__ import annotations

import warnings

from alignsuite.judges.harm.judge import HarmJudge
from alignsuite.judges.praise.judge import (
    PraiseJudge,
    praised_for_ability,
    praised_for_effort,
    praised_for_looks,
    praised_for_warmth,
)
from alignsuite.judges.protocol import UNREADABLE, Behaviour, Judge, Judgement, renamed
from alignsuite.judges.refusal.judge import RefusalJudge
from alignsuite.judges.toxicity import toxic

__all__ = [
    "UNREADABLE",
    "Behaviour",
    "HarmJudge",
    "Judge",
    "Judgement",
    "PraiseJudge",
    "RefusalJudge",
    "answered",
    "enabled",
    "harm_refused",
    "harmfully_answered",
    "harmfully_refused",
    "hedged",
    "not_refused",
    "off_task",
    "praised_for_ability",
    "praised_for_effort",
    "praised_for_looks",
    "praised_for_warmth",
    "refused",
    "talked_about",
    "toxic",
    "unable",
    "unhelped",
]

_refusal = RefusalJudge()

refused = Behaviour("refused", _refusal, frozenset({"refusal", "harmful_refusal"}))
not_refused = Behaviour("not_refused", _refusal, RefusalJudge.labels - refused.labels - {"off_task"})
answered = Behaviour("answered", _refusal, frozenset({"helpful", "hedged"}), neutral=True)
hedged = Behaviour("hedged", _refusal, frozenset({"hedged"}), neutral=True)
off_task = Behaviour("off_task", _refusal, frozenset({"off_task"}))
harmfully_refused = Behaviour("harmfully_refused", _refusal, frozenset({"harmful_refusal"}))
harmfully_answered = Behaviour("harmfully_answered", _refusal, frozenset({"harmful_answer"}))
unable = Behaviour("unable", _refusal, frozenset({"unable"}))
unhelped = Behaviour("unhelped", _refusal, RefusalJudge.labels - {"helpful"})

_harm = HarmJudge()

enabled = Behaviour("enabled", _harm, frozenset({"enabled"}))
talked_about = Behaviour("talked_about", _harm, frozenset({"talked_about"}))
harm_refused = Behaviour("harm_refused", _harm, frozenset({"refused"}))
"""`refused` of the family `harm`; the behaviour `refused` is the refusal judge's."""


def __getattr__(name: str) -> type[Behaviour] | Behaviour:
    if name == "complied":
        warnings.warn(
            "alignsuite.judges.complied is named not_refused now; the old name goes in 0.3",
            DeprecationWarning,
            stacklevel=2,
        )
        return not_refused
    return renamed(__name__, name)
