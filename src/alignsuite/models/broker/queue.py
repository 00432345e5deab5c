"""Priority queue of requests for the engine: those that somebody waits for first, then the plan.

Iterating blocks while there is nothing to do, and ends when the queue is closed. What was taken once is not handed out again.
"""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from collections.abc import Iterable, Iterator

from alignsuite.models.protocol import Request


class RequestQueue:
    """Priority queue of requests, filled by several threads, read by one; `changed` is notified with every change."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self._urgent: deque[Request] = deque()
        self._planned: OrderedDict[Request, None] = OrderedDict()  # a plain dict emptied from its front is quadratic
        self._taken: set[Request] = set()
        self._closed = False

    def add(self, requests: Iterable[Request], *, urgent: bool) -> None:
        """Enqueue what was not taken yet, sorted by what prompts begin with."""
        with self.changed:
            fresh = sorted((request for request in requests if request not in self._taken), key=_opening)
            if urgent:
                self._urgent.extend(fresh)
            else:
                self._planned.update(dict.fromkeys(fresh))
            self.changed.notify_all()

    def drop(self, requests: Iterable[Request]) -> set[Request]:
        """Requests that will now not be asked, since they are urgent for nobody any more. The plan stands."""
        with self.changed:
            unwanted = set(requests) - self._taken
            if unwanted:
                self._urgent = deque(request for request in self._urgent if request not in unwanted)
            return {request for request in unwanted if request not in self._planned}

    def forget(self, requests: set[Request]) -> None:
        """Remember no longer that these were taken.

        They were answered, and whoever wants them again finds them elsewhere.
        """
        with self.changed:
            self._taken -= requests

    def close(self) -> None:
        """Hand out nothing more."""
        with self.changed:
            self._closed = True
            self.changed.notify_all()

    def __iter__(self) -> Iterator[Request]:
        while True:
            with self.changed:
                request = self._next()
                while request is None:
                    if self._closed:
                        return
                    self.changed.wait()
                    request = self._next()
                self._taken.add(request)
            yield request

    def _next(self) -> Request | None:
        if self._closed:
            return None
        while self._urgent:
            request = self._urgent.popleft()
            if request not in self._taken:
                self._planned.pop(request, None)
                return request
        while self._planned:
            request, _ = self._planned.popitem(last=False)
            if request not in self._taken:
                return request
        return None


def _opening(request: Request) -> str:
    """Sort key of a request: the text of its prompt.

    Prompts that share a prefix stand together, and engines read the shared part once.
    """
    prompt = request.prompt
    return prompt if isinstance(prompt, str) else "\0".join(message.content for message in prompt)
