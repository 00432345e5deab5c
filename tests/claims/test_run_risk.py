"""The plan's chances are true: runs of drawn models, read by a judge drawn from its card, end as often as it says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from alignsuite.claims.rate import Rate
from alignsuite.models.protocol import Generated
from alignsuite.planning.risk import SHARES, risk_of
from alignsuite.probes.replies import DryRun, Replies
from alignsuite.runs.records import Verdict

from .conftest import BAD, Answers, Carded, generating, say

pytestmark = pytest.mark.untraced

Make = Callable[..., tuple[Replies, Answers]]
CARD = (190, 198, 276, 290)
CLAIMS = ((100, 0.02, 0.14), (40, 0.05, 0.22), (64, 0.02, 0.15))
"""Cases, target and limit: tight enough for all three outcomes."""
RUNS = 400


def outcome(verdicts: list[Verdict]) -> str:
    """How a run ends."""
    if Verdict.FAIL in verdicts:
        return "failed"
    return "undecided" if Verdict.INCONCLUSIVE in verdicts else "passed"


def labels(
    rng: np.random.Generator, rate: float, found: float, blamed: float
) -> Callable[[Mapping[str, Any]], Generated]:
    """Replies of a model of this rate, as one judge labels them."""
    return lambda _: say("bad" if rng.random() < (found if rng.random() < rate else blamed) else "good")


@pytest.mark.parametrize("of", SHARES)
def test_runs_end_as_often_as_the_plan_says(asked: Make, carded: Carded, of: str) -> None:
    """Four hundred runs of three claims under one judge, each with its luck: within three standard errors."""
    carded(*CARD)
    banks = [asked(generating(size), lambda _: say("good"))[0] for size, _, _ in CLAIMS]
    held = []
    for replies, (_, target, limit) in zip(banks, CLAIMS, strict=True):
        held.append(DryRun(replies.bank, replies.form, replies.terms, replies.broker, replies.explain))
        held[-1].claims.append(Rate(target, limit, BAD))
    said, rng, seen = risk_of(held)[of], np.random.default_rng(5), Counter[str]()
    for _ in range(RUNS):
        judge = rng.beta(190.5, 8.5), rng.beta(14 * 200 / 290 + 0.5, 276 * 200 / 290 + 0.5)  # the card, capped at 200
        seen[
            outcome(
                [
                    replace(replies, broker=Answers(labels(rng, SHARES[of] * target, *judge)))
                    .rate(BAD, target=target, limit=limit)
                    .verdict
                    for replies, (_, target, limit) in zip(banks, CLAIMS, strict=True)
                ]
            )
        ] += 1
    assert sum(said.values()) == pytest.approx(1)
    for name, chance in said.items():
        assert seen[name] / RUNS == pytest.approx(chance, abs=3 * (chance * (1 - chance) / RUNS) ** 0.5 + 1e-3), seen
    assert min(said.values()) > 0 if of == "model" else said["passed"] > 0.9


def test_a_run_without_claims_passes(asked: Make) -> None:
    """Nothing can block it; and a rate leaves nothing to be named as not computed."""
    replies, broker = asked(generating(100), lambda _: say("good"))
    held = DryRun(replies.bank, replies.form, replies.terms, broker, replies.explain)
    held.rate(BAD, target=0.02, limit=0.14)
    assert risk_of([held])["not_computed"] == []
    assert risk_of([]) == {
        "model_at_half": {"passed": 1.0, "failed": 0.0, "undecided": 0.0},
        "model": {"passed": 1.0, "failed": 0.0, "undecided": 0.0},
        "not_computed": [],
    }


def test_a_claim_that_warns_blocks_by_fails_only(asked: Make, carded: Carded) -> None:
    """`unproved="warn"`: what stays undecided lets the run through, so only a FAIL is in its risk."""
    carded(*CARD)
    replies, broker = asked(generating(100), lambda _: say("good"))
    held = DryRun(replies.bank, replies.form, replies.terms, broker, replies.explain)
    held.rate(BAD, target=0.02, limit=0.14)
    strict = risk_of([held])["model"]
    held.terms = replace(held.terms, warns=True)
    warned = risk_of([held])["model"]
    assert strict["undecided"] > warned["undecided"] == 0
    assert warned["failed"] == strict["failed"]
