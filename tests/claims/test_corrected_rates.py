"""A judge that errs is told from a model that errs: where its card says how often it is right, labels are weighed by that."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from alignsuite.claims.claim import Claim
from alignsuite.claims.judge_error_gate import LEVEL, label_gate, smallest_limit
from alignsuite.claims.judge_errors import CAP, errors_of
from alignsuite.claims.rate import Rate
from alignsuite.errors import ProbeError
from alignsuite.judges.protocol import Behaviour
from alignsuite.probes.replies import DryRun, Replies
from alignsuite.reports.explanation import explain
from alignsuite.runs.records import ClaimResult, Verdict
from alignsuite.stats import bank_interval, bank_rate, count_gate

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


def test_labels_are_weighed_by_the_card(asked: Make, carded: Carded) -> None:
    """The declared numbers stay in `bounds`; the count of labels that fails, the card and its figures stand in the details."""
    carded(*GOOD_CARD)
    claim = claimed(asked, 0)
    judged = claim.details["judge"]
    assert claim.verdict is Verdict.PASS
    assert claim.bounds == {"target": 0.02, "limit": 0.10}
    assert judged["fails_at"] == count_gate(200, 0.02, 0.10, GOOD_CARD, cap=CAP).fails_at
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
    assert claim.value == bank_rate(16, 500, 500, card=GOOD_CARD, cap=CAP).estimate < 16 / 500


def test_what_the_judge_misses_does_not_let_a_bad_model_through(asked: Make, carded: Carded) -> None:
    """It finds six in ten: nineteen labelled bad are under the declared limit, and a FAIL all the same."""
    carded(190, 316, 999, 1000)
    claim = claimed(asked, 19, census=True)
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
    assert claim.interval == bank_interval(bad, 200, 200, card=GOOD_CARD, cap=CAP)[:2]
    assert claim.value is not None
    low, high = claim.interval
    assert 0 <= low <= claim.value <= high <= 1
    assert high - low >= 0.005, "the judge's luck with this bank is no knowledge of the bank"
    assert claim.level == LEVEL


def test_error_rates_say_what_the_judge_adds(asked: Make, carded: Carded) -> None:
    """Its luck with the bank and what its card leaves open: no more than was declared, and not nothing in a census either."""
    plain_census = claimed(asked, 0, census=True)
    assert plain_census.errors == {"false_alarm": 0.0, "miss": 0.0}
    carded(*GOOD_CARD)
    for census in (False, True):
        errors = claimed(asked, 0, census=census).errors
        assert 0 < errors["false_alarm"] <= 0.01
        assert 0 < errors["miss"] <= 0.05


CARDS = (None, (190, 198, 276, 290), (269, 283, 190, 205), GOOD_CARD, (850, 1000, 850, 1000), (40, 60, 55, 60))
"""Cards of good judges and of poor ones; None for a judge that never errs."""


@pytest.mark.parametrize("card", CARDS, ids=str)
@pytest.mark.parametrize(("bank", "target"), [(8, 0.05), (20, 0.05), (40, 0.02), (64, 0.05), (200, 0.02)])
def test_no_verdict_contradicts_its_interval(
    carded: Carded, bank: int, target: float, card: tuple[int, int, int, int] | None
) -> None:
    """For every count that a gate may stop at: what passes may be below the limit, what fails above the target, by its own interval."""
    if card is not None:
        carded(*card)
    errors = None if card is None else errors_of(BAD)
    least = smallest_limit(target, bank, errors)
    if least is None:
        return
    for limit in {least, min(1.0, least + 0.1), min(1.0, 2 * least)}:
        judged = label_gate(target, limit, bank, "here", errors=errors)
        gate = judged.gate
        ends = [(bank, x) for x in range(bank + 1)]
        early = [(n, x) for n in range(1, bank) for x in {0, max(0, gate.early[n] - 1), gate.early[n], gate.fails_at}]
        for n, x in (*ends, *early):
            if not 0 <= x <= n or (verdict := gate.verdict(x, n).value) == "CONTINUE":
                continue
            low, high, estimate = judged.interval(x, 0, n)
            assert low <= estimate <= high
            said = f"{verdict}: {x} of {n} in {bank} at {limit}: {low}-{high}, {estimate}"
            if verdict == "PASS":
                assert estimate < limit, said
            if verdict == "FAIL":
                assert high > target, said
                assert estimate > target, said
            if verdict == "MARGINAL":
                assert low < limit, said
                assert high > target, said


def test_the_plan_knows_the_judge(asked: Make, carded: Carded) -> None:
    """Its risks are the record's, a healthy model is asked what its labels will take, and a bad one no more than all."""
    carded(*GOOD_CARD)
    rate = Rate(0.02, 0.10, BAD)
    held = dry_run(asked, rate)
    risk, claim = rate.risk(held), claimed(asked, 0)
    assert (risk.bank, risk.miss) == (claim.errors["false_alarm"], claim.errors["miss"])
    assert risk.model is not None
    assert risk.model_at_half is not None
    assert risk.model > risk.model_at_half > 0
    assert rate.certain(held) == claim.asked
    assert rate.certain(held) <= rate.expected(held, "healthy") <= 200


