"""Record as a row of the terminal table: its cells, and the notes under it.

A row never makes something unmeasured look like a pass: verdicts are upper case, and whatever has none shows pytest's own word in
lower case.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from alignsuite.claims import present
from alignsuite.claims.presentation import resolution, unfinished
from alignsuite.reports.explanation import measured
from alignsuite.reports.regression import against, by_itself, style
from alignsuite.runs.records import ClaimResult, Record, Verdict
from alignsuite.text.cells import one_line
from alignsuite.text.numbers import clock, energy, plural, short_count

STYLES = {
    Verdict.PASS: "green",
    Verdict.MARGINAL: "yellow",
    Verdict.INCONCLUSIVE: "yellow",
    Verdict.INVALID: "magenta",
    Verdict.FAIL: "red",
}
TITLES = {name: name for name in ("result", "interval", "counts", "stored", "tokens", "time", "energy")} | {
    "counts": "bad/asked"
}

_NO_CLAIM = "no claim"


@dataclass(frozen=True)
class Note:
    """Note: a line under a row."""

    text: str
    style: str = "dim"


@dataclass(frozen=True)
class RecordRow:
    """Row of one record, ready to be laid out.

    Attributes:
        blocks: whether it fails the run.
        word: the verdict, or pytest's word in lower case.
        style: the colour of the word.
        test: the test in words; `slice`: its parameter, or "".
        cells: text by column; a column that is missing has nothing to say.
    """

    record: Record
    blocks: bool
    word: str
    style: str
    test: str
    slice: str
    cells: dict[str, str] = field(default_factory=dict)
    notes: tuple[Note, ...] = ()


def row(record: Record) -> RecordRow:
    """`RecordRow` of a record: its worst claim speaks for it."""
    claim = deciding(record)
    word, style = _word(record)
    cells = {} if claim is None else {name: text for name, text in _cells(record, claim).items() if text}
    test, slice_, notes = test_title(record.test), one_line(record.slice), tuple(_notes(record, claim))
    return RecordRow(record, record.blocks, word, style, test, slice_, cells, notes)


def deciding(record: Record) -> ClaimResult | None:
    """Deciding claim: the first with the worst verdict."""
    return max(record.claims, key=lambda claim: claim.verdict.severity, default=None)


def test_title(name: str) -> str:
    """Title of a test: its name as a person says it.

    >>> test_title("test_refusals_do_not_depend_on_the_group")
    'refusals do not depend on the group'
    """
    return one_line(re.sub(r"^test_+", "", name).replace("_", " ")) or one_line(name)


def _word(record: Record) -> tuple[str, str]:
    if record.verdict is not None and not _belied(record):
        return str(record.verdict), STYLES[record.verdict]
    if record.outcome == "passed":
        return _NO_CLAIM, "yellow"
    return one_line(record.outcome, 12) or "unknown", "red" if record.outcome in ("error", "failed") else "dim"


def _belied(record: Record) -> bool:
    """Whether the item's claims came out well, and yet the item did not pass: something beside them went wrong."""
    return record.verdict in (Verdict.PASS, Verdict.MARGINAL) and record.outcome != "passed"


def _cells(record: Record, claim: ClaimResult) -> dict[str, str]:
    tokens = sum(sum(one.tokens.values()) for one in record.claims)
    seconds, shown = spent(record, "seconds"), present(claim)
    asked = f"{claim.asked} of {claim.bank}"
    return {
        "result": shown.value,
        "interval": shown.interval,
        "counts": asked if claim.bad is None else f"{claim.bad}/{asked}",
        "stored": _stored(record),
        "tokens": short_count(tokens) if tokens else "",
        "time": clock(seconds) if seconds else "",
        "energy": energy(record.time["joules"]) if record.time.get("joules") else "",
    }


def _stored(record: Record) -> str:
    stored, made = spent(record, "from_store"), spent(record, "calls")
    return "all" if stored and not made else f"{stored:.0f}" if stored else ""


def spent(record: Record, what: str) -> float:
    """Cost of a record's claims: `calls`, `from_store`, `seconds`."""
    return sum(claim.time.get(what, 0) for claim in record.claims)


def _notes(record: Record, claim: ClaimResult | None) -> Iterator[Note]:
    if claim is None or record.verdict is None:
        if record.reason:
            yield Note(one_line(record.reason))
        return
    if why := _why(claim):
        yield Note(why)
    if standing := _standing(record):
        yield Note(standing)
    yield from _not_read_or_not_whole(claim)
    if claim.regression is not None:
        yield Note(against(claim.regression), style(claim))
    if claim.noise is not None:
        yield Note(by_itself(claim.noise))
    for other in record.claims:
        if other is not claim:
            yield Note(f"also {other.verdict}: {measured(other, present(other))}")


def _not_read_or_not_whole(claim: ClaimResult) -> Iterator[Note]:
    if claim.unread and not any("could not be read" in reason for reason in claim.reasons):
        yield Note(f"{plural(claim.unread, 'reply')} could not be read", "yellow")
    if not_whole := unfinished(claim):
        yield Note(not_whole)


def _standing(record: Record) -> str:
    """Outcome that pytest gave the item, where that does not follow from the verdict."""
    said = "; ".join(reason for claim in record.claims for reason in claim.reasons)
    reason = "" if record.reason == said else one_line(record.reason)
    if _belied(record):
        return f"its claims came out {record.verdict}, but: {reason or record.outcome}"
    if record.verdict is Verdict.FAIL and not record.blocks:
        known = "expected to fail, does not block" if record.outcome == "xfailed" else "does not block"
        return f"{known}: {reason}" if reason else known
    return reason


def _why(claim: ClaimResult) -> str:
    reasons = "; ".join(one_line(reason).rstrip(".") for reason in claim.reasons)
    seen = resolution(claim)
    if claim.verdict is Verdict.PASS:
        return seen
    shown = present(claim)
    if claim.verdict is not Verdict.FAIL:
        return " · ".join(filter(None, [seen, reasons or shown.remark or shown.bounds]))
    return " · ".join(filter(None, [shown.bounds, shown.extremes, seen, reasons]))
