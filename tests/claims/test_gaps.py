"""Groups are compared over complete templates, and fairness is proved or left open, never assumed."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from alignsuite.claims.judge_errors import DOUBT
from alignsuite.errors import ProbeError
from alignsuite.probes.replies import Replies
from alignsuite.reports.explanation import explain
from alignsuite.runs.records import Verdict

from .conftest import BAD, Answers, Carded, say

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
    """Sixty templates with a bad reply here and there prove the gap below 15 points."""
    replies, _ = asked(grouped(60), lambda hint: say("bad" if hash_of(hint["case"]) < 0.02 else "good"))
    claim = replies.gap(BAD, limit=0.15).claim
    assert claim.bad
    assert (claim.verdict, claim.asked, claim.errors["miss"]) == (Verdict.PASS, 180, 0.05)


def test_few_templates_leave_it_open(asked: Make) -> None:
    """Some bad replies of either kind in twenty templates show no gap and exclude none: INCONCLUSIVE, saying how large it may be."""
    uneven, _ = asked(grouped(20), lambda hint: say("bad" if hash_of(hint["case"]) < 0.3 else "good"))
    claim = uneven.gap(BAD, limit=0.15).claim
    assert claim.verdict is Verdict.INCONCLUSIVE
    assert "20 templates can't prove it below 15%" in claim.reasons[0]


def test_templates_that_could_never_prove_it_are_refused(asked: Make) -> None:
    """Six templates can't exclude a gap of 15 points, not even without a single bad reply; the message says how many could."""
    replies, broker = asked(grouped(6), lambda _: say("good"))
    with pytest.raises(ProbeError, match=r"6 templates can never prove .* closer than 15%.* 19 templates could"):
        replies.gap(BAD, limit=0.15)
    assert broker.portions == []
    enough, _ = asked(grouped(19), lambda _: say("good"))
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
    assert "too few answers to some groups: 0 of 60 of `green`, wanted at least 90 % of each" in claim.reasons
    assert claim.binding


@pytest.mark.parametrize(("silent", "verdict"), [(0, Verdict.PASS), (2, Verdict.PASS), (7, Verdict.INVALID)])
def test_each_group_has_to_be_answered(asked: Make, silent: int, verdict: Verdict) -> None:
    """Nine in ten over all groups are not enough where one is hardly answered; `unproved="warn"` does not let that through."""

    def answer(hint: Any) -> Any:
        return say("" if hint["labels"]["group"] == "green" and int(hint["template"][1:]) < silent else "good")

    groups = ("red", "blue", "green", "grey", "pink", "teal", "gold", "rose", "lime", "sand", "plum", "navy")
    replies, _ = asked(grouped(60, groups), answer, probe={"unproved": "warn"})
    finding = replies.gap(BAD, limit=0.30)
    claim = finding.claim
    assert claim.usable >= 0.98 * claim.asked
    assert claim.verdict is verdict, claim.reasons
    assert bool(finding) is (verdict is Verdict.PASS)
    if verdict is Verdict.INVALID:
        assert [reason for reason in claim.reasons if f"{60 - silent} of 60 of `green`" in reason]
        assert "`red`" not in " ".join(claim.reasons)


def test_one_unread_reply_in_a_small_group_is_no_silence(asked: Make) -> None:
    """A judge abstains now and then: of a group's 25 cases 23 are enough, though fewer than 30 were asked."""
    few = {"t3", "t7"}
    replies, _ = asked(
        grouped(25),
        lambda hint: say("mumble" if hint["labels"]["group"] == "red" and hint["template"] in few else "good"),
    )
    claim = replies.gap(BAD, limit=0.30).claim
    assert not claim.binding
    assert claim.verdict is not Verdict.INVALID, claim.reasons


def test_mumbling_to_all_groups_alike_is_not_fairness(asked: Make) -> None:
    """Half of the templates unreadable for everybody leaves no gap, and too little to say so."""
    replies, _ = asked(grouped(60), lambda hint: say("" if int(hint["template"][1:]) % 2 else "good"))
    claim = replies.gap(BAD, limit=0.15).claim
    assert claim.verdict is Verdict.INVALID
    assert claim.reasons == ("90 of 180 replies were answers (90 empty), wanted at least 90 %",)


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


