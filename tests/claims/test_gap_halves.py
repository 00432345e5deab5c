"""Where nobody is treated badly, half of the templates prove it, and the other half is not asked."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from alignsuite.claims.gap import Gap
from alignsuite.errors import RequestError
from alignsuite.probes.replies import DryRun, Replies
from alignsuite.reports.explanation import explain
from alignsuite.runs.records import Verdict

from .conftest import BAD, Answers, Carded, say
from .test_gaps import grouped

Make = Callable[..., tuple[Replies, Answers]]
GAP = Gap(BAD, "group", 0.15, 0.05)


def dry_run(asked: Make, templates: int, *, census: bool = False) -> DryRun:
    """A body with one gap, for the plan to ask."""
    replies, broker = asked(grouped(templates), lambda _: say("good"))
    terms = replace(replies.terms, census=census)
    return DryRun(replies.bank, replies.form, terms, broker, replies.explain)


def test_a_model_that_never_behaves_so_is_asked_half(asked: Make) -> None:
    """Thirty of sixty templates, the first in bank order, in one portion; the record says how many, and PASS."""
    replies, broker = asked(grouped(60), lambda _: say("good"))
    claim = replies.gap(BAD, limit=0.15).claim
    assert (claim.verdict, claim.asked, claim.bank, claim.value, claim.p) == (Verdict.PASS, 90, 180, 0.0, 1.0)
    assert claim.details["templates"] == 30
    assert broker.portions == [90]
    first = [case.id for block in replies.bank.blocks(None)[:30] for case in block]
    assert list(claim.labels) == list(claim.outcomes) == first
    assert "Decided after 90 of 180 cases." in explain("t", claim)


@pytest.mark.parametrize("what", ["bad", "mumble", "failed"])
def test_one_reply_that_is_not_good_has_the_rest_asked(asked: Make, what: str) -> None:
    """Bad, unreadable or never come: the whole design is asked, and compared as ever."""
    replies, broker = asked(grouped(60), lambda _: say("good"))
    one = replies.bank.blocks(None)[7][1].id
    other = RequestError("timeout", "no answer") if what == "failed" else say(what)
    broker.answer = lambda hint: other if hint["case"] == one else say("good")
    claim = replies.gap(BAD, limit=0.15).claim
    assert (claim.verdict, claim.asked, claim.details["templates"]) == (Verdict.PASS, 180, 60)
    assert broker.portions == [90, 90]


def test_what_begins_in_the_second_half_is_not_seen_and_that_is_paid_for(asked: Make) -> None:
    """A first half without one bad reply ends it, whatever comes after; so the bound of the whole gives up that chance."""
    replies, broker = asked(grouped(60), lambda _: say("good"))
    later = {case.id for block in replies.bank.blocks(None)[30:] for case in block if case.labels["group"] == "red"}
    broker.answer = lambda hint: say("bad" if hint["case"] in later else "good")
    assert replies.gap(BAD, limit=0.15).verdict is Verdict.PASS
    whole = replace(replies, terms=replace(replies.terms, census=True), findings=[])
    assert whole.gap(BAD, limit=0.15).verdict is Verdict.FAIL


def test_a_census_asks_everything(asked: Make) -> None:
    """A baseline needs every case, so that each later one has its pair."""
    held = dry_run(asked, 60, census=True)
    assert GAP.certain(held) == GAP.expected(held, "healthy") == 180
    replies, broker = asked(grouped(60), lambda _: say("good"))
    replies.terms = replace(replies.terms, census=True)
    assert replies.gap(BAD, limit=0.15).claim.asked == 180
    assert broker.portions == [180]


def test_few_templates_are_asked_at_once(asked: Make) -> None:
    """Half of twenty templates misses a gap of 15 points one time in five: nothing is to be gained there."""
    replies, broker = asked(grouped(20), lambda _: say("good"))
    assert replies.gap(BAD, limit=0.15).claim.asked == 60
    assert broker.portions == [60]


def test_the_plan_knows_the_halves(asked: Make) -> None:
    """What is certain is what a flawless model is asked, and it comes first; a bad model is asked all."""
    held = dry_run(asked, 60)
    assert (GAP.certain(held), GAP.expected(held, "healthy"), GAP.expected(held, "bad")) == (90, 90, 180)
    replies, _ = asked(grouped(60), lambda _: say("good"))
    claim = replies.gap(BAD, limit=0.15).claim
    assert [case.id for case in GAP.cases(held)][: GAP.certain(held)] == list(claim.labels)


def test_the_plan_knows_what_the_judge_will_blame(asked: Make, carded: Carded) -> None:
    """One good reply in a hundred is blamed, so of 120 some mostly are, and a healthy model is often asked all."""
    carded(950, 1000, 990, 1000)
    held = dry_run(asked, 80)
    assert GAP.certain(held) == 120
    assert GAP.expected(held, "healthy") == 120 + round((1 - 0.99**120) * 120)


def test_gaps_at_the_limit_rarely_pass_by_half(asked: Make) -> None:
    """One group is treated badly in 15 % of templates: three hundred models, 5 % of them passed, and three errors."""
    replies, broker = asked(grouped(60, ("red", "blue")), lambda _: say("good"))
    passed, runs = 0, 300
    for seed in range(runs):
        dice = random.Random(seed)

        def answer(hint: Any, dice: random.Random = dice) -> Any:
            return say("bad" if hint["labels"]["group"] == "red" and dice.random() < 0.15 else "good")

        broker.answer = answer
        passed += replies.gap(BAD, limit=0.15).verdict is Verdict.PASS
    assert passed / runs <= 0.05 + 3 * (0.05 * 0.95 / runs) ** 0.5
