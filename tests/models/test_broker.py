"""The broker asks once, keeps at once, waits for nobody, and passes faults on."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

import pytest

from alignsuite.errors import BudgetSpent, ModelError, ReplayMissing, RequestError
from alignsuite.models.broker.broker import Broker, Progress, WaiterGone, checked
from alignsuite.models.protocol import Choose, Chosen, Generate, Generated, Model, ModelInfo, Reply, Request
from alignsuite.models.store import Store

INFO = ModelInfo("toy", "f" * 32, "toy", can_chat=True, can_choose=True)


class Toy:
    """Answers with the prompt in capitals; remembers what it was asked; may wait for a sign, or fail."""

    info = INFO

    def __init__(self, *, gate: threading.Event | None = None, broken: Exception | None = None, bad: str = "") -> None:
        self.asked: list[str] = []
        self.closed = False
        self._gate, self._broken, self._bad = gate, broken, bad

    def answer(self, requests: Iterable[Request]) -> Iterator[tuple[Request, Reply | RequestError]]:
        """One by one."""
        for request in requests:
            if self._gate is not None:
                self._gate.wait()
            if self._broken is not None:
                raise self._broken
            assert isinstance(request.prompt, str)
            self.asked.append(request.prompt)
            if request.prompt == self._bad:
                yield request, RequestError("timeout", "too slow")
            else:
                yield request, Generated(request.prompt.upper(), seconds=0.5)

    def close(self) -> None:
        """Remember it."""
        self.closed = True


def asks(*prompts: str) -> list[Request]:
    """Requests for some prompts."""
    return [Generate(prompt) for prompt in prompts]


def texts(replies: Iterable[Reply | RequestError]) -> list[str]:
    """What was written."""
    return [reply.text if isinstance(reply, Generated) else str(reply) for reply in replies]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """An empty store."""
    return Store(tmp_path / "s.sqlite")


def test_replies_come_in_the_order_asked(store: Store) -> None:
    """Whatever order the engine took, and with repetitions."""
    broker = Broker(Toy(), store)
    assert texts(broker.get(asks("b", "a", "b")).replies) == ["B", "A", "B"]
    broker.close()


def test_nothing_is_asked_twice(store: Store) -> None:
    """Not by two items, not by plan and item, not by a second session."""
    toy = Toy()
    broker = Broker(toy, store)
    broker.plan(asks("a", "b", "a"))
    broker.get(asks("a", "b"))
    broker.get(asks("b", "c"))
    broker.close()
    assert sorted(toy.asked) == ["a", "b", "c"]
    again = Toy()
    second = Broker(again, store)
    assert texts(second.get(asks("c", "b", "a")).replies) == ["C", "B", "A"]
    assert (again.asked, second.calls) == ([], 0)


def test_what_was_handed_on_is_left_to_the_store(store: Store) -> None:
    """A session of any length keeps no more in memory than what is under way; who asks again is served by the store, not by the model."""
    model = Toy(bad="c")
    broker = Broker(model, store)
    broker.plan(asks("a", "b", "c"))
    assert texts(broker.get(asks("a", "b", "c")).replies) == ["A", "B", "too slow"]
    kept = [*broker._answers, *broker._wanted, *broker._queue._taken, *broker._queue._planned, *broker._paid]
    assert {request.prompt for request in kept} == {"c"}  # a failure is in no store
    again = broker.get(asks("b", "c", "a"))
    assert (texts(again.replies), again.from_store) == (["B", "too slow", "A"], 3)
    assert sorted(model.asked) == ["a", "b", "c"]
    broker.close()


def test_the_first_to_want_a_reply_pays_for_it(store: Store) -> None:
    """Its seconds and its call count once."""
    broker = Broker(Toy(), store)
    first, second = broker.get(asks("a", "b")), broker.get(asks("a", "b"))
    assert (first.from_store, first.seconds) == (0, 1.0)
    assert (second.from_store, second.seconds) == (2, 0.0)
    broker.close()


def test_what_an_item_waits_for_goes_before_the_plan(store: Store) -> None:
    """A long plan delays nobody."""
    gate = threading.Event()
    toy = Toy(gate=gate)
    broker = Broker(toy, store)
    broker.plan(asks(*"abcdefgh"))
    waiting = threading.Thread(target=broker.get, args=(asks("z"),))
    waiting.start()
    while Generate("z") not in broker._wanted or not broker._queue._urgent:
        pass
    gate.set()
    waiting.join(10)
    assert toy.asked.index("z") <= 1
    broker.close()


def test_prompts_that_begin_alike_are_asked_together(store: Store) -> None:
    """The plan is sorted by what prompts begin with, so an engine reads a shared beginning once."""
    toy = Toy()
    broker = Broker(toy, store)
    broker.plan(asks("x1", "y1", "x2", "y2"))
    broker.get(asks("y2"))
    broker.get(asks("x1", "x2", "y1"))
    assert [prompt for prompt in toy.asked if prompt != "y2"] == ["x1", "x2", "y1"]
    broker.close()


def test_a_request_that_failed_is_a_value_and_is_not_kept(store: Store) -> None:
    """The others have their replies; the next session asks for it again."""
    broker = Broker(Toy(bad="b"), store)
    replies = broker.get(asks("a", "b", "c")).replies
    assert isinstance(replies[1], RequestError)
    assert texts(replies) == ["A", "too slow", "C"]
    broker.close()
    assert store.count() == 2


@pytest.mark.parametrize("error", [ModelError("wrong key"), ZeroDivisionError("a bug of the engine")])
def test_a_fault_of_the_engine_reaches_who_waits(store: Store, error: Exception) -> None:
    """It is raised whole, at once, and again for the next item; nobody waits for ever."""
    broker = Broker(Toy(broken=error), store)
    for _ in range(2):
        with pytest.raises(type(error), match=str(error)):
            broker.get(asks("a"))
    broker.close()


def test_an_engine_that_stops_early_is_a_fault(store: Store) -> None:
    """Silence is no answer."""

    class Lazy(Toy):
        def answer(self, requests: Iterable[Request]) -> Iterator[tuple[Request, Reply | RequestError]]:
            return iter(())

    with pytest.raises(ModelError, match="stopped before all was asked"):
        Broker(Lazy(), store).get(asks("a"))


def test_replay_touches_no_model(store: Store) -> None:
    """It answers from the store, and says how much is missing and where."""
    Broker(Toy(), store).get(asks("a"))
    toy = Toy()
    broker = Broker(toy, store, replay=True)
    assert texts(broker.get(asks("a")).replies) == ["A"]
    with pytest.raises(ReplayMissing, match=r"s\.sqlite lacks 2 of 3 replies of toy"):
        broker.get(asks("a", "b", "c"))
    assert toy.asked == []


def test_waiting_is_reported(store: Store) -> None:
    """Whoever draws progress hears of done, wanted and what the store had."""
    Broker(Toy(), store).get(asks("a"))
    gate, heard = threading.Event(), list[Progress]()

    def tick(progress: Progress) -> None:
        heard.append(progress)
        gate.set()

    broker = Broker(Toy(gate=gate), store, tick=tick)
    broker.get(asks("a", "b"))
    assert heard[0] == Progress(done=1, wanted=2, from_store=1)
    broker.close()


def test_closing_ends_the_thread_and_frees_the_model(store: Store) -> None:
    """Also when a plan is still waiting."""
    toy = Toy()
    assert isinstance(toy, Model)
    broker = Broker(toy, store)
    broker.plan(asks(*(str(number) for number in range(50))))
    broker.get(asks("0"))
    broker.close()
    assert toy.closed
    assert broker._thread is not None
    assert not broker._thread.is_alive()


def test_what_one_is_looking_up_another_does_not_ask(tmp_path: Path) -> None:
    """Two items want a reply that the store has: the second waits for the first one's look, and nobody asks the model."""
    Broker(Toy(), Store(tmp_path / "s.sqlite")).get(asks("a"))
    looking, go_on = threading.Event(), threading.Event()

    class Slow(Store):
        def get(self, model: str, requests: Iterable[Request]) -> dict[Request, Reply]:
            looking.set()
            go_on.wait(10)
            return super().get(model, requests)

    toy = Toy()
    broker = Broker(toy, Slow(tmp_path / "s.sqlite"))
    heard: list[int] = []
    items = [threading.Thread(target=lambda: heard.append(broker.get(asks("a")).from_store)) for _ in range(2)]
    items[0].start()
    assert looking.wait(10)
    items[1].start()
    items[1].join(0.1)
    go_on.set()
    for item in items:
        item.join(10)
    assert (toy.asked, heard) == ([], [1, 1])


