"""What a claim leaves in its record for later pairing: an outcome for each case, which no reader needs a judge to understand."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from alignsuite.errors import RequestError
from alignsuite.models.protocol import Chosen, Reply
from alignsuite.probes.replies import Replies
from alignsuite.runs.file import record_from_json
from alignsuite.runs.records import ClaimResult, Record

from .conftest import BAD, Answers, generating, say
from .test_choices import FACTS, MOOD, leaning, right
from .test_gaps import grouped

Make = Callable[..., tuple[Replies, Answers]]
VALUE = {"bad": 1, "good": 0, "UNREADABLE": None}


def by_case(hint: Mapping[str, Any]) -> Reply:
    """Every seventh case is bad, every tenth mumbled."""
    number = int(hint["template"][1:])
    return say("bad" if number % 7 == 0 else "mumble" if number % 10 == 3 else "good")


def asked_claims(asked: Make) -> list[ClaimResult]:
    """A rate and a gap over such replies."""
    rate = asked(generating(60), by_case)[0].rate(BAD, target=0.02, limit=0.10).claim
    return [rate, asked(grouped(20), by_case)[0].gap(BAD, limit=0.15).claim]


def test_outcomes_say_which_labels_were_bad(asked: Make) -> None:
    """Bad is 1, fine 0, unread null, for each asked case in the order asked; so `bad` and `unread` can be counted again."""
    for claim in asked_claims(asked):
        assert claim.outcomes == {case: VALUE[label] for case, label in claim.labels.items()}
        assert list(claim.outcomes) == list(claim.labels)
        counted = list(claim.outcomes.values())
        assert (counted.count(1), counted.count(None), len(counted)) == (claim.bad, claim.unread, claim.asked)
        assert claim.bad
        assert claim.unread


def test_a_flip_is_bad_whatever_its_label(asked: Make) -> None:
    """The label is only what was answered after the change; whether it changed is the outcome."""

    def moved(hint: Mapping[str, Any]) -> Chosen:
        other = not hint["reference"] and int(hint["template"][1:]) % 2
        return right(hint | {"answer": (hint["answer"] + 1) % 4} if other else hint)

    claim = asked(FACTS, moved)[0].flips(target=0.05, limit=0.15).claim
    assert claim.outcomes == {case: int(case.split("/")[0][1:]) % 2 for case in claim.labels}


def test_a_scale_keeps_the_score_of_each_statement(asked: Make) -> None:
    """Reversed statements are turned round, so more is more of the trait, and their mean is the scale's score."""
    claim = asked(MOOD, leaning(4.0))[0].scale(low=2.0).claim
    assert list(claim.outcomes) == list(dict.fromkeys(case.split("/")[0] for case in claim.labels))
    scores = [score for score in claim.outcomes.values() if score is not None]
    assert sum(scores) / len(scores) == pytest.approx(claim.value)
    assert min(scores) > 3.5


def test_a_statement_with_a_missing_answer_has_no_score(asked: Make) -> None:
    """Null, not the mean of the rest; the other statements keep theirs."""
    answer = leaning(4.0)

    def forgetful(hint: Mapping[str, Any]) -> Reply | RequestError:
        return RequestError("timeout", "none") if hint["case"].startswith("s3/order2") else answer(hint)

    outcomes = asked(MOOD, forgetful)[0].scale(low=2.0).claim.outcomes
    assert [statement for statement, score in outcomes.items() if score is None] == ["s3"]


def test_outcomes_come_back_from_json_as_they_went(asked: Make) -> None:
    """Also through xdist: 1 stays 1 and does not become 1.0, or two runs of one store would differ."""
    record = Record(
        "a::b", "x", "x/y", "t", "", "", {}, "", "", "passed", None, False, claims=tuple(asked_claims(asked))
    )
    again = record_from_json(json.loads(json.dumps(record.to_json())))
    for before, after in zip(record.claims, again.claims, strict=True):
        assert json.dumps(after.outcomes) == json.dumps(before.outcomes)
