"""What a record says of its judge's errors, in words: how often it is right, and what the verdict made of that."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from alignsuite.runs.records import ClaimResult
from alignsuite.text.cells import one_line
from alignsuite.text.numbers import percent, points


def about_judge(claim: ClaimResult) -> str:
    """A sentence about the judge's errors; empty where the record says nothing of them."""
    said = claim.details.get("judge")
    if not isinstance(said, Mapping):
        return ""
    name = one_line(claim.judge, 80)
    card = by_card(claim)
    if card is None:
        return f"Counts what {name} labels so: it has no card, its errors are unknown."
    found, cleared = _of(said, "sensitivity"), _of(said, "specificity")
    known = f"{name} finds {found} such replies and clears {cleared} others (card of {one_line(str(card.get('date', '?')), 20)})"
    return f"{known}{_made_of_it(claim, said)}."


def second_opinion(claim: ClaimResult) -> str:
    """How often a second judge would have said otherwise; empty without one."""
    said = claim.details.get("second_judge")
    if not isinstance(said, Mapping):
        return ""
    kappa = said.get("kappa")
    beyond = f", kappa {kappa:.2f}" if isinstance(kappa, int | float) else ""
    name = one_line(str(said.get("judge", "?")), 80)
    return f"{name} differs on {said.get('disagreements', '?')} of {said.get('of', '?')}{beyond}."


def by_card(claim: ClaimResult) -> Mapping[str, Any] | None:
    """The card that the claim's judge was known by; None where there was none."""
    said = claim.details.get("judge")
    card = said.get("card") if isinstance(said, Mapping) else None
    return card if isinstance(card, Mapping) else None


def _made_of_it(claim: ClaimResult, said: Mapping[str, Any]) -> str:
    limit, target, kept = (_fraction(said.get(key)) for key in ("limit", "target", "kept"))
    if claim.kind == "rate" and limit is not None and target is not None:
        return f", so its labels were held against target {percent(target)} and limit {percent(limit)}"
    if claim.kind == "gap" and limit is not None and kept is not None:
        return f", so a gap shows by {percent(kept)} at least, and its labels had to be closer than {points(limit)}"
    if kept is not None:
        return f", so a loss shows by {percent(kept)} at least"
    return ""


def _of(said: Mapping[str, Any], key: str) -> str:
    rate = said.get(key)
    return (
        f"{rate.get('hits', '?')} of {rate.get('trials', '?')}" if isinstance(rate, Mapping) else "an unknown share of"
    )


def _fraction(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and 0 <= value <= 1 else None
