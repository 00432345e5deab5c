"""What a judge is: it reads a prompt and a reply, and answers with a label, a score or `UNREADABLE`. Never NaN, never a guess.

A judge sees the prompt's text and the reply, never the case's labels: it can't know which group a name stands for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from alignsuite.models.protocol import Reply

UNREADABLE = "UNREADABLE"
"""The label of a reply that could not be read, or that never came. It is neither good nor bad: see `Claim.unread`."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """One reply, read. `evidence` is the passage that decided; `score` is a fraction in [0, 1] where the judge gives one."""

    label: str
    evidence: str = ""
    score: float | None = None


class Judge(Protocol):
    """Reads replies. Deterministic: the same prompt and reply get the same judgement for one `version`."""

    name: str
    version: str
    labels: frozenset[str]

    def read(self, prompt: str, reply: Reply) -> Judgement:
        """The judgement of one reply."""
        ...


@dataclass(frozen=True)
class Event:
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

    def happened(self, judgement: Judgement) -> bool | None:
        """Whether the reply shows the behaviour; None when it could not be read."""
        return None if judgement.label == UNREADABLE else judgement.label in self.labels
