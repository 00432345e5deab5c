"""Remote broker for pytest-xdist: a `BrokerServer` in the controller, a `RemoteBroker` in each worker.

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
from alignsuite.models.broker.ipc import Channel, ChannelClosed, Json, Listener, authenticate, connect
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
    """Server of the broker to workers; the broker is opened when the first of them joins.

    Args:
        open_broker: called once, in a thread of the server; if it fails, every worker is told the same.
        heard: takes the facts that workers `tell`, in a thread of the server.
    """

    def __init__(self, open_broker: Callable[[], Broker], heard: Callable[[Json], None]) -> None:
        self._open_broker, self._heard = open_broker, heard
        self._opening = threading.Lock()
        self._opened: Broker | Exception | None = None
        self._joined = 0
        self._listener = Listener()
        self._channels: set[Channel] = set()
        self._closed = False
        threading.Thread(target=self._listen, name="alignsuite-listener", daemon=True).start()

    @property
    def address(self) -> str:
        """Address of the server's listener, as workers are told it."""
        return self._listener.address

    @property
    def secret(self) -> str:
        """Shared secret that workers have to prove."""
        return self._listener.secret

    def close(self) -> None:
        """Hang up on all workers and let none in any more. The broker is not closed: it belongs to who opened it."""
        self._closed = True
        self._listener.close()
        for channel in list(self._channels):
            channel.close()

    def _listen(self) -> None:
        with suppress(ChannelClosed):
            while not self._closed:
                if (channel := self._listener.accept()) is not None:
                    self._channels.add(channel)
                    threading.Thread(target=self._serve, args=(channel,), name="alignsuite-worker", daemon=True).start()

    def _serve(self, channel: Channel) -> None:
        """Answer one worker until it goes.

        Who knows no secret, or says what makes no sense, is hung up on; the others don't notice.
        """
        try:
            with suppress(ChannelClosed, WaiterGone):
                authenticate(channel, self.secret)
                while not self._closed:
                    channel.send(self._answer(channel, channel.receive()))
        finally:
            self._channels.discard(channel)
            channel.close()

    def _answer(self, channel: Channel, asked: Json) -> Json:
        what = asked.get("ask")
        try:
            requests = [request_from_wire(request) for request in asked.get("requests", ())]
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise ChannelClosed(f"`{what}` came with what are no requests") from error
        try:
            if what == "join":
                return self._join()
            if what == "plan":
                self._broker().plan(requests)
                return {}
            if what == "get":
                return {"delivery": delivery_to_wire(self._broker().get(requests, still_wanted=channel.is_waiting))}
            if what == "tell":
                self._heard(asked.get("facts", {}))
                return {}
        except WaiterGone:
            raise
        except Exception as error:  # the worker raises it where its test waits: an error, and no verdict
            return {"failed": error_to_wire(error)}
        raise ChannelClosed(f"`{what}` is nothing that a worker asks")

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
                except Exception as error:  # raised below, now and for every worker that asks
                    self._opened = error
            if isinstance(self._opened, Exception):
                raise self._opened
            return self._opened


class RemoteBroker:
    """Proxy of the controller's broker in a worker: `info`, `calls`, `plan`, `get` and `close` mean the same.

    `first` says whether no worker had joined before: the plan needs to be handed in only once.

    Raises:
        ModelError: when the controller can't be reached, or could not open the model; every error of the broker arrives as what it is.
    """

    def __init__(self, address: str, secret: str) -> None:
        self._address, self._secret = address, secret
        self._lock = threading.Lock()
        self._channel: Channel | None = None
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
        """Delivery of the replies to these requests, from the controller; see `Broker.get`."""
        answer = self._ask({"ask": "get", "requests": [request_to_wire(request) for request in requests]})
        delivery = delivery_from_wire(answer["delivery"])
        self.calls += len(delivery.replies) - delivery.from_store
        return delivery

    def tell(self, facts: Json) -> None:
        """Hand plain facts to whoever opened the broker."""
        self._ask({"ask": "tell", "facts": facts})

    def close(self) -> None:
        """Hang up. The broker goes on for the others."""
        if self._channel is not None:
            self._channel.close()
            self._channel = None

    def _ask(self, question: Json) -> Json:
        with self._lock:
            try:
                if self._channel is None:
                    self._channel = connect(self._address, self._secret)
                self._channel.send(question)
                answer = self._channel.receive()
            except ChannelClosed as error:
                self.close()
                raise ModelError(
                    f"the process that owns the model does not answer this worker: {error}; what had arrived is in the store, run again"
                ) from None
            except BaseException:  # Ctrl-C, or a test's time limit: this answer must not meet the next question
                self.close()
                raise
        if "failed" in answer:
            raise error_from_wire(answer["failed"])
        return answer
