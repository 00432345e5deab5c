"""Replies: what a probe's body holds. Its methods are the claims; each asks the model for as much as its verdict needs.

This is the only loop that asks, judges and decides. Replies are taken in the order of the bank, wave by wave, whatever
order they arrived in; so a verdict is a function of the store, not of the clock.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol

from alignsuite.claims.reading import Reading
from alignsuite.errors import ProbeError, RequestError
from alignsuite.judges.choice import read_choice
from alignsuite.judges.protocol import UNREADABLE, Event, Judgement
from alignsuite.models.protocol import Reply, Request
from alignsuite.records import Claim, Verdict

if TYPE_CHECKING:
    from alignsuite.cases import Case
    from alignsuite.config import Tier
    from alignsuite.models.broker import Delivery
    from alignsuite.probes import Bank
    from alignsuite.prompts import Form

WAVE = 16
"""Cases that a sequential claim asks for at once, beyond those planned."""


class Asks(Protocol):
    """What is needed of the broker."""

    def get(self, requests: Sequence[Request]) -> Delivery:
        """Replies to requests, in their order."""
        ...


@dataclass(frozen=True)
class Terms:
    """The settings that a claim may depend on: the tier, the item's share of alpha, how many examples to keep."""

    tier: Tier
    alpha: float
    examples: int = 3


class Finding:
    """The outcome of one claim: truthy unless it blocks, and its repr is the whole explanation."""

    def __init__(self, claim: Claim, explanation: str, *, lets_through: bool) -> None:
        self.claim = claim
        self._explanation, self._lets_through = explanation, lets_through

    @property
    def verdict(self) -> Verdict:
        """PASS, MARGINAL, INCONCLUSIVE, INVALID or FAIL."""
        return self.claim.verdict

    def __bool__(self) -> bool:
        return self._lets_through

    def __repr__(self) -> str:
        return self._explanation


@dataclass(repr=False)
class Replies:
    """The replies of one model to one bank, asked for as claims need them.

    `findings` keeps what was claimed, in order, also when the body goes on after a falsy one.
    """

    bank: Bank
    form: Form
    terms: Terms
    broker: Asks
    explain: Callable[[Claim], str]
    findings: list[Finding] = field(default_factory=list)
    _spent: Counter[str] = field(default_factory=Counter, init=False, repr=False)

    def __repr__(self) -> str:
        return f"<replies to {self.bank.spec.prompt_set}{f'[{self.bank.slice}]' if self.bank.slice else ''}>"

    def rate(self, event: Event, *, target: float, limit: float) -> Finding:
        """The behaviour is rare: a bank at `target` or below almost never fails, one at `limit` or above almost never passes.

        Asks in bank order and stops as soon as the verdict stands; an early FAIL is confirmed by counting, so a bank below the limit
        never fails. Rates are fractions in [0, 1].

        Raises:
            ProbeError: when the bank can't tell target from limit, or the set's replies are choices.
        """
        from alignsuite.claims.sequential import rate_claim

        self._wants("generate", "rate")
        return self._found(rate_claim(self, event, target=target, limit=limit))

    def flips(self, event: Event | None = None, *, target: float, limit: float) -> Finding:
        """Another wording rarely changes the answer: the share of cases whose label differs from their reference variant's.

        For sets of choices the label is the likeliest option. There the plain questions must be answered better than by guessing, else the
        claim is INVALID: who ignores the question can't be moved by its wording.

        Raises:
            ProbeError: when the set has no variants, or the bank can't tell target from limit.
        """
        from alignsuite.claims.sequential import flips_claim

        if not self.bank.references:
            raise ProbeError(
                f"{self.bank.loaded.spec.id} has no variants, so there is nothing to compare: `flips` needs a reference variant"
            )
        if event is None:
            self._wants("choose", "flips")
        return self._found(flips_claim(self, event, target=target, limit=limit))

    def gap(self, event: Event, *, between: str = "group", limit: float, margin: float = 0.05) -> Finding:
        """Groups are treated alike: the largest difference between their rates of the behaviour is below `limit`.

        Every template is asked for every group. FAIL needs a gap beyond chance (labels shuffled within templates) and of at least `margin`;
        PASS needs every pair proved closer than `limit`.

        Raises:
            ProbeError: when `between` is no label, there is one group only, or a template lacks a group.
        """
        from alignsuite.claims.gap import gap_claim

        self._wants("generate", "gap")
        return self._found(gap_claim(self, event, between=between, limit=limit, margin=margin))

    def scale(self, *, low: float | None = None, high: float | None = None) -> Finding:
        """The trait's score stays at or above `low` and at or below `high`, in the units of the set's values.

        Scored by option probabilities over balanced orders. The validity gate comes first: answers that follow the options' place rather
        than their content are INVALID, whatever they average to.

        Raises:
            ProbeError: when the set has no values, or neither bound is given.
        """
        from alignsuite.claims.scale import scale_claim

        self._wants("choose", "scale")
        return self._found(scale_claim(self, low=low, high=high))

    def read(self, cases: Sequence[Case], event: Event | None) -> list[Reading]:
        """The replies to some cases, in their order, judged."""
        delivery = self.broker.get([case.request(self.form) for case in cases])
        self._count(delivery)
        return [
            Reading(case, reply, self._judge(case, reply, event))
            for case, reply in zip(cases, delivery.replies, strict=True)
        ]

    def waves(self, cases: Sequence[Case], first: int) -> Iterator[Sequence[Case]]:
        """The bank in the portions in which it is asked: what was planned at once, then waves."""
        start, size = 0, first
        while start < len(cases):
            yield cases[start : start + size]
            start, size = start + size, WAVE

    def _judge(self, case: Case, reply: Reply | RequestError, event: Event | None) -> Judgement:
        if isinstance(reply, RequestError):
            return Judgement(UNREADABLE, f"no reply ({reply.kind}): {reply}")
        if event is None:
            return read_choice(case.options, reply)
        return event.judge.read(case.text(self.form), reply)

    def _wants(self, ask: str, claim: str) -> None:
        spec = self.bank.loaded.spec
        if spec.ask != ask:
            raise ProbeError(f"`replies.{claim}` needs a set that says `ask: {ask}`; {spec.id} says `ask: {spec.ask}`")

    def _count(self, delivery: Delivery) -> None:
        replies = [reply for reply in delivery.replies if not isinstance(reply, RequestError)]
        self._spent["prompt"] += sum(reply.prompt_tokens for reply in replies)
        self._spent["completion"] += sum(reply.completion_tokens for reply in replies)
        self._spent["from_store"] += delivery.from_store
        self._spent["calls"] += len(delivery.replies) - delivery.from_store
        self._spent["milliseconds"] += round(1000 * delivery.seconds)

    def _found(self, claim: Claim) -> Finding:
        spent, self._spent = self._spent, Counter()
        claim = replace(
            claim,
            tokens={"prompt": spent["prompt"], "completion": spent["completion"]},
            time={"calls": spent["calls"], "from_store": spent["from_store"], "seconds": spent["milliseconds"] / 1000},
        )
        warns = self.bank.spec.on_inconclusive == "warn" and claim.verdict in (Verdict.INCONCLUSIVE, Verdict.INVALID)
        through = warns or claim.verdict in (Verdict.PASS, Verdict.MARGINAL)
        finding = Finding(claim, self.explain(claim), lets_through=through)
        self.findings.append(finding)
        return finding
