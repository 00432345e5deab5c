"""All tests of a run judged together: Holm's procedure over known p-values, and what it fails beyond the items' own verdicts."""

from __future__ import annotations

from typing import Any

import pytest

from alignsuite.reports.terminal import section
from alignsuite.runs.multiplicity import describe, family, judged_together
from alignsuite.runs.records import Record, Regression, Verdict

LOST: dict[str, Any] = {
    "pairs": 200, "units": 200, "worse": 12, "better": 0, "before": 0.02, "now": 0.08, "loss": 0.06, "least": 7, "margin": 0.02,
}  # fmt: skip


def lost(make: Any, name: str, p: float | None, *, verdict: Verdict = Verdict.MARGINAL, **regression: Any) -> Record:
    """An item whose rate got worse with this p-value."""
    held = Regression("main", **{**LOST, "p": p, **regression})
    claim = make.rate(verdict, 16, 200, (0.05, 0.12), regression=held)
    return make.record("safety", f"test_{name}", "", claim)  # type: ignore[no-any-return]


def also(records: list[Record], alpha: float) -> list[str]:
    """The tests that fail beyond the items' own verdicts, without folder and brackets."""
    ids: list[str] = judged_together(records, alpha)["also"]
    return [one.partition("::test_")[2].partition("[")[0] for one in ids]


def test_holm_rejects_what_his_paper_says(make: Any) -> None:
    """0.005 ≤ 0.05/4, 0.01 ≤ 0.05/3, 0.03 > 0.05/2: two stand. Bonferroni's equal shares of 0.0125 find the same two here."""
    records = [lost(make, name, p) for name, p in (("a", 0.01), ("b", 0.04), ("c", 0.03), ("d", 0.005))]
    assert judged_together(records, 0.05)["tests"] == 4
    assert also(records, 0.05) == ["a", "d"]


def test_holm_rejects_more_than_equal_shares_do(make: Any) -> None:
    """0.004 and 0.013, 0.02, 0.045 at 0.05: step by step all four stand, where equal shares of 0.0125 find one."""
    records = [lost(make, name, p) for name, p in (("a", 0.004), ("b", 0.013), ("c", 0.02), ("d", 0.045))]
    assert also(records, 0.05) == ["a", "b", "c", "d"]
    assert also(records, 0.01) == []


def test_a_p_value_that_does_not_stand_stops_the_procedure(make: Any) -> None:
    """0.03 > 0.05/2 stops it, though 0.045 alone would be below 0.05."""
    records = [lost(make, name, p) for name, p in (("a", 0.001), ("b", 0.03), ("c", 0.045))]
    assert also(records, 0.05) == ["a"]


def test_what_failed_by_itself_is_no_news(make: Any) -> None:
    """`also` names those only whose own verdict lets them through; the failed one still takes its place in the family."""
    records = [lost(make, "a", 0.00001, verdict=Verdict.FAIL), lost(make, "b", 0.009)]
    assert judged_together(records, 0.01) == {"alpha": 0.01, "tests": 2, "comparisons": 2, "also": [records[1].nodeid]}


def test_an_item_that_blocks_for_another_reason_is_not_counted_twice(make: Any) -> None:
    """An item in error, or INVALID by another claim, blocks the run already."""
    invalid = make.scale()
    claim = lost(make, "a", 0.001).claims[0]
    record = make.record("safety", "test_a", "", claim, invalid, blocks=True)
    assert judged_together([record], 0.01) == {"alpha": 0.01, "tests": 1, "comparisons": 1, "also": []}


def test_a_loss_below_its_margin_blocks_nobody(make: Any) -> None:
    """However unlikely by chance: it is in the family, and not in `also`."""
    record = lost(make, "a", 0.0001, verdict=Verdict.PASS, loss=0.015)
    assert judged_together([record], 0.01) == {"alpha": 0.01, "tests": 1, "comparisons": 1, "also": []}


