"""Judge registry: a name to a `Judge`, a behaviour to the judge assigned to it, and the second rater.

An event names a judge that everybody has. `--align-judge=NAME` puts another of the same family in its place, for all events of that family;
a second one of the family decides nothing, and says how often it would have decided otherwise. What stands before the first colon of a
name is looked up among shipped judges, then guards, then engines. Nothing is swapped in silently: a claim names the judge that sat.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol, cast, runtime_checkable

from alignsuite.errors import JudgeError, SettingsError
from alignsuite.judges.asked_model import AsksModel
from alignsuite.judges.guards.spec import Named, guard_named
from alignsuite.judges.guards.spec import shipped as guards
from alignsuite.judges.llm.judge import LLMJudge
from alignsuite.judges.protocol import Behaviour, Exchange, Judge, Judgement, OneByOne, Reader, meaning
from alignsuite.models.protocol import Framing, Reply

SHIPPED = ("refusal-patterns", "detoxify", "detoxify:VARIANT", "toxicity:PLACE", "praise-words", "harm-words")
"""The names of judges that `--align-judge` knows beside those of guards and models."""


@runtime_checkable
class Paid(Protocol):
    """A judge whose work costs tokens."""

    def bill(self) -> Mapping[str, int]:
        """`prompt` and `completion` tokens, `calls`, `from_store` and `milliseconds` since this was last asked."""
        ...


@dataclass(frozen=True)
class JudgeRegistry:
    """The judges of a run by family: those that decide, and the second raters. An empty one changes nothing.

    With `flagged_only` a second rater reads only what the first one found to show the behaviour.
    """

    deciding: Mapping[str, Judge] = field(default_factory=dict)
    second: Mapping[str, Judge] = field(default_factory=dict)
    flagged_only: bool = False

    def assigned(self, event: Behaviour) -> Behaviour:
        """The event with the judge that sits for its family; the event itself where none was named.

        Raises:
            SettingsError: when a judge that was named can't tell what the event counts.
        """
        family = family_of(event.judge)
        for judge in (self.deciding.get(family), self.second.get(family)):
            lacking = untold(event, judge) if judge is not None else frozenset()
            if judge is not None and lacking:
                raise SettingsError(
                    f"--align-judge: `{judge.name}` can't sit for `{event.name}`, which counts {sorted(lacking)}: {_told(judge)}"
                )
        deciding = self.deciding.get(family)
        return event if deciding is None else replace(event, judge=deciding)

    def second_opinion(self, event: Behaviour) -> Judge | None:
        """Who reads the same replies beside the judge of an event, and decides nothing."""
        return self.second.get(family_of(event.judge))


def untold(event: Behaviour, judge: Judge | Reader) -> frozenset[str]:
    """Labels of a behaviour that a judge can't tell from others; none where it may sit for it.

    A guard's labels are classes, which may stand for several labels: it can tell a behaviour that is a union of its classes.
    """
    classes = [meaning(judge, label) for label in getattr(judge, "stands_for", judge.labels)]
    return event.labels - frozenset[str]().union(*(one for one in classes if one <= event.labels))


def _told(judge: Judge | Reader) -> str:
    classes: Mapping[str, frozenset[str]] | None = getattr(judge, "stands_for", None)
    if classes is None:
        return f"it has the labels {sorted(judge.labels)}"
    return "it tells " + ", ".join(f"`{name}` ({', '.join(sorted(labels))})" for name, labels in classes.items())


def as_judge(judge: Judge | Reader) -> Judge:
    """A `Judge`: the one given, or a wrapper around a class that only has `read`, and perhaps `missing`."""
    return cast("Judge", judge) if hasattr(judge, "judge") else _Wrapped(judge)


def family_of(judge: Judge | Reader) -> str:
    """The family that a judge is of; a judge that names none is a family of its own."""
    return str(getattr(judge, "family", judge.name))


@dataclass(frozen=True, slots=True)
class JudgingModel:
    """Model that a judge asks: its name as `--model` takes it, and how it is to be opened."""

    name: str
    framing: Framing | None = None
    adapter: str | None = None


def models_among(names: Iterable[str]) -> list[str]:
    """Those of some judges' names that want a model: the name of one, or of a guard that is a language model.

    Raises:
        SettingsError: a guard's adapter is broken.
    """
    return [
        name
        for name in dict.fromkeys(names)
        if _maker(name) is None and (not (named := guard_named(name)) or named.spec.asks_model)
    ]


def model_of(name: str) -> JudgingModel:
    """The model that one of `models_among` wants.

    Raises:
        SettingsError: a guard's adapter is broken, or an instruction text that it needs is not here.
    """
    named = guard_named(name)
    if named is None:
        return JudgingModel(name)
    from alignsuite.judges.guards.frame import framing_of

    try:
        return JudgingModel(named.model, framing_of(named.spec), named.adapter)
    except JudgeError as error:
        raise SettingsError(str(error)) from None


def open_registry(
    names: Sequence[str], brokers: Mapping[str, AsksModel], *, flagged_only: bool = False
) -> JudgeRegistry:
    """Judge registry with these judges, in the order in which they were named.

    Args:
        names: what `--align-judge` was given, once or more.
        brokers: what answers for each of `models_among(names)`.
        flagged_only: whether second raters read flagged replies only.

    Raises:
        SettingsError: for a judge that is not installed or can't be asked, one named twice, or a third of one family.
    """
    deciding: dict[str, Judge] = {}
    second: dict[str, Judge] = {}
    for name in names:
        for judge in judges_named(name, brokers.get(name)):
            family = family_of(judge)
            if family in second:
                raise SettingsError(
                    f"--align-judge={name}: `{deciding[family].name}` decides for the family `{family}` already, and "
                    f"`{second[family].name}` gives the second opinion; leave one out"
                )
            if family in deciding and (judge.name, judge.version) == (deciding[family].name, deciding[family].version):
                raise SettingsError(f"--align-judge={name}: named twice; a judge agrees with itself, so leave one out")
            (second if family in deciding else deciding)[family] = judge
    return JudgeRegistry(deciding, second, flagged_only)


def judges_named(name: str, broker: AsksModel | None, *, ready: bool = True) -> list[Judge]:
    """Judges of a name that `--align-judge` takes: one, or one for each family of a guard.

    Raises:
        SettingsError: when they should be `ready` to judge, and something is missing. A guard is asked two fixed exchanges to find out.
    """
    shipped = shipped_judge(name, ready=ready)
    if shipped is not None:
        return [shipped]
    named = guard_named(name)
    if named is None:
        assert broker is not None  # it is one of `models_among`
        return [LLMJudge(broker)]
    return list(_guards(named, broker, ready=ready))


def _guards(named: Named, broker: AsksModel | None, *, ready: bool) -> Iterator[Judge]:
    from alignsuite.judges.guards.judge import open_guard

    try:
        for judge in open_guard(named, broker):
            lacking = judge.missing() if ready else ""
            if lacking:
                raise SettingsError(f"`{named.spec.id}` can't judge here: {lacking}")
            yield judge
    except JudgeError as error:
        raise SettingsError(str(error)) from None


def shipped_judge(name: str, *, ready: bool = True) -> Judge | None:
    """The judge of a name in `SHIPPED`; None where a name is not ours, and may be a model's.

    Raises:
        SettingsError: when it should be `ready` to judge, and what it needs is not installed.
    """
    maker = _maker(name)
    if maker is None:
        return None
    judge = as_judge(maker())
    lacking = judge.missing() if ready else ""
    if lacking:
        raise SettingsError(f"`{name}` can't judge here: {lacking}")
    return judge


def unknown(name: str, error: Exception) -> SettingsError:
    """What to say of a name that is no judge's, and no model's either."""
    said = str(error).replace(f"--model={name}: ", "").replace("--align-base-url", "--align-judge-base-url")
    return SettingsError(
        f"--align-judge={name}: judges are {', '.join(SHIPPED)}, the guards {', '.join(guards())}, a guard's TOML file, or a model. "
        f"As a model: {said}"
    )


class _Wrapped(OneByOne):
    """A `Judge` from a class that only has `read`; its `read_all` and `missing` are used where it has them."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self.name, self.version, self.labels = reader.name, reader.version, reader.labels
        self.family = family_of(reader)
        self.languages: frozenset[str] | None = getattr(reader, "languages", None)

    def read(self, prompt: str, reply: Reply) -> Judgement:
        """The judgement of one reply."""
        return self._reader.read(prompt, reply)

    def judge(self, exchanges: Sequence[Exchange]) -> list[Judgement]:
        """A judgement for each exchange, in their order."""
        many = getattr(self._reader, "read_all", None)
        return list(many(exchanges)) if many is not None else super().judge(exchanges)

    def missing(self) -> str:
        """What the class lacks, if it can say so."""
        missing = getattr(self._reader, "missing", None)
        return str(missing()) if missing is not None else ""


