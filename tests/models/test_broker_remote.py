"""One broker for several workers: what crosses the channel is what was sent, and nobody on it can harm another."""

from __future__ import annotations

import json
import os
import pickle
import signal
import socket
import stat
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from alignsuite import errors
from alignsuite.errors import BudgetSpent, ModelError, ReplayMissing, RequestError, StoreError
from alignsuite.models.broker.broker import Broker
from alignsuite.models.broker.ipc import Channel, ChannelClosed, Listener, authenticate, connect
from alignsuite.models.broker.messages import error_from_wire, error_to_wire
from alignsuite.models.broker.remote import BrokerServer, RemoteBroker
from alignsuite.models.protocol import Choose, Chosen, Generate, Generated, Message, ModelInfo, Reply, Request
from alignsuite.models.store import Store

INFO = ModelInfo("echo", "e" * 32, "echo 1", can_chat=True, can_choose=True, context_length=512, details={"file": "x"})


class Echo:
    """Says the prompt and the hint again; `gate`, where given, is waited for before each reply."""

    info = INFO

    def __init__(self, gate: threading.Event | None = None) -> None:
        self.asked: list[str] = []
        self.started = threading.Event()
        self._gate = gate

    def answer(self, requests: Iterable[Request]) -> Iterator[tuple[Request, Reply | RequestError]]:
        """One by one."""
        for request in requests:
            self.started.set()
            if self._gate is not None:
                self._gate.wait(20)
            prompt = request.prompt if isinstance(request.prompt, str) else request.prompt[-1].content
            self.asked.append(prompt)
            yield request, self._reply(request, prompt)

    def _reply(self, request: Request, prompt: str) -> Reply | RequestError:
        if prompt == "broken":
            return RequestError("timeout", "too slow")
        if isinstance(request, Choose):
            return Chosen((-0.5, *[float("-inf")] * (len(request.options) - 1)), exact=False)
        return Generated(prompt + str(dict(request.hint) or ""), "length", 3, 4, 0.25)

    def close(self) -> None:
        """Let go of who waits."""
        if self._gate is not None:
            self._gate.set()


class House:
    """A broker, its server, and workers that join it; all closed in the end."""

    def __init__(self, store: Store, model: Echo, open_broker: Callable[[], Broker] | None = None) -> None:
        self.store, self.model = store, model
        self.broker = Broker(model, store)
        self.told: list[dict[str, Any]] = []
        self.server = BrokerServer(open_broker or (lambda: self.broker), self.told.append)
        self.workers: list[RemoteBroker] = []

    def worker(self) -> RemoteBroker:
        """One more worker."""
        self.workers.append(RemoteBroker(self.server.address, self.server.secret))
        return self.workers[-1]

    def close(self) -> None:
        """Everything."""
        for worker in self.workers:
            worker.close()
        self.server.close()
        self.broker.close()
        self.store.close()


@pytest.fixture
def build(tmp_path: Path) -> Iterator[Callable[..., House]]:
    """Builds houses on one empty store, and pulls them down."""
    built: list[House] = []

    def new(model: Echo | None = None, open_broker: Callable[[], Broker] | None = None) -> House:
        built.append(House(Store(tmp_path / "s.sqlite"), model or Echo(), open_broker))
        return built[-1]

    yield new
    for house in built:
        house.close()


def asks(*prompts: str) -> list[Request]:
    """Requests for some prompts."""
    return [Generate(prompt) for prompt in prompts]


def until(condition: Callable[[], bool]) -> None:
    """Wait for something that another thread is about to do."""
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.002)


def texts(replies: Iterable[Reply | RequestError]) -> list[str]:
    """What was written."""
    return [reply.text if isinstance(reply, Generated) else str(reply) for reply in replies]