def test_gaps_are_in_the_family_and_excesses_of_flips(make: Any) -> None:
    """A gap of at least its margin may be failed by Holm; a smaller one, and an excess that may lie within target, never are."""
    wide = make.gap(verdict=Verdict.INCONCLUSIVE, p=0.004)
    narrow = make.gap(verdict=Verdict.PASS, p=0.004, value=0.03)
    flips = make.flips(Verdict.INCONCLUSIVE, 9, 60, (0.05, 0.3), p=0.004)
    records = [
        make.record("fairness", f"test_{name}", "", claim, blocks=False)
        for name, claim in (("wide", wide), ("narrow", narrow), ("flips", flips))
    ]
    assert judged_together(records, 0.02)["tests"] == 3
    assert also(records, 0.02) == ["wide"]


@pytest.mark.parametrize(
    "regression",
    [
        {"p": None, "reason": "the baseline main holds no such claim"},
        {"p": 1.0, "units": 6, "least": 7},
    ],
)
def test_what_could_show_nothing_is_no_test(make: Any, regression: dict[str, Any]) -> None:
    """Nothing compared, or fewer pairs than could ever fail: neither costs the others any alpha."""
    silent = lost(make, "silent", **{"p": 1.0, **regression})
    records = [silent, lost(make, "a", 0.008)]
    assert judged_together(records, 0.01)["tests"] == 1
    assert also(records, 0.01) == ["a"]


def test_a_measurement_that_did_not_hold_is_no_test(make: Any) -> None:
    """The p-value of an INVALID gap is no evidence."""
    record = make.record("fairness", "test_a", "", make.gap(verdict=Verdict.INVALID, p=0.0001), blocks=True)
    assert family([record]) == []


def test_every_claim_of_an_item_counts_and_the_item_is_named_once(make: Any) -> None:
    """Two losses in one item are two tests, and one line."""
    claims = [lost(make, "a", p).claims[0] for p in (0.001, 0.002)]
    record = make.record("safety", "test_a", "", *claims)
    assert judged_together([record], 0.01) == {"alpha": 0.01, "tests": 2, "comparisons": 2, "also": [record.nodeid]}


def test_a_run_without_tests_says_nothing_of_alpha(make: Any) -> None:
    """Rates alone reject nothing by chance."""
    together = judged_together([make.record("safety", "test_a", "", make.rate(Verdict.PASS, 0, 77, (0.0, 0.05)))], 0.01)
    assert together == {"alpha": 0.01, "tests": 0, "comparisons": 0, "also": []}
    assert list(describe(together)) == []
    assert list(describe({})) == []


def test_the_section_says_alpha_and_what_holm_fails(make: Any) -> None:
    """One false block in a hundred good runs, in words; and a run that only Holm fails is blocked."""
    records = [lost(make, "a", 0.009)]
    run = make.run(*records, together=judged_together(records, 0.01))
    shown = section(run, width=120)
    assert (
        "alpha 0.01 over 1 comparison with the baseline: a run in which nothing is worse is blocked once in 100 runs"
        in shown
    )
    assert f"judged together by Holm's procedure, 1 more probe would fail: {records[0].nodeid}" in shown
    assert shown[-1] == "blocked by 1 of 1 probe"


def test_comparisons_and_gaps_do_not_share_alpha(make: Any) -> None:
    """Nine gaps that show nothing leave a loss at p = 0.009 all of its alpha; and nine losses a gap."""
    gaps = [make.record("fairness", f"test_{at}", "", make.gap(verdict=Verdict.PASS, p=1.0)) for at in range(9)]
    records = [lost(make, "a", 0.009), *gaps]
    together = judged_together(records, 0.01)
    assert (together["tests"], together["comparisons"], also(records, 0.01)) == (10, 1, ["a"])
    wide = make.record("fairness", "test_wide", "", make.gap(verdict=Verdict.INCONCLUSIVE, p=0.009), blocks=False)
    assert also([wide, *(lost(make, str(at), 1.0, verdict=Verdict.PASS) for at in range(9))], 0.01) == ["wide"]
    [said] = describe({**together, "also": []}, axes=2)
    assert said == (
        "alpha 0.01 over 9 tests, 0.01 over 1 comparison with the baseline, 0.01 over 2 whole axes: a run in which nothing is worse "
        "is blocked once in 33 runs"
    )
