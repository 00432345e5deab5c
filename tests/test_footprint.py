"""Energy: counted where the machine tells, estimated and called so where it is our own work, unknown everywhere else."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alignsuite.config import GRID_VARIABLE, WORLD_G_PER_KWH, carbon_intensity
from alignsuite.errors import SettingsError
from alignsuite.footprint import (
    UNKNOWN,
    WATTS_PER_CORE,
    Energy,
    Footprint,
    Meter,
    estimated,
    grams_co2e,
    place_of,
    saved,
    shared_out,
    stopped_early,
)
from alignsuite.footprint.counters import CounterError, processor_counters

RANGE = 262_143_328_850  # what Intel's server packages say
NEVER = 3600.0  # no look in between during a test


class Powercap:
    """A tree of powercap files, as the kernel shows it, whose counters a test turns by hand."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def zone(self, zone: str, name: str, microjoules: int = 0, wraps_at: int = RANGE) -> None:
        """Add a zone."""
        place = self.folder / zone
        place.mkdir(parents=True)
        (place / "name").write_text(f"{name}\n")
        (place / "max_energy_range_uj").write_text(f"{wraps_at}\n")
        self.turn(zone, microjoules)

    def turn(self, zone: str, microjoules: int | str) -> None:
        """Let a counter stand at a value; whole at every moment, since a meter may be reading."""
        written = self.folder / zone / "energy_uj.new"
        written.write_text(f"{microjoules}\n")
        written.replace(self.folder / zone / "energy_uj")


@pytest.fixture
def powercap(tmp_path: Path) -> Powercap:
    """A machine with one processor package."""
    tree = Powercap(tmp_path / "powercap")
    tree.zone("intel-rapl:0", "package-0", 1_000_000)
    return tree


class NVMLError(Exception):
    """As the library has it."""


class Nvml:
    """A stand-in for the module `pynvml`: boards whose counters a test turns by hand, in millijoules."""

    NVMLError = NVMLError

    def __init__(self, *millijoules: int, broken: str = "") -> None:
        self.counters: dict[Any, int] = dict(enumerate(millijoules))
        self.broken, self.open = broken, 0

    def nvmlInit(self) -> None:
        """Ask the driver, if there is one."""
        if self.broken == "init":
            raise NVMLError("Driver Not Loaded")
        self.open += 1

    def nvmlShutdown(self) -> None:
        """Let the driver go."""
        self.open -= 1

    def nvmlDeviceGetCount(self) -> int:
        """Boards of the machine."""
        return len(self.counters)

    def nvmlDeviceGetHandleByIndex(self, index: int) -> Any:
        """A board by number."""
        if index not in self.counters:
            raise NVMLError("Invalid Argument")
        return index

    def nvmlDeviceGetHandleByUUID(self, uuid: str) -> Any:
        """A board by id."""
        return int(uuid.removeprefix("GPU-"))

    def nvmlDeviceGetTotalEnergyConsumption(self, handle: Any) -> int:
        """Millijoules since the driver was loaded."""
        if self.broken == "energy":
            raise NVMLError("Not Supported")
        return self.counters[handle]


NO_BOARDS = Nvml(broken="init")


@pytest.fixture
def metered(powercap: Powercap) -> Callable[..., Meter]:
    """Builds meters on the fake machine, started, that look at the counters only when read."""

    def make(**more: Any) -> Meter:
        values: dict[str, Any] = {"powercap": powercap.folder, "nvml": NO_BOARDS, "environment": {}, "every": NEVER}
        meter = Meter(**(values | more))
        meter.start()
        return meter

    return make


def test_a_processor_is_counted_from_the_start_on(powercap: Powercap, metered: Callable[..., Meter]) -> None:
    """Joules are what the counter moved, not where it stands; they grow from reading to reading."""
    meter = metered()
    assert meter.read() == Energy(0.0, "rapl")
    powercap.turn("intel-rapl:0", 3_500_000)
    assert meter.read() == Energy(2.5, "rapl")
    powercap.turn("intel-rapl:0", 5_000_000)
    assert meter.stop() == Energy(4.0, "rapl")


