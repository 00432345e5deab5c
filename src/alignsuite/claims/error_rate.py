"""Error-rate claim: a model rarely chooses a wrong option, in sets whose templates name the right one.

Small models choose by the place where an option stands. So each question is asked in every order of its options, the probabilities are
averaged over the orders, and a question counts as one case whose answer is the option that is then the likeliest. Where the options'
place moved the answers and their content did not, nothing was measured, and the verdict is INVALID.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from alignsuite.claims.context import wants
from alignsuite.claims.option_orders import position_bias, read_in_all_orders, requests_in_all_orders
from alignsuite.claims.sequential import Sequential, Step
from alignsuite.errors import ProbeError
from alignsuite.judges import choice
from alignsuite.runs.records import Pairing

if TYPE_CHECKING:
    from alignsuite.claims.context import Context
    from alignsuite.models.protocol import Request
    from alignsuite.prompt_sets.render import Case


@dataclass(frozen=True)
class ErrorRate(Sequential):
    """Error-rate claim: how often the likeliest option is not the right one; see `Replies.mistakes`."""

    name: ClassVar[str] = "mistakes"
    family: ClassVar[str] = "mistakes"
    what = "chose a wrong option"
    reader = choice.NAME

    def check(self, context: Context) -> None:
        """Check of the set: it has to name the right option, and to ask every order."""
        wants(context, "choose", "mistakes")
        spec = context.bank.loaded.spec
        if any(case.answer is None for case in context.bank.cases):
            raise ProbeError(
                f"`replies.mistakes` needs templates that name their right option as `answer`; {spec.id} has some without"
            )
        if spec.orders != "cyclic":
            raise ProbeError(
                f"`replies.mistakes` can't tell an option's content from its place unless {spec.id} says `orders: cyclic`"
            )
        super().check(context)

    def cases(self, context: Context) -> Sequence[Case]:
        """Questions, each in its first order; the other orders are asked with it."""
        blocks = context.bank.blocks(context.terms.cases)
        return [min(block, key=lambda case: case.order) for block in blocks]

    def requests(self, context: Context, cases: Sequence[Case]) -> list[Request]:
        """Requests: every order of the options of each question."""
        return requests_in_all_orders(context, cases)

    def steps(self, context: Context, cases: Sequence[Case]) -> list[Step]:
        """Steps of the gate: each question read in every order of its options, and averaged."""
        return read_in_all_orders(context, cases)

    def doubt(self, context: Context, seen: Sequence[Step]) -> str | None:
        """Position bias: the reason why the options' place, not their content, moved the answers; None without it."""
        return position_bias(seen)

    @property
    def pairing(self) -> Pairing:
        """Pairing of error rates: an INVALID measurement voids its outcomes."""
        return Pairing(family=self.family, void=True)
