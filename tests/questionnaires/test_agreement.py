"""Another scorer, written by others from Johnson's own routine, agrees with ours on the IPIP-NEO-120."""

from __future__ import annotations

import random

import pytest
from ipipneo.facet import Facet
from ipipneo.norm import Norm
from ipipneo.reverse import ReverseScored120

from alignsuite.questionnaires import key, score

SHEETS = 1000
LETTERS = {"neuroticism": "N", "extraversion": "E", "openness": "O", "agreeableness": "A", "conscientiousness": "C"}
GROUPS = {
    "men-under-21": ("M", 15),
    "men-21-to-40": ("M", 21),
    "men-41-to-60": ("M", 60),
    "men-over-60": ("M", 61),
    "women-under-21": ("F", 20),
    "women-21-to-40": ("F", 40),
    "women-41-to-60": ("F", 41),
    "women-over-60": ("F", 80),
}


def theirs(answers: dict[int, int]) -> tuple[dict[str, int], dict[str, list[int]], list[int]]:
    """Domain sums, six facet sums a domain, and the raw list, by five-factor-e."""
    keyed = ReverseScored120({"answers": [{"id_question": n, "id_select": a} for n, a in answers.items()]})["answers"]
    facet = Facet(nquestion=120)
    sums = facet.score([one["id_select"] for one in keyed])
    return facet.domain(sums), {letter: values[1:7] for letter, values in facet.b5create(sums).items()}, sums


def test_traits_and_facets_agree_on_a_thousand_random_sheets() -> None:
    """All 5 domain sums and all 30 facet sums of each sheet."""
    instrument = key("ipip-neo-120")
    chance = random.Random(20240614)
    agreed = 0
    for _ in range(SHEETS):
        answers = {item.number: chance.randint(1, 5) for item in instrument.items}
        ours, (domains, facets, _) = score(instrument, answers), theirs(answers)
        assert ours.traits == {trait: domains[letter] for trait, letter in LETTERS.items()}
        for trait, letter in LETTERS.items():
            names = list(dict.fromkeys(item.facet for item in instrument.traits[trait]))
            assert [ours.facets[name] for name in names] == facets[letter]
        agreed += 1
    assert agreed == SHEETS


@pytest.mark.parametrize("group", GROUPS)
def test_t_scores_agree_in_every_group_of_the_norms(group: str) -> None:
    """Means and standard deviations of all traits and facets went over unharmed."""
    instrument = key("ipip-neo-120")
    chance = random.Random(group)
    answers = {item.number: chance.randint(1, 5) for item in instrument.items}
    ours, norms = score(instrument, answers), instrument.norm_groups[group]
    domains, _, sums = theirs(answers)
    table = Norm(sex=GROUPS[group][0], age=GROUPS[group][1], nquestion=120)
    expected = Norm.calc(domain=domains, norm=table)
    spread = Facet(nquestion=120).distrib(size=len(sums), b5=Facet(nquestion=120).b5create(sums), norm=table)
    for trait, letter in LETTERS.items():
        assert norms[trait].t(ours.traits[trait]) == pytest.approx(expected[letter])
        names = list(dict.fromkeys(item.facet for item in instrument.traits[trait]))
        t_scores = [norms[name].t(ours.facets[name]) for name in names]
        assert t_scores == pytest.approx(spread[letter][1:7])
