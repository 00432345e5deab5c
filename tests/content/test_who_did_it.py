"""Who did it?: twins that differ in one told sentence, balanced so that neither place, form, person nor hearsay gives an answer away."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from pathlib import Path

import pytest

from alignsuite.claims.ambiguity_pairs import PLACES
from alignsuite.prompt_sets.load import LoadedSet, load_set
from alignsuite.prompt_sets.render import render_cases
from alignsuite.prompt_sets.schema import Template

FOLDERS = (Path(__file__).resolve().parents[2] / "prompts",)
NAME = "fairness/who_did_it"
AXES = {"age", "class", "disability", "ethnicity", "gender", "nationality", "religion", "sexual_orientation"}
GRAPHIC = re.compile(
    r"(?i)\b(kill\w*|murder\w*|rap(e|ed|ist)|blood\w*|corpse|terror\w*|bomb\w*|gun|guns|shot|stab\w*|naked|sexual\w*|slut|whore|bastard|idiot|stupid"
    r"|retard\w*|cripple\w*|negro|gyps\w*|faggot|dyke)\b"
)


@pytest.fixture(scope="module")
def loaded() -> LoadedSet:
    """The shipped set."""
    return load_set(NAME, FOLDERS)


@pytest.fixture(scope="module")
def scenes(loaded: LoadedSet) -> dict[str, dict[tuple[str, str], Template]]:
    """Scene → (what it asks, context) → question."""
    out: dict[str, dict[tuple[str, str], Template]] = defaultdict(dict)
    for template in loaded.spec.templates:
        out[template.fields["scene"]][template.fields["asks"], template.fields["context"]] = template
    return out


Scenes = dict[str, dict[tuple[str, str], Template]]


def options(template: Template) -> list[str]:
    """As written."""
    assert template.options is not None
    return template.options


def points_to(template: Template) -> str:
    """The option that the stereotype points to."""
    return options(template)[PLACES.index(template.fields["stereotyped"])]


def opens(questions: dict[tuple[str, str], Template]) -> str:
    """The option that says that the text does not tell."""
    answer = questions["negative", "ambiguous"].answer
    assert answer is not None
    return answer


def people(questions: dict[tuple[str, str], Template]) -> list[str]:
    """The two, in the order of the options."""
    return [option for option in options(questions["negative", "told"]) if option != opens(questions)]


def test_there_are_enough_questions_on_every_axis(loaded: LoadedSet, scenes: Scenes) -> None:
    """A hundred and twenty that the text does not answer, on eight axes or more, no axis with more than another."""
    contexts = Counter(template.fields["context"] for template in loaded.spec.templates)
    assert contexts["ambiguous"] == contexts["told"] >= 120
    axes = Counter(one["negative", "told"].fields["axis_of_identity"] for one in scenes.values())
    assert set(axes) == AXES
    assert len(set(axes.values())) == 1


def test_every_scene_asks_both_ways_in_both_contexts(scenes: Scenes) -> None:
    """Four questions with the same options: so half of all questions are negative, half positive."""
    for name, questions in scenes.items():
        assert len(questions) == 4, name
        assert len({tuple(options(one)) for one in questions.values()}) == 1, name
        assert all(
            one.fields["axis_of_identity"] == questions["negative", "told"].fields["axis_of_identity"]
            for one in questions.values()
        )


def test_a_twin_is_told_one_sentence_or_two_more(scenes: Scenes) -> None:
    """The story and the question stand in both, word for word; what is told stands between them and names both people."""
    for name, questions in scenes.items():
        facts = set()
        for asks in ("negative", "positive"):
            short, long = (questions[asks, context].fields["text"] for context in ("ambiguous", "told"))
            question = re.split(r"(?<=[.]) ", short)[-1]
            story = short.removesuffix(question)
            assert question.endswith("?"), name
            assert long.startswith(story), name
            assert long.endswith(question), name
            facts.add(long.removeprefix(story).removesuffix(question).strip())
        (fact,) = facts
        assert 1 <= len(re.findall(r"[.]( |$)", fact)) <= 2, name
        for person in people(questions):
            known = person.removeprefix("the ").lower().removesuffix(" driver")
            assert known in fact.lower(), (name, person)


def test_both_people_stand_in_the_story(scenes: Scenes) -> None:
    """In the words of the options; the stereotyped one comes first in about half of them."""
    first = 0
    for name, questions in scenes.items():
        text = questions["negative", "ambiguous"].fields["text"].lower()
        places = {person: text.find(person.removeprefix("the ").lower()) for person in people(questions)}
        assert all(place >= 0 for place in places.values()), name
        first += min(places, key=lambda person: places[person]) == points_to(questions["negative", "ambiguous"])
    assert 0.4 <= first / len(scenes) <= 0.6


def test_the_two_questions_of_a_scene_point_to_different_people(scenes: Scenes) -> None:
    """Whoever always names the same person comes out even."""
    for name, questions in scenes.items():
        for context in ("ambiguous", "told"):
            both = {points_to(questions[asks, context]) for asks in ("negative", "positive")}
            assert both == set(people(questions)), name


def test_what_is_told_bears_the_stereotype_out_in_half_of_each_axis(scenes: Scenes) -> None:
    """So following it is right half of the time, and so is contradicting it."""
    with_it: dict[str, list[bool]] = defaultdict(list)
    for questions in scenes.values():
        borne_out = {points_to(one) == one.answer for (_, context), one in questions.items() if context == "told"}
        assert len(borne_out) == 1
        with_it[questions["negative", "told"].fields["axis_of_identity"]] += borne_out
    assert {axis: sum(some) * 2 == len(some) for axis, some in with_it.items()} == dict.fromkeys(AXES, True)


def test_place_gives_nothing_away(loaded: LoadedSet, scenes: Scenes) -> None:
    """As asked every option stands everywhere equally often; as written the third option does so within a few."""
    places = Counter(case.order.index(case.answer or 0) for case in render_cases(loaded))
    assert len(set(places.values())) == 1
    written = Counter(options(questions["negative", "told"]).index(opens(questions)) for questions in scenes.values())
    assert max(written.values()) - min(written.values()) <= 2
    earlier = sum(people(questions)[0] == points_to(questions["negative", "told"]) for questions in scenes.values())
    assert 0.4 <= earlier / len(scenes) <= 0.6


def test_the_order_of_options_follows_nothing_else(scenes: Scenes) -> None:
    """Of the scenes in which the stereotyped person is named first, the option stands first in about half; so too of those told for it."""
    together, told_so = 0, 0
    for questions in scenes.values():
        open_one, told = questions["negative", "ambiguous"], questions["negative", "told"]
        text, two = open_one.fields["text"].lower(), people(questions)
        first_said = min(two, key=lambda person: text.find(person.removeprefix("the ").lower()))
        together += (first_said == points_to(open_one)) == (two[0] == points_to(open_one))
        told_so += (told.answer == points_to(told)) == (two[0] == points_to(told))
    assert 0.35 <= together / len(scenes) <= 0.65
    assert 0.35 <= told_so / len(scenes) <= 0.65


def test_the_open_answer_cannot_be_found_by_its_form(scenes: Scenes) -> None:
    """A dozen wordings, none frequent; sometimes the longest option and sometimes not, sometimes with an article and sometimes not."""
    wordings = Counter(opens(questions) for questions in scenes.values())
    assert len(wordings) >= 12
    assert max(wordings.values()) <= 0.1 * len(scenes)
    longest = sum(max(options(one["negative", "told"]), key=len) == opens(one) for one in scenes.values())
    shortest = sum(min(options(one["negative", "told"]), key=len) == opens(one) for one in scenes.values())
    assert longest / len(scenes) <= 0.6
    assert shortest / len(scenes) <= 0.6
    assert {wording.startswith("the ") for wording in wordings} == {True, False}


def test_nothing_is_graphic_or_insulting(loaded: LoadedSet) -> None:
    """The deeds are those of everyday life."""
    for template in loaded.spec.templates:
        assert GRAPHIC.search(" ".join([template.fields["text"], *options(template)])) is None, template.id


def test_the_question_comes_after_all_else(loaded: LoadedSet) -> None:
    """Both forms end with the options, or with the place for the letter; story and question stand before them."""
    for case in render_cases(loaded):
        assert case.marks == ("A", "B", "C")
        shown = "\n".join(f"{mark}. {option}" for mark, option in zip(case.marks, case.options, strict=True))
        assert case.text("chat").endswith(f"{case.labels['text']}\n\n{shown}")
        assert case.text("raw").endswith(f"{case.labels['text']}\n\n{shown}\n\nAnswer:")
