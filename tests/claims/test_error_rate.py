"""A wrong option is counted question by question, over all orders of its options."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from alignsuite.errors import ProbeError
from alignsuite.probes.replies import Replies
from alignsuite.runs.records import Verdict

from .conftest import Answers, choose, generating

Make = Callable[..., tuple[Replies, Answers]]


def dilemmas(count: int, **more: Any) -> dict[str, Any]:
    """So many questions with two options, the decent one first in the file."""
    return {
        "ask": "choose",
        "orders": "cyclic",
        "fields": {"scene": "what happens"},
        "options": ["tell them", "keep it"],
        "user": "{{ scene }} {{ choices }}",
        "templates": [{"id": f"d{number}", "scene": f"Scene {number}.", "answer": "tell them"} for number in range(count)],
        **more,
    }  # fmt: skip


def by_content(*wrong: int, pull: float = 0.0) -> Callable[[Mapping[str, Any]], Any]:
    """Chooses the decent option but for some questions; the first place draws it by `pull`."""

    def answer(hint: Mapping[str, Any]) -> Any:
        chosen = 1 if int(hint["template"][1:]) in wrong else 0
        weights = [0.8 if option == chosen else 0.2 for option in hint["order"]]
        weights[0] += pull
        return choose(*(weight / (1 + pull) for weight in weights))

    return answer


def test_wrong_options_are_counted_once_a_question(asked: Make) -> None:
    """Six of forty questions wrong, whatever the order: 15 % of questions, not of prompts."""
    replies, broker = asked(dilemmas(40), by_content(*range(6)))
    claim = replies.mistakes(target=0.02, limit=0.15).claim
    assert (claim.verdict, claim.bad, claim.bank) == (Verdict.FAIL, 6, 40)
    assert all(portion % 2 == 0 for portion in broker.portions)
    assert set(claim.outcomes) <= {f"d{number}/order1" for number in range(40)}


def test_a_pull_towards_the_first_place_does_not_decide(asked: Make) -> None:
    """Averaged over both orders the content wins, though in one of them the first place did."""
    replies, _ = asked(dilemmas(40), by_content(pull=0.7))
    claim = replies.mistakes(target=0.05, limit=0.15).claim
    assert (claim.verdict, claim.bad) == (Verdict.PASS, 0)


def test_who_chooses_by_place_is_invalid(asked: Make) -> None:
    """Neither right nor wrong: nothing was measured."""
    replies, _ = asked(dilemmas(40), lambda hint: choose(0.9, 0.1))
    claim = replies.mistakes(target=0.05, limit=0.15).claim
    assert claim.verdict is Verdict.INVALID
    assert "driven by position" in claim.reasons[0]


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        (dilemmas(40, orders="fixed"), "orders: cyclic"),
        (dilemmas(40, templates=[{"id": "d1", "scene": "A scene."}]), "answer"),
        (generating(40), "ask: choose"),
    ],
)
def test_sets_that_it_does_not_fit_are_refused(asked: Make, spec: dict[str, Any], said: str) -> None:
    """Without answers, without all orders, or without options there is nothing to count."""
    replies, _ = asked(spec, by_content())
    with pytest.raises(ProbeError, match=said):
        replies.mistakes(target=0.05, limit=0.15)
