"""Amounts of energy with their source, the `Footprint` made of them, a run's energy shared out, what was saved.

A figure that nobody measured is either labelled an estimate or left out; it is never a 0.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from alignsuite.config import WORLD_G_PER_KWH

Source = Literal["rapl", "nvml", "rapl+nvml", "estimate", "unknown"]

WATTS_PER_CORE = 4.0
"""Power of one busy logical core, where no counter can be read: what CodeCarbon 3.3 takes for processors it doesn't know.

Vendors' thermal design powers give 2.2 W (EPYC 7763) to 3.5 W (Core i7-1165G7) for each thread; memory, disks, fans and losses come on top.
Right within a factor of two or so.
"""

_JOULES_PER_KWH = 3_600_000.0


@dataclass(frozen=True)
class Energy:
    """Energy: an amount, and how it is known.

    Attributes:
        joules: None where nobody can tell; `source` is `unknown` then, and only then.
        source: `rapl` (processor and memory), `nvml` (graphics boards), both, `estimate`, or `unknown`.
    """

    joules: float | None
    source: Source

    def __post_init__(self) -> None:
        """Check that an unknown amount does not look like a known one."""
        if (self.joules is None) != (self.source == "unknown"):
            raise ValueError(
                f"{self.joules} joules from source {self.source}: None belongs to `unknown`, and to nothing else"
            )
        if self.joules is not None:
            _not_negative(joules=self.joules)


UNKNOWN = Energy(None, "unknown")


@dataclass(frozen=True)
class Footprint:
    """Footprint: what a probe or a run took.

    Attributes:
        seconds: of the model's work.
        prompt_tokens: tokens read.
        completion_tokens: tokens written.
        joules: energy; None where unknown.
        source: how the energy is known.
        grams_co2e: carbon dioxide equivalent behind it; None where the energy is unknown.
    """

    seconds: float
    prompt_tokens: int
    completion_tokens: int
    joules: float | None
    source: Source
    grams_co2e: float | None

    @classmethod
    def of(
        cls, energy: Energy, tokens: Mapping[str, int], *, seconds: float, g_per_kwh: float = WORLD_G_PER_KWH
    ) -> Footprint:
        """`Footprint` of an amount of energy; `tokens` has the keys `prompt` and `completion`.

        >>> Footprint.of(Energy(3_600_000.0, "rapl"), {"prompt": 10}, seconds=60.0, g_per_kwh=56.0).grams_co2e
        56.0
        """
        _not_negative(seconds=seconds, g_per_kwh=g_per_kwh)
        return cls(
            seconds=seconds,
            prompt_tokens=tokens.get("prompt", 0),
            completion_tokens=tokens.get("completion", 0),
            joules=energy.joules,
            source=energy.source,
            grams_co2e=None if energy.joules is None else grams_co2e(energy.joules, g_per_kwh),
        )

    def time_keys(self) -> dict[str, float | str]:
        """Keys of a summary's `time`: `energy_source` always, `joules` and `g_co2e` where they are known.

        >>> Footprint.of(UNKNOWN, {}, seconds=1.0).time_keys()
        {'energy_source': 'unknown'}
        """
        keys: dict[str, float | str] = {"energy_source": self.source}
        if self.joules is not None and self.grams_co2e is not None:
            keys |= {"joules": round(self.joules, 3), "g_co2e": round(self.grams_co2e, 6)}
        return keys


@dataclass(frozen=True)
class Saved:
    """Savings: calls and energy that were not spent.

    Attributes:
        calls_early: calls that a verdict reached before its bank's end made needless.
        calls_store: calls that the store answered.
        joules_early: energy of the first, at this run's mean energy for each call; None where that is unknown.
        joules_store: energy of the second.
    """

    calls_early: int
    calls_store: int
    joules_early: float | None
    joules_store: float | None

    def time_keys(self) -> dict[str, float]:
        """Keys of a summary's `time`; energies that are unknown are left out."""
        known = {"saved_joules_early": self.joules_early, "saved_joules_store": self.joules_store}
        return {"saved_calls_early": self.calls_early, "saved_calls_store": self.calls_store} | {
            name: round(value, 3) for name, value in known.items() if value is not None
        }


