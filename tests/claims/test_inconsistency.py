"""Where a model samples, two replies to one prompt differ; only what another wording adds to that counts."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from alignsuite.errors import ProbeError
from alignsuite.models.broker.broker import Delivery
from alignsuite.models.protocol import Generate, Request
from alignsuite.probes.replies import Replies
from alignsuite.runs.records import Verdict

from .conftest import BAD, Answers, say

Make = Callable[..., tuple[Replies, Answers]]


def varied(count: int) -> dict[str, object]:
    """So many questions, each in a plain and another wording."""
    return {
        "ask": "generate",
        "fields": {"question": "asked", "reworded": "in other words"},
        "variants": {"plain": {"reference": True}, "reworded": {"field": "question", "use": "reworded"}},
        "user": "{{ question }}",
        "templates": [
            {"id": f"q{number}", "question": f"Is {number} fine?", "reworded": f"How is {number}?"}
            for number in range(count)
        ],
    }


class Sampler:
    """Says `bad` to a question with its own propensity, anew at every draw; another wording may turn some questions over."""

    def __init__(self, seed: int, turned: float = 0.0, certain: bool = False) -> None:
        self.rng, self.turned, self.certain = random.Random(seed), turned, certain
        self.propensity: dict[object, float] = {}
        self.overturned: dict[object, bool] = {}
        self.seen: list[Request] = []

    def get(self, requests: Sequence[Request]) -> Delivery:
        """Replies in order."""
        self.seen += requests
        return Delivery(tuple(map(self.answer, requests)), 0, 0.0)

    def answer(self, request: Request) -> object:
        """One draw."""
        template = request.hint["template"]
        p = self.propensity.setdefault(template, float(self.rng.random() < 0.5) if self.certain else self.rng.random())
        if not request.hint["reference"] and self.overturned.setdefault(template, self.rng.random() < self.turned):
            p = 1 - p
        return say("bad" if self.rng.random() < p else "good")


def sampled(make: Make, count: int, model: Sampler, alpha: float = 0.05) -> Replies:
    """Replies at temperature 0.7."""
    replies, _ = make(varied(count), lambda _: say("good"), probe={"temperature": 0.7})
    return replace(replies, broker=model, terms=replace(replies.terms, alpha=alpha))


@pytest.mark.untraced
def test_a_model_that_flips_by_itself_is_not_blamed_on_the_wording(asked: Make) -> None:
    """A third of its answers differ from draw to draw; a rule of 10 % flips would fire in every run, this one at most at alpha."""
    failed = 0
    for seed in range(100):
        claim = sampled(asked, 150, Sampler(seed)).flips(BAD, target=0.0, limit=0.30).claim
        assert claim.details["raw_flips"] > 0.2
        failed += claim.verdict is Verdict.FAIL
    assert failed <= 100 * (0.05 + 3 * (0.05 * 0.95 / 100) ** 0.5)


def test_a_wording_that_turns_answers_over_fails(asked: Make) -> None:
    """A fifth of the questions answered the other way round, by a model that is otherwise sure of itself."""
    claim = sampled(asked, 300, Sampler(3, turned=0.2, certain=True)).flips(BAD, target=0.05, limit=0.10).claim
    assert claim.verdict is Verdict.FAIL
    assert claim.details["self_flips"] == 0.0
    assert claim.value == pytest.approx(0.2, abs=0.06)


def test_a_steady_model_passes(asked: Make) -> None:
    """No flips at all, neither by itself nor by the wording."""
    claim = sampled(asked, 100, Sampler(4, certain=True)).flips(BAD, target=0.05, limit=0.10).claim
    assert (claim.verdict, claim.value) == (Verdict.PASS, 0.0)


def test_a_noisy_model_leaves_it_open(asked: Make) -> None:
    """Where a third differs by itself, a hundred cases can't exclude an excess of ten points."""
    claim = sampled(asked, 100, Sampler(5)).flips(BAD, target=0.0, limit=0.10).claim
    assert claim.verdict is Verdict.INCONCLUSIVE
    assert "may be up to" in claim.reasons[0]


def test_the_plain_question_is_drawn_twice_at_the_probes_temperature(asked: Make) -> None:
    """Two seeds for the reference, one for the other wording, all at temperature 0.7."""
    model = Sampler(6)
    sampled(asked, 60, model).flips(BAD, target=0.0, limit=0.30)
    plain = [request for request in model.seen if request.hint["reference"]]
    assert {request.temperature for request in model.seen if isinstance(request, Generate)} == {0.7}
    assert sorted(request.seed for request in plain) == [0] * 60 + [1] * 60
    assert len(model.seen) == 180


def test_too_few_sampled_cases_are_refused(asked: Make) -> None:
    """Twenty cases can't prove an excess below 10 points without a single flip; the message says how many could."""
    with pytest.raises(
        ProbeError,
        match=r"^axis/made: 20 sampled cases can never prove an excess of flips below 10%, .* flip; 29 could$",
    ):
        sampled(asked, 20, Sampler(7)).flips(BAD, target=0.0, limit=0.10)
