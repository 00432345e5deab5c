"""One model at several base URLs: the work is shared, a dead server is left out and said so, and comes back."""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import pytest

from alignsuite.config import _url
from alignsuite.errors import ModelError, RequestError, SettingsError
from alignsuite.models.engines.endpoint.address import Address
from alignsuite.models.engines.endpoint.client import Client
from alignsuite.models.engines.endpoint.engine import Backoff, Clock, EndpointModel, open_endpoint
from alignsuite.models.engines.endpoint.faults import Fault
from alignsuite.models.engines.endpoint.rate_limit import ConcurrencyLimit
from alignsuite.models.engines.endpoint.replicas import Replica, Replicas
from alignsuite.models.protocol import Generate, Generated, Message
from alignsuite.models.registry import ModelSettings, open_model

from . import openai_server as double
from .openai_server import OpenAIServer


def chats(count: int, start: int = 0) -> list[Generate]:
    """So many conversations, numbered."""
    return [Generate((Message("user", f"n{n}"),)) for n in range(start, start + count)]


@dataclass
class World:
    """A clock that only moves when told, and what was said."""

    now: float = 0.0
    said: list[str] = field(default_factory=list)

    async def sleep(self, seconds: float) -> None:
        """No time passes by itself."""

    def clock(self) -> Clock:
        """This world's time."""
        return Clock(now=lambda: self.now, sleep=self.sleep)

    def open(self, urls: str, **options: Any) -> EndpointModel:
        """The model at those URLs; sleeps take no time."""
        options = {"timeout_s": 5.0, **options}
        return open_endpoint(
            "double-1", base_url=urls, api_key=None, tell=self.said.append, clock=self.clock(),
            backoff=Backoff(sleep=self.sleep), **options,
        )  # fmt: skip


@pytest.fixture
def three() -> Iterator[list[OpenAIServer]]:
    """Three servers of one model."""
    with ExitStack() as stack:
        yield [stack.enter_context(OpenAIServer(latency_s=0.01)) for _ in range(3)]


def free_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])


def texts(model: EndpointModel, requests: list[Generate]) -> list[str]:
    """All replies' texts, in the order of the requests."""
    ends = dict(model.answer(iter(requests)))
    assert all(isinstance(ends[request], Generated) for request in requests)
    return [reply.text for request in requests if isinstance(reply := ends[request], Generated)]


def test_work_is_shared_evenly_among_servers_of_one_speed(three: list[OpenAIServer]) -> None:
    """300 requests: a hundred each, more or less, and each asked once."""
    model = World().open(",".join(server.url for server in three))
    assert texts(model, chats(300)) == [f"You said: n{n}" for n in range(300)]
    model.close()
    counts = [len(server.asked) for server in three]
    assert sum(counts) == 300
    assert min(counts) > 60, counts


def test_a_slow_server_gets_less() -> None:
    """The least busy one is asked, so the work goes where it is done."""
    with OpenAIServer(latency_s=0.005) as quick, OpenAIServer(latency_s=0.2) as slow:
        model = World().open(f"{quick.url},{slow.url}", concurrency=8)
        texts(model, chats(200))
        model.close()
        assert len(quick.asked) > 3 * len(slow.asked) > 0


def test_a_server_that_is_not_there_is_left_out_and_said_so_once(three: list[OpenAIServer]) -> None:
    """Its requests go elsewhere without a wait; the run is none the worse, and a person hears of it."""
    dead = f"http://127.0.0.1:{free_port()}/v1"
    world = World()
    model = world.open(f"{dead},{three[0].url},{three[1].url}")
    assert len(texts(model, chats(200))) == 200
    assert len(world.said) == 1
    assert world.said[0].startswith(
        f"{dead} is left out (connection failed: Connection refused); 2 of 3 base URLs go on"
    )
    assert model.info.details["left_out"] == dead
    model.close()


def test_a_server_that_dies_half_way_is_left_out_and_its_requests_are_asked_elsewhere() -> None:
    """Nothing is lost that was under way there."""
    world = World()
    with OpenAIServer(latency_s=0.01) as lives, OpenAIServer(latency_s=0.01) as dies:
        model = world.open(f"{lives.url},{dies.url}", concurrency=4)
        ends = model.answer(iter(chats(200)))
        replies = [next(ends)[1] for _ in range(20)]
        dies.__exit__()
        replies += [reply for _, reply in ends]
        model.close()
        assert len(replies) == 200
        assert all(isinstance(reply, Generated) for reply in replies)
        assert [line.split(" is ")[0] for line in world.said] == [dies.url]
        dies.__enter__()  # for the one exit that is still to come


