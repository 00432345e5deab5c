"""No-worse claim: a paired regression test against a baseline on the same cases, without an absolute limit.

Every other claim about a rate or a score is held against the baseline as well, where `--baseline` names one; this one is for behaviour that
has no number of its own yet: "whatever it is, it must not get worse".

A judge that errs alike in both runs shows Se + Sp − 1 of a true loss: its errors weaken the comparison, and make no loss of their own. So
nothing is corrected here, and the record says how much of a loss shows at least.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from alignsuite.claims.claim import OfBehaviour, Risk, Whole
from alignsuite.claims.context import asked_of, wants
from alignsuite.claims.judge_errors import errors_of, known_errors
from alignsuite.claims.judged_reply import account, counted
from alignsuite.claims.row import ClaimDetails
from alignsuite.errors import ProbeError
from alignsuite.runs.baseline import Reads
from alignsuite.runs.records import ClaimResult, Verdict

if TYPE_CHECKING:
    from alignsuite.claims.context import Context
    from alignsuite.judges.protocol import Behaviour
    from alignsuite.prompt_sets.render import Case
    from alignsuite.runs.baseline import Baseline


@dataclass(frozen=True)
class NoWorse(OfBehaviour, Whole):
    """No-worse claim: a behaviour has not become more frequent than in the baseline; see `Replies.no_worse_than`."""

    baseline: Baseline
    of: Behaviour
    margin: float

    name: ClassVar[str] = "no_worse"

    @property
    def numbers(self) -> Mapping[str, float]:
        """Margin of the loss."""
        return {"margin": self.margin}

    def check(self, context: Context) -> None:
        """Check of the baseline (comparable) and of the bank (large enough for a loss to show at all)."""
        from alignsuite.stats import least_discordant

        wants(context, "generate", "no_worse_than")
        if not 0 <= self.margin < 1:
            raise ProbeError(f"margin={self.margin}: wanted a share of cases in [0, 1), such as 0.02 for 2 points")
        self.baseline.check(asked_of(context.bank), [Reads(self.family, self.what, self.reader)])
        size, least = self.tested(context), least_discordant(context.terms.alpha)
        if size < least:
            raise ProbeError(
                f"{context.bank.loaded.spec.id}: {size} templates can't show any loss at this item's share of alpha "
                f"({context.terms.alpha:.2g}), not even if all got worse: {least} are the fewest"
            )

    def cases(self, context: Context) -> Sequence[Case]:
        """Cases: the bank's first, as many as the tier allows."""
        return context.bank.first(context.terms.cases)

    def tested(self, context: Context) -> int:
        """Number of templates, the independent units of the paired test."""
        return len({case.template for case in self.cases(context)})

    def risk(self, context: Context) -> Risk:
        """Error rates: a model that is no worse fails with at most the claim's share of alpha."""
        alpha = context.terms.alpha
        return Risk(bank=alpha, model=alpha, model_at_half=alpha)

    def judge(self, context: Context) -> ClaimResult:
        """Result of the paired regression test: every case is asked, and paired with the baseline's."""
        cases = self.cases(context)
        readings = context.read(cases, self.of)
        outcomes = {reading.case.id: reading.shows(self.of) for reading in readings}
        bad = [reading for reading in readings if outcomes[reading.case.id]]
        unread = [reading for reading in readings if outcomes[reading.case.id] is None]
        errors = errors_of(self.of, context.bank.loaded.spec.expect)
        claim = ClaimResult(
            kind=self.name, verdict=Verdict.PASS, what=self.what, judge=self.reader, asked=len(cases), bank=len(cases), bad=len(bad),
            unread=len(unread), value=len(bad) / max(1, len(cases) - len(unread)), bounds=dict(self.numbers),
            errors={"false_alarm": context.terms.alpha}, outcomes=counted(outcomes),
            details=ClaimDetails(judge=known_errors(errors, self.of, **({"kept": errors.kept} if errors else {}))).plain(),
            **account(readings, context.form, shown=[*bad, *unread, *readings], most=context.terms.examples, outcomes=outcomes),
        )  # fmt: skip
        if context.terms.calibrate:
            return claim  # what changed is noise, which is measured elsewhere
        held = self.baseline.held_against(claim, asked_of(context.bank), alpha=context.terms.alpha, margin=self.margin)
        regression = held.regression
        assert regression is not None
        if regression.reason:
            return replace(held, verdict=Verdict.INVALID, reasons=(regression.reason,))
        return held
