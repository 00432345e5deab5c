"""Account of a finished run's footprint: its energy shared out over its records, and the summary's keys.

Only `time` mappings are touched, so two runs over one store stay byte-identical without them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from alignsuite.config import WORLD_G_PER_KWH
from alignsuite.footprint.amounts import Energy, Footprint, grams_co2e, saved, shared_out, stopped_early
from alignsuite.runs.records import ClaimResult, Record, Verdict

_DECIDED = (Verdict.PASS, Verdict.MARGINAL, Verdict.FAIL)


def account(
    records: Sequence[Record], energy: Energy, g_per_kwh: float = WORLD_G_PER_KWH
) -> tuple[tuple[Record, ...], dict[str, float | str]]:
    """Records with their shares of a run's energy, and the keys that its summary's `time` gets.

    A record's share (`joules`, `g_co2e`) goes by the model's seconds that its claims took; where the energy is unknown,
    or no model was asked, there is no share. Calls count as saved by stopping early only where every claim of an item
    was decided: what an error kept from being asked was not saved, nor were calls made ahead that no verdict needed.

    Args:
        records: of the whole run.
        energy: that the whole run took.
        g_per_kwh: grams of CO₂e behind a kWh.
    """
    seconds = {record.nodeid: _sum(record.claims, "seconds") for record in records}
    shares = shared_out(energy.joules, seconds)
    shared = tuple(
        replace(record, time={**record.time, **_share(shares.get(record.nodeid), g_per_kwh)}) for record in records
    )
    worked = sum(seconds.values())
    claims = [claim for record in records for claim in record.claims]
    calls, stored = _sum(claims, "calls"), int(_sum(claims, "from_store"))
    early = sum(_early(record) for record in records)
    spared = saved(
        0,
        early,
        stored,
        worked / calls if calls else None,
        watts=energy.joules / worked if energy.joules is not None and worked else None,
    )
    footprint = Footprint.of(energy, _tokens(claims), seconds=worked, g_per_kwh=g_per_kwh)
    return shared, footprint.time_keys() | spared.time_keys()


def _early(record: Record) -> int:
    """Number of cases that no claim had to ask.

    Those asked ahead, on which no verdict came to rest, were made all the same.
    """
    if any(claim.verdict not in _DECIDED for claim in record.claims):
        return 0
    delivered = int(_sum(record.claims, "calls") + _sum(record.claims, "from_store"))
    return stopped_early((max(claim.asked, delivered), claim.bank) for claim in record.claims)


def _share(joules: float | None, g_per_kwh: float) -> Mapping[str, float]:
    if joules is None:
        return {}
    return {"joules": round(joules, 3), "g_co2e": round(grams_co2e(joules, g_per_kwh), 6)}


def _tokens(claims: Sequence[ClaimResult]) -> dict[str, int]:
    return {kind: sum(claim.tokens.get(kind, 0) for claim in claims) for kind in ("prompt", "completion")}


def _sum(claims: Iterable[ClaimResult], what: str) -> float:
    return sum(claim.time.get(what, 0) for claim in claims)
