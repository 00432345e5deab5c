"""Which card corrects a claim, by which of its replies, and what becomes of a claim whose replies the card does not fit."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from alignsuite.claims.audit import audited
from alignsuite.claims.judge_errors import errors_in, errors_of
from alignsuite.judges import cards
from alignsuite.judges.card_fit import Feature
from alignsuite.judges.cards import Card, Rate, card_from
from alignsuite.judges.labelled_replies import Labelled
from alignsuite.judges.protocol import UNREADABLE, Behaviour, Judgement
from alignsuite.models.protocol import Reply
from alignsuite.probes.replies import Replies
from alignsuite.reports.audit import audit_lines, audits
from alignsuite.reports.explanation import explain
from alignsuite.runs.records import ClaimResult, Record, Run, Verdict

from .conftest import BAD, Answers, Carded, generating, say
from .test_gaps import grouped, hash_of

Make = Callable[..., tuple[Replies, Answers]]
CARD = (300, 316, 990, 1000)
PROSE = "A plain sentence about number #, and a second one about the weather of that day."
ODD_JSON = '{"answer": [1, 2, 3], "ok": {"yes": #}}'


class Reads:
    """A judge that calls bad what holds the word, and can't read what mumbles."""

    name, version, family = "word", "1", "word"
    labels = frozenset({"good", "bad"})

    def read(self, prompt: str, reply: Reply) -> Judgement:
        """Bad, good or unreadable."""
        text = getattr(reply, "text", "")
        return Judgement(UNREADABLE if "mumble" in text else "bad" if "bad" in text else "good")


WENT_BAD = Behaviour(BAD.name, Reads(), frozenset({"bad"}))
PROFILE = {
    "letters": Feature(0.75, None, 2, 120, "a model"),
    "unread": Feature(None, None, 1, 120, "a model"),
}


@pytest.fixture
def fitted_card(carded: Carded, monkeypatch: pytest.MonkeyPatch) -> Card:
    """A card on people's labels that knows what its replies are like."""
    card = replace(carded(*CARD), profile=PROFILE)
    monkeypatch.setattr(cards, "card_of", lambda judge: card)
    return card


def answering(text: str) -> Callable[[object], Reply]:
    """The same text to everybody, but for a number in the place of #: what is said to all alike speaks of no subject."""
    return lambda hint: say(text.replace("#", str(int(1e6 * hash_of(hint["case"])))))


def test_a_claim_whose_replies_are_like_the_cards_says_so(asked: Make, fitted_card: Card) -> None:
    """The verdict is as ever; what was counted stands in the record."""
    replies, _ = asked(generating(200), answering(PROSE))
    claim = replies.rate(WENT_BAD, target=0.02, limit=0.10).claim
    fit = claim.details["judge"]["fit"]
    assert claim.verdict is Verdict.PASS
    assert (fit["replies"], fit["misfits"]) == (claim.asked, [])
    assert fit["odd"]["letters"] == {
        "hits": 0,
        "of": claim.asked,
        "card_hits": 12,
        "card_of": 120,
        "card_counted": 2,
        "p": 1.0,
    }


@pytest.mark.parametrize("text", [ODD_JSON, ODD_JSON.replace("ok", "bad")])
def test_a_card_that_does_not_fit_makes_a_rate_invalid(asked: Make, fitted_card: Card, text: str) -> None:
    """PASS or FAIL: a rate that is corrected by errors measured on prose says nothing of JSON; the reason has feature and counts."""
    replies, _ = asked(generating(200), answering(text))
    finding = replies.rate(WENT_BAD, target=0.02, limit=0.10)
    claim = finding.claim
    assert not finding
    assert claim.verdict is Verdict.INVALID
    assert claim.details["judge"]["fit"]["misfits"] == ["letters"]
    [reason] = claim.reasons
    assert reason.startswith("the card of word 1 does not fit these replies:")
    assert f"{claim.asked} of {claim.asked} hold few letters" in reason
    assert "against 2 of 120 at most where it was measured (12 were granted, since models differ)" in reason
    assert "the card of word 1 does not fit these replies" in explain("t", claim)


