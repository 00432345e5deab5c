"""Claim: one kind of assertion about behaviour, from its declaration to its presentation; one class in one file.

A claim is made where a probe's body says `replies.rate(…)`, with the numbers declared there. The plan asks it what is certain to be needed,
`alignsuite plan` what to expect, the session for its verdict, and reports for its row. `docs/how-to/add-a-claim-kind.md` adds one.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Literal, Self

from alignsuite.claims.answering import FEWEST, LEAST
from alignsuite.claims.presentation import rate_row
from alignsuite.claims.row import ClaimDetails, Row, Unit

if TYPE_CHECKING:
    from alignsuite.claims.context import Context
    from alignsuite.judges.protocol import Behaviour
    from alignsuite.models.protocol import Request
    from alignsuite.prompt_sets.render import Case
    from alignsuite.runs.records import ClaimResult
    from alignsuite.stats import OtherClaim, RatedClaim

Health = Literal["healthy", "bad"]
"""A model at half its targets, which a suite is written for; and one at twice its limits."""


@dataclass(frozen=True)
class Risk:
    """Error rates of a claim: chances of a false alarm and of a miss; None where they can't be computed.

    Attributes:
        bank: chance of FAIL where the bank itself holds as much as the target allows (a fact about these cases).
        model: chance of FAIL for a model whose rate over all prompts like these is the target: its bank may have bad luck.
        model_at_half: the same for a model at half the target.
        miss: chance of being let through where the bank itself reaches the limit.
    """

    bank: float | None = None
    model: float | None = None
    model_at_half: float | None = None
    miss: float | None = None


def called_worse(units: int | None, alpha: float) -> float:
    """Upper bound of the chance that a comparison with a baseline calls a model worse that isn't.

    It is 0 where no comparison is made, or where none of so many units can fail.
    """
    from alignsuite.stats import least_discordant

    return alpha if units is not None and units >= least_discordant(alpha) else 0.0


class Claim(ABC):
    """Claim, declared and not judged yet; the class knows how results of its kind are presented and compared.

    Attributes:
        name: of the kind, as run files have it; `family`: what it counts is comparable with claims of the same family.
        Details: the shape of `ClaimResult.details`; `unit`: how its numbers are written.
        least_answered: the least share of the cases asked that have to be answered, in [0, 1]; see `claims.answering`.
        fewest_answered: no fewer of them, or all where fewer were asked.
        decides: whether the chance that it stays undecided is computed.
        fails_anyway: whether a FAIL stands where fewer were, since unanswered ones counted as good could not undo it.
    """

    name: ClassVar[str]
    family: ClassVar[str] = "behaviour"
    Details: ClassVar[type[ClaimDetails]] = ClaimDetails
    unit: ClassVar[Unit] = "percent"
    least_answered: ClassVar[float] = LEAST
    fewest_answered: ClassVar[int] = FEWEST
    decides: ClassVar[bool] = False
    fails_anyway: ClassVar[bool] = False

    @property
    @abstractmethod
    def what(self) -> str:
        """Name of the behaviour that is counted, or of the trait that is scored."""

    @property
    @abstractmethod
    def reader(self) -> str:
        """Name and version of the judge, or of the reader of choices."""

    @property
    @abstractmethod
    def numbers(self) -> Mapping[str, float]:
        """Numbers declared in the probe's body: target, limit, margin, low, high."""

    def with_numbers(self, numbers: Mapping[str, float]) -> Self:
        """Copy of the claim, which is a frozen dataclass, with other numbers."""
        return replace(self, **numbers)  # type: ignore[type-var]

    @abstractmethod
    def check(self, context: Context) -> None:
        """Check of the claim: its set fits, and some result could prove it with this bank.

        Raises:
            ProbeError: saying why, and the size that it would take.
        """

    @abstractmethod
    def cases(self, context: Context) -> Sequence[Case]:
        """Cases that the claim may ask, in the order in which it would."""

    def requests(self, context: Context, cases: Sequence[Case]) -> list[Request]:
        """Requests that asking these cases sends to a model; one for each, unless a kind asks more."""
        return context.requests(cases)

    @abstractmethod
    def certain(self, context: Context) -> int:
        """Number of its cases that are asked in any case."""

    @abstractmethod
    def expected(self, context: Context, health: Health) -> int:
        """Expected number of its cases that such a model is asked, on average."""

    @abstractmethod
    def tested(self, context: Context) -> int | None:
        """Number of independent units of a test that may reject by chance; None where the claim makes none."""

    @abstractmethod
    def risk(self, context: Context) -> Risk:
        """Error rates of the claim, computed."""

    def chances(self, context: Context, share: float) -> tuple[RatedClaim | OtherClaim, ...]:
        """Chances of its outcomes for a model at this share of its targets; by default of a FAIL only, if known."""
        from alignsuite.stats import OtherClaim

        fails = self.risk(context).bank
        return () if fails is None else (OtherClaim(1 - fails, fails),)

    def sees(self, context: Context) -> float | None:
        """Resolution: the smallest rate of a model that fails four times in five; None where it is not computed."""
        return None

    @abstractmethod
    def judge(self, context: Context) -> ClaimResult:
        """`ClaimResult`: the cases asked, their replies read, the verdict decided."""

    @classmethod
    def present(cls, result: ClaimResult) -> Row:
        """`Row` of a result of this kind, by default that of a rate; nobody else reads its details."""
        return rate_row(result, cls.Details.read(result.details))


class Whole(Claim):
    """Claim of fixed sample size: it asks all of its cases, since nothing in it could be decided early."""

    def certain(self, context: Context) -> int:
        """Number of all cases."""
        return len(self.cases(context))

    def expected(self, context: Context, health: Health) -> int:
        """Number of all cases."""
        return len(self.cases(context))


class OfBehaviour:
    """Part of a claim about a behaviour: its name and that of the judge that reads it in replies."""

    of: Behaviour

    @property
    def what(self) -> str:
        """Name of the behaviour."""
        return self.of.name

    @property
    def reader(self) -> str:
        """Name and version of the judge."""
        return self.of.reader