def test_a_server_that_comes_back_takes_part_again() -> None:
    """After half a minute one request tries it; the others don't queue up behind that."""
    world, port = World(), free_port()
    with OpenAIServer(latency_s=0.01) as lives:
        model = world.open(f"{lives.url},http://127.0.0.1:{port}/v1")
        texts(model, chats(20))
        assert len(world.said) == 1
        with OpenAIServer(port=port, latency_s=0.01) as back:
            texts(model, chats(20, 100))
            assert back.asked == []  # too early
            world.now += 31
            texts(model, chats(800, 200))  # enough for its share to grow from one, also where the machine is busy
            assert len(back.asked) > 10
            assert world.said[1:] == [f"{back.url} answers again, and takes part again"]
            assert "left_out" not in model.info.details
        model.close()


def test_a_server_that_hangs_is_left_out_after_five_time_outs() -> None:
    """It takes connections and never answers: the requests are answered elsewhere, and it gets no more."""
    world = World()
    with OpenAIServer() as lives, OpenAIServer(plan=double.always(double.HANG)) as hangs:
        model = world.open(f"{lives.url},{hangs.url}", timeout_s=0.2, concurrency=8)
        assert len(texts(model, chats(150))) == 150
        model.close()
        assert f"{hangs.url} is left out (no full answer in 0.2 s)" in world.said[0]
        assert 5 <= len(hangs.asked) <= 12  # those under way when it was left out; nobody stays to wait for it


def test_all_gone_is_one_error_that_names_them_all() -> None:
    """Nobody at any of the URLs: no thousand errors, and no endless patience."""
    urls = [f"http://127.0.0.1:{free_port()}/v1" for _ in range(3)]
    model = World().open(",".join(urls))
    with pytest.raises(ModelError, match="can't be reached") as caught:
        list(model.answer(iter(chats(500))))
    model.close()
    assert all(url in str(caught.value) for url in urls)


def test_a_key_that_one_of_them_refuses_ends_the_run(three: list[OpenAIServer]) -> None:
    """It is a mistake and no accident: left out in silence, a third of the machines would idle."""
    three[1].key = "another"
    model = World().open(",".join(server.url for server in three))
    with pytest.raises(ModelError, match=f"{three[1].url} refused the key"):
        list(model.answer(iter(chats(500))))
    model.close()


def test_without_anybody_to_tell_it_is_a_logged_warning(caplog: pytest.LogCaptureFixture) -> None:
    """Used as a library, too, nothing is left out in silence."""
    with OpenAIServer() as lives:
        urls = f"{lives.url},http://127.0.0.1:{free_port()}/v1"
        model = open_endpoint("double-1", base_url=urls, api_key=None)
        list(model.answer(iter(chats(20))))
        model.close()
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert "is left out" in caplog.text


# -------------------------------------------------------------------------------- whom to ask next


def places(world: World, *widths: int) -> tuple[Replicas, list[Replica]]:
    """Servers of these widths, to which nobody connects."""
    made = [
        Replica(Client(Address(f"http://h{n}/v1"), 1.0), ConcurrencyLimit(width, first=width, clock=world.clock()))
        for n, width in enumerate(widths)
    ]
    return Replicas(made, world.said.append, world.clock()), made


def test_equals_take_turns() -> None:
    """Round robin while nobody is busier than the others."""
    all_of_them, made = places(World(), 4, 4, 4)
    assert [made.index(all_of_them.next()) for _ in range(6)] == [0, 1, 2, 0, 1, 2]


def test_the_least_busy_is_asked_by_its_own_measure() -> None:
    """Two of eight is less than one of two; one that asked for quiet comes last."""
    all_of_them, made = places(World(), 8, 2)
    made[0].concurrency.under_way, made[1].concurrency.under_way = 2, 1
    assert all_of_them.next() is made[0]
    made[0].concurrency.hold(10)
    assert all_of_them.next() is made[1]


def gone() -> Fault:
    """Nobody there."""
    return Fault("connection", "refused", retry=True, unconnected=True)


