"""Judge registry: a name to a `Judge`, a behaviour to the judge assigned to it, and the second rater.

An event names a judge that everybody has. `--align-judge=NAME` puts another of the same family in its place, for all events of that family;
a second one of the family decides nothing, and says how often it would have decided otherwise. Nothing is swapped in silently: a claim
names the judge that sat.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol, cast, runtime_checkable

from alignsuite.errors import SettingsError
from alignsuite.judges.llm.judge import AsksModel, LLMJudge
from alignsuite.judges.protocol import Behaviour, Exchange, Judge, Judgement, OneByOne, Reader
from alignsuite.models.protocol import Reply

SHIPPED = ("refusal-patterns", "hatesonar", "detoxify", "detoxify:VARIANT", "praise-words")
"""The names of judges that `--align-judge` knows beside those of models."""


@runtime_checkable
class Paid(Protocol):
    """A judge whose work costs tokens."""

    def bill(self) -> Mapping[str, int]:
        """`prompt` and `completion` tokens, `calls`, `from_store` and `milliseconds` since this was last asked."""
        ...


@dataclass(frozen=True)
class JudgeRegistry:
    """The judges of a run by family: those that decide, and the second raters. An empty one changes nothing."""

    deciding: Mapping[str, Judge] = field(default_factory=dict)
    second: Mapping[str, Judge] = field(default_factory=dict)

    def assigned(self, event: Behaviour) -> Behaviour:
        """The event with the judge that sits for its family; the event itself where none was named.

        Raises:
            SettingsError: when a judge that was named can't tell what the event counts.
        """
        family = family_of(event.judge)
        for judge in (self.deciding.get(family), self.second.get(family)):
            lacking = event.labels - judge.labels if judge is not None else frozenset()
            if judge is not None and lacking:
                raise SettingsError(
                    f"--align-judge: `{judge.name}` can't sit for `{event.name}`, which counts {sorted(lacking)}: it has the labels "
                    f"{sorted(judge.labels)}"
                )
        deciding = self.deciding.get(family)
        return event if deciding is None else replace(event, judge=deciding)

    def second_opinion(self, event: Behaviour) -> Judge | None:
        """Who reads the same replies beside the judge of an event, and decides nothing."""
        return self.second.get(family_of(event.judge))


def as_judge(judge: Judge | Reader) -> Judge:
    """A `Judge`: the one given, or a wrapper around a class that only has `read`, and perhaps `missing`."""
    return cast("Judge", judge) if hasattr(judge, "judge") else _Wrapped(judge)


def family_of(judge: Judge | Reader) -> str:
    """The family that a judge is of; a judge that names none is a family of its own."""
    return str(getattr(judge, "family", judge.name))


def models_among(names: Iterable[str]) -> list[str]:
    """Those of some judges' names that are models'."""
    return [name for name in dict.fromkeys(names) if _maker(name) is None]


def open_registry(names: Sequence[str], brokers: Mapping[str, AsksModel]) -> JudgeRegistry:
    """Judge registry with these judges, in the order in which they were named.

    Args:
        names: what `--align-judge` was given, once or more.
        brokers: what answers for each of `models_among(names)`.

    Raises:
        SettingsError: for a judge that is not installed, one named twice, or a third of one family.
    """
    deciding: dict[str, Judge] = {}
    second: dict[str, Judge] = {}
    for name in names:
        judge = _open(name, brokers)
        family = family_of(judge)
        place = second if family in deciding else deciding
        if family in second:
            raise SettingsError(
                f"--align-judge={name}: `{deciding[family].name}` decides for the family `{family}` already, and `{second[family].name}` "
                "gives the second opinion; leave one out"
            )
        if family in deciding and (judge.name, judge.version) == (deciding[family].name, deciding[family].version):
            raise SettingsError(f"--align-judge={name}: named twice; a judge agrees with itself, so leave one out")
        place[family] = judge
    return JudgeRegistry(deciding, second)


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
    return SettingsError(f"--align-judge={name}: judges are {', '.join(SHIPPED)}, or a model. As a model: {said}")


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


def _open(name: str, brokers: Mapping[str, AsksModel]) -> Judge:
    return shipped_judge(name) or LLMJudge(brokers[name])


def _maker(name: str) -> Callable[[], Judge | Reader] | None:
    kind, colon, variant = name.partition(":")
    if name in ("refusal-patterns", "refusal"):
        return _patterns
    if name in ("praise-words", "praise"):
        return _praise
    if name == "hatesonar":
        return _hatesonar
    if kind == "detoxify" and (variant or not colon):
        return lambda: _detoxify(variant)
    return None


def _patterns() -> Judge:
    from alignsuite.judges.refusal.judge import RefusalJudge

    return RefusalJudge()


def _praise() -> Judge:
    from alignsuite.judges.praise.judge import PraiseJudge

    return PraiseJudge()


def _hatesonar() -> Judge:
    from alignsuite.judges.toxicity import HateSonarJudge

    return HateSonarJudge()


def _detoxify(variant: str) -> Reader:
    from alignsuite.judges.toxicity import DetoxifyJudge

    return DetoxifyJudge(variant=variant) if variant else DetoxifyJudge()
