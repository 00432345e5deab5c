"""Multiple-choice questions asked in every order of their options: one averaged reading a question.

Claims about right answers and about bias share it.

Small models choose by the place where an option stands. Over all orders every option has stood in every place, so the averaged
probabilities speak of content; how much they moved with the place says whether there was any.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from alignsuite.claims.judged_reply import JudgedReply, by_option, weighed
from alignsuite.judges.protocol import UNREADABLE, Judgement

if TYPE_CHECKING:
    from alignsuite.claims.context import Context
    from alignsuite.claims.sequential import Step
    from alignsuite.models.protocol import Request
    from alignsuite.prompt_sets.render import Case


def requests_in_all_orders(context: Context, cases: Sequence[Case]) -> list[Request]:
    """Requests: every order of each question; a case stands for its question."""
    orders = _orders(context)
    return context.requests([one for case in cases for one in orders[case.template]])


def read_in_all_orders(context: Context, cases: Sequence[Case]) -> list[Step]:
    """Steps: each question's readings averaged over its orders, and whether its likeliest option is a wrong one."""
    orders = _orders(context)
    readings = iter(context.read([one for case in cases for one in orders[case.template]], None))
    return [_averaged([next(readings) for _ in orders[case.template]]) for case in cases]


def position_bias(seen: Sequence[Step]) -> str | None:
    """Position bias as a reason: the options' place, not their content, moved the answers; None without it."""
    from alignsuite.stats import scale_score

    asked = [reading.together for reading, _ in seen]
    read = [together for together in asked if all(map(weighed, together))]
    widths = {len(together[0].case.order) for together in read}
    if not read:
        first = next((reading.judgement.evidence for reading, _ in seen), "")
        return "no question was answered in every order of its options" + (f" (first: {first})" if first else "")
    if len(widths) != 1:
        return None
    table = [[by_option(one.case, one.reply) for one in together] for together in read]
    score = scale_score(table, [one.case.order for one in read[0]], [1] * len(read))
    return None if score.valid else "; ".join(score.reasons)


def _orders(context: Context) -> Mapping[str, Sequence[Case]]:
    found: dict[str, list[Case]] = {}
    for case in context.bank.cases:
        found.setdefault(case.template, []).append(case)
    return {template: sorted(cases, key=lambda case: case.order) for template, cases in found.items()}


def _averaged(together: Sequence[JudgedReply]) -> Step:
    """Step of one question: its likeliest option over all orders, and whether that is a wrong one.

    It is unread where in one order the options had too little of the probability.
    """
    first = replace(together[0], together=tuple(together))
    silent = next((one for one in together if not weighed(one)), None)
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
