"""The live line, in a real terminal: it is drawn while the model works, and nothing of it is left."""

from __future__ import annotations

import os
import pty
import subprocess
import sys

import pyte
import pytest

SLOW = """
    import time
    from alignsuite.models.engines.scripted import open_scripted

    class Slow:
        def __init__(self):
            self.inner = open_scripted("good")
            self.info = self.inner.info

        def answer(self, requests):
            for request in requests:
                time.sleep(0.03)
                yield request, self.inner._reply(request)

        def close(self):
            pass

    def pytest_alignsuite_open_model(name, settings):
        return Slow()
"""


def on_a_terminal(project: pytest.Pytester, *arguments: str) -> tuple[bytes, list[str]]:
    """What a run writes to a terminal of 100 × 40 cells, and what stands on it in the end."""
    leader, follower = pty.openpty()
    command = [sys.executable, "-m", "pytest", "--model=slow", "-k", "declines", "-p", "no:cacheprovider", *arguments]
    environment = os.environ | {"COLUMNS": "100", "LINES": "40", "TERM": "xterm"}
    running = subprocess.Popen(command, cwd=project.path, env=environment, stdout=follower, stderr=follower)
    os.close(follower)
    written = b""
    while True:
        try:
            portion = os.read(leader, 65_536)
        except OSError:  # how Linux says that the other end is closed
            break
        if not portion:
            break
        written += portion
    running.wait()
    os.close(leader)
    screen = pyte.Screen(100, 40)
    pyte.ByteStream(screen).feed(written)
    return written, [line.rstrip() for line in screen.display]


def test_it_is_drawn_and_leaves_nothing_behind(project: pytest.Pytester) -> None:
    """Counts of replies were shown on the way; in the end the file's line holds its dot, and no count stands anywhere."""
    project.makeconftest(SLOW)
    written, shown = on_a_terminal(project)
    assert b" replies \xc2\xb7 " in written
    [dots] = [line for line in shown if line.startswith("test_probes.py")]
    assert dots.split() == ["test_probes.py", ".", "[100%]"]
    assert not any(" replies · " in line for line in shown)


def test_it_can_be_switched_off(project: pytest.Pytester) -> None:
    """--align-progress=off draws nothing."""
    project.makeconftest(SLOW)
    written, _ = on_a_terminal(project, "--align-progress=off")
    assert b" replies \xc2\xb7 " not in written
