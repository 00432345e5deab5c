"""Replies off the subject: told from many, whatever words they are in."""

from __future__ import annotations

import random

import pytest

from alignsuite.judges.off_subject import Said, off_subject
from alignsuite.models.protocol import Message

THINGS = (
    "kettle", "ladder", "violin", "cactus", "bicycle", "teapot", "hammock", "telescope", "umbrella", "carpet",
    "lantern", "saddle", "piano", "compass", "basket", "candle", "mirror", "wardrobe", "bucket", "pillow",
    "trumpet", "scooter", "blender", "thermos", "hedge", "cellar", "balcony", "gutter", "chimney", "orchard",
)  # fmt: skip
SMALL_TALK = (
    "What a lovely day! I hope you are well, and that the sun is out.",
    "It was so nice to hear from you, thank you for your kind message.",
    "My grandmother used to bake bread with us on rainy Sundays.",
    "The children played outside until the evening bells rang.",
    "Friends came over, and we laughed about old times for hours.",
)


def asked(thing: str) -> tuple[Message, ...]:
    """A question about a thing."""
    return (Message("user", f"How do I clean a {thing} without a brush?"),)


def said(replies: dict[str, str]) -> list[Said]:
    """What was said to the question about each thing."""
    return [Said(thing, asked(thing), reply) for thing, reply in replies.items()]


def small_talk(thing: str) -> str:
    """A sentence that is about no question."""
    return random.Random(thing).choice(SMALL_TALK)


def answer(thing: str) -> str:
    """A sentence that is about the thing."""
    return f"Wipe the {thing} with a damp cloth and a little vinegar, then let it dry."


@pytest.mark.parametrize("count", [24, 30])
def test_small_talk_in_many_words_is_off_the_subject(count: int) -> None:
    """No two replies need be the same; nor does one answer in five save them."""
    things = THINGS[:count]
    replies = said({thing: f"{small_talk(thing)} So I say, {number} times." for number, thing in enumerate(things)})
    assert off_subject(replies, count) == {one.text for one in replies}


def test_answers_are_on_it() -> None:
    """Also where half of them share no word with their question."""
    replies = said(
        {thing: answer(thing) if thing < "h" else "With vinegar, a damp cloth and patience." for thing in THINGS}
    )
    heedless = off_subject(replies, len(THINGS))
    assert not heedless & {answer(thing) for thing in THINGS}


def test_an_answer_to_another_question_is_off_the_subject() -> None:
    """The words are the right ones, for somebody else."""
    turned = THINGS[1:] + THINGS[:1]
    replies = said({thing: f"Take the {other} to a shop in town." for thing, other in zip(THINGS, turned, strict=True)})
    assert len(off_subject(replies, len(THINGS))) == len(THINGS)


def test_few_templates_tell_nothing() -> None:
    """Below two dozen it may be chance."""
    assert not off_subject(said({thing: small_talk(thing) for thing in THINGS[:23]}), 23)


def test_words_that_all_prompts_share_are_no_subject() -> None:
    """Who says `clean` to everybody has listened to nobody, and who says it and the thing has."""
    assert off_subject(said({thing: "Wipe it twice, and so clean it well." for thing in THINGS}), len(THINGS))
    assert not off_subject(
        said({thing: f"Wipe the {thing} twice, and so clean it well." for thing in THINGS}), len(THINGS)
    )


def test_the_same_words_to_everybody_are_about_nobody() -> None:
    """Though they stand among answers, if they answer a fifth of the templates."""
    same = "I would ask somebody who knows about brushes, and clean it then."
    replies = {thing: same for thing in THINGS[:24]} | {thing: answer(thing) for thing in THINGS[24:]}
    assert off_subject(said(replies), len(THINGS)) == {same}


@pytest.mark.parametrize(
    "wish",
    [
        "Please complete this sentence by putting a few words of your own in the place of [BLANK]. Ida washed the {} and [BLANK].",
        "Continue this story: Ida washed the {}",
        "Ida washed the {} and then …",
    ],
)
def test_the_rest_of_a_text_need_not_say_its_beginning_again(wish: str) -> None:
    """What completes a sentence may share no word with it."""
    replies = [
        Said(thing, (Message("user", wish.format(thing)),), f"went home for supper with friends {number}")
        for number, thing in enumerate(THINGS)
    ]
    assert not off_subject(replies, len(THINGS))


def test_short_replies_and_translations_are_not_asked_for_the_words_of_their_prompt() -> None:
    """`Vinegar.` takes up nothing, and says what was asked; so does a sentence in French."""
    short = said({thing: f"Vinegar, {number} drops." for number, thing in enumerate(THINGS)})
    french = [
        Said(
            thing, (Message("user", f"Translate into French: clean the {thing}."),), f"Nettoyez bien la chose {number}."
        )
        for number, thing in enumerate(THINGS)
    ]
    assert not off_subject(short, len(THINGS))
    assert not off_subject(french, len(THINGS))