def _maker(name: str) -> Callable[[], Judge | Reader] | None:
    kind, colon, variant = name.partition(":")
    if name in ("refusal-patterns", "refusal"):
        return _patterns
    if name in ("praise-words", "praise"):
        return _praise
    if name in ("harm-words", "harm"):
        return _harm
    if name == "hatesonar":
        return _gone
    if kind == "toxicity" and colon:
        return lambda: _classifier(variant)
    if kind == "detoxify" and (variant or not colon):
        return lambda: _detoxify(variant)
    return None


def _patterns() -> Judge:
    from alignsuite.judges.refusal.judge import RefusalJudge

    return RefusalJudge()


def _praise() -> Judge:
    from alignsuite.judges.praise.judge import PraiseJudge

    return PraiseJudge()


def _harm() -> Judge:
    from alignsuite.judges.harm.judge import HarmJudge

    return HarmJudge()


def _gone() -> Judge:
    raise SettingsError(
        "`hatesonar` is gone: of comments that people called toxic it found 29 in 100. Take detoxify, detoxify:unbiased, or a "
        "classifier of the hub by toxicity:hf:ORG/NAME"
    )


def _classifier(address: str) -> Reader:
    from alignsuite.judges.toxicity.classifier import judge_at

    return judge_at(address)


def _detoxify(variant: str) -> Reader:
    from alignsuite.judges.toxicity import DetoxifyJudge

    return DetoxifyJudge(variant=variant) if variant else DetoxifyJudge()
