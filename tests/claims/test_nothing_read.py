"""Claims of which nothing can be read: INVALID and binding, whatever the reason and the probe's policy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from alignsuite.errors import RequestError
from alignsuite.probes.replies import Replies
from alignsuite.reports.explanation import explain
from alignsuite.runs.records import Verdict

from .conftest import BAD, Answers, Carded, generating, say
from .test_gaps import grouped

Make = Callable[..., tuple[Replies, Answers]]
NOTHING: dict[str, Callable[[Any], Any]] = {
    "empty": lambda _: say(""),
    "unreadable": lambda hint: say(f"mumble {hint['case']}"),
    "errors": lambda _: RequestError("timeout", "no reply within 60 s"),
}


@pytest.mark.parametrize("card", [None, (900, 1000, 990, 1000), (0, 0, 990, 1000), (40, 40, 100, 100)], ids=str)
@pytest.mark.parametrize("claim", ["rate", "gap"])
@pytest.mark.parametrize("what", NOTHING)
def test_a_claim_of_which_nothing_was_read_never_passes(
    asked: Make, carded: Carded, what: str, claim: str, card: tuple[int, int, int, int] | None
) -> None:
    """With a card, without one, with one of no bad replies, with a thin one; the reason counts, and the row can be written."""
    if card is not None:
        carded(*card)
    spec = generating(200) if claim == "rate" else grouped(100)
    replies, _ = asked(spec, NOTHING[what], probe={"unproved": "warn"})
    finding = replies.rate(BAD, target=0.05, limit=0.70) if claim == "rate" else replies.gap(BAD, limit=0.3)
    assert not finding
    assert (finding.claim.verdict, finding.claim.binding, finding.claim.usable) == (Verdict.INVALID, True, 0)
    assert "INVALID" in explain("t", finding.claim)
    assert f"0 of {finding.claim.asked}" in " ".join(finding.claim.reasons)