def test_after_the_stop_nothing_is_counted(powercap: Powercap, metered: Callable[..., Meter]) -> None:
    """What others do with the machine afterwards is not the run's."""
    meter = metered()
    powercap.turn("intel-rapl:0", 2_000_000)
    stopped = meter.stop()
    powercap.turn("intel-rapl:0", 9_000_000)
    assert stopped == meter.read() == meter.stop() == Energy(1.0, "rapl")


def test_a_counter_that_begins_again_at_zero_has_gone_on(powercap: Powercap, metered: Callable[..., Meter]) -> None:
    """Counters have a largest value, and a step back means that it was passed."""
    powercap.turn("intel-rapl:0", RANGE - 1_000_000)
    meter = metered()
    powercap.turn("intel-rapl:0", 2_000_000)
    assert meter.read().joules == pytest.approx(3.0)
    powercap.turn("intel-rapl:0", RANGE - 2_000_000)
    meter.read()
    powercap.turn("intel-rapl:0", 1_000_000)
    assert meter.stop().joules == pytest.approx(2.0 + RANGE / 1e6)  # the first step to 0, a whole range, and one more


def test_a_counter_is_looked_at_in_between(powercap: Powercap, metered: Callable[..., Meter]) -> None:
    """Two rounds of the counter between start and stop are two rounds, since a thread saw the first."""
    meter = metered(every=0.005)
    for microjoules in (RANGE - 5, 500_000, RANGE - 5, 1_000_000):
        seen = meter._processors[0]._steps
        powercap.turn("intel-rapl:0", microjoules)
        deadline = time.monotonic() + 5
        while meter._processors[0]._steps == seen and time.monotonic() < deadline:
            time.sleep(0.002)
    assert meter.stop().joules == pytest.approx(2 * RANGE / 1e6)


def test_parts_of_a_package_are_not_counted_twice(powercap: Powercap, metered: Callable[..., Meter]) -> None:
    """Memory is counted apart from its package; cores, the platform and the second interface are the same energy again."""
    twins = [
        ("intel-rapl:1", "package-1"), ("intel-rapl:0:2", "dram"), ("intel-rapl:0:0", "core"), ("intel-rapl:0:1", "uncore"),
        ("intel-rapl:2", "psys"), ("intel-rapl-mmio:0", "package-0"),
    ]  # fmt: skip
    for zone, name in twins:
        powercap.zone(zone, name)
    powercap.turn("intel-rapl:0", 0)
    meter = metered()
    for zone, joules in zip(
        ["intel-rapl:0", *(zone for zone, _ in twins)], (1, 10, 100, 1000, 1000, 1000, 1000), strict=True
    ):
        powercap.turn(zone, joules * 1_000_000)
    assert meter.stop() == Energy(111.0, "rapl")


def test_without_counters_the_own_work_is_an_estimate(tmp_path: Path, metered: Callable[..., Meter]) -> None:
    """Virtual machines show none: then processor time is taken at 4 W, and the source says that it is an estimate."""
    clock = iter([100.0, 103.0, 103.0, 108.0, 108.0]).__next__
    meter = metered(powercap=tmp_path / "nowhere", clock=clock)
    assert meter.read() == Energy(3 * WATTS_PER_CORE, "estimate")
    assert meter.read(core_seconds=50.0) == Energy(50 * WATTS_PER_CORE, "estimate")
    assert any("no processor counters" in reason and "virtual machines" in reason for reason in meter.reasons)


def test_real_work_takes_processor_time(tmp_path: Path, metered: Callable[..., Meter]) -> None:
    """The estimate follows what this process computes, not how long it waits."""
    meter = metered(powercap=tmp_path / "nowhere")
    time.sleep(0.2)
    waited = meter.core_seconds
    deadline = time.process_time() + 0.2
    while time.process_time() < deadline:
        pass
    assert waited < 0.1 < 0.2 <= meter.core_seconds


