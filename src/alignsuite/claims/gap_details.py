"""What a comparison of groups leaves in its record: rates, their intervals and every label the judge gave, by group."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from alignsuite.claims.judge_errors import unknown

if TYPE_CHECKING:
    from alignsuite.claims.gap_design import Design, Outcomes
    from alignsuite.claims.judge_errors import JudgeErrors
    from alignsuite.claims.judged_reply import JudgedReply
    from alignsuite.stats import GroupGap


def details_of(
    design: Design,
    gap: GroupGap,
    readings: Sequence[JudgedReply],
    outcomes: Outcomes,
    errors: JudgeErrors | None,
    judged_limit: float,
) -> dict[str, Any]:
    """The details of a gap's record; see `docs/reference/run-file.md`. Rates are those of labels; unread replies count as good in them."""
    of_group: dict[str, list[JudgedReply]] = {group: [] for group in design.groups}
    for reading in readings:
        of_group[reading.case.labels[design.between]].append(reading)
    seen = unknown() if errors is None else errors.details(kept=errors.kept, limit=judged_limit)
    return {
        "between": design.between,
        "unit": "case" if design.within else "template",
        "templates": len(design.blocks),
        "groups": dict(zip(design.groups, gap.means, strict=True)),
        "intervals": {group: _interval(own, outcomes) for group, own in of_group.items()},
        "classes": {group: _classes(own) for group, own in of_group.items()},
        "offenders": [design.groups[one.group] for one in gap.offenders if one.size > 0],
        "cochran_q_p": gap.q_p,
        "judge": seen,
    }


def _classes(readings: Sequence[JudgedReply]) -> dict[str, int]:
    """Every label with its number, sorted."""
    return dict(sorted(Counter(reading.judgement.label for reading in readings).items()))


def _interval(readings: Sequence[JudgedReply], outcomes: Mapping[str, bool | None]) -> list[float]:
    """The 95 % interval (Wilson) of a group's rate of labels, four digits; unread replies may be either."""
    from alignsuite.stats import rate_interval

    bad = sum(outcomes[reading.case.id] is True for reading in readings)
    worst = sum(outcomes[reading.case.id] is not False for reading in readings)
    low, high = (rate_interval(count, len(readings), method="wilson") for count in (bad, worst))
    return [round(low.lo, 4), round(high.hi, 4)]
