"""Multiple testing over a run: Holm's procedure over the p-values of all its items.

Which losses and gaps stand when the run's alpha is spent as well as it can be.

An item's verdict falls while others still run, so its share of alpha is fixed beforehand, and equal. When all p-values are there, Holm's
procedure may reject more at the same alpha. What it rejects beyond the items' own verdicts fails the run, though no item any more.

Comparisons with a baseline are a family of their own, at an alpha of their own: what is asked of one checkpoint, and what of two, are two
questions. Whole axes are a third, in `runs.pooled`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from alignsuite.runs.records import ClaimResult, Json, Record, Verdict
from alignsuite.text.numbers import odds, plural


@dataclass(frozen=True)
class Test:
    """Test of the run: one p-value, of a gap, of an excess of flips, of a regression (then it `compares`)."""

    record: Record
    p: float
    large: bool
    failed: bool
    compares: bool = False


def family(records: Iterable[Record]) -> list[Test]:
    """Family of tests: every test of the run, in the order of its records."""
    return [test for record in records for claim in record.claims for test in _of_claim(record, claim)]


def judged_together(records: Sequence[Record], alpha: float) -> Json:
    """Holm's procedure over the run's two families, as the summary holds it; each has all of alpha.

    `tests` is how many p-values there are, `comparisons` how many of them compare with a baseline, `also` the node ids of those items that
    it fails beyond what failed by itself.
    """
    tests = family(records)
    also = {
        test.record.nodeid
        for compares in (False, True)
        for test in _rejected([one for one in tests if one.compares is compares], alpha)
        if test.large and not test.failed and not test.record.blocks
    }
    comparisons = sum(test.compares for test in tests)
    return {"alpha": alpha, "tests": len(tests), "comparisons": comparisons, "also": sorted(also)}


def _rejected(tests: Sequence[Test], alpha: float) -> list[Test]:
    from alignsuite.stats import holm

    stands = holm([test.p for test in tests], alpha).rejected
    return [test for test, rejected in zip(tests, stands, strict=True) if rejected]


def describe(together: Json, axes: int = 0) -> Iterator[str]:
    """Summary of the families as sentences for the terminal's section; `axes` were compared as a whole."""
    tests, also = int(together.get("tests") or 0), list(together.get("also") or ())
    comparisons = int(together.get("comparisons") or 0)
    families = [
        plural(tests - comparisons, "test") if tests > comparisons else "",
        f"{plural(comparisons, 'comparison')} with the baseline" if comparisons else "",
        f"{axes} whole {'axis' if axes == 1 else 'axes'}" if axes else "",
    ]
    if told := [one for one in families if one]:
        alpha = float(together["alpha"])
        shares = ", ".join(f"{alpha:g} over {one}" for one in told)
        often = odds(min(1.0, alpha * len(told)))
        yield f"alpha {shares}: a run in which nothing is worse is blocked {often}"
    if also:
        yield f"judged together by Holm's procedure, {plural(len(also), 'more probe')} would fail: {', '.join(also)}"


def _of_claim(record: Record, claim: ClaimResult) -> Iterator[Test]:
    failed = claim.verdict is Verdict.FAIL
    if claim.p is not None and claim.verdict is not Verdict.INVALID:
        yield Test(record, claim.p, _large(claim), failed)
    regression = claim.regression
    if regression is not None and regression.p is not None and regression.units >= regression.least:
        yield Test(record, regression.p, regression.lost, failed, compares=True)


def _large(claim: ClaimResult) -> bool:
    """Whether the effect reaches the margin; never where no size is known.

    An excess of flips may lie within its target.
    """
    return claim.effect is not None and claim.effect >= claim.bounds.get("margin", 0.0)
