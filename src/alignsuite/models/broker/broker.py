"""Request broker: the one owner of a model, which hands out `Delivery`s of replies.

It looks into the store, sends what is missing, keeps what comes, and hands it on.

All items of a session share it. `plan` hands in what will be needed in any case, in the order in which it will be needed; from then on a
thread keeps the engine busy with it. `get` waits for particular replies and moves theirs to the front of the queue. A request is asked
once, however many items want it. Nothing is asked beyond the plan and what was waited for.

With pytest-xdist the broker lives in the controller, and workers reach it over a local socket (`broker.remote`). So `get` and `plan` may be
called from several threads at once, and one that waits may lose interest: its worker may be gone.
"""

from __future__ import annotations

import itertools
import math
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from alignsuite.errors import BudgetSpent, ModelError, ReplayMissing, RequestError
from alignsuite.models.broker.queue import RequestQueue
from alignsuite.models.protocol import (
    Chosen,
    Generate,
    Generated,
    LearningModel,
    Model,
    ModelInfo,
    Reply,
    Request,
    characters_of,
)
from alignsuite.models.store import Store
from alignsuite.models.thoughts import as_seen

Tick = Callable[["Progress"], None]

_LOOK_UP_S = 0.2
"""How often somebody who waits reports progress, and asks itself whether anybody still wants the replies."""
_PATIENCE_S = 0.5
"""How long closing waits for the engine to come to an end; its thread dies with the process."""
_CHARACTERS_A_TOKEN = 4
_ROUNDING = 0.01
"""What rounded log-probabilities may add up to beyond 1."""


@dataclass(frozen=True)
class Progress:
    """Progress count: requests answered, of those wanted so far, and how many of the answers the store had."""

    done: int
    wanted: int
    from_store: int


@dataclass(frozen=True)
class Delivery:
    """Delivery of `Broker.get`: a reply or a failure for each request, in the order asked, and what was paid.

    Thoughts stand apart from texts here (`thoughts.as_seen`); the store keeps replies as the engine gave them.
    A reply that several items want is paid for by the first; to the others it came from the store.
    """

    replies: tuple[Reply | RequestError, ...]
    from_store: int
    seconds: float


class WaiterGone(Exception):  # noqa: N818 (what happened, in one word)
    """Cancellation: whoever waited for these replies is gone."""


