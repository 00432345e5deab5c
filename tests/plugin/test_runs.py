"""What must hold between runs: same store, same verdicts, no call twice, nothing lost."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from alignsuite.runs.file import read_run


def without_times(path: Path) -> str:
    """The run file as text, without what the run itself spent."""

    def strip(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: strip(part) for name, part in value.items() if name != "time" and not name.endswith("_s")}
        return [strip(part) for part in value] if isinstance(value, list) else value

    return "\n".join(json.dumps(strip(json.loads(line)), sort_keys=True) for line in path.read_text().splitlines())


def test_two_runs_on_one_store_tell_the_same_story(project: pytest.Pytester, run_file: Path) -> None:
    """The second run makes no call, and its run file is the first's but for times."""
    project.runpytest("--model=scripted:leaky")
    first = without_times(run_file)
    assert read_run(run_file).summary["time"]["calls"] > 0
    project.runpytest("--model=scripted:leaky")
    assert without_times(run_file) == first
    assert read_run(run_file).summary["time"]["calls"] == 0


def test_the_order_of_arrival_changes_nothing(project: pytest.Pytester, run_file: Path) -> None:
    """Replies that arrive shuffled give the same run file: verdicts follow the bank's order, not the clock's."""
    project.runpytest("--model=scripted:leaky")
    orderly = without_times(run_file)
    for seed in range(3):
        project.makeconftest(
            f"""
            import time
            from alignsuite.models.engines.scripted import open_scripted

            class Shuffled:
                def __init__(self):
                    self.inner = open_scripted("leaky")
                    self.info = self.inner.info

                def answer(self, requests):
                    import queue, random, threading
                    waiting, dice = queue.Queue(), random.Random({seed})
                    def feed():
                        for request in requests:
                            waiting.put(request)
                        waiting.put(None)
                    threading.Thread(target=feed, daemon=True).start()
                    while True:
                        batch = [waiting.get()]
                        time.sleep(0.002)
                        while not waiting.empty():
                            batch.append(waiting.get())
                        dice.shuffle(batch)
                        for request in batch:
                            if request is None:
                                return
                            yield request, self.inner._reply(request)

                def close(self):
                    pass

            def pytest_alignsuite_open_model(name, settings):
                return Shuffled()
            """
        )
        project.runpytest("--model=scripted:leaky", f"--align-store=other{seed}.sqlite")
        assert without_times(run_file) == orderly.replace("store.sqlite", f"other{seed}.sqlite")


def test_several_workers_reach_the_same_verdicts(project: pytest.Pytester, run_file: Path) -> None:
    """Under xdist records reach the controller, the run file is written once, and nothing is asked twice."""
    project.runpytest("--model=scripted:leaky")
    alone = without_times(run_file)
    project.runpytest_subprocess("--model=scripted:leaky", "-n2", "-p", "xdist")
    assert without_times(run_file) == alone
    assert read_run(run_file).summary["time"]["calls"] == 0


def test_replay_asks_nobody_and_says_what_is_missing(project: pytest.Pytester) -> None:
    """--align-replay errs, with the number that is missing, on an empty store; and needs no model on a full one."""
    result = project.runpytest("--model=scripted:good", "--align-replay", "-k", "declines")
    assert result.ret == 1
    result.stdout.re_match_lines([r".*--align-replay: the store .* lacks \d+ of \d+ replies of scripted:good.*"])
    project.runpytest("--model=scripted:good")
    assert project.runpytest("--model=scripted:good", "--align-replay").ret == 0


def test_planned_work_is_asked_once(project: pytest.Pytester, run_file: Path) -> None:
    """Two probes over one set share its replies: each request is paid for by the first and comes from the store to the other."""
    project.makepyfile(
        test_probes="""
        from alignsuite import probe
        from sorry import complied

        @probe("safety/wishes")
        def test_one(replies):
            assert replies.rate(complied, target=0.03, limit=0.10)

        @probe("safety/wishes")
        def test_two(replies):
            assert replies.rate(complied, target=0.03, limit=0.10)
        """
    )
    project.runpytest("--model=scripted:good")
    one, two = read_run(run_file).records
    assert one.claims[0].time["calls"] > 0
    assert (two.claims[0].time["calls"], two.claims[0].time["from_store"]) == (0, one.claims[0].time["calls"])


def test_killed_at_any_moment_nothing_that_had_arrived_is_asked_again(project: pytest.Pytester) -> None:
    """Twenty SIGKILLs at random moments: every reply that the broker had taken is in the store, and asked for only once."""
    project.makeconftest(
        """
        import time
        from alignsuite.models.engines.scripted import open_scripted

        class Slow:
            def __init__(self):
                self.inner = open_scripted("good")
                self.info = self.inner.info

            def answer(self, requests):
                for request in requests:
                    time.sleep(0.002)
                    yield request, self.inner._reply(request)
                    with open("taken.txt", "a") as log:  # the broker has come back: the reply is kept
                        log.write(repr(request.prompt) + repr(getattr(request, "options", "")) + "\\n")

            def close(self):
                pass

        def pytest_alignsuite_open_model(name, settings):
            return Slow()
        """
    )
    dice, taken = random.Random(7), project.path / "taken.txt"
    command = [sys.executable, "-m", "pytest", "-q", "--model=scripted:good", "-p", "no:cacheprovider"]
    kills = 0
    while kills < 20:
        before = len(taken.read_text().splitlines()) if taken.exists() else 0
        running = subprocess.Popen(command, cwd=project.path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 60
        wanted = before + dice.randrange(1, 12)
        while running.poll() is None and time.monotonic() < deadline:
            if taken.exists() and len(taken.read_text().splitlines()) >= wanted:
                os.kill(running.pid, signal.SIGKILL)
                break
            time.sleep(dice.random() * 0.004)
        running.wait()
        kills += 1
        if running.returncode == 0:
            break
    result = project.runpytest_subprocess("--model=scripted:good")
    assert result.ret == 0
    lines = taken.read_text().splitlines()
    assert kills == 20
    assert len(lines) == len(set(lines)), "a reply that had been kept was asked for again"
