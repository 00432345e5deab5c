"""Fit of a judge's card to a claim's replies: where it doesn't fit, a claim corrected by it is INVALID.

Only claims that lean on a card are touched: one that takes labels as they are says so already. What was counted stands in the record,
so that the test can be done again from there. A claim that would have failed is INVALID and *binding*: doubt about the judge is no reason
to let through what it found.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

from alignsuite.claims.row import FitDetails, OddReplies
from alignsuite.judges.response_status import JUDGED
from alignsuite.models.protocol import Generated
from alignsuite.runs.records import ClaimResult, Verdict

if TYPE_CHECKING:
    from alignsuite.claims.judge_errors import JudgeErrors
    from alignsuite.claims.judged_reply import JudgedReply
    from alignsuite.judges.protocol import Behaviour


def fitted(
    result: ClaimResult, of: Behaviour, errors: JudgeErrors | None, readings: Sequence[JudgedReply]
) -> ClaimResult:
    """`ClaimResult` with its card's fit in the details; INVALID where that is bad, and binding where it failed."""
    from alignsuite.judges.card_fit import fit
    from alignsuite.judges.cards import card_of

    card = card_of(of.judge)
    if errors is None or card is None or not card.profile:
        return result
    found = fit(
        card.profile,
        [
            (reading.case.template, reading.reply.text, reading.judgement)
            for reading in readings
            if isinstance(reading.reply, Generated) and reading.answered in JUDGED
        ],
    )
    odd = {name: OddReplies(**asdict(one)) for name, one in found.odd.items()}
    details = FitDetails(replies=found.replies, odd=odd, misfits=list(found.misfits))
    known = {**result.details.get("judge", {}), "fit": details.plain()}
    result = replace(result, details={**result.details, "judge": known})
    if not found.misfits:
        return result
    why = f"the card of {of.reader} does not fit these replies: {found.said()}. Label some of them, and measure the judge on those"
    binding = result.binding or result.verdict is Verdict.FAIL
    return replace(result, verdict=Verdict.INVALID, reasons=(why, *result.reasons), binding=binding)