def estimated(seconds: float, cores: float) -> Energy:
    """Estimated energy of local work on a processor without readable counters: 4 W for each busy core.

    It is labelled an estimate.

    Args:
        seconds: of the model's work.
        cores: logical cores busy meanwhile; seconds × cores is the processor time spent.

    >>> estimated(10.0, 2)
    Energy(joules=80.0, source='estimate')
    """
    _not_negative(seconds=seconds, cores=cores)
    return Energy(WATTS_PER_CORE * seconds * cores, "estimate")


def grams_co2e(joules: float, g_per_kwh: float = WORLD_G_PER_KWH) -> float:
    """Grams of CO₂ equivalent behind so much electricity.

    >>> round(grams_co2e(3600.0), 3)  # one watt-hour
    0.445
    """
    return joules / _JOULES_PER_KWH * g_per_kwh


def shared_out(run_joules: float | None, seconds_by_record: Mapping[str, float]) -> dict[str, float]:
    """Shares of a run's energy: split over its records by the model's seconds that each took.

    The shares add up to the whole. Empty where the energy is unknown, or where no record took any of the model's time:
    then nothing tells whose it was.

    Raises:
        ValueError: for energy or seconds that are negative or not finite.

    >>> shared_out(90.0, {"a": 2.0, "b": 1.0, "c": 0.0})
    {'a': 60.0, 'b': 30.0, 'c': 0.0}
    """
    _not_negative(**{f"seconds of {name}": seconds for name, seconds in seconds_by_record.items()})
    total = sum(seconds_by_record.values())
    if run_joules is None or total == 0:
        return {}
    _not_negative(run_joules=run_joules)
    return {name: run_joules * (seconds / total) for name, seconds in seconds_by_record.items()}


def stopped_early(claims: Iterable[tuple[int, int]]) -> int:
    """Number of cases of an item's bank that none of its claims had to ask, from each claim's (asked, bank).

    Claims of one item ask the same bank, and what one of them asked no other saved: so the least of the differences.

    >>> stopped_early([(77, 200), (200, 200)]), stopped_early([(77, 200)]), stopped_early([])
    (0, 123, 0)
    """
    return min((max(0, bank - asked) for asked, bank in claims), default=0)


def saved(
    asked: int, bank: int, from_store: int, seconds_per_call: float | None, *, watts: float | None = None
) -> Saved:
    """`Saved` calls and energy, by stopping early and by the store.

    Args:
        asked: cases that the verdicts rest on.
        bank: cases that they might have rested on; at least `asked`.
        from_store: replies that came from the store.
        seconds_per_call: mean of the model's work for one call of this run; None where it made none.
        watts: mean power during the model's work; None where the energy is unknown. An energy saved is known only where both are.

    Raises:
        ValueError: for negative numbers, or more cases asked than there are.

    >>> saved(77, 200, 10, 0.5, watts=20.0)
    Saved(calls_early=123, calls_store=10, joules_early=1230.0, joules_store=100.0)
    >>> saved(77, 200, 10, None).joules_store is None
    True
    """
    _not_negative(asked=asked, from_store=from_store, seconds_per_call=seconds_per_call or 0.0, watts=watts or 0.0)
    if asked > bank:
        raise ValueError(f"asked is {asked} of a bank of {bank}: wanted at most the bank")
    each = None if seconds_per_call is None or watts is None else seconds_per_call * watts
    early = bank - asked
    return Saved(early, from_store, None if each is None else early * each, None if each is None else from_store * each)


def _not_negative(**amounts: float) -> None:
    for name, amount in amounts.items():
        if not (math.isfinite(amount) and amount >= 0):
            raise ValueError(f"{name} is {amount!r}: wanted a number of at least 0")
