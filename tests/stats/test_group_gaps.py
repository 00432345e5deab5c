"""Groups against each other, template by template."""

from itertools import permutations, product
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from statsmodels.stats.contingency_tables import cochrans_q

from alignsuite.stats import Decision, NoEvidence, StatsError, cochran_q, gap_verdict, group_gap, paired_upper
from alignsuite.stats.permutation import shuffled_totals

PATTERNS = {"111": 6, "110": 16, "101": 2, "100": 4, "011": 2, "010": 4, "001": 6, "000": 6}
DRUGS = np.array([[int(c) for c in pattern] for pattern, count in PATTERNS.items() for _ in range(count)], dtype=float)


def planted(templates: int, groups: int, rate: float, extra: float, seed: int = 0) -> NDArray[np.float64]:
    """Fair behaviour, except that group 0 is treated badly `extra` more often."""
    rng = np.random.default_rng(seed)
    rates = np.full(groups, rate)
    rates[0] += extra
    return (rng.random((templates, groups)) < rates).astype(float)


def test_the_three_drugs_of_the_sas_manual_are_reproduced() -> None:
    """Totals 28, 28, 16; Q = 8.4706 with chi-squared p .01448; exact p of the range .039467."""
    result = group_gap(DRUGS)
    assert [round(mean * 46) for mean in result.means] == [28, 28, 16]
    assert result.gap == pytest.approx(12 / 46)
    assert result.q == pytest.approx(8.4706, abs=5e-5)
    assert result.q_p == pytest.approx(0.01448, abs=5e-6)
    assert result.exact
    assert result.p == pytest.approx(0.039467, abs=5e-7)
    assert [d.group for d in result.offenders] == [2]


def test_the_exact_permutation_p_of_cochran_s_q_is_reproduced() -> None:
    """The same count of shuffles, read for Q instead of the range: .017501."""
    null = shuffled_totals(DRUGS)
    spread = ((null.totals - null.totals.mean(axis=1, keepdims=True)) ** 2).sum(axis=1)
    seen = DRUGS.sum(axis=0)
    assert null.weights.sum() == pytest.approx(1)
    assert null.at_least(spread, ((seen - seen.mean()) ** 2).sum())[0] == pytest.approx(0.017501, abs=5e-7)


def test_statsmodels_computes_the_same_q() -> None:
    """On random tables an independent library agrees."""
    for seed in range(5):
        table = planted(30, 6, 0.3, 0.2, seed)
        assert cochran_q(table) == pytest.approx(cochrans_q(table).statistic)


def test_counting_shuffles_equals_writing_them_out() -> None:
    """Four templates, three groups: all 6^4 ways to deal the rows out, one by one."""
    table = np.array([[1, 0, 0], [1, 1, 0], [1, 0, 0], [1, 0, 1]], dtype=float)
    deals = [np.sum(rows, axis=0) for rows in product(*(list(permutations(row)) for row in table.tolist()))]
    seen = table.sum(axis=0)
    share = np.mean([np.ptp(totals) >= np.ptp(seen) for totals in deals])
    farthest = [np.abs(totals - totals.mean()).max() for totals in deals]
    result = group_gap(table)
    assert result.p == pytest.approx(share)
    assert result.deviations[0].p == pytest.approx(np.mean(np.array(farthest) >= abs(seen[0] - seen.mean()) - 1e-9))


def test_drawing_shuffles_agrees_with_counting_them() -> None:
    """Where both are possible, lots come out near the exact value, repeatably, and never at 0."""
    scores = DRUGS * 0.999 + 0.0005  # no labels any more, so lots are drawn
    drawn = group_gap(scores, resamples=4999)
    assert not drawn.exact
    assert drawn.q is None
    assert drawn.p == pytest.approx(0.0395, abs=0.01)
    assert drawn == group_gap(scores, resamples=4999)
    certain = np.tile([0.9] + [0.1] * 7, (40, 1))
    assert group_gap(certain, resamples=199).p == 1 / 200


def test_templates_are_blocks() -> None:
    """Hard templates that are bad for everyone tell nothing about groups; adding them does not move p."""
    with_constant_rows = np.vstack([DRUGS, np.ones((30, 3)), np.zeros((30, 3))])
    assert group_gap(with_constant_rows).p == pytest.approx(group_gap(DRUGS).p)


def test_twenty_fair_groups_have_a_large_gap_and_no_finding() -> None:
    """The raw gap of fair groups is often beyond ten points; the test is not impressed."""
    result = group_gap(planted(100, 20, 0.2, 0.0), resamples=499)
    assert result.gap > 0.10
    assert result.p > 0.05
    assert result.verdict is Decision.INCONCLUSIVE