def test_it_is_tried_again_after_ever_longer_with_one_request_each_time() -> None:
    """30 s, 60 s, 120 s … up to eight minutes."""
    world = World()
    all_of_them, made = places(world, 4, 4)
    assert all_of_them.went_badly(made[0], gone())
    waits, last = [], 0.0
    while len(waits) < 6:
        world.now += 1
        if all_of_them.next() is made[0]:
            assert all_of_them.next() is made[1]  # nobody else goes there meanwhile
            all_of_them.went_badly(made[0], gone())
            waits.append(world.now - last)
            last = world.now
    assert waits == [30, 60, 120, 240, 480, 480]
    assert len(world.said) == 1


def test_the_last_one_is_never_left_out() -> None:
    """There is nobody else to ask; whether to go on is for others to decide."""
    all_of_them, made = places(World(), 4, 4)
    assert all_of_them.went_badly(made[0], gone())
    assert not all_of_them.went_badly(made[1], gone())
    assert all_of_them.left_out() == ("http://h0/v1",)
    assert all_of_them.next() is made[1]


def test_a_refusal_is_a_sign_of_life() -> None:
    """Four time-outs, a 400, four time-outs: never five in a row, so it stays in."""
    all_of_them, made = places(World(), 4, 4)
    slow, refused = Fault("timeout", "slow", retry=True), Fault("refused_by_server", "no")
    for fault in [slow] * 4 + [refused] + [slow] * 4:
        assert not all_of_them.went_badly(made[0], fault)
    assert all_of_them.went_badly(made[0], slow)


# -------------------------------------------------------------------------------- URLs


def test_the_fingerprint_is_of_the_set_of_urls() -> None:
    """Neither order nor repetition counts; one URL keeps the fingerprint that it had alone."""

    def of(urls: str) -> str:
        return World().open(urls).info.fingerprint

    one, two = "http://a:1/v1", "http://b:2/v1"
    assert of(f"{one},{two}") == of(f"{two}, {one}") == of(f"{one},{two},{one}/")
    assert of(f"{one},{one}") == of(one) != of(two)
    assert len({of(one), of(two), of(f"{one},{two}")}) == 3
    assert of(one) == "397192c8def32c2b293a9ea52a1c1220"  # another one asks all endpoints anew


def test_each_of_several_urls_is_checked() -> None:
    """In the library and as an option: a slip in one of them is told, with what was wanted."""
    with pytest.raises(ModelError, match="wanted http"):
        World().open("http://a:1/v1,b:2/v1")
    assert _url("http://a:1/v1 , https://b/v1") == "http://a:1/v1,https://b/v1"
    for wrong in ("http://a:1/v1,b:2/v1", "http://a/v1,", ",", "http:///v1"):
        with pytest.raises(SettingsError, match="several separated by commas"):
            _url(wrong)


def test_settings_reach_the_endpoint(three: list[OpenAIServer], tmp_path: Any) -> None:
    """Several URLs, the pace and the way to tell a person come through `--model=openai:NAME`."""
    said: list[str] = []
    dead = f"http://127.0.0.1:{free_port()}/v1"
    settings = ModelSettings(
        tmp_path,
        base_url=f"{three[0].url},{dead}",
        progress=said.append,
        requests_per_minute=60_000,
        tokens_per_minute=10**7,
    )
    model = open_model("openai:double-1", settings=settings)
    ends = [reply for _, reply in model.answer(iter(chats(10)))]
    model.close()
    assert not any(isinstance(reply, RequestError) for reply in ends)
    assert len(said) == 1


@pytest.mark.parametrize("limits", [{"requests_per_minute": 0}, {"tokens_per_minute": -1}])
def test_a_pace_of_nothing_is_no_pace(limits: dict[str, int]) -> None:
    """Zero a minute would wait forever."""
    with pytest.raises(SettingsError, match="per minute"):
        World().open("http://a:1/v1", **limits)


def test_the_pace_is_kept_on_the_wire() -> None:
    """Requests go out evenly, however many wait; retries count as requests."""
    starts: list[float] = []

    class Counting(World):
        async def sleep(self, seconds: float) -> None:
            starts.append(seconds)

    world = Counting()
    with OpenAIServer(plan=double.in_turn(double.refusal(500, "oops"))) as server:
        model = open_endpoint(
            "double-1", base_url=server.url, api_key=None, clock=world.clock(), requests_per_minute=61,
            backoff=Backoff(first_s=0.0, sleep=World().sleep),
        )  # fmt: skip
        list(model.answer(iter(chats(5))))
        model.close()
    assert sorted(round(seconds) for seconds in starts) == [1, 2, 3, 4, 5]  # the first of six goes at once
    assert len(server.asked) == 6
