"""A rate is decided reply by reply, in bank order; what can't be read never helps a model."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from alignsuite.config import Tier
from alignsuite.errors import ProbeError, RequestError
from alignsuite.models.protocol import Reply
from alignsuite.probes.replies import Replies
from alignsuite.runs.records import Verdict

from .conftest import BAD, Answers, generating, say

Make = Callable[..., tuple[Replies, Answers]]


def by_number(texts: Mapping[int, str], otherwise: str = "good") -> Callable[[Mapping[str, Any]], Reply | RequestError]:
    """Replies by the number of the case."""
    return lambda hint: say(texts.get(int(hint["case"][1:]), otherwise))


def test_a_clean_bank_passes_after_the_planned_portion(asked: Make) -> None:
    """A flawless model is asked exactly as many cases as a PASS takes, in one portion, and not the rest of the bank."""
    replies, broker = asked(generating(200), by_number({}))
    finding = replies.rate(BAD, target=0.02, limit=0.05)
    assert finding.verdict is Verdict.PASS
    assert finding
    assert broker.portions == [finding.claim.asked] == [89]
    assert finding.claim.bank == 200
    assert set(finding.claim.labels.values()) == {"good"}


def test_a_bad_bank_fails_for_certain(asked: Make) -> None:
    """FAIL comes only once the bank's rate has reached the limit for certain; its counter-examples come first."""
    replies, _ = asked(generating(200), by_number({}, otherwise="bad"))
    claim = replies.rate(BAD, target=0.02, limit=0.05).claim
    assert (claim.verdict, claim.bad, claim.asked) == (Verdict.FAIL, 10, 10)
    assert {example.label for example in claim.examples} == {"bad"}
    assert claim.errors["false_alarm"] == 0.0
    assert 0 < claim.errors["miss"] <= 0.05


@pytest.mark.parametrize("bad", range(10))
def test_no_bank_below_the_limit_ever_fails(asked: Make, bad: int) -> None:
    """Whatever cases are bad, as long as they are fewer than 5 % of 200."""
    for seed in range(5):
        chosen = dict.fromkeys(random.Random(seed).sample(range(200), bad), "bad")
        replies, _ = asked(generating(200), by_number(chosen))
        assert replies.rate(BAD, target=0.02, limit=0.05).verdict in (Verdict.PASS, Verdict.MARGINAL)


def test_unread_replies_cannot_buy_a_pass(asked: Make) -> None:
    """If the unread replies alone decide between FAIL and PASS, the verdict is INVALID, says so, and blocks."""
    replies, _ = asked(generating(40), by_number({}, otherwise="mumble"))
    finding = replies.rate(BAD, target=0.02, limit=0.10)
    assert finding.verdict is Verdict.INVALID
    assert not finding
    assert finding.claim.unread == finding.claim.asked
    assert "could not be read, and they decide" in finding.claim.reasons[0]


def test_unread_replies_cannot_hide_a_fail(asked: Make) -> None:
    """Enough bad replies fail the bank, however many others are unreadable."""
    replies, _ = asked(generating(40), by_number(dict.fromkeys(range(0, 40, 2), "bad"), otherwise="mumble"))
    assert replies.rate(BAD, target=0.02, limit=0.10).verdict is Verdict.FAIL


def test_a_pass_that_waits_for_answers_has_to_hold(asked: Make) -> None:
    """Four of 24 unread would pass; while asking goes on for enough answers all others are bad, and nobody says PASS any more."""
    order = [int(case.id[1:]) for case in asked(generating(40), by_number({}))[0].bank.cases]
    unread, bad = dict.fromkeys(order[:4], "mumble"), dict.fromkeys(order[24:], "bad")
    claim = asked(generating(40), by_number(unread))[0].rate(BAD, target=0.20, limit=0.60).claim
    assert (claim.verdict, claim.asked) == (Verdict.PASS, 40)
    claim = asked(generating(40), by_number(unread | bad))[0].rate(BAD, target=0.20, limit=0.60).claim
    assert (claim.verdict, claim.asked) == (Verdict.MARGINAL, 40)


def test_a_few_unread_replies_do_no_harm(asked: Make) -> None:
    """One mumble in 200 counts as bad, and a clean bank passes nonetheless."""
    replies, _ = asked(generating(200), by_number({}, otherwise="good"))
    first = replies.bank.cases[0].id
    replies, _ = asked(generating(200), by_number({int(first[1:]): "mumble"}))
    claim = replies.rate(BAD, target=0.02, limit=0.05).claim
    assert (claim.verdict, claim.unread, claim.bad) == (Verdict.PASS, 1, 0)


def test_a_request_that_failed_is_unread_with_its_cause(asked: Make) -> None:
    """A time-out is no reply, so no evidence; the reason names it."""
    replies, _ = asked(generating(40), lambda _: RequestError("timeout", "no answer in 60 s"))
    claim = replies.rate(BAD, target=0.02, limit=0.10).claim
    assert claim.verdict is Verdict.INVALID
    assert "no reply (timeout): no answer in 60 s" in claim.reasons[0]


def test_the_tier_bounds_the_bank(asked: Make) -> None:
    """At the smoke tier the bank is its first forty cases in seeded order; the claim says so."""
    replies, _ = asked(generating(200), by_number({}), tier=Tier(40, 20))
    claim = replies.rate(BAD, target=0.02, limit=0.10).claim
    assert claim.bank == 40
    assert list(claim.labels) == [case.id for case in replies.bank.cases[: claim.asked]]


def test_the_order_of_the_bank_follows_the_version(asked: Make) -> None:
    """The same set asks in the same order; a new version draws another."""
    one = [case.id for case in asked(generating(50), by_number({}))[0].bank.cases]
    again = [case.id for case in asked(generating(50), by_number({}))[0].bank.cases]
    other = [case.id for case in asked(generating(50) | {"version": 2}, by_number({}))[0].bank.cases]
    assert one == again
    assert one != other
    assert sorted(one) == sorted(other)


def test_impossible_claims_are_refused(asked: Make) -> None:
    """Target at or above limit is an error of the probe, not a verdict on the model."""
    replies, _ = asked(generating(40), by_number({}))
    with pytest.raises(ProbeError, match=r"axis/made: target is 0\.5 and limit 0\.1"):
        replies.rate(BAD, target=0.5, limit=0.1)


def test_a_warning_probe_lets_invalid_through_but_neither_fail_nor_silence(asked: Make) -> None:
    """unproved="warn" is about evidence that is missing, never about evidence against the model, nor about a model that says nothing."""
    policy = {"unproved": "warn"}
    few = {0: "bad", 1: "mumble", 2: "mumble", 3: "mumble"}
    doubtful = asked(generating(40), by_number(few), probe=policy)[0].rate(BAD, target=0.02, limit=0.10)
    assert (doubtful.verdict, bool(doubtful), doubtful.claim.binding) == (Verdict.INVALID, True, False)
    silent = asked(generating(40), by_number({}, otherwise="mumble"), probe=policy)[0].rate(
        BAD, target=0.02, limit=0.10
    )
    assert (silent.verdict, bool(silent), silent.claim.binding) == (Verdict.INVALID, False, True)
    assert not asked(generating(40), by_number({}, otherwise="bad"), probe=policy)[0].rate(BAD, target=0.02, limit=0.10)
