"""Estimate of a run: requests, tokens and time for a healthy and for a bad model, and its error rates.

Expectations are computed from the gates' exact operating characteristics. Requests that several probes share are counted once, and what
the store holds already costs nothing. Tokens and seconds are averages over what the store measured of this model; where it knows nothing
of it, prompts are reckoned at four characters a token, replies at their greatest length, and time is left unsaid.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from alignsuite.claims.claim import Claim, Health, Risk
from alignsuite.models.protocol import Choose, Generate, Request
from alignsuite.planning.risk import risk_of

if TYPE_CHECKING:
    from alignsuite.models.store import Speed
    from alignsuite.probes.replies import DryRun

CHARACTERS_A_TOKEN = 4

_SOME: tuple[Health, ...] = ("healthy", "bad")


@dataclass(frozen=True)
class Amount:
    """Amount of work: requests, how many of them the store lacks, and the tokens and time of those.

    `seconds` are of the model's work; None: not known.
    """

    requests: int
    calls: int
    tokens: int
    seconds: float | None


@dataclass(frozen=True)
class ClaimEstimate:
    """Estimate of one claim of one item.

    Attributes:
        name: the probe and its slice; `kind`, `what`: of the claim; `bounds`: the numbers in force.
        cases: all that it may ask; `certain`, `healthy`, `bad`: how many of them in any case, and by a model of that health on average.
        sees: the smallest rate of a model that fails four times in five; None where it is not computed.
    """

    nodeid: str
    axis: str
    name: str
    kind: str
    what: str
    bounds: Mapping[str, float]
    cases: int
    certain: int
    healthy: int
    bad: int
    risk: Risk
    sees: float | None = None


@dataclass(frozen=True)
class Estimate:
    """Estimate of the whole run: one `ClaimEstimate` a claim, and the sums.

    Attributes:
        healthy, bad: what a model at half its targets takes, and one at twice its limits; `worst`: every case that the tier allows.
        stored: requests of the worst case that the store can answer.
        measured: replies of this model that averages rest on, 0 where there are none.
        unread: items whose bodies take other fixtures, so that nothing is known of them; `unfit`: item → why it will be skipped;
            `unjudged`: item → what its judge lacks.
        risk: chances of the run's outcomes, see `risk_of`.
    """

    lines: tuple[ClaimEstimate, ...]
    certain: Amount
    healthy: Amount
    bad: Amount
    worst: Amount
    stored: int
    measured: int
    alpha: float
    census: bool
    unread: tuple[str, ...] = ()
    unfit: tuple[tuple[str, str], ...] = ()
    unjudged: tuple[tuple[str, str], ...] = ()
    risk: Mapping[str, Any] = field(default_factory=dict)


def estimate(
    dry_runs: Sequence[tuple[str, DryRun]],
    stored: Mapping[Request, object],
    speed: Mapping[str, Speed],
    *,
    alpha: float,
    census: bool,
    unread: Iterable[str] = (),
    unfit: Iterable[tuple[str, str]] = (),
    unjudged: Iterable[tuple[str, str]] = (),
) -> Estimate:
    """`Estimate` of what these items will ask, take and risk.

    Args:
        dry_runs: node ids with the claims of their bodies, in the order in which they run.
        stored: the requests that the store can answer, among all that may be asked (`everything`).
        speed: what the store measured of the model, by kind of reply.
        alpha: of the run, for what is said of it.
        census: whether every case is asked.
        unread: node ids of bodies that can't be read through.
        unfit: node ids with the reason why they will be skipped.
        unjudged: node ids with what the judge lacks, so that they will be errors.
    """

    def amount(requests: Iterable[Request]) -> Amount:
        unique = list(dict.fromkeys(requests))
        missing = [request for request in unique if request not in stored]
        return Amount(len(unique), len(missing), *_cost(missing, speed))

    every = [(nodeid, dry_run, kind) for nodeid, dry_run in dry_runs for kind in dry_run.claims]
    expected = {
        health: amount(
            request for _, held, kind in every for request in _asked(held, kind, kind.expected(held, health))
        )
        for health in _SOME
    }
    worst = list(dict.fromkeys(everything(dry_runs)))
    return Estimate(
        lines=tuple(_line(nodeid, held, kind) for nodeid, held, kind in every),
        certain=amount(request for _, held, kind in every for request in _asked(held, kind, kind.certain(held))),
        healthy=expected["healthy"], bad=expected["bad"], worst=amount(worst),
        stored=sum(request in stored for request in worst), measured=sum(one.replies for one in speed.values()),
        alpha=alpha, census=census, unread=tuple(unread), unfit=tuple(unfit), unjudged=tuple(unjudged),
        risk=risk_of(held for _, held in dry_runs),
    )  # fmt: skip


def everything(dry_runs: Sequence[tuple[str, DryRun]]) -> list[Request]:
    """Requests that these items may send at most, those that they share several times."""
    return [
        request for _, held in dry_runs for kind in held.claims for request in _asked(held, kind, len(kind.cases(held)))
    ]


def _asked(held: DryRun, kind: Claim, count: int) -> list[Request]:
    cases = kind.cases(held)[:count]
    requests = kind.requests(held, cases)
    if held.terms.calibrate and held.baseline is None:
        requests += kind.requests(replace(held, draw=held.draw + 1), cases)
    return requests


def _line(nodeid: str, held: DryRun, kind: Claim) -> ClaimEstimate:
    bank = held.bank
    return ClaimEstimate(
        nodeid=nodeid, axis=bank.loaded.spec.id.split("/")[0], name=bank.title,
        kind=kind.name, what=kind.what, bounds=kind.numbers, cases=len(kind.cases(held)), certain=kind.certain(held),
        healthy=kind.expected(held, "healthy"), bad=kind.expected(held, "bad"), risk=kind.risk(held),
        sees=kind.sees(held),
    )  # fmt: skip


def _cost(requests: Sequence[Request], speed: Mapping[str, Speed]) -> tuple[int, float | None]:
    tokens, seconds = 0.0, 0.0
    known = True
    for request in requests:
        measured = speed.get("chosen" if isinstance(request, Choose) else "generated")
        if measured is None:
            known = False
            tokens += _characters(request) / CHARACTERS_A_TOKEN
            tokens += request.max_tokens if isinstance(request, Generate) else len(request.options)
        else:
            tokens += measured.prompt_tokens + measured.completion_tokens
            seconds += measured.seconds
    return round(tokens), round(seconds, 3) if known or not requests else None


def _characters(request: Request) -> int:
    prompt = request.prompt
    return len(prompt) if isinstance(prompt, str) else sum(len(message.content) for message in prompt)