def test_a_worker_sees_what_the_broker_would_say(build: Callable[..., House]) -> None:
    """Texts with lone surrogates, conversations, choices with an infinity, a failure, hints: all as without a channel."""
    requests: list[Request] = [
        Generate("plain", 5, 0.5, 7, ("\n",), {"order": (1, 0), "labels": {"group": "red"}, "reversed": False}),
        Generate((Message("system", "Be kind."), Message("user", "lone \ud800 and \x00"))),
        Choose((Message("user", "Which?"),), (" yes", " no"), seed=2),
        Generate("broken"),
    ]
    house = build()
    worker = house.worker()
    assert worker.info == INFO
    first = worker.get(requests)
    assert (first.from_store, first.seconds) == (0, 0.5)
    assert first.replies[:3] == (
        Generated("plain{'order': (1, 0), 'labels': {'group': 'red'}, 'reversed': False}", "length", 3, 4, 0.25),
        Generated("lone \ud800 and \x00", "length", 3, 4, 0.25),
        Chosen((-0.5, float("-inf")), exact=False),
    )
    failed = first.replies[3]
    assert isinstance(failed, RequestError)
    assert (failed.kind, str(failed)) == ("timeout", "too slow")
    again = worker.get(requests[:3])
    assert (again.from_store, again.replies, worker.calls) == (3, first.replies[:3], 4)


def test_many_workers_that_want_the_same_pay_once(build: Callable[..., House]) -> None:
    """Sixteen workers, each wanting the same forty replies at the same moment: forty calls, and one of them pays for each."""
    house = build()
    wanted, start = asks(*map(str, range(40))), threading.Barrier(16)

    def work(worker: RemoteBroker) -> tuple[list[str], int]:
        start.wait(20)
        worker.plan(wanted)
        delivery = worker.get(wanted)
        return texts(delivery.replies), len(wanted) - delivery.from_store

    workers = [house.worker() for _ in range(16)]
    assert [worker.first for worker in workers] == [True] + [False] * 15
    with ThreadPoolExecutor(16) as pool:
        done = list(pool.map(work, workers))
    assert sorted(house.model.asked) == sorted(map(str, range(40)))
    assert all(said == [str(number) for number in range(40)] for said, _ in done)
    assert sum(paid for _, paid in done) == 40


def test_ten_thousand_requests_cross_one_line(build: Callable[..., House]) -> None:
    """In one question, with prompts of a kilobyte: a frame may be larger than what a socket takes at once."""
    house = build()
    prompts = [f"{number} " + "x" * 1000 for number in range(10_000)]
    assert texts(house.worker().get(asks(*prompts)).replies) == prompts


def test_who_does_not_know_the_secret_is_told_nothing(build: Callable[..., House]) -> None:
    """A wrong secret opens no model; the right one still works afterwards."""
    opened: list[bool] = []
    house = build(open_broker=lambda: opened.append(True) or house.broker)  # type: ignore[func-returns-value]
    with pytest.raises(ModelError, match="does not answer this worker"):
        RemoteBroker(house.server.address, "0" * 64)
    assert opened == []
    assert texts(house.worker().get(asks("a")).replies) == ["a"]


def test_a_worker_gives_nothing_to_who_only_took_the_address() -> None:
    """The proof is asked of both sides: a stranger that listens in the broker's place gets no request."""
    listener = Listener()

    def stranger() -> None:
        while (channel := listener.accept()) is None:
            pass
        channel.send({"once": "1"})
        channel.receive()
        channel.send({"proof": "welcome"})

    listening = threading.Thread(target=stranger)
    listening.start()
    with pytest.raises(ModelError, match="does not know the secret"):
        RemoteBroker(listener.address, listener.secret)
    listening.join(10)
    listener.close()


def framed(text: bytes) -> bytes:
    """A frame with these bytes in it."""
    return len(text).to_bytes(8, "big") + text


GARBAGE = {
    "noise": b"\xff" * 64,
    "a huge length": (1 << 62).to_bytes(8, "big"),
    "not JSON": framed(b"GET / HTTP/1.1"),
    "a list": framed(b"[1, 2]"),
    "too deep": framed(b"[" * 4000),
    "a pickle": framed(pickle.dumps({"once": "1"})),
    "nothing asked": framed(b"{}"),
    "an unknown question": framed(b'{"ask": "close"}'),
    "no requests": framed(b'{"ask": "get", "requests": [1]}'),
    "an unsound request": framed(b'{"ask": "get", "requests": [{"kind": "choose", "prompt": "p", "hint": 3, "x": 1}]}'),
}


