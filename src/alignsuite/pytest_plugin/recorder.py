"""Recorder of a run: its records, gathered in the process that reports, its run file and its section.

Like the door it is loaded in every session of every project, so it imports pytest and the standard library only.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

import pytest

from alignsuite.pytest_plugin.settings import NO_MODEL, UNNAMED, settings_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from alignsuite.footprint import Energy, Meter
    from alignsuite.pytest_plugin.session import Session
    from alignsuite.pytest_plugin.terminal import Terminal
    from alignsuite.runs.baseline import Baseline
    from alignsuite.runs.records import Run

RECORDER = pytest.StashKey["Recorder"]()
ON_SEVERAL_PROCESSES = (
    "--align-placement=per-worker: each worker ran a model of its own on the shared store; memory multiplies, and two "
    "may ask the same at once"
)


_SELECTED, _RISK = "selected", "risk"  # beside the header on its way to the controller; no part of the file's


class Recorder:
    """Recorder in the process that reports: the only one, or the controller of xdist's workers."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.session: Session | None = None
        self.terminal: Terminal | None = None
        self.header: dict[str, Any] | None = None
        self.records: dict[str, dict[str, Any]] = {}
        self.crashed: set[str] = set()
        self.started = time.time()
        self.run: Run | None = None
        self._meter: Meter | None = None

    def pytest_sessionstart(self) -> None:
        """Begin to measure energy, where a model is named and this process reports."""
        if settings_of(self.config).model is None or hasattr(self.config, "workerinput"):
            return
        from alignsuite.footprint import Meter

        self._meter = Meter()
        self._meter.start()

    def opened(self, session: Session, terminal: Terminal, items: Sequence[pytest.Item] = ()) -> None:
        """Keep the header of a session that is open, for the run file, and what is known of each selected item.

        The controller collects nothing: it is sent the header of a worker's, at once where the model is its own.
        """
        from alignsuite.models.broker.remote import RemoteBroker
        from alignsuite.pytest_plugin.record import unrun

        selected = {item.nodeid: unrun(item, session).to_json() for item in items}
        self.session, self.terminal, self.header = (
            session,
            terminal,
            session.header() | {_SELECTED: selected, _RISK: session.risk()},
        )
        if isinstance(session.broker, RemoteBroker):
            session.broker.tell(self.header)

    def take_header(self, header: dict[str, Any]) -> None:
        """Take over the header that a worker sends.

        The controller collects nothing, and does not know how many items there are.

        It is sent over the line and at once, so that a worker that dies later takes nothing along.
        """
        self.header = header

    @pytest.hookimpl(tryfirst=True)  # before pytest's JUnit writer names the test
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the record of an item; a later phase of the same item replaces it."""
        if self.terminal is not None:
            self.terminal.clear()
        data = getattr(report, "alignsuite", None)
        if data is not None:
            self.records[report.nodeid] = data
            self._name_in_junit(report, data["nodeid"], data["axis"])

    def _name_in_junit(self, report: pytest.TestReport, nodeid: str, axis: str) -> None:
        """Give a probe its class name in JUnit: where it lies, with its axis and its class, however pytest was called."""
        from _pytest.junitxml import xml_key

        if (xml := self.config.stash.get(xml_key, None)) is not None:
            file, _, inside = nodeid.partition("::")
            parts, classes = file.removesuffix(".py").split("/"), inside.partition("[")[0].split("::")[:-1]
            name = ".".join((*(() if axis in parts else (axis,)), *parts, *classes))
            xml.node_reporter(report).add_attribute("classname", name)

    @pytest.hookimpl(optionalhook=True)
    def pytest_handlecrashitem(self, crashitem: str) -> None:
        """Remember an item whose worker died: no report will bring its record."""
        self.crashed.add(crashitem)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:  # noqa: ANN401 (xdist's WorkerController)
        """Take over a worker's header, where it has a model of its own."""
        self.header = getattr(node, "workeroutput", {}).get("alignsuite") or self.header

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Stop the engine; in the reporting process, make the run and write its file."""
        if self.session is not None:
            self.header = self.session.header_now(self.header)
            self.session.close()
        if hasattr(self.config, "workeroutput"):
            self.config.workeroutput["alignsuite"] = self.header
            return
        energy = self._energy()
        if self.header is None:
            return
        selected: dict[str, dict[str, Any]] = self.header.pop(_SELECTED)
        risk = self.header.pop(_RISK)
        for nodeid in self.crashed & selected.keys():
            self.records[nodeid] = selected[nodeid] | {"reason": "its worker died while it ran"}
        missing = selected.keys() - self.records.keys()
        if not self.records and (exitstatus == pytest.ExitCode.OK or not missing):
            return  # nothing was selected; or nothing was to run, as with --setup-only
        from alignsuite.pytest_plugin.record import make_run, with_regressions
        from alignsuite.runs.file import record_from_json

        records = [record_from_json(data) for data in self.records.values()]
        self.run = make_run(
            self.header, records, self.started, energy, settings_of(self.config).carbon_intensity,
            missing=[selected[nodeid]["nodeid"] for nodeid in missing], ended=_ended(session, exitstatus),
            risk=risk,
        )  # fmt: skip
        self.run = with_regressions(self.run, self._baseline())
        self._tell_junit(self.run)
        if missing and session.exitstatus == 0:
            session.exitstatus = pytest.ExitCode.INTERRUPTED
        if exitstatus == pytest.ExitCode.INTERNAL_ERROR:
            self._write(self.run)  # pytest prints no summary then
        beyond_items = self.run.summary["together"]["also"] or any(one.blocks for one in self.run.regressions)
        if beyond_items and session.exitstatus == 0:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED  # no item by itself, but all tests or an axis together
        if not self.run.summary["judged"] and session.exitstatus == 0:
            session.exitstatus = pytest.ExitCode.NO_TESTS_COLLECTED  # nothing was judged: that must not open a gate

    def _baseline(self) -> Baseline | None:
        """Baseline that whole axes are held against; a controller whose workers have the models opens it itself."""
        settings = settings_of(self.config)
        if self.session is not None or settings.baseline is None:
            return None if self.session is None else self.session.baseline
        from alignsuite.config import baselines_folder
        from alignsuite.runs.baseline import open_baseline

        return open_baseline(settings.baseline, baselines_folder(settings.cache), settings.root)

    def _energy(self) -> Energy:
        """Energy of the session, as far as it can be known of where its model runs."""
        from alignsuite.footprint import UNKNOWN, place_of

        if self._meter is None:
            return UNKNOWN
        model: dict[str, Any] = self.header["model"] if self.header is not None else {"engine": "", "details": {}}
        return self._meter.stop(place_of(model["engine"], model["details"]), core_seconds=self._of_workers())

    def _of_workers(self) -> float | None:
        """Processor seconds of models in workers, which the meter can't see: all cores while they worked."""
        if settings_of(self.config).placement == "shared" or not getattr(self.config.option, "numprocesses", None):
            return None
        seconds = sum(claim["time"].get("seconds", 0.0) for data in self.records.values() for claim in data["claims"])
        return float(seconds * (os.cpu_count() or 1))

    def _tell_junit(self, run: Run) -> None:
        from _pytest.junitxml import xml_key

        from alignsuite.reports.junit import regression_case, suite_properties

        if (xml := self.config.stash.get(xml_key, None)) is None:
            return
        for name, value in suite_properties(run):
            xml.add_global_property(name, value)
        for case in map(regression_case, run.regressions):
            reporter = xml.node_reporter(f"{case.classname}::{case.name}")
            reporter.add_attribute("classname", case.classname)
            reporter.add_attribute("name", case.name)
            for name, value in case.properties:
                reporter.add_property(name, value)
            if case.outcome == "passed":
                xml.add_stats("passed")
            else:
                reporter._add_simple(case.outcome, case.said, case.said)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print the section, write the run file."""
        if settings_of(self.config).model is None:
            self._say_what_to_type(terminalreporter)
        if self.run is None:
            return
        from alignsuite.reports.terminal import section

        settings = settings_of(self.config)
        self._show_unproved(terminalreporter)
        terminalreporter.section("alignsuite", "=")
        width, color = terminalreporter._tw.fullwidth, terminalreporter._tw.hasmarkup
        for line in section(self.run, width=min(width, 120), color=color, show=settings.show):
            terminalreporter.write_line(line)
        if settings.placement == "per-worker" and getattr(self.config.option, "numprocesses", None):
            terminalreporter.write_line(ON_SEVERAL_PROCESSES)
        if self._write(self.run):
            terminalreporter.write_line(f"run file: {settings.run_file}")

    def _write(self, run: Run) -> bool:
        """Whether a run file was wanted, and is written."""
        from alignsuite.errors import AlignsuiteError
        from alignsuite.runs.file import write_run

        path = settings_of(self.config).run_file
        if path is not None:
            try:
                write_run(run, path)
            except AlignsuiteError as error:
                raise pytest.UsageError(str(error)) from None
        return path is not None

    def _say_what_to_type(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say once what probes lack that were errors for want of a model."""
        unnamed = sum(UNNAMED in report.longreprtext for report in terminalreporter.getreports("error"))
        if unnamed:
            terminalreporter.section("alignsuite", "=")
            terminalreporter.write_line(f"{unnamed} without a verdict: {NO_MODEL}")

    def _show_unproved(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print explanations of what blocks without having failed; pytest shows those of failures only."""
        blocking = [
            report
            for word in ("invalid", "inconclusive")
            for report in terminalreporter.getreports(word)
            if report.failed and self.config.option.tbstyle != "no"
        ]
        if blocking:
            terminalreporter.section("NOT PROVED", "=")
        for report in blocking:
            terminalreporter.write_sep("_", report.location[2])
            crash = getattr(report.longrepr, "reprcrash", None)
            terminalreporter.write_line(crash.message if crash is not None else report.longreprtext)


def _ended(session: pytest.Session, exitstatus: int) -> str:
    """Reason why a session ended before its items did, in words."""
    if said := session.shouldfail or session.shouldstop:
        return str(said)
    return {
        pytest.ExitCode.INTERRUPTED: "interrupted",
        pytest.ExitCode.INTERNAL_ERROR: "an internal error of pytest",
    }.get(pytest.ExitCode(exitstatus) if exitstatus in set(pytest.ExitCode) else pytest.ExitCode.OK, "it ended early")
