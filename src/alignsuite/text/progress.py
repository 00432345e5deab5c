"""Progress bar: one line that says how far a long piece of work is, a download or a file being hashed.

It tells a callback where there is one, else it draws a bar on stderr where that is a terminal, else it is silent. It is throttled, so
the work may report every block.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from types import TracebackType

Tell = Callable[[str], None]

_MIB = 1 << 20
_WIDTH = 30


class ProgressLine:
    """Progress bar of one piece of work, in bytes; use it as a context manager so that its line is ended.

    A callback hears at most one line a second and always the first; a terminal is redrawn ten times a second.
    """

    def __init__(self, label: str, total: int, tell: Tell | None = None) -> None:
        self._label = label
        self._total = max(total, 1)
        self._tell = tell
        self._terminal = tell is None and sys.stderr.isatty()
        self._next = 0.0

    def at(self, done: int) -> None:
        """Note that `done` bytes are done."""
        now = time.monotonic()
        if now < self._next or not (self._tell or self._terminal):
            return
        self._next = now + (1.0 if self._tell else 0.1)
        done = min(done, self._total)
        share = done / self._total
        amount = f"{done / _MIB:.0f} of {self._total / _MIB:.0f} MiB"
        if self._tell:
            self._tell(f"{self._label}: {amount}")
            return
        bar = "#" * round(share * _WIDTH)
        sys.stderr.write(f"\r{self._label} [{bar:<{_WIDTH}}] {share:4.0%} {amount}")
        sys.stderr.flush()

    def __enter__(self) -> ProgressLine:
        """Begin."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the bar's line, whatever happened."""
        if self._terminal and self._next:
            sys.stderr.write("\n")
            sys.stderr.flush()
