"""Replies: what a probe's body holds; each method makes a claim and asks for as much as its verdict needs.

This is the only loop that asks, judges and decides. Replies are taken in the order of the bank, wave by wave, whatever
order they arrived in; so a verdict is a function of the store, not of the clock.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NoReturn, Protocol

from alignsuite.claims import register
from alignsuite.claims.answering import held
from alignsuite.claims.context import Terms, asked_of
from alignsuite.claims.judged_reply import JudgedReply
from alignsuite.errors import ProbeError, RequestError
from alignsuite.judges.agreement import Agreement
from alignsuite.judges.choice import read_choice
from alignsuite.judges.protocol import UNREADABLE, Behaviour, Exchange, Judge, Judgement, Reader, exchange_of
from alignsuite.judges.reading import read_replies
from alignsuite.judges.registry import JudgeRegistry, Paid
from alignsuite.judges.response_status import Answered, classify
from alignsuite.models.protocol import Generated, Prompt, Reply, Request
from alignsuite.runs.records import ClaimResult, Verdict

if TYPE_CHECKING:
    from alignsuite.claims.claim import Claim
    from alignsuite.models.broker.broker import Delivery
    from alignsuite.prompt_sets.bank import Bank
    from alignsuite.prompt_sets.render import Case
    from alignsuite.prompt_sets.schema import Form
    from alignsuite.runs.baseline import Baseline


__all__ = ["DryRun", "DryRunOver", "Finding", "Governs", "Replies", "Terms"]


class Asks(Protocol):
    """Broker as far as `Replies` needs it."""

    def get(self, requests: Sequence[Request]) -> Delivery:
        """Replies to requests, in their order."""
        ...


Governs = Callable[[int, Mapping[str, float]], Mapping[str, float]]
"""From the number of a claim in its body and the numbers declared there to the numbers in force; see `alignsuite.limits`."""


class Finding:
    """Finding: the outcome of one claim, truthy unless it blocks; its repr is the whole explanation."""

    def __init__(self, claim: ClaimResult, explanation: str, *, lets_through: bool) -> None:
        self.claim = claim
        self._explanation, self._lets_through = explanation, lets_through

    @property
    def verdict(self) -> Verdict:
        """Verdict: PASS, MARGINAL, INCONCLUSIVE, INVALID or FAIL."""
        return self.claim.verdict

    def __bool__(self) -> bool:
        return self._lets_through

    def __repr__(self) -> str:
        return self._explanation


@dataclass(repr=False)
class Replies:
    """Replies of one model to one bank, asked for as claims need them.

    `findings` keeps what was claimed, in order, also when the body goes on after a falsy one. `baseline` is what every rate and score is
    held against, `governs` what may put other numbers in place of the probe's own, `judges` sit in place of the behaviours' own.
    """

    bank: Bank
    form: Form
    terms: Terms
    broker: Asks
    explain: Callable[[ClaimResult], str]
    findings: list[Finding] = field(default_factory=list)
    draw: int = 0
    baseline: Baseline | None = None
    governs: Governs | None = None
    judges: JudgeRegistry = field(default_factory=JudgeRegistry)
    over: bool = False
    _spent: Counter[str] = field(default_factory=Counter, init=False, repr=False)
    _judging: Counter[str] = field(default_factory=Counter, init=False, repr=False)
    _agreement: Agreement | None = field(default=None, init=False, repr=False)

    def __repr__(self) -> str:
        return f"<replies to {self.bank.title}>"

    def rate(self, event: Behaviour, *, target: float, limit: float) -> Finding:
        """Rate claim, by a sequential gate over the bank: the behaviour is rare.

        A bank at `target` or below almost never fails, one at `limit` or above almost never passes.

        Asks in bank order and stops as soon as the verdict stands. A FAIL comes only where the rest of the bank could not undo it.
        Rates are fractions in [0, 1].

        Raises:
            ProbeError: when the bank can't tell target from limit, or the set's replies are choices.
        """
        from alignsuite.claims.rate import Rate

        return self.claim(Rate(target, limit, self.judges.assigned(event)))

    def flips(self, of: Behaviour | None = None, *, target: float, limit: float) -> Finding:
        """Inconsistency claim: the share of cases whose label differs from that of their reference variant is small.

        Another wording rarely changes the answer.

        For sets of choices the label is the likeliest option. There the plain questions must be answered better than by guessing, else the
        claim is INVALID: who ignores the question can't be moved by its wording.

        In a probe that samples (`@probe(…, temperature=0.7)`) the plain question is asked twice, and what counts is the excess: how much
        more often another wording changes the label `of` a behaviour than asking again does.

        Raises:
            ProbeError: when the set has no variants, or the bank can't tell target from limit.
        """
        from alignsuite.claims.inconsistency import ExcessInconsistency, Inconsistency

        if self.bank.temperature > 0 and of is not None:
            return self.claim(ExcessInconsistency(target, limit, self.judges.assigned(of)))
        return self.claim(Inconsistency(target, limit, of and self.judges.assigned(of)))

    def mistakes(self, *, target: float, limit: float) -> Finding:
        """Error-rate claim: the share of questions whose likeliest option, over all orders, is wrong is small.

        The right option of a question is its `answer`.

        Each question is asked in every order of its options; answers that follow the options' place rather than their content are INVALID.

        Raises:
            ProbeError: when the set names no answers or does not ask every order, or the bank can't tell target from limit.
        """
        from alignsuite.claims.error_rate import ErrorRate

        return self.claim(ErrorRate(target, limit))

    def bias(self, *, limit: float, margin: float = 0.05) -> Finding:
        """Bias claim (BBQ): s_amb of Parrish et al. 2022 lies within ± `limit`.

        Where the text does not tell, answers do not follow stereotypes.

        FAIL needs a lean beyond chance (signs of scenes flipped) of at least `margin`, either way. INVALID: answers follow the options'
        place, or a score near 0 comes from a model that can't answer the twins that the text does tell.

        Raises:
            ProbeError: when the set is not one of twins, or its scenes are too few to prove anything.
        """
        from alignsuite.claims.bias import Bias

        return self.claim(Bias(limit, margin))

    def preference(self, *, limit: float, margin: float = 0.05) -> Finding:
        """Preference claim: the stereotyped sentence of a pair is favoured at a rate within ½ ± `limit`.

        Compared by log-odds ratios of two ends after two openings. FAIL needs a rate beyond chance (exact sign test) and at least `margin`
        from one half, either way.

        Raises:
            ProbeError: when the set is not one of pairs, or they are too few to prove anything.
        """
        from alignsuite.claims.preference import Preference

        return self.claim(Preference(limit, margin))

    def gap(self, event: Behaviour, *, between: str = "group", limit: float, margin: float = 0.05) -> Finding:
        """Gap claim: the largest difference between groups' rates of the behaviour is below `limit`.

        Groups are treated alike.

        Every template is asked for every group. FAIL needs a gap beyond chance (labels shuffled within templates) and of at least `margin`;
        PASS needs every pair proved closer than `limit`.

        Raises:
            ProbeError: when `between` is no label, there is one group only, a template lacks a group, or the templates are too few to prove
                anything.
        """
        from alignsuite.claims.gap import Gap

        return self.claim(Gap(self.judges.assigned(event), between, limit, margin))

    def scale(self, *, low: float | None = None, high: float | None = None) -> Finding:
        """Scale claim: the trait's score lies from `low` to `high`, in the units of the set's values.

        Scored by option probabilities over balanced orders. The validity gate comes first: answers that follow the options' place rather
        than their content are INVALID, whatever they average to. Without bounds it only has to be valid.

        Raises:
            ProbeError: when the set has no values or one order only, or its statements are about several traits.
        """
        from alignsuite.claims.scale import Scale

        return self.claim(Scale.over(self.bank, low, high))

    def no_worse_than(self, baseline: Baseline, of: Behaviour, *, margin: float = 0.02) -> Finding:
        """No-worse claim: the behaviour is no more frequent than in the baseline, case by case.

        `baseline` is the fixture of that name.

        FAIL needs a loss beyond chance (exact McNemar test at the claim's share of alpha) and of at least `margin`, in shares of the cases;
        a loss of that size within chance is MARGINAL. Asks every case that the tier allows.

        Raises:
            BaselineError: when the baseline asked or judged these cases otherwise.
            ProbeError: when the bank is too small for any loss to show.
        """
        from alignsuite.claims.no_worse import NoWorse

        return self.claim(NoWorse(baseline, self.judges.assigned(of), margin))

    def claim(self, kind: Claim) -> Finding:
        """Finding of a claim of any kind, judged with the numbers in force, and held against the baseline.

        Raises:
            ProbeError: when the test's body is over, or the bank can never prove the claim.
        """
        if self.over:
            raise ProbeError(f"a `{kind.name}` was claimed after the body ended, in a teardown: claim it in the body")
        register(type(kind))
        in_force = self.governed(kind)
        changed = tuple(name for name, number in kind.numbers.items() if in_force.numbers.get(name) != number)
        claim = replace(self._judged(in_force), governed=changed)
        warns = self.terms.warns and not claim.binding and claim.verdict in (Verdict.INCONCLUSIVE, Verdict.INVALID)
        through = warns or claim.verdict in (Verdict.PASS, Verdict.MARGINAL)
        finding = Finding(claim, self.explain(claim), lets_through=through)
        self.findings.append(finding)
        return finding

    def governed(self, kind: Claim) -> Claim:
        """Claim with the numbers in force, checked.

        Raises:
            ProbeError: when the bank can never prove it.
        """
        if self.governs is not None:
            kind = kind.with_numbers(self.governs(len(self.findings), kind.numbers))
        kind.check(self)
        return kind

    def _judged(self, kind: Claim) -> ClaimResult:
        from alignsuite.runs.baseline import with_noise

        self._agreement = None
        result = held(
            kind.judge(self), least=kind.least_answered, fewest=kind.fewest_answered, fails_anyway=kind.fails_anyway
        )
        baseline, terms, asked = self.baseline, self.terms, asked_of(self.bank)
        if terms.calibrate and baseline is not None:
            result = baseline.calibrated(result, asked)
        elif terms.calibrate:
            second = replace(self, draw=self.draw + 1, findings=[])
            result = with_noise(result, kind.judge(second), "again")
            self._spent += second._spent
            self._judging += second._judging
        elif baseline is not None and result.pairing.held and result.regression is None:
            result = baseline.held_against(result, asked, alpha=terms.alpha)
        spent, self._spent = self._spent, Counter()
        return self._with_judges(
            replace(
                result,
                tokens={"prompt": spent["prompt"], "completion": spent["completion"]},
                time={
                    "calls": spent["calls"], "from_store": spent["from_store"], "seconds": spent["milliseconds"] / 1000
                },
            )
        )  # fmt: skip

    def _with_judges(self, claim: ClaimResult) -> ClaimResult:
        """`ClaimResult` with what judging cost, and with the second rater's agreement.

        Tokens of judging are none of the model's own.
        """
        bill, self._judging = self._judging, Counter()
        details, time = dict(claim.details), dict(claim.time)
        if self._agreement is not None:
            details["second_judge"] = self._agreement.details()
        if bill:
            details["judging"] = {"tokens": {"prompt": bill["prompt"], "completion": bill["completion"]}}
            time |= {
                "judge_calls": bill["calls"], "judge_from_store": bill["from_store"], "judge_seconds": bill["milliseconds"] / 1000
            }  # fmt: skip
        return replace(claim, details=details, time=time)

    def requests(self, cases: Sequence[Case], *, again: bool = False) -> list[Request]:
        """Requests that these cases send to a model; `again` asks for another reply to the same prompts."""
        seed, temperature = 2 * self.draw + again, self.bank.temperature
        return [case.request(self.form, temperature=temperature, seed=seed) for case in cases]

    def read(self, cases: Sequence[Case], behaviour: Behaviour | None, *, again: bool = False) -> list[JudgedReply]:
        """Replies to some cases, in their order, judged."""
        delivery = self.broker.get(self.requests(cases, again=again))
        self._count(delivery)
        read = self._read(cases, delivery.replies, behaviour, again=again)
        return [
            JudgedReply(case, reply, judgement, answered)
            for case, reply, (answered, judgement) in zip(cases, delivery.replies, read, strict=True)
        ]

    def _read(
        self,
        cases: Sequence[Case],
        replies: Sequence[Reply | RequestError],
        behaviour: Behaviour | None,
        *,
        again: bool,
    ) -> list[tuple[Answered, Judgement]]:
        """Status and judgement of each reply; the judge is asked once for all, the second rater beside it."""
        came = [
            (case, reply) for case, reply in zip(cases, replies, strict=True) if not isinstance(reply, RequestError)
        ]
        if behaviour is None:
            read = [(classify(self._prompt(case), reply), _unjudged(case, reply)) for case, reply in came]
        else:
            exchanges = [exchange_of(self._prompt(case), reply, case.hidden, case.options) for case, reply in came]
            read = self._read_by(behaviour.judge, exchanges)
            second = self.judges.second_opinion(behaviour)
            if second is not None:
                flagged_only = self.judges.flagged_only
                self._agreement = self._agreement or Agreement(behaviour, second, flagged_only=flagged_only)
                seen = [at for at, (_, one) in enumerate(read) if not flagged_only or behaviour.shown_by(one)]
                for at, (_, other) in zip(seen, self._read_by(second, [exchanges[at] for at in seen]), strict=True):
                    case = came[at][0]
                    self._agreement.add(f"{case.id} again" if again else case.id, read[at][1], other)
        judged = iter(read)
        return [
            ("failed", Judgement(UNREADABLE, f"no reply ({reply.kind}): {reply}"))
            if isinstance(reply, RequestError)
            else next(judged)
            for reply in replies
        ]

    def _prompt(self, case: Case) -> Prompt:
        return (case.chat if self.form == "chat" else case.raw) or ""

    def _read_by(self, judge: Judge | Reader, exchanges: Sequence[Exchange]) -> list[tuple[Answered, Judgement]]:
        read = read_replies(judge, exchanges)
        if isinstance(judge, Paid):
            self._judging.update(judge.bill())
        return read

    def _count(self, delivery: Delivery) -> None:
        replies = [reply for reply in delivery.replies if not isinstance(reply, RequestError)]
        self._spent["prompt"] += sum(reply.prompt_tokens for reply in replies)
        self._spent["completion"] += sum(reply.completion_tokens for reply in replies)
        self._spent["from_store"] += delivery.from_store
        self._spent["calls"] += len(delivery.replies) - delivery.from_store
        self._spent["milliseconds"] += round(1000 * delivery.seconds)


def _unjudged(case: Case, reply: Reply) -> Judgement:
    """Judgement where no judge is asked: the option that was chosen, or that there is a text for the claim to read."""
    if isinstance(reply, Generated):
        return (
            Judgement("written", reply.text[:200])
            if reply.text.strip()
            else Judgement(UNREADABLE, "no words in the reply")
        )
    return read_choice(case.options, reply)


class DryRunOver(BaseException):
    """End of the dry run of a body that asks for replies itself; no test can catch it by accident."""


@dataclass(repr=False)
class DryRun(Replies):
    """Dry run of a body, in place of `Replies`: each claim is checked, noted in `claims`, and let through.

    There is nobody to ask.

    `declared` holds the numbers as the body states them, `claims` the claims with the numbers in force.
    """

    claims: list[Claim] = field(default_factory=list)
    declared: list[Mapping[str, float]] = field(default_factory=list)

    def claim(self, kind: Claim) -> Finding:
        """Finding that lets the claim through, which is noted."""
        register(type(kind))
        in_force = self.governed(kind)
        self.declared.append(kind.numbers)
        self.claims.append(in_force)
        claim = ClaimResult(
            in_force.name, Verdict.PASS, in_force.what, in_force.reader, asked=0, bank=0, bounds=in_force.numbers
        )
        self.findings.append(Finding(claim, "dry run", lets_through=True))
        return self.findings[-1]

    def read(self, cases: Sequence[Case], behaviour: Behaviour | None, *, again: bool = False) -> NoReturn:
        """End of the dry run: there is nobody to ask."""
        raise DryRunOver
