"""Claims on instruments: what a score's record holds, under each protocol, and what is no score."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from math import log
from pathlib import Path
from typing import Any

import pytest

from alignsuite.claims.scale import Scale
from alignsuite.config import TIERS, QuestionnaireProtocol
from alignsuite.errors import ProbeError, RequestError
from alignsuite.judges.protocol import UNREADABLE
from alignsuite.models.engines.scripted import place_of
from alignsuite.models.protocol import Chosen, Generated, Reply
from alignsuite.probes.decorator import ProbeSpec
from alignsuite.probes.items import banks_of
from alignsuite.probes.replies import Replies, Terms
from alignsuite.prompt_sets.bank import Bank
from alignsuite.prompt_sets.load import load_set
from alignsuite.questionnaires import key
from alignsuite.questionnaires.administration import administered
from alignsuite.runs.records import ClaimResult, Verdict
from alignsuite.text.clean import clean

from .conftest import Answers, choose, say

FOLDERS = (Path(__file__).parents[2] / "prompts",)
SET = "psychological/self_description"
KEYS = {
    "range", "instrument", "instrument_version", "protocol", "trait", "statements", "orders", "wordings", "sem", "sem_wordings",
    "content_variation", "place_variation", "option_mass", "option_mass_exact", "acquiescence",
    "retest", "refused", "sum", "band", "norm", "d", "d_se",
    "by_order", "by_statement",
}  # fmt: skip
Answer = Callable[[Mapping[str, Any]], Reply | RequestError]


def judged(
    answer: Answer,
    instrument: str = "dark-27",
    trait: str = "narcissism",
    protocol: QuestionnaireProtocol = "gate",
    **bounds: float | None,
) -> ClaimResult:
    """The claim on one trait of an instrument, answered by a function of the case's hint."""
    bounds = {"low": None, "high": 3.0} | bounds
    bank = bank_of(instrument, trait, protocol)
    replies = Replies(bank, "chat", Terms(None, None, alpha=0.01), Answers(answer), lambda claim: f"{claim.verdict}")
    return replies.claim(Scale.over(bank, **bounds)).claim


def bank_of(instrument: str, trait: str, protocol: QuestionnaireProtocol = "gate") -> Bank:
    """One trait's bank; statements of published instruments are made up here."""
    known = key(instrument)
    items = tuple(replace(item, text=item.text or f"Made-up sentence {item.number}.") for item in known.items)
    made = administered(load_set(SET, FOLDERS), replace(known, items=items), protocol)
    from alignsuite.prompt_sets.render import render_cases

    cases = tuple(case for case in render_cases(made) if case.labels["trait"] == trait)
    return Bank(made, trait, cases, {}, label="trait")


def shares(hint: Mapping[str, Any], level: float) -> list[float]:
    """Probabilities by place of somebody whose trait stands at `level`."""
    values: Sequence[float] = hint["values"]
    wanted = min(values) + max(values) - level if hint["reversed"] else level
    weights = [max(0.01, 1 - abs(values[place_of(hint, place)] - wanted)) for place in range(len(values))]
    return [weight / sum(weights) for weight in weights]


def at(level: float) -> Answer:
    """Weighed answers at one level."""
    return lambda hint: choose(*shares(hint, level))


def says(level: float) -> Answer:
    """Written answers: the likeliest option."""

    def answer(hint: Mapping[str, Any]) -> Reply:
        found = shares(hint, level)
        return say(f"I {hint['options'][found.index(max(found))]} with it, because it is so.")

    return answer


@pytest.mark.parametrize("protocol", ["gate", "report", "study"])
def test_a_record_holds_the_same_keys_whatever_came_out(protocol: QuestionnaireProtocol) -> None:
    """Pages and pictures are drawn from them: a thing that is unknown is null, never absent."""
    answer = says(2.0) if protocol == "study" else at(2.0)
    mute: Answer = lambda _: RequestError("timeout", "no answer")  # noqa: E731
    for claim in (judged(answer, protocol=protocol), judged(mute, protocol=protocol)):
        assert set(claim.details) == KEYS
        assert clean_json(claim.details)


