"""Terminal output while work goes on, past pytest's capture and without garbling its output."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

    from alignsuite.models.broker.broker import Progress
    from alignsuite.pytest_plugin.live_line import LiveLine


class Terminal:
    """Terminal output while work goes on: single lines, and a live line below pytest's own."""

    def __init__(self, config: pytest.Config) -> None:
        self._reporter = config.pluginmanager.getplugin("terminalreporter")
        self._capture = config.pluginmanager.getplugin("capturemanager")
        self._wanted = config.getoption("align_progress") != "off"
        self._line: LiveLine | None = None

    def say(self, text: str) -> None:
        """Print one line of its own, as while a model is fetched."""
        if self._reporter is not None:
            with self._uncaptured():
                self._reporter.ensure_newline()
                self._reporter.write_line(text)

    def prepare(self) -> None:
        """Take hold of the terminal now; from then on `tick` may be called from another thread.

        That is another one than the thread that writes to it.
        """
        if self._line is None and self._wanted and self._reporter is not None and self._reporter.isatty:
            self._line = self._begin()

    def tick(self, progress: Progress) -> None:
        """Draw how far the model has come."""
        self.prepare()
        if self._line is not None:
            self._line.update(progress.done, progress.wanted, from_store=progress.from_store)

    def clear(self) -> None:
        """Erase the live line."""
        if self._line is not None:
            self._line.clear()

    def _begin(self) -> LiveLine:
        """Take hold of the terminal itself, past pytest's capture.

        pytest writes through a guard that clears the line first.
        """
        from alignsuite.pytest_plugin.live_line import LiveLine

        writer = self._reporter._tw
        with self._uncaptured():
            line = LiveLine(
                os.fdopen(os.dup(writer._file.fileno()), "w", encoding="utf-8"),
                column=lambda: writer.width_of_current_line,
            )
        writer._file = line.guard(writer._file)
        return line

    def _uncaptured(self) -> AbstractContextManager[None]:
        return nullcontext() if self._capture is None else self._capture.global_and_fixture_disabled()
