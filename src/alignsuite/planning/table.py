"""Estimate of a run as documents: the tables that `alignsuite plan` prints, and plain data."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from alignsuite.claims import claim_kind
from alignsuite.claims.presentation import seen_from
from alignsuite.text.cells import columns, fit, one_line, pad, wrap
from alignsuite.text.numbers import count, declared, duration, odds, percent, plural, short_count
from alignsuite.text.risk import in_words

if TYPE_CHECKING:
    from alignsuite.planning.estimate import Amount, ClaimEstimate, Estimate

_AMOUNTS = ("requests", "calls", "tokens", "time")


def estimate_table(found: Estimate, facts: Mapping[str, str], *, width: int, risk: bool) -> list[str]:
    """Lines of the tables: claim by claim, then the run as a whole; with `risk`, the error rates."""
    lines = [*wrap(one_line(" · ".join(f"{name} {value}" for name, value in facts.items()), 2000), width), ""]
    lines += _table(
        ("claim", "cases", "at least", "healthy", "bad", "sees"),
        [
            (_claim(line), *map(str, (line.cases, line.certain, line.healthy, line.bad)), _sees(line))
            for line in found.lines
        ],
        width,
    )
    lines += ["", *_table(("the run", *_AMOUNTS), list(_amounts(found)), width), ""]
    for sentence in _remarks(found):
        lines += wrap(one_line(sentence, 2000), width)
    if risk:
        lines += ["", *_risk(found, width)]
    return lines


def estimate_json(found: Estimate, facts: Mapping[str, str]) -> dict[str, Any]:
    """`Estimate` as plain data."""
    return dataclasses.asdict(found) | {"facts": dict(facts)}


def _claim(line: ClaimEstimate) -> str:
    return one_line(f"{line.name} {line.kind} {_bounds(line)}".rstrip())


def _bounds(line: ClaimEstimate) -> str:
    if claim_kind(line.kind).unit == "score":
        return " ".join(f"{name} {bound:g}" for name, bound in line.bounds.items())
    return " ".join(f"{name} {declared(bound)}" for name, bound in line.bounds.items())


def _sees(line: ClaimEstimate) -> str:
    return "–" if line.sees is None else f"≥ {seen_from(line.sees)}"


def _amounts(found: Estimate) -> Iterator[tuple[str, ...]]:
    rows = {
        "asked in any case": found.certain,
        "a healthy model (half its targets)": found.healthy,
        "a bad model (twice its limits)": found.bad,
        "at worst": found.worst,
    }
    for name, amount in rows.items():
        yield (name, count(amount.requests), count(amount.calls), short_count(amount.tokens), _time(amount))


def _time(amount: Amount) -> str:
    return "?" if amount.seconds is None else duration(amount.seconds)


def _remarks(found: Estimate) -> Iterator[str]:
    probes = plural(len({line.nodeid for line in found.lines}), "probe")
    claims, stored, worst = plural(len(found.lines), "claim"), count(found.stored), count(found.worst.requests)
    yield f"{probes}, {claims}. The store can answer {stored} of {worst} requests already."
    if found.lines:
        least = ", ".join(
            sorted({declared(claim_kind(line.kind).least_answered) for line in found.lines}, reverse=True)
        )
        yield f"Of each claim's cases at least {least} have to be answered; below that it is INVALID, and blocks."
    if found.census:
        yield "Every case that the tier allows is asked: a census, so that cases can be compared one by one."
    if found.measured:
        yield f"Tokens and time are averages over {plural(found.measured, 'reply')} of this model in the store; time is the model's work."
    else:
        yield "The store knows no reply of this model: tokens are reckoned at four characters each and the longest reply, time is unknown."
    for nodeid in found.unread:
        yield f"{nodeid} takes fixtures of others, so nothing is known of it beforehand."
    for said, nodes in (("will be skipped", found.unfit), ("can't be judged and will block", found.unjudged)):
        reasons: dict[str, list[str]] = {}
        for nodeid, why in nodes:
            reasons.setdefault(why, []).append(nodeid)
        for why, nodeids in reasons.items():
            who = nodeids[0] if len(nodeids) == 1 else plural(len(nodeids), "probe")
            yield f"{who} {said}: {why}."


def _risk(found: Estimate, width: int) -> Iterator[str]:
    rows = [
        (
            one_line(f"{line.name} {line.kind}"),
            *("?" if chance is None else percent(chance) for chance in _chances(line)),
        )
        for line in found.lines
    ]
    yield from _table(
        ("how often it is wrong", "bank at target", "model at target", "at half", "passes at limit"), rows, width
    )
    yield ""
    for sentence in in_words(found.risk):
        yield from wrap(sentence, width)
    yield from wrap(
        f"Gaps and regressions share alpha {found.alpha:g} ({odds(found.alpha)}). "
        "A model at a limit passes that claim as often as the last column says; a run passes only if every claim does.",
        width,
    )


def _chances(line: ClaimEstimate) -> tuple[float | None, ...]:
    return line.risk.bank, line.risk.model, line.risk.model_at_half, line.risk.miss


def _table(titles: tuple[str, ...], rows: list[tuple[str, ...]], width: int) -> list[str]:
    """Lines of a table; the first column takes what the others leave."""
    sizes = [max(columns(cell) for cell in column) for column in zip(titles, *rows, strict=True)][1:]
    widest = max(columns(row[0]) for row in (titles, *rows))
    name = max(20, min(widest, width - sum(size + 2 for size in sizes)))
    return [
        (
            pad(fit(first, name), name)
            + "".join(f"  {pad(cell, size, right=True)}" for cell, size in zip(rest, sizes, strict=True))
        ).rstrip()
        for first, *rest in (titles, *rows)
    ]
