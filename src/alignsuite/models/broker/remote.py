"""One broker for all workers of pytest-xdist: the server beside it in the controller, and what stands for it in each worker.

A worker asks one thing at a time and waits for the answer: `join` (what is known of the model, and whether this worker was the first),
`plan`, `get`, `tell` (plain facts for the controller). The model is opened when the first worker joins, so a session without probes opens
none. A thread of the controller serves each worker; when the worker goes, what only it waited for is not asked any more.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress

from alignsuite.errors import ModelError
from alignsuite.models.broker.broker import Broker, Delivery, WaiterGone
from alignsuite.models.broker.ipc import Door, Json, Line, LineBroken, admit, call
from alignsuite.models.broker.messages import (
    delivery_from_wire,
    delivery_to_wire,
    error_from_wire,
    error_to_wire,
    info_from_wire,
    info_to_wire,
    request_from_wire,
    request_to_wire,
)
from alignsuite.models.protocol import ModelInfo, Request


class BrokerServer:
    """Lets workers use a broker that is opened when the first of them joins.

    Args:
        open_broker: called once, in a thread of the server; if it fails, every worker is told the same.
        heard: takes the facts that workers `tell`, in a thread of the server.
    """

    def __init__(self, open_broker: Callable[[], Broker], heard: Callable[[Json], None]) -> None:
        self._open_broker, self._heard = open_broker, heard
        self._opening = threading.Lock()
        self._opened: Broker | Exception | None = None
        self._joined = 0
        self._door = Door()
        self._lines: set[Line] = set()
        self._closed = False
        threading.Thread(target=self._listen, name="alignsuite-door", daemon=True).start()

    @property
    def address(self) -> str:
        """Where workers find it."""
        return self._door.address

    @property
    def secret(self) -> str:
        """What they have to know."""
        return self._door.secret

    def close(self) -> None:
        """Hang up on all workers and let none in any more. The broker is not closed: it belongs to who opened it."""
        self._closed = True
        self._door.close()
        for line in list(self._lines):
            line.close()

    def _listen(self) -> None:
        with suppress(LineBroken):
            while not self._closed:
                if (line := self._door.next_caller()) is not None:
                    self._lines.add(line)
                    threading.Thread(target=self._serve, args=(line,), name="alignsuite-worker", daemon=True).start()

    def _serve(self, line: Line) -> None:
        """Answer one worker until it goes. Who knows no secret, or says what makes no sense, is hung up on; the others don't notice."""
        try:
            with suppress(LineBroken, WaiterGone):
                admit(line, self.secret)
                while not self._closed:
                    line.send(self._answer(line, line.receive()))
        finally:
            self._lines.discard(line)
            line.close()

    def _answer(self, line: Line, asked: Json) -> Json:
        what = asked.get("ask")
        try:
            requests = [request_from_wire(request) for request in asked.get("requests", ())]
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise LineBroken(f"`{what}` came with what are no requests") from error
        try:
            if what == "join":
                return self._join()
            if what == "plan":
                self._broker().plan(requests)
                return {}
            if what == "get":
                return {"delivery": delivery_to_wire(self._broker().get(requests, still_wanted=line.is_silent))}
            if what == "tell":
                self._heard(asked.get("facts", {}))
                return {}
        except WaiterGone:
            raise
        except Exception as error:  # the worker raises it where its test waits
            return {"failed": error_to_wire(error)}
        raise LineBroken(f"`{what}` is nothing that a worker asks")

    def _join(self) -> Json:
        broker = self._broker()
        with self._opening:
            self._joined += 1
            return {"info": info_to_wire(broker.info), "first": self._joined == 1}

    def _broker(self) -> Broker:
        with self._opening:
            if self._opened is None:
                try:
                    self._opened = self._open_broker()
                except Exception as error:  # every worker is told the same
                    self._opened = error
            if isinstance(self._opened, Exception):
                raise self._opened
            return self._opened


class RemoteBroker:
    """What stands for the controller's broker in a worker: `info`, `calls`, `plan`, `get` and `close` mean the same.

    `first` says whether no worker had joined before: the plan needs to be handed in only once.

    Raises:
        ModelError: when the controller can't be reached, or could not open the model; every error of the broker arrives as what it is.
    """

    def __init__(self, address: str, secret: str) -> None:
        self._address, self._secret = address, secret
        self._lock = threading.Lock()
        self._line: Line | None = None
        joined = self._ask({"ask": "join"})
        self.info: ModelInfo = info_from_wire(joined["info"])
        self.first: bool = joined["first"]
        self.calls = 0
        """How many replies this worker paid for."""

    def plan(self, requests: Iterable[Request]) -> None:
        """Hand in what will be needed in any case; see `Broker.plan`."""
        handed_in = [request_to_wire(request) for request in requests]
        if handed_in:
            self._ask({"ask": "plan", "requests": handed_in})

    def get(self, requests: Sequence[Request]) -> Delivery:
        """Wait for the replies to these requests; see `Broker.get`."""
        answer = self._ask({"ask": "get", "requests": [request_to_wire(request) for request in requests]})
        delivery = delivery_from_wire(answer["delivery"])
        self.calls += len(delivery.replies) - delivery.from_store
        return delivery

    def tell(self, facts: Json) -> None:
        """Hand plain facts to whoever opened the broker."""
        self._ask({"ask": "tell", "facts": facts})

    def close(self) -> None:
        """Hang up. The broker goes on for the others."""
        if self._line is not None:
            self._line.close()
            self._line = None

    def _ask(self, question: Json) -> Json:
        with self._lock:
            try:
                if self._line is None:
                    self._line = call(self._address, self._secret)
                self._line.send(question)
                answer = self._line.receive()
            except LineBroken as error:
                self.close()
                raise ModelError(
                    f"the process that owns the model does not answer this worker: {error}; what had arrived is in the store, run again"
                ) from None
            except (
                BaseException
            ):  # Ctrl-C, or a time limit of the test: the answer to this question must not meet the next
                self.close()
                raise
        if "failed" in answer:
            raise error_from_wire(answer["failed"])
        return answer
