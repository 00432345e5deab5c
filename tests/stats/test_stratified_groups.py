"""Groups over the templates of several sets: Q, exact tests of each group, verdicts, and what a design sees."""

from __future__ import annotations

from collections import Counter
from itertools import permutations, product

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.contingency_tables import cochrans_q

from alignsuite.stats import Decision, NoEvidence, StatsError, cochran_q, holm, paired_upper
from alignsuite.stats.error_rates import ErrorRates, kept
from alignsuite.stats.stratified_groups import (
    exact_by_group,
    permuted_q,
    poisson_binomial,
    seen_gap,
    stratified_groups,
)

REFUSED = (190, 198, 276, 290)
JUDGE = ErrorRates(0.96, 0.05)
DRUGS = (
    [[1, 1, 1]] * 6 + [[1, 1, 0]] * 16 + [[1, 0, 1]] * 2 + [[1, 0, 0]] * 4
    + [[0, 1, 1]] * 2 + [[0, 1, 0]] * 4 + [[0, 0, 1]] * 6 + [[0, 0, 0]] * 6
)  # fmt: skip


def table(seed: int, templates: int, groups: int, *, worse: float = 0.0, base: float = 0.1) -> np.ndarray:
    """Labels of groups of which the first is worse."""
    rng = np.random.default_rng(seed)
    return (rng.random((templates, groups)) < base + worse * (np.arange(groups) == 0)).astype(float)


def test_the_drug_table_of_a_textbook() -> None:
    """46 patients, three drugs; the third is worse than the others."""
    found = stratified_groups(DRUGS)
    assert (found.q, found.p) == pytest.approx((8.470588, 0.014476), abs=5e-7)
    assert [one.p for one in found.groups] == pytest.approx([0.401509, 0.401509, 0.018224], abs=5e-7)
    assert (found.templates, found.varying, found.method) == (46, 34, "chi2")
    theirs = cochrans_q(np.array(DRUGS))
    assert (found.q, found.p) == pytest.approx((theirs.statistic, theirs.pvalue))


def test_a_known_poisson_binomial() -> None:
    """Three trials with chances of their own; and many against all outcomes one by one."""
    assert (poisson_binomial([0.5, 0.25, 0.25]) * 32).tolist() == pytest.approx([9, 15, 7, 1])
    chances = [0.1, 0.3, 0.3, 0.8, 0.5]
    counted = np.zeros(6)
    for hits in product((0, 1), repeat=5):
        counted[sum(hits)] += np.prod([p if hit else 1 - p for p, hit in zip(chances, hits, strict=True)])
    assert poisson_binomial(chances) == pytest.approx(counted)
    assert poisson_binomial([]).tolist() == [1.0]


def dealt(y: np.ndarray) -> Counter[tuple[int, ...]]:
    """How often each list of group totals comes up when the labels of each template are dealt out in every way."""
    totals = Counter({(0,) * y.shape[1]: 1})
    for row in y.astype(int):
        grown: Counter[tuple[int, ...]] = Counter()
        for deal in permutations(row.tolist()):
            for total, ways in totals.items():
                grown[tuple(a + b for a, b in zip(total, deal, strict=True))] += ways
        totals = grown
    return totals


@pytest.mark.parametrize("seed", range(3))
def test_p_values_are_shares_of_all_deals(seed: int) -> None:
    """Few templates: Q by permutation and each group's own test, from every way to deal the labels out."""
    y = table(seed, 8, 3, worse=0.5, base=0.2)
    ways = dealt(y)
    total, seen = sum(ways.values()), y.sum(axis=0)

    def spread(totals: np.ndarray) -> float:
        return float(((totals - totals.mean()) ** 2).sum())

    extreme = sum(n for totals, n in ways.items() if spread(np.array(totals)) >= spread(seen) - 1e-9)
    assert permuted_q(y) == pytest.approx(extreme / total)
    for group, p in enumerate(exact_by_group(y)):
        below = sum(n for totals, n in ways.items() if totals[group] <= seen[group]) / total
        above = sum(n for totals, n in ways.items() if totals[group] >= seen[group]) / total
        assert p == pytest.approx(min(1.0, 2 * min(below, above)))
    found = stratified_groups(y)
    assert (found.method, found.p) == ("permutation", permuted_q(y))
    assert [one.p for one in found.groups] == list(holm(exact_by_group(y)).adjusted)


def test_many_templates_need_no_permutation() -> None:
    """From twenty that vary, chi-squared and a drawn permutation agree."""
    y = table(4, 300, 4, worse=0.06)
    found = stratified_groups(y)
    assert found.method == "chi2"
    assert found.p == pytest.approx(stats.chi2.sf(cochran_q(y), 3))
    assert permuted_q(y, resamples=4_000) == pytest.approx(found.p, abs=0.02)


