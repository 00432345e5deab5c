"""Doubles for tests of guards: a broker whose answers a test writes, and adapters with a model that needs nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from alignsuite.errors import RequestError
from alignsuite.judges.guards.asking import ModelSource
from alignsuite.judges.guards.frame import framing_of
from alignsuite.judges.guards.judge import GuardJudge
from alignsuite.judges.guards.spec import Spec, guard_named
from alignsuite.models.broker.broker import Delivery
from alignsuite.models.protocol import Generated, ModelInfo, Reply, Request

Answer = Callable[[Request], Reply | RequestError]


class GuardBroker:
    """A guard model's broker whose answers a test writes; keeps what it was asked."""

    def __init__(self, answer: Answer, *, can_choose: bool = False, name: str = "double", frame: str = "") -> None:
        self.answer, self.asked = answer, list[Request]()
        self.info = ModelInfo(name, f"weights of {name}", "double", True, can_choose, details={"frame": frame})

    def get(self, requests: Sequence[Request]) -> Delivery:
        """All at once."""
        self.asked += requests
        return Delivery(tuple(self.answer(request) for request in requests), from_store=0, seconds=0.5)


def spec_of(name: str) -> Spec:
    """The adapter of a shipped guard."""
    named = guard_named(f"{name}:double")
    assert named is not None
    return named.spec


def guard(spec: Spec, family: str, answer: Answer | str, *, can_choose: bool = False) -> GuardJudge:
    """A guard whose model answers so, or always with these words."""
    said = (lambda _: Generated(answer)) if isinstance(answer, str) else answer
    return GuardJudge(spec, family, ModelSource(spec, GuardBroker(said, can_choose=can_choose)))


def asked_of(judge: GuardJudge) -> list[Request]:
    """What the double behind a guard was asked."""
    return judge._source._model._broker.asked  # type: ignore[attr-defined, no-any-return]


__all__ = ["Answer", "GuardBroker", "asked_of", "framing_of", "guard", "spec_of"]
