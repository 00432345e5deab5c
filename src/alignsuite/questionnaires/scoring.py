"""Scale scores: answers to `Scores` by trait and facet, by the published key and nothing else.

A reversed answer counts as lowest + highest − answer. A score is the mean or the sum of the statements of its scale, as the
instrument's authors have it. Nothing is filled in: published rules for missing answers differ and were made for people,
so an incomplete sheet has no score.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import fsum, isfinite

from alignsuite.errors import InstrumentError
from alignsuite.questionnaires.instrument import Instrument, Item

_SHOWN = 12


@dataclass(frozen=True)
class Scores:
    """Scale scores of one answer sheet.

    Attributes:
        traits, facets: scores by name, in the order of the key; `facets` is empty where the instrument has none.
        bands: the published name for each trait's score, for instruments that have such names.
    """

    traits: Mapping[str, float]
    facets: Mapping[str, float]
    bands: Mapping[str, str]


def score(instrument: Instrument, answers: Mapping[int, float]) -> Scores:
    """The trait and facet scores behind one person's, or one model's, answers.

    Answers are raw (nothing reversed beforehand), by item number, from 1 to `instrument.points`; fractions are fine, as
    expected answers of models have them. The wording is not needed.

    Raises:
        InstrumentError: for an answer out of range, an item that the instrument lacks, or a missing answer.

    >>> from alignsuite.questionnaires import key
    >>> score(key("swls"), {1: 7, 2: 6, 3: 7, 4: 5, 5: 4}).bands
    {'life_satisfaction': 'mostly good'}
    """
    _check(instrument, answers)
    traits = {trait: _value(instrument, items, answers) for trait, items in instrument.traits.items()}
    facets = {facet: _value(instrument, items, answers) for facet, items in instrument.facets.items()}
    named = {trait: instrument.band(value) for trait, value in traits.items()}
    return Scores(traits, facets, {trait: name for trait, name in named.items() if name is not None})


def _value(instrument: Instrument, items: tuple[Item, ...], answers: Mapping[int, float]) -> float:
    keyed = [instrument.points + 1 - answers[item.number] if item.reversed else answers[item.number] for item in items]
    total = fsum(keyed)
    return total / len(items) if instrument.scoring == "mean" else total


def _check(instrument: Instrument, answers: Mapping[int, float]) -> None:
    numbers = {item.number for item in instrument.items}
    for number, answer in answers.items():
        if number not in numbers:
            raise InstrumentError(f"{instrument.name} has no item {number}; wanted 1 to {len(numbers)}")
        if not (isfinite(answer) and 1 <= answer <= instrument.points):
            raise InstrumentError(
                f"{instrument.name}, item {number}: the answer is {answer}; wanted a number from 1 to {instrument.points}"
            )
    missing = sorted(numbers - set(answers))
    if missing:
        raise InstrumentError(
            f"{instrument.name}: no answer to item{'s' * (len(missing) > 1)} {listed(missing)} "
            f"({len(missing)} of {len(numbers)}); an incomplete sheet has no score"
        )


def listed(numbers: list[int]) -> str:
    """Numbers in a row, cut after a dozen.

    >>> listed([1, 2, 5])
    '1, 2, 5'
    """
    shown = ", ".join(map(str, numbers[:_SHOWN]))
    return shown + ", …" * (len(numbers) > _SHOWN)
