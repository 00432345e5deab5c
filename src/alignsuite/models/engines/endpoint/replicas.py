"""Load balancing with circuit breakers: the `Replica` of a model to ask next, and which are left out for now.

The least busy one is asked, by its own concurrency limit; equals take turns. One where nobody answers the door is left out at
once, one that fails five times in a row (time-outs, 5xx, broken connections) as well. It is tried again after half a
minute, then after ever longer. That it is left out, and that it is back, is said once each. One that is alone is never
left out: whether asking on is useless is then for `endpoint.retry` to say, as it is when all are out.
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
    """One base URL with its client, its concurrency limit, and how it has been of late."""

    client: Client
    concurrency: ConcurrencyLimit
    bad: int = 0  # tries in a row that failed in a way that may be the server's
    again_s: float = _AGAIN_S
    out_until: float | None = None
    on_trial: bool = False
    asked: int = field(default=0, repr=False)  # its last turn
    announced: set[str] = field(default_factory=set, repr=False)

    @property
    def url(self) -> str:
        """Where it is."""
        return self.client.address.url


class Replicas:
    """All replicas of one model; see the module."""

    def __init__(self, replicas: Sequence[Replica], tell: Callable[[str], None], clock: Clock) -> None:
        self._replicas = tuple(replicas)
        self._tell = tell
        self._clock = clock
        self._turns = itertools.count(1)

    def __iter__(self) -> itertools.chain[Replica]:
        return itertools.chain(self._replicas)

    @property
    def names(self) -> str:
        """Their URLs, for a message."""
        return ", ".join(replica.url for replica in self._replicas)

    @property
    def width(self) -> int:
        """How many tries may be under way at those that are in."""
        return sum(replica.concurrency.width for replica in self._in()) or 1

    def left_out(self) -> tuple[str, ...]:
        """URLs that are left out at the moment."""
        return tuple(replica.url for replica in self._replicas if replica.out_until is not None)

    def next(self) -> Replica:
        """Whom to ask now. One whose time outside is over has a single try to show that it is back."""
        now = self._clock.now()
        for replica in self._replicas:
            if replica.out_until is not None and replica.out_until <= now:
                replica.out_until = now + replica.again_s  # the others don't queue up behind the one that tries
                replica.on_trial = True
                return self._turn(replica)
        candidates = self._in() or sorted(self._replicas, key=lambda replica: replica.out_until or 0.0)[:1]
        return self._turn(
            min(candidates, key=lambda replica: (replica.concurrency.held, replica.concurrency.load, replica.asked))
        )

    def went_well(self, replica: Replica) -> None:
        """It answered."""
        replica.bad, replica.on_trial = 0, False
        if replica.out_until is not None:
            replica.out_until, replica.again_s = None, _AGAIN_S
            self._say(replica, "back", f"{replica.url} answers again, and takes part again")

    def went_badly(self, replica: Replica, fault: Fault) -> bool:
        """It did not answer; True if the replica is left out from now on and another is there to be asked at once."""
        if fault.kind not in _SICK:  # a refusal too is a sign of life
            self.went_well(replica)
            return False
        replica.bad += 1
        others = [other for other in self._in() if other is not replica]
        if replica.out_until is None:
            if not others or not (fault.unconnected or replica.bad >= _SICK_AFTER):
                return False
            replica.concurrency.restart()
            self._leave_out(replica)
            said = (
                f"{replica.url} is left out ({fault.message}); {len(others)} of {len(self._replicas)} base URLs go on"
            )
            self._say(replica, "out", f"{said}. It is tried again every now and then")
        elif replica.on_trial:
            replica.again_s = min(2 * replica.again_s, _AGAIN_CAP_S)
            self._leave_out(replica)
        return bool(others)

    def _leave_out(self, replica: Replica) -> None:
        replica.out_until, replica.on_trial = self._clock.now() + replica.again_s, False

    def _in(self) -> list[Replica]:
        return [replica for replica in self._replicas if replica.out_until is None]

    def _turn(self, replica: Replica) -> Replica:
        replica.asked = next(self._turns)
        return replica

    def _say(self, replica: Replica, what: str, message: str) -> None:
        if what not in replica.announced:
            replica.announced.add(what)
            self._tell(message)
