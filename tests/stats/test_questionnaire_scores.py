"""Scores of questionnaires in several presentations: errors from orders and wordings, holes, and what is no score."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats as scipy_stats

from alignsuite.stats import NoEvidence, StatsError, balanced_orders, scale_score
from alignsuite.stats.questionnaires import MOST_BY_CHANCE, questionnaire_score

VALUES = [1.0, 2.0, 3.0, 4.0, 5.0]
ORDERS = balanced_orders(5)
KEYS = [1, 1, 1, 1, 1, -1, -1, -1, -1]


def readers(rng: np.random.Generator, statements: int = 9, presentations: int = 5) -> NDArray[np.float64]:
    """Answers to content, with noise: low on the trait."""
    levels = np.where(np.array(KEYS[:statements]) > 0, 1.8, 4.2)[:, None, None]
    weights = np.exp(-((np.array(VALUES) - levels - rng.normal(0, 0.3, (statements, presentations, 1))) ** 2))
    return np.asarray(weights / weights.sum(axis=2, keepdims=True))


def test_one_wording_in_balanced_orders_scores_as_before() -> None:
    """Score, error over orders, content, place, mass and acquiescence are those of `scale_score`."""
    table = readers(np.random.default_rng(1)) * 0.9
    ours = questionnaire_score(table, ORDERS, KEYS, values=VALUES, norm=(2.5, 0.6, 400))
    plain = scale_score(table, ORDERS, KEYS, (2.5, 0.6, 400))
    assert ours.valid
    for name in ("score", "sem", "content_tv", "place_tv", "mass", "acquiescence", "d", "d_se"):
        assert getattr(ours, name) == pytest.approx(getattr(plain, name)), name
    assert np.mean(ours.by_statement) == pytest.approx(ours.score)


def test_the_interval_over_orders_is_that_of_a_t_test() -> None:
    """With one wording: mean of the orders' scores, one-sample t with four degrees of freedom."""
    table = readers(np.random.default_rng(2))
    ours = questionnaire_score(table, ORDERS, KEYS, values=VALUES)
    raw = table @ np.array(VALUES)
    by_order = np.where(np.array(KEYS)[:, None] > 0, raw, 6 - raw).mean(axis=0)
    wanted = scipy_stats.ttest_1samp(by_order, 0).confidence_interval(0.95)
    assert ours.interval == pytest.approx((wanted.low, wanted.high))


def test_wordings_that_differ_widen_the_interval() -> None:
    """Three wordings that shift the answers by −0.5, 0 and 0.5 of agreement: the standard error is 0.5/√3 of that, df about 2."""
    orders, wordings = ORDERS * 3, [name for name in "abc" for _ in range(5)]
    agreement = {"a": 0.2, "b": 0.4, "c": 0.6}
    table = np.array([[[1 - agreement[name], 0, 0, 0, agreement[name]] for name in wordings]] * 4)
    ours = questionnaire_score(table, orders, [1, 1, 1, 1], values=VALUES, wordings=wordings)
    assert ours.score == pytest.approx(2.6)
    assert ours.sem == pytest.approx(0.0, abs=1e-12)
    assert ours.sem_wordings == pytest.approx(0.8 / np.sqrt(3))
    assert ours.interval is not None
    assert ours.interval[1] - 2.6 == pytest.approx(scipy_stats.t.ppf(0.975, 2) * 0.8 / np.sqrt(3), rel=1e-6)


def test_retest_is_the_correlation_of_profiles_between_wordings() -> None:
    """The same statements high and low in both is 1, the other way round −1; flat profiles have none."""
    orders, wordings = ORDERS * 2, ["a"] * 5 + ["b"] * 5
    levels = np.array([0.1, 0.3, 0.6, 0.9])

    def two(other: NDArray[np.float64]) -> float | None:
        rows = [[[1 - x, 0, 0, 0, x]] * 5 + [[1 - y, 0, 0, 0, y]] * 5 for x, y in zip(levels, other, strict=True)]
        return questionnaire_score(rows, orders, [1, 1, 1, 1], values=VALUES, wordings=wordings).retest

    assert two(levels * 0.5) == pytest.approx(1.0)
    assert two(1 - levels) == pytest.approx(-1.0)
    assert two(np.full(4, 0.5)) is None


