"""How much carbon dioxide stands behind a kilowatt-hour: a setting, since no machine can tell where its electricity comes from."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping

from alignsuite.errors import SettingsError

GRID_VARIABLE = "ALIGNSUITE_GRID_G_PER_KWH"
WORLD_G_PER_KWH = 445.0
"""Grams of CO₂ behind a kWh of electricity, mean of the world in 2024 (IEA, Electricity 2025).

Countries lie between some 20 and more than 900.
"""

_MOST_G_PER_KWH = 2_000.0  # twice the dirtiest grids: more is a slip of the unit


def carbon_intensity(ini: str | None = None, environment: Mapping[str, str] = os.environ) -> float:
    """Grams of CO₂e for each kWh: the environment's word, else the ini value, else the world's mean.

    No service is asked, so the figure is no fresher than whoever set it.

    Raises:
        SettingsError: for what is no number from 0 to 2000.

    >>> carbon_intensity("56", {}), carbon_intensity(None, {GRID_VARIABLE: "381"})
    (56.0, 381.0)
    """
    text = environment.get(GRID_VARIABLE) or ini
    if not text:
        return WORLD_G_PER_KWH
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value <= _MOST_G_PER_KWH:
        raise SettingsError(
            f"{GRID_VARIABLE}={text}: wanted the grams of CO2e behind one kWh of your electricity, from 0 to 2000, "
            "such as 56 (France in 2023); leave it out for the world's mean"
        )
    return value