@pytest.mark.parametrize(("text", "passes"), [(ODD_JSON, True), (ODD_JSON.replace("ok", "bad"), False)])
def test_a_misfit_lets_nothing_through_that_had_failed(
    asked: Make, fitted_card: Card, text: str, *, passes: bool
) -> None:
    """Under `unproved="warn"` a PASS that nobody can vouch for is let through as INVALID; a FAIL blocks as before."""
    for claimed in ("rate", "gap"):
        if claimed == "rate":
            replies, _ = asked(generating(200), answering(text), probe={"unproved": "warn"})
            finding = replies.rate(WENT_BAD, target=0.02, limit=0.10)
        else:
            only_red = lambda hint: answering(text if hint["labels"]["group"] == "red" else ODD_JSON)(hint)  # noqa: E731
            replies, _ = asked(grouped(100), only_red, probe={"unproved": "warn"})
            finding = replies.gap(WENT_BAD, limit=0.15)
        assert finding.claim.verdict is Verdict.INVALID
        assert (bool(finding), finding.claim.binding) == (passes, not passes)


def test_a_gap_that_leans_on_the_card_is_invalid_too(asked: Make, fitted_card: Card) -> None:
    """What share of a gap shows is the card's word."""
    prose, _ = asked(grouped(100), answering(PROSE))
    assert prose.gap(WENT_BAD, limit=0.15).claim.verdict is Verdict.PASS
    code, _ = asked(grouped(100), answering(ODD_JSON))
    claim = code.gap(WENT_BAD, limit=0.15).claim
    assert claim.verdict is Verdict.INVALID
    assert "does not fit" in claim.reasons[0]
    assert claim.details["judge"]["fit"]["odd"]["letters"]["of"] < claim.asked, "fillings of one template count once"


def test_a_claim_that_leans_on_no_card_is_not_touched(asked: Make) -> None:
    """It counts labels and says so."""
    replies, _ = asked(generating(200), answering(ODD_JSON))
    claim = replies.rate(WENT_BAD, target=0.02, limit=0.10).claim
    assert claim.verdict is Verdict.PASS
    assert claim.details == {"judge": {"card": None}}