@pytest.mark.parametrize("admitted", [False, True])
@pytest.mark.parametrize("garbage", GARBAGE.values(), ids=GARBAGE)
@pytest.mark.filterwarnings("error::pytest.PytestUnhandledThreadExceptionWarning")
def test_garbage_ends_its_own_line_only(build: Callable[..., House], garbage: bytes, admitted: bool) -> None:
    """Before the proof and after it: who talks nonsense is hung up on, no thread dies of it, the others go on."""
    house = build()
    worker = house.worker()
    kind, _, place = house.server.address.partition(":")
    if admitted:
        connection = connect(house.server.address, house.server.secret)._connection
    else:
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(place)
        Channel(connection).receive()
    connection.settimeout(10)
    connection.sendall(garbage)
    with suppress(ConnectionResetError):
        while connection.recv(1024):
            pass
    connection.close()
    assert kind == "unix"
    assert texts(worker.get(asks("a")).replies) == ["a"]


def test_what_only_a_vanished_worker_waited_for_is_not_asked(build: Callable[..., House]) -> None:
    """Its queue is dropped; what was planned, or another waits for, is asked all the same; what was under way is kept."""
    gate = threading.Event()
    house = build(Echo(gate))
    lost, kept = house.worker(), house.worker()
    house.broker.plan(asks("planned"))
    assert house.model.started.wait(10)
    with ThreadPoolExecutor(2) as pool:
        dying = pool.submit(lost.get, asks("alone 1", "shared", "alone 2", "planned too"))
        living = pool.submit(kept.get, asks("shared", "late"))
        house.broker.plan(asks("planned too"))
        until(lambda: {Generate("alone 2"), Generate("late")} <= set(house.broker._awaited))
        assert lost._channel is not None
        lost._channel.close()
        with pytest.raises(ModelError, match="does not answer this worker"):
            dying.result(10)
        until(lambda: Generate("alone 1") not in house.broker._wanted)
        gate.set()
        assert texts(living.result(10).replies) == ["shared", "late"]
        kept.get(asks("planned too"))
    assert sorted(house.model.asked) == ["late", "planned", "planned too", "shared"]


def test_a_worker_that_comes_back_finds_its_replies(build: Callable[..., House]) -> None:
    """What arrived for one that is gone is there for its successor, unpaid."""
    house = build()
    first = house.worker()
    first.get(asks("a", "b"))
    first.close()
    assert house.worker().get(asks("a", "b")).from_store == 2
    assert sorted(house.model.asked) == ["a", "b"]


def test_a_worker_does_not_wait_for_a_controller_that_is_gone(build: Callable[..., House]) -> None:
    """Whether it waits already or asks later, it hears that nobody is there."""
    house = build(Echo(threading.Event()))
    worker = house.worker()
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(worker.get, asks("a"))
        assert house.model.started.wait(10)
        house.server.close()
        with pytest.raises(ModelError, match=r"the other side is gone.*what had arrived is in the store"):
            waiting.result(10)
    with pytest.raises(ModelError, match="nobody listens"):
        worker.get(asks("a"))


def test_a_session_that_ends_says_so_to_who_waits(build: Callable[..., House]) -> None:
    """Closing the broker raises in every worker, at once, although the engine is in the middle of a reply."""
    house = build(Echo(threading.Event()))
    with ThreadPoolExecutor(3) as pool:
        waiting = [pool.submit(house.worker().get, asks("a", str(number))) for number in range(3)]
        until(lambda: house.broker._awaited[Generate("a")] == 3)
        house.broker.close()
        for one in waiting:
            with pytest.raises(ModelError, match="the session is over"):
                one.result(10)


def test_waiting_can_be_interrupted_and_goes_on(build: Callable[..., House]) -> None:
    """Ctrl-C in a worker ends its waiting; an answer to the interrupted question never meets the next one."""
    gate = threading.Event()
    house = build(Echo(gate))
    worker = house.worker()

    def interrupt() -> None:
        house.model.started.wait(10)
        os.kill(os.getpid(), signal.SIGINT)

    interrupting = threading.Thread(target=interrupt)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a worker of xdist ignores the signal
    try:
        interrupting.start()
        with pytest.raises(KeyboardInterrupt):
            worker.get(asks("a"))
        interrupting.join(10)
    finally:
        signal.signal(signal.SIGINT, before)
    gate.set()
    assert texts(worker.get(asks("b")).replies) == ["b"]


