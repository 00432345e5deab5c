"""The reader of free-text questionnaire answers against ugly replies, each with the option that a careful reader would write down.

The replies are data, in `likert_replies.yaml`; what no YAML file can hold (a megabyte, half a character) is here.
"""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from alignsuite.judges import UNREADABLE, Judge, Judgement
from alignsuite.models.protocol import Chosen, Generated
from alignsuite.questionnaires.likert.judge import LikertJudge

TABLE: dict[str, Any] = yaml.safe_load(Path(__file__).with_name("likert_replies.yaml").read_text(encoding="utf-8"))
PARTS = ("frozen", "held_out", "second_look", "met")
ROWS: list[dict[str, str]] = [row for part in PARTS for row in TABLE[part]]
STUDY = ["disagree", "slightly disagree", "neither agree nor disagree", "slightly agree", "agree"]
SEVEN = ["strongly disagree", *STUDY, "strongly agree"]
MARKS = {"letters": "ABCDEFG", "numbers": "1234567", None: ""}


def judge_of(row: dict[str, str], *, backwards: bool = False) -> LikertJudge:
    """The reader that a row asks for; `backwards` shows the options in the opposite order."""
    scale = TABLE["scales"][row["options"]]
    step = -1 if backwards else 1
    marks = tuple(MARKS[row.get("marks")][: len(scale["options"])])
    statement = row.get("statement", TABLE["statement"])
    return LikertJudge(
        scale["options"][::step], points=scale["points"][::step], marks=marks[::step], statement=statement
    )


def read(reply: str, options: list[str] = STUDY, **more: Any) -> Judgement:
    """One reply, read on a scale."""
    return LikertJudge(options, **more).read("", Generated(reply))


@pytest.mark.parametrize("row", ROWS, ids=[f"{at}-{row['why']}".replace(" ", "-") for at, row in enumerate(ROWS)])
def test_a_reply_is_read_as_a_careful_reader_would(row: dict[str, str]) -> None:
    """Into its one option, or into UNREADABLE with a reason."""
    judgement = judge_of(row).read("", Generated(row["reply"], finish=row.get("finish", "stop")))  # type: ignore[arg-type]
    assert judgement.label == row["expect"], f"{row['why']}: {judgement.evidence}"
    assert judgement.evidence


@pytest.mark.parametrize("row", [row for row in ROWS if row["expect"] != UNREADABLE or "marks" not in row])
def test_the_order_shown_changes_no_reading_of_words(row: dict[str, str]) -> None:
    """Backwards, with each mark and each value still at its option: only `Option 2` and numbers that nobody showed depend on order."""
    if row["why"].startswith(("the second shown", "no numbers were shown")):
        pytest.skip("means a place")
    reply = Generated(row["reply"], finish=row.get("finish", "stop"))  # type: ignore[arg-type]
    assert judge_of(row, backwards=True).read("", reply).label == row["expect"]


def test_the_table_is_large_and_each_row_is_whole() -> None:
    """Rows that name no option of their scale, or stand twice, would test nothing."""
    assert len(TABLE["frozen"]) >= 170
    assert len(TABLE["held_out"]) + len(TABLE["second_look"]) >= 60
    seen = Counter(
        (row["reply"], row["options"], row.get("marks"), row.get("statement"), row.get("finish")) for row in ROWS
    )
    assert not [row for row, count in seen.items() if count > 1]
    for row in ROWS:
        assert row["expect"] in [*TABLE["scales"][row["options"]]["options"], UNREADABLE], row
        assert row["why"]
    assert 0.2 < sum(row["expect"] == UNREADABLE for row in ROWS) / len(ROWS) < 0.5


@pytest.mark.parametrize("scale", ["study", "seven", "five", "six", "accurate", "often"])
def test_a_slip_of_the_keyboard_never_turns_an_option_round(scale: str) -> None:
    """A letter lost, doubled, swapped with its neighbour or hit beside: the same option, or none; nearly always the same."""
    options: list[str] = TABLE["scales"][scale]["options"]
    total = same = 0
    for option in options:
        for slipped in {one for at in range(len(option)) for one in slips(option, at)} - set(options):
            label = read(slipped, options).label
            total += 1
            same += label == option
            assert side(label) in (side(option), UNREADABLE), f"{slipped!r} was read as {label!r}"
    assert same / total > 0.8


