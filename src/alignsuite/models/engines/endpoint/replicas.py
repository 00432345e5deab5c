"""Several servers of one model: whom to ask next, and who is left out for now.

The least busy one is asked, by its own limiter; equals take turns. One where nobody answers the door is left out at
once, one that fails five times in a row (time-outs, 5xx, broken connections) as well. It is tried again after half a
minute, then after ever longer. That it is left out, and that it is back, is said once each. One that is alone is never
left out: whether asking on is useless is then for `endpoint.line` to say, as it is when all are out.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from alignsuite.models.engines.endpoint.client import Client
from alignsuite.models.engines.endpoint.faults import Fault
from alignsuite.models.engines.endpoint.rate_limit import Clock, ConcurrencyLimit

_SICK_AFTER = 5
_AGAIN_S, _AGAIN_CAP_S = 30.0, 480.0
_SICK = ("timeout", "server_error", "connection")


@dataclass
class Replica:
    """One base URL: the way there, how much it takes, and how it has been of late."""

    wire: Client
    limiter: ConcurrencyLimit
    bad: int = 0  # tries in a row that failed in a way that may be the server's
    again_s: float = _AGAIN_S
    out_until: float | None = None
    on_trial: bool = False
    asked: int = field(default=0, repr=False)  # its last turn
    told: set[str] = field(default_factory=set, repr=False)

    @property
    def url(self) -> str:
        """Where it is."""
        return self.wire.address.url


class Replicas:
    """All base URLs of one model; see the module."""

    def __init__(self, places: Sequence[Replica], tell: Callable[[str], None], clock: Clock) -> None:
        self._places = tuple(places)
        self._tell = tell
        self._clock = clock
        self._turns = itertools.count(1)

    def __iter__(self) -> itertools.chain[Replica]:
        return itertools.chain(self._places)

    @property
    def names(self) -> str:
        """Their URLs, for a message."""
        return ", ".join(place.url for place in self._places)

    @property
    def width(self) -> int:
        """How many tries may be under way at those that are in."""
        return sum(place.limiter.width for place in self._in()) or 1

    def left_out(self) -> tuple[str, ...]:
        """URLs that are left out at the moment."""
        return tuple(place.url for place in self._places if place.out_until is not None)

    def next(self) -> Replica:
        """Whom to ask now. One whose time outside is over has a single try to show that it is back."""
        now = self._clock.now()
        for place in self._places:
            if place.out_until is not None and place.out_until <= now:
                place.out_until = now + place.again_s  # the others don't queue up behind the one that tries
                place.on_trial = True
                return self._turn(place)
        candidates = self._in() or sorted(self._places, key=lambda place: place.out_until or 0.0)[:1]
        return self._turn(min(candidates, key=lambda place: (place.limiter.held, place.limiter.load, place.asked)))

    def went_well(self, place: Replica) -> None:
        """It answered."""
        place.bad, place.on_trial = 0, False
        if place.out_until is not None:
            place.out_until, place.again_s = None, _AGAIN_S
            self._say(place, "back", f"{place.url} answers again, and takes part again")

    def went_badly(self, place: Replica, fault: Fault) -> bool:
        """It did not answer; True if the place is left out from now on and another is there to be asked at once."""
        if fault.kind not in _SICK:  # a refusal too is a sign of life
            self.went_well(place)
            return False
        place.bad += 1
        others = [other for other in self._in() if other is not place]
        if place.out_until is None:
            if not others or not (fault.unconnected or place.bad >= _SICK_AFTER):
                return False
            place.limiter.restart()
            self._leave_out(place)
            said = f"{place.url} is left out ({fault.message}); {len(others)} of {len(self._places)} base URLs go on"
            self._say(place, "out", f"{said}. It is tried again every now and then")
        elif place.on_trial:
            place.again_s = min(2 * place.again_s, _AGAIN_CAP_S)
            self._leave_out(place)
        return bool(others)

    def _leave_out(self, place: Replica) -> None:
        place.out_until, place.on_trial = self._clock.now() + place.again_s, False

    def _in(self) -> list[Replica]:
        return [place for place in self._places if place.out_until is None]

    def _turn(self, place: Replica) -> Replica:
        place.asked = next(self._turns)
        return place

    def _say(self, place: Replica, what: str, line: str) -> None:
        if what not in place.told:
            place.told.add(what)
            self._tell(line)