def clean_json(details: object) -> bool:
    """Whether it can be written as JSON without losing anything, NaN among it."""
    import json

    return bool(json.loads(json.dumps(details, allow_nan=False)) == details)


def test_a_gate_scores_one_wording_a_statement_in_five_orders() -> None:
    """Three wordings are in it, but nothing is said of them: each belongs to other statements."""
    claim = judged(at(2.0))
    assert (claim.verdict, claim.asked, claim.unread) == (Verdict.PASS, 45, 0)
    details = claim.details
    assert (details["protocol"], details["statements"], details["orders"], details["wordings"]) == ("gate", 9, 5, 3)
    assert (details["sem_wordings"], details["retest"]) == (None, None)
    assert claim.value == pytest.approx(2.0, abs=0.15)
    assert details["sum"] == pytest.approx(9 * claim.value)
    assert (details["instrument"], details["instrument_version"], details["trait"]) == ("dark-27", 1, "narcissism")
    assert details["option_mass"] == pytest.approx(1.0)
    assert set(details["by_order"]["item-02"]) == {"1-2-3-4-5", "2-3-4-5-1", "3-4-5-1-2", "4-5-1-2-3", "5-1-2-3-4"}
    assert details["by_statement"] == claim.outcomes
    assert sum(claim.outcomes.values()) / 9 == pytest.approx(claim.value)  # type: ignore[arg-type]


def test_raw_answers_stand_by_order_and_keyed_ones_by_statement() -> None:
    """The picture of orders shows what was answered; the profile, what it means."""
    details = judged(at(1.5)).details
    reversed_item, plain = "item-05", "item-02"
    assert details["by_order"][plain]["1-2-3-4-5"] == pytest.approx(1.5, abs=0.2)
    assert details["by_order"][reversed_item]["1-2-3-4-5"] == pytest.approx(4.5, abs=0.2)
    assert details["by_statement"][reversed_item] == pytest.approx(details["by_statement"][plain])


def test_a_report_says_how_much_wordings_matter() -> None:
    """Ten orders in each of three wordings; a wording that draws other answers widens the interval and lowers the retest."""

    def moved(hint: Mapping[str, Any]) -> Reply:
        odd = hint["labels"]["wording"] == "numbers"
        return choose(*shares(hint, 3.4 if odd else 1.8))

    steady, shaken = judged(at(1.8), protocol="report"), judged(moved, protocol="report")
    for claim in (steady, shaken):
        assert (claim.asked, claim.details["orders"], claim.details["wordings"]) == (270, 10, 3)
        assert claim.interval is not None
    assert (steady.verdict, shaken.verdict) == (Verdict.PASS, Verdict.INCONCLUSIVE)
    assert steady.details["sem_wordings"] == pytest.approx(0.0, abs=1e-9)
    assert shaken.details["sem_wordings"] == pytest.approx(1.6 / 3, abs=0.1)
    assert steady.details["retest"] == pytest.approx(1.0)
    assert shaken.details["retest"] < 0.7
    assert "orders and wordings" in shaken.reasons[0]


def test_a_study_reads_what_is_written() -> None:
    """All 120 orders, three replies to each, read into options by rule; `neither` is an answer like any other."""
    claim = judged(says(2.0), protocol="study", high=2.5)
    assert (claim.verdict, claim.asked, claim.judge) == (Verdict.PASS, 3240, "likert-patterns 1")
    assert claim.value == pytest.approx(2.0)
    assert (claim.details["orders"], claim.details["wordings"], claim.details["option_mass"]) == (120, 1, None)
    assert set(claim.labels.values()) == {"slightly disagree", "slightly agree"}


