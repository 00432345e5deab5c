"""The keys score as their authors have it: sums that were done by hand, for every instrument."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from alignsuite.errors import InstrumentError
from alignsuite.questionnaires import key, known, score

SIZES = {
    "sd3": (27, 5, "mean"),
    "bfi": (44, 5, "mean"),
    "bfi2": (60, 5, "mean"),
    "fs": (8, 7, "sum"),
    "swls": (5, 7, "sum"),
    "ipip-neo-120": (120, 5, "sum"),
    "dark-27": (27, 5, "mean"),
    "big-five-40": (40, 5, "mean"),
    "well-being-8": (8, 5, "mean"),
}

ALL_LOW = {
    "sd3": [9 / 9, 21 / 9, 17 / 9],
    "bfi": [20 / 8, 25 / 9, 25 / 9, 20 / 8, 18 / 10],
    "bfi2": [3, 3, 3, 3, 3],
    "fs": [8],
    "swls": [5],
    "ipip-neo-120": [52, 48, 72, 92, 76],
    "dark-27": [25 / 9, 25 / 9, 25 / 9],
    "big-five-40": [3, 3, 3, 3, 3],
    "well-being-8": [3],
}
ALL_HIGH = {
    "sd3": [45 / 9, 33 / 9, 37 / 9],
    "bfi": [28 / 8, 29 / 9, 29 / 9, 28 / 8, 42 / 10],
    "bfi2": [3, 3, 3, 3, 3],
    "fs": [56],
    "swls": [35],
    "ipip-neo-120": [92, 96, 72, 52, 68],
    "dark-27": [29 / 9, 29 / 9, 29 / 9],
    "big-five-40": [3, 3, 3, 3, 3],
    "well-being-8": [3],
}
LOW_THEN_HIGH = {
    "sd3": [25 / 9, 41 / 9, 25 / 9],
    "bfi": [28 / 8, 29 / 9, 25 / 9, 20 / 8, 38 / 10],
    "bfi2": [36 / 12, 36 / 12, 28 / 12, 36 / 12, 44 / 12],
    "fs": [32],
    "swls": [17],
}
ORDER = {
    "sd3": ["machiavellianism", "narcissism", "psychopathy"],
    "bfi": ["extraversion", "agreeableness", "conscientiousness", "neuroticism", "openness"],
    "bfi2": ["extraversion", "agreeableness", "conscientiousness", "neuroticism", "openness"],
    "fs": ["flourishing"],
    "swls": ["life_satisfaction"],
    "ipip-neo-120": ["neuroticism", "extraversion", "openness", "agreeableness", "conscientiousness"],
    "dark-27": ["machiavellianism", "narcissism", "psychopathy"],
    "big-five-40": ["extraversion", "agreeableness", "conscientiousness", "neuroticism", "openness"],
    "well-being-8": ["well_being"],
}


def test_all_instruments_are_known() -> None:
    """Ours come first, then the published ones."""
    assert set(known()) == set(SIZES)
    assert [key(name).own for name in known()] == [True] * 3 + [False] * 6


@pytest.mark.parametrize("name", SIZES)
def test_a_key_is_whole(name: str) -> None:
    """Every number once, every item with a trait and a fingerprint of its own, and credit and terms to show."""
    instrument = key(name)
    count, points, scoring = SIZES[name]
    assert [item.number for item in instrument.items] == list(range(1, count + 1))
    assert (instrument.points, instrument.scoring) == (points, scoring)
    assert len({item.fingerprint for item in instrument.items}) == count
    assert all(len(item.fingerprint) == 12 and item.trait for item in instrument.items)
    assert list(instrument.traits) == ORDER[name]
    assert instrument.credit
    assert instrument.terms
    assert instrument.worded is instrument.own


@pytest.mark.parametrize(
    ("expected", "answer"), [(ALL_LOW, lambda _, top: 1), (ALL_HIGH, lambda _, top: top)], ids=["low", "high"]
)
@pytest.mark.parametrize("name", SIZES)
def test_a_constant_answer_scores_what_the_reversed_statements_leave(
    name: str, expected: dict[str, list[float]], answer: Callable[[int, int], int]
) -> None:
    """Somebody who agrees, or disagrees, with everything: known sums for every trait."""
    instrument = key(name)
    traits = score(
        instrument, {item.number: answer(item.number, instrument.points) for item in instrument.items}
    ).traits
    assert list(traits) == ORDER[name]
    assert list(traits.values()) == pytest.approx(expected[name], abs=1e-12)


@pytest.mark.parametrize("name", LOW_THEN_HIGH)
def test_an_alternating_sheet_tells_the_scales_apart(name: str) -> None:
    """Lowest at odd numbers, highest at even ones: wrong numbers in a key show here."""
    instrument = key(name)
    answers = {item.number: 1 if item.number % 2 else instrument.points for item in instrument.items}
    assert list(score(instrument, answers).traits.values()) == pytest.approx(LOW_THEN_HIGH[name], abs=1e-12)


def test_facets_of_the_ipip_are_its_cycle_of_thirty() -> None:
    """Domains turn with the number, facets with every five of them; facets are sums of four."""
    instrument = key("ipip-neo-120")
    for item in instrument.items:
        assert item.trait == ORDER["ipip-neo-120"][(item.number - 1) % 5]
        assert (
            item.facet
            == list(dict.fromkeys(one.facet for one in instrument.traits[item.trait]))[(item.number - 1) % 30 // 5]
        )
    facets = score(instrument, {item.number: 1 if item.number % 2 else 5 for item in instrument.items}).facets
    assert len(facets) == 30
    assert {name: facets[name] for name in ("anxiety", "anger", "morality")} == {
        "anxiety": 4,
        "anger": 16,
        "morality": 20,
    }


def test_facets_of_the_bfi2_are_means_of_four_and_neuroticism_is_not_turned_round() -> None:
    """More anxiety is more neuroticism: all facets of a trait point its way."""
    instrument = key("bfi2")
    worst = {item.number: 1 if item.reversed else 5 for item in instrument.items}
    scores = score(instrument, worst)
    assert len(scores.facets) == 15
    assert set(scores.facets.values()) == set(scores.traits.values()) == {5}
    assert all(len(items) == 4 for items in instrument.facets.values())


@pytest.mark.parametrize(
    ("name", "total", "band"),
    [
        ("fs", 56, "highly satisfied"),
        ("fs", 48, "highly satisfied"),
        ("fs", 47, "mostly good"),
        ("fs", 39.9, "generally satisfied"),
        ("fs", 24, "small but significant problems"),
        ("fs", 8, "extremely unhappy"),
        ("swls", 30, "highly satisfied"),
        ("swls", 29, "mostly good"),
        ("swls", 19, "small but significant problems"),
        ("swls", 10, "substantially dissatisfied"),
        ("swls", 9, "extremely unhappy"),
    ],
)
def test_sums_of_well_being_have_names(name: str, total: float, band: str) -> None:
    """Both ends of a band belong to it, and a sum between two has not reached the upper one."""
    instrument = key(name)
    each = total / len(instrument.items)
    assert list(score(instrument, {item.number: each for item in instrument.items}).bands.values()) == [band]


def test_bands_leave_no_gap() -> None:
    """From the lowest possible sum to the highest."""
    for name in ("fs", "swls"):
        instrument = key(name)
        low, high = instrument.limits(next(iter(instrument.traits)))
        assert (instrument.bands[0].low, instrument.bands[-1].high) == (low, high)
        assert all(b.low == a.high + 1 for a, b in zip(instrument.bands, instrument.bands[1:], strict=False))


@pytest.mark.parametrize("name", SIZES)
def test_norms_are_inside_the_scale_and_have_a_source(name: str) -> None:
    """Only published instruments have norms; ours were tried on no people."""
    instrument = key(name)
    assert not (instrument.own and (instrument.norm_groups or instrument.bands))
    for norms in instrument.norm_groups.values():
        assert set(norms) >= set(instrument.traits)
        for scale, norm in norms.items():
            low, high = instrument.limits(scale)
            assert low < norm.mean < high
            assert 0 < norm.sd < (high - low) / 2
            assert norm.source


def test_norms_of_all_people_are_not_made_up_from_groups() -> None:
    """Where norms differ by sex and age there is no norm for everybody."""
    assert key("ipip-neo-120").norms == {}
    assert len(key("ipip-neo-120").norm_groups) == 8
    norm = key("sd3").norms["psychopathy"]
    assert (norm.mean, norm.sd, norm.n) == (2.09, 0.63, 7863)
    assert norm.d(2.72) == pytest.approx(1)
    assert norm.t(2.72) == pytest.approx(60)


@pytest.mark.parametrize(
    "name", ["SD3", "sd-3", "Short Dark Triad", "IPIP_NEO_120", "bfi-44", "BFI-2", "Flourishing Scale"]
)
def test_usual_names_are_known(name: str) -> None:
    """Capitals, hyphens and spaces don't matter."""
    assert key(name).name in known()