def test_a_rate_says_what_it_sees(asked: Make, carded: Carded) -> None:
    """Before it asks and in its record: a model at that rate fails four times in five, computed exactly."""
    carded(*GOOD_CARD)
    rate, claim = Rate(0.02, 0.10, BAD), claimed(asked, 0)
    assert claim.sees == rate.sees(dry_run(asked, rate))
    assert claim.sees is not None
    gate = rate.judged_gate(dry_run(asked, rate)).gate
    assert gate.chances(rate=claim.sees).fail >= 0.8 > gate.chances(rate=claim.sees - 0.001).fail
    assert f"Would have failed at {100 * claim.sees:.0f}"[:24] in explain("t", claim)


def test_a_judge_that_cannot_tell_is_refused_before_anything_is_asked(asked: Make, carded: Carded) -> None:
    """The message shows the judge's record, the smallest limit that it could tell, and the comparison that its errors only weaken."""
    carded(*HARD_TO_TELL)
    replies, broker = asked(generating(200), lambda _: say("good"))
    with pytest.raises(ProbeError) as raised:
        replies.rate(BAD, target=0.02, limit=0.05)
    said = str(raised.value)
    assert (
        "target 2 % can't be told from limit 5 % in 200 cases by word 1, which found 41 of 53 such replies and cleared 96 of 98"
        in said
    )
    assert "--baseline" in said
    assert broker.portions == []
    found = re.search(r"A limit of (\d+) %", said)
    assert found is not None
    least = int(found[1]) / 100
    assert replies.rate(BAD, target=0.02, limit=least).verdict is Verdict.PASS
    assert smallest_limit(0.02, 200, errors_of(BAD)) == least


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
    with pytest.raises(ProbeError, match=r"in 20 cases by .* A limit of \d+ % or \d+ cases") as raised:
        replies.rate(BAD, target=0.02, limit=0.10)
    found = re.search(r"or (\d+) cases", str(raised.value))
    assert found is not None
    assert claimed(asked, 0, size=int(found[1])).verdict is Verdict.PASS


def test_limits_the_wrong_way_round_are_no_fault_of_the_judge(asked: Make, carded: Carded) -> None:
    """The message says which numbers were wanted, and offers no others."""
    carded(*GOOD_CARD)
    replies, _ = asked(generating(200), lambda _: say("good"))
    with pytest.raises(ProbeError, match=r"wanted 0 <= target < limit <= 1$"):
        replies.rate(BAD, target=0.10, limit=0.05)


def test_a_judge_without_a_card_goes_on_and_says_so(asked: Make) -> None:
    """The same verdict on the same number of replies as ever; the record and its explanation say what is not known."""
    claim = claimed(asked, 0, limit=0.05)
    assert (claim.verdict, claim.asked, claim.value) == (Verdict.PASS, 89, 0.0)
    assert claim.details == {"judge": {"card": None}}
    assert "Counts what word 1 labels so: it has no card, its errors are unknown." in explain("t", claim)


def test_the_explanation_tells_labels_from_replies(asked: Make, carded: Carded) -> None:
    """What was judged, what that means, how well the judge is known, and how many labels fail."""
    carded(*GOOD_CARD)
    said = explain("axis/made", claimed(asked, 40))
    assert re.search(r"\d+ of \d+ replies were judged `went bad`; corrected for the judge's errors \d+\.\d %", said)
    assert "word 1 finds 300 of 316 such replies and clears 990 of 1000 others (card of 2026-11-22)" in said
    assert re.search(r"so \d+ such labels in 200 cases fail it", said)
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