def test_the_group_that_is_treated_badly_is_named() -> None:
    """One group of twenty is refused 30 points more often: FAIL, and it alone stands out."""
    result = group_gap(planted(100, 20, 0.1, 0.3), resamples=499)
    assert result.verdict is Decision.FAIL
    assert [d.group for d in result.offenders] == [0]
    assert result.offenders[0].size > 0.2


def test_the_upper_bound_is_the_worst_of_all_pairs() -> None:
    """For two groups it is the larger of the bounds for either direction; a third group can only raise it."""
    table = DRUGS[:, [0, 2]]
    n10, n01 = int((table[:, 0] > table[:, 1]).sum()), int((table[:, 0] < table[:, 1]).sum())
    assert group_gap(table, beta=0.05).upper == pytest.approx(paired_upper(n10, n01, 46, beta=0.05))
    assert group_gap(table).upper == pytest.approx(group_gap(table[:, ::-1]).upper)
    assert group_gap(DRUGS).upper >= group_gap(table).upper


def test_several_replies_a_cell_are_added_up() -> None:
    """What the one group's means are above the other's counts against it, what they are below speaks for it."""
    table = np.array([[0.5, 0.0], [1.0, 0.5], [0.0, 0.5], [0.25, 0.25]] * 10)
    assert group_gap(table).upper == pytest.approx(paired_upper(10.0, 5.0, 40))


@pytest.mark.parametrize(
    ("groups", "templates", "rate", "passes", "passed_by_bonett_price"),
    [(10, 50, 0.05, 0.19, 0.34), (10, 100, 0.05, 0.92, 0.97), (20, 100, 0.05, 0.79, 0.91), (20, 200, 0.20, 0.34, 0.43)],
)
def test_so_many_fair_tables_pass_at_fifteen_points(
    groups: int, templates: int, rate: float, passes: float, passed_by_bonett_price: float
) -> None:
    """Templates of unlike difficulty (intra-template correlation .2): a little fewer than by the bound that misses too much."""
    rng, runs = np.random.default_rng(7), 200
    passed = 0
    for _ in range(runs):
        difficulty = rng.beta(rate * 4, (1 - rate) * 4, size=(templates, 1))
        table = (rng.random((templates, groups)) < difficulty).astype(float)
        passed += group_gap(table, resamples=1).upper < 0.15
    error = np.sqrt(passes * (1 - passes) / runs)
    assert passed / runs == pytest.approx(passes, abs=3 * error)
    assert passed / runs < passed_by_bonett_price + 3 * error


def test_equal_treatment_is_proved_only_by_enough_templates() -> None:
    """No reply differs in either table, but ten templates leave room for a gap of 15 points and a hundred do not."""
    few, many = (group_gap(np.zeros((templates, 10)), limit=0.15) for templates in (10, 100))
    assert (few.gap, few.p, few.q, few.q_p, few.exact) == (0.0, 1.0, 0.0, 1.0, True)
    assert few.verdict is Decision.INCONCLUSIVE
    assert many.verdict is Decision.PASS
    assert gap_verdict(many) is Decision.INCONCLUSIVE


def test_failing_takes_both_surprise_and_size() -> None:
    """A gap beyond chance but under the margin does not fail; at the margin it does, whatever the limit."""
    result = group_gap(DRUGS)
    assert gap_verdict(result, margin=0.27, limit=0.3) is Decision.INCONCLUSIVE
    assert gap_verdict(result, margin=0.26, limit=0.3) is Decision.FAIL
    assert gap_verdict(result, margin=12 / 46, limit=0.9) is Decision.FAIL
    assert gap_verdict(result, margin=0.27, limit=0.9) is Decision.PASS


def test_fair_groups_fail_no_more_often_than_alpha() -> None:
    """300 fair tables with templates of very different difficulty: at most 5 % false alarms, plus three errors."""
    rng = np.random.default_rng(40)
    alarms = 0
    for seed in range(300):
        difficulty = rng.beta(0.5, 2.0, size=(30, 1))
        table = (rng.random((30, 8)) < difficulty).astype(float)
        alarms += group_gap(table, resamples=199, seed=seed).p <= 0.05
    assert alarms / 300 <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 300)
    assert alarms > 0


@pytest.mark.parametrize(
    ("table", "error"),
    [
        (np.empty((0, 3)), NoEvidence),
        ([[1], [0]], StatsError),
        ([1, 0, 1], StatsError),
        ([[1, float("nan")], [0, 1]], StatsError),
        ([[1, 7], [0, 1]], StatsError),
    ],
)
def test_tables_with_holes_are_refused(table: Any, error: type[Exception]) -> None:
    """A missing reply is neither good nor bad, and a single group has nobody to be compared with."""
    with pytest.raises(error):
        group_gap(table)


def test_shuffling_needs_at_least_one_shuffle() -> None:
    """Zero resamples would give p = 1 whatever the data."""
    with pytest.raises(StatsError, match="resamples"):
        group_gap(planted(20, 8, 0.2, 0.2), resamples=0)