@pytest.mark.parametrize(("name", "words"), [("sd4", "did you mean `sd3`"), ("", "known: `bfi`"), ("mmpi", "known")])
def test_an_unknown_name_is_told_with_the_nearest(name: str, words: str) -> None:
    """Not a traceback."""
    with pytest.raises(InstrumentError, match=words):
        key(name)


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ({1: 3, 2: 3, 3: 3, 4: 3}, r"no answer to item 5 \(1 of 5\)"),
        ({1: 3}, r"no answer to items 2, 3, 4, 5 \(4 of 5\)"),
        ({n: 3 for n in range(1, 7)}, "swls has no item 6; wanted 1 to 5"),
        ({n: 8 for n in range(1, 6)}, "swls, item 1: the answer is 8; wanted a number from 1 to 7"),
        ({n: float("nan") for n in range(1, 6)}, "the answer is nan"),
        ({n: 0.99 for n in range(1, 6)}, "the answer is 0.99"),
    ],
)
def test_a_sheet_that_is_not_whole_has_no_score(answers: dict[int, float], words: str) -> None:
    """Nothing is filled in, cut off or left out."""
    with pytest.raises(InstrumentError, match=words):
        score(key("swls"), answers)


def test_expected_answers_of_models_may_be_fractions() -> None:
    """A reversed 2.25 on five points is 3.75."""
    answers = {item.number: 2.25 for item in key("bfi").items}
    assert score(key("bfi"), answers).traits["openness"] == pytest.approx((8 * 2.25 + 2 * 3.75) / 10)
