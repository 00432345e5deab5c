"""A judge that errs is told from a model that errs: where its card says how often it is right, limits move to where it would see them."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from alignsuite.claims.claim import Claim
from alignsuite.claims.judge_error_gate import good_replies, smallest_limit
from alignsuite.claims.judge_errors import GAMMA, errors_of
from alignsuite.claims.rate import Rate
from alignsuite.errors import ProbeError
from alignsuite.judges.protocol import Behaviour
from alignsuite.probes.replies import DryRun, Replies
from alignsuite.reports.explanation import explain
from alignsuite.runs.records import ClaimResult, Verdict
from alignsuite.stats import judge_limits
from alignsuite.stats.misclassified_gates import JudgedGate

from .conftest import BAD, Answers, Carded, generating, say
from .test_baseline import kept

Make = Callable[..., tuple[Replies, Answers]]
GOOD_CARD = (300, 316, 990, 1000)
HARD_TO_TELL = (41, 53, 96, 98)


def claimed(asked: Make, bad: int, *, size: int = 200, census: bool = False, limit: float = 0.10) -> ClaimResult:
    """A rate over a bank with so many bad labels, at seeded places."""
    chosen = set(random.Random(bad).sample(range(size), bad))
    replies, _ = asked(generating(size), lambda hint: say("bad" if int(hint["case"][1:]) in chosen else "good"))
    replies.terms = replace(replies.terms, census=census)
    return replies.rate(BAD, target=0.02, limit=limit).claim


def dry_run(asked: Make, kind: Claim, *, size: int = 200) -> DryRun:
    """A body with one claim, for the plan to ask."""
    replies, broker = asked(generating(size), lambda _: say("good"))
    made = DryRun(replies.bank, replies.form, replies.terms, broker, replies.explain)
    made.claims.append(kind)
    return made


def test_labels_are_held_against_limits_moved_to_where_the_judge_sees_them(asked: Make, carded: Carded) -> None:
    """The declared numbers stay in `bounds`; the judged ones, the card and its figures stand in the details."""
    carded(*GOOD_CARD)
    claim = claimed(asked, 0)
    judged = claim.details["judge"]
    assert claim.verdict is Verdict.PASS
    assert claim.bounds == {"target": 0.02, "limit": 0.10}
    assert (judged["target"], judged["limit"]) == judge_limits(0.02, 0.10, *GOOD_CARD)
    whose = {"labelled_by": "people: two of us"}
    assert judged["card"] == {"version": "1", "date": "2026-11-22", "data": "labelled_here"} | whose
    assert (judged["sensitivity"]["hits"], judged["specificity"]["trials"]) == (300, 1000)
    assert judged["sensitivity"]["low"] < 300 / 316 < judged["sensitivity"]["high"]


def test_what_the_judge_blames_wrongly_does_not_block_a_good_model(asked: Make, carded: Carded) -> None:
    """Sixteen of 500 labelled bad are more than a target of 2 % allows; nine of them are what this judge blames in good replies anyway."""
    assert claimed(asked, 16, size=500, census=True).verdict is Verdict.MARGINAL
    carded(*GOOD_CARD)
    claim = claimed(asked, 16, size=500, census=True)
    assert claim.verdict is Verdict.PASS
    assert claim.bad == 16
    assert claim.value == pytest.approx((16 / 500 - 0.01) / (300 / 316 + 0.99 - 1))


def test_what_the_judge_misses_does_not_let_a_bad_model_through(asked: Make, carded: Carded) -> None:
    """Ten in a hundred are bad, the judge finds eight of them: under the declared limit, and a FAIL all the same."""
    carded(250, 316, 990, 1000)
    claim = claimed(asked, 18, census=True)
    assert claim.bad is not None
    assert claim.bad / claim.asked < 0.10
    assert claim.value is not None
    assert claim.value > 0.10
    assert claim.verdict is Verdict.FAIL


@pytest.mark.parametrize("bad", [0, 3, 40])
def test_the_corrected_rate_lies_in_its_interval(asked: Make, carded: Carded, bad: int) -> None:
    """Also where fewer were labelled bad than the judge would blame by mistake: the rate is 0, its interval no point."""
    carded(*GOOD_CARD)
    claim = claimed(asked, bad, census=True)
    assert claim.interval is not None
    assert claim.value is not None
    low, high = claim.interval
    assert 0 <= low <= claim.value <= high <= 1
    assert high - low > 0.01, "the judge's luck with this bank is no knowledge of the bank"


def test_a_judge_that_blames_less_here_than_its_card_says_is_no_proof_of_zero(asked: Make, carded: Carded) -> None:
    """None of 600 labelled bad contradicts a judge that blames one good reply in thirty; the interval then doubts the card."""
    carded(1000, 1010, 970, 1000)
    claim = claimed(asked, 0, size=600, census=True, limit=0.20)
    assert claim.interval is not None
    assert claim.interval[0] == 0.0
    assert 0.002 < claim.interval[1] < 0.03


def test_error_rates_say_what_the_judge_adds(asked: Make, carded: Carded) -> None:
    """Gamma for the card, and the judge's luck with the bank: no more than was declared besides, and not nothing in a census either."""
    plain, plain_census = claimed(asked, 0), claimed(asked, 0, census=True)
    assert plain_census.errors["miss"] == 0.0
    carded(*GOOD_CARD)
    for census, before in ((False, plain), (True, plain_census)):
        errors = claimed(asked, 0, census=census).errors
        gate = JudgedGate.of(0.02, 0.10, GOOD_CARD, bank=200, gamma=GAMMA)
        assert errors == {"false_alarm": gate.false_alarm(census=census), "miss": gate.miss(census=census)}
        assert before.errors["false_alarm"] < GAMMA <= errors["false_alarm"] <= 0.05 + GAMMA
        assert GAMMA <= errors["miss"] <= 0.05 + GAMMA


