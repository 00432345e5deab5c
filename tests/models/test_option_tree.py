"""The walk over options: exact for any table of next-token probabilities, and with few looks."""

from __future__ import annotations

import math
from collections.abc import Set

import pytest

from alignsuite.models.engines.option_tree import OptionTokens, log_likelihoods, split_options
from alignsuite.models.engines.spellings import added_up, with_spellings

_LOOKS: list[tuple[int, ...]] = []


def table(prefix: list[int], wanted: Set[int]) -> dict[int, float]:
    """A made-up model of six tokens whose probabilities depend on the whole prefix."""
    _LOOKS.append(tuple(prefix))
    weights = [1.0 + (token * 7 + sum(prefix) * 3 + len(prefix)) % 5 for token in range(6)]
    return {token: math.log(weight / sum(weights)) for token, weight in enumerate(weights)}


def walk(prompt: list[int], *options: list[int]) -> list[float]:
    """The log-likelihoods, with the looks counted from zero."""
    _LOOKS.clear()
    return log_likelihoods(OptionTokens(prompt, list(options)), table)


def test_is_the_sum_of_step_by_step_log_probabilities() -> None:
    """Checked against the definition, token by token."""
    options = [[1], [2, 3], [2, 4, 5], [0, 0, 0]]
    expected = []
    for option in options:
        prefix, total = [5, 1], 0.0
        for token in option:
            total += table(prefix, set())[token]
            prefix = [*prefix, token]
        expected.append(total)
    assert all(math.isclose(a, b) for a, b in zip(walk([5, 1], *options), expected, strict=True))


def test_single_tokens_share_one_look() -> None:
    """Five letters cost one distribution."""
    walk([0], [1], [2], [3], [4], [5])
    assert _LOOKS == [(0,)]


def test_shared_beginnings_are_looked_at_once_and_in_depth() -> None:
    """A node is visited right after its parent or its subtree's end, so a prefix cache helps."""
    walk([0], [1, 2, 3], [1, 2, 4], [5, 5])
    assert _LOOKS == [(0,), (0, 1), (0, 1, 2), (0, 5)]


def test_all_continuations_of_a_length_sum_to_one() -> None:
    """No mass is lost or counted twice."""
    options = [[a, b] for a in range(6) for b in range(6)]
    assert math.isclose(sum(map(math.exp, walk([3], *options))), 1.0)


def test_an_option_that_begins_another_counts_both() -> None:
    """`agree` is at least as likely as `agree strongly`."""
    short, long = walk([0], [1], [1, 2])
    assert short > long


def test_a_merged_border_moves_the_split_back_for_all() -> None:
    """Where one option merges with the prompt's last token, all options are scored from the token before."""
    found = split_options([7, 8, 9], [[7, 8, 9, 1], [7, 8, 99]])
    assert found == OptionTokens([7, 8], [[9, 1], [99]])


def test_a_clean_border_keeps_the_prompt() -> None:
    """The usual case."""
    assert split_options([7, 8], [[7, 8, 1], [7, 8, 2, 3]]) == OptionTokens([7, 8], [[1], [2, 3]])


def test_another_spelling_is_followed_only_where_it_begins_likely() -> None:
    """The options themselves are always looked at; a spelling with a crumb of the probability costs no look of its own."""
    asked: list[tuple[list[int], set[int]]] = []
    table = {(): {1: 0.5, 2: 0.3, 3: 0.1, 4: 1e-5}, (3,): {1: 0.5}}

    def look(prefix: list[int], wanted: Set[int]) -> dict[int, float]:
        asked.append((prefix, set(wanted)))
        return {token: math.log(share) for token, share in table[tuple(prefix[1:])].items()}

    found = OptionTokens([9], [[1], [3, 1], [4, 1], [2], [5, 2]], spellings=(3, 2))
    assert found.own == [0, 3]
    values = log_likelihoods(found, look)
    assert asked == [([9], {1, 2}), ([9, 3], set())]
    assert list(map(math.exp, values)) == pytest.approx([0.5, 0.05, 0.0, 0.3, 0.0])
    assert list(map(math.exp, added_up(found, values))) == pytest.approx([0.55, 0.3])


def test_a_path_that_two_options_share_stands_for_neither() -> None:
    """Nor does one that begins like another option, in either's length; of one option's own the shorter counts what begins with it."""
    found = OptionTokens([9], [[1], [2]])
    spelt = [[[1], [7], [2, 5], [1, 4], [6, 6], [6]], [[2], [7], [8]]]
    assert with_spellings(found, spelt) == OptionTokens([9], [[1], [6], [2], [8]], spellings=(2, 2))
    elsewhere = with_spellings(found, [[[5], [6]], [[2], [8]]])
    assert elsewhere == OptionTokens([9], [[1], [2], [8]], spellings=(1, 2))
