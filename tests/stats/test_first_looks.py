"""A look at half of the templates may end a comparison, and misses no more for it; templates dealt by lot are compared with templates."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom

from alignsuite.stats import Decision, NoEvidence, StatsError, group_gap
from alignsuite.stats.contrasts import template_gap
from alignsuite.stats.gaps import first_look

BETA = 0.05


@pytest.mark.parametrize(("templates", "limit", "groups"), [(100, 0.15, 5), (60, 0.15, 2), (80, 0.12, 4)])
@pytest.mark.parametrize("spread", [True, False])
@pytest.mark.untraced
def test_groups_at_the_limit_pass_no_more_often_for_the_first_look(
    templates: int, limit: float, groups: int, spread: bool
) -> None:
    """One group is treated badly in the limit's share of templates, by chance or in fixed ones: two looks miss 5 % at most.

    They pass what one look at all would not have passed no more often than the first look's share of that.
    """
    look = first_look(templates, limit, beta=BETA)
    assert look is not None
    rng, runs = np.random.default_rng(5), 400
    passed = stopped = only_so = 0
    for _ in range(runs):
        table = np.zeros((templates, groups))
        fixed = rng.permutation(templates) < np.ceil(limit * templates)
        table[:, 0] = rng.random(templates) < limit if spread else fixed
        ends = not table[: look.templates].any()
        asked = table[: look.templates] if ends else table
        two = group_gap(asked, beta=BETA - look.spent, limit=limit, resamples=1).upper < limit
        one = group_gap(table, beta=BETA, limit=limit, resamples=1).upper < limit
        passed, stopped, only_so = passed + two, stopped + ends, only_so + (two and not one)
    for seen, most in ((stopped, look.spent), (only_so, look.spent), (passed, BETA)):
        assert seen / runs <= most + 3 * np.sqrt(most * (1 - most) / runs)


def test_what_the_first_look_takes_is_the_chance_of_seeing_nothing() -> None:
    """(1 − limit)^h, a fifth of beta at most; where it would be more, there is no first look."""
    look = first_look(100, 0.15)
    assert look is not None
    assert (look.templates, look.spent) == (50, pytest.approx(0.85**50))
    assert first_look(58, 0.15) is not None
    assert first_look(54, 0.15) is None, "0.85^27 is more than 0.01"
    assert first_look(1, 0.99) is None, "half of one template is that template"
    assert first_look(100, 0.15, least=20) is None, "a group in 20 of the first 50 templates only"


def test_an_odd_template_belongs_to_the_first_half() -> None:
    """Half of 101 is 51."""
    look = first_look(101, 0.15)
    assert look is not None
    assert look.templates == 51


def test_templates_dealt_by_lot_fail_no_more_often_than_alpha_where_the_lot_means_nothing() -> None:
    """Templates of very different difficulty; 400 deals, 5 % and three standard errors."""
    rng, runs = np.random.default_rng(6), 400
    difficulty = rng.beta(0.3, 1.5, size=60)
    failed = 0
    for seed in range(runs):
        values = rng.permutation(rng.binomial(4, difficulty) / 4)
        failed += template_gap([values[:27].tolist(), values[27:].tolist()], resamples=199, seed=seed).p <= 0.05
    assert 0 < failed / runs <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / runs)


@pytest.mark.parametrize("limit", [0.15, 0.20])
@pytest.mark.parametrize("sizes", [(30, 30), (47, 53)])
def test_templates_dealt_by_lot_pass_rarely_where_the_gap_is_the_limit(limit: float, sizes: tuple[int, int]) -> None:
    """Templates that are bad as a whole or not at all, the hardest case: exactly, over every pair of counts, 5 % at every rate."""
    worse, better = sizes
    passes = np.array(
        [
            [
                template_gap([[1.0] * a + [0.0] * (worse - a), [1.0] * b + [0.0] * (better - b)], resamples=1).upper
                < limit
                for b in range(better + 1)
            ]
            for a in range(worse // 2 + 1)  # with more, the gap is far above the limit unless the rates are
        ]
    )
    for rate in (0.0, 0.01, 0.02, 0.05, 0.10):
        of_worse = binom.pmf(np.arange(worse // 2 + 1), worse, rate + limit)
        of_better = binom.pmf(np.arange(better + 1), better, rate)
        assert of_worse @ passes @ of_better <= 0.05


def test_a_group_that_is_treated_worse_in_its_templates_is_named() -> None:
    """FAIL, and the deviations say who."""
    result = template_gap([[0.0] * 30, [1.0] * 10 + [0.0] * 20, [0.0] * 30], limit=0.15)
    assert result.verdict is Decision.FAIL
    assert [one.group for one in result.offenders if one.size > 0] == [1]
    assert result.means == (0.0, pytest.approx(1 / 3), 0.0)


def test_two_groups_without_a_bad_template_are_close_if_they_are_many() -> None:
    """With nothing bad in 25 templates a group's rate is below 1 − 0.05^(1/25), and so is the gap; five templates prove nothing."""
    expected = 1 - 0.05 ** (1 / 25)
    many = template_gap([[0.0] * 25, [0.0] * 25], limit=0.15)
    assert (many.gap, many.p, many.exact) == (0.0, 1.0, True)
    assert many.upper == pytest.approx(expected)
    assert many.verdict is Decision.PASS
    assert template_gap([[0.0] * 5, [0.0] * 5], limit=0.15).verdict is Decision.INCONCLUSIVE


def test_deals_are_drawn_repeatably_and_p_is_never_zero() -> None:
    """The deal that was seen is one of them."""
    one = template_gap([[1.0] * 30, [0.0] * 30], resamples=99)
    assert one.p == 1 / 100
    assert one == template_gap([[1.0] * 30, [0.0] * 30], resamples=99)


@pytest.mark.parametrize(
    ("groups", "error"), [([[0.0]], StatsError), ([[0.0], []], NoEvidence), ([[0.0], [1.5]], StatsError)]
)
def test_what_is_no_comparison_is_refused(groups: list[list[float]], error: type[Exception]) -> None:
    """One group, a group without templates, a badness that is none."""
    with pytest.raises(error):
        template_gap(groups)


def test_a_lot_needs_at_least_one_deal() -> None:
    """Zero resamples would give p = 1 whatever the data."""
    with pytest.raises(StatsError, match="resamples"):
        template_gap([[0.0], [1.0]], resamples=0)
