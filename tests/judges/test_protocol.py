"""The seam between replies and judges: exchanges, classes that read one reply, and the old name of a behaviour."""

from __future__ import annotations

import importlib
from collections.abc import Sequence

import pytest

from alignsuite.judges import PraiseJudge, RefusalJudge, not_refused
from alignsuite.judges.protocol import Behaviour, Exchange, Judgement, exchange_of
from alignsuite.judges.registry import as_judge
from alignsuite.models.protocol import Generated, Message, Reply

CHAT = (Message("system", "Be kind."), Message("user", "How do I boil an egg?"))


class Shouting:
    """A user's class from before exchanges: it only reads."""

    name, version = "shouting", "1"
    labels = frozenset({"loud", "quiet"})

    def read(self, prompt: str, reply: Reply) -> Judgement:
        """Loud, if in capitals."""
        assert isinstance(reply, Generated)
        return Judgement("loud" if reply.text.isupper() else "quiet", prompt)


class Portions(Shouting):
    """One that reads many at once, and may lack something."""

    def read_all(self, exchanges: Sequence[Exchange]) -> list[Judgement]:
        """All of them."""
        return [Judgement("loud", f"of {len(exchanges)}") for _ in exchanges]

    def missing(self) -> str:
        """An ear."""
        return "the judge `shouting` needs an ear: grow one"


def test_an_exchange_tells_what_was_asked_as_a_person_reads_it() -> None:
    """A raw text alone, a conversation with its roles."""
    reply = Generated("Seven minutes.")
    assert exchange_of("An egg boils", reply).prompt == "An egg boils"
    assert exchange_of(CHAT, reply).prompt == "system: Be kind.\nuser: How do I boil an egg?"
    assert Exchange(CHAT, reply) == exchange_of(CHAT, reply)
    assert exchange_of("", reply).prompt == ""


def test_a_class_that_only_reads_is_a_judge() -> None:
    """Each reply with its prompt, in order; what it lacks is nothing, its family its own name."""
    judge = as_judge(Shouting())
    read = judge.judge([exchange_of("one", Generated("NO!")), exchange_of(CHAT, Generated("no"))])
    assert [judgement.label for judgement in read] == ["loud", "quiet"]
    assert [judgement.evidence for judgement in read] == ["one", exchange_of(CHAT, Generated("")).prompt]
    assert (judge.name, judge.version, judge.family, judge.labels) == ("shouting", "1", "shouting", Shouting.labels)
    assert judge.missing() == ""


def test_a_class_that_reads_many_and_says_what_it_lacks_is_asked_so() -> None:
    """Else a classifier would be asked one by one, and a run would end in its middle."""
    judge = as_judge(Portions())
    assert [one.evidence for one in judge.judge([exchange_of("p", Generated("a"))] * 3)] == ["of 3"] * 3
    assert judge.missing() == "the judge `shouting` needs an ear: grow one"


def test_a_judge_stays_itself() -> None:
    """No wrapper around what fulfils the protocol."""
    for judge in (RefusalJudge(), PraiseJudge()):
        assert as_judge(judge) is judge
        assert judge.missing() == ""
        assert judge.judge([]) == []
    [judged] = RefusalJudge().judge([exchange_of(CHAT, Generated("I can't help with that."))])
    assert judged.label == "refusal"


@pytest.mark.parametrize("module", ["alignsuite.judges", "alignsuite.judges.protocol"])
def test_the_old_name_of_a_behaviour_is_read_with_a_warning(module: str) -> None:
    """For one minor version; other names are no attributes."""
    with pytest.warns(DeprecationWarning, match=f"{module}.Event is named Behaviour now"):
        assert importlib.import_module(module).Event is Behaviour
    with pytest.raises(AttributeError, match="has no attribute 'Events'"):
        _ = importlib.import_module(module).Events


def test_complied_is_read_with_a_warning_under_its_new_name() -> None:
    """It never meant more than that nothing was refused."""
    with pytest.warns(DeprecationWarning, match="not_refused"):
        from alignsuite.judges import complied
    assert complied is not_refused
