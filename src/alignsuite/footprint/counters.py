"""Energy counters of a machine: of its processors (RAPL, Linux' powercap files) and graphics boards (NVML).

A counter counts what the whole part has drawn since some moment long ago, whoever used it; only differences mean
anything. A machine without counters, or one that shows them to root only, is no error but a sentence that says so.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

POWERCAP = Path("/sys/class/powercap")
VISIBLE_BOARDS = "CUDA_VISIBLE_DEVICES"

_PACKAGE = re.compile(r"intel-rapl:\d+")
_PART = re.compile(r"intel-rapl:\d+:\d+")
_JOULES_PER_MICROJOULE = 1e-6
_JOULES_PER_MILLIJOULE = 1e-3


class CounterError(Exception):
    """Unreadable counter; the message says which, why, and what helps."""


@dataclass
class Counter:
    """Counter of energy, and what it has counted since it was opened.

    Attributes:
        name: of the part: `package-0`, `dram`, `board 0`.
        read: its current value; raises `CounterError`.
        unit: joules for each step of the value.
        wraps_at: the value behind which it begins again at 0; None where it never does.
    """

    name: str
    read: Callable[[], int]
    unit: float
    wraps_at: int | None = None

    def __post_init__(self) -> None:
        """Note where the counter stands."""
        self._last = self.read()
        self._steps = 0

    def advance(self) -> float:
        """Joules since it was opened. Has to be called at least once for each time that it wraps around.

        Raises:
            CounterError: where it can't be read, or went back without being one that wraps.
        """
        now = self.read()
        step = now - self._last
        if step < 0:
            if self.wraps_at is None:
                raise CounterError(
                    f"the counter of {self.name} went back from {self._last} to {now}: it was reset, and what it had is lost"
                )
            step += self.wraps_at
        self._last, self._steps = now, self._steps + step
        return self._steps * self.unit


def processor_counters(powercap: Path = POWERCAP) -> list[Counter]:
    """Counters of all processor packages, and of their memory where it is counted apart.

    `core` and `uncore` are parts of a package, and `psys` and `intel-rapl-mmio` count the same again: they are left
    out. AMD's processors have the same files under the same names.

    Raises:
        CounterError: where there are none, or one can't be read: a sum with a part missing would look like the whole.
    """
    counters = []
    for zone in sorted(powercap.glob("intel-rapl:*")):
        wanted = "package" if _PACKAGE.fullmatch(zone.name) else "dram" if _PART.fullmatch(zone.name) else None
        name = _text(zone / "name") if wanted else ""
        if wanted and name.startswith(wanted):
            file = zone / "energy_uj"
            wraps_at = _number(zone / "max_energy_range_uj")
            counters.append(Counter(name, partial(_number, file), _JOULES_PER_MICROJOULE, wraps_at))
    if not counters:
        raise CounterError(
            f"no processor counters under {powercap}: they are Linux' on Intel and AMD, and seldom shown in virtual machines"
        )
    return counters


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="ascii").strip()
    except PermissionError:
        raise CounterError(
            f"{file} is shown to root only (its fine steps can leak secrets, CVE-2020-8694): "
            f"`sudo chmod a+r {file}` opens it until the next start"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise CounterError(f"{file} can't be read: {error}") from None


def _number(file: Path) -> int:
    text = _text(file)
    if not text.isdigit():
        raise CounterError(f"{file} says {text[:40]!r}: wanted a whole number")
    return int(text)


@dataclass
class Boards:
    """Counters of graphics boards, and the library behind them, which wants to be closed."""

    counters: Sequence[Counter]
    close: Callable[[], None]


def board_counters(environment: Mapping[str, str], nvml: Any = None) -> Boards:  # noqa: ANN401 - a module without types
    """Counters of the NVIDIA boards that this process may use: those in `CUDA_VISIBLE_DEVICES`, else all.

    Args:
        environment: where `CUDA_VISIBLE_DEVICES` is looked up: numbers or `GPU-…` ids, with commas.
        nvml: the module `pynvml`; imported where it is None.

    Raises:
        CounterError: without the library, a driver, a board, or the counter (boards before Volta, slices of a board).
    """
    if nvml is None:
        try:
            nvml = importlib.import_module("pynvml")
        except ImportError:
            raise CounterError(
                "graphics boards are not read without NVIDIA's library: pip install 'alignsuite[energy]'"
            ) from None
    try:
        nvml.nvmlInit()
    except nvml.NVMLError as error:
        raise CounterError(f"NVIDIA's driver can't be asked: {error}") from None
    try:
        counters = [_board(nvml, board) for board in _visible(nvml, environment)]
    except nvml.NVMLError as error:
        nvml.nvmlShutdown()
        raise CounterError(f"the boards' energy is not told: {error}") from None
    except CounterError:
        nvml.nvmlShutdown()
        raise
    return Boards(counters, nvml.nvmlShutdown)


def _visible(nvml: Any, environment: Mapping[str, str]) -> list[int | str]:  # noqa: ANN401
    named = environment.get(VISIBLE_BOARDS)
    count = nvml.nvmlDeviceGetCount()
    boards: list[int | str] = list(range(count))
    if named is not None:
        boards = [int(board) if board.isdigit() else board for board in map(str.strip, named.split(",")) if board]
    if not boards:
        raise CounterError(f"no graphics board is visible ({VISIBLE_BOARDS}={named!r}, the machine has {count})")
    return boards


def _board(nvml: Any, board: int | str) -> Counter:  # noqa: ANN401
    by_name = isinstance(board, str)
    handle = nvml.nvmlDeviceGetHandleByUUID(board) if by_name else nvml.nvmlDeviceGetHandleByIndex(board)

    def read() -> int:
        try:
            return int(nvml.nvmlDeviceGetTotalEnergyConsumption(handle))
        except nvml.NVMLError as error:
            raise CounterError(f"board {board} does not tell its energy: {error}") from None

    return Counter(f"board {board}", read, _JOULES_PER_MILLIJOULE)
