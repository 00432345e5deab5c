"""The live line: nothing of it is left in what pytest wrote, on a real terminal emulator and under a real pytest."""

from __future__ import annotations

import io
import os
import sys
import textwrap
from pathlib import Path

import pytest

import alignsuite
from alignsuite.pytest_plugin.live_line import LiveLine, Pace, progress_text

pyte = pytest.importorskip("pyte")


class Terminal(io.StringIO):
    """A text stream that says it is a terminal."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        """It is."""
        return True


class Clock:
    """A clock that goes on when told."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """The time."""
        return self.now


def shown(text: str, width: int, height: int = 10) -> list[str]:
    """The whole screen with its scrolled-off rows, as a terminal shows it; trailing blank rows don't count."""
    screen = pyte.HistoryScreen(width, height, history=1000)
    pyte.Stream(screen).feed(text.replace("\n", "\r\n"))
    gone = ["".join(row[column].data for column in range(width)).rstrip() for row in screen.history.top]
    rows = [*gone, *(row.rstrip() for row in screen.display)]
    while rows and not rows[-1]:
        rows.pop()
    return rows


def drawn(pieces: list[str], *, width: int) -> tuple[str, str]:
    """What a terminal got when updates came between the pieces, and after each; and the pieces alone."""
    stream, clock = Terminal(), Clock()
    line = LiveLine(stream, width=lambda: width, clock=clock)
    guard = line.guard()
    for index, piece in enumerate(pieces):
        guard.write(piece)
        clock.now += 1
        line.update(index, 400, from_store=3)
    before = stream.getvalue()
    line.clear()
    assert before != "".join(pieces), "the line was never drawn, so nothing was tested"
    return stream.getvalue(), "".join(pieces)


DOTS = [
    "==== session starts ====\n",
    "a/test_a.py ",
    *"...F..s",
    " [ 50%]",
    "\n",
    "a/test_b.py ",
    *"....",
    " [100%]",
    "\n",
    "done\n",
]


@pytest.mark.parametrize("height", [10, 4, 2])
def test_dots_and_updates_leave_only_the_dots(height: int) -> None:
    """After mixed output the screen is pytest's own, in the middle of the screen and where each new line scrolls."""
    mixed, alone = drawn(DOTS, width=50)
    assert shown(mixed, 50, height) == shown(alone, 50, height)


def test_the_line_stands_below_the_dots_while_work_goes_on() -> None:
    """The dots stay in their row, the live line is in the next, and the cursor is back behind the last dot."""
    stream = Terminal()
    line = LiveLine(stream, width=lambda: 80, clock=Clock())
    guard = line.guard()
    guard.write("a/test_a.py ...")
    line.update(120, 400, from_store=40)
    assert shown(stream.getvalue(), 80) == ["a/test_a.py ...", "alignsuite  120/400 replies · 30 % · 40 from the store"]
    guard.write("F")
    assert shown(stream.getvalue(), 80) == ["a/test_a.py ...F"]


@pytest.mark.parametrize("length", [39, 40, 41, 79, 80, 81, 120])
@pytest.mark.parametrize("height", [10, 3])
def test_lines_of_the_terminals_width_and_longer_survive(length: int, height: int) -> None:
    """A row filled to its last cell, and one that wraps, look as they would without the live line."""
    pieces = ["start\n", "x" * length, "y", "\n", "x" * length, "\n", "end\n"]
    mixed, alone = drawn(pieces, width=40)
    assert shown(mixed, 40, height) == shown(alone, 40, height)


def test_after_the_last_cell_nothing_is_drawn() -> None:
    """A terminal that waits in its last cell can't be brought back there, so the line waits too."""
    stream = Terminal()
    line = LiveLine(stream, width=lambda: 40, clock=Clock())
    line.guard().write("x" * 40)
    line.update(1, 2)
    assert stream.getvalue() == "x" * 40


def test_colours_and_wide_characters_count_by_their_cells() -> None:
    """Escape sequences take no cells and East-Asian characters two, so the cursor comes back to the right column."""
    pieces = ["\x1b[32m.\x1b[0m", "日本語", "\x1b[31mF\x1b[0m", "\n"]
    mixed, alone = drawn(pieces, width=40)
    assert shown(mixed, 40) == shown(alone, 40)


def test_a_callable_may_give_the_column() -> None:
    """Whoever knows pytest's current width needs no guard, and clears before other writes."""
    stream = Terminal()
    line = LiveLine(stream, lambda: 3, width=lambda: 40, clock=Clock())
    stream.write("...")
    line.update(1, 2)
    line.clear()
    stream.write("F\n")
    assert shown(stream.getvalue(), 40) == ["...F"]


def test_at_most_five_updates_a_second_are_drawn() -> None:
    """A thousand updates in one second draw the line five times."""
    stream, clock = Terminal(), Clock()
    line = LiveLine(stream, width=lambda: 80, clock=clock)
    for step in range(1000):
        clock.now = step / 1000
        line.update(step, 1000)
    assert stream.getvalue().count("alignsuite") == 5


def test_the_text_is_cut_to_the_terminal() -> None:
    """A narrow terminal gets a shorter text, never a second row."""
    stream = Terminal()
    line = LiveLine(stream, width=lambda: 24, clock=Clock())
    line.update(120, 400, from_store=40)
    assert shown(stream.getvalue(), 24) == ["", "alignsuite  120/400 re…"]


