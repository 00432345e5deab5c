"""Energy meter that runs beside a run: it reads the machine's counters, and says how its figure is known.

Counters belong to the machine, so there is one meter for a run, in the process that reports, however many workers it
has. What it counts is what the machine drew meanwhile: idle power and other people's work included. A processor's
counter begins again at 0 after some minutes of work, so a thread looks at it in between.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from alignsuite.footprint.amounts import UNKNOWN, Energy, estimated
from alignsuite.footprint.counters import POWERCAP, Boards, Counter, CounterError, board_counters, processor_counters

Place = Literal["cpu", "gpu", "elsewhere"]
"""Where the model works: on this machine's processors, on its graphics boards, or where nobody here can measure."""

SECONDS_BETWEEN_LOOKS = 30.0
"""The narrowest counters hold 65 kJ, which a package of 1 kW takes 65 s to fill."""

_OWN_PROCESSORS = ("xllamacpp", "scripted")


def place_of(engine: str, details: Mapping[str, object]) -> Place:
    """Place where an engine's model works, from what the engine says of itself.

    An engine that names its `device` is on this machine. One that is not known to be is taken to be elsewhere, also an
    endpoint at 127.0.0.1: what listens there may be a tunnel.

    >>> place_of("transformers 5", {"device": "cuda:0"}), place_of("xllamacpp 2026.10", {}), place_of("openai-compatible", {})
    ('gpu', 'cpu', 'elsewhere')
    """
    device = details.get("device")
    if device is not None:
        return "cpu" if str(device).startswith("cpu") else "gpu"
    return "cpu" if engine.startswith(_OWN_PROCESSORS) else "elsewhere"


class Meter:
    """Energy meter, from `start` to `stop`.

    It never ends a run: what can't be read is left out, and `reasons` says why.

    Args:
        powercap: the folder of the processors' counters.
        nvml: the module `pynvml`; found by itself where it is None.
        environment: names the visible boards.
        every: seconds between two looks at the counters.
        clock: processor seconds of this process so far, of all its threads.
    """

    def __init__(
        self,
        *,
        powercap: Path = POWERCAP,
        nvml: Any = None,  # noqa: ANN401 - a module without types
        environment: Mapping[str, str] = os.environ,
        every: float = SECONDS_BETWEEN_LOOKS,
        clock: Callable[[], float] = time.process_time,
    ) -> None:
        self._powercap, self._nvml, self._environment = powercap, nvml, environment
        self._every, self._clock = every, clock
        self._processors: Sequence[Counter] = ()
        self._boards: Boards | None = None
        self._joules: dict[str, float] = {}
        self._reasons: dict[str, str] = {}
        self._lock, self._over = threading.Lock(), threading.Event()
        self._thread: threading.Thread | None = None
        self._began: float | None = None
        self._core_seconds: float | None = None

    @property
    def reasons(self) -> tuple[str, ...]:
        """Reasons why a counter is not read, or no longer; a sentence for each kind."""
        return tuple(self._reasons.values())

    @property
    def core_seconds(self) -> float:
        """Processor time of this process since `start`, in all its threads; its workers' is not in it."""
        if self._began is None:
            raise RuntimeError("the meter was never started: call start() before the run")
        return self._clock() - self._began if self._core_seconds is None else self._core_seconds

    def start(self) -> None:
        """Open the counters; from here on it counts.

        Raises:
            RuntimeError: the second time.
        """
        if self._began is not None:
            raise RuntimeError("the meter was started before: one meter measures one run")
        self._began = self._clock()
        try:
            self._processors = processor_counters(self._powercap)
            self._joules["rapl"] = 0.0
        except CounterError as error:
            self._reasons["rapl"] = str(error)
        try:
            self._boards = board_counters(self._environment, self._nvml)
            self._joules["nvml"] = 0.0
        except CounterError as error:
            self._reasons["nvml"] = str(error)
        if self._joules:
            self._thread = threading.Thread(target=self._watch, name="alignsuite-energy", daemon=True)
            self._thread.start()

    def read(self, place: Place = "cpu", *, core_seconds: float | None = None) -> Energy:
        """Energy so far.

        On `cpu` that is what the processors' counters say, or else an estimate from processor time. On `gpu` it is the
        boards' counters, with the processors' where they can be read; without the boards' it is unknown, since the
        rest would pass for the whole. `elsewhere` it is unknown.

        Args:
            place: where the model works.
            core_seconds: processor time to estimate from; this process's own where it is None.

        Raises:
            RuntimeError: before `start`.
        """
        own = self.core_seconds
        if place == "elsewhere":
            return UNKNOWN
        with self._lock:
            self._look()
            joules = dict(self._joules)
        if place == "gpu":
            if "nvml" not in joules:
                return UNKNOWN
            return Energy(sum(joules.values()), "rapl+nvml" if "rapl" in joules else "nvml")
        if "rapl" in joules:
            return Energy(joules["rapl"], "rapl")
        return estimated(own if core_seconds is None else core_seconds, 1)

    def stop(self, place: Place = "cpu", *, core_seconds: float | None = None) -> Energy:
        """Energy of the run; from here on nothing is counted, and further readings say the same."""
        energy = self.read(place, core_seconds=core_seconds)
        self._core_seconds = self.core_seconds
        self._over.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        self._processors = ()
        if self._boards is not None:
            self._boards.close()
            self._boards = None
        return energy

    def _watch(self) -> None:
        while not self._over.wait(self._every):
            with self._lock:
                self._look()

    def _look(self) -> None:
        """Read all that can be read.

        A kind of counter of which one fails is given up, for its sum would lack a part.

        A kind of counter of which one fails is given up, for its sum would lack a part.
        """
        if "rapl" in self._joules and self._processors:
            self._take("rapl", self._processors)
        if "nvml" in self._joules and self._boards is not None:
            self._take("nvml", self._boards.counters)

    def _take(self, kind: str, counters: Sequence[Counter]) -> None:
        try:
            self._joules[kind] = sum(counter.advance() for counter in counters)
        except CounterError as error:
            del self._joules[kind]
            self._reasons[kind] = str(error)