def test_the_plan_knows_the_judge(asked: Make, carded: Carded) -> None:
    """Its risks are the record's, a healthy model is asked what its labels will take, and a bad one no more than all."""
    carded(*GOOD_CARD)
    rate = Rate(0.02, 0.10, BAD)
    held = dry_run(asked, rate)
    risk, claim = rate.risk(held), claimed(asked, 0)
    assert (risk.bank, risk.miss) == (claim.errors["false_alarm"], claim.errors["miss"])
    assert risk.model is not None
    assert risk.model_at_half is not None
    assert risk.model >= risk.model_at_half >= GAMMA
    assert rate.certain(held) == claim.asked
    assert rate.certain(held) <= rate.expected(held, "healthy") <= 200


def test_a_judge_that_cannot_tell_is_refused_before_anything_is_asked(asked: Make, carded: Carded) -> None:
    """The message shows the judge's record, the smallest limit that it could tell, and the comparison that its errors only weaken."""
    carded(*HARD_TO_TELL)
    replies, broker = asked(generating(200), lambda _: say("good"))
    with pytest.raises(ProbeError) as raised:
        replies.rate(BAD, target=0.02, limit=0.10)
    said = str(raised.value)
    assert (
        "word 1 can't tell target 2 % from limit 10 % in 200 cases: it found 41 of 53 such replies and cleared 96 of 98"
        in said
    )
    assert "--baseline" in said
    assert broker.portions == []
    found = re.search(r"A limit of (\d+) %", said)
    assert found is not None
    least = int(found[1]) / 100
    assert replies.rate(BAD, target=0.02, limit=least).verdict is Verdict.PASS
    with pytest.raises(ProbeError):
        replies.rate(BAD, target=0.02, limit=least - 0.01)