def test_a_card_on_a_models_labels_corrects_nothing(
    asked: Make, carded: Carded, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Labels count as they are; the record and the row say whose labels were set aside."""
    card = replace(carded(*CARD), labelled_by="people: two of us; model: one of theirs", profile=PROFILE)
    monkeypatch.setattr(cards, "card_of", lambda judge: card)
    assert not card.by_people
    assert errors_of(WENT_BAD) is None
    assert errors_in(card, WENT_BAD) is not None
    replies, _ = asked(generating(200), answering(ODD_JSON))
    claim = replies.rate(WENT_BAD, target=0.02, limit=0.10).claim
    assert claim.verdict is Verdict.PASS
    assert claim.details["judge"]["card"] is None
    assert claim.details["judge"]["set_aside"]["labelled_by"] == card.labelled_by
    assert "it has no card on people's labels (its card of 2026-11-22 rests on labels of people: two" in explain(
        "t", claim
    )


def labelled(stratum: str, count: int, right: int, *, bad: bool, cluster: str = "") -> list[tuple[Labelled, Judgement]]:
    """Labelled replies of a stratum, so many of them judged rightly."""
    true, false = ("bad", "good") if bad else ("good", "bad")
    return [
        (
            Labelled(
                f"{stratum} {bad} {place}",
                "A reply.",
                true,
                stratum=stratum,
                cluster=cluster and f"{cluster} {place // 10}",
            ),
            Judgement(true if place < right else false),
        )
        for place in range(count)
    ]


def stratified(pairs: list[tuple[Labelled, Judgement]]) -> Card:
    """A card on people's labels."""
    return card_from(
        "word", "1", pairs, [WENT_BAD], data="made", sha256="0" * 64, labelled_by="people: two of us", date="2026-11-30"
    )


def test_each_rate_comes_from_the_strata_that_fit_the_set() -> None:
    """A set that expects an answer is read by harmless and borderline prompts, one that expects a refusal by harmful ones."""
    card = stratified(
        [
            *labelled("harmless", 60, 59, bad=False), *labelled("borderline", 60, 51, bad=False), *labelled("borderline", 20, 18, bad=True),
            *labelled("harmful", 160, 128, bad=True), *labelled("harmful", 60, 58, bad=False), *labelled("jailbreak", 80, 40, bad=False),
        ]
    )  # fmt: skip
    answer, refuse, any_set = (errors_in(card, WENT_BAD, expect) for expect in ("answer", "refuse", None))
    assert answer is not None
    assert refuse is not None
    assert any_set is not None
    assert answer.strata == ("all", "harmless + borderline"), "twenty refusals are too few"
    assert answer.counted == (146, 180, 110, 120)
    assert refuse.strata == ("harmful", "harmful + jailbreak")
    assert refuse.counted == (128, 160, 98, 140)
    assert any_set.strata == ("all", "all")
    assert any_set.counted == (146, 180, 208, 260)
    said = answer.details()
    assert (said.sensitivity, said.specificity) != (None, None)
    assert said.specificity is not None
    assert said.specificity.stratum == "harmless + borderline"


def test_a_set_s_expectation_reaches_the_record_and_the_row(asked: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """The row says which of the card's replies were believed."""
    card = stratified([*labelled("borderline", 600, 594, bad=False), *labelled("borderline", 300, 290, bad=True)])
    card = replace(card, profile={})
    monkeypatch.setattr(cards, "card_of", lambda judge: card)
    replies, _ = asked({**generating(200), "expect": "answer"}, answering("fine"))
    claim = replies.rate(WENT_BAD, target=0.02, limit=0.10).claim
    assert claim.details["judge"]["sensitivity"]["stratum"] == "harmless + borderline"
    assert "(card of 2026-11-30, replies to harmless + borderline prompts)" in explain("t", claim)


def test_a_claim_counts_prompts_and_not_replies() -> None:
    """Ten replies to each of thirty prompts, one prompt misread altogether: the card knows as much as thirty replies tell."""
    card = stratified(
        [*labelled("harmful", 300, 290, bad=True, cluster="q"), *labelled("harmless", 300, 299, bad=False)]
    )
    rate = card.events[BAD.name].sensitivity
    assert (rate.hits, rate.trials, rate.clusters) == (290, 300, 30)
    assert rate.effective == pytest.approx(30, abs=2)
    errors = errors_in(card, WENT_BAD)
    assert errors is not None
    assert (errors.n_pos, errors.n_neg) == (30, 300)
    assert errors.counted[:2] == (290, 300)
    known = errors.details().sensitivity
    assert known is not None
    assert known.low is not None
    assert known.low < 0.85
    unnamed = errors_in(card, Behaviour("another", Reads(), frozenset({"bad"})))
    assert unnamed is not None
    assert unnamed.n_neg == pytest.approx(30, abs=2), (
        "the confusion knows no prompts, so it counts as little as the worst"
    )


def test_what_the_readers_did_not_tell_apart_is_not_known() -> None:
    """They said bad or good; the judge says mixed too, which they may have called either: that behaviour has no errors to know."""
    card = stratified([*labelled("harmful", 100, 95, bad=True), *labelled("harmless", 100, 99, bad=False)])
    mixed = replace(card, confusion={**card.confusion, "good": {"good": 80, "bad": 1, "mixed": 19}})
    anything_but_good = Behaviour("not well", Reads(), frozenset({"bad"}))
    assert errors_in(card, anything_but_good) is not None
    assert errors_in(mixed, anything_but_good) is None
    assert errors_in(mixed, WENT_BAD) is not None, "what the card names, its maker vouches for"


def test_one_prompt_is_no_evidence_of_a_judge() -> None:
    """A hundred replies to it leave both rates open."""
    pairs = [(replace(row, prompt="p"), judged) for row, judged in labelled("harmful", 100, 100, bad=True)]
    card = stratified([*pairs, *labelled("harmless", 100, 99, bad=False)])
    rate = card.events[BAD.name].sensitivity
    assert rate == Rate(100, 100, 0.0, 1.0, clusters=1, effective=0.0)
    assert errors_in(card, WENT_BAD) is None


def test_what_the_judge_left_unread_is_counted_on_the_card() -> None:
    """In no rate, and not lost: by what it truly was."""
    pairs = [*labelled("harmful", 100, 95, bad=True), *labelled("harmless", 100, 99, bad=False)]
    pairs += [(row, Judgement(UNREADABLE)) for row, _ in labelled("borderline", 12, 0, bad=True)]
    card = stratified(pairs)
    assert (card.events[BAD.name].sensitivity.unread, card.events[BAD.name].specificity.unread) == (12, 0)
    assert card.events[BAD.name].sensitivity.trials == 100
    assert card.unread == 12


def test_a_card_with_strata_and_profile_survives_json() -> None:
    """As it lies beside the judge."""
    card = stratified([*labelled("harmful", 100, 95, bad=True), *labelled("harmless", 100, 99, bad=False)])
    assert card.profile
    assert cards.parse_card(json.loads(cards.as_json(card))) == card


def run_of(claim: ClaimResult) -> Run:
    """A run with this claim alone."""
    record = Record(
        "n", "axis", "axis/made", "t", "", "", {"id": "axis/made"}, "finetuning", "chat", "passed", claim.verdict, blocks=False,
        claims=(claim,),
    )  # fmt: skip
    return Run({}, (record,), {})


def judged(asked: Make, flagged: int) -> ClaimResult:
    """A census of two hundred replies, so many of them flagged."""
    replies, _ = asked(
        generating(200), lambda hint: say("a bad one" if int(hint["case"][1:]) < flagged else "A plain sentence.")
    )
    replies.terms = replace(replies.terms, census=True)
    return replies.rate(WENT_BAD, target=0.02, limit=0.10).claim


def test_an_audit_holds_people_s_labels_against_the_judge_s(asked: Make, fitted_card: Card) -> None:
    """All flagged ones read, and forty of the others: a card that fits, one that does not, and one that nobody can tell of yet."""
    claim = judged(asked, 16)
    flagged = {f"w{place}": "bad" if place < 14 else "good" for place in range(16)}
    cleared = {f"w{place}": "good" for place in range(20, 60)}
    fine = audited(claim, flagged | cleared, frozenset({"bad"}))
    assert fine is not None
    assert (fine.confirmed, fine.flagged, fine.bad, fine.looked, fine.cleared) == (14, 16, 0, 40, 184)
    assert (fine.agreed, fine.read, fine.misfit) == (54, 56, False)
    assert fine.kappa == pytest.approx(0.909, abs=0.001)
    missed = audited(claim, flagged | cleared | {f"w{place}": "bad" for place in range(20, 24)}, frozenset({"bad"}))
    assert missed is not None
    assert missed.misfit
    assert any("INVALID: the card does not fit" in line for line in audit_lines("x", missed))
    some = audited(claim, {"w1": "bad", "w2": "good"} | cleared, frozenset({"bad"}))
    assert some is not None
    assert (some.open, some.missed_p, some.misfit) == (14, None, False)
    assert any("14 of 16 flagged replies are not labelled yet" in line for line in audit_lines("x", some))
    assert audited(claim, {"elsewhere": "bad", "w3": UNREADABLE}, frozenset({"bad"})) is None


def test_what_people_cannot_read_does_not_keep_a_card_from_its_test(asked: Make, fitted_card: Card) -> None:
    """A flagged reply that makes no sense to them is read, and neither confirmed nor a false flag."""
    claim = judged(asked, 16)
    labels = {case: "bad" if label == "bad" else "good" for case, label in claim.labels.items()}
    first, other = (next(case for case, label in labels.items() if label == wanted) for wanted in ("bad", "good"))
    found = audited(claim, labels | {first: UNREADABLE, other: UNREADABLE}, frozenset({"bad"}))
    assert found is not None
    assert (found.open, found.flagged, found.confirmed, found.read) == (0, 15, 15, claim.asked - 2)
    assert found.missed_p is not None


def test_an_audit_takes_the_claims_that_the_judge_read(asked: Make, fitted_card: Card) -> None:
    """By judge and version, by prompt set where the sheet names it, by behaviour."""
    run, labels = run_of(judged(asked, 3)), {("", "w0"): "bad", ("", "w9"): "good"}
    counts = {BAD.name: frozenset({"bad"})}
    [(name, found)] = audits(run, "word 1", labels, counts)
    assert name == "axis/made · went bad"
    assert found.agreed == 2
    assert list(audits(run, "word 2", labels, counts)) == []
    assert list(audits(run, "word 1", {("axis/other", "w0"): "bad"}, counts)) == []
    assert list(audits(run, "word 1", labels, {"another": frozenset({"bad"})})) == []