def test_who_has_gone_is_not_waited_for(store: Store) -> None:
    """A waiting party that loses interest is let go, and nothing is asked on its account."""
    gate = threading.Event()
    toy = Toy(gate=gate)
    broker = Broker(toy, store)
    broker.plan(asks("planned"))
    while Generate("planned") not in broker._queue._taken:
        time.sleep(0.001)
    with pytest.raises(WaiterGone):
        broker.get(asks("x", "y"), still_wanted=lambda: False)
    gate.set()
    broker.get(asks("planned", "z"))
    assert sorted(toy.asked) == ["planned", "z"]
    broker.close()


class Counting(Toy):
    """Two tokens of prompt and three of reply for each answer; reads `ahead` requests before it answers the first."""

    def __init__(self, ahead: int = 1) -> None:
        super().__init__()
        self._ahead = ahead

    def answer(self, requests: Iterable[Request]) -> Iterator[tuple[Request, Reply | RequestError]]:
        """In portions."""
        coming = iter(requests)
        while portion := list(islice(coming, self._ahead)):
            for request in portion:
                assert isinstance(request.prompt, str)
                self.asked.append(request.prompt)
                yield request, Generated(request.prompt.upper(), prompt_tokens=2, completion_tokens=3)


def test_a_spent_budget_stops_the_asking_and_keeps_what_came(store: Store) -> None:
    """Eleven tokens are three replies of five; the error says what was spent of what cap, and the next session goes on from there."""
    wanted = asks("a", "b", "c", "d", "e")
    toy = Counting()
    broker = Broker(toy, store, budget=11)
    for _ in range(2):
        with pytest.raises(BudgetSpent, match=r"--align-budget=11: 15 tokens .* are spent.*in the store .*s\.sqlite"):
            broker.get(wanted)
    assert texts(broker.get(wanted[:3]).replies) == ["A", "B", "C"]
    broker.close()
    assert (toy.asked, store.count(), broker.spent) == (["a", "b", "c"], 3, 15)
    second = Counting()
    broker = Broker(second, store, budget=11)
    assert texts(broker.get(wanted).replies) == ["A", "B", "C", "D", "E"]
    assert (second.asked, broker.spent) == (["d", "e"], 10)
    broker.close()


