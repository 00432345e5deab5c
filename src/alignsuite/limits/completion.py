"""Completed file of limits: every number of every claim, so that all can be reviewed in one place.

The text is added to, never written anew: comments, order and reasons are a person's work. What comes out is read again and compared, so
that a completion which changed any number in force is an error and not a surprise.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from itertools import groupby

from alignsuite.errors import SettingsError
from alignsuite.limits.entries import NUMBERS, Declared, Key, Limits

HEADER = """\
# Targets and limits of every claim, in place of the numbers in the suites.
#
# A rate or flip: a model at `target` passes, one at `limit` doesn't. A gap: below `limit`, and what is under `margin`
# never fails. A scale: at or above `low`, at or below `high`. A slice may have its own: ["set::test_name[slice]"].
# Whoever weakens a number writes a new `reason = "…"` under it: `alignsuite limits check --against REV` asks for it.
"""


def completed(text: str, claims: Iterable[Declared], name: str = "limits.toml") -> str:
    """Text with an entry for every number of every claim; the numbers in force stay what they are.

    A number that has the same value for all slices without it goes to the function's entry, else to the slices' own.

    Raises:
        SettingsError: when the text is no file of limits, or can't be completed without changing what it says.
    """
    claims = sorted(claims, key=lambda claim: (claim.key.general, claim.key))
    limits = Limits.parse(text, name)
    wanted = _wanted(claims, limits)
    out = text if text.strip() else HEADER
    for key, numbers in wanted.items():
        lines = [f"{one} = {numbers[one]!r}" for one in NUMBERS if one in numbers]
        if key in limits.entries:
            out = _inserted(out, key, lines, name)
        else:
            comment = _about([claim for claim in claims if key in (claim.key, claim.key.general)])
            out = "\n".join([f"{out.rstrip()}\n", comment, f"[{json.dumps(str(key), ensure_ascii=False)}]", *lines, ""])
    _check(limits, Limits.parse(out, name), claims)
    return out


def _wanted(claims: Sequence[Declared], limits: Limits) -> dict[Key, dict[str, float]]:
    """Numbers to be added, by key."""
    out: dict[Key, dict[str, float]] = {}
    for general, group in groupby(claims, key=lambda claim: claim.key.general):
        lacking: dict[str, dict[Key, float]] = {}
        for claim in group:
            for name, one in limits.in_force(claim.key, claim.numbers).items():
                if one.entry is None:
                    lacking.setdefault(name, {})[claim.key] = one.value
        for name, values in lacking.items():
            alike = len(set(values.values())) == 1 and not _is_gone(general, limits)
            for key, value in values.items():
                out.setdefault(general if alike else key, {})[name] = value
    for key in out:
        if _is_gone(key, limits):
            raise SettingsError(
                f'{limits.name}: ["{key}"] says `gone`, yet the suites make this claim: take the entry out'
            )
    return out


def _about(claims: Sequence[Declared]) -> str:
    """Comment on an entry: the kind of its claims, and all that they count or score."""
    whats = sorted({" ".join(claim.what.split()) for claim in claims})
    return f"# {claims[0].kind}: {', '.join(whats)}"


def _is_gone(key: Key, limits: Limits) -> bool:
    return key in limits.entries and limits.entries[key].gone


def _inserted(text: str, key: Key, lines: Sequence[str], name: str) -> str:
    """Text with lines added at the head of a table that it has."""
    out = text.split("\n")
    for number, line in enumerate(out):
        if line.lstrip().startswith("[") and _is_header(line, key):
            return "\n".join([*out[: number + 1], *lines, *out[number + 1 :]])
    raise SettingsError(f'{name}: ["{key}"] lacks {"; ".join(lines)}, and its table can\'t be found: add it by hand')


def _is_header(line: str, key: Key) -> bool:
    with suppress(tomllib.TOMLDecodeError, ValueError):
        return [Key.parse(name) for name in tomllib.loads(line)] == [key]
    return False


def _check(before: Limits, after: Limits, claims: Iterable[Declared]) -> None:
    for claim in claims:
        was, now = (_values(limits, claim) for limits in (before, after))
        if was != now:
            raise SettingsError(
                f"{before.name} can't be completed: {claim.key} would change from {was} to {now}; add its numbers by hand"
            )
    for key, entry in before.entries.items():
        if after.entries[key].reason != entry.reason:
            raise SettingsError(f'{before.name} can\'t be completed: the reason of ["{key}"] would change')


def _values(limits: Limits, claim: Declared) -> Mapping[str, float]:
    return {name: one.value for name, one in limits.in_force(claim.key, claim.numbers).items()}