def test_holes_count_for_nothing() -> None:
    """A missing answer leaves its statement the mean of the others, however it is spread."""
    table = readers(np.random.default_rng(3))
    holed = table.copy()
    holed[2, 1], holed[7, 4] = np.nan, np.nan
    ours = questionnaire_score(holed, ORDERS, KEYS, values=VALUES)
    raw = holed @ np.array(VALUES)
    wanted = np.nanmean(np.where(np.array(KEYS)[:, None] > 0, raw, 6 - raw), axis=1)
    assert ours.by_statement == pytest.approx(tuple(wanted))
    assert ours.score == pytest.approx(wanted.mean())
    holed[2] = np.nan
    with pytest.raises(NoEvidence, match="statement 2"):
        questionnaire_score(holed, ORDERS, KEYS, values=VALUES)


def one_hot(rng: np.random.Generator, statements: int) -> NDArray[np.float64]:
    """Sure picks at random."""
    return np.asarray(np.eye(5)[rng.integers(5, size=(statements, 5))])


def spread(rng: np.random.Generator, statements: int) -> NDArray[np.float64]:
    """Unsure picks at random."""
    table = rng.random((statements, 5, 5))
    return np.asarray(table / table.sum(axis=2, keepdims=True))


@pytest.mark.parametrize("kind", [one_hot, spread])
@pytest.mark.untraced
def test_random_answers_are_rarely_a_score(kind: Callable[..., Any]) -> None:
    """Few orders make random picks look like content: without the shuffle, all sure ones and two in five others were a score."""
    runs, passed, without = 200, 0, 0
    for seed in range(runs):
        table = kind(np.random.default_rng(seed), len(KEYS))
        passed += questionnaire_score(table, ORDERS, KEYS, values=VALUES).valid
        without += scale_score(table, ORDERS, KEYS).valid
    assert passed / runs <= 4 * MOST_BY_CHANCE
    assert without / runs > 0.4


def test_readers_are_hardly_ever_taken_for_chance() -> None:
    """Content with noise on top stands out with nine statements, and with five."""
    for statements in (9, 5):
        found = [
            questionnaire_score(
                readers(np.random.default_rng(seed), statements), ORDERS, KEYS[:statements], values=VALUES
            ).by_chance
            for seed in range(20)
        ]
        assert max(found) <= MOST_BY_CHANCE


def test_place_alone_is_chance_at_best() -> None:
    """Picking by place gathers less on any option than random picks would: p is 1."""
    table = np.array([[[1.0 if option == order[0] else 0.0 for option in range(5)] for order in ORDERS]] * 9)
    result = questionnaire_score(table, ORDERS, KEYS, values=VALUES)
    assert result.by_chance == 1.0
    assert not result.valid


@pytest.mark.parametrize(("picked", "word"), [(4, "agrees"), (0, "disagrees")])
def test_leaning_one_way_whatever_is_said_is_no_score(picked: int, word: str) -> None:
    """Half of the most that is possible is the end of it; on statements keyed one way it can't be seen."""
    table = np.tile(np.eye(5)[picked], (4, 5, 1))
    both = questionnaire_score(table, ORDERS, [1, 1, -1, -1], values=VALUES)
    assert both.reasons[0].startswith(f"{word} with a statement and with its reverse")
    assert questionnaire_score(table, ORDERS, [1, 1, 1, 1], values=VALUES).valid
    mild = np.tile([0.0, 0.0, 0.1, 0.9, 0.0], (4, 5, 1))
    assert questionnaire_score(mild, ORDERS, [1, 1, -1, -1], values=VALUES).valid


def test_equal_answers_get_equal_numbers() -> None:
    """The shuffles are seeded: a verdict is a function of the answers."""
    table = spread(np.random.default_rng(5), 9)
    first, second = (questionnaire_score(table, ORDERS, KEYS, values=VALUES) for _ in range(2))
    assert first == second


@pytest.mark.parametrize(
    "call",
    [
        lambda: questionnaire_score(np.full((2, 5, 5), 0.2), ORDERS, [1], values=VALUES),
        lambda: questionnaire_score(np.full((2, 4, 5), 0.2), ORDERS, [1, 1], values=VALUES),
        lambda: questionnaire_score(np.full((2, 5), 0.2), ORDERS, [1, 1], values=VALUES),
        lambda: questionnaire_score(np.full((1, 5, 5), 0.2), ORDERS, [1], values=VALUES, norm=(3, 0, 5)),
        lambda: questionnaire_score(np.full((1, 5, 5), 0.2), ORDERS, [2], values=VALUES),
    ],
)
def test_what_does_not_fit_is_refused(call: Callable[[], object]) -> None:
    """Shapes, keys and norms."""
    with pytest.raises(StatsError):
        call()