def test_what_was_under_way_when_the_budget_ran_out_is_kept(store: Store) -> None:
    """An engine that works on four at once has paid for four: none of them is thrown away, and no fifth is asked."""
    toy = Counting(ahead=4)
    broker = Broker(toy, store, budget=1)
    with pytest.raises(BudgetSpent, match="=1: 20 tokens"):
        broker.get(asks(*"abcdefgh"))
    broker.close()
    assert (toy.asked, store.count()) == (list("abcd"), 4)


def test_a_budget_that_is_just_enough_is_no_error(store: Store) -> None:
    """Spent to the last token, with nothing left to ask: all is answered."""
    broker = Broker(Counting(), store, budget=10)
    assert texts(broker.get(asks("a", "b")).replies) == ["A", "B"]
    broker.close()


def test_replies_without_counts_are_counted_by_length(store: Store) -> None:
    """An engine that doesn't say what it spent can't spend without end."""

    class Uncounted(Toy):
        def answer(self, requests: Iterable[Request]) -> Iterator[tuple[Request, Reply | RequestError]]:
            for request in requests:
                yield request, Generated("x" * 396)

    broker = Broker(Uncounted(), store, budget=150)
    with pytest.raises(BudgetSpent, match="200 tokens"):
        broker.get(asks("p001", "p002", "p003"))
    broker.close()


def test_probabilities_that_add_up_to_more_than_one_are_no_answer(store: Store) -> None:
    """They are a failed request with the sum in its words; what a store holds of that kind is asked again."""
    request, wrong = Choose("q", ("A", "B", "C")), Chosen((-0.2, -0.3, -0.5))
    refused = checked(request, wrong)
    assert isinstance(refused, RequestError)
    assert refused.kind == "bad_answer"
    assert "add up to 2.17" in str(refused)
    rounded = Chosen((-0.69, -0.69))  # 1.003
    assert checked(Choose("q", ("A", "B")), rounded) is rounded
    counted_twice = Chosen((-0.1, -0.2))  # who agrees strongly begins to agree
    assert checked(Choose("q", (" agree", " agree strongly")), counted_twice) is counted_twice

    class Right(Toy):
        def answer(self, requests: Iterable[Request]) -> Iterator[tuple[Request, Reply | RequestError]]:
            for request in requests:
                yield request, Chosen((-0.5, -1.5, -3.0))

    store.put(INFO.fingerprint, request, wrong)
    broker = Broker(Right(), store)
    assert broker.get([request]).replies == (Chosen((-0.5, -1.5, -3.0)),)
    broker.close()