def test_no_terminal_gets_no_escapes() -> None:
    """A pipe stays silent; with `plain` it hears one line a minute."""
    said: list[str] = []
    stream, clock = io.StringIO(), Clock()
    line = LiveLine(stream, clock=clock, plain=said.append)
    for second in range(0, 150, 5):
        clock.now = float(second)
        line.update(second, 400)
        line.clear()
    assert stream.getvalue() == ""
    assert len(said) == 2
    assert said[0].startswith("alignsuite  60/400 replies · 15 %")


def test_a_dumb_terminal_counts_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """TERM=dumb can't go up a row."""
    monkeypatch.setenv("TERM", "dumb")
    stream = Terminal()
    LiveLine(stream, clock=Clock()).update(1, 2)
    assert stream.getvalue() == ""


def test_a_terminal_without_unicode_gets_question_marks() -> None:
    """A stream in ASCII must not end a run by an encoding error."""
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    stream.isatty = lambda: True  # type: ignore[method-assign]
    LiveLine(stream, width=lambda: 80, clock=Clock()).update(1, 2)
    assert b"alignsuite  1/2 replies ? 50 %" in raw.getvalue()


def test_no_time_left_is_guessed_from_too_little() -> None:
    """Neither loading weights nor replies from the store tell how fast the rest will come."""
    pace = Pace()
    pace.note(0.0, 0)
    pace.note(40.0, 1)
    pace.note(41.0, 2)
    assert pace.per_second() is None
    for step in range(3, 12):
        pace.note(39.0 + step, step)
    assert pace.per_second() == pytest.approx(1.0)


def test_the_pace_is_that_of_the_last_minute() -> None:
    """A server that slows down is believed within a minute."""
    pace = Pace()
    for second in range(100):
        pace.note(float(second), 1 + second * 10)
    for second in range(100, 170):
        pace.note(float(second), 991 + (second - 99))
    assert pace.per_second() == pytest.approx(1.0, rel=0.2)


def test_a_stalled_model_looks_stalled() -> None:
    """While nothing comes, the pace falls."""
    pace = Pace()
    for second in range(10):
        pace.note(float(second), 1 + second)
    pace.note(59.0, 10)
    assert pace.per_second() == pytest.approx(9 / 59)


def test_a_hundred_percent_is_not_said_before_the_end() -> None:
    """399 of 400 is 99 %; the end is 100 % and has no time left."""
    assert "99 %" in progress_text(399, 400, per_second=1.0)
    assert progress_text(400, 400, per_second=1.0) == "alignsuite  400/400 replies · 100 %"
    assert progress_text(0, 0) == "alignsuite  0/0 replies"


CONFTEST = """
import os, threading, time
import pytest
from alignsuite.pytest_plugin.live_line import LiveLine

@pytest.hookimpl(trylast=True)
def pytest_sessionstart(session):
    writer = session.config.pluginmanager.get_plugin("terminalreporter")._tw
    with session.config.pluginmanager.get_plugin("capturemanager").global_and_fixture_disabled():
        terminal = os.fdopen(os.dup(writer._file.fileno()), "w", encoding="utf-8")
    line = LiveLine(terminal)
    writer._file = line.guard(writer._file)
    stop = threading.Event()
    def work():
        done = 0
        while not stop.wait(0.01):
            done += 1
            line._last = float("-inf")
            line.update(done, 4_000_000, from_store=done)
    thread = threading.Thread(target=work)
    thread.start()
    session.config.add_cleanup(lambda: (stop.set(), thread.join(), line.clear()))
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs a pseudo-terminal")
@pytest.mark.parametrize("flag", ["-q", "-v"])
def test_a_real_pytest_in_a_real_terminal_looks_untouched(tmp_path: Path, flag: str) -> None:
    """Dots, failures and the summary of a session look the same with a thread that draws all the while."""
    (tmp_path / "test_it.py").write_text(
        textwrap.dedent("""
        import time, pytest
        @pytest.mark.parametrize("n", range(30))
        def test_it(n):
            time.sleep(0.02)
            assert n != 7
        """)
    )
    without = in_terminal(tmp_path, flag)
    (tmp_path / "conftest.py").write_text(CONFTEST)
    drawn_over = in_terminal(tmp_path, flag)
    assert drawn_over.count("alignsuite  ") > 10
    assert screen_of(drawn_over) == screen_of(without)


def screen_of(text: str) -> list[str]:
    """The screen's rows without the one that tells the time."""
    return [row for row in shown(text.replace("\r\n", "\n"), 60, 12) if " in " not in row]


def in_terminal(folder: Path, flag: str) -> str:
    """What pytest writes into a terminal of 60 × 12 cells."""
    import fcntl
    import pty
    import struct
    import subprocess
    import termios

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 12, 60, 0, 0))
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in ("COLUMNS", "LINES", "NO_COLOR", "CI", "PYTEST_ADDOPTS")
    }
    command = [
        sys.executable,
        "-m",
        "pytest",
        flag,
        "-p",
        "no:cacheprovider",
        "-p",
        "no:alignsuite",
        "-c",
        os.devnull,
        "--rootdir=.",
        "--tb=line",
        "test_it.py",
    ]
    environment |= {"TERM": "xterm", "PYTHONPATH": str(Path(alignsuite.__file__).parents[1])}
    child = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, cwd=folder, env=environment)
    os.close(theirs)
    pieces = []
    while True:
        try:
            piece = os.read(ours, 65536)
        except OSError:
            break
        if not piece:
            break
        pieces.append(piece)
    child.wait()
    os.close(ours)
    return b"".join(pieces).decode()