def checked(request: Request, reply: Reply | RequestError) -> Reply | RequestError:
    """Validated reply: itself if it answers the request, else a `RequestError`, which is no evidence and not kept.

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
    if any(math.isnan(value) or value > _ROUNDING for value in reply.log_probs):
        return RequestError("bad_answer", f"{asked} with numbers that are no log-probabilities: {reply.log_probs}")
    total = math.fsum(map(math.exp, itertools.compress(reply.log_probs, _apart(request.options))))
    if total > 1 + _ROUNDING:
        return RequestError(
            "bad_answer",
            f"{asked} with probabilities that add up to {total:.3g}, and no more than 1 can: {reply.log_probs}",
        )
    return reply


def _apart(options: Sequence[str]) -> Iterator[bool]:
    """Whether each option begins with no other one: a shorter option counts what begins with it, the longer one too."""
    return (not any(option != other and option.startswith(other) for other in options) for option in options)


def tokens_of(request: Request, reply: Reply) -> int:
    """Token count of a request and its reply, prompt and completion together.

    By their length, four characters a token, where the engine doesn't count.

    >>> tokens_of(Generate("four"), Generated("eight ch", prompt_tokens=2, completion_tokens=3))
    5
    >>> tokens_of(Generate("four"), Generated("eight ch"))
    3
    """
    counted = reply.prompt_tokens + reply.completion_tokens
    if counted:
        return counted
    length = characters_of(request.prompt) + (len(reply.text) if isinstance(reply, Generated) else 0)
    return max(1, length // _CHARACTERS_A_TOKEN)


class Broker:
    """Request broker over one model and one store; see the module. Safe to use from several threads.

    Args:
        model: answers what the store lacks.
        store: where replies are looked for and kept.
        replay: answer from the store alone.
        tick: hears of progress, from any thread that waits in `get`.
        budget: tokens that may be spent in this session; None for no cap.
    """

    def __init__(
        self,
        model: Model,
        store: Store,
        *,
        replay: bool = False,
        tick: Tick | None = None,
        budget: int | None = None,
    ) -> None:
        self._model, self._store, self._replay, self._tick, self._budget = model, store, replay, tick, budget
        self._learnt: Mapping[str, str] = store.learnt(model.info.fingerprint)
        if self._learnt and isinstance(model, LearningModel):
            model.recall(self._learnt)
        self._queue = RequestQueue()
        self._changed = self._queue.changed
        self._looking = threading.Lock()
        self._answers: dict[Request, Reply | RequestError] = {}
        self._paid: dict[Request, float] = {}  # seconds of the replies that no delivery has accounted for yet
        self._calls = 0
        self._spent = 0
        self._wanted: set[Request] = set()
        self._awaited: Counter[Request] = Counter()
        self._forgotten = 0
        self._fault: Exception | None = None
        self._thread: threading.Thread | None = None

    @property
    def info(self) -> ModelInfo:
        """Model card: what is known of the model."""
        return self._model.info

    @property
    def calls(self) -> int:
        """Count of replies that this session paid for."""
        return self._calls

    @property
    def spent(self) -> int:
        """Count of tokens that this session paid for, of prompts and replies together."""
        return self._spent

    def plan(self, requests: Iterable[Request]) -> None:
        """Prefetch what will be needed in any case, in the order in which it will be. Returns at once."""
        self._want(list(dict.fromkeys(requests)), urgent=False)

    def get(self, requests: Sequence[Request], *, still_wanted: Callable[[], bool] | None = None) -> Delivery:
        """Delivery of the replies to these requests; waits for them.

        What nobody else waits for, and no plan holds, is not asked any more once `still_wanted` answers False; it is called a few times a
        second.

        Raises:
            ReplayMissing: in replay, when the store lacks some of them.
            BudgetSpent: when they can't be paid for any more.
            ModelError: when the model can't be used at all.
            StoreError: when a reply could not be kept.
            WaiterGone: when they are not wanted any more.
        """
        with self._changed:
            self._awaited.update(requests)
        try:
            self._want(requests, urgent=True)
            return self._wait(requests, still_wanted)
        finally:
            self._leave(requests)

    def _wait(self, requests: Sequence[Request], still_wanted: Callable[[], bool] | None) -> Delivery:
        arrived, look_up = 0, time.monotonic() + _LOOK_UP_S
        while True:
            with self._changed:
                while arrived < len(requests) and requests[arrived] in self._answers:
                    arrived += 1
                if arrived == len(requests):
                    return self._delivery(requests)
                self._give_up_if_hopeless(requests)
                self._changed.wait(timeout=_LOOK_UP_S)
            self._report()
            if still_wanted is not None and time.monotonic() >= look_up:
                if not still_wanted():
                    raise WaiterGone
                look_up = time.monotonic() + _LOOK_UP_S

    def _delivery(self, requests: Sequence[Request]) -> Delivery:
        paid = [self._paid.pop(request) for request in requests if request in self._paid]
        replies = tuple(as_seen(request, self._answers[request]) for request in requests)
        return Delivery(replies, len(requests) - len(paid), sum(paid))

    def _leave(self, requests: Sequence[Request]) -> None:
        """Take one waiting party off its requests.

        What nobody awaits now need not be asked, and what was answered is left to the store.
        """
        with self._changed:
            self._awaited.subtract(requests)
            alone = {request for request in requests if self._awaited[request] <= 0}
            for request in alone:
                del self._awaited[request]
            unanswered = [request for request in alone if request not in self._answers]
            if unanswered:
                self._wanted -= self._queue.drop(unanswered)
            self._forget(alone.difference(unanswered))

    def _forget(self, answered: set[Request]) -> None:
        """Evict answered requests from memory: the store has the replies.

        It has no failures, so those are kept.
        """
        kept = {request for request in answered if not isinstance(self._answers[request], RequestError)}
        for request in kept:
            del self._answers[request]
        self._wanted -= kept
        self._queue.forget(kept)
        self._forgotten += len(kept)

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
        """Stop asking and free the model.

        Replies that were on their way are lost to this session, not those that had arrived.
        """
        self._end(
            ModelError(f"the session is over, and {self.info.name} is asked no more; what had arrived is in the store")
        )
        self._queue.close()
        self._model.close()
        if self._thread is not None:
            self._thread.join(timeout=_PATIENCE_S)

    def _end(self, fault: Exception) -> None:
        """Say what ended the asking; the first cause stands."""
        with self._changed:
            self._fault = self._fault or fault
            self._changed.notify_all()

    def _want(self, requests: Sequence[Request], *, urgent: bool) -> None:
        with (
            self._looking
        ):  # what another thread is looking up may turn out to be there, and must not be asked meanwhile
            with self._changed:
                unknown = [request for request in requests if request not in self._wanted]
            stored = self._store.replies_of(self.info, unknown)
            stored = {request: reply for request, reply in stored.items() if checked(request, reply) is reply}
            with self._changed:
                self._wanted.update(unknown)
                self._answers.update(stored)
                # What is wanted no more, and yet was not unknown, was delivered and forgotten meanwhile: a plan need not ask it.
                missing = [request for request in requests if request not in self._answers and request in self._wanted]
        if missing and not self._replay:
            self._queue.add(missing, urgent=urgent)
            self._start()

    def _start(self) -> None:
        with self._changed:
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
                        self._keep(request, reply)
                finally:
                    self._deliver(request, reply)
        except Exception as error:  # whatever it is, `get` raises it where an item waits: an error, and no verdict
            fault = error
        else:
            if self._over_budget():
                fault = BudgetSpent(
                    f"--align-budget={self._budget}: {self._spent} tokens of prompts and replies are spent, counting what was under way "
                    f"when the cap was reached; all of it is in the store {self._store.path}, so the next run goes on from there, with a "
                    "cap of its own"
                )
        self._end(fault)

    def _keep(self, request: Request, reply: Reply) -> None:
        info = self.info  # as it was when this reply was got
        if info.learnt != self._learnt:
            self._store.learn(info.fingerprint, info.learnt)
            self._learnt = info.learnt
        self._store.put(info.identity_of(request), request, reply)

    def _deliver(self, request: Request, reply: Reply | RequestError) -> None:
        with self._changed:
            self._answers[request] = reply
            self._calls += 1
            self._paid[request] = 0.0 if isinstance(reply, RequestError) else reply.seconds
            self._spent += 0 if isinstance(reply, RequestError) else tokens_of(request, reply)
            self._changed.notify_all()
        if self._over_budget():
            self._queue.close()  # the engine ends what it has under way, and that is kept

    def _over_budget(self) -> bool:
        return self._budget is not None and self._spent >= self._budget

    def _report(self) -> None:
        if self._tick is not None:
            done = len(self._answers) + self._forgotten
            self._tick(Progress(done, len(self._wanted) + self._forgotten, done - self._calls))
