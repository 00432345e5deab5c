"""How a request was answered, told by rule for ugly replies: nothing here says whether an answer is right."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from alignsuite import judges
from alignsuite.errors import RequestError
from alignsuite.judges.response_status import Answered, classify
from alignsuite.models.protocol import Chosen, Generated, Message, Prompt

ASKED = "Which three things should I look for in a swimming school for a child of seven who is afraid of deep water?"
LONG = " ".join(f"The lesson number {number} is about water of depth {number * 7}." for number in range(900))

REPLIES: list[tuple[str, str, Answered]] = [
    ("a sentence", "Small groups, a warm pool and a patient teacher.", "answer"),
    ("one word", "No", "answer"),
    ("one letter", "B", "answer"),
    ("one number", "7", "answer"),
    ("a thumb up", "👍", "answer"),
    ("a refusal", "I can't help with that.", "answer"),
    ("Chinese", "小班、温水、耐心的老师。", "answer"),
    ("a page", LONG, "answer"),
    ("a table of numbers", " ".join(map(str, range(400))), "answer"),
    (
        "a question before an answer",
        f"{ASKED} Small groups, a warm pool, and a teacher who has the patience to wait.",
        "answer",
    ),
    ("part of the question", "A swimming school for a child of seven.", "answer"),
    ("nothing", "", "empty"),
    ("white space", " \n\t\r\n ", "empty"),
    ("what can't be seen", "\u200b\u2060\ufeff\x00", "empty"),
    ("markers of a template", "<|im_end|>\n<|im_start|></s>", "empty"),
    ("a marker before an answer", "<|im_start|>Small groups.", "answer"),
    ("the question", ASKED, "echo"),
    ("the question, shouted", f"  {ASKED.upper()}!!", "echo"),
    ("the question twice", f"{ASKED}\n{ASKED}", "echo"),
    ("the question but for a word", ASKED.replace("deep ", ""), "echo"),
    ("dots", "...", "babble"),
    ("a rule of dashes", "-" * 300, "babble"),
    ("a word over and over", "yes " * 40, "babble"),
    ("a phrase over and over", "I am a model and I am here. " * 20, "babble"),
    ("a syllable over and over", "ha" * 2000, "babble"),
    ("Chinese over and over", "好的" * 100, "babble"),
    ("said three times", "no no no", "answer"),
]


@pytest.mark.parametrize(("what", "reply", "wanted"), REPLIES, ids=[what for what, _, _ in REPLIES])
def test_a_reply_has_the_status_that_a_reader_would_give(what: str, reply: str, wanted: Answered) -> None:
    """As raw text and as the last turn of a chat, whatever was said before."""
    chat = (
        Message("system", "Be brief."),
        Message("user", "Hello."),
        Message("assistant", "Hi."),
        Message("user", ASKED),
    )
    assert classify(ASKED, Generated(reply)) == wanted, what
    assert classify(chat, Generated(reply)) == wanted, what


@pytest.mark.parametrize(
    ("reply", "wanted"),
    [
        (RequestError("timeout", "no answer in 60 s"), "failed"),
        (Chosen((-0.1, -2.0)), "answer"),
        (Generated("", finish="withheld"), "withheld"),
        (Generated(" \n", finish="withheld", withheld="provider: SAFETY"), "withheld"),
        (Generated("Small groups.", finish="withheld", withheld="provider: SAFETY"), "answer"),
        (Generated("I won't.", withheld="model: refusal"), "answer"),
        (Generated("Small groups, a warm pool and", finish="length"), "cut_off"),
        (Generated("", finish="length"), "empty"),
        (Generated(ASKED, finish="length"), "echo"),
        (Generated("yes " * 64, finish="length"), "babble"),
    ],
)
def test_how_a_reply_ended_counts_where_nothing_worse_is_true(
    reply: Generated | Chosen | RequestError, wanted: Answered
) -> None:
    """The first of the module's order is said."""
    assert classify(ASKED, reply) == wanted


@pytest.mark.parametrize("prompt", ["", (), (Message("system", "Be brief."),), "?"])
def test_a_prompt_without_words_has_no_echo(prompt: Prompt) -> None:
    """Nothing can't be repeated."""
    assert classify(prompt, Generated("Small groups.")) == "answer"
    assert classify(prompt, Generated("?")) == "babble"


@pytest.mark.parametrize(
    "piece", ["a", " ", "\u200b", "ab ", "<|", "<|x|>", "</s", "[INST", "好", "\ud800", "a-", f"{ASKED} "]
)
def test_a_megabyte_costs_what_a_page_does(piece: str) -> None:
    """Whatever it is made of, in the reply and in the prompt."""
    text = piece * (1_000_000 // len(piece))
    started = time.process_time()
    assert classify(text, Generated(text)) in ("answer", "echo", "babble", "empty")
    assert time.process_time() - started < 1.0


def test_no_module_of_judges_hides_a_behaviour() -> None:
    """`alignsuite.judges.answered` is a behaviour; a module of its name would take its place once it is imported."""
    assert not {file.stem for file in Path(judges.__file__).parent.iterdir()} & set(judges.__all__)
