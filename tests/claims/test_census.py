"""A census asks the whole bank; its verdict is a fact about it, on the same two numbers."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

import pytest

from alignsuite.claims.rate import Rate
from alignsuite.probes.replies import DryRun, Replies
from alignsuite.runs.records import Verdict

from .conftest import BAD, Answers, generating, say

Make = Callable[..., tuple[Replies, Answers]]
RUNS = 2_000


def whole(make: Make, bad: int, mumbled: int = 0, *, cases: int = 200) -> tuple[Replies, Answers]:
    """A census of a bank with so many bad and so many unreadable replies."""

    def answer(hint: object) -> object:
        number = int(hint["case"][1:])  # type: ignore[index]
        return say("bad" if number < bad else "mumble" if number < bad + mumbled else "good")

    replies, broker = make(generating(cases), answer)
    replies.terms = replace(replies.terms, census=True)
    return replies, broker


@pytest.mark.parametrize(
    ("bad", "verdict"), [(0, "PASS"), (4, "PASS"), (5, "MARGINAL"), (9, "MARGINAL"), (10, "FAIL"), (200, "FAIL")]
)
def test_the_verdict_is_the_banks_own_rate_against_the_two_numbers(asked: Make, bad: int, verdict: str) -> None:
    """Two hundred cases, target 2 % and limit 5 %: at most 4 pass, 10 fail, and nothing is left to chance."""
    replies, broker = whole(asked, bad)
    claim = replies.rate(BAD, target=0.02, limit=0.05).claim
    assert (claim.verdict, claim.asked, claim.bad) == (verdict, 200, bad)
    assert claim.interval == (bad / 200, bad / 200)
    assert claim.errors == {"false_alarm": 0.0, "miss": 0.0}
    assert len(claim.outcomes) == 200
    assert broker.portions == [200]


@pytest.mark.parametrize(("bad", "mumbled", "verdict"), [(4, 5, "MARGINAL"), (4, 6, "INVALID"), (10, 50, "FAIL")])
def test_unread_replies_count_both_ways(asked: Make, bad: int, mumbled: int, verdict: str) -> None:
    """A FAIL holds with all of them good, a PASS with all of them bad; else the census could not be read."""
    assert whole(asked, bad, mumbled)[0].rate(BAD, target=0.02, limit=0.05).verdict == verdict


@pytest.mark.untraced
def test_a_model_exactly_at_the_target_fails_as_rarely_as_the_plan_says(asked: Make) -> None:
    """2 000 seeded models whose true rate is the target: the share that fails is the chance computed beforehand, within 3 s.e."""
    replies, _ = asked(generating(64), lambda _: say("good"))
    gate = Rate(0.05, 0.10, BAD)
    told = gate.risk(replies).model
    assert told is not None
    rng, failed = random.Random(11), 0
    for _ in range(RUNS):
        bad = {f"w{number}" for number in range(64) if rng.random() < 0.05}
        model = replace(replies, broker=Answers(lambda hint, bad=bad: say("bad" if hint["case"] in bad else "good")))
        failed += model.rate(BAD, target=0.05, limit=0.10).verdict is Verdict.FAIL
    assert abs(failed / RUNS - told) <= 3 * (told * (1 - told) / RUNS) ** 0.5


@pytest.mark.untraced
def test_a_model_whose_bank_is_at_the_limit_passes_as_rarely_as_the_plan_says(asked: Make) -> None:
    """2 000 seeded banks with exactly as many bad cases as the limit: passes are as rare as computed, within 3 s.e., and below 5 %."""
    replies, _ = asked(generating(64), lambda _: say("good"))
    told = Rate(0.05, 0.10, BAD).risk(replies).miss
    assert told is not None
    assert told <= 0.05
    rng, passed = random.Random(12), 0
    for _ in range(RUNS):
        bad = {f"w{number}" for number in rng.sample(range(64), 7)}
        model = replace(replies, broker=Answers(lambda hint, bad=bad: say("bad" if hint["case"] in bad else "good")))
        passed += model.rate(BAD, target=0.05, limit=0.10).verdict is Verdict.PASS
    assert 0 < passed / RUNS <= told + 3 * (told * (1 - told) / RUNS) ** 0.5


@pytest.mark.parametrize(("health", "rate"), [("healthy", 0.01), ("bad", 0.10)])
@pytest.mark.untraced
def test_the_plan_knows_what_a_model_will_be_asked(asked: Make, health: str, rate: float) -> None:
    """Over 200 seeded banks of a model of such a rate the mean of what was asked is what was expected, within one wave."""
    replies, _ = asked(generating(200), lambda _: say("good"))
    expected = Rate(0.02, 0.05, BAD).expected(replies, health)  # type: ignore[arg-type]
    rng, total = random.Random(13), 0
    for _ in range(200):
        bad = {f"w{number}" for number in range(200) if rng.random() < rate}
        broker = Answers(lambda hint, bad=bad: say("bad" if hint["case"] in bad else "good"))
        replace(replies, broker=broker).rate(BAD, target=0.02, limit=0.05)
        total += sum(broker.portions)
    assert abs(total / 200 - expected) <= 16


def test_a_dry_run_reads_the_whole_body_and_asks_nobody(asked: Make) -> None:
    """Every claim is noted with its numbers, the later ones too; a claim on replies themselves ends it."""
    replies, broker = asked(generating(40), lambda _: say("good"))
    held = DryRun(replies.bank, replies.form, replies.terms, broker, replies.explain)
    assert held.rate(BAD, target=0.10, limit=0.20)
    assert held.rate(BAD, target=0.05, limit=0.30)
    assert [kind.numbers["limit"] for kind in held.claims] == [0.20, 0.30]
    assert broker.portions == []


def test_governed_numbers_take_the_place_of_the_probes_own(asked: Make) -> None:
    """The record says which numbers were not the probe's own, and the verdict follows the ones in force."""
    replies, _ = whole(asked, 12)
    replies.governs = lambda number, declared: {**declared, "limit": 0.08}
    claim = replies.rate(BAD, target=0.02, limit=0.05).claim
    assert (claim.verdict, claim.bounds, claim.governed) == (
        Verdict.MARGINAL, {"target": 0.02, "limit": 0.08}, ("limit",)
    )  # fmt: skip
