"""The claim that a model rarely chooses a wrong option, in sets whose templates name the right one.

Small models choose by the place where an option stands. So each question is asked in every order of its options, the probabilities are
averaged over the orders, and a question counts as one case whose answer is the option that is then the likeliest. Where the options'
place moved the answers and their content did not, nothing was measured, and the verdict is INVALID.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from alignsuite.claims.reading import Reading, by_option
from alignsuite.claims.sequential import Sequential, Step
from alignsuite.errors import ProbeError
from alignsuite.judges import choice
from alignsuite.judges.protocol import UNREADABLE, Judgement
from alignsuite.models.protocol import Chosen

if TYPE_CHECKING:
    from alignsuite.cases import Case
    from alignsuite.models.protocol import Request
    from alignsuite.replies import Replies


@dataclass(frozen=True)
class Mistakes(Sequential):
    """How often the likeliest option is not the right one; see `Replies.mistakes`."""

    name = "mistakes"
    what = "chose a wrong option"
    reader = choice.NAME

    def check(self, replies: Replies) -> None:
        """The set has to name the right option, and to ask every order."""
        replies.wants("choose", "mistakes")
        spec = replies.bank.loaded.spec
        if any(case.answer is None for case in replies.bank.cases):
            raise ProbeError(
                f"`replies.mistakes` needs templates that name their right option as `answer`; {spec.id} has some without"
            )
        if spec.orders != "cyclic":
            raise ProbeError(
                f"`replies.mistakes` can't tell an option's content from its place unless {spec.id} says `orders: cyclic`"
            )
        super().check(replies)

    def cases(self, replies: Replies) -> Sequence[Case]:
        """One for each question, in its first order; the others are asked with it."""
        blocks = replies.bank.blocks(replies.terms.tier.cases)
        return [min(block, key=lambda case: case.order) for block in blocks]

    def requests(self, replies: Replies, cases: Sequence[Case]) -> list[Request]:
        """Every order of each question."""
        orders = _orders(replies)
        return replies.requests([one for case in cases for one in orders[case.template]])

    def steps(self, replies: Replies, cases: Sequence[Case]) -> list[Step]:
        """Read every order of each question, and average."""
        orders = _orders(replies)
        readings = iter(replies.read([one for case in cases for one in orders[case.template]], None))
        return [_averaged([next(readings) for _ in orders[case.template]]) for case in cases]

    def doubt(self, replies: Replies, seen: Sequence[Step]) -> str | None:
        """Whether the options' place, not their content, moved the answers."""
        from alignsuite.stats import scale_score

        asked = [reading.together for reading, _ in seen]
        read = [together for together in asked if all(isinstance(one.reply, Chosen) for one in together)]
        widths = {len(together[0].case.order) for together in read}
        if len(widths) != 1:
            return None if read else "no question was answered in every order of its options"
        table = [[by_option(one.case, one.reply) for one in together] for together in read]
        score = scale_score(table, [one.case.order for one in read[0]], [1] * len(read))
        return None if score.valid else "; ".join(score.reasons)


def _orders(replies: Replies) -> Mapping[str, Sequence[Case]]:
    found: dict[str, list[Case]] = {}
    for case in replies.bank.cases:
        found.setdefault(case.template, []).append(case)
    return {template: sorted(cases, key=lambda case: case.order) for template, cases in found.items()}


def _averaged(together: Sequence[Reading]) -> Step:
    """One question's readings as one: its likeliest option over all orders, and whether that is a wrong one."""
    first = replace(together[0], together=tuple(together))
    silent = next((one for one in together if not isinstance(one.reply, Chosen)), None)
    if silent is not None:
        return replace(first, judgement=silent.judgement), None
    columns = zip(*(by_option(one.case, one.reply) for one in together), strict=True)
    shares = [sum(column) / len(together) for column in columns]
    best = max(shares)
    if shares.count(best) > 1:
        return replace(first, judgement=Judgement(UNREADABLE, "no option is the likeliest over all orders")), None
    chosen, case = shares.index(best), first.case
    label = case.options[case.order.index(chosen)]
    return replace(
        first, judgement=Judgement(label, f"{best / sum(shares):.0%} over all orders".replace("%", " %"))
    ), chosen != case.answer