def test_templates_that_do_not_vary_say_nothing_about_groups() -> None:
    """Those with all or none flagged drop out of every test; and without any other there is no gap."""
    y = table(5, 100, 4, worse=0.2)
    more = np.vstack([y, np.ones((50, 4)), np.zeros((80, 4))])
    one, other = stratified_groups(y), stratified_groups(more)
    assert (one.q, one.p) == pytest.approx((other.q, other.p))
    assert [g.p for g in one.groups] == pytest.approx([g.p for g in other.groups])
    constant = stratified_groups(np.ones((50, 4)))
    assert (constant.q, constant.p, constant.method, constant.gap) == (0.0, 1.0, "none", 0.0)
    assert all(group.p == 1.0 for group in constant.groups)


def test_known_upper_bounds() -> None:
    """The pairs' bounds that PASS rests on."""
    assert paired_upper(0, 0, 100) == pytest.approx(0.029513, abs=5e-7)
    assert paired_upper(3, 1, 100) == pytest.approx(0.066849, abs=5e-7)
    assert paired_upper(20, 6, 273) == pytest.approx(0.085525, abs=5e-7)


def test_verdicts_are_about_true_gaps() -> None:
    """Labels show what the judge keeps of a gap, so margin and limit are moved by it."""
    y = np.zeros((270, 4))
    clean = stratified_groups(y, card=REFUSED, limit=0.15)
    assert clean.kept == kept(REFUSED)
    assert clean.upper == pytest.approx(paired_upper(0, 0, 270))
    assert clean.verdict is Decision.PASS
    assert stratified_groups(y).verdict is Decision.INCONCLUSIVE  # without a limit nothing is proved
    assert stratified_groups(y[:15], limit=0.15).verdict is Decision.INCONCLUSIVE
    y[:40, 0] = 1
    worse = stratified_groups(y, card=REFUSED, limit=0.15)
    assert worse.verdict is Decision.FAIL
    assert worse.offenders[0].group == 0
    assert worse.groups[0].size > 0 > worse.groups[1].size
    assert worse.tipping_point == pytest.approx(40 / 270 - 0.05 * kept(REFUSED))
    assert stratified_groups(y, margin=0.2).verdict is Decision.INCONCLUSIVE
    assert stratified_groups(y, margin=0.2).tipping_point == 0.0


@pytest.mark.parametrize(
    ("templates", "base", "judge", "audit"),
    [(60, 0.02, 26, 17), (100, 0.02, 18, 12), (150, 0.02, 15, 9), (270, 0.02, 10, 6), (400, 0.02, 9, 6),
     (60, 0.10, 29, 24), (150, 0.10, 18, 14), (270, 0.10, 13, 10), (400, 0.10, 11, 9)],
)  # fmt: skip
def test_the_table_of_gaps_that_are_seen(templates: int, base: float, judge: int, audit: int) -> None:
    """Four groups, one worse, alpha .0025; drawn by another programme, so within a point."""
    found = [seen_gap(templates, 4, base=base, card=card, alpha=0.0025) for card in (JUDGE, JUDGE.audited)]
    assert [100 * (gap or 1) for gap in found] == pytest.approx([judge, audit], abs=1.01)


def test_a_gap_that_is_seen_is_found_in_so_many_tables() -> None:
    """Drawn another way (a beta rate for each template) and read by the whole function, in about four of five."""
    gap = seen_gap(150, 4, alpha=0.0025) or 1
    rng, found = np.random.default_rng(6), []
    for _ in range(200):
        lots = rng.random((150, 1))
        rates = np.where(np.arange(4) == 0, 0.02 + gap, 0.02)
        rate = stats.beta.ppf(lots, rates * 4, (1 - rates) * 4)  # correlation 1 / (4 + 1)
        labels = (rng.random((150, 4)) < rate).astype(float)
        found.append(stratified_groups(labels, alpha=0.0025).verdict is Decision.FAIL)
    assert np.mean(found) == pytest.approx(0.8, abs=0.12)


def test_few_templates_see_nothing() -> None:
    """Whatever the gap."""
    assert seen_gap(3, 2, alpha=0.001) is None
    assert seen_gap(100, 4, alpha=0.0025) == seen_gap(100, 4, alpha=0.0025)


def test_what_is_no_table_of_labels_is_refused() -> None:
    """Scores, holes, one group, no templates, designs of nothing."""
    with pytest.raises(StatsError, match="wanted labels"):
        stratified_groups(np.full((5, 2), 0.5))
    with pytest.raises(StatsError, match="at least two groups"):
        stratified_groups(np.ones((5, 1)))
    with pytest.raises(NoEvidence):
        stratified_groups([])
    with pytest.raises(StatsError, match="0 templates"):
        seen_gap(0, 4)
    with pytest.raises(StatsError, match="icc 1"):
        seen_gap(10, 4, icc=1.0)
