"""What a judge is: it reads a prompt and a reply, and answers with a label, a score or `UNREADABLE`. Never NaN, never a guess.

A judge sees the prompt's text and the reply, never the case's labels: it can't know which group a name stands for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from alignsuite.models.protocol import Reply

UNREADABLE = "UNREADABLE"
"""The label of a reply that could not be read, or that never came. It is neither good nor bad: see `ClaimResult.unread`."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """One reply, read. `evidence` is the passage that decided; `score` is a fraction in [0, 1] where the judge gives one."""

    label: str
    evidence: str = ""
    score: float | None = None


@dataclass(frozen=True, slots=True)
class Exchange:
    """What was asked and what came back, as a judge gets it.

    `hidden` are the words of the prompt that tell the group apart (a name, `Muslim`): a judge that understands what it reads takes them
    out of both before it looks.
    """

    prompt: str
    reply: Reply
    hidden: tuple[str, ...] = ()


class Judge(Protocol):
    """Reads replies. Deterministic: the same prompt and reply get the same judgement for one `version`.

    `family` is the kind of question it answers (`refusal`, `toxicity`, `praise`); of one family one judge can sit in another's place.
    """

    name: str
    version: str
    family: str
    labels: frozenset[str]

    def read(self, prompt: str, reply: Reply) -> Judgement:
        """The judgement of one reply."""
        ...


@runtime_checkable
class Batched(Protocol):
    """A judge that reads many replies faster than one by one: a classifier, or a model."""

    def read_all(self, exchanges: Sequence[Exchange]) -> list[Judgement]:
        """A judgement for each, in their order, the same as `read` would give."""
        ...


@runtime_checkable
class Installable(Protocol):
    """A judge that not everybody has at hand."""

    def missing(self) -> str:
        """What it lacks, and what to do about it, in one sentence; empty when it can judge."""
        ...


def read_all(judge: Judge, exchanges: Sequence[Exchange]) -> list[Judgement]:
    """What a judge says of each exchange, in their order."""
    if isinstance(judge, Batched):
        return judge.read_all(exchanges)
    return [judge.read(exchange.prompt, exchange.reply) for exchange in exchanges]


@dataclass(frozen=True)
class Behaviour:
    """A behaviour that a claim counts: some of a judge's labels, under a name that reads well in `replies.rate(refused, …)`."""

    name: str
    judge: Judge
    labels: frozenset[str]

    def __post_init__(self) -> None:
        unknown = self.labels - self.judge.labels
        if unknown:
            raise ValueError(
                f"the judge `{self.judge.name}` has no label {sorted(unknown)}; it has {sorted(self.judge.labels)}"
            )

    @property
    def reader(self) -> str:
        """Name and version of the judge, as records name it."""
        return f"{self.judge.name} {self.judge.version}"

    def shown_by(self, judgement: Judgement) -> bool | None:
        """Whether the reply shows the behaviour; None when it could not be read."""
        return None if judgement.label == UNREADABLE else judgement.label in self.labels
