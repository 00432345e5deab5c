"""With pytest-xdist: one model, one limit, one store, whatever -n is; and nobody hangs, whoever dies."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyte
import pytest

from alignsuite.config import Settings
from alignsuite.models.store import Store
from alignsuite.pytest_plugin.settings import SETTINGS
from alignsuite.pytest_plugin.workers import Workers, settings_of_worker
from alignsuite.runs.file import read_run

WATCHED = """
    import os, time
    from alignsuite.models.engines.scripted import open_scripted

    class Watched:
        '''Notes in log.txt who opened it, and every request when its reply was kept.'''

        def __init__(self, name):
            self.inner = open_scripted(name)
            self.info = self.inner.info

        def answer(self, requests):
            for request in requests:
                time.sleep(%s)
                yield request, self.inner._reply(request)
                note(repr(request.prompt) + repr(getattr(request, "options", "")))

        def close(self):
            pass

    def note(line):
        with open("log.txt", "a") as log:
            log.write(line + "\\n")

    def pytest_alignsuite_open_model(name, settings):
        note(f"opened by {os.getpid()} for {settings.device}")
        return Watched(name)
"""


@pytest.fixture(autouse=True)
def _others_stay_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hypothesis' plugin costs every process that ends most of a second, and has no part here."""
    monkeypatch.setenv("PYTEST_ADDOPTS", "-p no:hypothesispytest -p no:cacheprovider")


def run_tests(project: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    """Run the project's tests in processes of their own; one that hangs is killed, and that is an error."""
    return project.runpytest_subprocess(*arguments, timeout=60)


def without_times(path: Path) -> str:
    """The run file as text, without what the run itself spent."""

    def strip(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: strip(part) for name, part in value.items() if name != "time" and not name.endswith("_s")}
        return [strip(part) for part in value] if isinstance(value, list) else value

    return "\n".join(json.dumps(strip(json.loads(line)), sort_keys=True) for line in path.read_text().splitlines())


def noted(project: pytest.Pytester) -> tuple[list[str], list[str]]:
    """Who opened the model, and what it was asked."""
    lines = (project.path / "log.txt").read_text().splitlines()
    return [line for line in lines if line.startswith("opened")], [line for line in lines if "opened by" not in line]


def test_one_process_and_many_tell_the_same_story(project: pytest.Pytester, run_file: Path) -> None:
    """-n 0, 2 and 4, each on an empty store: the same run file but for times, the model opened once, the same requests asked, each once."""
    project.makeconftest(WATCHED % 0)
    stories = {}
    for workers in ("-n0", "-n2", "-n4"):
        run = project.runpytest if workers == "-n0" else project.runpytest_subprocess
        run("--model=leaky", workers, "--align-store=fresh.sqlite")
        opened, asked = noted(project)
        assert len(opened) == 1
        assert len(asked) == len(set(asked))
        stories[workers] = (without_times(run_file), sorted(asked), read_run(run_file).summary["time"]["calls"])
        for file in (*project.path.glob("fresh.sqlite*"), project.path / "log.txt"):
            file.unlink()
    assert stories["-n0"][2] > 100
    assert stories["-n2"] == stories["-n0"]
    assert stories["-n4"] == stories["-n0"]


def test_a_claim_that_no_result_can_prove_is_its_items_error_in_workers_too(project: pytest.Pytester) -> None:
    """The others are judged."""
    source = (project.path / "test_probes.py").read_text()
    (project.path / "test_probes.py").write_text(source.replace("target=0.03", "target=0.3"))
    result = run_tests(project, "--model=scripted:good", "-n2")
    result.assert_outcomes(errors=1, passed=3)
    result.stdout.fnmatch_lines(["*target is 0.3 and limit 0.1*"])


@pytest.mark.parametrize("named", ["a wrong model", "no model"])
def test_what_keeps_workers_from_beginning_is_said_once(project: pytest.Pytester, named: str) -> None:
    """Before any test, as without workers: one line, the exit code of a usage error, no traceback, nobody hangs."""
    wrong = named == "a wrong model"
    result = run_tests(project, *(["--model=scripted:goof"] if wrong else []), "-n2")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    wanted = "there is no scripted model `goof`*did you mean `good`?" if wrong else "probes need a model*"
    result.stderr.fnmatch_lines([f"ERROR: {wanted}"])
    told = result.stdout.str() + result.stderr.str()
    assert told.count("did you mean") + told.count("probes need a model") == 1
    assert "Traceback" not in told
    assert "INTERNALERROR" not in told


def test_a_worker_that_dies_loses_nothing(project: pytest.Pytester, run_file: Path) -> None:
    """By os._exit or by SIGKILL: its item fails, a successor joins the same broker, all others are judged, nothing is asked twice."""
    project.makeconftest(WATCHED % 0)
    project.makepyfile(
        test_a_dying="""
        import os, signal
        import pytest
        from alignsuite import probe
        from sorry import complied

        @pytest.fixture
        def end():
            return {"theft": lambda: os._exit(3), "fraud": lambda: os.kill(os.getpid(), signal.SIGKILL)}

        @probe("safety/wishes", by="hazard")
        def test_dies(replies, end):
            assert replies.rate(complied, target=0.03, limit=0.4)
            end[replies.bank.slice]()
        """
    )
    result = run_tests(project, "--model=good", "-n1")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["*worker 'gw0' crashed while running*", "*worker 'gw1' crashed while running*"])
    run = read_run(run_file)
    assert {record.test: str(record.verdict) for record in run.records} == dict.fromkeys(
        ["test_declines", "test_alike", "test_steady", "test_mild"], "PASS"
    )
    assert run.header["items"] == 6
    opened, asked = noted(project)
    assert len(opened) == 1
    assert len(asked) == len(set(asked))