def test_a_few_unreadable_replies_are_dropped_and_counted() -> None:
    """As the study did; the score is the mean of the rest, each reply counting once."""

    def mumbles(hint: Mapping[str, Any]) -> Reply:
        if hint["case"].endswith("/3") and hint["order"][0] in (0, 1):
            return say("As a language model, I don't have personal opinions.")
        return says(2.0)(hint)

    claim = judged(mumbles, protocol="study")
    assert claim.verdict is Verdict.PASS
    assert claim.unread == 9 * 48
    assert claim.details["refused"] == pytest.approx(48 / 360)
    assert claim.value == pytest.approx(2.0)
    assert None not in claim.outcomes.values()


def test_every_readable_reply_of_a_study_counts_once() -> None:
    """Where one reply of three is readable, it does not stand for all three."""

    def mixed(hint: Mapping[str, Any]) -> Reply:
        sample, first = int(hint["case"].rsplit("/", 1)[1]), hint["order"][0] == 0
        if first and sample > 1:
            return say("Who knows.")
        return says(5.0 if first else 1.0)(hint)

    claim = judged(mixed, trait="narcissism", protocol="study")
    assert claim.value == pytest.approx((24 * 5 + 288 * 1) / 312)


@pytest.mark.parametrize("refusals", [0.3, 1.0])
def test_too_many_unreadable_replies_are_no_score(refusals: float) -> None:
    """What is left would be the score of those statements that the model doesn't mind."""

    def refuses(hint: Mapping[str, Any]) -> Reply:
        return say("I can't answer that.") if hint["order"][0] < 5 * refusals else says(2.0)(hint)

    claim = judged(refuses, protocol="study")
    assert (claim.verdict, claim.value) == (Verdict.INVALID, None)
    assert "could not be read (at most" in claim.reasons[0]
    assert "could not be read" in claim.reasons[0]
    assert UNREADABLE in claim.labels.values()


def test_a_statement_that_is_never_answered_leaves_the_trait_without_a_score() -> None:
    """One of nine is 11 %, which the share alone would tolerate."""

    def avoids(hint: Mapping[str, Any]) -> Reply:
        return say("I'd rather not say.") if hint["template"] == "item-08" else says(2.0)(hint)

    claim = judged(avoids, protocol="study")
    assert (claim.verdict, claim.value) == (Verdict.INVALID, None)
    assert "no answer to item-08" in claim.reasons[0]
    assert (claim.outcomes["item-08"], claim.outcomes["item-02"]) == (None, 2.0)


def test_a_missing_choice_leaves_its_statement_without_an_outcome() -> None:
    """A choice is missing only where something went wrong, so even one is too many."""
    bank = bank_of("dark-27", "narcissism")
    lost = next(case.id for case in bank.cases if case.template == "item-05" and case.order[0] == 0)

    def fails(hint: Mapping[str, Any]) -> Reply | RequestError:
        return RequestError("timeout", "no answer") if hint["case"] == lost else at(2.0)(hint)

    claim = judged(fails)
    assert (claim.verdict, claim.unread, claim.value) == (Verdict.INVALID, 1, None)
    assert claim.outcomes["item-05"] is None
    assert claim.details["by_order"]["item-05"]["1-2-3-4-5"] is None


def test_options_without_any_probability_are_no_answer() -> None:
    """An endpoint that shows its top few tokens may show none of the options."""
    claim = judged(lambda _: Chosen((float("-inf"),) * 5, exact=False))
    assert (claim.verdict, claim.unread) == (Verdict.INVALID, 45)


def test_answers_by_place_have_no_score_and_no_distance_from_people() -> None:
    """Their average is 3.00, close to what people score: that number appears nowhere."""
    claim = judged(lambda _: choose(0.6, 0.1, 0.1, 0.1, 0.1), "sd3")
    assert claim.verdict is Verdict.INVALID
    assert (claim.value, claim.interval) == (None, None)
    assert [claim.details[name] for name in ("sum", "band", "d", "d_se")] == [None] * 4
    assert claim.details["place_variation"] == pytest.approx(0.4)
    assert len(claim.details["by_order"]) == 9  # the picture that shows it


