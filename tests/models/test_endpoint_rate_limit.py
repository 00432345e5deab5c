"""How much at once and how much a minute: deterministic, on a clock that nobody waits for."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any

import pytest

from alignsuite.models.engines.endpoint.faults import Fault
from alignsuite.models.engines.endpoint.rate_limit import Clock, ConcurrencyLimit, RateLimit, duration_s, scarce_s


@dataclass
class FakeTime:
    """Time that jumps to the next sleeper's end as soon as nobody has anything else to do."""

    now: float = 0.0
    sleepers: list[tuple[float, int, asyncio.Future[None]]] = field(default_factory=list)
    numbers: itertools.count[int] = field(default_factory=itertools.count)

    async def sleep(self, seconds: float) -> None:
        """Until the clock says so."""
        waker = asyncio.get_running_loop().create_future()
        heapq.heappush(self.sleepers, (self.now + seconds, next(self.numbers), waker))
        await waker

    def clock(self) -> Clock:
        """This time, for what asks for one."""
        return Clock(now=lambda: self.now, sleep=self.sleep)

    def run(self, main: Coroutine[Any, Any, None]) -> None:
        """Run to the end, jumping from sleeper to sleeper."""

        async def drive() -> None:
            task = asyncio.ensure_future(main)
            while not task.done():
                for _ in range(200):  # until everybody waits
                    await asyncio.sleep(0)
                if self.sleepers and not task.done():
                    self.now, _, waker = heapq.heappop(self.sleepers)
                    waker.set_result(None)
            await task

        asyncio.run(asyncio.wait_for(drive(), 20))


TOO_MANY = "rate_limited"


def fault(kind: str, wait_s: float | None = None) -> Fault:
    """One that may be tried again."""
    return Fault(kind, kind, retry=True, wait_s=wait_s)


async def end(limiter: ConcurrencyLimit, error: Fault | None = None) -> None:
    """One try ends so."""
    await limiter.__aexit__(type(error) if error else None, error, None)


async def a_round(limiter: ConcurrencyLimit, error: Fault | None = None) -> None:
    """As many tries as may be under way end alike, and for each that ends another begins where it may."""
    for _ in range(limiter.width):
        while limiter.under_way < limiter.width:
            await limiter.__aenter__()
        await end(limiter, error)


def widths(most: int, *rounds: Fault | None, first: int = 4) -> list[int]:
    """The width after each round."""
    found = []
    time = FakeTime()

    async def play() -> None:
        limiter = ConcurrencyLimit(most, first=first, clock=time.clock())
        for error in rounds:
            await a_round(limiter, error)
            found.append(limiter.width)

    time.run(play())
    return found


# -------------------------------------------------------------------------------- at once


async def saturated(limiter: ConcurrencyLimit, tries: int, *, lasting: float, clock: Clock) -> None:
    """So many tries of so many seconds, as fast as they are let in."""

    async def one() -> None:
        async with limiter:
            await clock.sleep(lasting)

    await asyncio.gather(*(one() for _ in range(tries)))


def test_the_start_is_slow_and_doubles_with_each_round() -> None:
    """4, 8, 16 … at once, up to the upper bound and never beyond."""
    time, most = FakeTime(), 0
    at: dict[float, int] = {}

    async def play() -> None:
        nonlocal most
        limiter = ConcurrencyLimit(20, first=4, clock=time.clock())
        running = asyncio.ensure_future(saturated(limiter, 100, lasting=1.0, clock=time.clock()))
        while not running.done():
            await asyncio.sleep(0)
            at[time.now] = max(at.get(time.now, 0), limiter.under_way)
            most = max(most, limiter.under_way)
        await running

    time.run(play())
    assert [at[float(second)] for second in range(4)] == [4, 8, 16, 20]
    assert most == 20


def test_a_429_halves_and_from_then_on_it_is_one_more_for_each_round() -> None:
    """Multiplicative back, additive forth; a whole round of refusals is one objection."""
    found = widths(64, fault(TOO_MANY), None, None, None, fault(TOO_MANY), first=32)
    assert found == [16, 17, 18, 19, 9]


def test_a_hundred_refusals_of_one_instant_halve_once() -> None:
    """Tries that were under way when it gave way say nothing new."""
    assert widths(100, fault(TOO_MANY), first=100) == [50]


