"""Audit of the file of limits: what became of each number between two of its states.

Compared are the numbers in force for each claim of the suites, not the entries: a new entry for one slice weakens that slice as surely as
a changed one, and so does deleting a strict one that stood over a lax one. The suites' own numbers never stand in for a missing
entry of the old state: they are today's, and whoever weakens a bar could weaken them in the same commit. That is why a file has to be
complete before its numbers are guarded.

An entry that a claim lost can only be seen while it has a name: that a general entry covered a slice which the prompt set no
longer has, the files don't tell. Prompt sets are versioned and locked for that.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from alignsuite.limits.entries import Declared, InForce, Key, Limits

_WEAKER_WHEN_LOWER = "low"
"""The one number that protects by being high."""


@dataclass(frozen=True, slots=True)
class Change:
    """Change of one number of one claim.

    Attributes:
        claim: its key; `name`: of the number.
        old, new: the values; `new` is None where the bound was removed.
        entry: the key of the entry that has to give the reason.
        reason: the new reason that it gives; "" where it gives none, or the one it gave before, or where none is needed.
    """

    claim: Key
    name: str
    old: float
    new: float | None
    entry: Key
    reason: str = ""


@dataclass(frozen=True)
class Audit:
    """Result of an audit. Only `failures` fail it.

    Attributes:
        missing: claims with the names of those of their numbers that no entry gives.
        unmatched: entries that no claim has the name of, each with the nearest right one.
        vanished: entries of the old state whose claims are gone, without an entry that says so and why.
        weakened: numbers that protect less than before; those without a reason are failures.
        tightened: numbers that protect more than before.
        new: claims that the old state had no entry for, so nothing to compare with; None where there was no old state.
    """

    missing: Mapping[Key, tuple[str, ...]]
    unmatched: Mapping[Key, str]
    vanished: tuple[Key, ...] = ()
    weakened: tuple[Change, ...] = ()
    tightened: tuple[Change, ...] = ()
    new: tuple[Key, ...] | None = None

    @property
    def failures(self) -> int:
        """Number of things to mend before the audit passes; slices of one entry are one thing."""
        unexplained = {(change.entry, change.name) for change in self.weakened if not change.reason}
        missing = {key.general for key in self.missing}
        return len(missing) + len(self.unmatched) + len(self.vanished) + len(unexplained)

    def to_json(self) -> dict[str, Any]:
        """Audit as plain data; the schema is in `docs/reference/limits-file.md`."""
        return {
            "passed": not self.failures,
            "missing": {str(key): list(names) for key, names in self.missing.items()},
            "unmatched": {str(key): near for key, near in self.unmatched.items()},
            "vanished": [str(key) for key in self.vanished],
            "weakened": [_plain(change) for change in self.weakened],
            "tightened": [_plain(change) for change in self.tightened],
            "new": None if self.new is None else [str(key) for key in self.new],
        }


def _plain(change: Change) -> dict[str, Any]:
    return {**asdict(change), "claim": str(change.claim), "entry": str(change.entry)}


def weakened(old: Mapping[str, float], new: Mapping[str, float]) -> list[str]:
    """Names of a claim's numbers that protect less than before.

    That is a higher target, limit, margin or `high`, a lower `low`, or one removed.

    >>> weakened({"target": 0.02, "limit": 0.05}, {"target": 0.01, "limit": 0.08})
    ['limit']
    """
    return [name for name, value in old.items() if name not in new or _weaker(name, value, new[name])]


def _weaker(name: str, old: float, new: float) -> bool:
    return new < old if name == _WEAKER_WHEN_LOWER else new > old


def audit(claims: Iterable[Declared], new: Limits, old: Limits | None) -> Audit:
    """`Audit` of the numbers of all claims against what they were.

    Without an old state, only whether the file is complete and fits the suites.

    Raises:
        SettingsError: when an entry of the new state sets a number that its claim doesn't have.
    """
    claims = sorted(claims, key=lambda claim: claim.key)
    missing = {}
    for claim in claims:
        found = new.in_force(claim.key, claim.numbers)
        if names := tuple(name for name, one in found.items() if one.entry is None):
            missing[claim.key] = names
    unmatched = new.unmatched(claims)
    if old is None:
        return Audit(missing, unmatched)
    weaker, tighter, fresh = [], [], []
    for claim in claims:
        before = _given(old, claim.key)
        after = new.in_force(claim.key, claim.numbers)
        changes = [_change(claim.key, name, before[name], after, old, new) for name in before]
        lost = weakened(_values(before), _values(after))
        weaker += [change for change in changes if change.name in lost]
        tighter += [
            replace(change, reason="") for change in changes if change.name not in lost and change.new != change.old
        ]
        fresh += [] if before else [claim.key]
    vanished = tuple(sorted(key for key in old.unmatched(claims) if not _accounted(key, old, new)))
    return Audit(missing, unmatched, vanished, tuple(weaker), tuple(tighter), tuple(fresh))


def _given(limits: Limits, key: Key) -> dict[str, InForce]:
    """Numbers that entries give a claim, whatever its suite declares today."""
    return {name: InForce(value, entry.key) for entry in limits.of(key) for name, value in entry.numbers.items()}


def _values(numbers: Mapping[str, InForce]) -> dict[str, float]:
    return {name: one.value for name, one in numbers.items()}


def _change(claim: Key, name: str, before: InForce, after: Mapping[str, InForce], old: Limits, new: Limits) -> Change:
    """`Change` of a number, with its reason.

    The reason may stand at the entry that gives it now, or at the `gone` entry of the one that gave it.
    """
    assert before.entry is not None
    now = after.get(name)
    giver = now.entry if now and now.entry else before.entry
    at = next((key for key in (giver, before.entry) if _new_reason(key, old, new)), giver)
    return Change(claim, name, before.value, now.value if now else None, at, _new_reason(at, old, new))


def _new_reason(key: Key, old: Limits, new: Limits) -> str:
    """Reason of an entry, where it is another than before; an old reason explains no new number."""
    reason = new.entries[key].reason if key in new.entries else ""
    known = old.entries[key].reason if key in old.entries else ""
    return reason if reason != known else ""


def _accounted(key: Key, old: Limits, new: Limits) -> bool:
    """Whether the new state says what became of an entry: gone and why, or still there (then it is `unmatched`)."""
    return key in new.entries and (not new.entries[key].gone or bool(_new_reason(key, old, new)))
