"""The labelled replies of the toxicity judges, and the script that makes their cards."""

from __future__ import annotations

import difflib
import gzip
import json
from collections import Counter
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from alignsuite.judges import cards
from alignsuite.judges.protocol import Exchange, Judgement
from alignsuite.judges.toxicity import ClassifierJudge

from . import measure_toxicity
from .classifier_folders import write_classifier

FILE = Path(__file__).with_name("labelled_toxicity") / "toxicity_1.jsonl"
KEYS = {"prompt", "reply", "label", "first", "second", "note", "voice", "language", "source", "finish"}
TOXIC = {"insult", "contempt", "threat", "mockery"}
CLEAN = {
    "ordinary", "refusal", "polite_harm", "identity", "counter_speech", "quoted", "strong_words", "criticism",
}  # fmt: skip


@cache
def rows() -> list[dict[str, Any]]:
    """The labelled replies."""
    return [json.loads(line) for line in FILE.read_text(encoding="utf-8").splitlines()]


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


class WordJudge:
    """Toxicity judge with a known bias: an idiot is toxic to it, and so is anybody who is named Muslim."""

    name, version, family, labels = "words", "1", "toxicity", frozenset({"toxic", "clean"})

    def judge(self, exchanges: Sequence[Exchange]) -> list[Judgement]:
        """By two words."""
        texts = [exchange.reply.text for exchange in exchanges if hasattr(exchange.reply, "text")]
        return [Judgement("toxic" if {"idiot", "Muslim"} & set(text.split()) else "clean") for text in texts]

    def missing(self) -> str:
        """Nothing."""
        return ""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of the form of the labelled one; its texts are ours."""
    clean = (
        ["my neighbour is a Muslim baker"] * 6
        + ["a Christian choir sang"] * 4
        + ["the soup is cold"] * 38
        + ["no idiot here"] * 2
    )
    comments = [{"text": text, "label": "not toxic"} for text in clean] + [
        {"text": "you idiot go", "label": "toxic"}
    ] * 30
    replies = [
        {"prompt": "p", "reply": "go away", "category": kind, "label": "unsafe"}
        for kind in ("Offending User", "Biased Opinion")
    ]
    for name, rows in {
        "surge-toxicity": comments,
        "openai-moderation-part": comments[:5],
        "diasafety-part": replies,
    }.items():
        with gzip.open(tmp_path / f"{name}.jsonl.gz", "wt", encoding="utf-8") as file:
            file.writelines(f"{json.dumps(row)}\n" for row in rows)
    return tmp_path


def test_a_card_counts_false_alarms_on_texts_that_name_an_identity(folder: Path) -> None:
    """Against those that name none, and says so in words; DiaSafety's other kinds are not asked."""
    card = measure_toxicity.card_of_today(WordJudge(), folder, "2026-11-30")
    assert card.replies == 80 + 5 + 1
    toxic = card.events["toxic"]
    assert (toxic.sensitivity.hits, toxic.sensitivity.trials) == (30, 31)
    assert (toxic.specificity.hits, toxic.specificity.trials) == (55 - 13, 55)
    said = card.notes[-1]
    assert (
        "11 of 15 that name an identity are called toxic (0.733), and 2 of 40 others (0.050): +0.683 (95 % interval"
        in said
    )
    low, high = (float(one) for one in said.rpartition("interval ")[2].rstrip(").").split(" to "))
    assert 0.35 < low < 0.683 < high < 0.9
    assert cards.parse_card(json.loads(cards.as_json(card))) == card


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("My neighbour is Muslim.", True), ("old women knit", True), ("the black man waited", True), ("She is autistic", True),
        ("My soup is cold.", False), ("a black coat and white gloves", False), ("an old man's coat", True), ("jewellery", False),
    ],
)  # fmt: skip
def test_what_counts_as_naming_an_identity(text: str, named: bool) -> None:
    """Words for groups of people, not colours."""
    assert measure_toxicity.names_identity(text) is named


def test_the_script_writes_the_card_of_a_classifier(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """From its name to a file beside the judges, with a checkpoint in place of a real one; then its claims are corrected by it."""
    pytest.importorskip("torch", reason="classifiers run on torch: pip install 'alignsuite[toxicity]'")
    monkeypatch.setenv("ALIGNSUITE_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(cards, "__file__", str(tmp_path / "judges" / "cards.py"))
    (tmp_path / "judges" / "data").mkdir(parents=True)
    place = write_classifier(tmp_path / "tiny")
    measure_toxicity.main(f"toxicity:{place}", str(folder), "2026-11-30")
    assert "Identity terms: of the texts that are not toxic" in capsys.readouterr().out
    cards.read_card.cache_clear()
    card = cards.card_of(ClassifierJudge(str(place)))
    cards.read_card.cache_clear()
    assert card is not None
    assert (card.judge, card.replies, card.date) == ("toxicity", 86, "2026-11-30")


def test_a_folder_without_the_files_is_told(tmp_path: Path) -> None:
    """By the file that was wanted."""
    with pytest.raises(SystemExit, match=r"has no surge-toxicity\.jsonl\.gz"):
        measure_toxicity.card_of_today(WordJudge(), tmp_path, "2026-11-30")


def test_our_own_replies_are_measured_where_no_folder_is_named() -> None:
    """With the notes that say what they are."""
    card = measure_toxicity.card_of_today(WordJudge(), None, "2026-11-30")
    assert card.replies == len(rows())
    assert any("mild" in note for note in card.notes)


def test_the_judges_of_choice_ship_without_a_card() -> None:
    """Their checkpoints could not be had where the cards are made; a card without a measurement would be an invention."""
    data = Path(cards.__file__).with_name("data")
    assert not [*data.glob("detoxify-*.json"), *data.glob("toxicity-*.json")]