def test_the_lower_bound_is_one() -> None:
    """However often the server objects, somebody is asked."""
    assert widths(8, *[fault(TOO_MANY)] * 6, first=8) == [4, 2, 1, 1, 1, 1]


def test_a_timeout_halves_too() -> None:
    """A server that is too slow for what it has been given can't say it otherwise."""
    assert widths(64, fault("timeout"), None, first=16) == [8, 9]


@pytest.mark.parametrize("kind", ["server_error", "connection"])
def test_a_single_5xx_changes_nothing_and_a_burst_halves(kind: str) -> None:
    """Half of the last sixteen tries is a burst; one in four is a server that fails now and then."""
    found: dict[str, int] = {}

    async def play(name: str, pattern: list[Fault | None]) -> None:
        limiter = ConcurrencyLimit(16, first=16)
        for error in pattern:
            await limiter.__aenter__()
            await end(limiter, error)
        found[name] = limiter.width

    bad = fault(kind)
    asyncio.run(play("now and then", [bad, None, None, None] * 8))
    asyncio.run(play("burst", [None] * 20 + [bad] * 8))
    asyncio.run(play("seven", [None] * 20 + [bad] * 7))
    assert found == {"now and then": 16, "burst": 8, "seven": 16}


@pytest.mark.parametrize("kind", ["bad_answer", "refused_by_server", "context_too_long"])
def test_what_is_the_requests_own_fault_says_nothing_of_the_load(kind: str) -> None:
    """A prompt that is too long must not slow the others down."""
    assert widths(64, *[fault(kind)] * 3, first=8) == [8, 8, 8]


def test_it_does_not_grow_while_there_is_too_little_to_do() -> None:
    """A width that nobody used has proved nothing."""

    async def play() -> None:
        limiter = ConcurrencyLimit(64, first=4)
        for _ in range(50):
            await limiter.__aenter__()
            await end(limiter)
        assert limiter.width == 4

    asyncio.run(play())


def test_after_retry_after_nobody_asks_before_the_time() -> None:
    """Not only the refused request waits: all do; those who were waiting go first, in their order."""
    time, began = FakeTime(), list[tuple[str, float]]()

    async def one(limiter: ConcurrencyLimit, name: str, error: Fault | None = None) -> None:
        try:
            async with limiter:
                began.append((name, time.now))
                await time.sleep(1.0)
                if error:
                    raise error
        except Fault:
            pass

    async def play() -> None:
        limiter = ConcurrencyLimit(4, first=1, clock=time.clock())
        tries = [one(limiter, "refused", fault(TOO_MANY, 30.0)), one(limiter, "second"), one(limiter, "third")]
        await asyncio.gather(*tries)

    time.run(play())
    assert [name for name, _ in began] == ["refused", "second", "third"]
    assert [at for _, at in began[:2]] == [0.0, 31.0]
    assert began[2][1] >= 31.0


def test_a_server_that_asks_for_an_hour_gets_two_minutes() -> None:
    """Nothing would move for so long, and nobody would know why."""
    time = FakeTime()

    async def play() -> None:
        limiter = ConcurrencyLimit(4, clock=time.clock())
        await limiter.__aenter__()
        await end(limiter, fault(TOO_MANY, 3600.0))
        assert limiter.held
        await limiter.__aenter__()

    time.run(play())
    assert time.now == 120.0


def test_a_try_that_is_cancelled_while_it_waits_frees_its_place() -> None:
    """Leaving early must not lame the limiter for those who stay."""

    async def play() -> None:
        limiter = ConcurrencyLimit(1, first=1)
        await limiter.__aenter__()
        waiting = [asyncio.ensure_future(limiter.__aenter__()) for _ in range(3)]
        await asyncio.sleep(0)
        waiting[0].cancel()  # while it waits
        await asyncio.sleep(0)
        await end(limiter)  # hands over to the second
        waiting[1].cancel()  # after the place was handed over
        await asyncio.gather(*waiting, return_exceptions=True)
        assert waiting[2].done()
        assert not waiting[2].cancelled()
        assert limiter.under_way == 1
        await end(limiter)
        assert (limiter.under_way, limiter.load) == (0, 0.0)

    asyncio.run(asyncio.wait_for(play(), 5))


# -------------------------------------------------------------------------------- a minute


