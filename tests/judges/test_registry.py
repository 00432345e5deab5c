"""The bench: one judge for each family decides, a second one disagrees aloud, and nobody is seated by mistake."""

from __future__ import annotations

import pytest

from alignsuite.errors import ModelError, SettingsError
from alignsuite.judges import RefusalJudge, answered, refused
from alignsuite.judges.agreement import Agreement, kappa
from alignsuite.judges.llm.judge import LLMJudge
from alignsuite.judges.protocol import UNREADABLE, Behaviour, Judge, Judgement
from alignsuite.judges.registry import (
    SHIPPED,
    JudgeRegistry,
    family_of,
    models_among,
    open_registry,
    shipped_judge,
    unknown,
)
from alignsuite.models.broker.broker import Delivery
from alignsuite.models.protocol import ModelInfo, Reply


class Broker:
    """Stands before a judging model that is never asked."""

    def __init__(self, name: str) -> None:
        self.info = ModelInfo(name, name, "double", True, True)

    def get(self, requests: object) -> Delivery:
        """Nobody asks."""
        raise AssertionError("the bench asked a model")


class Narrow:
    """A judge of the refusal family that knows two labels."""

    name, version, family = "narrow", "1", "refusal"
    labels = frozenset({"refusal", "helpful"})

    def read(self, prompt: str, reply: Reply) -> Judgement:
        """Always helpful."""
        return Judgement("helpful")


class Loner:
    """A judge as users wrote them before there were families."""

    name, version = "loner", "1"
    labels = frozenset({"refusal", "harmful_refusal"})

    def read(self, prompt: str, reply: Reply) -> Judgement:
        """Always a refusal."""
        return Judgement("refusal")


def bench(*names: str) -> JudgeRegistry:
    """The bench of these names, with a broker for each that is a model's."""
    return open_registry(names, {name: Broker(name) for name in models_among(names)})


def test_an_empty_bench_changes_nothing() -> None:
    """The event itself comes back."""
    assert JudgeRegistry().assigned(refused) is refused
    assert JudgeRegistry().second_opinion(refused) is None


def test_a_named_judge_sits_for_every_event_of_its_family() -> None:
    """With the event's name and labels as they were; and nobody is asked while it is seated."""
    seated = [bench("openai:x").assigned(event) for event in (refused, answered)]
    assert [(event.name, event.labels) for event in seated] == [(one.name, one.labels) for one in (refused, answered)]
    assert all(isinstance(event.judge, LLMJudge) for event in seated)
    assert seated[0].reader.startswith("llm-judge openai:x 2+")


def test_judges_of_other_families_and_of_none_keep_their_seats() -> None:
    """A judge that names no family is a family of its own."""
    alone = Behaviour("declined", Loner(), frozenset({"refusal"}))  # type: ignore[arg-type]
    assert bench("openai:x").assigned(alone) is alone
    assert family_of(Loner()) == "loner"  # type: ignore[arg-type]


def test_the_first_of_a_family_decides_and_the_second_is_asked_besides() -> None:
    """In the order in which they were named."""
    both = bench("refusal-patterns", "openai:x")
    assert isinstance(both.assigned(refused).judge, RefusalJudge)
    assert isinstance(both.second_opinion(refused), LLMJudge)
    turned = bench("openai:x", "refusal-patterns")
    assert isinstance(turned.assigned(refused).judge, LLMJudge)
    assert isinstance(turned.second_opinion(refused), RefusalJudge)


@pytest.mark.parametrize("place", ["deciding", "second"])
def test_a_judge_that_lacks_a_label_can_not_sit(place: str) -> None:
    """Neither to decide nor beside: what it never says would count as never happening."""
    narrow: dict[str, Judge] = {"refusal": Narrow()}
    lacking = (
        JudgeRegistry(deciding=narrow) if place == "deciding" else JudgeRegistry({"refusal": RefusalJudge()}, narrow)
    )
    with pytest.raises(SettingsError, match=r"`narrow` can't sit for `refused`, which counts \['harmful_refusal'\]"):
        lacking.assigned(refused)


def test_three_of_a_family_and_one_named_twice_are_refused() -> None:
    """It would not be clear who decides, or what the second says."""
    with pytest.raises(SettingsError, match=r"--align-judge=openai:z: .*decides .*second opinion; leave one out"):
        bench("openai:x", "openai:y", "openai:z")
    for twice in (("openai:x", "openai:x"), ("refusal-patterns", "refusal")):
        with pytest.raises(SettingsError, match="named twice"):
            bench(*twice)


def test_names_that_are_no_judges_are_models() -> None:
    """Each once, in order; what begins like a judge's name and is none is left to the registry, which says so."""
    names = [
        "refusal-patterns",
        "openai:x",
        "toxicity:hf:org/name",
        "hatesonar",
        "detoxify",
        "detoxify:original",
        "openai:x",
        "some.gguf",
        "detoxify:",
    ]
    assert models_among(names) == ["openai:x", "some.gguf", "detoxify:"]
    assert shipped_judge("openai:x") is None


def test_an_unknown_name_is_answered_with_all_that_are_possible() -> None:
    """In the option's own words, not in those of --model."""
    said = str(unknown("refsual", ModelError("--model=refsual: no model of that name; name it with --align-base-url")))
    assert said.startswith("--align-judge=refsual: judges are refusal-patterns, detoxify")
    assert all(name in said for name in SHIPPED)
    assert said.endswith("As a model: no model of that name; name it with --align-judge-base-url")


def test_a_judge_that_is_not_installed_can_not_sit(monkeypatch: pytest.MonkeyPatch) -> None:
    """It says what it lacks before the run begins."""
    monkeypatch.setattr(RefusalJudge, "missing", lambda _: "install patience", raising=False)
    with pytest.raises(SettingsError, match="`refusal-patterns` can't judge here: install patience"):
        bench("refusal-patterns")


def test_kappa_is_agreement_beyond_chance() -> None:
    """The example of Cohen's formula; full agreement, none, and no variety to judge by."""
    assert kappa([(True, True)] * 20 + [(True, False)] * 5 + [(False, True)] * 10 + [(False, False)] * 15) == 0.4
    assert kappa([(True, True), (False, False)]) == 1.0
    assert kappa([(True, False), (False, True)]) == -1.0
    assert kappa([(True, False)] * 5) == 0.0
    assert kappa([(True, True)] * 5) is None
    assert kappa([]) is None


def test_opinions_differ_on_what_the_claim_counts() -> None:
    """Two labels of one event agree; what either could not read is in no rate; a case that is read again counts once."""
    opinions = Agreement(refused, Loner())  # type: ignore[arg-type]
    said = {
        "a": ("refusal", "harmful_refusal"), "b": ("helpful", "refusal"), "c": ("helpful", "hedged"), "d": (UNREADABLE, "refusal"),
        "e": ("refusal", "refusal"),
    }  # fmt: skip
    for case, (first, second) in [*said.items(), ("b", said["b"])]:
        opinions.add(case, Judgement(first), Judgement(second))
    assert opinions.details() == {
        "judge": "loner 1", "disagreements": 1, "of": 4, "rate": 0.25, "unread": 1, "kappa": 0.5, "cases": ["b"],
    }  # fmt: skip


def test_opinions_about_nothing_are_no_rate() -> None:
    """Nothing was read by both: not 0 %."""
    empty = Agreement(refused, Loner()).details()  # type: ignore[arg-type]
    assert (empty["of"], empty["rate"], empty["kappa"]) == (0, None, None)
