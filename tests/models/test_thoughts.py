"""Thoughts are parted from replies in every manner that models and servers have, and from no text that is only about them."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alignsuite.models.protocol import Choose, Chosen, Generate, Generated
from alignsuite.models.thoughts import (
    as_seen,
    kept_specials,
    mentions,
    only_thought,
    opening,
    part,
    parted,
    why_only_thought,
)

SAID, THOUGHT = "Mulch the bed, then wait two weeks.", "I can't help. Hmm, it is only a garden."
FORMS = {
    "think": "<think>\n{}\n</think>\n\n",
    "one line": "<think>{}</think>",
    "spaces": "<think> {} </think> ",
    "thinking": "<thinking>{}</thinking>\n",
    "thought": "<thought>\n{}\n</thought>\n\n",
    "reasoning": "<reasoning>\n{}\n</reasoning>\n",
    "upper case": "<THINK>{}</THINK>\n",
    "seed": "<seed:think>{}</seed:think>",
    "minimax": "<mm:think>{}</mm:think>\n",
    "longcat": "<longcat_think>\n{}\n</longcat_think>\n",
    "mistral": "[THINK]{}[/THINK]",
    "kimi": "◁think▷{}◁/think▷",
    "open thoughts": "<|begin_of_thought|>\n{}\n<|end_of_thought|>\n",
    "cohere": "<|START_THINKING|>{}<|END_THINKING|>",
    "apertus": "<|inner_prefix|>{}<|inner_suffix|>",
    "gemma": "<|channel>thought\n{}\n<channel|>",
    "medgemma": "<unused94>thought\n{}\n<unused95>",
    "solar": "<|think|>{}<|end|><|begin|>assistant<|content|>",
    "solar, opened by the template": "{}<|end|><|begin|>assistant<|content|>",
    "scratchpad": "<SCRATCHPAD>\n{}\n</SCRATCHPAD>\n",
    "inner monologue": "<inner_monologue>{}</inner_monologue>",
    "think fast": "<think_fast>{}</think_fast>",
    "ant": "<antThinking>{}</antThinking>",
    "apriel": "Here are my reasoning steps:\n{}\n[BEGIN FINAL RESPONSE]\n",
    "apriel, opened by the template": "{}\n[BEGIN FINAL RESPONSE]\n",
    "granite": "Here is my thought process:\n{}\nHere is my response:\n",
    "opened by the template": "{}\n</think>\n\n",
    "opened by the template, one line": "{}</think>",
    "opened by the template, mistral": "{}[/THINK]",
    "harmony": "<|channel|>analysis<|message|>{}<|end|><|start|>assistant<|channel|>final<|message|>",
    "harmony, whole": "<|start|>assistant<|channel|>analysis<|message|>{}<|end|>\n<|start|>assistant<|channel|>final<|message|>",
    "harmony, opened by the template": "{}<|end|><|start|>assistant<|channel|>final<|message|>",
    "harmony, run together": "analysis{}assistantfinal",
    "harmony, run together, opened by the template": "{}assistantfinal",
}


@pytest.mark.parametrize("form", FORMS)
def test_a_thought_stands_apart_in_every_form(form: str) -> None:
    """What a user sees is the answer; what was thought is kept whole."""
    assert part(FORMS[form].format(THOUGHT) + SAID) == (SAID, THOUGHT)


@pytest.mark.parametrize(
    ("text", "said", "thought"),
    [
        ("<think>\n\n</think>\n\nYes.", "Yes.", ""),
        ("</think>\n\nYes.", "Yes.", ""),
        ("<think>one</think>\n<think>two</think>\nYes.", "Yes.", "one\n\ntwo"),
        ("<think>one</think>Yes.\n<think>two</think>\nNo.", "Yes.\n\nNo.", "one\n\ntwo"),
        ("Well.\n<think>\none\n</think>\nYes.", "Well.\n\nYes.", "one"),
        ("<think>\na\n<think>\nb\n</think>\nc\n</think>\nYes.", "Yes.", "a\n<think>\nb\n</think>\nc"),
        ("<thinking>a<reflection>b</reflection>c</thinking>\n<output>Yes.</output>", "Yes.", "a<reflection>b\n\nc"),
        ("<think>a</think><answer>Yes.</answer>", "Yes.", "a"),
        ("<think>a</think>\n\n<response>\nYes.\n</response>", "Yes.", "a"),
        ("a. </think> <answer>Yes.</answer>", "Yes.", "a."),
        ("<|begin_of_thought|>a<|end_of_thought|>\n<|begin_of_solution|>Yes.<|end_of_solution|>", "Yes.", "a"),
        ("<|START_THINKING|>a<|END_THINKING|><|START_RESPONSE|>Yes.<|END_RESPONSE|>", "Yes.", "a"),
        ("<think>The mark `</think>` ends it.\n</think>\nYes.", "Yes.", "The mark `</think>` ends it."),
        ("<think>\n```\n<think>x</think>\n```\nDone.\n</think>\nYes.", "Yes.", "```\n<think>x</think>\n```\nDone."),
        ("<think>\n```\ncode without an end\n</think>\nYes.", "Yes.", "```\ncode without an end"),
        ("<think>The user names <think> here.\n</think>\nYes.", "Yes.", "The user names <think> here."),
    ],
)  # fmt: skip
def test_blocks_may_be_several_nested_empty_and_wrapped(text: str, said: str, thought: str) -> None:
    """All of it was written by models."""
    assert part(text) == (said, thought)


@pytest.mark.parametrize(
    "begun",
    [
        "<think>\n", "<thinking>", "[THINK]", "◁think▷", "<|begin_of_thought|>", "<|START_THINKING|>", "<|channel>thought\n",
        "<seed:think>", "<|channel|>analysis<|message|>", "<|start|>assistant<|channel|>analysis<|message|>",
        "analysis", "<think>one</think>\n<think>",
    ],
)  # fmt: skip
def test_a_thought_without_an_end_is_all_there_is(begun: str) -> None:
    """Cut off by the limit of tokens: nothing was said."""
    said, thought = part(begun + "We have to weigh this. I can't help with")
    assert (said, thought.endswith("We have to weigh this. I can't help with")) == ("", True)


@pytest.mark.parametrize(
    ("text", "said", "thought"),
    [
        ("<|channel|>final<|message|>Yes.<|return|>", "Yes.", ""),
        ("assistantfinalYes.", "Yes.", ""),
        (
            "<|channel|>analysis<|message|>a<|end|><|start|>assistant<|channel|>commentary to=functions.look <|constrain|>json<|message|>{}"
            "<|call|><|start|>assistant<|channel|>final<|message|>Yes.<|return|>", "Yes.", "a\n\n{}",
        ),
        ("<|channel|>commentary<|message|>I refuse.<|end|><|start|>assistant<|channel|>final<|message|>Yes.", "Yes.", "I refuse."),
        ("<|channel|>analysis<|message|>a<|end|><|start|>assistant<|channel|>fin", "", "a"),
        ("<|channel|>analysis<|message|>a<|end|><|start|>assistant<|channel|>commentary<|message|>b", "", "a\n\nb"),
        ("analysisUser asks.assistantcommentaryI refuse.assistantfinalYes.", "Yes.", "User asks.\n\nI refuse."),
        ("analysiswe go on.assistantfinalfour", "four", "we go on."),
        ("analysisWe think and are cut", "", "We think and are cut"),
        ('analysisSay "no"assistantfinal"No", he said.', '"No", he said.', 'Say "no"'),
    ],
)  # fmt: skip
def test_of_harmonys_channels_the_final_one_is_the_reply(text: str, said: str, thought: str) -> None:
    """With markers and without, one channel or several, ended or cut."""
    assert part(text) == (said, thought)


@pytest.mark.parametrize(
    "text",
    [
        "Put your reasoning between <think> and </think>, then answer.",
        "The template ends with </think>\nThen comes the answer.",
        "You forgot to close it (</think>), so the parser waits.",
        "Write `<think>` first.\nThen write `</think>`.",
        "`<think>a</think>` is how a thought looks.",
        "Models such as this one write\n```\n<think>\nreasoning\n</think>\nanswer\n```\nand servers part it.",
        "Try this:\n\n~~~xml\n<think>a</think>\n~~~\n",
        'He returned {"text": "<think>", "end": "</think>"} and no more.',
        "In XML:\n<item>\n<reasoning>\nIt rained.\n</reasoning>\n</item>",
        "It is written <think>so</think> within a line.",
        "A tag such as\n<think>\nmust be closed.",
        "Use [THINK] and [/THINK] with that model.",
        "analysis of variance compares means.", "Analysis: it depends.", "analysisResult = 3", "analysisResult.map(show)",
        "analysis, in short", "commentary: a fine match", "assistants are helpful", "assistant: hello",
        "The string assistantfinal appears where markers are dropped.",
        "def assistantfinalize(x): ...",
        "Harmony writes `<|channel|>final<|message|>` before an answer.",
        "Here is my thought process: first I look at the leaves.",
        "1 < 2, and a <b>bold</b> word", "", " \n", "think", "<thin",
    ],
)  # fmt: skip
def test_a_text_about_thoughts_is_left_as_it_is(text: str) -> None:
    """In code, in quotation marks, within a sentence, or in other words altogether."""
    assert part(text) == (text, "")


@pytest.mark.parametrize("heading", ["Here is my thought process:", "Here are my reasoning steps:\n"])
def test_a_heading_of_thought_opens_one_where_the_limit_cut_it(heading: str) -> None:
    """A whole reply under that heading may be the very answer; a cut one never came to its answer."""
    text = f"{heading}The user asks how to weed. I could refuse."
    assert parted(Generated(text, "length")).text == ""
    assert parted(Generated(text, "stop")).text == text
    ended = f"{text}\n[BEGIN FINAL RESPONSE]\nBy hand.\n[END FINAL RESPONSE]\n<|end|>"
    assert parted(Generated(ended)).text == "By hand."
    assert opening(f"<|user|>Weed?<|assistant|>\n{heading}", "Weed?").strip() == heading.strip()
    assert mentions(f"… {heading} …")


ALOUD = [
    "Okay, the user is asking how to weed. I should",
    "Alright, so I need to figure out how to weed a garden",
    "Hmm, I'm trying to see why one would",
    "The user wants help with weeds. Potentially harmful",
    "The user's question is about weeds",
    "User asks: how do I weed? We can",
    "We need to answer: how to weed. No policy",
    "好的，用户问如何除草。我",
    "嗯，我需要先想",
]


@pytest.mark.parametrize("text", ALOUD)
def test_a_cut_text_that_thinks_aloud_is_no_reply(text: str) -> None:
    """A server without a parser sends what the template opened with no mark at all; where it is whole, its writer meant it so."""
    seen = parted(Generated(text, "length"))
    assert (seen.text, seen.thought) == ("", text)
    assert only_thought(seen)
    assert parted(Generated(text)).text == text


@pytest.mark.parametrize(
    "text",
    [
        "Okay, here is how to weed: first",
        "Users ask that a lot. Pull them",
        "The user interface has a button",
        "We need to weed the garden by hand, and",
        "We should water it",
        "I need to be honest: I can't help with",
        "So I went to the garden and",
        "Hmm, that is a good question. Pull",
        "The users want",
        "Okay, I can help you with that. Fir",
        "Alright, I will",
        "好的，除草要",
        "Sure! The user wants",
    ],
)
def test_a_cut_reply_that_only_begins_like_one_is_left_alone(text: str) -> None:
    """Most replies are cut at 64 tokens, and are judged."""
    assert parted(Generated(text, "length")).text == text


def test_a_heading_of_a_reply_that_is_spoken_of_parts_nothing() -> None:
    """In a sentence it is a word as any other."""
    text = "Such models write [BEGIN FINAL RESPONSE] before they answer. Here is my response: no."
    assert part(text) == (text, "")


def test_an_answer_about_tags_behind_a_thought_stays_whole() -> None:
    """A model that thinks may be asked about thinking."""
    answer = "Use the tag <think> like this:\n```\n<think>\nreasoning\n</think>\n```\nand close it with </think> again."
    assert part(f"<think>\nTags.\n</think>\n\n{answer}") == (answer, "Tags.")
    assert part(f"Tags.\n</think>\n\n{answer}") == (answer, "Tags.")
    assert part(f"<|channel|>analysis<|message|>Tags.<|end|><|start|>assistant<|channel|>final<|message|>{answer}") == (
        answer,
        "Tags.",
    )


_WORDS = st.sampled_from(
    [
        "<think>", "</think>", "<thinking>", "</thinking>", "<reason>", "</reason>", "[THINK]", "[/THINK]", "◁think▷", "◁/think▷", "\n",
        " ", "`", "```\n", "\n```\n", '"', "yes", "No.", "héllo", "analysis", "assistantfinal", "assistantcommentary",
        "<|channel|>", "final",
        "<|message|>", "<|end|>", "<|start|>assistant", "<|return|>", "<answer>", "</answer>", "<|channel>thought\n", "<channel|>", "x",
        "Here is my thought process:", "Here is my response:", "\u2028", "\r\n", "<|inner_prefix|>", "<|inner_suffix|>",
    ]
)  # fmt: skip
_MARKS = re.compile(
    r"</?(?:think|thinking|reason|answer)>|\[/?THINK\]|◁/?think▷|<\|channel>thought|<channel\|>|<\|inner_\w+\|>|<\|\w+\|>"
    r"|assistant|analysis|commentary|final|Here is my thought process:|Here is my response:|\s"
)


@given(st.lists(_WORDS, max_size=30).map("".join))
def test_nothing_is_lost_but_marks(text: str) -> None:
    """Text and thought together hold every visible character of the input, apart from the marks themselves."""
    said, thought = part(text)
    assert Counter(_MARKS.sub("", said) + _MARKS.sub("", thought)) == Counter(_MARKS.sub("", text))
    assert len(said) + len(thought) <= len(text) + 2 * len(text)  # a blank line between thoughts is all that comes in


@given(st.text(st.characters(exclude_characters="<[◁"), max_size=200))
def test_a_text_without_marks_comes_back_as_it_was(text: str) -> None:
    """And so does what was said, when it is parted once more."""
    once = part(f"<think>hm</think>{text}").text
    if (
        "assistant" not in text
        and "analysis" not in text
        and "commentary" not in text
        and "thought process" not in text.lower()
    ):
        assert part(text) == (text, "")
        assert part(once) == (once, "")


@pytest.mark.parametrize(
    "hostile",
    [
        "<think>", "</think>", "<think>\n", "</think>\n", "<think>a</think>b", "x\n<think>\n", "```\n<think>\n", "`<think>`",
        "x. </think> ", "<|end|>   ", "<|start|>assistant", "<|channel|>analysis", "<|channel|>analysis<|message|>",
        "analysisWe assistantanalysis", "<",
        "abc:", "Here is my thought process", "x\n<reason>\n", "\u2028", "◁think▷ ",
    ],
)  # fmt: skip
def test_a_megabyte_of_marks_takes_no_longer_than_it_is_long(hostile: str) -> None:
    """Quadratic work over so many would not end in a day."""
    text = hostile * (400_000 // len(hostile))
    said, thought = part(text)
    assert len(said) + len(thought) <= 3 * len(text)


def test_a_thought_that_a_server_set_apart_comes_first() -> None:
    """One field for both, and a reply without a thought is the same object."""
    assert parted(Generated("<think>two</think>Yes.", thought="one")) == Generated("Yes.", thought="one\n\ntwo")
    plain = Generated("Yes.", thought="one")
    assert parted(plain) is plain


def test_a_reply_is_cut_where_its_own_tokens_end() -> None:
    """The allowance is for the thought: who doesn't think says no more than without it."""
    request = Generate("p", max_tokens=10)
    words = "word " * 40
    cut = as_seen(request, Generated(words, completion_tokens=40))
    assert cut == Generated(("word " * 10).rstrip(), finish="length", completion_tokens=40)
    thinking = Generated(f"<think>{words}</think>{words}", completion_tokens=80)
    assert as_seen(request, thinking) == Generated(
        ("word " * 10).rstrip(), finish="length", completion_tokens=80, thought=words.strip()
    )
    short = Generated(f"<think>{words}</think>Yes.", completion_tokens=42)
    assert as_seen(request, short) == Generated("Yes.", completion_tokens=42, thought=words.strip())
    assert as_seen(request, Generated(words, completion_tokens=10)) == Generated(words, completion_tokens=10)
    hidden = Generated("Yes, that is so.", completion_tokens=900)  # the server counts reasoning that it doesn't show
    assert as_seen(request, hidden) == hidden
    withheld = Generated(words, finish="withheld", completion_tokens=40)
    assert as_seen(request, withheld) == replace(withheld, text=cut.text)  # type: ignore[union-attr]
    choice = Chosen((-1.0, -2.0))
    assert as_seen(Choose("p", ("a", "b")), choice) is choice


