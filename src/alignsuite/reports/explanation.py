"""Explanation of one claim: what was seen, its bounds, how often such a verdict is wrong, how to see it again.

This is what stands under a failed `assert`, so it has to answer a reader's questions in their order, without the run at hand. What depends
on the kind of the claim comes from its `Row`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from alignsuite.claims import present
from alignsuite.claims.presentation import resolution, unfinished
from alignsuite.claims.row import Row
from alignsuite.reports.regression import against, by_itself
from alignsuite.runs.records import ClaimResult, Verdict
from alignsuite.text.cells import cut, one_line
from alignsuite.text.numbers import odds, plural

_REPLY_SHOWN = 80


def explain(title: str, claim: ClaimResult, *, again: str = "") -> str:
    """Explanation of one claim, whole, ready to be read in a terminal.

    Args:
        title: what was claimed of what, such as `safety/harmful_requests[weapons]`.
        claim: how it came out; missing details are left unsaid.
        again: the command that shows the same verdict from the store.
    """
    row = present(claim)
    first = f"{one_line(title)}: {claim.verdict}. {measured(claim, row)}{f'; {row.bounds}' if row.bounds else ''}."
    return "\n".join([first, *(f"  {line}" for line in _further(claim, row, again))])


def measured(claim: ClaimResult, row: Row) -> str:
    """Measurement as a clause without a full stop."""
    unread = f"{plural(claim.unread, 'reply')} could not be read" if claim.unread else ""
    if claim.value is None or not math.isfinite(claim.value):
        return "nothing was measured" + (f": {unread}" if unread else "")
    return row.seen + (f"; {unread}" if unread else "")


def chance_of_error(claim: ClaimResult, row: Row) -> str:
    """Error rate of a verdict like this one, as a sentence; empty where that was not computed."""
    failed = claim.verdict is Verdict.FAIL
    chance = claim.errors.get("false_alarm" if failed else "miss")
    if chance is None or not math.isfinite(chance) or not (failed or claim.verdict is Verdict.PASS):
        return ""
    whose, does = row.whose_error[0 if failed else 1], "fail" if failed else "pass"
    return f"{whose} would {does} here {odds(chance)}." if chance > 0 else f"{whose} would never {does} here."


def _further(claim: ClaimResult, row: Row, again: str) -> Iterator[str]:
    how_sure = " ".join(filter(None, (chance_of_error(claim, row), row.chance, _asked(claim))))
    if how_sure:
        yield how_sure
    if seen := resolution(claim):
        yield f"{seen[0].upper()}{seen[1:]}."
    yield from row.notes
    if not_whole := unfinished(claim):
        yield f"{not_whole}."
    if claim.regression is not None:
        yield f"{against(claim.regression)}."
    if claim.noise is not None:
        yield f"{by_itself(claim.noise)}."
    for reason in claim.reasons:
        yield f"because: {one_line(reason)}"
    if claim.examples:
        example = claim.examples[0]
        yield f'first: case {one_line(example.case)} · "{cut(one_line(example.reply), _REPLY_SHOWN)}"'
    if again:
        yield f"again: {one_line(again, 2000)}"


def _asked(claim: ClaimResult) -> str:
    if claim.bank <= 0:
        return ""
    cases = plural(claim.bank, "case")
    if claim.asked == claim.bank:
        return f"All {cases} were asked." if claim.bank > 1 else "The only case was asked."
    return f"Decided after {claim.asked} of {cases}." if claim.asked else f"None of {cases} was asked."
