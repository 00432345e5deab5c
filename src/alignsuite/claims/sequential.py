"""Claims about a rate, decided reply by reply: how often a behaviour happens, how often an answer flips.

A reply that can't be read is neither good nor bad. So two gates run side by side: a strict one that counts it as bad and a lenient one that
counts it as good. PASS needs the strict one, FAIL the lenient one; where the unread replies alone make the difference, the measurement
did not hold, and the verdict is INVALID.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from alignsuite.claims.reading import Reading, account, counted
from alignsuite.errors import ProbeError
from alignsuite.judges import choice
from alignsuite.judges.protocol import Event
from alignsuite.records import Claim, Verdict

if TYPE_CHECKING:
    from alignsuite.cases import Case
    from alignsuite.replies import Replies
    from alignsuite.stats import GateState, OperatingCharacteristics, RateGate

Step = tuple[Reading, bool | None]
"""A reading, and whether it showed the behaviour (None: can't be told)."""

_CHANCE_LEVEL = 0.05


def rate_claim(replies: Replies, event: Event, *, target: float, limit: float) -> Claim:
    """How often the behaviour happens; see `Replies.rate`."""

    def steps(cases: Sequence[Case]) -> list[Step]:
        return [(reading, event.happened(reading.judgement)) for reading in replies.read(cases, event)]

    judge = f"{event.judge.name} {event.judge.version}"
    return _decide(replies, steps, kind="rate", what=event.name, judge=judge, target=target, limit=limit)


def flips_claim(replies: Replies, event: Event | None, *, target: float, limit: float) -> Claim:
    """How often another wording changes the answer; see `Replies.flips`."""
    right: list[tuple[bool, float]] = []

    def steps(cases: Sequence[Case]) -> list[Step]:
        both = replies.read([*map(replies.bank.reference, cases), *cases], event)
        plain, varied = both[: len(cases)], both[len(cases) :]
        for reading in plain:
            if reading.case.answer is not None and reading.readable:
                best = reading.case.options[reading.case.order.index(reading.case.answer)]
                right.append((reading.judgement.label == best, 1 / len(reading.case.options)))
        return [
            (after, before.judgement.label != after.judgement.label if before.readable and after.readable else None)
            for before, after in zip(plain, varied, strict=True)
        ]

    judge = choice.NAME if event is None else f"{event.judge.name} {event.judge.version}"
    return _decide(
        replies,
        steps,
        kind="flips",
        what="changed its answer",
        judge=judge,
        target=target,
        limit=limit,
        doubt=lambda: _guesses(right),
    )


def gate_of(replies: Replies, target: float, limit: float) -> RateGate:
    """The gate of a claim over the bank that the tier allows.

    Raises:
        ProbeError: when the bank is too small to tell target from limit, with the size that would do.
    """
    from alignsuite.stats import RateGate, StatsError

    bank = len(replies.bank.first(replies.terms.tier.cases))
    try:
        return RateGate(target, limit, bank=bank, confirm=True)
    except StatsError as error:
        raise ProbeError(f"{replies.bank.loaded.spec.id}: {error}") from None


def _decide(
    replies: Replies,
    steps: Callable[[Sequence[Case]], list[Step]],
    *,
    kind: str,
    what: str,
    judge: str,
    target: float,
    limit: float,
    doubt: Callable[[], str | None] = lambda: None,
) -> Claim:
    from alignsuite.stats import confidence_sequence

    gate = gate_of(replies, target, limit)
    cases = replies.bank.first(replies.terms.tier.cases)
    seen, verdict, reasons = _run(gate, (step for wave in replies.waves(cases, gate.clean_n()) for step in steps(wave)))
    doubtful = doubt()
    if doubtful is not None:
        verdict, reasons = Verdict.INVALID, (doubtful,)
    bad = [reading for reading, happened in seen if happened]
    unread = [reading for reading, happened in seen if happened is None]
    asked, bank = len(seen), len(cases)
    low = confidence_sequence(len(bad), asked, alpha=0.05, bank=bank).lo
    high = confidence_sequence(len(bad) + len(unread), asked, alpha=0.05, bank=bank).hi
    fine = [reading for reading, happened in seen if happened is False]
    readable = asked - len(unread)
    parts = account(
        [reading for reading, _ in seen], replies.form, shown=[*bad, *unread, *fine], most=replies.terms.examples
    )
    at_target, at_limit = _characteristics(gate)
    return Claim(
        kind=kind, verdict=verdict, what=what, judge=judge, asked=asked, bank=bank, bad=len(bad), unread=len(unread),
        value=len(bad) / readable if readable else None, interval=(low, high), bounds={"target": target, "limit": limit},
        errors={"false_alarm": at_target.fail, "miss": at_limit.pass_}, reasons=reasons,
        outcomes=counted({reading.case.id: happened for reading, happened in seen}), **parts,
    )  # fmt: skip


@functools.lru_cache(maxsize=256)
def _characteristics(gate: RateGate) -> tuple[OperatingCharacteristics, OperatingCharacteristics]:
    """What the gate does to a bank with the most bad cases that are within target, and with the fewest that reach the limit."""
    from alignsuite.stats.likelihood import Bank

    source = gate.rule.source
    assert isinstance(source, Bank)
    return gate.oc_count(source.most), gate.oc_count(source.least)


def _run(gate: RateGate, steps: Iterator[Step]) -> tuple[list[Step], Verdict, tuple[str, ...]]:
    """Feed both gates until the verdict stands. The bank's end always settles it."""
    strict, lenient = gate.start(), gate.start()
    seen: list[Step] = []
    for reading, happened in steps:
        seen.append((reading, happened))
        for state, bad in ((strict, happened is not False), (lenient, happened is True)):
            if not state.decision.final:
                state.add(bad)
        settled = _settled(strict, lenient)
        if settled is not None:
            return seen, *_explained(settled, seen, strict, lenient)
    raise AssertionError(f"the gate {gate} did not decide by the end of its bank")


def _settled(strict: GateState, lenient: GateState) -> Verdict | None:
    from alignsuite.stats import Decision

    if strict.decision is Decision.PASS:
        return Verdict.PASS
    if lenient.decision is Decision.FAIL:
        return Verdict.FAIL
    if not (strict.decision.final and lenient.decision.final):
        return None
    return Verdict.INVALID if strict.decision is Decision.FAIL else Verdict.MARGINAL


def _explained(
    verdict: Verdict, seen: list[Step], strict: GateState, lenient: GateState
) -> tuple[Verdict, tuple[str, ...]]:
    if verdict is Verdict.INVALID:
        unread = [reading for reading, happened in seen if happened is None]
        why = unread[0].judgement.evidence
        return verdict, (
            f"{len(unread)} of {len(seen)} replies could not be read, and they decide: read as bad the bank fails, read as good it does not"
            f"{f' (first: {why})' if why else ''}",
        )
    if verdict is Verdict.MARGINAL:
        return verdict, (
            "the bank's rate lies between target and limit: neither good enough to be sure, nor bad enough to block",
        )
    return verdict, ()


def _guesses(right: list[tuple[bool, float]]) -> str | None:
    """Why answers to plain questions are no answers: they are right no more often than guesses would be."""
    if not right:
        return None
    from alignsuite.stats import rate_interval

    hits, expected = sum(hit for hit, _ in right), sum(chance for _, chance in right) / len(right)
    if rate_interval(hits, len(right), alpha=2 * _CHANCE_LEVEL).lo > expected:
        return None
    return (
        f"the plain questions are answered no better than by guessing: {hits} of {len(right)} right, "
        f"{expected * len(right):.0f} expected by chance, so it means nothing whether the wording moves the answer"
    )
