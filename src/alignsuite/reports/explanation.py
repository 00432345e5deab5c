"""A claim in words: what was seen, against which bounds, how often such a verdict is wrong, and how to see it again.

This is what stands under a failed `assert`, so it has to answer a reader's questions in their order, without the run at hand.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from alignsuite.claims.judge_words import about_judge, by_card, second_opinion
from alignsuite.reports.regression import against, by_itself
from alignsuite.runs.records import ClaimResult, Verdict
from alignsuite.text.cells import cut, one_line
from alignsuite.text.numbers import declared, odds, percent, plural, points, span

_REPLY_SHOWN = 80
_BOUNDS = ("target", "limit", "margin")


def explain(title: str, claim: ClaimResult, *, again: str = "") -> str:
    """The whole explanation of one claim, ready to be read in a terminal.

    Args:
        title: what was claimed of what, such as `safety/harmful_requests[weapons]`.
        claim: how it came out; missing details are left unsaid.
        again: the command that shows the same verdict from the store.
    """
    bounds = bounds_in_words(claim)
    first = f"{one_line(title)}: {claim.verdict}. {measured(claim)}{f'; {bounds}' if bounds else ''}."
    return "\n".join([first, *(f"  {line}" for line in _further(claim, again))])


def _further(claim: ClaimResult, again: str) -> Iterator[str]:
    how_sure = " ".join(sentence for sentence in (error_in_words(claim), _chance(claim), _asked(claim)) if sentence)
    if how_sure:
        yield how_sure
    yield from filter(None, [about_judge(claim), second_opinion(claim)])
    if claim.kind == "scale":
        yield from filter(None, [influences(claim)])
    if claim.kind == "gap":
        yield from filter(None, [_set_apart(claim)])
    if claim.regression is not None:
        yield f"{against(claim.regression)}."
    if claim.noise is not None:
        yield f"{by_itself(claim.noise)}."
    for reason in claim.reasons:
        yield f"because: {one_line(reason)}"
    if claim.examples:
        example = claim.examples[0]
        yield f'first: case {one_line(example.case)} · "{cut(one_line(example.reply), _REPLY_SHOWN)}"'
    if again:
        yield f"again: {one_line(again, 2000)}"


def measured(claim: ClaimResult) -> str:
    """What was seen, as a clause without a full stop."""
    unread = f"{plural(claim.unread, 'reply')} could not be read" if claim.unread else ""
    if claim.value is None or not math.isfinite(claim.value):
        return "nothing was measured" + (f": {unread}" if unread else "")
    wording = {"gap": _gap, "scale": _score, "flips": _flips, "bias": _bias}.get(claim.kind, _rate)
    return wording(claim) + (f"; {unread}" if unread else "")


def _rate(claim: ClaimResult) -> str:
    if claim.kind == "rate" and by_card(claim) is not None:
        seen = f"{_bad_of_asked(claim, 'reply')} {'was' if claim.asked == 1 else 'were'} judged `{_words(claim.what)}`"
        return f"{seen}; corrected for the judge's errors {_with_interval(claim)}"
    return f"{_bad_of_asked(claim, 'reply')} {_words(claim.what)} ({_with_interval(claim)})"


def _bias(claim: ClaimResult) -> str:
    low, high = claim.interval or (-1.0, 1.0)
    return f"bias score {claim.value:+.2f} on −1 … +1 ({declared(claim.level)} interval {low:+.2f} to {high:+.2f})"


def _flips(claim: ClaimResult) -> str:
    return f"{_bad_of_asked(claim, 'time')} the model {_words(claim.what)} ({_with_interval(claim)})"


def _bad_of_asked(claim: ClaimResult, noun: str) -> str:
    return plural(claim.asked, noun) if claim.bad is None else f"{claim.bad} of {plural(claim.asked, noun)}"


def _with_interval(claim: ClaimResult) -> str:
    value = claim.value or 0.0
    if claim.interval is None:
        return percent(value)
    low, high = claim.interval
    if value == 0 and low <= 0:
        return f"0 %, at most {percent(high)} with {declared(claim.level)} confidence"
    if value == 1 and high >= 1:
        return f"100 %, at least {percent(low)} with {declared(claim.level)} confidence"
    return f"{percent(value)}, {declared(claim.level)} interval {span(low, high)}"


def _gap(claim: ClaimResult) -> str:
    value = claim.value or 0.0
    interval = "" if claim.interval is None else f" ({_gap_interval(claim.level, *claim.interval)})"
    ends = extremes(claim)
    if ends is None:
        return f"{_words(claim.what)}: the groups differ by {points(value)}{interval}"
    high, low = ends
    return f"{_words(claim.what)}: {high}, {low}, a gap of {points(value)}{interval}"


def _gap_interval(level: float, low: float, high: float) -> str:
    if low <= 0:
        return f"at most {points(high)} with {declared(level)} confidence"
    return f"{declared(level)} interval {span(low, high, unit=' points')}"


def _score(claim: ClaimResult) -> str:
    sure = []
    if claim.interval is not None:
        sure.append(f"{declared(claim.level)} interval {claim.interval[0]:.2f}–{claim.interval[1]:.2f}")
    if (sem := _number(claim.details.get("sem"))) is not None:
        sure.append(f"standard error {sem:.2f}")
    extra = f" ({', '.join(sure)})" if sure else ""
    return f"{_words(claim.what)} scores {claim.value:.2f}{_scale_ends(claim)}{extra}"


def _scale_ends(claim: ClaimResult) -> str:
    match claim.details.get("range"):
        case [int() | float() as low, int() | float() as high]:
            return f" on a scale of {low:g}–{high:g}"
    return ""


def extremes(claim: ClaimResult) -> tuple[str, str] | None:
    """The groups with the highest and the lowest rate, each with it; None where fewer than two are known."""
    groups = claim.details.get("groups")
    if not isinstance(groups, Mapping):
        return None
    rates = {str(name): rate for name, rate in groups.items() if _number(rate) is not None}
    if len(rates) < 2:
        return None
    high, low = max(rates, key=lambda name: rates[name]), min(rates, key=lambda name: rates[name])
    return f"{one_line(high, 80)} {percent(rates[high])}", f"{one_line(low, 80)} {percent(rates[low])}"


def bounds_in_words(claim: ClaimResult) -> str:
    """The declared numbers: `target 2 %, limit 5 %`."""
    known = {name: bound for name, bound in claim.bounds.items() if _number(bound) is not None}
    if claim.kind == "scale":
        if {"low", "high"} <= known.keys():
            return f"wanted {known['low']:g}–{known['high']:g}"
        wanted = {"low": "wanted at least", "high": "wanted at most"}
        return ", ".join(f"{wanted.get(name, _words(name))} {bound:g}" for name, bound in known.items())
    unit = " points" if claim.kind == "gap" else " %"
    names = [name for name in _BOUNDS if name in known] + sorted(known.keys() - set(_BOUNDS))
    return ", ".join(f"{_words(name)} {declared(known[name], unit=unit)}" for name in names)


def error_in_words(claim: ClaimResult) -> str:
    """How often a verdict like this one is wrong, as a sentence; empty where that was not computed."""
    failed = claim.verdict is Verdict.FAIL
    chance = _number(claim.errors.get("false_alarm" if failed else "miss"))
    if chance is None or not (failed or claim.verdict is Verdict.PASS):
        return ""
    whose, does = _whose_error(claim, "target" if failed else "limit"), "fail" if failed else "pass"
    return f"{whose} would {does} here {odds(chance)}." if chance > 0 else f"{whose} would never {does} here."


def _whose_error(claim: ClaimResult, bound: str) -> str:
    value = _number(claim.bounds.get(bound))
    if claim.kind in ("bias", "preference"):
        return "A model that leans neither way" if bound == "target" else "A model that leans as far as the limit"
    if claim.kind == "gap":
        if bound == "target":
            return "Groups that are treated alike"
        return "Groups that far apart" if value is None else f"Groups {declared(value, unit=' points')} apart"
    if value is None or claim.kind == "scale":
        return "A model within its bounds" if bound == "target" else "A model out of its bounds"
    return f"A model at {declared(value)}"


def _chance(claim: ClaimResult) -> str:
    p = _number(claim.p)
    if p is None:
        return ""
    if claim.kind == "gap":
        return f"With the groups' names shuffled, such a gap appears {odds(p, 'shuffles')}." if p > 0 else ""
    return f"p = {p:.2g}."


def _asked(claim: ClaimResult) -> str:
    if claim.bank <= 0:
        return ""
    cases = plural(claim.bank, "case")
    if claim.asked == claim.bank:
        return f"All {cases} were asked." if claim.bank > 1 else "The only case was asked."
    return f"Decided after {claim.asked} of {cases}." if claim.asked else f"None of {cases} was asked."


def _set_apart(claim: ClaimResult) -> str:
    offenders = claim.details.get("offenders")
    if not isinstance(offenders, list | tuple) or not offenders:
        return ""
    return f"Set apart from the rest: {', '.join(_offender(one) for one in offenders)}."


def _offender(one: object) -> str:
    if isinstance(one, Mapping):
        one = one.get("group", "?")
    elif isinstance(one, list | tuple) and one:
        one = one[0]
    return one_line(str(one), 80)


def influences(claim: ClaimResult) -> str:
    """What moved the answers to a scale, as a sentence; empty where nothing is known."""
    parts = []
    for key, words in (("content_variation", "the options' content"), ("place_variation", "their place")):
        if (moved := _number(claim.details.get(key))) is not None:
            parts.append(f"{words} {moved:.3f}")
    said = [f"Answers were moved by {' and '.join(parts)}"] if parts else []
    if (mass := _number(claim.details.get("option_mass"))) is not None:
        said.append(f"{percent(mass)} of the probability lay on the options")
    if (leaning := _number(claim.details.get("acquiescence"))) is not None:
        said.append(f"leaning towards agreement {leaning:+.2f}".replace("-", "−"))
    text = "; ".join(said)
    return f"{text[0].upper()}{text[1:]}." if text else ""


def _words(name: str) -> str:
    return one_line(name.replace("_", " "), 80)


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)
