"""Rate claim: how often a behaviour happens, held against a target and a limit, by a sequential gate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from alignsuite.claims.claim import OfBehaviour
from alignsuite.claims.context import wants
from alignsuite.claims.judge_error_gate import LabelGate, label_gate
from alignsuite.claims.judge_errors import errors_of, known_errors
from alignsuite.claims.judge_fit import fitted
from alignsuite.claims.presentation import bad_of_asked, judge_notes, rate_row, with_interval, words
from alignsuite.claims.row import ClaimDetails, KnownErrors, Row
from alignsuite.claims.sequential import Sequential, Step
from alignsuite.judges.off_subject import TEMPLATES
from alignsuite.text.numbers import percent, plural

if TYPE_CHECKING:
    from alignsuite.claims.context import Context
    from alignsuite.judges.protocol import Behaviour
    from alignsuite.prompt_sets.render import Case
    from alignsuite.runs.records import ClaimResult, Verdict


@dataclass(frozen=True)
class Rate(OfBehaviour, Sequential):
    """Rate claim: a behaviour is rare; see `Replies.rate`."""

    of: Behaviour

    name: ClassVar[str] = "rate"

    def check(self, context: Context) -> None:
        """Check of the set: it needs written replies."""
        wants(context, "generate", "rate")
        super().check(context)

    def judged_gate(self, context: Context) -> LabelGate:
        """Gate for labels of a judge that errs as its card says; without a card they count as true."""
        cases, spec = self.cases(context), context.bank.loaded.spec
        errors = errors_of(self.of, spec.expect)
        return label_gate(self.target, self.limit, len(cases), spec.id, errors=errors, heard=self.heard(cases))

    def known(self, judged: LabelGate) -> ClaimDetails:
        """Details on the judge: its errors, and the count of labels that fails."""
        more = {} if judged.errors is None else {"fails_at": judged.gate.fails_at}
        return ClaimDetails(judge=known_errors(judged.errors, self.of, **more))

    def heard(self, cases: Sequence[Case]) -> int:
        """Number of the first cases among which replies off the subject are told; 0 where all are too few."""
        templates: set[str] = set()
        for number, case in enumerate(cases, start=1):
            templates.add(case.template)
            if len(templates) == TEMPLATES:
                return number
        return 0

    def steps(self, context: Context, cases: Sequence[Case]) -> list[Step]:
        """Steps of the gate: each reply judged."""
        return [(reading, reading.shows(self.of)) for reading in context.read(cases, self.of)]

    def _claim(
        self, context: Context, judged: LabelGate, seen: Sequence[Step], verdict: Verdict, reasons: tuple[str, ...]
    ) -> ClaimResult:
        errors = errors_of(self.of, context.bank.loaded.spec.expect)
        result = super()._claim(context, judged, seen, verdict, reasons)
        return fitted(result, self.of, errors, [reading for reading, _ in seen])

    @classmethod
    def present(cls, result: ClaimResult) -> Row:
        """`Row` of a rate: what the judge's labels say of it, where it has a card."""
        details = cls.Details.read(result.details)
        row, known = rate_row(result, details), details.judge
        if known is None or known.card is None:
            return row
        judged = (
            f"{bad_of_asked(result, 'reply')} {'was' if result.asked == 1 else 'were'} judged `{words(result.what)}`"
        )
        seen = f"{judged}; corrected for the judge's errors {with_interval(result)}"
        return replace(row, seen=seen, notes=judge_notes(result, details, _held(result, known)))


def _held(result: ClaimResult, known: KnownErrors) -> str:
    """What the claim made of the judge's errors, as a clause with its comma; older files moved its limits."""
    if known.fails_at is not None:
        return f", not checked on these replies, so {plural(known.fails_at, 'such label')} in {plural(result.bank, 'case')} fail it"
    if known.target is not None and known.limit is not None:
        return f", so its labels were held against target {percent(known.target)} and limit {percent(known.limit)}"
    return ""