def test_every_label_is_in_the_record_by_group(asked: Make) -> None:
    """Labels with their numbers, and the interval of each group's rate, which reaches as far as unread replies may be bad."""
    replies, _ = asked(
        grouped(40), lambda hint: say({"red": "bad", "blue": "mumble"}.get(hint["labels"]["group"], "good"))
    )
    details = replies.gap(BAD, limit=0.15).claim.details
    assert details["classes"] == {"blue": {"UNREADABLE": 40}, "green": {"good": 40}, "red": {"bad": 40}}
    assert list(details["classes"]) == list(details["groups"]) == list(details["intervals"]) == ["blue", "green", "red"]
    assert details["intervals"]["blue"] == [0.0, 1.0]
    assert details["intervals"]["red"] == [0.9124, 1.0]
    assert details["intervals"]["green"] == [0.0, 0.0876]
    assert details["judge"] == {"card": None}


def test_what_a_judge_does_not_show_has_to_be_proved_too(asked: Make, carded: Carded) -> None:
    """A judge that finds seven in ten shows a gap of 15 points as ten; labels proved closer than 11 prove nothing then."""
    spec, some = grouped(60), lambda hint: say("bad" if hash_of(hint["case"]) < 0.05 else "good")
    trusted = asked(spec, some)[0].gap(BAD, limit=0.15).claim
    carded(700, 1000, 995, 1000)
    corrected = asked(spec, some)[0].gap(BAD, limit=0.15).claim
    judged = corrected.details["judge"]
    assert (trusted.verdict, corrected.verdict) == (Verdict.PASS, Verdict.INCONCLUSIVE)
    assert trusted.value == corrected.value, "a gap is one of labels"
    assert judged["limit"] == pytest.approx(0.15 * judged["kept"])
    assert 0.6 < judged["kept"] < 0.695
    assert corrected.errors["miss"] == 0.05 + DOUBT
    assert "its labels show no less than" in corrected.reasons[0]
    assert "so a gap shows by" in explain("t", corrected)
    assert corrected.bounds["limit"] == 0.15


def test_a_fail_takes_no_notice_of_the_card(asked: Make, carded: Carded) -> None:
    """Errors that know no groups make no gaps, so what is beyond chance and margin fails as before."""
    carded(700, 1000, 995, 1000)
    replies, _ = asked(grouped(60), lambda hint: say("bad" if hint["labels"]["group"] == "blue" else "good"))
    claim = replies.gap(BAD, limit=0.15).claim
    assert (claim.verdict, claim.details["offenders"]) == (Verdict.FAIL, ["blue"])
    assert claim.errors["false_alarm"] == 0.01


def test_groups_at_the_limit_rarely_pass_through_a_judge_that_errs(asked: Make, carded: Carded) -> None:
    """True gaps of 20 points, seen by a judge that finds 85 % and blames 2 %: at most one in ten passes, and three errors."""
    carded(850, 1000, 980, 1000)
    replies, broker = asked(grouped(60, ("red", "blue")), lambda _: say("good"))
    passed, runs = 0, 150
    for seed in range(runs):
        dice = random.Random(seed)

        def answer(hint: Any, dice: random.Random = dice) -> Any:
            true = hint["labels"]["group"] == "blue" and dice.random() < 0.20
            return say("bad" if dice.random() < (0.85 if true else 0.02) else "good")

        broker.answer = answer
        passed += replies.gap(BAD, limit=0.20).verdict is Verdict.PASS
    assert passed / runs <= 0.05 + DOUBT + 3 * (0.1 * 0.9 / runs) ** 0.5


def test_a_judge_too_blind_for_the_templates_is_refused(asked: Make, carded: Carded) -> None:
    """Twenty templates prove 15 points of labels, and no 15 points of replies where only two thirds of a gap need show."""
    replies, broker = asked(grouped(20), lambda _: say("good"))
    assert replies.gap(BAD, limit=0.15).verdict is Verdict.PASS
    carded(700, 1000, 995, 1000)
    with pytest.raises(
        ProbeError, match=r"20 templates can never prove .* show no less than \d+% of a gap.* \d+ templates could"
    ):
        replies.gap(BAD, limit=0.15)
    carded(50, 100, 50, 100)
    with pytest.raises(ProbeError, match="no less than 0% of a gap"):
        replies.gap(BAD, limit=0.15)
    assert broker.portions == [60]


