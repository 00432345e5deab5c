"""Limits as documents: the table of the numbers in force, and the report of an audit.

Numbers stand as in the file of limits (0.05, not 5 %), so that what is read can be searched for there. Slices of one probe that are
alike share a line.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from alignsuite.limits import Audit, Change, Declared, Key, Limits
from alignsuite.text.cells import columns, one_line, pad, wrap
from alignsuite.text.numbers import plural

_Row = tuple[str, str, str, str]
_TITLES: _Row = ("claim", "in the suite", "in force", "from")
_REASON = 4
"""Columns that a reason is indented by."""


def limits_table(claims: Sequence[Declared], limits: Limits, *, width: int) -> list[str]:
    """Lines of the table: claim, the suite's own numbers, those in force and where they are from.

    The reason stands below; last comes what names no claim.
    """
    blocks = [
        (prompt_set, list(_rows(list(group), limits)))
        for prompt_set, group in groupby(_sorted(claims), key=lambda claim: claim.prompt_set)
    ]
    cells = [_TITLES, *((f"  {row[0]}", *row[1:]) for _, rows in blocks for row, _ in rows)]
    widths = [max(columns(cell) for cell in column) for column in zip(*cells, strict=True)]
    lines = [_line(_TITLES, widths)]
    for prompt_set, rows in blocks:
        lines.append(prompt_set)
        for row, reasons in rows:
            lines.append(_line((f"  {row[0]}", *row[1:]), widths))
            lines += _indented(reasons, width)
    for key, near in limits.unmatched(claims).items():
        lines.append(one_line(f'{limits.name}: ["{key}"] is the name of no claim; {near}'))
    return lines


def limits_json(claims: Sequence[Declared], limits: Limits) -> list[dict[str, Any]]:
    """Rows of the table as plain data, one for each claim and slice."""
    return [
        {
            "claim": str(claim.key),
            "kind": claim.kind,
            "what": claim.what,
            "declared": claim.numbers,
            "in_force": {name: one.value for name, one in limits.in_force(claim.key, claim.numbers).items()},
            "entries": [str(entry.key) for entry in limits.of(claim.key)],
            "reasons": [entry.reason for entry in limits.of(claim.key) if entry.reason],
        }
        for claim in _sorted(claims)
    ]


def audit_text(found: Audit, file: str, against: str, *, width: int) -> list[str]:
    """Lines of an audit, failures first; the last one says whether it passed."""
    unexplained = [change for change in found.weakened if not change.reason]
    explained = [change for change in found.weakened if change.reason]
    sections = [
        ("weakened without a new reason", list(_changes(unexplained, width))),
        ("gone without a word: put the entry back with `gone = true` and a reason, or bring its claim back", _keys(found.vanished)),
        ("missing: `alignsuite limits write` adds them", list(_missing(found))),
        ("the name of no claim", [f'  {one_line(str(key))}; {one_line(near)}' for key, near in found.unmatched.items()]),
        ("weakened, with a reason", list(_changes(explained, width))),
        ("tightened", list(_changes(found.tightened, width))),
        ("new: nothing to compare with", _keys(_whole(found.new or ()))),
    ]  # fmt: skip
    lines: list[str] = []
    for title, body in sections:
        lines += [title, *body, ""] if body else []
    return [*lines, _closing(found, file, against)]


def _closing(found: Audit, file: str, against: str) -> str:
    if found.failures:
        return f"{file} against {against}: {plural(found.failures, 'thing')} to mend"
    if found.new is None:
        return f"{file} is complete; {against} has no such file, so there is nothing to compare with yet"
    parts = (
        (len(found.weakened), "weakened with a reason"),
        (len(found.tightened), "tightened"),
        (len(found.new), "new"),
    )
    said = ", ".join(f"{count} {word}" for count, word in parts if count)
    return f"{file} against {against}: no number is weaker without a reason{f' ({said})' if said else ''}"


def _rows(claims: Sequence[Declared], limits: Limits) -> Iterator[tuple[_Row, str]]:
    """Lines of one prompt set, with the reasons that belong below each."""
    for _, group in groupby(claims, key=lambda claim: claim.key.general):
        slices = list(group)
        alike: dict[tuple[str, str, str, str], list[Declared]] = {}
        for claim in slices:
            found = limits.in_force(claim.key, claim.numbers)
            given = {name for name, one in found.items() if one.entry}
            source = "suite" if not given else limits.name
            if given and len(given) < len(found):
                source = f"{limits.name}: {', '.join(sorted(given))}"
            reasons = dict.fromkeys(entry.reason for entry in limits.of(claim.key) if entry.reason)
            in_force = _numbers({name: one.value for name, one in found.items()})
            declared = "?" if claim.numbers is None else _numbers(claim.numbers)
            alike.setdefault((declared, in_force, source, " · ".join(reasons)), []).append(claim)
        for (declared, in_force, source, reason), same in alike.items():
            yield (_label(same, len(slices)), declared, in_force, source), reason


def _label(claims: Sequence[Declared], of: int) -> str:
    key = claims[0].key if len(claims) == 1 else claims[0].key.general
    name = one_line(str(key).partition("::")[2])
    if len(claims) == 1:
        return name
    return f"{name} ({of} slices)" if len(claims) == of else f"{name} ({len(claims)} of {of} slices)"


def _numbers(numbers: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:g}" for name, value in numbers.items())


def _changes(changes: Iterable[Change], width: int) -> Iterator[str]:
    """Lines of the changes, one for each number of each entry, however many slices it holds for."""
    alike: dict[tuple[Key, str, float, float | None, str], list[Key]] = {}
    for change in changes:
        alike.setdefault((change.entry, change.name, change.old, change.new, change.reason), []).append(change.claim)
    for (entry, name, old, new, reason), claims in alike.items():
        shown = claims[0] if len(claims) == 1 else entry
        count = f" ({len(claims)} slices)" if len(claims) > 1 else ""
        yield f"  {one_line(str(shown))}: {name} {old:g} → {'none' if new is None else f'{new:g}'}{count}"
        yield from _indented(reason, width)


def _missing(found: Audit) -> Iterator[str]:
    for key, group in groupby(found.missing, key=lambda key: key.general):
        names = dict.fromkeys(name for one in group for name in found.missing[one])
        yield f"  {one_line(str(key))}: {', '.join(names)}"


def _whole(keys: Iterable[Key]) -> list[Key]:
    """Keys with functions in place of their slices."""
    return list(dict.fromkeys(key.general for key in keys))


def _keys(keys: Iterable[Key]) -> list[str]:
    return [f"  {one_line(str(key))}" for key in keys]


def _indented(text: str, width: int) -> list[str]:
    return [f"{' ' * _REASON}{line}" for line in wrap(one_line(text), max(width - _REASON, 40)) if line]


def _line(cells: _Row, widths: Sequence[int]) -> str:
    return "  ".join(pad(cell, size) for cell, size in zip(cells, widths, strict=True)).rstrip()


def _sorted(claims: Iterable[Declared]) -> list[Declared]:
    return sorted(claims, key=lambda claim: (claim.key.general, claim.key))