def moments(per_minute: int, costs: list[int]) -> list[float]:
    """When each of these was let through, all wanting to go at once."""
    time, found = FakeTime(), list[float]()

    async def one(pace: RateLimit, cost: int) -> None:
        await pace.take(cost)
        found.append(time.now)

    async def play() -> None:
        pace = RateLimit(per_minute, time.clock())
        await asyncio.gather(*(one(pace, cost) for cost in costs))

    time.run(play())
    return found


@pytest.mark.parametrize("per_minute", [1, 7, 60, 90, 600])
def test_no_minute_holds_more_requests_than_allowed(per_minute: int) -> None:
    """Whichever minute one looks at; and not a fiftieth less than allowed either."""
    found = moments(per_minute, [1] * (3 * per_minute))
    fullest = max(sum(start <= at < start + 60 for at in found) for start in found)
    assert fullest <= per_minute
    assert found[-1] <= 3 * 60 * 1.02


@pytest.mark.parametrize("cost", [10, 100, 400])
def test_no_minute_holds_more_tokens_than_allowed(cost: int) -> None:
    """Costs count, not requests; one larger than a second's worth goes when nothing is owed, and what it owes is waited for."""
    found = moments(6_000, [cost] * (12_000 // cost))
    fullest = max(sum(cost for at in found if start <= at < start + 60) for start in found)
    assert fullest <= 6_000 + (cost if cost > 100 else 0)
    assert found[-1] >= 115


def test_a_pause_saves_up_no_more_than_a_second() -> None:
    """After an idle hour a burst is as small as at the start."""
    time, found = FakeTime(), list[float]()

    async def play() -> None:
        pace = RateLimit(61 * 10, time.clock())
        await time.sleep(3600.0)
        for _ in range(30):
            await pace.take(1)
            found.append(time.now)

    time.run(play())
    assert sum(at == 3600.0 for at in found) == 10


def test_what_was_not_spent_is_given_back_and_what_was_is_owed() -> None:
    """The estimate holds a place; the server's own count settles it."""

    def second_goes_at(really: int) -> float:
        time, found = FakeTime(), list[float]()

        async def play() -> None:
            pace = RateLimit(610, time.clock())
            await pace.take(100)
            pace.settle(really - 100)
            await pace.take(10)
            found.append(time.now)

        time.run(play())
        return found[0]

    assert second_goes_at(100) == pytest.approx(10.0)
    assert second_goes_at(20) == pytest.approx(2.0)
    assert second_goes_at(200) == pytest.approx(20.0)


def test_without_a_limit_nobody_waits() -> None:
    """None is no limit, and costs no turn of the loop."""
    with pytest.raises(StopIteration):
        RateLimit(None).take(10**9).send(None)


# -------------------------------------------------------------------------------- what the server says


def said(unit: str, limit: int, remaining: int, reset: str) -> dict[str, str]:
    """Headers as OpenAI sends them."""
    return {
        f"x-ratelimit-limit-{unit}": str(limit),
        f"x-ratelimit-remaining-{unit}": str(remaining),
        f"x-ratelimit-reset-{unit}": reset,
    }


@pytest.mark.parametrize(
    ("headers", "wait_s"),
    [
        ({}, 0.0),
        (said("requests", 60, 5, "55s"), 0.0),
        (said("requests", 60, 0, "1m0s"), 1.0),
        (said("tokens", 6000, 50, "59.5s"), 0.5),  # 50 are lacking, and 100 come back each second
        (said("tokens", 6000, 5999, "10ms"), 0.0),
        (said("requests", 60, 0, "1m0s") | said("tokens", 6000, 0, "1m0s"), 1.0),
        (said("tokens", 40, 0, "1m0s"), 60.0),  # more than the whole limit is never there: the whole limit, then
        (said("requests", 60, 0, "soon"), 0.0),
        ({"x-ratelimit-remaining-requests": "0"}, 0.0),
        (said("requests", 0, 0, "1s"), 0.0),
    ],
)
def test_headers_about_limits_are_heeded_before_a_429(headers: dict[str, str], wait_s: float) -> None:
    """So long that what this request of 100 tokens would lack has come back; nonsense counts as nothing said."""
    assert scarce_s(headers, 100) == pytest.approx(wait_s)


@pytest.mark.parametrize("text", ["", "soon", "1x", "s", "1m-3s", "--"])
def test_what_is_no_duration_is_told(text: str) -> None:
    """A server's slip is no wait of zero seconds, and no crash further on."""
    with pytest.raises(ValueError, match="is no duration"):
        duration_s(text)