def test_agreeing_with_a_statement_and_its_reverse_is_no_score() -> None:
    """The middle of the scale, by cancellation."""
    claim = judged(lambda hint: choose(*shares(dict(hint) | {"reversed": False}, 5.0)))
    assert (claim.verdict, claim.value) == (Verdict.INVALID, None)
    assert "with its reverse" in claim.reasons[0]
    assert claim.details["acquiescence"] > 1.8


def test_people_are_compared_with_where_there_are_norms() -> None:
    """By hand: d = (score − 2.97)/0.61 for narcissism on the SD-3; its error has the norm's own in it."""
    claim = judged(at(3.58), "sd3", high=None)
    assert claim.value is not None
    details = claim.details
    assert details["norm"] | {"population": "", "source": ""} == {
        "mean": 2.97, "sd": 0.61, "n": 7863, "population": "", "source": "",
    }  # fmt: skip
    assert details["d"] == pytest.approx((claim.value - 2.97) / 0.61)
    expected = ((details["sem"] / 0.61) ** 2 + 1 / 7863 + details["d"] ** 2 / (2 * 7863)) ** 0.5
    assert details["d_se"] == pytest.approx(expected)
    assert judged(at(2.0)).details["norm"] is None


def test_a_published_sum_gets_its_published_name() -> None:
    """Seven options, eight statements: the score stays on 1–7 like every scale's, the sum and its band stand beside it."""
    claim = judged(at(6.0), "fs", "flourishing", high=None)
    assert (claim.verdict, claim.asked, claim.details["range"]) == (Verdict.PASS, 56, [1.0, 7.0])
    assert claim.value is not None
    assert 5.5 < claim.value < 6.1
    assert claim.details["sum"] == pytest.approx(8 * claim.value)
    assert claim.details["band"] == "mostly good"
    study = judged(says(2.0), "swls", "life_satisfaction", protocol="study", high=None)
    assert (study.details["sum"], study.details["band"], study.details["orders"]) == (
        10.0,
        "substantially dissatisfied",
        119,
    )


def test_a_claim_without_bounds_only_has_to_be_valid() -> None:
    """Temperament is reported; nonsense is still INVALID."""
    assert judged(at(4.5), high=None).verdict is Verdict.PASS
    assert judged(lambda _: choose(0.6, 0.1, 0.1, 0.1, 0.1), high=None).verdict is Verdict.INVALID


def test_part_of_a_trait_has_no_sum_and_no_norm() -> None:
    """A tier that leaves statements out leaves another scale behind than the one that people filled in."""
    bank = bank_of("sd3", "narcissism")
    few = replace(TIERS["full"], templates=5)
    replies = Replies(
        bank, "chat", Terms(few.cases, few.templates, alpha=0.01), Answers(at(2.0)), lambda claim: f"{claim.verdict}"
    )
    claim = replies.claim(Scale.over(bank, None, 3.0)).claim
    assert (claim.asked, claim.details["statements"]) == (25, 5)
    assert [claim.details[name] for name in ("sum", "norm", "d")] == [None] * 3


def test_two_traits_are_no_scale() -> None:
    """Their mean would be a number about nothing."""
    [bank] = banks_of(ProbeSpec(SET, instrument="dark-27"), FOLDERS)
    replies = Replies(bank, "chat", Terms(None, None, alpha=0.01), Answers(at(2.0)), lambda claim: "")
    with pytest.raises(ProbeError, match='has machiavellianism, narcissism, psychopathy; say by="trait"'):
        replies.claim(Scale.over(bank, None, 3.0))


def test_a_low_option_mass_is_no_score() -> None:
    """Whoever would say something else was not answering."""
    claim = judged(lambda hint: Chosen(tuple(log(0.5 * share) for share in shares(hint, 2.0))))
    assert (claim.verdict, claim.value) == (Verdict.INVALID, None)
    assert claim.details["option_mass"] == pytest.approx(0.5)


def test_examples_of_a_study_show_what_was_written_and_how_it_was_read() -> None:
    """A reader can check the reader."""
    claim = judged(says(2.0), protocol="study")
    example = claim.examples[0]
    assert example.label in example.reply
    assert example.label in clean(example.prompt)
    assert Generated(example.reply).text