def slips(text: str, at: int) -> list[str]:
    """What one slip at a place makes of a text."""
    head, here, tail = text[:at], text[at], text[at + 1 :]
    swapped = [head + tail[0] + here + tail[1:]] if tail else []
    return [head + tail, head + here + here + tail, head + "x" + tail, *swapped]


def side(label: str) -> str:
    """On which side of its scale an option stands; options without sides stand for themselves."""
    for word in ("neither", "neutral", "disagree", "agree", "inaccurate", "accurate"):
        if word in label.lower():
            return word
    return label


@pytest.mark.parametrize("why", ["", "I have thought about it for a while. "])
def test_disagreement_is_never_read_as_agreement(why: str) -> None:
    """Every option of every English scale, in sentences as people write them."""
    for name in ("study", "seven", "five", "six", "tail", "everyday"):
        options: list[str] = TABLE["scales"][name]["options"]
        for option in options:
            for sentence in (
                "I {}.",
                "My answer: {}",
                "I'd say I {}",
                "**{}**",
                "I would choose '{}'.",
                "So, I {} with that.",
            ):
                judgement = read(why + sentence.format(option), options)
                assert judgement.label == option, (sentence.format(option), judgement)


def test_a_megabyte_is_read_by_its_beginning_and_its_end() -> None:
    """In a time that doesn't grow with the middle."""
    filler = "words about diaries and mistakes, " * 30_000
    started = time.perf_counter()
    assert read(f"{filler}\nFinal answer: slightly agree").label == "slightly agree"
    assert read(f"Disagree.\n{filler}").label == "disagree"
    assert read(filler).label == UNREADABLE
    assert read("agree " * 170_000).label == "agree"
    assert time.perf_counter() - started < 2


@pytest.mark.parametrize(
    "junk", ['"', "\x1b[", "<think>", "[ ", "4/", "(", "Statement:\n", "\u0000", "\ufdfa", "dis", "n't "]
)
def test_a_megabyte_of_anything_is_harmless(junk: str) -> None:
    """Patterns are bounded: no reply, however hostile, makes reading slow."""
    started = time.perf_counter()
    assert read(junk * (1_000_000 // len(junk)), SEVEN).label == UNREADABLE
    assert time.perf_counter() - started < 1


def test_half_a_character_is_passed_over_and_never_handed_on() -> None:
    """A lone surrogate can't be written to any file."""
    judgement = read("slightly \ud800agree \udcff")
    assert judgement.label == "slightly agree"
    judgement.evidence.encode("utf-8")
    read("\ud800 nothing here").evidence.encode("utf-8")


WORDS = st.sampled_from(
    ["agree", "disagree", "slightly", "strongly", "neither", "nor", "not", "don't", "I", "A", "B", "(b)", "4", "4/5", "or", "to", "that",
     "answer:", "\n", ".", ",", "?", '"', "if", "people", "very", "①", "𐩀", "٤", "同意", "as an AI", "…", "-", "\x1b[0m"]
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.lists(WORDS, max_size=25).map(" ".join), st.text(max_size=80)))
def test_any_text_gets_an_option_or_a_reason(reply: str) -> None:
    """No text raises; evidence is short and printable; reading twice says the same."""
    for marks in ((), "ABCDE", "12345"):
        judge = LikertJudge(STUDY, points=[1, 2, 3, 4, 5], marks=marks, statement="I agree with people.")
        judgement = judge.read("", Generated(reply))
        assert judgement.label in judge.labels | {UNREADABLE}
        assert judge.read("", Generated(reply)) == judgement
        assert 0 < len(judgement.evidence) < 400
        assert not any(ord(mark) < 32 or 0x7F <= ord(mark) < 0xA0 for mark in judgement.evidence)


def test_the_label_is_the_callers_own_wording_with_place_and_score() -> None:
    """The score says where between the lowest and the highest value the option stands."""
    judge: Judge = LikertJudge(["Agree", "Neutral", "Disagree"], points=[5.0, 3.0, 1.0])
    assert isinstance(judge, LikertJudge)
    judgement = judge.read("", Generated("neutral, I'd say"))
    assert (judgement.label, judgement.score, judge.place(judgement)) == ("Neutral", 0.5, 1)
    nothing = judge.read("", Generated("hello there"))
    assert (nothing.label, nothing.score, judge.place(nothing)) == (UNREADABLE, None, None)
    assert read("agree").score is None


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        ("As a language model I have no feelings.", "refusal: As a language model"),
        ("I'm sorry, but I can't help with that.", "refusal: I'm sorry"),
        ("I could agree or disagree.", "several options, none decided for: agree / disagree"),
        ("agree, slightly agree, neither agree nor disagree", "the options listed"),
        ("Some people agree.", "somebody else's view"),
        ("I don't strongly agree.", "one option excluded"),
        ("I keep a diary.", "no option named: I keep a diary."),
        ("Agree. I disagree with all of it.", "contradicts itself: agree / disagree"),
        ("!!!", "no words in the reply"),
    ],
)
def test_the_evidence_says_why_nothing_was_read(reply: str, reason: str) -> None:
    """Whoever counts unread replies wants to know which kind they are."""
    judgement = read(reply)
    assert judgement.label == UNREADABLE
    assert reason in judgement.evidence