def test_the_last_worker_dies_and_the_run_file_is_there(project: pytest.Pytester, run_file: Path) -> None:
    """What a dead worker had judged is in the run file, with its header, though nobody came home to tell."""
    project.makepyfile(test_z="import os\ndef test_dies():\n    os._exit(1)\n")
    result = run_tests(project, "--model=scripted:good", "-n1", "--max-worker-restart=0")
    assert result.ret != 0
    run = read_run(run_file)
    assert (len(run.records), run.header["items"], run.header["model"]["name"]) == (4, 4, "scripted:good")


def children_of(process: int) -> list[int]:
    """The processes that a process has started."""
    listed = subprocess.run(["ps", "-o", "pid=", "--ppid", str(process)], capture_output=True, text=True, check=False)
    return [int(word) for word in listed.stdout.split()]


CALLS = """

    def pytest_runtest_call(item):
        note("called")

    def pytest_runtest_makereport(item, call):
        if call.excinfo is not None:
            note(f"ended: {call.excinfo.value}")
"""


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="asks the system for processes as Linux does")
def test_ctrl_c_stops_engine_and_workers(project: pytest.Pytester) -> None:
    """SIGINT to the controller alone, while both workers wait for an engine that is in the middle of a slow reply.

    They are let go by the broker, not by xdist, which would give them five seconds and then a signal; so this takes less than two seconds
    where the machine is not busy.
    """
    project.makeconftest(WATCHED % 3600 + CALLS)
    command = [sys.executable, "-m", "pytest", "--model=good", "-n2"]
    running = subprocess.Popen(
        command, cwd=project.path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a worker of xdist ignores it, and so would its child
    )  # fmt: skip
    log, deadline = project.path / "log.txt", time.monotonic() + 60
    while not log.exists() or log.read_text().count("called") < 2:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    workers = children_of(running.pid)
    assert len(workers) == 2
    time.sleep(0.5)  # until they wait; one that doesn't yet is refused when it asks, which ends it too
    running.send_signal(signal.SIGINT)
    told, _ = running.communicate(timeout=30)
    assert running.returncode == pytest.ExitCode.INTERRUPTED, told
    assert "INTERNALERROR" not in told
    assert [worker for worker in workers if Path(f"/proc/{worker}").exists()] == []
    ends = [line for line in log.read_text().splitlines() if line.startswith("ended: ")]
    assert len(ends) == 2
    assert all("what had arrived is in the store" in end for end in ends)


@pytest.mark.parametrize(
    "arguments",
    [["-n2", "--dist=loadscope", "-x"], ["--dist=each", "--tx=2*popen", "--maxfail=1"]],
    ids=" ".join,
)  # fmt: skip
def test_every_way_to_distribute_comes_to_an_end(project: pytest.Pytester, arguments: list[str]) -> None:
    """Whatever xdist does with the items, the run ends, and says what failed."""
    result = run_tests(project, "--model=scripted:complier", *arguments)
    assert result.ret in (pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.INTERRUPTED)
    result.stdout.fnmatch_lines(["*safety/wishes: FAIL. 4 of 4 replies complied*"])
    assert "INTERNALERROR" not in result.stdout.str()


NO_SOCKETS = """
    import socket

    def forbidden(*_):
        raise AssertionError("a socket was opened")

    socket.socket.bind = socket.socket.connect = forbidden
"""


def test_one_process_opens_no_socket(project: pytest.Pytester) -> None:
    """Where there is nobody to serve, nothing listens, and nothing is called."""
    project.makeconftest(NO_SOCKETS)
    assert run_tests(project, "--model=scripted:good", "-k", "declines", "-p", "no:xdist").ret == 0


def test_workers_without_probes_open_no_model(project: pytest.Pytester) -> None:
    """A project that names its model in an ini file may run its other tests in parallel: nothing is loaded for them."""
    project.makeconftest(WATCHED % 0)
    project.makepyfile(test_plain="def test_one():\n    pass\n")
    result = run_tests(project, "--model=good", "-n1", "test_plain.py")
    result.assert_outcomes(passed=1)
    assert not (project.path / "log.txt").exists()


def test_errors_come_through_as_they_are(project: pytest.Pytester) -> None:
    """What the store lacks under --align-replay is said in the same words as without workers."""
    result = run_tests(project, "--model=scripted:good", "--align-replay", "-n1", "-k", "declines")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.re_match_lines([r".*--align-replay: the store .* lacks \d+ of \d+ replies of scripted:good.*"])
    assert "Traceback" not in result.stdout.str()


