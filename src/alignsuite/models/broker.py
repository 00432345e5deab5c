"""The broker: the one owner of the model. It looks into the store, sends what is missing, keeps what comes, and hands it on.

All items of a session share it. `plan` hands in what will be needed in any case, in the order in which it will be needed; from then on a
thread keeps the engine busy with it. `get` waits for particular replies and moves theirs to the front of the queue. A request is asked
once, however many items want it. Nothing is asked beyond the plan and what was waited for.

A session on several processes will put a socket between `get` and the rest; items know only `get`, so nothing else changes.
"""

from __future__ import annotations

import math
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from alignsuite.errors import ModelError, ReplayMissing, RequestError
from alignsuite.models.protocol import Chosen, Generate, Generated, Model, ModelInfo, Reply, Request
from alignsuite.models.store import Store

Tick = Callable[["Progress"], None]


@dataclass(frozen=True)
class Progress:
    """How far the work known so far has come: requests answered, of those wanted; how many of the answers the store had."""

    done: int
    wanted: int
    from_store: int


@dataclass(frozen=True)
class Delivery:
    """What `get` hands back: a reply or a failure for each request, in the order asked; and what was paid for them.

    A reply that several items want is paid for by the first; to the others it came from the store.
    """

    replies: tuple[Reply | RequestError, ...]
    from_store: int
    seconds: float


class _Queue:
    """Requests that wait for the engine: those that an item waits for first, then the plan. Iterating blocks while it is empty."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self._urgent: deque[Request] = deque()
        self._planned: dict[Request, None] = {}
        self._taken: set[Request] = set()
        self._closed = False

    def add(self, requests: Iterable[Request], *, urgent: bool) -> None:
        with self.changed:
            fresh = sorted((request for request in requests if request not in self._taken), key=_opening)
            if urgent:
                self._urgent.extend(fresh)
            else:
                self._planned.update(dict.fromkeys(fresh))
            self.changed.notify_all()

    def close(self) -> None:
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
            request = next(iter(self._planned))
            del self._planned[request]
            if request not in self._taken:
                return request
        return None


def _opening(request: Request) -> str:
    """What a prompt begins with: sorted by it, prompts that share a prefix stand together, and engines read the shared part once."""
    prompt = request.prompt
    return prompt if isinstance(prompt, str) else "\0".join(message.content for message in prompt)


def checked(request: Request, reply: Reply | RequestError) -> Reply | RequestError:
    """The reply, if it answers the request; what an engine gave instead is no evidence, and is not kept.

    >>> checked(Generate("p"), Chosen((0.0,)))
    RequestError('the engine answered a request for text with Chosen')
    """
    if isinstance(reply, RequestError):
        return reply
    if isinstance(request, Generate):
        if isinstance(reply, Generated):
            return reply
        return RequestError("bad_answer", f"the engine answered a request for text with {type(reply).__name__}")
    asked = f"the engine answered a choice of {len(request.options)} options"
    if not isinstance(reply, Chosen) or len(reply.log_probs) != len(request.options):
        return RequestError("bad_answer", f"{asked} with {reply!r}")
    if any(math.isnan(value) or value > 0.01 for value in reply.log_probs):
        return RequestError("bad_answer", f"{asked} with numbers that are no log-probabilities: {reply.log_probs}")
    return reply


class Broker:
    """Owns a model and a store; see the module."""

    def __init__(self, model: Model, store: Store, *, replay: bool = False, tick: Tick | None = None) -> None:
        self._model, self._store, self._replay, self._tick = model, store, replay, tick
        self._queue = _Queue()
        self._changed = self._queue.changed
        self._answers: dict[Request, Reply | RequestError] = {}
        self._paid: dict[Request, float] = {}  # seconds of the replies that no delivery has accounted for yet
        self._calls = 0
        self._wanted: set[Request] = set()
        self._fault: Exception | None = None
        self._thread: threading.Thread | None = None

    @property
    def info(self) -> ModelInfo:
        """What is known of the model."""
        return self._model.info

    @property
    def calls(self) -> int:
        """How many replies this session paid for."""
        return self._calls

    def plan(self, requests: Iterable[Request]) -> None:
        """Hand in what will be needed in any case, in the order in which it will be. Returns at once."""
        self._want(list(dict.fromkeys(requests)), urgent=False)

    def get(self, requests: Sequence[Request]) -> Delivery:
        """Wait for the replies to these requests.

        Raises:
            ReplayMissing: in replay, when the store lacks some of them.
            ModelError: when the model can't be used at all.
            StoreError: when a reply could not be kept.
        """
        self._want(requests, urgent=True)
        arrived = 0
        while True:
            with self._changed:
                while arrived < len(requests) and requests[arrived] in self._answers:
                    arrived += 1
                if arrived == len(requests):
                    paid = [self._paid.pop(request) for request in requests if request in self._paid]
                    replies = tuple(self._answers[request] for request in requests)
                    return Delivery(replies, len(requests) - len(paid), sum(paid))
                self._give_up_if_hopeless(requests)
                self._changed.wait(timeout=0.2)
            self._report()

    def _give_up_if_hopeless(self, requests: Sequence[Request]) -> None:
        if self._fault is not None:
            raise self._fault
        if self._replay:
            missing = sum(request not in self._answers for request in requests)
            raise ReplayMissing(
                f"--align-replay: the store {self._store.path} lacks {missing} of {len(requests)} replies of {self.info.name} that this "
                "probe needs: run once without --align-replay to ask for them"
            )

    def close(self) -> None:
        """Stop asking and free the model. Replies that were on their way are lost to this session, not those that had arrived."""
        self._queue.close()
        self._model.close()
        if self._thread is not None:
            self._thread.join(timeout=5)

    def _want(self, requests: Sequence[Request], *, urgent: bool) -> None:
        with self._changed:
            unknown = [request for request in requests if request not in self._wanted]
            self._wanted.update(unknown)
        if unknown:
            stored = self._store.get(self.info.fingerprint, unknown)
            with self._changed:
                self._answers.update(stored)
        with self._changed:
            missing = [request for request in requests if request not in self._answers]
        if missing and not self._replay:
            self._queue.add(missing, urgent=urgent)
            self._start()

    def _start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="alignsuite-broker", daemon=True)
            self._thread.start()

    def _work(self) -> None:
        """Feed the engine until the session ends; whatever ends it early is raised in `get`, where a person sees it."""
        fault: Exception = ModelError(
            f"the engine of {self.info.name} stopped before all was asked: a fault of the engine, what had arrived is in the store"
        )
        try:
            for request, answer in self._model.answer(self._queue):
                reply = checked(request, answer)
                try:
                    if not isinstance(reply, RequestError):
                        self._store.put(self.info.fingerprint, request, reply)
                finally:
                    self._deliver(request, reply)
        except Exception as error:  # whatever it is, `get` raises it in the thread of the item that waits
            fault = error
        with self._changed:
            self._fault = fault
            self._changed.notify_all()

    def _deliver(self, request: Request, reply: Reply | RequestError) -> None:
        with self._changed:
            self._answers[request] = reply
            self._calls += 1
            self._paid[request] = 0.0 if isinstance(reply, RequestError) else reply.seconds
            self._changed.notify_all()

    def _report(self) -> None:
        if self._tick is not None:
            done = len(self._answers)
            self._tick(Progress(done, len(self._wanted), done - self._calls))
