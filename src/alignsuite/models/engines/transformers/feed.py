"""Read-ahead of requests for an engine that works in batches, from an iterator that may block while it is empty.

The iterator is read in a thread, at most `width` requests ahead of the replies that the consumer has come back from. A batch never
waits for more work than is there: it takes what has arrived, after a pause of ten milliseconds in which nothing did.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from queue import Empty, SimpleQueue

from alignsuite.models.protocol import Request

_PAUSE_S = 0.01


class Feed:
    """Bounded read-ahead. Use `pull`, and `done` for each reply that the consumer has taken."""

    def __init__(self, requests: Iterable[Request], width: int) -> None:
        self._slots = threading.Semaphore(width)
        self._arrived: SimpleQueue[Request | None] = SimpleQueue()
        self._failure: BaseException | None = None
        self._over = False
        self.ended = False
        self._reader = threading.Thread(
            target=self._read, args=(requests,), name="alignsuite-transformers-feed", daemon=True
        )
        self._reader.start()

    def pull(self, *, wait: bool) -> list[Request]:
        """Requests that have arrived; with `wait` one at least, unless none is left. After the last, `ended` is true."""
        found: list[Request] = []
        while not self.ended:
            try:
                request = self._arrived.get(timeout=None if wait and not found else _PAUSE_S)
            except Empty:
                break
            if request is None:
                self.ended = True
            else:
                found.append(request)
        return found

    def done(self) -> None:
        """One reply was taken: one more request may be read."""
        self._slots.release()

    def close(self) -> None:
        """Read no more. A reader that waits inside the caller's iterator ends when that does."""
        self._over = True
        self._slots.release()

    def raise_failure(self) -> None:
        """Raise what the iterator of requests raised, if it did."""
        if self._failure is not None:
            raise self._failure

    def _read(self, requests: Iterable[Request]) -> None:
        try:
            unread = iter(requests)
            while self._slots.acquire() and not self._over:
                self._arrived.put(next(unread))
        except StopIteration:
            pass
        except BaseException as error:  # raised again in the consumer's thread
            self._failure = error
        self._arrived.put(None)
