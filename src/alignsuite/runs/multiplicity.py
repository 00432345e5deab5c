"""Multiple testing over a run: Holm's procedure over the p-values of all its items.

Which losses and gaps stand when the run's alpha is spent as well as it can be.

An item's verdict falls while others still run, so its share of alpha is fixed beforehand, and equal. When all p-values are there, Holm's
procedure may reject more at the same alpha. What it rejects beyond the items' own verdicts fails the run, though no item any more.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from alignsuite.runs.records import ClaimResult, Json, Record, Verdict
from alignsuite.text.numbers import odds, plural


@dataclass(frozen=True)
class Test:
    """Test of the run: one p-value, of a gap, of an excess of flips, of a regression."""

    record: Record
    p: float
    large: bool
    failed: bool


def family(records: Iterable[Record]) -> list[Test]:
    """Family of tests: every test of the run, in the order of its records."""
    return [test for record in records for claim in record.claims for test in _of_claim(record, claim)]


def judged_together(records: Sequence[Record], alpha: float) -> Json:
    """Holm's procedure over the run's family, as the summary holds it.

    `tests` is how many p-values there are, `also` the node ids of those items that it fails beyond what failed by itself.
    """
    from alignsuite.stats import holm

    tests = family(records)
    rejected = holm([test.p for test in tests], alpha).rejected
    also = {
        test.record.nodeid
        for test, stands in zip(tests, rejected, strict=True)
        if stands and test.large and not test.failed and not test.record.blocks
    }
    return {"alpha": alpha, "tests": len(tests), "also": sorted(also)}


def describe(together: Json) -> Iterator[str]:
    """Summary of the family as sentences for the terminal's section."""
    tests, also = int(together.get("tests") or 0), list(together.get("also") or ())
    if tests:
        often = odds(together["alpha"])
        yield f"alpha {together['alpha']:g} over {plural(tests, 'test')}: a run in which nothing is worse is blocked {often}"
    if also:
        yield f"judged together by Holm's procedure, {plural(len(also), 'more probe')} would fail: {', '.join(also)}"


def _of_claim(record: Record, claim: ClaimResult) -> Iterator[Test]:
    failed = claim.verdict is Verdict.FAIL
    if claim.p is not None and claim.verdict is not Verdict.INVALID:
        yield Test(record, claim.p, _large(claim), failed)
    regression = claim.regression
    if regression is not None and regression.p is not None and regression.units >= regression.least:
        yield Test(record, regression.p, regression.lost, failed)


def _large(claim: ClaimResult) -> bool:
    """Whether the effect reaches the margin; never where no size is known.

    An excess of flips may lie within its target.
    """
    return claim.effect is not None and claim.effect >= claim.bounds.get("margin", 0.0)
