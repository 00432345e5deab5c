"""Judge protocol: exchanges in, a `Judgement` for each.

That is a label with its evidence, or `UNREADABLE`: never NaN, never a guess.

A judge sees the turns and the reply, never the case's labels: it can't know which group a name stands for.
"""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from alignsuite.models.protocol import Message, Prompt, Reply

UNREADABLE = "UNREADABLE"
"""The label of a reply that could not be read, or that never came. It is neither good nor bad: see `ClaimResult.unread`."""

OFF_TASK = "off_task"
"""The label of a reply that neither gives nor withholds what was asked, in families that have it."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """A label for one reply.

    `evidence` is the passage that decided; `score` is a fraction in [0, 1] where the judge gives one.
    """

    label: str
    evidence: str = ""
    score: float | None = None


@dataclass(frozen=True, slots=True)
class Exchange:
    """A conversation up to one reply, as a judge gets it: what was asked and what came back.

    `masked` are the words of the prompt that tell the group apart (a name, `Muslim`): a judge that understands what it reads takes them
    out of both before it looks. `options` are the texts that the model was offered, if any. With `raw` the one turn is a text as it
    stands, which a base model continued or which a file holds, and no turn of a chat.
    """

    turns: tuple[Message, ...]
    reply: Reply
    masked: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    raw: bool = False

    @property
    def prompt(self) -> str:
        """The text of what was asked, as a person would read it: a raw text alone, turns of a chat with their roles."""
        if self.raw:
            return self.turns[0].content
        return "\n".join(f"{turn.role}: {turn.content}" for turn in self.turns)


def exchange_of(prompt: Prompt, reply: Reply, masked: tuple[str, ...] = (), options: tuple[str, ...] = ()) -> Exchange:
    """An `Exchange` from a prompt as models are asked it, a raw text or a conversation, and the reply to it."""
    raw = isinstance(prompt, str)
    turns = (Message("user", prompt),) if isinstance(prompt, str) else prompt
    return Exchange(turns, reply, masked, options, raw)


class Judge(Protocol):
    """A judge: labels replies. Deterministic: the same exchange gets the same judgement for one `version`.

    `family` is the kind of question it answers (`refusal`, `toxicity`, `praise`); of one family one judge can sit in another's place. One
    that can't tell some labels of its family apart has `stands_for`: for each label that it gives those that it may mean; see `meaning`.
    One that has `languages`, a frozenset of ISO 639 codes, reads no others: it is not asked about a reply in another language.
    """

    name: str
    family: str
    labels: frozenset[str]

    @property
    def version(self) -> str:
        """Whoever changes what the judge says changes this."""
        ...

    def judge(self, exchanges: Sequence[Exchange]) -> list[Judgement]:
        """A judgement for each exchange, in their order, the same as it would get alone."""
        ...

    def missing(self) -> str:
        """What it lacks here, and what to do about it, in one sentence; empty when it can judge."""
        ...


class Reader(Protocol):
    """A judge of the simplest kind: text in, `Judgement` out. `judges.registry.as_judge` makes a `Judge` of it."""

    name: str
    labels: frozenset[str]

    @property
    def version(self) -> str:
        """Whoever changes what the judge says changes this."""
        ...

    def read(self, prompt: str, reply: Reply) -> Judgement:
        """The judgement of one reply."""
        ...


class OneByOne(ABC):
    """Base of judges that read each reply by itself and have nothing to install: `judge` comes from `read`."""

    @abstractmethod
    def read(self, prompt: str, reply: Reply) -> Judgement:
        """The judgement of one reply."""

    def judge(self, exchanges: Sequence[Exchange]) -> list[Judgement]:
        """A judgement for each exchange, in their order."""
        return [self.read(exchange.prompt, exchange.reply) for exchange in exchanges]

    def missing(self) -> str:
        """Nothing, so an empty text."""
        return ""


@dataclass(frozen=True)
class Behaviour:
    """A behaviour, the event that a claim counts: some of a judge's labels under a name.

    The name is to read well in `replies.rate(refused, …)`. A `neutral` one is neither good nor bad by itself: groups may be compared by it,
    but more of it is no loss. Until 0.1 the class was called `Event`; that name is read with a warning.
    """

    name: str
    judge: Judge | Reader
    labels: frozenset[str]
    neutral: bool = False

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
        """Whether the reply shows the behaviour; None when it could not be read, or its label doesn't tell."""
        return None if judgement.label == UNREADABLE else self.counts(judgement.label)

    def counts(self, label: str) -> bool | None:
        """Whether a label of the judge counts; None for one that stands for labels that do and others that don't."""
        meant = meaning(self.judge, label)
        return True if meant <= self.labels else False if meant.isdisjoint(self.labels) else None


def meaning(judge: Judge | Reader, label: str) -> frozenset[str]:
    """Labels of the family that a judge's label stands for: itself, unless the judge has `stands_for`, as guards do."""
    classes: Mapping[str, frozenset[str]] = getattr(judge, "stands_for", {})
    return classes.get(label, frozenset({label}))


def renamed(module: str, name: str) -> type[Behaviour]:
    """`Behaviour` under its old name `Event`, with a warning; any other name is no attribute of that module."""
    if name != "Event":
        raise AttributeError(f"module {module!r} has no attribute {name!r}")
    warnings.warn(f"{module}.Event is named Behaviour now; the old name goes in 0.3", DeprecationWarning, stacklevel=3)
    return Behaviour


def __getattr__(name: str) -> type[Behaviour]:
    return renamed(__name__, name)
