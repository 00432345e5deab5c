"""A card's replies and others: English of another model fits, another language, code and word salad do not; no crying wolf."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pytest

from alignsuite.judges import refused
from alignsuite.judges.card_fit import ALPHA, SLACK, Feature, Profile, fit, measures, profile_of
from alignsuite.judges.labelled_replies import Labelled
from alignsuite.judges.protocol import UNREADABLE, Judgement

FOLDER = Path(__file__).with_name("labelled")
READ = Judgement("helpful")


@cache
def rows() -> tuple[Labelled, ...]:
    """Natural replies of two files, English ones of five manners and more."""
    found = []
    for name in ("held_out_6", "held_out_8", "development_2"):
        for line in (FOLDER / f"{name}.jsonl").read_text(encoding="utf-8").splitlines():
            data = json.loads(line)
            kept = {key: data[key] for key in ("prompt", "reply", "label", "voice", "language")}
            manner = data["voice"] if name == "held_out_8" else name
            found.append(Labelled(**kept, source="written", model=manner))
    return tuple(found)


def english() -> list[Labelled]:
    """Those in English."""
    return [row for row in rows() if row.language == "en"]


def profile(some: Sequence[Labelled]) -> Profile:
    """What these are like, to a judge that reads them all."""
    return profile_of([(row, READ) for row in some], refused)


def unfit(known: Profile, texts: Sequence[str], label: str = "helpful") -> tuple[str, ...]:
    """Features in which texts to as many templates are odd."""
    return fit(known, [(str(place), text, Judgement(label)) for place, text in enumerate(texts)]).misfits


@pytest.mark.parametrize("size", [40, 200])
def test_a_model_that_the_card_has_not_seen_fits(size: int) -> None:
    """Each manner of writing held out by itself: of runs of its replies no more than one in a hundred is called unfit."""
    manners = sorted({row.model for row in english()})
    dice, false, runs = random.Random(size), 0, 0
    for manner in manners:
        known = profile([row for row in english() if row.model != manner])
        own = [row.reply for row in english() if row.model == manner]
        for _ in range(40):
            runs += 1
            false += bool(unfit(known, dice.choices(own, k=size)))
    assert runs >= 240
    assert false <= ALPHA * runs + 1


def test_replies_of_a_small_real_model_fit() -> None:
    """It repeats itself and loses the thread, and it is English prose."""
    known = profile(english())
    for name in ("development", "held_out"):
        lines = map(json.loads, (FOLDER / f"{name}.jsonl").read_text(encoding="utf-8").splitlines())
        real = [line["reply"] for line in lines if "SmolLM" in line["source"]]
        assert len(real) > 150
        assert unfit(known, real) == ()


@pytest.mark.parametrize(
    "text",
    [
        "I'm sorry, but I can't help with that.",
        "No.",
        "Sure. Start with the most important point, take it step by step, and check the result at the end.",
        "**Swimming lessons:**\n\n1. **Find a pool:** look for one near you.\n2. **Ask:** call them, and ask about beginners!",
        "José's café opens at 9:30, and a class with Zoë costs €12.50.",
    ],
)
def test_the_same_words_to_everybody_are_not_odd_by_themselves(text: str) -> None:
    """A model that declines in one sentence is of a kind that the card knows; so are Markdown, accents and figures."""
    assert unfit(profile(english()), [text] * 60) == ()


def letters(dice: random.Random) -> str:
    """What an untrained model of letters writes."""
    return "".join(dice.choice("abcdefghijklmnopqrstuvwxyz    .,") for _ in range(150))


FOREIGN = {
    "JSON": lambda dice: json.dumps({"answer": f"take {dice.randint(2, 99)}", "score": dice.random(), "tags": ["a", "b"], "ok": True}),
    "code": lambda dice: f"def f(x):\n    for i in range({dice.randint(2, 99)}):\n        x = x + [i * {dice.randint(2, 9)}]\n    return x",
    "letters": letters,
    "figures": lambda dice: " ".join(str(dice.randint(0, 9999)) for _ in range(30)),
    "a loop": lambda dice: "and the of " * dice.randint(12, 20),
}  # fmt: skip


@pytest.mark.parametrize("kind", FOREIGN)
@pytest.mark.parametrize("size", [12, 40])
def test_replies_of_a_foreign_kind_do_not_fit(kind: str, size: int) -> None:
    """A dozen of them are enough."""
    dice = random.Random(size)
    assert unfit(profile(english()), [FOREIGN[kind](dice) for _ in range(size)])


@pytest.mark.parametrize("language", ["es", "de", "fr", "ar", "hi", "zh"])
def test_another_language_does_not_fit(language: str) -> None:
    """The card is of English replies; so is what the judge was measured to do."""
    other = [row.reply for row in rows() if row.language == language]
    assert len(other) >= 15
    assert "foreign" in unfit(profile(english()), other[:40])


def test_terse_english_is_english() -> None:
    """Lists and orders without `the` and `you` are as plain as prose."""
    terse = ["Fry onion, add lentils, simmer twenty minutes.", "Check tyres. Pump both. Oil chain. Ride slowly, brake early.",
             "Passport, ticket, warm socks, phone charger, spare glasses.", "Sort whites, wash cold, hang dry."]  # fmt: skip
    assert unfit(profile(english()), terse * 15) == ()


def test_a_feature_of_an_earlier_version_is_passed_over() -> None:
    """A card that somebody kept knows features that nobody measures any more."""
    known = {**profile(english()), "common": Feature(0.25, None, 0, 200, "a model")}
    assert unfit(known, ["Fry onion, add lentils, simmer."] * 40) == ()


def test_longer_than_the_cards_unread_off_task_and_doubtful_ones_are_counted() -> None:
    """What the labels and scores of the judge itself say, and what it has never read to the end."""
    known = profile(english())
    assert unfit(known, ["Take the second road on the left and ask there. " * 40] * 20)[0] == "long"
    assert unfit(known, ["Take the second road."] * 40, UNREADABLE) == ("unread",)
    assert unfit(known, ["Take the second road."] * 40, "off_task") == ("off_task",)
    dice = random.Random(5)
    scored = []
    for row in english():
        sure = dice.random()
        wrong = 0.4 < sure < 0.6 and dice.random() < 0.5
        truly = row.label in refused.labels
        scored.append((row, Judgement("refusal" if truly != wrong else "helpful", score=sure)))
    doubtful = profile_of(scored, refused)
    low, high = doubtful["doubt"].below, doubtful["doubt"].above
    assert low is not None
    assert high is not None
    assert 0.4 <= low < high <= 0.6
    replies = [
        (str(place), "Take the second road.", Judgement("helpful", score=(low + high) / 2)) for place in range(60)
    ]
    assert fit(doubtful, replies).misfits == ("doubt",)
    sure_ones = [(cluster, text, Judgement("helpful", score=0.99)) for cluster, text, _ in replies]
    assert fit(doubtful, sure_ones).misfits == ()


def test_replies_to_one_template_are_one_reply() -> None:
    """Eighty fillings of two templates can't prove anything about a model."""
    known = profile(english())
    replies = [(str(place % 2), FOREIGN["JSON"](random.Random(place)), READ) for place in range(80)]
    found = fit(known, replies)
    assert found.replies == 80
    assert found.odd["letters"].of == 2
    assert found.misfits == ()


def test_up_to_a_tenth_may_be_odd_in_any_case() -> None:
    """Models differ, and a card knows few: three JSON replies in forty are no reason to throw a claim away."""
    known = profile(english())
    few = [FOREIGN["JSON"](random.Random(place)) for place in range(int(SLACK * 40) - 1)]
    assert unfit(known, [*few, *(["Take the second road."] * 36)]) == ()


def test_a_misfit_is_said_with_its_counts() -> None:
    """Which feature, how many here, how many at most where the card was measured."""
    known = profile(english())
    said = fit(known, [(str(place), FOREIGN["JSON"](random.Random(place)), READ) for place in range(40)]).said()
    assert "40 of 40 hold" in said
    assert "at most where it was measured" in said
    assert fit(known, []).said() == ""


def test_a_thin_card_has_no_profile() -> None:
    """Of fewer than a hundred replies nobody can say what one in a hundred is like."""
    assert profile(english()[:90]) == {}
    assert unfit({}, ["{}"] * 40) == ()


def test_features_of_nothing_are_no_error() -> None:
    """Empty text, and a megabyte of one letter."""
    assert measures("")["long"] == 0
    assert measures("x" * 1_000_000)["long"] == 1
