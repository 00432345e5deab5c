"""What every kind of claim can say of itself before anything is asked: what it would ask, what that takes, how it could go wrong.

A kind is made where a probe's body claims something (`replies.rate(…)`), with the numbers declared there. The plan asks it what is certain
to be needed, `alignsuite plan` what to expect, and the session for its verdict.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, Protocol, Self, TypeVar

if TYPE_CHECKING:
    from alignsuite.judges.protocol import Behaviour
    from alignsuite.models.protocol import Request
    from alignsuite.probes.replies import Replies
    from alignsuite.prompt_sets.render import Case
    from alignsuite.runs.records import ClaimResult

Health = Literal["healthy", "bad"]
"""A model at half its targets, which a suite is written for; and one at twice its limits."""


@dataclass(frozen=True)
class Risk:
    """How often a claim blocks a model that it should let through, and lets through one that it should block; None: not computable.

    Attributes:
        bank: chance of FAIL where the bank itself holds as much as the target allows (a fact about these cases).
        model: chance of FAIL for a model whose rate over all prompts like these is the target: its bank may have bad luck.
        model_at_half: the same for a model at half the target.
        miss: chance of PASS where the bank itself reaches the limit.
        card: what is believed of the judge, in a word or two; claims that believe the same are wrong together.
        doubt: the chance that it is wrong. It is part of every chance above.
    """

    bank: float | None = None
    model: float | None = None
    model_at_half: float | None = None
    miss: float | None = None
    card: str = ""
    doubt: float = 0.0


def called_worse(units: int | None, alpha: float) -> float:
    """The chance, at most, that a comparison of so many units calls a model worse that isn't: 0 where none is made, or none can fail."""
    from alignsuite.stats import least_discordant

    return alpha if units is not None and units >= least_discordant(alpha) else 0.0


Renumbered = TypeVar("Renumbered")


def with_numbers(kind: Renumbered, numbers: Mapping[str, float]) -> Renumbered:
    """A kind of claim, which is a frozen dataclass, with other numbers."""
    return replace(kind, **numbers)  # type: ignore[type-var]


class Claim(Protocol):
    """One claim, declared and not judged yet."""

    @property
    def name(self) -> str:
        """`rate`, `flips`, `mistakes`, `gap`, `bias`, `preference`, `scale` or `no_worse`."""
        ...

    @property
    def what(self) -> str:
        """The behaviour that is counted, or the trait that is scored."""
        ...

    @property
    def reader(self) -> str:
        """Name and version of the judge, or of the reader of choices."""
        ...

    @property
    def numbers(self) -> Mapping[str, float]:
        """The numbers declared in the probe's body: target, limit, margin, low, high."""
        ...

    def with_numbers(self, numbers: Mapping[str, float]) -> Claim:
        """The same claim with other numbers."""
        ...

    def check(self, replies: Replies) -> None:
        """Refuse a claim that its set does not fit, or that no result could ever prove with its bank.

        Raises:
            ProbeError: saying why, and the size that it would take.
        """
        ...

    def cases(self, replies: Replies) -> Sequence[Case]:
        """All cases that it may ask, in the order in which it would."""
        ...

    def requests(self, replies: Replies, cases: Sequence[Case]) -> list[Request]:
        """What asking these cases sends to a model."""
        ...

    def certain(self, replies: Replies) -> int:
        """How many of its cases are asked in any case."""
        ...

    def expected(self, replies: Replies, health: Health) -> int:
        """How many of its cases such a model is asked on average."""
        ...

    def tested(self, replies: Replies) -> int | None:
        """How many independent units its test compares, where it makes one that may reject by chance; None where it makes none."""
        ...

    def risk(self, replies: Replies) -> Risk:
        """Its error rates, computed."""
        ...

    def judge(self, replies: Replies) -> ClaimResult:
        """Ask, read, decide."""
        ...


class Whole(ABC):
    """A claim that asks all of its cases: nothing in it could be decided early."""

    @abstractmethod
    def cases(self, replies: Replies) -> Sequence[Case]:
        """All of them."""

    def requests(self, replies: Replies, cases: Sequence[Case]) -> list[Request]:
        """One for each case."""
        return replies.requests(cases)

    def certain(self, replies: Replies) -> int:
        """All of them."""
        return len(self.cases(replies))

    def expected(self, replies: Replies, health: Health) -> int:
        """All of them."""
        return len(self.cases(replies))

    def with_numbers(self, numbers: Mapping[str, float]) -> Self:
        """With other numbers."""
        return with_numbers(self, numbers)


class OfEvent:
    """A claim about a behaviour that a judge sees in the replies."""

    of: Behaviour

    @property
    def what(self) -> str:
        """The behaviour."""
        return self.of.name

    @property
    def reader(self) -> str:
        """The judge."""
        return self.of.reader
