"""Footprint of a run as the section's closing lines: what it took, and what it did not have to take.

The first line is counted, in calls, tokens and seconds. The second is about energy: it says how the figure is known, and
where nobody knows, that. Both are read from a run, so a run file tells the same later.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from alignsuite.reports.rows import spent
from alignsuite.runs.records import Run
from alignsuite.text.numbers import count, duration, energy, mass, plural, short_count

_KNOWN_BY = {
    "rapl": "counted by the processor",
    "nvml": "counted by the graphics boards, processor not in it",
    "rapl+nvml": "counted by processor and graphics boards",
    "estimate": "an estimate from processor time",
}


def lines(run: Run) -> list[str]:
    """Lines of the footprint, one or two, without colours and not wrapped; what a run doesn't hold is left out.

    Energy and savings come from `time` of the run's summary: `energy_source`, `joules`, `g_co2e`, `saved_calls_early`,
    `saved_calls_store`, `saved_joules_early`, `saved_joules_store`.
    """
    time = run.summary.get("time") or {}
    told = [_work(run, time), " · ".join(part for part in (_energy(time), _savings(time)) if part)]
    return [line for line in told if line]


def _work(run: Run, time: Mapping[str, Any]) -> str:
    made, stored = (sum(spent(record, what) for record in run.records) for what in ("calls", "from_store"))
    tokens = sum(sum(claim.tokens.values()) for record in run.records for claim in record.claims)
    seconds = sum(spent(record, "seconds") for record in run.records)
    elapsed = time.get("elapsed_s")
    parts = [
        f"{plural(int(made), 'call')} made, {count(stored)} from the store" if made or stored else "",
        f"{short_count(tokens)} tokens" if tokens else "",
        f"{duration(seconds)} of the model's work" if seconds else "",
        f"{duration(elapsed)} in all" if elapsed else "",
    ]
    return " · ".join(part for part in parts if part)


def _energy(time: Mapping[str, Any]) -> str:
    source, joules, grams = (time.get(key) for key in ("energy_source", "joules", "g_co2e"))
    if source is None:
        return ""
    if joules is None:
        return "energy unknown"
    known_by = _KNOWN_BY.get(str(source), str(source))
    carbon = "" if grams is None else f", {mass(grams)} CO₂e"
    return f"{'about ' if source == 'estimate' else ''}{energy(joules)}{carbon} ({known_by})"


def _savings(time: Mapping[str, Any]) -> str:
    early, stored = (int(time.get(key) or 0) for key in ("saved_calls_early", "saved_calls_store"))
    ways = [
        f"{plural(early, 'call')} by stopping early" if early else "",
        f"{count(stored) if early else plural(stored, 'call')} by the store" if stored else "",
    ]
    said = " and ".join(way for way in ways if way)
    if not said:
        return ""
    joules = [time[key] for key in ("saved_joules_early", "saved_joules_store") if key in time]
    return f"saved {said}" + (f", about {energy(sum(joules))}" if sum(joules) else "")
