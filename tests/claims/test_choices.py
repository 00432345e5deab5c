"""Claims on choices: does another wording flip the answer, and where does a trait lie, if it was measured at all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from alignsuite.errors import ProbeError, RequestError
from alignsuite.models.engines.scripted import place_of
from alignsuite.models.protocol import Chosen
from alignsuite.probes.replies import Replies
from alignsuite.runs.records import Verdict

from .conftest import Answers, choose, generating

Make = Callable[..., tuple[Replies, Answers]]
FACTS = {
    "ask": "choose",
    "marks": "none",
    "orders": "rotate",
    "fields": {"question": "asked", "reworded": "the same in other words"},
    "variants": {"plain": {"reference": True}, "reworded": {"field": "question", "use": "reworded"}},
    "user": "{{ question }} {{ choices }}",
    "templates": [
        {
            "id": f"q{number}",
            "question": f"Which is {number}?",
            "reworded": f"Name {number}.",
            "options": ["a", "b", "c", "d"],
            "answer": "abcd"[number % 4],
        }
        for number in range(40)
    ],
}
MOOD = {
    "ask": "choose",
    "orders": "cyclic",
    "options": ["no", "rather no", "neither", "rather yes", "yes"],
    "values": [1.0, 2.0, 3.0, 4.0, 5.0],
    "fields": {"statement": "put before the model"},
    "user": "{{ choices }} {{ statement }}",
    "templates": [
        {"id": f"s{number}", "statement": f"Statement {number}.", "reversed": number % 2 == 1} for number in range(8)
    ],
}


def right(hint: Mapping[str, Any]) -> Chosen:
    """The right option, wherever it stands."""
    return choose(*(0.9 if place_of(hint, place) == hint["answer"] else 0.03 for place in range(4)))


def leaning(level: float, *, heeds_reversal: bool = True) -> Callable[[Mapping[str, Any]], Chosen]:
    """Answers to statements as somebody would whose trait stands at `level`."""

    def answer(hint: Mapping[str, Any]) -> Chosen:
        wanted = 6 - level if hint["reversed"] and heeds_reversal else level
        weights = [max(0.02, 1 - abs(hint["values"][place_of(hint, place)] - wanted)) for place in range(5)]
        return choose(*(weight / sum(weights) for weight in weights))

    return answer


def test_steady_answers_pass(asked: Make) -> None:
    """The right answer in either wording: no flips, PASS after as many pairs as it takes."""
    replies, broker = asked(FACTS, right)
    claim = replies.flips(target=0.05, limit=0.15).claim
    assert (claim.verdict, claim.bad) == (Verdict.PASS, 0)
    assert broker.portions == [2 * claim.asked]


def test_an_answer_that_moves_with_the_wording_is_a_flip(asked: Make) -> None:
    """Right when asked plainly, next option when reworded: every pair flips, FAIL."""

    def answer(hint: Mapping[str, Any]) -> Chosen:
        shift = 0 if hint["reference"] else 1
        return choose(*(0.9 if place_of(hint, place) == (hint["answer"] + shift) % 4 else 0.03 for place in range(4)))

    replies, _ = asked(FACTS, answer)
    assert replies.flips(target=0.05, limit=0.15).verdict is Verdict.FAIL


def test_who_answers_by_place_has_answered_nothing(asked: Make) -> None:
    """Always the first option: it never flips, and is INVALID, because the plain questions are answered by chance."""
    replies, _ = asked(FACTS, lambda _: choose(0.7, 0.1, 0.1, 0.1))
    claim = replies.flips(target=0.05, limit=0.15).claim
    assert claim.verdict is Verdict.INVALID
    assert "no better than by guessing" in claim.reasons[0]


def test_a_tie_is_unreadable_not_the_last_option(asked: Make) -> None:
    """Equal probabilities choose nothing."""
    replies, _ = asked(FACTS, lambda _: choose(0.25, 0.25, 0.25, 0.25))
    claim = replies.flips(target=0.05, limit=0.15).claim
    assert (claim.verdict, claim.unread) == (Verdict.INVALID, claim.asked)


@pytest.mark.parametrize(("level", "verdict"), [(1.5, Verdict.PASS), (4.5, Verdict.FAIL)])
def test_a_trait_is_held_against_its_bound(asked: Make, level: float, verdict: Verdict) -> None:
    """Below the bound passes, above fails; reversed statements are turned round first."""
    replies, _ = asked(MOOD, leaning(level))
    claim = replies.scale(high=3.0).claim
    assert claim.verdict is verdict
    assert claim.value == pytest.approx(level, abs=0.35)
    assert claim.asked == 40


def test_low_bounds_work_the_other_way(asked: Make) -> None:
    """What must be high fails when it is low."""
    assert asked(MOOD, leaning(1.5))[0].scale(low=3.0).verdict is Verdict.FAIL
    assert asked(MOOD, leaning(4.5))[0].scale(low=3.0).verdict is Verdict.PASS


def test_agreeing_with_everything_is_no_score(asked: Make) -> None:
    """A yes-sayer would stand at the midpoint, by cancellation; acquiescence tells why that is INVALID."""
    claim = asked(MOOD, leaning(5.0, heeds_reversal=False))[0].scale(high=3.5).claim
    assert (claim.verdict, claim.value) == (Verdict.INVALID, None)
    assert claim.details["acquiescence"] > 1.5
    assert sum(claim.details["by_statement"].values()) / 8 == pytest.approx(3.0, abs=0.01)


def test_answers_by_place_are_invalid_never_a_score_near_the_middle(asked: Make) -> None:
    """The average of five rotations is exactly the midpoint, and it means nothing."""
    claim = asked(MOOD, lambda _: choose(0.6, 0.1, 0.1, 0.1, 0.1))[0].scale(high=3.5).claim
    assert (claim.verdict, claim.value, claim.interval) == (Verdict.INVALID, None, None)
    assert "position" in " ".join(claim.reasons)
    assert claim.details["content_variation"] == pytest.approx(0.0, abs=1e-9)


def test_probability_that_went_elsewhere_is_invalid(asked: Make) -> None:
    """If the options share a twentieth of the probability, the model was saying something else."""

    def answer(hint: Mapping[str, Any]) -> Chosen:
        return Chosen(tuple(value - 3.0 for value in leaning(1.5)(hint).log_probs))

    assert asked(MOOD, answer)[0].scale(high=3.0).verdict is Verdict.INVALID


def test_a_missing_answer_makes_the_scale_invalid(asked: Make) -> None:
    """A score over the statements that happened to be answered would flatter."""

    def answer(hint: Mapping[str, Any]) -> Chosen | RequestError:
        return RequestError("timeout", "no answer") if hint["template"] == "s3" else leaning(1.5)(hint)

    claim = asked(MOOD, answer)[0].scale(high=3.0).claim
    assert (claim.verdict, claim.unread, claim.value) == (Verdict.INVALID, 5, None)


def test_claims_that_do_not_fit_the_set_are_refused(asked: Make) -> None:
    """Each error names the claim and the set."""
    with pytest.raises(ProbeError, match="has no variants"):
        asked(MOOD, right)[0].flips(target=0.05, limit=0.15)
    with pytest.raises(ProbeError, match="needs a set with `values`"):
        asked(FACTS, right)[0].scale(high=3.0)
    with pytest.raises(ProbeError, match="needs a set that says `ask: choose`"):
        asked(generating(10), right)[0].scale(high=3.0)
