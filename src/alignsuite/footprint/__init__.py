"""Footprint of a run: seconds, tokens, energy, and the carbon dioxide behind the energy.

Two things are read, the processor's counters (RAPL) and the graphics boards' (NVML); what they can't tell is either
labelled an estimate or left out. Nothing here knows pytest or opens a connection. Energy is what *this* run spent, so in
a run file all of it stands inside `time` mappings (see `alignsuite.runs.records`).
"""

from alignsuite.footprint.account import account
from alignsuite.footprint.amounts import (
    UNKNOWN,
    WATTS_PER_CORE,
    Energy,
    Footprint,
    Saved,
    Source,
    estimated,
    grams_co2e,
    saved,
    shared_out,
    stopped_early,
)
from alignsuite.footprint.meter import Meter, Place, place_of

__all__ = [
    "UNKNOWN",
    "WATTS_PER_CORE",
    "Energy",
    "Footprint",
    "Meter",
    "Place",
    "Saved",
    "Source",
    "account",
    "estimated",
    "grams_co2e",
    "place_of",
    "saved",
    "shared_out",
    "stopped_early",
]