def test_files_for_root_only_are_said_so(
    powercap: Powercap, metered: Callable[..., Meter], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A counter that may not be read leaves an estimate, and a reason that names the file and what opens it."""
    real = Path.read_text

    def refusing(file: Path, *args: Any, **more: Any) -> str:
        if file.name == "energy_uj":
            raise PermissionError(13, "Permission denied", str(file))
        return real(file, *args, **more)

    monkeypatch.setattr(Path, "read_text", refusing)
    meter = metered()
    assert meter.stop().source == "estimate"
    assert any(f"sudo chmod a+r {powercap.folder}/intel-rapl:0/energy_uj" in reason for reason in meter.reasons)


def test_one_package_of_two_is_no_measurement(powercap: Powercap, metered: Callable[..., Meter]) -> None:
    """A sum with a part missing would look like the whole, so nothing is counted."""
    powercap.zone("intel-rapl:1", "package-1")
    (powercap.folder / "intel-rapl:1" / "energy_uj").unlink()
    meter = metered()
    assert meter.stop().source == "estimate"
    assert any("intel-rapl:1/energy_uj can't be read" in reason for reason in meter.reasons)


def test_a_counter_that_fails_half_way_is_given_up(powercap: Powercap, metered: Callable[..., Meter]) -> None:
    """What it had is no longer the run's energy, so the run falls back to the estimate, and never to too little."""
    meter = metered()
    powercap.turn("intel-rapl:0", 3_000_000)
    assert meter.read().source == "rapl"
    powercap.turn("intel-rapl:0", "busy")
    assert meter.read().source == "estimate"
    powercap.turn("intel-rapl:0", 4_000_000)
    assert meter.stop().source == "estimate"
    assert any("'busy': wanted a whole number" in reason for reason in meter.reasons)


def test_boards_are_counted_with_the_processors(powercap: Powercap, metered: Callable[..., Meter]) -> None:
    """On a graphics board both count; the source names both."""
    nvml = Nvml(5_000, 70_000)
    meter = metered(nvml=nvml)
    nvml.counters = {0: 6_500, 1: 70_500}
    powercap.turn("intel-rapl:0", 2_000_000)
    assert meter.stop("gpu") == Energy(3.0, "rapl+nvml")
    assert nvml.open == 0


def test_idle_boards_are_not_the_processors_work(powercap: Powercap, metered: Callable[..., Meter]) -> None:
    """A model on the processor is not charged for the board beside it."""
    nvml = Nvml(0)
    meter = metered(nvml=nvml)
    nvml.counters[0] = 1_000_000
    powercap.turn("intel-rapl:0", 2_000_000)
    assert meter.stop("cpu") == Energy(1.0, "rapl")


@pytest.mark.parametrize(("visible", "joules"), [("1", 10.0), ("GPU-2", 100.0), ("0, GPU-2", 101.0), (None, 111.0)])
def test_only_visible_boards_are_counted(
    tmp_path: Path, metered: Callable[..., Meter], visible: str | None, joules: float
) -> None:
    """CUDA_VISIBLE_DEVICES says which boards are the run's, by number or by id; without it all are."""
    nvml = Nvml(0, 0, 0)
    environment = {} if visible is None else {"CUDA_VISIBLE_DEVICES": visible}
    meter = metered(nvml=nvml, powercap=tmp_path / "nowhere", environment=environment)
    nvml.counters = {0: 1_000, 1: 10_000, 2: 100_000}
    assert meter.stop("gpu") == Energy(joules, "nvml")


@pytest.mark.parametrize(
    ("nvml", "environment", "reason"),
    [
        (Nvml(broken="init"), {}, "NVIDIA's driver can't be asked: Driver Not Loaded"),
        (Nvml(0, broken="energy"), {}, "board 0 does not tell its energy: Not Supported"),
        (Nvml(0), {"CUDA_VISIBLE_DEVICES": "7"}, "the boards' energy is not told: Invalid Argument"),
        (Nvml(0), {"CUDA_VISIBLE_DEVICES": ""}, "no graphics board is visible"),
    ],
)
def test_work_on_a_board_that_can_not_be_read_is_unknown(
    metered: Callable[..., Meter], nvml: Nvml, environment: dict[str, str], reason: str
) -> None:
    """The processors' share alone would pass for the whole, so there is no number, and the reason is there."""
    meter = metered(nvml=nvml, environment=environment)
    assert meter.stop("gpu") == UNKNOWN
    assert any(reason in one for one in meter.reasons)
    assert nvml.open == 0


def test_without_the_library_the_reason_says_what_to_install(
    metered: Callable[..., Meter], monkeypatch: pytest.MonkeyPatch
) -> None:
    """NVML's bindings come with an extra, and nothing fails without them."""
    monkeypatch.setitem(sys.modules, "pynvml", None)
    meter = metered(nvml=None)
    assert meter.stop("gpu") == UNKNOWN
    assert any("pip install 'alignsuite[energy]'" in reason for reason in meter.reasons)


def test_a_driver_that_was_reset_loses_its_boards(metered: Callable[..., Meter]) -> None:
    """Boards' counters never wrap; one that goes back has forgotten something."""
    nvml = Nvml(5_000)
    meter = metered(nvml=nvml)
    nvml.counters[0] = 10
    assert meter.stop("gpu") == UNKNOWN
    assert any("went back from 5000 to 10" in reason for reason in meter.reasons)


def test_what_works_elsewhere_is_unknown(powercap: Powercap, metered: Callable[..., Meter]) -> None:
    """This machine's counters say nothing of an endpoint's energy, and nothing is made up."""
    meter = metered(nvml=Nvml(0))
    powercap.turn("intel-rapl:0", 9_000_000)
    assert meter.stop("elsewhere") == Energy(None, "unknown")


@pytest.mark.parametrize(
    ("engine", "details", "place"),
    [
        ("xllamacpp 2026.10", {"architecture": "llama"}, "cpu"),
        ("scripted 1", {}, "cpu"),
        ("transformers 5.1", {"device": "cuda:0"}, "gpu"),
        ("transformers 5.1", {"device": "cpu"}, "cpu"),
        ("transformers 5.1", {"device": "mps"}, "gpu"),
        ("openai-compatible", {"url": "http://127.0.0.1:8000/v1"}, "elsewhere"),
        ("somebody's own engine", {}, "elsewhere"),
    ],
)
def test_an_engine_works_where_it_says(engine: str, details: dict[str, object], place: str) -> None:
    """Only engines known to be on this machine are measured on it; loopback may be a tunnel."""
    assert place_of(engine, details) == place


def test_a_meter_measures_one_run(metered: Callable[..., Meter]) -> None:
    """Reading before the start, and starting twice, are mistakes of the caller."""
    with pytest.raises(RuntimeError, match="never started"):
        Meter().read()
    meter = metered()
    with pytest.raises(RuntimeError, match="one meter measures one run"):
        meter.start()
    meter.stop()


def test_this_machine_can_be_metered() -> None:
    """With the real files and libraries, whatever they are, there is energy or a reason."""
    meter = Meter()
    meter.start()
    energy = meter.stop()
    assert energy.joules is not None
    assert energy.joules >= 0
    assert energy.source == "rapl" or any("powercap" in reason for reason in meter.reasons)


def test_broken_counters_name_their_file(powercap: Powercap) -> None:
    """The message shows the file and what stands in it."""
    powercap.turn("intel-rapl:0", "-3")
    with pytest.raises(CounterError, match=r"intel-rapl:0/energy_uj says '-3': wanted a whole number"):
        processor_counters(powercap.folder)


@given(
    st.floats(0, 1e9),
    st.dictionaries(st.text(), st.floats(0, 1e6).filter(lambda seconds: seconds == 0 or seconds > 1e-6), min_size=1),
)
def test_shares_add_up_to_the_whole(joules: float, seconds: dict[str, float]) -> None:
    """Nothing is lost or made in sharing out, and twice the time is twice the share."""
    shares = shared_out(joules, seconds)
    if sum(seconds.values()) == 0:
        assert shares == {}
        return
    assert shares.keys() == seconds.keys()
    assert sum(shares.values()) == pytest.approx(joules)
    for name, share in shares.items():
        assert share * sum(seconds.values()) == pytest.approx(joules * seconds[name])


def test_an_unknown_energy_has_no_shares() -> None:
    """A record of a run whose energy nobody knows has no energy, not 0."""
    assert shared_out(None, {"a": 2.0}) == {}


@pytest.mark.parametrize(("joules", "seconds"), [(-1.0, 1.0), (1.0, -1.0), (float("nan"), 1.0), (1.0, float("inf"))])
def test_impossible_amounts_are_refused(joules: float, seconds: float) -> None:
    """Negative and infinite amounts are named, not shared out."""
    with pytest.raises(ValueError, match="wanted a number of at least 0"):
        shared_out(joules, {"a": seconds, "b": 1.0})


def test_savings_are_counted_and_priced_at_the_runs_own_rate() -> None:
    """123 calls not asked and 10 found in the store, at half a second and 20 W each."""
    spared = saved(77, 200, 10, 0.5, watts=20.0)
    assert (spared.calls_early, spared.calls_store) == (123, 10)
    assert (spared.joules_early, spared.joules_store) == (1230.0, 100.0)
    assert spared.time_keys()["saved_joules_early"] == 1230.0


@pytest.mark.parametrize(("seconds", "watts"), [(None, 20.0), (0.5, None)])
def test_energy_saved_is_unknown_where_a_calls_energy_is(seconds: float | None, watts: float | None) -> None:
    """A run from the store alone made no call, so nobody knows what one would have taken; the calls are counted all the same."""
    assert saved(77, 200, 10, seconds, watts=watts).time_keys() == {"saved_calls_early": 123, "saved_calls_store": 10}


def test_more_asked_than_there_is_gets_refused() -> None:
    """A negative saving is a mistake of the caller."""
    with pytest.raises(ValueError, match="asked is 201 of a bank of 200"):
        saved(201, 200, 0, 1.0)


def test_what_one_claim_asked_no_other_saved() -> None:
    """Claims of an item share its bank: the one that asked most leaves the least."""
    assert stopped_early([(77, 200), (150, 200)]) == 50
    assert stopped_early([(40, 40), (10, 200)]) == 0


def test_the_grid_can_be_named() -> None:
    """The environment goes before the ini file, and both before the world's mean."""
    assert carbon_intensity(None, {}) == WORLD_G_PER_KWH
    assert carbon_intensity("381", {}) == 381
    assert carbon_intensity("381", {GRID_VARIABLE: "56"}) == 56
    assert carbon_intensity("0", {}) == 0


@pytest.mark.parametrize("text", ["green", "-1", "nan", "445000", "0,4"])
def test_a_grid_that_makes_no_sense_is_refused(text: str) -> None:
    """Names, other units and decimal commas are shown with what was wanted."""
    with pytest.raises(SettingsError, match=rf"{GRID_VARIABLE}={text}: wanted the grams of CO2e behind one kWh"):
        carbon_intensity(None, {GRID_VARIABLE: text})


def test_a_footprint_goes_into_time_mappings_only() -> None:
    """Energy differs from run to run, so its keys are made for `time`; what is unknown has no key."""
    known = Footprint.of(estimated(100.0, 2), {"prompt": 5, "completion": 7}, seconds=100.0, g_per_kwh=450.0)
    assert (known.prompt_tokens, known.completion_tokens, known.seconds) == (5, 7, 100.0)
    assert known.time_keys() == {"energy_source": "estimate", "joules": 800.0, "g_co2e": 0.1}
    assert Footprint.of(UNKNOWN, {}, seconds=1.0).grams_co2e is None
    assert grams_co2e(3_600_000, 56) == 56


@pytest.mark.parametrize(
    ("joules", "source"), [(None, "rapl"), (0.0, "unknown"), (-1.0, "estimate"), (float("nan"), "rapl")]
)
def test_an_unknown_energy_can_not_look_like_zero(joules: float | None, source: Any) -> None:
    """None and `unknown` come together, and no energy is negative."""
    with pytest.raises(ValueError, match=r"belongs to `unknown`|wanted a number of at least 0"):
        Energy(joules, source)


def test_importing_it_loads_nothing_heavy() -> None:
    """The module is read in every run with a model: no numpy, no pytest, no NVML, no network at import."""
    heavy = ("numpy", "pytest", "pynvml", "socket", "pydantic")
    new = f"[name for name in {heavy!r} if name in sys.modules and name not in before]"
    code = f"import sys; before = set(sys.modules); import alignsuite.footprint; print({new})"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert shown.strip() == "[]"


def test_the_stand_in_has_the_librarys_names() -> None:
    """What the double offers under NVML's names is offered by NVIDIA's bindings, where they are installed."""
    pynvml = pytest.importorskip("pynvml")
    assert all(hasattr(pynvml, name) for name in vars(Nvml) if name.lower().startswith("nvml"))
