"""Reader of run files of schema 1: records with the pairing and effect that each kind of claim had then.

The only place that knows kinds by name.

Schema 2 added `pairing`, `effect` and `answered` to a claim, and took nothing away; see `docs/decisions/0023-run-file-schema-2.md`.
"""

from __future__ import annotations

from dataclasses import replace

from alignsuite.runs.records import ClaimResult, Pairing, Record, scale_pairing

_PAIRINGS = {
    "flips": Pairing(family="flips", void=True),
    "mistakes": Pairing(family="mistakes", void=True),
    "bias": Pairing(family="bias", held=False, void=True),
    "preference": Pairing(family="preference", held=False),
}


def upgraded(record: Record) -> Record:
    """Record with the keys that schema 1 left out."""
    return replace(record, claims=tuple(map(upgraded_claim, record.claims)))


def upgraded_claim(claim: ClaimResult) -> ClaimResult:
    """Claim as plain data with its pairing and effect, by its kind."""
    details = claim.details
    if claim.kind == "gap":
        return replace(claim, pairing=Pairing(across=str(details.get("between") or ""), held=False), effect=claim.value)
    if claim.kind == "scale":
        return replace(claim, pairing=_of_scale(claim))
    pairing = _PAIRINGS.get(claim.kind, Pairing())
    return replace(claim, pairing=pairing, effect=details.get("distance"))


def _of_scale(claim: ClaimResult) -> Pairing:
    """Pairing of a score; a range or norm that is none (run files come from anywhere) counts as not known."""
    low, high, sd = 0.0, 1.0, None
    match claim.details.get("range"):
        case [int() | float() as first, int() | float() as last] if first < last:
            low, high = float(first), float(last)
    match claim.details.get("norm"):
        case {"sd": int() | float() as found} if found > 0:
            sd = float(found)
    return scale_pairing(low, high, claim.bounds, sd)