@pytest.mark.parametrize(("blue", "verdict"), [("good", Verdict.INCONCLUSIVE), ("bad", Verdict.FAIL)])
def test_a_blind_judge_may_prove_a_gap_and_never_its_absence(
    asked: Make, carded: Carded, blue: str, verdict: Verdict
) -> None:
    """Where only a proved gap blocks, a judge that its card calls no better than a coin may sit: what it finds is beyond chance."""
    carded(0, 3, 479, 485)
    character = lambda hint: say(blue if hint["labels"]["group"] == "blue" else "good")  # noqa: E731
    replies, _ = asked(grouped(20), character, probe={"unproved": "warn"})
    finding = replies.gap(BAD, limit=0.15)
    assert finding.claim.verdict is verdict
    assert bool(finding) is (blue == "good")
    assert finding.claim.details["judge"]["kept"] == 0
    if verdict is Verdict.INCONCLUSIVE:
        assert "finds 0 of 3 such replies by its card" in finding.claim.reasons[0]
        assert "templates" not in finding.claim.reasons[0], "more of them would tell nothing"


def by_lot(templates: int, rows: int = 4) -> dict[str, Any]:
    """As in the shipped sets: in one template all groups have a common name, or all have a rare one."""
    spec = grouped(templates)
    spec["tables"]["people"] = {
        "columns": {"group": "who", "known": "how well"},
        "rows": [
            {"value": f"{group.title()} {number}", "group": group, "known": ("common", "rare")[number % 2]}
            for group in ("red", "blue", "green")
            for number in range(rows)
        ],
    }
    return spec


def test_a_label_that_a_lot_gave_to_templates_is_compared_between_templates(asked: Make) -> None:
    """Rare names are declined in a third of their templates, whatever the group: FAIL, and by group nothing is found."""

    def answer(hint: Any) -> Any:
        return say("bad" if hint["labels"]["known"] == "rare" and hash_of(hint["template"]) < 0.4 else "good")

    replies, _ = asked(by_lot(80), answer)
    claim = replies.gap(BAD, between="known", limit=0.20).claim
    assert claim.verdict is Verdict.FAIL
    assert claim.details["unit"] == "template"
    assert claim.details["offenders"] == ["rare"]
    assert claim.details["groups"]["common"] == 0.0
    assert replies.gap(BAD, limit=0.20).verdict is not Verdict.FAIL


def test_a_lot_that_means_nothing_passes_after_half_of_the_templates(asked: Make) -> None:
    """Eighty templates, some forty of each kind: half are enough where nobody is treated badly."""
    replies, broker = asked(by_lot(120), lambda _: say("good"))
    claim = replies.gap(BAD, between="known", limit=0.20).claim
    assert (claim.verdict, claim.asked, claim.bank) == (Verdict.PASS, 180, 360)
    assert broker.portions == [180]


def test_hard_templates_are_noise_between_templates(asked: Make) -> None:
    """A fifth of the templates is bad for everybody: no finding, of thirty deals at most two."""
    failed = 0
    for seed in range(30):
        replies, broker = asked(by_lot(60), lambda _: say("good"))
        dice = random.Random(seed)
        hard = {f"t{number}" for number in range(60) if dice.random() < 0.2}
        broker.answer = lambda hint, hard=hard: say("bad" if hint["template"] in hard else "good")  # type: ignore[misc]
        failed += replies.gap(BAD, between="known", limit=0.20).verdict is Verdict.FAIL
    assert failed <= 2


def test_a_template_s_own_field_is_no_lot(asked: Make) -> None:
    """Whoever wrote the templates gave them their domain, so templates of two domains are no experiment."""
    spec = grouped(60)
    spec["fields"] = {"domain": "which"}
    for number, template in enumerate(spec["templates"]):
        template["domain"] = ("home", "work")[number % 2]
    replies, _ = asked(spec, lambda _: say("good"))
    with pytest.raises(ProbeError, match="is not asked for"):
        replies.gap(BAD, between="domain", limit=0.20)


def test_both_values_in_every_template_are_compared_within_it(asked: Make) -> None:
    """Two names of each group in every template, one of them rare: templates are blocks again, and a cell is the mean of its groups."""
    spec = by_lot(60, rows=2)
    spec["slots"]["name"]["pick"] = 2
    rare = asked(
        spec, lambda hint: say("bad" if hint["labels"]["known"] == "rare" and int(hint["template"][1:]) % 3 else "good")
    )[0]
    claim = rare.gap(BAD, between="known", limit=0.15).claim
    assert (claim.verdict, claim.details["unit"], claim.details["offenders"]) == (Verdict.FAIL, "case", ["rare"])
    one_group = asked(
        spec,
        lambda hint: say("bad" if hint["labels"]["known"] == "rare" and hint["labels"]["group"] == "red" else "good"),
    )[0]
    assert one_group.gap(BAD, between="known", limit=0.15).claim.value == pytest.approx(1 / 3)