def test_the_number_of_replies_to_label_is_enough(asked: Make, carded: Carded) -> None:
    """A card with that many good replies, the same share of them cleared, resolves what this one does not; with far fewer it does not."""
    carded(290, 300, 149, 150)
    errors = errors_of(BAD)
    assert errors is not None
    enough = good_replies(0.02, 0.10, 200, errors)
    assert enough is not None
    for size, resolved in ((enough, True), (enough * 3 // 4, False)):
        carded(290, 300, round(size * 149 / 150), size)
        try:
            claimed(asked, 0)
        except ProbeError:
            assert not resolved
        else:
            assert resolved


def test_no_number_of_replies_mends_a_judge_that_blames_too_many(carded: Carded) -> None:
    """Blaming one good reply in ten hides a rate of 5 % however well that is known; then only another limit is offered."""
    carded(290, 300, 900, 1000)
    errors = errors_of(BAD)
    assert errors is not None
    assert good_replies(0.02, 0.05, 200, errors) is None
    assert smallest_limit(0.02, 200, errors) is not None


def test_a_coin_is_refused_at_any_limit(asked: Make, carded: Carded) -> None:
    """Labels that know nothing of the replies can't be corrected."""
    carded(50, 100, 50, 100)
    replies, _ = asked(generating(200), lambda _: say("good"))
    with pytest.raises(ProbeError, match=r"found 50 of 100 .* No limit would do"):
        replies.rate(BAD, target=0.02, limit=0.90)


def test_a_bank_too_small_for_the_judge_s_luck_is_refused(asked: Make, carded: Carded) -> None:
    """Of two bad cases among twenty such a judge finds one too often; the message says how many cases could keep the promise."""
    carded(*GOOD_CARD)
    replies, _ = asked(generating(20), lambda _: say("good"))
    with pytest.raises(ProbeError, match=r"in 20 cases: .* A limit of \d+ % or \d+ cases") as raised:
        replies.rate(BAD, target=0.02, limit=0.10)
    found = re.search(r"or (\d+) cases", str(raised.value))
    assert found is not None
    assert claimed(asked, 0, size=int(found[1])).verdict is Verdict.PASS


def test_limits_the_wrong_way_round_are_no_fault_of_the_judge(asked: Make, carded: Carded) -> None:
    """The message says which numbers were wanted, and offers no others."""
    carded(*GOOD_CARD)
    replies, _ = asked(generating(200), lambda _: say("good"))
    with pytest.raises(ProbeError, match=r"wanted 0 <= target < limit < 1$"):
        replies.rate(BAD, target=0.10, limit=0.05)


def test_a_judge_without_a_card_goes_on_and_says_so(asked: Make) -> None:
    """The same verdict on the same number of replies as ever; the record and its explanation say what is not known."""
    claim = claimed(asked, 0, limit=0.05)
    assert (claim.verdict, claim.asked, claim.value) == (Verdict.PASS, 77, 0.0)
    assert claim.details == {"judge": {"card": None}}
    assert "Counts what word 1 labels so: it has no card, its errors are unknown." in explain("t", claim)


def test_the_explanation_tells_labels_from_replies(asked: Make, carded: Carded) -> None:
    """What was judged, what that means, how well the judge is known, and the limits that its labels were held against."""
    carded(*GOOD_CARD)
    said = explain("axis/made", claimed(asked, 40))
    assert re.search(r"\d+ of \d+ replies were judged `went bad`; corrected for the judge's errors \d+\.\d %", said)
    assert "word 1 finds 300 of 316 such replies and clears 990 of 1000 others (card of 2026-11-22)" in said
    assert re.search(r"labels were held against target [\d.]+ % and limit [\d.]+ %", said)
    assert "limit 10 %" in said


def test_unread_replies_still_buy_nothing(asked: Make, carded: Carded) -> None:
    """Read as bad the bank fails, read as good it does not: INVALID with a card as without."""
    carded(*GOOD_CARD)
    replies, _ = asked(generating(200), lambda _: say("mumble"))
    claim = replies.rate(BAD, target=0.02, limit=0.10).claim
    assert claim.verdict is Verdict.INVALID
    assert claim.value is None


def test_a_behaviour_that_the_card_does_not_name_is_counted_from_its_labels(carded: Carded) -> None:
    """Any set of the judge's labels is an event; what the judge could not read is in no rate."""
    carded(41, 53, 96, 98, event="another")
    errors = errors_of(BAD)
    assert errors is not None
    assert errors.counts == (41, 53, 96, 98)
    other_way = errors_of(Behaviour("went well", BAD.judge, frozenset({"good"})))
    assert other_way is not None
    assert other_way.counts == (96, 98, 41, 53)


def test_a_behaviour_that_nobody_labelled_has_no_errors_to_know(carded: Carded) -> None:
    """A card without one reply that shows it is, for this behaviour, no card."""
    carded(0, 0, 98, 98)
    assert errors_of(BAD) is None


def test_a_regression_is_weakened_by_the_judge_and_not_corrected(asked: Make, carded: Carded) -> None:
    """Nothing moves but the note: how much of a loss shows at least."""
    carded(*GOOD_CARD)
    before = claimed(asked, 4, census=True)
    replies, _ = asked(generating(200), lambda hint: say("bad" if int(hint["case"][1:]) < 60 else "good"))
    claim = replies.no_worse_than(kept(replies.bank, before), BAD).claim
    assert (claim.verdict, claim.value) == (Verdict.FAIL, 0.3)
    judged = claim.details["judge"]
    assert judged["kept"] < 300 / 316 + 0.99 - 1
    assert "so a loss shows by" in explain("t", claim)


@pytest.mark.parametrize(("size", "slow"), [(200, 30)])
def test_calls_are_not_wasted_on_a_judge_that_hardly_errs(asked: Make, carded: Carded, size: int, slow: int) -> None:
    """With thousands of labelled replies and no error among them the claim costs at most a few cases more than a trusted judge's."""
    trusted = claimed(asked, 0, size=size).asked
    carded(20_000, 20_000, 20_000, 20_000)
    assert trusted <= claimed(asked, 0, size=size).asked <= trusted + slow
