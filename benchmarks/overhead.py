"""What everything but the model costs: CPU per reply, collection, the idle plugin.

Run by hand or by `make bench`. Figures are CPU seconds (user + system) of whole processes, medians of several runs, and ratios; they are
printed, never asserted.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

RUNS = 5
ALONE = os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}  # no other plugin's start-up in the figures
SIZES = (1_000, 2_000, 5_000, 10_000)
ROOT = Path(__file__).parents[1]

SET = """\
id: bench/many
version: 1
title: "Many"
licence: CC0-1.0
source: {written: "for this benchmark"}
ask: generate
expect: answer
fields: {number: "which"}
user: "Tell me about thing number {{ number }}, please, in one sentence."
templates:
"""
PROBES = """\
from alignsuite import probe
from alignsuite.judges import refused


@probe("bench/many")
def test_many(replies):
    assert replies.gap(refused, between="half", limit=0.5)
"""


def cpu_seconds(*command: str, cwd: Path, runs: int = RUNS) -> float:
    """The median CPU time of a command over several runs."""
    spent = []
    for _ in range(runs):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, *command], cwd=cwd, check=False, capture_output=True, env=ALONE)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return statistics.median(spent)


def project(folder: Path, replies: int) -> Path:
    """A project whose one probe asks for so many replies: a gap over two groups, so that nothing stops early."""
    folder.mkdir()
    (folder / "prompts/bench").mkdir(parents=True)
    (folder / "prompts/tables").mkdir()
    (folder / "prompts/tables/halves.yaml").write_text(
        textwrap.dedent(
            """\
            id: tables/halves
            version: 1
            title: "Halves"
            licence: CC0-1.0
            source: {written: "for this benchmark"}
            columns: {half: "which"}
            rows:
              - {value: "left", half: left}
              - {value: "right", half: right}
            """
        )
    )
    lines = [f'  - {{id: t{number}, number: "{number}"}}' for number in range(replies // 2)]
    text = SET.replace("user:", "slots: {side: {from: halves.yaml, each: half, pick: 1}}\nuser:").replace(
        "please", "{{ side }}"
    )
    (folder / "prompts/bench/many.yaml").write_text(text + "\n".join(lines) + "\n")
    (folder / "test_many.py").write_text(PROBES)
    (folder / "test_idle.py").write_text("def test_ordinary():\n    pass\n")
    (folder / "pytest.ini").write_text("[pytest]\n")
    return folder


def replies_cost(folder: Path) -> None:
    """CPU per reply, fresh and from a full store, beyond what collecting the same project costs."""
    print("replies    fresh ms/reply    again ms/reply")
    per_reply = {}
    for size in SIZES:
        made = project(folder / str(size), size)
        base = ("-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "alignsuite.plugin", "test_many.py")
        asked = (*base, "--model=scripted:good", "--align-tier=full")
        collected = cpu_seconds(*base, "--collect-only", cwd=made, runs=3)
        fresh = [cpu_seconds(*asked, f"--align-store=s{run}.sqlite", cwd=made, runs=1) for run in range(3)]
        again = cpu_seconds(*asked, "--align-store=s0.sqlite", cwd=made, runs=3)
        per_reply[size] = (statistics.median(fresh) - collected) / size
        print(f"{size:7}    {1000 * per_reply[size]:14.3f}    {1000 * (again - collected) / size:14.3f}")
    print(
        f"cost per reply at {SIZES[-1]} over {SIZES[0]}: {per_reply[SIZES[-1]] / per_reply[SIZES[0]]:.2f} (1 or less: linear)"
    )


def session_costs(folder: Path) -> None:
    """Collection of the shipped suites, and the idle plugin against pytest without it."""
    plain = ("-m", "pytest", "-q", "-p", "no:cacheprovider")
    idle = folder / "idle"
    made = project(idle, 2)
    door = ("-p", "alignsuite.plugin")
    on = cpu_seconds(*plain, *door, "test_idle.py", cwd=made, runs=11)
    off = cpu_seconds(*plain, "test_idle.py", cwd=made, runs=11)
    suites = cpu_seconds(*plain, *door, "suites", "--collect-only", cwd=ROOT)
    print(f"idle plugin: {1000 * (on - off):.0f} ms a session ({on / off:.3f} of pytest without it)")
    print(f"collecting all suites: {suites - off:.2f} s beyond pytest's own {off:.2f} s")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        session_costs(Path(scratch))
        replies_cost(Path(scratch))
