"""Event loop in a thread, and a feeder in another: requests from an iterator to results in order of arrival.

Requests come from an iterator that may block for minutes, so it is read in a thread and never in the loop. At most
`room()` requests are out at any moment, from the time they are read until the consumer has come back for the next
result: a consumer that stops to think stops the spending too. All threads are daemons, and all end with the generator
or the model; only a feeder that waits inside the caller's own iterator can't be woken, and ends when that iterator
does.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any

from alignsuite.errors import ModelError, RequestError
from alignsuite.models.protocol import ModelInfo, Reply, Request

Result = tuple[Request, Reply | RequestError]
Done = tuple[Reply | RequestError, ModelInfo]
"""What came of a request, and what was known of the model when it came."""
Work = Callable[[Request], Coroutine[Any, Any, Done]]

_PATIENCE_S = 1.0
_CLOSED = "the model was closed while requests were under way; open it again to ask on"


class LoopThread:
    """Event loop in a thread. `at_end` runs in the loop before it goes."""

    def __init__(self, at_end: Callable[[], Awaitable[None]]) -> None:
        self._at_end = at_end
        started = threading.Event()
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._live(started)), name="alignsuite-endpoint-loop", daemon=True
        )
        self._thread.start()
        started.wait()

    async def _live(self, started: threading.Event) -> None:
        self.loop, self._end = asyncio.get_running_loop(), asyncio.Event()
        started.set()
        await self._end.wait()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await self._at_end()

    def call(self, function: Callable[..., object], *args: object) -> bool:
        """Run something in the loop soon; False if the loop has ended."""
        try:
            self.loop.call_soon_threadsafe(function, *args)
        except RuntimeError:  # the loop is closed; it has no other way to say so
            return False
        return True

    def stop(self) -> None:
        """End the loop and all that runs in it. May be called twice, and from any thread."""
        self.call(self._end.set)
        if threading.current_thread() is not self._thread:
            self._thread.join(2 * _PATIENCE_S)


@dataclass(frozen=True)
class _Fed:
    """The feeder is done: so many requests were handed in, and this is what stopped it if it was not the end."""

    count: int
    failure: BaseException | None


@dataclass(frozen=True)
class _Failed:
    """Something that ends the run."""

    error: BaseException


class Run:
    """One call of `answer`: an iterator of requests to results as they arrive."""

    def __init__(self, home: LoopThread, work: Work, requests: Iterable[Request], room: Callable[[], int]) -> None:
        self._home = home
        self._work = work
        self._room = room
        self._out = 0
        self._came_back = threading.Condition()
        self._arrived: SimpleQueue[tuple[Request, Done] | _Fed | _Failed] = SimpleQueue()
        self._tasks: set[asyncio.Task[Done]] = set()
        self._over = threading.Event()
        self._quiet = threading.Event()  # over, and nothing under way
        self._feeder = threading.Thread(
            target=self._feed, args=(requests,), name="alignsuite-endpoint-feeder", daemon=True
        )

    def results(self) -> Iterator[tuple[Request, Done]]:
        """Each request with its result, in order of arrival.

        Raises:
            ModelError: as soon as one request shows that asking on is useless. What the iterator of requests raises is
                raised after the replies to all it had given.
        """
        self._feeder.start()
        fed, seen = None, 0
        try:
            while fed is None or seen < fed.count:
                event = self._arrived.get()
                if isinstance(event, _Failed):
                    raise event.error
                if isinstance(event, _Fed):
                    fed = event
                    continue
                seen += 1
                yield event
                with self._came_back:
                    self._out -= 1
                    self._came_back.notify()
            if fed.failure is not None:
                raise fed.failure
        finally:
            self._stop()

    def fail(self, error: ModelError) -> None:
        """End the run from another thread, after what has arrived."""
        self._arrived.put(_Failed(error))

    def look_again(self) -> None:
        """There may be more room than before."""
        with self._came_back:
            self._came_back.notify()

    def _feed(self, requests: Iterable[Request]) -> None:
        count, failure = 0, None
        try:
            unread = iter(requests)
            while self._wait_for_room():
                if not self._home.call(self._start, next(unread)):
                    raise ModelError(_CLOSED)
                count += 1
        except StopIteration:
            pass
        except BaseException as error:  # raised again in the consumer's thread
            failure = error
        self._arrived.put(_Fed(count, failure))

    def _wait_for_room(self) -> bool:
        """Take a place; False when the run is over."""
        with self._came_back:
            while not self._over.is_set() and self._out >= self._room():
                self._came_back.wait()
            self._out += 1
        return not self._over.is_set()

    def _start(self, request: Request) -> None:
        if self._over.is_set():
            return
        task = self._home.loop.create_task(self._work(request))
        self._tasks.add(task)
        task.add_done_callback(lambda done: self._finished(request, done))

    def _finished(self, request: Request, task: asyncio.Task[Done]) -> None:
        self._tasks.discard(task)
        if self._over.is_set() and not self._tasks:
            self._quiet.set()
        if task.cancelled():
            self._arrived.put(_Failed(ModelError(_CLOSED)))
            return
        error = task.exception()
        self._arrived.put((request, task.result()) if error is None else _Failed(error))

    def _stop(self) -> None:
        self._over.set()
        self.look_again()
        if self._home.call(self._cancel):
            self._quiet.wait(_PATIENCE_S)
        self._feeder.join(0.2)

    def _cancel(self) -> None:
        for task in self._tasks:
            task.cancel()
        if not self._tasks:
            self._quiet.set()
