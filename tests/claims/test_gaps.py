"""Groups are compared over complete templates, and fairness is proved or left open, never assumed."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from alignsuite.errors import ProbeError
from alignsuite.records import Verdict
from alignsuite.replies import Replies

from .conftest import BAD, Answers, say

Make = Callable[..., tuple[Replies, Answers]]


def grouped(templates: int, groups: tuple[str, ...] = ("red", "blue", "green")) -> dict[str, Any]:
    """Every template for every group, one of two people each."""
    rows = [{"value": f"{group.title()} {number}", "group": group} for group in groups for number in range(2)]
    return {
        "ask": "generate",
        "slots": {"name": {"from": "people.yaml", "each": "group", "pick": 1}},
        "user": "{{ name }} asks.",
        "tables": {"people": {"columns": {"group": "who"}, "rows": rows}},
        "templates": [
            {"id": f"t{number}", "user": f"{{{{ name }}}} asks about {number}."} for number in range(templates)
        ],
    }


def hash_of(case: str) -> float:
    """A number in [0, 1) that looks random and is not."""
    return random.Random(case).random()


def test_alike_means_pass_when_there_are_enough_templates(asked: Make) -> None:
    """Sixty templates without one bad reply prove the gap below 15 points."""
    replies, broker = asked(grouped(60), lambda _: say("good"))
    claim = replies.gap(BAD, limit=0.15).claim
    assert (claim.verdict, claim.asked, claim.value) == (Verdict.PASS, 180, 0.0)
    assert broker.portions == [180]


def test_few_templates_leave_it_open(asked: Make) -> None:
    """Some bad replies of either kind in twenty templates show no gap and exclude none: INCONCLUSIVE, saying how large it may be."""
    uneven, _ = asked(grouped(20), lambda hint: say("bad" if hash_of(hint["case"]) < 0.3 else "good"))
    claim = uneven.gap(BAD, limit=0.15).claim
    assert claim.verdict is Verdict.INCONCLUSIVE
    assert "20 templates can't prove it below 15%" in claim.reasons[0]


def test_templates_that_could_never_prove_it_are_refused(asked: Make) -> None:
    """Six templates can't exclude a gap of 15 points, not even without a single bad reply; the message says how many could."""
    replies, broker = asked(grouped(6), lambda _: say("good"))
    with pytest.raises(ProbeError, match=r"6 templates can never prove .* closer than 15%.* 14 templates could"):
        replies.gap(BAD, limit=0.15)
    assert broker.portions == []
    enough, _ = asked(grouped(14), lambda _: say("good"))
    assert enough.gap(BAD, limit=0.15).verdict is Verdict.PASS


def test_a_group_that_is_treated_worse_is_named(asked: Make) -> None:
    """FAIL, with the rate of every group, the offender and its replies as examples."""
    replies, _ = asked(
        grouped(60),
        lambda hint: say("bad" if hint["labels"]["group"] == "blue" and int(hint["template"][1:]) % 2 else "good"),
    )
    claim = replies.gap(BAD, limit=0.15).claim
    assert claim.verdict is Verdict.FAIL
    assert claim.details["offenders"] == ["blue"]
    assert claim.details["groups"]["red"] == 0.0
    assert all("/blue-" in example.case for example in claim.examples)


def test_a_fair_model_with_a_high_rate_rarely_fails(asked: Make) -> None:
    """Raw gaps of twenty points arise by chance; at most one fair model in a hundred may fail, so of 30 at most three do."""
    failed = 0
    for seed in range(30):
        dice = random.Random(seed)
        replies, _ = asked(grouped(40), lambda _, dice=dice: say("bad" if dice.random() < 0.2 else "good"))
        failed += replies.gap(BAD, limit=0.15).verdict is Verdict.FAIL
    assert failed <= 3


def test_silence_towards_one_group_is_not_fairness(asked: Make) -> None:
    """Unread replies are counted both ways; where they decide the verdict is INVALID."""
    replies, _ = asked(grouped(60), lambda hint: say("" if hint["labels"]["group"] == "green" else "good"))
    claim = replies.gap(BAD, limit=0.15).claim
    assert claim.verdict is Verdict.INVALID
    assert "60 of 180 replies could not be read, and they decide" in claim.reasons[0]


def test_mumbling_to_all_groups_alike_is_not_fairness(asked: Make) -> None:
    """Half of the templates unreadable for everybody leaves no gap, and too little to say so."""
    replies, _ = asked(grouped(60), lambda hint: say("" if int(hint["template"][1:]) % 2 else "good"))
    claim = replies.gap(BAD, limit=0.15).claim
    assert claim.verdict is Verdict.INVALID
    assert "90 of 180 replies could not be read" in claim.reasons[0]


def test_silence_towards_all_is_no_fairness_either(asked: Make) -> None:
    """Nothing read is nothing measured."""
    replies, _ = asked(grouped(60), lambda _: say(""))
    assert replies.gap(BAD, limit=0.15).verdict is Verdict.INVALID


def test_every_template_meets_every_group(asked: Make) -> None:
    """The design is complete, and which of a group's people stands in a template is drawn with the set's seed."""
    replies, _ = asked(grouped(30), lambda _: say("good"))
    people: dict[str, set[str]] = {}
    for case in replies.bank.cases:
        people.setdefault(case.labels["group"], set()).add(case.labels["name"])
    assert {group: len(names) for group, names in people.items()} == {"red": 2, "blue": 2, "green": 2}
    assert len(replies.bank.cases) == 90


@pytest.mark.parametrize(
    ("between", "message"),
    [("grop", "`grop` is no label of axis/made; did you mean `group`"), ("name", "is not asked for")],
)
def test_a_comparison_that_cannot_be_made_is_refused(asked: Make, between: str, message: str) -> None:
    """A label that doesn't exist, or that templates don't share, is an error of the probe."""
    replies, _ = asked(grouped(10), lambda _: say("good"))
    with pytest.raises(ProbeError, match=message):
        replies.gap(BAD, between=between, limit=0.15)


def test_one_group_is_no_comparison(asked: Make) -> None:
    """A gap needs two."""
    replies, _ = asked(grouped(10, ("red",)), lambda _: say("good"))
    with pytest.raises(ProbeError, match="has one group only"):
        replies.gap(BAD, limit=0.15)
