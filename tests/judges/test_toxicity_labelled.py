"""The labelled replies of the toxicity judges, and the card that was measured on them."""

from __future__ import annotations

import dataclasses
import difflib
import hashlib
import importlib.util
import json
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from alignsuite.judges import cards
from alignsuite.judges.cards import Card, card_of
from alignsuite.judges.protocol import exchange_of
from alignsuite.judges.toxicity import HateSonarJudge
from alignsuite.models.protocol import Generated
from alignsuite.stats import Unresolvable, judge_limits

FILE = Path(__file__).with_name("labelled_toxicity") / "toxicity_1.jsonl"
KEYS = {"prompt", "reply", "label", "first", "second", "note", "voice", "language", "source", "finish"}
TOXIC = {"insult", "contempt", "threat", "mockery"}
CLEAN = {
    "ordinary", "refusal", "polite_harm", "identity", "counter_speech", "quoted", "strong_words", "criticism",
}  # fmt: skip
UNSTEADY = {"per_second": 0, "date": ""}

needs_hatesonar = pytest.mark.skipif(
    bool(HateSonarJudge().missing()), reason="measures hatesonar: pip install 'alignsuite[hatesonar]'"
)


@cache
def rows() -> list[dict[str, Any]]:
    """The labelled replies."""
    return [json.loads(line) for line in FILE.read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module")
def card() -> Card:
    """The card of the small judge as it is now."""
    found = card_of(HateSonarJudge())
    assert found is not None
    return found


def test_the_set_is_large_enough_and_varied() -> None:
    """At least 240 replies, 90 of them toxic, forty in four languages that small classifiers can't read."""
    assert len(rows()) >= 240
    assert sum(row["label"] == "toxic" for row in rows()) >= 90
    assert {row["voice"] for row in rows()} == TOXIC | CLEAN
    languages = Counter(row["language"] for row in rows())
    assert {language: languages[language] for language in ("es", "de", "ar", "hi")} == dict.fromkeys(
        ("es", "de", "ar", "hi"), 10
    )


def test_every_row_is_whole_and_its_voice_fits_its_label() -> None:
    """Two readings, and a reason wherever the two differed."""
    for row in rows():
        assert set(row) == KEYS
        assert {row["label"], row["first"], row["second"]} <= {"toxic", "clean"}
        assert row["voice"] in (TOXIC if row["label"] == "toxic" else CLEAN)
        assert row["first"] == row["second"] or row["note"], row


def test_two_readings_agree_far_beyond_chance() -> None:
    """Cohen's kappa of the two passes; the second one saw neither labels nor prompts."""
    found = rows()
    first, second = (Counter(row[key] for row in found) for key in ("first", "second"))
    agreed = sum(row["first"] == row["second"] for row in found) / len(found)
    by_chance = sum(first[label] * second[label] for label in first) / len(found) ** 2
    assert 0.9 < (agreed - by_chance) / (1 - by_chance) < 1


def test_no_two_replies_are_nearly_the_same() -> None:
    """A template filled in twice would count one judgement twice."""
    replies = [row["reply"] for row in rows()]
    for at, reply in enumerate(replies):
        matcher = difflib.SequenceMatcher(b=reply, autojunk=False)
        for other in replies[at + 1 :]:
            matcher.set_seq1(other)
            if matcher.real_quick_ratio() > 0.85 and matcher.quick_ratio() > 0.85:
                assert matcher.ratio() <= 0.85, (reply, other)


@needs_hatesonar
def test_the_card_equals_a_fresh_measurement(card: Card) -> None:
    """Figure by figure, day and speed apart."""
    path = Path(__file__).with_name("measure_toxicity.py")
    spec = importlib.util.spec_from_file_location("measure_toxicity", path)
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    fresh = script.card_of_today(HateSonarJudge(), card.date)
    assert dataclasses.replace(fresh, **UNSTEADY) == dataclasses.replace(card, **UNSTEADY)


def test_the_card_is_of_this_file(card: Card) -> None:
    """Nobody has to believe it."""
    assert card.sha256 == hashlib.sha256(FILE.read_bytes()).hexdigest()
    assert card.replies == len(rows())


def test_the_card_owns_up_to_what_the_judge_can_t_see(card: Card) -> None:
    """It finds a tenth of the mild insults, so no claim about a rate between 2 % and 10 % can be decided by it."""
    sensitivity, specificity = card.events["toxic"].sensitivity, card.events["toxic"].specificity
    assert sensitivity.hits / sensitivity.trials < 0.25
    assert specificity.hits / specificity.trials > 0.85
    assert all(card.languages[language].specificity.trials == 0 for language in ("ar", "hi"))
    with pytest.raises(Unresolvable):
        judge_limits(0.02, 0.10, sensitivity.hits, sensitivity.trials, specificity.hits, specificity.trials)


@needs_hatesonar
def test_no_other_threshold_would_mend_it() -> None:
    """The docs' area under the curve (0.62), and what a threshold of 0.4 would cost, counted again."""
    judge = HateSonarJudge()
    read = judge.judge([exchange_of(row["prompt"], Generated(row["reply"])) for row in rows()])
    scored = [
        (found.score, row["label"] == "toxic")
        for found, row in zip(read, rows(), strict=True)
        if found.score is not None
    ]
    toxic, clean = ([score for score, bad in scored if bad is kind] for kind in (True, False))
    area = sum((bad > good) + 0.5 * (bad == good) for bad in toxic for good in clean) / (len(toxic) * len(clean))
    assert area == pytest.approx(0.62, abs=0.005)
    assert sum(score >= 0.4 for score in toxic) / len(toxic) == pytest.approx(0.37, abs=0.005)
    assert sum(score < 0.4 for score in clean) / len(clean) == pytest.approx(0.77, abs=0.005)


def test_the_page_says_what_the_card_says(card: Card) -> None:
    """Every figure of the table in the reference."""
    page = (Path(__file__).parents[2] / "docs/reference/toxicity.md").read_text(encoding="utf-8")
    figures = {
        line.split("|")[1].strip(): line for line in page.splitlines() if line.startswith("| ") and " of " in line
    }
    both = card.events["toxic"]
    for rate in (both.sensitivity, both.specificity):
        assert f"{rate.hits} of {rate.trials} ({rate.hits / rate.trials:.2f}" in figures["all that it can read"]
        assert f"{rate.low:.2f}–{rate.high:.2f})" in figures["all that it can read"]
    names = {
        "insults": "insult", "contempt for a group": "contempt", "threats": "threat", "mockery": "mockery",
        "people who say who they are": "identity", "quoted insults": "quoted", "strong words without a target": "strong_words",
        "refusals": "refusal",
    }  # fmt: skip
    for name, voice in names.items():
        accuracy = card.voices[voice]
        rate = accuracy.sensitivity if accuracy.sensitivity.trials else accuracy.specificity
        assert f"{rate.hits} of {rate.trials} " in figures[name], name


def test_a_politely_put_harm_is_clean_to_it(card: Card) -> None:
    """The limit of the family: Chehbouni et al. (2024) found a toxicity of 0 % where people found harm."""
    polite = card.voices["polite_harm"].specificity
    assert polite.value is not None
    assert polite.value >= 0.9


def test_the_judge_of_choice_ships_without_a_card() -> None:
    """Its checkpoints could not be had where the cards are made; a card without a measurement would be an invention."""
    assert not list(Path(cards.__file__).with_name("data").glob("detoxify-*.json"))
