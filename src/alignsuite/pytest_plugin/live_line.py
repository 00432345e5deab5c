"""Live progress line for long work that leaves pytest's own output exactly as it would have been.

pytest writes its dots without a line break, so a progress bar in the same line would garble them. This line is drawn in the row *below* the
cursor, and the cursor comes back to its column: line break (scrolling, if need be), erase, text, up, right.

What may surprise:

- Whatever else writes a line break writes it into the drawn row. So either `clear()` is called before every other write, or everything
  else writes through `guard()`, which does just that, and knows the column too.
- While a test runs, pytest's capture has taken standard output away, so a line drawn there ends up among the test's captured text.
  The stream has to be a duplicate of the terminal, made while capture is suspended:

      with capturemanager.global_and_fixture_disabled():
          terminal = os.fdopen(os.dup(writer._file.fileno()), "w", encoding="utf-8")
      line = LiveLine(terminal)
      writer._file = line.guard(writer._file)

- After a character in the last column a terminal waits there, in a state that cannot be restored: then nothing is drawn.
"""

from __future__ import annotations

import os
import re
import shutil
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any, TextIO

from alignsuite.text.cells import columns, cut
from alignsuite.text.numbers import plural

_LEAST_PAUSE_S = 0.2
_PLAIN_PAUSE_S = 60.0
_WINDOW_S = 60.0
_SURE_AFTER_S = 3.0
_SURE_AFTER_REPLIES = 5
_LEAST_WIDTH = 20

_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Pace:
    """Rate of fresh replies over the last minute.

    The clock starts with the first fresh reply, so the time that weights take to load, and replies from the store, slow nothing
    and speed nothing up.
    """

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int]] = deque()

    def note(self, now: float, fresh: int) -> None:
        """Note how many fresh replies there are by now."""
        if fresh > 0:
            self._seen.append((now, fresh))
        while len(self._seen) > 2 and self._seen[1][0] <= now - _WINDOW_S:
            self._seen.popleft()

    def per_second(self) -> float | None:
        """Fresh replies a second; None until enough were seen to say."""
        if not self._seen:
            return None
        (start, first), (end, last) = self._seen[0], self._seen[-1]
        if end - start < _SURE_AFTER_S or last - first < _SURE_AFTER_REPLIES:
            return None
        return (last - first) / (end - start)


def progress_text(done: int, total: int, *, from_store: int = 0, per_second: float | None = None) -> str:
    """Text of the line. What is not known yet is left out.

    >>> progress_text(120, 400, from_store=40, per_second=3.2)
    'alignsuite  120/400 replies · 30 % · 3.2/s · about 90 s left · 40 from the store'
    """
    parts = [f"alignsuite  {done}/{plural(total, 'reply')}"]
    if total > 0:
        parts.append(f"{min(done, total) * 100 // total} %")
    if per_second and done < total:
        parts.append(f"{per_second:.1f}/s" if per_second >= 0.95 else f"{per_second * 60:.1f}/min")
        parts.append(f"about {_left((total - done) / per_second)} left")
    if from_store:
        parts.append(f"{from_store} from the store")
    return " · ".join(parts)


def _left(seconds: float) -> str:
    if seconds < 100:
        return f"{max(5, round(seconds / 5) * 5)} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min".removesuffix(" 0 min")


class LiveLine:
    """Live progress line. Safe to update from a thread while pytest writes through the guard.

    Args:
        stream: the terminal itself (see the module's text on capture).
        column: the width of pytest's current line. Asked while there is no guard, and once when the guard begins, which then counts for
            itself: pytest's own count is ahead of what it has written for a moment, and a thread may draw in that moment.
        width: the width of the terminal in cells; by default the stream is asked. (`shutil.get_terminal_size` asks standard output, and
            would be told nothing while pytest captures it.)
        clock: seconds that never go back.
        plain: called with the text once a minute where the stream is no terminal; without it such a stream stays silent.
    """

    def __init__(
        self,
        stream: TextIO,
        column: Callable[[], int] | None = None,
        *,
        width: Callable[[], int] | None = None,
        clock: Callable[[], float] = time.monotonic,
        plain: Callable[[str], None] | None = None,
    ) -> None:
        self._stream = stream
        self._guards: list[Guard] = []
        self._given = column or (lambda: 0)
        self._width = width or (lambda: _columns_of(stream))
        self._clock = clock
        self._plain = plain
        self._live = _is_terminal(stream)
        self._pace = Pace()
        self._started: float | None = None
        self._last = float("-inf")
        self._drawn = False
        self.lock = threading.RLock()

    def guard(self, file: TextIO | None = None) -> Guard:
        """`Guard` in place of pytest's file (or of the stream), through which everything else has to write."""
        with self.lock:
            self._guards.append(Guard(file or self._stream, self, self._column()))
            return self._guards[-1]

    def _column(self) -> int:
        return self._guards[-1].column if self._guards else self._given()

    def update(self, done: int, total: int, *, from_store: int = 0) -> None:
        """Draw the progress of the work, at most five times a second."""
        with self.lock:
            now = self._clock()
            self._pace.note(now, done - from_store)
            if self._started is None:
                self._started = now
            text = progress_text(done, total, from_store=from_store, per_second=self._pace.per_second())
            if self._live:
                self._live_update(now, text)
            elif self._plain and now - max(self._last, self._started) >= _PLAIN_PAUSE_S:
                self._last = now
                self._plain(text)

    def _live_update(self, now: float, text: str) -> None:
        if now - self._last >= _LEAST_PAUSE_S and self._draw(text):
            self._last = now
            self._drawn = True

    def clear(self) -> None:
        """Erase the line, if it is drawn."""
        with self.lock:
            if self._drawn and self._draw(""):
                self._drawn = False

    def _draw(self, text: str) -> bool:
        width = self._width()
        column = self._column()
        if width < _LEAST_WIDTH or (column > 0 and column % width == 0):
            return False
        encoding = getattr(self._stream, "encoding", None) or "utf-8"
        shown = cut(text, width - 1).encode(encoding, "replace").decode(encoding)
        self._stream.write(f"\n\x1b[2K\r{shown}\x1b[1A\x1b[{column % width + 1}G")
        self._stream.flush()
        return True


class Guard:
    """Text stream that erases the live line before each write, and counts the width of the current line.

    Each write is flushed: a dot that still waits in a buffer would be drawn over.
    """

    def __init__(self, file: TextIO, line: LiveLine, column: int) -> None:
        self._file = file
        self._line = line
        self._before = column
        self._current = ""

    @property
    def column(self) -> int:
        """Column: cells that the text since the last line break takes."""
        return self._before + columns(_ESCAPES.sub("", self._current))

    def write(self, text: str) -> int:
        """Erase the live line, then write."""
        with self._line.lock:
            self._line.clear()
            *broken, last = re.split(r"[\n\r]", text)
            self._before = 0 if broken else self._before
            self._current = last if broken else self._current + last
            written = self._file.write(text)
            self._file.flush()
            return written

    def writelines(self, lines: Iterable[str]) -> None:
        """Write them one after another."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 (whatever the file has)
        return getattr(self._file, name)


def _columns_of(stream: TextIO) -> int:
    with suppress(OSError, ValueError):
        if width := os.get_terminal_size(stream.fileno()).columns:
            return width
    return shutil.get_terminal_size().columns


def _is_terminal(stream: TextIO) -> bool:
    return bool(getattr(stream, "isatty", lambda: False)()) and os.environ.get("TERM") != "dumb"