def test_a_thought_alone_is_no_reply_and_says_what_gives_it_room() -> None:
    """But silence is none, and what a provider kept back is withheld."""
    thought = Generated("", finish="length", thought="Hm.", completion_tokens=64)
    assert only_thought(thought)
    assert "64 tokens of reasoning used up the limit" in why_only_thought(thought)
    assert "--align-thinking-tokens" in why_only_thought(thought)
    assert "ended without an answer" in why_only_thought(replace(thought, finish="stop"))
    for other in (Generated(""), Generated("Yes.", thought="Hm."), replace(thought, finish="withheld"), Chosen((0.0,))):
        assert not only_thought(other)


def test_a_template_that_opens_a_thought_is_seen_and_a_users_words_are_not() -> None:
    """Only what stands behind the last message counts."""
    assert opening("<u>Hi<a><think>\n", "Hi") == "<think>\n"
    assert opening("<u>Hi</u>[THINK]", " Hi ") == "[THINK]"
    assert opening("<u>Hi<|start|>assistant<|channel|>analysis<|message|>", "Hi").endswith("analysis<|message|>")
    for closed in ("<u>Hi<a><think>\n\n</think>\n\n", "<u>Hi<a>", "Hi <think>"):
        assert opening(closed, "Hi <think>" if closed.endswith("<think>") else "Hi") == ""


@pytest.mark.parametrize("last", ["hi", "think", "<", ">", "think>", "", "What is <think>"])
def test_a_short_message_hides_no_mark_of_the_template(last: str) -> None:
    """Its letters may stand in the mark itself."""
    assert opening(f"<|user|>{last}<|assistant|>\n<think>\n", last) == "<think>\n"
    assert opening(f"{last}<think>", last) == "<think>"


def test_special_tokens_that_mark_thoughts_are_kept() -> None:
    """`<|end|>` marks one only where there are channels: elsewhere it ends a turn."""
    assert kept_specials(["<s>", "[THINK]", "[/THINK]", "<|end|>", "[INST]"]) == ["[THINK]", "[/THINK]"]
    assert kept_specials(["<|end|>", "<|channel|>", "<|im_end|>"]) == ["<|end|>", "<|channel|>"]
    assert kept_specials(["<|channel>", "<channel|>", "<|turn>"]) == ["<|channel>", "<channel|>"]
