"""Adaptive concurrency limit, and rate limits of requests and tokens a minute, for one endpoint.

`ConcurrencyLimit` finds out by asking: it starts with a few tries at once and takes one more for each that goes well, until the
server objects; from then on one more for each round that goes well. What counts as objecting:

- *429*: half as many at once, and nobody asks before the time that `Retry-After` names.
- *A time-out*: half as many; a server that is too slow for what it has been given says it no other way.
- *5xx and broken connections*: one alone says nothing about the load, so the request is tried again and that is all.
  Half as many once they are half of the last sixteen tries.

Tries that were under way when it gave way say nothing new; a hundred refusals in one instant are one objection.

`RateLimit` keeps to what a person allowed: so many requests, or tokens, a minute.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from types import TracebackType

from alignsuite.models.engines.endpoint.faults import Fault

_FIRST = 8
_WINDOW = 16
_MINUTE_S = 60.0
_BURST_S = 1.0
_HOLD_CAP_S = 120.0  # a server that asks for an hour is asked again after two minutes


@dataclass(frozen=True)
class Clock:
    """Seconds that only ever go forward, and sleeping for some; replaced in tests."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep


class TurnedAway(Exception):  # noqa: N818 (nothing failed)
    """Whoever waited for its turn should go elsewhere: nothing was asked yet."""


class ConcurrencyLimit:
    """Adaptive concurrency limit: `width` tries at once, moved between 1 and `most` by how they end.

    Every try runs inside `async with limiter`, which sees the try's `Fault` on the way out. First come, first served.
    `first` is the width at the start; with `first=most` there is no slow start.
    """

    def __init__(self, most: int, *, first: int = _FIRST, clock: Clock | None = None) -> None:
        self.most = most
        self.width = min(first, most)
        self.under_way = 0
        self._clock = clock or Clock()
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._unopposed = True
        self._well = 0  # tries that went well since the width last changed
        self._stale = 0  # tries that were under way when the width was cut, and are still
        self._troubles: deque[bool] = deque(maxlen=_WINDOW)
        self._held_until = float("-inf")
        self._alarm: asyncio.Task[None] | None = None

    @property
    def load(self) -> float:
        """Tries under way and waiting, over the width."""
        return (self.under_way + len(self._waiting)) / self.width

    @property
    def held(self) -> bool:
        """Whether the server asked for quiet, and that time isn't over."""
        return self._clock.now() < self._held_until

    def hold(self, seconds: float) -> None:
        """Begin no try for so long; those under way go on."""
        self._held_until = max(self._held_until, self._clock.now() + seconds)

    def restart(self) -> None:
        """Begin with one try at once again, as with a server that was away; those who wait are turned away."""
        self.width, self._unopposed, self._well, self._stale = 1, True, 0, self.under_way
        self._troubles.clear()
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_exception(TurnedAway())

    async def __aenter__(self) -> None:
        if not self._waiting and self._is_open():
            self.under_way += 1
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        self._admit()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():  # the turn was handed over just before
                self.under_way -= 1
                self._admit()
            raise

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        busy = self.under_way >= self.width
        self.under_way -= 1
        if error is None or isinstance(error, Fault):
            self._learn(error, busy)
        self._admit()

    def _is_open(self) -> bool:
        return self.under_way < self.width and not self.held

    def _admit(self) -> None:
        while self._waiting and self._is_open():
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                self.under_way += 1
        if self._waiting and self.held and self._alarm is None:
            self._alarm = asyncio.get_running_loop().create_task(self._wait_out())

    async def _wait_out(self) -> None:
        while (left := self._held_until - self._clock.now()) > 0:
            await self._clock.sleep(left)
        self._alarm = None
        self._admit()

    def _learn(self, fault: Fault | None, busy: bool) -> None:
        if fault is not None and fault.kind == "rate_limited" and fault.wait_s is not None:
            self.hold(min(fault.wait_s, _HOLD_CAP_S))
        if self._stale:
            self._stale -= 1
            return
        kind = fault.kind if fault is not None else ""
        self._troubles.append(kind in ("server_error", "connection"))
        if kind in ("rate_limited", "timeout") or sum(self._troubles) * 2 >= _WINDOW:
            self._give_way()
        elif not kind and busy:
            self._widen()

    def _give_way(self) -> None:
        self.width = max(1, self.width // 2)
        self._unopposed, self._well, self._stale = False, 0, self.under_way
        self._troubles.clear()

    def _widen(self) -> None:
        self._well += 1
        if self.width < self.most and (self._unopposed or self._well >= self.width):
            self.width, self._well = self.width + 1, 0


class RateLimit:
    """Rate limit: so many units in any 60 seconds, but for what a request costs beyond its estimate.

    A second's worth may go in one burst; beyond that units are spread evenly. None is no limit.
    """

    def __init__(self, per_minute: int | None, clock: Clock | None = None) -> None:
        self._clock = clock or Clock()
        self._each_s = 0.0 if per_minute is None else (_MINUTE_S + _BURST_S) / per_minute
        self._free_at = float("-inf")

    async def take(self, units: int) -> None:
        """Wait until so many units may be spent. First come, first served; more than a minute's worth must wait too."""
        if not self._each_s:
            return
        now = self._clock.now()
        start = max(self._free_at, now)
        self._free_at = start + units * self._each_s
        # may begin where the bucket, a second deep, holds this one; what is larger begins with the bucket full
        wait_s = start - now - max(0.0, _BURST_S - units * self._each_s)
        if wait_s > 0:
            await self._clock.sleep(wait_s)

    def settle(self, units: int) -> None:
        """Add what a request cost beyond its estimate; negative for less."""
        self._free_at += units * self._each_s


def scarce_s(headers: Mapping[str, str], tokens: int) -> float:
    """Seconds until one more request of so many tokens is allowed, by the `x-ratelimit-*` headers; 0 if now.

    A limit that is full again in `reset` seconds refills evenly, so what is lacking now is there in proportion.

    >>> scarce_s({"x-ratelimit-limit-requests": "60", "x-ratelimit-remaining-requests": "0",
    ...           "x-ratelimit-reset-requests": "1m0s"}, tokens=100)
    1.0
    """
    return max(_scarce_s(headers, "requests", 1), _scarce_s(headers, "tokens", tokens))


def _scarce_s(headers: Mapping[str, str], unit: str, wanted: int) -> float:
    try:
        remaining = int(headers[f"x-ratelimit-remaining-{unit}"])
        limit = int(headers[f"x-ratelimit-limit-{unit}"])
        reset_s = duration_s(headers[f"x-ratelimit-reset-{unit}"])
    except (KeyError, ValueError):
        return 0.0
    lacking = min(wanted, limit) - remaining
    return lacking * reset_s / (limit - remaining) if lacking > 0 and limit > remaining else 0.0


def duration_s(text: str) -> float:
    """Seconds of a duration as OpenAI writes it.

    Raises:
        ValueError: if it is none.

    >>> duration_s("6m0s"), duration_s("20ms"), duration_s("1.5")
    (360.0, 0.02, 1.5)
    """
    units = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001, "": 1.0}
    parts = re.findall(r"(\d+(?:\.\d+)?)(ms|h|m|s|$)", text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise ValueError(f"`{text}` is no duration such as 6m0s")
    return sum(float(number) * units[unit] for number, unit in parts)