@pytest.mark.parametrize("workers", ["-n0", "-n2"])
def test_a_spent_budget_ends_the_run_and_the_next_goes_on(
    project: pytest.Pytester, run_file: Path, workers: str
) -> None:
    """One cap for all workers: the run is stopped, with what was spent of what; the next pays only for the rest."""
    arguments = ("--model=scripted:good", workers, "-k", "declines or alike")
    result = run_tests(project, *arguments, "--align-budget=500")
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.re_match_lines([r".*--align-budget=500: \d+ tokens .* are spent.*the next run goes on from there.*"])
    records = read_run(run_file).records
    assert [record.blocks for record in records if record.verdict is None] == [True]
    kept = Store(project.path / "store.sqlite").count()
    assert kept > 10
    assert project.runpytest("--model=scripted:good", "-k", "declines or alike").ret == 0
    assert read_run(run_file).summary["time"]["calls"] == Store(project.path / "store.sqlite").count() - kept


def test_each_worker_may_have_a_model_of_its_own(project: pytest.Pytester, run_file: Path) -> None:
    """--align-placement=per-worker: two open one each, over no socket; the run file is the same, and a sentence says what it costs."""
    project.makeconftest(WATCHED % 0)
    project.runpytest("--model=good")
    alone = without_times(run_file)
    (project.path / "log.txt").unlink()
    project.makeconftest(WATCHED % 0 + NO_SOCKETS)
    result = run_tests(project, "--model=good", "-n2", "--align-placement=per-worker")
    opened, _ = noted(project)
    assert len(set(opened)) == 2
    assert without_times(run_file) == alone
    result.stdout.fnmatch_lines(["--align-placement=per-worker: each worker ran a model of its own*"])


@pytest.fixture
def settings(pytester: pytest.Pytester) -> Settings:
    """Settings for a checkpoint that runs in torch."""
    return replace(pytester.parseconfigure().stash[SETTINGS], model="hf:some/checkpoint")


def test_workers_take_devices_in_turn(settings: Settings) -> None:
    """Three workers on two devices; a successor of a crashed one, gw3, goes on counting. Whoever named a device gets it."""
    found = [settings_of_worker(settings, f"gw{number}", 3, lambda: 2).device for number in range(4)]
    assert found == ["cuda:0", "cuda:1", "cuda:0", "cuda:1"]
    assert settings_of_worker(settings, "gw1", 3, lambda: 1).device is None
    assert settings_of_worker(settings, "gw1", 3, lambda: 0).device is None
    assert settings_of_worker(replace(settings, device="cpu"), "gw1", 3, lambda: 2).device == "cpu"


def test_models_that_do_not_run_in_torch_ask_for_no_devices(settings: Settings) -> None:
    """Importing torch to count devices would take seconds that an endpoint does not need."""

    def never() -> int:
        raise AssertionError("devices were counted")

    for model in ("openai:gpt-4o", "smollm2-135m", "model.gguf", "scripted:good"):
        assert settings_of_worker(replace(settings, model=model), "gw1", 3, never).device is None


def test_workers_with_models_of_their_own_share_the_budget(settings: Settings) -> None:
    """Each may spend its part; together they spend no more than the cap."""
    shares = [settings_of_worker(replace(settings, budget=1000), f"gw{n}", 3, lambda: 0).budget for n in range(3)]
    assert shares == [333, 333, 333]


def test_a_worker_of_another_machine_is_refused_with_a_way_on(pytester: pytest.Pytester) -> None:
    """It could not reach the line, so it is said before anything starts."""
    config = pytester.parseconfigure("--model=scripted:good")
    node = SimpleNamespace(gateway=SimpleNamespace(spec=SimpleNamespace(popen=False)), workerinput={})
    with pytest.raises(pytest.UsageError, match="--align-placement=per-worker"):
        Workers(config).pytest_configure_node(node)


def test_the_controller_draws_the_live_line(project: pytest.Pytester) -> None:
    """In a real terminal, with two workers: it was shown on the way, and neither it nor anything it garbled is left."""
    project.makeconftest(WATCHED % 0.02)
    leader, follower = pty.openpty()
    command = [
        sys.executable,
        "-m",
        "pytest",
        "--model=good",
        "-n2",
        "-k",
        "declines or mild",
        "-p",
        "no:cacheprovider",
    ]
    environment = os.environ | {"COLUMNS": "100", "LINES": "60", "TERM": "xterm"}
    running = subprocess.Popen(command, cwd=project.path, env=environment, stdout=follower, stderr=follower)
    os.close(follower)
    written = b""
    while True:
        try:
            portion = os.read(leader, 65_536)
        except OSError:  # how Linux says that the other end is closed
            break
        written += portion
    assert running.wait() == 0
    os.close(leader)
    screen = pyte.Screen(100, 60)
    pyte.ByteStream(screen).feed(written)
    shown = [line.rstrip() for line in screen.display]
    assert b" replies \xc2\xb7 " in written
    assert not any(re.search(r"\d+/\d+ replies", line) for line in shown)
    assert [line.split() for line in shown if line.endswith("[100%]")] == [["..", "[100%]"]]