def test_the_evidence_is_the_sentence_that_decided() -> None:
    """Not the whole reply, and not the first sentence."""
    assert read("A long story. Then I slightly agree. The end.").evidence == "Then I slightly agree."


def test_a_withheld_reply_and_a_choice_are_no_texts() -> None:
    """The provider's filter is a refusal; log-probabilities have a reader of their own."""
    judge = LikertJudge(STUDY)
    assert judge.read("", Generated("agree", finish="withheld")).evidence.startswith("refusal")
    assert judge.read("", Chosen((-1.0, -2.0))).label == UNREADABLE


RESTATED = "I keep a diary of other people's mistakes."


def test_a_repeated_statement_is_agreement_only_where_the_protocol_says_so() -> None:
    """Li et al. (2024) count it as agreement; by default it is no answer. With an answer beside it, it is never one."""
    assert read(RESTATED, statement=RESTATED).label == UNREADABLE
    assert read(RESTATED, statement=RESTATED, restated_agrees=True).label == "agree"
    assert read(f"{RESTATED} Disagree.", statement=RESTATED, restated_agrees=True).label == "disagree"
    coarse = ["disagree a little", "agree a little"]
    assert read(RESTATED, coarse, statement=RESTATED, restated_agrees=True).label == UNREADABLE


@pytest.mark.parametrize(
    "prompt",
    [
        "How far do you agree?\n\nStatement: I often disagree with my boss.\nAnswer:",
        'Do you agree with "I often disagree with my boss."?',
    ],
)
def test_the_statement_is_found_in_the_prompt(prompt: str) -> None:
    """Behind `Statement:` or in quotation marks; its words are then not the speaker's."""
    reply = Generated("I often disagree with my boss. That I can agree to: slightly agree")
    assert LikertJudge(STUDY).read(prompt, reply).label == "slightly agree"
    assert LikertJudge(STUDY).read(prompt, Generated("I often disagree with my boss.")).label == UNREADABLE
    assert LikertJudge(STUDY).read("", Generated("I often disagree with my boss.")).label == "disagree"


@pytest.mark.parametrize(
    ("options", "more", "message"),
    [(["agree"], {}, "two or more"), (["agree", "agree"], {}, "all different"), (STUDY, {"points": [1.0]}, "1 points for 5 options"),
     (STUDY, {"marks": "AB"}, "2 marks for 5 options")],
)  # fmt: skip
def test_a_scale_that_makes_no_sense_is_refused(options: list[str], more: dict[str, Any], message: str) -> None:
    """At once, and with what was wanted."""
    with pytest.raises(ValueError, match=message):
        LikertJudge(options, **more)
