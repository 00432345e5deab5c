"""Presentation that kinds of claim share: the `Row` of a rate, and its parts as text.

Most kinds change a field or two of it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from alignsuite.claims.row import ClaimDetails, Counted, KnownErrors, Row
from alignsuite.runs.records import ClaimResult, Verdict
from alignsuite.text.cells import one_line, readable_name
from alignsuite.text.numbers import amount, amounts, declared, percent, plural, span

LEANS = ("A model that leans neither way", "A model that leans as far as the limit")
"""Whom a FAIL and a PASS wrong where either direction is bad."""

_UNFINISHED = {
    "cut_off": ("was cut off at its limit of tokens", "were cut off at their limit of tokens"),
    "withheld": ("was withheld", "were withheld"),
    "thought_only": ("never left the reasoning", "never left the reasoning"),
}
_BOUNDS = ("target", "limit", "margin")


def rate_row(result: ClaimResult, details: ClaimDetails) -> Row:
    """`Row` of a claim that counts bad replies."""
    return Row(
        measure="rate",
        unit="percent",
        value=amount(result.value, "percent"),
        interval=rate_interval_cell(result),
        bounds=bounds(result),
        seen=f"{bad_of_asked(result, 'reply')} {words(result.what)} ({with_interval(result)})",
        whose_error=(at_bound(result, "target"), at_bound(result, "limit")),
        chance=p_value(result),
        notes=(*judge_notes(result, details), *filter(None, [mass_note(details)])),
    )


def mass_note(details: ClaimDetails) -> str:
    """Sentence on how much of the probability the options had; empty for what is no choice."""
    said = mass_clause(details)
    return f"{said[0].upper()}{said[1:]}." if said else ""


def mass_clause(details: ClaimDetails) -> str:
    """The same as a clause."""
    if details.option_mass is None:
        return ""
    least = "at least " if details.option_mass_exact is False else ""
    return f"{least}{percent(details.option_mass)} of the probability lay on the options"


def rate_interval_cell(result: ClaimResult) -> str:
    """Interval of a rate as a cell; one-sided where nothing, or everything, was bad."""
    if result.interval is None or result.value is None:
        return ""
    low, high = result.interval
    if low <= 0 and result.value == 0:
        return f"≤ {percent(high)}"
    if high >= 1 and result.value == 1:
        return f"≥ {percent(low)}"
    return amounts(low, high, "percent")


def with_interval(result: ClaimResult) -> str:
    """Rate with its interval: `14.6 %, 95 % interval 8.2–23.3 %`."""
    value = result.value or 0.0
    if result.interval is None:
        return percent(value)
    low, high = result.interval
    if value == 0 and low <= 0:
        return f"0 %, at most {percent(high)} with {declared(result.level)} confidence"
    if value == 1 and high >= 1:
        return f"100 %, at least {percent(low)} with {declared(result.level)} confidence"
    return f"{percent(value)}, {declared(result.level)} interval {span(low, high)}"


def bad_of_asked(result: ClaimResult, noun: str) -> str:
    """Count of bad ones, of how many: `14 of 96 replies`."""
    return plural(result.asked, noun) if result.bad is None else f"{result.bad} of {plural(result.asked, noun)}"


def bounds(result: ClaimResult, *, unit: str = " %") -> str:
    """Declared numbers: `target 2 %, limit 5 %`."""
    known = numbers(result.bounds)
    names = [name for name in _BOUNDS if name in known] + sorted(known.keys() - set(_BOUNDS))
    return ", ".join(f"{words(name)} {declared(known[name], unit=unit)}" for name in names)


def at_bound(result: ClaimResult, bound: str) -> str:
    """Model that a verdict would wrong: one whose rate lies at a declared number."""
    value = numbers(result.bounds).get(bound)
    if value is None:
        return "A model within its bounds" if bound == "target" else "A model out of its bounds"
    return f"A model at {declared(value)}"


def resolution(result: ClaimResult) -> str:
    """Smallest rate that such a claim finds, as a clause; empty where that is not known, or nothing was measured.

    >>> from alignsuite.runs.records import Verdict
    >>> resolution(ClaimResult("rate", Verdict.INCONCLUSIVE, "refused", "", 9, 9, sees=0.1131))
    'sees ≥ 11.4 % (4 of 5 times)'
    """
    if result.sees is None or not 0 <= result.sees <= 1 or result.verdict is Verdict.INVALID:
        return ""
    if result.verdict is Verdict.PASS:
        return f"would have failed at {seen_from(result.sees)} or more four times in five"
    return f"sees ≥ {seen_from(result.sees)} (4 of 5 times)"


def seen_from(rate: float) -> str:
    """Rate that is seen, rounded up to a tenth of a percent."""
    return declared(math.ceil(1000 * rate - 1e-9) / 1000)


def p_value(result: ClaimResult) -> str:
    """P-value as a sentence; empty without one."""
    return "" if result.p is None or not math.isfinite(result.p) else f"p = {result.p:.2g}."


def judge_notes(result: ClaimResult, details: ClaimDetails, made_of_it: str = "") -> tuple[str, ...]:
    """Notes on the judge's error rates and on a second judge's agreement, a sentence each.

    `made_of_it` is what the claim made of the errors, as a clause with its comma; without it how much of a loss shows is said.
    """
    return tuple(filter(None, (_about_judge(result, details.judge, made_of_it), _second_opinion(details))))


def unfinished(result: ClaimResult) -> str:
    """Replies that were cut off, withheld or a thought only, as a clause; empty where there were none.

    >>> from alignsuite.runs.records import Verdict
    >>> unfinished(ClaimResult("rate", Verdict.PASS, "refused", "", 9, 9, answered={"answer": 6, "cut_off": 1, "thought_only": 2}))
    '1 of 9 replies was cut off at its limit of tokens, 2 never left the reasoning'
    """
    counts = [(count, how) for status, how in _UNFINISHED.items() if (count := result.answered.get(status, 0))]
    if not counts:
        return ""
    total, (count, (one, many)) = sum(result.answered.values()), counts[0]
    rest = [f", {count} {(one if count == 1 else many)}" for count, (one, many) in counts[1:]]
    return f"{count} of {plural(total, 'reply')} {one if count == 1 else many}{''.join(rest)}"


def words(name: str) -> str:
    """Name as a person writes it, on one line and bounded."""
    return one_line(readable_name(name), 80)


def numbers(values: Mapping[str, object]) -> dict[str, float]:
    """Finite numbers among some values."""
    return {
        name: float(value)
        for name, value in values.items()
        if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    }


def _about_judge(result: ClaimResult, known: KnownErrors | None, made_of_it: str) -> str:
    if known is None:
        return ""
    name = one_line(result.judge, 80)
    if known.card is None and known.set_aside is not None:
        whose = one_line(known.set_aside.labelled_by or "somebody, not said whom", 80)
        return (
            f"Counts what {name} labels so: it has no card on people's labels (its card of {one_line(known.set_aside.date, 20)} rests on "
            f"labels of {whose}), its errors are unknown."
        )
    if known.card is None:
        return f"Counts what {name} labels so: it has no card, its errors are unknown."
    found, cleared = _of(known.sensitivity), _of(known.specificity)
    if not made_of_it and known.kept is not None:
        made_of_it = f", so a loss shows by {percent(known.kept)} at least"
    date = one_line(known.card.date, 20)
    return (
        f"{name} finds {found} such replies and clears {cleared} others (card of {date}{_strata(known)}){made_of_it}."
    )


def _second_opinion(details: ClaimDetails) -> str:
    second = details.second_judge
    if second is None:
        return ""
    beyond = "" if second.kappa is None else f", kappa {second.kappa:.2f}"
    differ, of = ("?" if count is None else count for count in (second.disagreements, second.of))
    if second.flagged_only:
        return f"{one_line(second.judge, 80)} read what was flagged, and doesn't confirm {differ} of {of}."
    return f"{one_line(second.judge, 80)} differs on {differ} of {of}{beyond}."


def _of(rate: Counted | None) -> str:
    if rate is None:
        return "an unknown share of"
    hits, trials = ("?" if count is None else count for count in (rate.hits, rate.trials))
    return f"{hits} of {trials}"


def _strata(known: KnownErrors) -> str:
    """Which of the card's replies both rates come from, as a clause with its comma; empty where it is all of them."""
    found, cleared = (one_line(rate.stratum, 40) if rate else "all" for rate in (known.sensitivity, known.specificity))
    if found == cleared:
        return "" if found == "all" else f", replies to {found} prompts"
    return f", replies to {found} and to {cleared} prompts"
