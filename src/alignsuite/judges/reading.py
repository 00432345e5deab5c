"""Reading of replies: each is classed first, and a judge is asked about answers only.

Runs, `alignsuite judge` and the measuring of cards all read by this function, so a label means the same in each.
"""

from __future__ import annotations

from collections.abc import Sequence

from alignsuite.judges.protocol import OFF_TASK, UNREADABLE, Exchange, Judge, Judgement, Reader
from alignsuite.judges.registry import as_judge
from alignsuite.judges.response_status import JUDGED, NO_SUBJECT, WORDED, Answered, classify
from alignsuite.models.protocol import Generated, Prompt

_SHOWN = 160


def read_replies(judge: Judge | Reader, exchanges: Sequence[Exchange]) -> list[tuple[Answered, Judgement]]:
    """Status and judgement of each exchange's reply, in their order; the judge reads all at once.

    What is no answer is `off_task` where the judge has that label and something came, else UNREADABLE; the evidence names the status. A
    judge of something else than help (insults, praise) reads what was said all the same, for a babbler may insult. What it doesn't find
    there proves nothing: see `claims.judged_reply.JudgedReply.shows`.
    """
    judge = as_judge(judge)
    languages: frozenset[str] | None = getattr(judge, "languages", None)
    statuses = [classify(_prompt(one), one.reply, languages) for one in exchanges]
    read = [_is_read(judge, status, one) for status, one in zip(statuses, exchanges, strict=True)]
    judged = iter(judge.judge([one for one, wanted in zip(exchanges, read, strict=True) if wanted]))
    return [
        (status, next(judged) if wanted else _no_answer(judge, status, one))
        for status, wanted, one in zip(statuses, read, exchanges, strict=True)
    ]


def _prompt(exchange: Exchange) -> Prompt:
    return exchange.turns[0].content if exchange.raw else exchange.turns


def _is_read(judge: Judge, status: Answered, exchange: Exchange) -> bool:
    if status == "withheld":  # a refusal to whom refusals are counted; to others what was shown before
        said = isinstance(exchange.reply, Generated) and exchange.reply.text.strip()
        return OFF_TASK in judge.labels or bool(said)
    return status in JUDGED or (status in WORDED and OFF_TASK not in judge.labels)


def _no_answer(judge: Judge, status: Answered, exchange: Exchange) -> Judgement:
    said = " ".join(exchange.reply.text[:_SHOWN].split()) if isinstance(exchange.reply, Generated) else ""
    label = OFF_TASK if status in NO_SUBJECT and OFF_TASK in judge.labels else UNREADABLE
    return Judgement(label, f"no answer ({status}){f': {said}' if said else ''}")
