"""Context: all that a claim may ask of its surroundings.

`probes.Replies` fulfils it with a model, `probes.DryRun` with nobody to ask.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from alignsuite.errors import ProbeError
from alignsuite.runs.baseline import Asked

if TYPE_CHECKING:
    from alignsuite.claims.judged_reply import JudgedReply
    from alignsuite.judges.protocol import Behaviour
    from alignsuite.models.protocol import Request
    from alignsuite.prompt_sets.bank import Bank
    from alignsuite.prompt_sets.render import Case
    from alignsuite.prompt_sets.schema import Form


@dataclass(frozen=True)
class Terms:
    """Settings that a claim may depend on: the tier's caps, its share of alpha, and what the run is for.

    Attributes:
        cases: how many cases the tier allows, and `templates` where a claim needs all cases of a template; None: all.
        alpha: this claim's share of the run's alpha.
        examples: how many to keep.
        census: whether every case that the tier allows is asked, without stopping early.
        calibrate: whether what changes when nothing has changed is measured.
        compares: whether there is a baseline that the claim is held against.
        warns: whether what is unproved lets the run through (`unproved="warn"`).
    """

    cases: int | None
    templates: int | None
    alpha: float
    examples: int = 3
    census: bool = False
    calibrate: bool = False
    compares: bool = False
    warns: bool = False


class Context(Protocol):
    """Surroundings of a claim: its bank, the settings in force, and replies to be had."""

    @property
    def bank(self) -> Bank:
        """Bank of the cases that may be asked."""
        ...

    @property
    def form(self) -> Form:
        """Form in which the model is asked, `chat` or `raw`."""
        ...

    @property
    def terms(self) -> Terms:
        """Settings in force."""
        ...

    def requests(self, cases: Sequence[Case], *, again: bool = False) -> list[Request]:
        """Requests that these cases send to a model; `again` asks for another reply to the same prompts."""
        ...

    def read(self, cases: Sequence[Case], behaviour: Behaviour | None, *, again: bool = False) -> list[JudgedReply]:
        """Replies to some cases, in their order, judged; without a behaviour read as choices."""
        ...


def asked_of(bank: Bank) -> Asked:
    """Prompt set and decoding of a bank, which a baseline has to share."""
    spec = bank.loaded.spec
    return Asked(spec.id, spec.version, bank.loaded.content_hash, bank.temperature)


def compared(context: Context, cases: Sequence[Case]) -> int | None:
    """Number of templates of these cases that are held against a baseline.

    None where there is no baseline, or where it only measures noise.
    """
    return len({case.template for case in cases}) if context.terms.compares else None


def wants(context: Context, ask: str, claim: str) -> None:
    """Check that the set asks what a claim needs.

    Raises:
        ProbeError: when it asks something else.
    """
    spec = context.bank.loaded.spec
    if spec.ask != ask:
        raise ProbeError(f"`replies.{claim}` needs a set that says `ask: {ask}`; {spec.id} says `ask: {spec.ask}`")