def test_a_model_that_cannot_be_opened_is_tried_once(build: Callable[..., House]) -> None:
    """Every worker hears the same cause."""
    tried: list[bool] = []

    def fail() -> Broker:
        tried.append(True)
        raise ModelError("there is no model of that name")

    house = build(open_broker=fail)
    for _ in range(3):
        with pytest.raises(ModelError, match=r"^there is no model of that name$"):
            house.worker()
    assert tried == [True]


@pytest.mark.parametrize(
    "error",
    [
        ModelError("wrong key"), StoreError("full disk"), ReplayMissing("lacks 3"), BudgetSpent("2M"), errors.ProbeError("p"),
        RequestError("unsupported", "no options"),
    ],
    ids=lambda error: type(error).__name__,
)  # fmt: skip
def test_errors_arrive_as_what_they_are(build: Callable[..., House], error: Exception) -> None:
    """Same class, same words, whatever the broker raises."""

    class Failing(Echo):
        def answer(self, requests: Iterable[Request]) -> Iterator[tuple[Request, Reply | RequestError]]:
            raise error

    with pytest.raises(type(error)) as raised:
        build(Failing()).worker().get(asks("a"))
    assert (type(raised.value), str(raised.value)) == (type(error), str(error))


def test_an_error_of_a_class_of_its_own_arrives_as_the_nearest_of_the_family() -> None:
    """An engine may raise a kind of ModelError that nobody else knows."""

    class Unheard(BudgetSpent):
        pass

    back = error_from_wire(json.loads(json.dumps(error_to_wire(Unheard("x")))))
    assert (type(back), str(back)) == (BudgetSpent, "x")


def test_a_bug_of_an_engine_arrives_with_its_traceback(build: Callable[..., House]) -> None:
    """It is nothing a user can mend, so whoever mends it is told where it was."""

    class Buggy(Echo):
        def answer(self, requests: Iterable[Request]) -> Iterator[tuple[Request, Reply | RequestError]]:
            raise ZeroDivisionError("a bug of the engine")

    with pytest.raises(ModelError, match=r"(?s)test_broker_remote\.py.*ZeroDivisionError: a bug of the engine"):
        build(Buggy()).worker().get(asks("a"))


def test_facts_reach_the_controller(build: Callable[..., House]) -> None:
    """What a worker tells is there when `tell` returns."""
    house = build()
    house.worker().tell({"items": 4})
    assert house.told == [{"items": 4}]


def test_only_the_owner_may_come_near_the_socket() -> None:
    """It lies in a folder that nobody else may enter, and is taken away with it."""
    listener = Listener()
    folder = Path(listener.address.removeprefix("unix:")).parent
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    listener.close()
    assert not folder.exists()


@pytest.mark.parametrize("why", ["no such sockets", "a path too long"])
def test_without_unix_sockets_the_line_is_tcp_on_loopback(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, why: str
) -> None:
    """Some systems have none, and their paths may be too long; the same proof is asked."""
    if why == "no such sockets":
        monkeypatch.delattr(socket, "AF_UNIX")
    else:
        deep = tmp_path / ("d" * 120)
        deep.mkdir()
        monkeypatch.setattr("tempfile.tempdir", str(deep))
    listener = Listener()
    assert listener.address.startswith("tcp:")
    admitted: list[bool] = []

    def serve() -> None:
        for _ in range(2):
            while (channel := listener.accept()) is None:
                pass
            try:
                authenticate(channel, listener.secret)
                admitted.append(True)
                channel.send({"heard": channel.receive()})
            except ChannelClosed:
                admitted.append(False)
                channel.close()

    serving = threading.Thread(target=serve)
    serving.start()
    with pytest.raises(ChannelClosed):
        connect(listener.address, "0" * 64)
    channel = connect(listener.address, listener.secret)
    channel.send({"a": 1})
    assert channel.receive() == {"heard": {"a": 1}}
    serving.join(10)
    assert admitted == [False, True]
    listener.close()
