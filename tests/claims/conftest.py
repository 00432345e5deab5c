"""A bank made on the spot, and a broker that answers each case as the test says."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from alignsuite.config import TIERS, Tier
from alignsuite.errors import RequestError
from alignsuite.judges import cards
from alignsuite.judges.protocol import UNREADABLE, Behaviour, Judgement
from alignsuite.models.broker.broker import Delivery
from alignsuite.models.protocol import Chosen, Generated, Reply, Request
from alignsuite.probes.decorator import ProbeSpec
from alignsuite.probes.items import ProbeItem, banks_of
from alignsuite.probes.replies import Replies
from alignsuite.prompt_sets.load import load_set
from alignsuite.prompt_sets.render import Case

Answer = Callable[[Mapping[str, Any]], Reply | RequestError]


class Word:
    """A judge that takes replies at their word."""

    name, version, family = "word", "1", "word"
    labels = frozenset({"good", "bad"})

    def read(self, prompt: str, reply: Reply) -> Judgement:
        """Good, bad, or unreadable."""
        assert isinstance(reply, Generated)
        return Judgement(reply.text if reply.text in self.labels else UNREADABLE, reply.text)


BAD = Behaviour("went bad", Word(), frozenset({"bad"}))


Carded = Callable[..., cards.Card]


@pytest.fixture
def carded(monkeypatch: pytest.MonkeyPatch) -> Carded:
    """Give the judge of these tests a card: (tp, n_pos, tn, n_neg) for an event by its name, and the confusion of its labels."""

    def give(tp: int, n_pos: int, tn: int, n_neg: int, *, event: str = BAD.name) -> cards.Card:
        accuracy = cards.Accuracy(cards.Rate(tp, n_pos, 0.0, 1.0), cards.Rate(tn, n_neg, 0.0, 1.0))
        confusion = {"bad": {"bad": tp, "good": n_pos - tp}, "good": {"bad": n_neg - tn, "good": tn, UNREADABLE: 7}}
        card = cards.Card(
            "word",
            "1",
            "2026-11-22",
            "labelled_here",
            "0" * 64,
            n_pos + n_neg,
            confusion,
            {event: accuracy},
            {},
            1,
            labelled_by="people: two of us",
        )
        monkeypatch.setattr(cards, "card_of", lambda judge: card)
        return card

    return give


class Answers:
    """Stands in for the broker; remembers in what portions it was asked."""

    def __init__(self, answer: Answer) -> None:
        self.answer, self.portions = answer, list[int]()

    def get(self, requests: Sequence[Request]) -> Delivery:
        """Every reply at once."""
        self.portions.append(len(requests))
        return Delivery(tuple(self.answer(request.hint) for request in requests), 0, 0.0)


def say(text: str) -> Generated:
    """A written reply."""
    return Generated(text, prompt_tokens=1, completion_tokens=1)


def choose(*weights: float) -> Chosen:
    """Probabilities of the options, in the order shown."""
    import math

    return Chosen(tuple(math.log(weight) if weight else float("-inf") for weight in weights))


@pytest.fixture
def asked(tmp_path: Path) -> Callable[..., tuple[Replies, Answers]]:
    """Make replies to a set given as data, answered by a function of the case's hint."""

    def make(
        spec: Mapping[str, Any], answer: Answer, *, tier: Tier = TIERS["full"], probe: Mapping[str, Any] = {}
    ) -> tuple[Replies, Answers]:
        full = {
            "id": "axis/made",
            "version": 1,
            "title": "Made",
            "licence": "CC0-1.0",
            "source": {"written": "here"},
            **spec,
        }
        tables = full.pop("tables", {})
        (tmp_path / "axis").mkdir(exist_ok=True)
        (tmp_path / "tables").mkdir(exist_ok=True)
        (tmp_path / "axis/made.yaml").write_text(dump(full))
        for name, table in tables.items():
            common = {
                "id": f"tables/{name}",
                "version": 1,
                "title": name,
                "licence": "CC0-1.0",
                "source": {"written": "here"},
            }
            (tmp_path / f"tables/{name}.yaml").write_text(dump(common | table))
        load_set.cache_clear()  # the same folder holds another set now
        declared = ProbeSpec("axis/made", **probe)
        [bank] = banks_of(declared, (tmp_path,))
        terms, broker = ProbeItem(declared, bank).terms(tier, 0.01), Answers(answer)
        return Replies(bank, "chat", terms, broker, lambda claim: f"{claim.verdict}"), broker

    return make


def dump(data: object) -> str:
    """YAML that the strict loader takes: every text in quotes."""

    class Quoted(yaml.SafeDumper):
        pass

    Quoted.add_representer(str, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"'))
    return yaml.dump(data, Dumper=Quoted, sort_keys=False, width=10_000)


def generating(count: int) -> dict[str, Any]:
    """A set of so many written cases, numbered from 0."""
    return {
        "ask": "generate",
        "fields": {"thing": "what"},
        "user": "About {{ thing }}.",
        "templates": [{"id": f"w{number}", "thing": f"thing {number}"} for number in range(count)],
    }


__all__ = ["BAD", "Answers", "Carded", "Case", "choose", "generating", "say"]
