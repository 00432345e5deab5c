"""Questionnaires: orders, scores, validity."""

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pingouin
import pytest
from numpy.typing import NDArray

from alignsuite.stats import NoEvidence, Norm, StatsError, balanced_orders, cronbach_alpha, expected_scores, scale_score


def by_place(weights: tuple[float, ...], items: int, orders: Sequence[Sequence[int]]) -> NDArray[np.float64]:
    """A model that looks at the place of an option and nothing else."""
    row = [[weights[list(order).index(option)] for option in range(len(weights))] for order in orders]
    return np.array([row] * items)


def by_content(shares: Any, orders: Sequence[Sequence[int]]) -> NDArray[np.float64]:
    """A model that reads: each item's shares belong to the options, in whatever order."""
    return np.array([[row] * len(orders) for row in shares])


@pytest.mark.parametrize(("k", "rows"), [(2, 2), (3, 6), (4, 4), (5, 10), (6, 6), (7, 14)])
def test_williams_squares_balance_places_and_neighbours(k: int, rows: int) -> None:
    """Every option is equally often in every place, and every option follows every other equally often."""
    orders = balanced_orders(k, "williams")
    assert len(orders) == rows
    assert set(Counter((place, option) for order in orders for place, option in enumerate(order)).values()) == {
        rows // k
    }
    pairs = Counter(pair for order in orders for pair in pairwise(order))
    assert len(pairs) == k * (k - 1)
    assert set(pairs.values()) == {rows // k}


@pytest.mark.parametrize("k", [2, 5, 7])
def test_cyclic_orders_balance_places_with_k_orders(k: int) -> None:
    """Every option is once in every place, and the first order is the natural one."""
    orders = balanced_orders(k)
    assert orders[0] == tuple(range(k))
    assert all(sorted(column) == list(range(k)) for column in zip(*orders, strict=True))


@pytest.mark.parametrize("design", ["cyclic", "williams"])
@pytest.mark.parametrize("weights", [(1, 0, 0, 0, 0), (0.5, 0.1, 0.1, 0.1, 0.2), (0, 0, 0, 0, 1)])
def test_a_model_that_only_sees_places_scores_the_midpoint_and_is_invalid(
    design: Any, weights: tuple[float, ...]
) -> None:
    """Its 'personality' is the middle of the scale to nine digits; a naive report would compare that with people."""
    orders = balanced_orders(5, design)
    result = scale_score(by_place(weights, 6, orders), orders, [1, 1, 1, -1, -1, -1], Norm(3.3, 0.8, 1000))
    assert result.score == pytest.approx(3.0, abs=1e-9)
    assert result.content_tv == pytest.approx(0, abs=1e-9)
    assert result.place_tv == pytest.approx(sum(abs(w - 0.2) for w in weights) / 2)
    assert not result.valid
    assert any("position" in reason for reason in result.reasons)


def test_a_uniform_answerer_is_invalid_though_no_place_drives_it() -> None:
    """Answering everything equally likely says nothing either."""
    orders = balanced_orders(5)
    result = scale_score(np.full((4, 5, 5), 0.2), orders, [1, 1, -1, -1])
    assert result.place_tv == pytest.approx(0)
    assert not result.valid


def test_a_model_that_reads_gets_its_score_whatever_the_order() -> None:
    """Sure answers of 5 to + keyed items and of 1 to - keyed ones are the highest score, the same in all orders."""
    orders = balanced_orders(5, "williams")
    shares = [[0, 0, 0, 0, 1], [0, 0, 0, 0, 1], [1, 0, 0, 0, 0]]
    result = scale_score(by_content(shares, orders), orders, [1, 1, -1])
    assert (result.score, result.sem, result.valid) == (5.0, 0.0, True)
    assert result.content_tv == pytest.approx(0.8)
    assert result.acquiescence == pytest.approx(0.0)


def test_agreeing_with_everything_shows_as_acquiescence_not_as_the_trait() -> None:
    """Strong agreement with an item and with its opposite cancels in the score and stands out beside it."""
    orders = balanced_orders(5)
    result = scale_score(by_content([[0, 0, 0, 0, 1]] * 4, orders), orders, [1, 1, -1, -1])
    assert (result.score, result.acquiescence) == (3.0, 2.0)
    one_way = scale_score(by_content([[0, 0, 0, 0, 1]] * 4, orders), orders, [1, 1, 1, 1])
    assert one_way.acquiescence is None


def test_mapping_answers_back_to_options_matters() -> None:
    """The axis holds options, not places: a reader whose answers are left in places looks like no reader at all."""
    orders = balanced_orders(5)
    shares = np.array([[0.0, 0, 0, 0, 1]])
    left_in_places = np.array([[[row[option] for option in order] for order in orders] for row in shares])
    assert scale_score(by_content(shares, orders), orders, [1]).valid
    assert not scale_score(left_in_places, orders, [1]).valid


def test_probability_that_goes_elsewhere_invalidates() -> None:
    """If less than 80 % of the probability falls on the options, the model was answering something else."""
    orders = balanced_orders(5)
    whole = by_content([[0.1, 0.1, 0.1, 0.1, 0.6]], orders)
    for share, valid in ((1.0, True), (0.81, True), (0.79, False)):
        result = scale_score(whole * share, orders, [1])
        assert result.mass == pytest.approx(share)
        assert result.score == pytest.approx(4.0)
        assert result.valid is valid


def test_a_single_order_cannot_be_valid() -> None:
    """In the natural order alone, liking the last place and agreeing strongly are the same thing."""
    result = scale_score([[[0, 0, 0, 0, 1]]], [(0, 1, 2, 3, 4)], [1], (3.0, 1.0, 100))
    assert result.sem is None
    assert result.d_se is None
    assert result.d == 2.0
    assert "not balanced" in result.reasons[0]


def test_the_distance_from_people_and_its_error_by_hand() -> None:
    """The distance is (score - mean)/sd; its error comes from orders, from the number of people, and from their sd."""
    orders = balanced_orders(2)
    p = [[[0.4, 0.6], [0.2, 0.8]]]
    result = scale_score(p, orders, [1], Norm(1.5, 0.5, 50))
    assert result.score == pytest.approx(1.7)
    assert result.sem == pytest.approx(0.1)
    assert result.d == pytest.approx(0.4)
    assert result.d_se == pytest.approx(np.sqrt(0.04 + 1 / 50 + 0.16 / 100))


def test_expected_scores_use_the_values_given() -> None:
    """By default 1 to k; other values are what the caller says; what does not sum to 1 is made to."""
    p = [[[0.25, 0.25, 0.5], [0.0, 0.0, 0.1]]]
    assert expected_scores(p) == pytest.approx(np.array([[2.25, 3.0]]))
    assert expected_scores(p, [0, 1, 10]) == pytest.approx(np.array([[5.25, 10.0]]))
    reversed_item = scale_score([[[0, 0, 1], [0, 0, 1], [0, 0, 1]]], balanced_orders(3), [-1], values=[0, 1, 10])
    assert reversed_item.score == 0.0


def test_cronbach_s_alpha_equals_pingouin_s() -> None:
    """On its own example without incomplete respondents, and on a random table."""
    complete = pingouin.read_dataset("cronbach_wide_missing").dropna()
    assert cronbach_alpha(complete.to_numpy()) == pytest.approx(0.801695, abs=5e-7)
    assert cronbach_alpha(complete.to_numpy()) == pytest.approx(pingouin.cronbach_alpha(complete)[0])
    rng = np.random.default_rng(2)
    table = rng.normal(size=(40, 1)) + rng.normal(size=(40, 6))
    assert cronbach_alpha(table) == pytest.approx(pingouin.cronbach_alpha(pd.DataFrame(table))[0])


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda: balanced_orders(1), StatsError),
        (lambda: balanced_orders(5, "latin"), StatsError),
        (lambda: scale_score(np.full((1, 5, 5), 0.2), balanced_orders(5)[:4], [1]), StatsError),
        (lambda: scale_score(np.full((1, 2, 2), 0.5), [(0, 1), (0, 0)], [1]), StatsError),
        (lambda: scale_score(np.full((1, 2, 2), 0.5), balanced_orders(2), [2]), StatsError),
        (lambda: scale_score(np.full((1, 2, 2), 0.5), balanced_orders(2), [1, 1]), StatsError),
        (lambda: scale_score(np.full((1, 2, 2), 0.9), balanced_orders(2), [1]), StatsError),
        (lambda: scale_score(np.full((1, 2, 2), 0.5), balanced_orders(2), [1], (3.0, 0.0, 10)), StatsError),
        (lambda: scale_score(np.zeros((1, 2, 2)), balanced_orders(2), [1]), NoEvidence),
        (lambda: expected_scores(np.empty((0, 2, 2))), NoEvidence),
        (lambda: expected_scores([[0.5, 0.5]]), StatsError),
        (lambda: expected_scores([[[float("nan"), 0.5]]]), StatsError),
        (lambda: expected_scores([[[0.5, 0.5]]], [1, 2, 3]), StatsError),
        (lambda: cronbach_alpha([[1, 2]]), NoEvidence),
        (lambda: cronbach_alpha([[1, 2], [2, 1]]), NoEvidence),
        (lambda: cronbach_alpha([[1, float("nan")], [2, 1]]), StatsError),
    ],
)
def test_answers_that_cannot_be_scored_are_refused(call: Callable[[], object], error: type[Exception]) -> None:
    """Wrong shapes, orders that lose an option, keys other than +1 and -1, items nobody answered, holes."""
    with pytest.raises(error):
        call()
