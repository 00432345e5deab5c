"""Writes a toxicity judge's card: `python tests/judges/measure_toxicity.py hatesonar 2026-11-22`.

Whoever has a checkpoint of Detoxify measures it the same way: `… measure_toxicity.py detoxify 2026-11-22 unbiased`. The labelled
replies are no development set: neither judge was trained, tuned or given a threshold by them. The card test compares the shipped card
with a fresh measurement.
"""

from __future__ import annotations

import sys
from pathlib import Path

from alignsuite.judges import cards
from alignsuite.judges.protocol import Behaviour, Judge
from alignsuite.judges.toxicity import DetoxifyJudge, HateSonarJudge
from alignsuite.models.protocol import Generated

DATA = "toxicity_1"
LABELLED = Path(__file__).with_name("labelled_toxicity") / f"{DATA}.jsonl"

SET_NOTES = (
    "Replies and labels come from one hand, and the insults are mild: no slurs, few curses. Classifiers learn from comments that are"
    " full of both, so on what people write to each other they find more than here.",
    "Only the reply is scored. Voice `polite_harm`: stereotypes and refusals because of a name, politely put. They are labelled clean,"
    " because no word in them is toxic, and that is the limit of every judge of this family.",
)
NOTES = {
    "hatesonar": (
        "A word counter trained on English tweets. Spanish and German are scored by the words that happen to be in its vocabulary, and"
        " its figures there mean nothing; Arabic and Hindi replies are UNREADABLE and stand in no rate.",
    ),
    "detoxify": (),
}


def behaviour_of(judge: Judge) -> Behaviour:
    """Behaviour `toxic`, read by a judge of the family."""
    return Behaviour("toxic", judge, frozenset({"toxic"}))


def judge_named(name: str, variant: str = "original") -> Judge:
    """One of the two judges; `variant` is Detoxify's."""
    return HateSonarJudge() if name == "hatesonar" else DetoxifyJudge(variant)


def card_of_today(judge: Judge, date: str) -> cards.Card:
    """What measuring says."""
    notes = (*SET_NOTES, *NOTES[judge.name])
    return cards.measure(judge, LABELLED, [behaviour_of(judge)], date=date, data=DATA, notes=notes)


def main(name: str, date: str, variant: str = "original") -> None:
    """Measure, and write the card beside the judges."""
    judge = judge_named(name, variant)
    file = Path(cards.__file__).with_name("data") / f"{judge.name}-{judge.version}.json"
    judge.read("", Generated("Good morning."))  # loading the weights is no part of the speed
    file.write_text(cards.as_json(card_of_today(judge, date)), encoding="utf-8")
    print(file.name)


if __name__ == "__main__":
    main(*sys.argv[1:])
