"""The behaviour scenes: as many of each kind, and nothing but the scene tells which option is the decent one."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from alignsuite.prompt_sets.load import LoadedSet, load_set
from alignsuite.prompt_sets.render import Case, render_cases
from alignsuite.prompt_sets.schema import Template

FOLDERS = (Path(__file__).resolve().parents[2] / "prompts",)
NAME = "psychological/hard_choices"
KINDS = {"manipulation", "vulnerable_user", "credit", "retaliation"}
# Words that judge. An option that holds one could be told without its scene.
JUDGING = re.compile(
    r"(?i)\b(honest\w*|truth\w*|true|lie|lies|lying|fair\w*|unfair\w*|kind|kindly|unkind|cruel\w*|cheat\w*|admit\w*|apologi\w+|sorry|respect\w*"
    r"|trust\w*|secret\w*|quietly|pretend\w*|blam\w+|revenge|deserv\w*|steal\w*|trick\w*|deceiv\w*|manipulat\w*|exploit\w*|harm\w*|help\w*|care"
    r"|caring|gentl\w+|generous\w*|selfish\w*|credit\w*|thank\w*|right|wrong|good|bad|proper\w*|moral\w*|ethic\w*|guilt\w*|asham\w+|forgiv\w+"
    r"|punish\w*|hurt\w*|mean|nasty|polite\w*|decent\w*|openly|silently|behind \w+ back)\b"
)


@pytest.fixture(scope="module")
def loaded() -> LoadedSet:
    """The shipped set."""
    return load_set(NAME, FOLDERS)


def pairs(loaded: LoadedSet) -> Iterator[tuple[Template, str, str]]:
    """Each template with its decent option and the other."""
    for template in loaded.spec.templates:
        assert template.options is not None
        assert template.answer in template.options, template.id
        (other,) = (option for option in template.options if option != template.answer)
        yield template, template.answer, other


def words(text: str) -> list[str]:
    """The words of an option, in small letters."""
    return re.findall(r"[a-z']+", text.lower())


def test_there_are_sixteen_scenes_or_more_of_each_kind_and_as_many(loaded: LoadedSet) -> None:
    """Sixty-four at least, and no kind resolves finer than another."""
    counts = Counter(template.fields["kind"] for template in loaded.spec.templates)
    assert set(counts) == KINDS
    assert len(set(counts.values())) == 1
    assert min(counts.values()) >= 16


def test_scenes_and_options_are_all_different(loaded: LoadedSet) -> None:
    """A scene that stands twice is counted twice."""
    scenes = [template.fields["scene"] for template in loaded.spec.templates]
    options = [option for template in loaded.spec.templates for option in template.options or ()]
    assert len(set(scenes)) == len(scenes)
    assert len(set(options)) == len(options)


def test_scenes_speak_to_you(loaded: LoadedSet) -> None:
    """What somebody else should do is an opinion; what you do is behaviour."""
    for template in loaded.spec.templates:
        assert {"you", "your"} & set(words(template.fields["scene"])), template.id


def test_length_gives_nothing_away(loaded: LoadedSet) -> None:
    """The decent option is the longer in at most 60 % of the scenes and the shorter in at most 60 %, and never by much."""
    longer = sum(len(decent) > len(other) for _, decent, other in pairs(loaded))
    shorter = sum(len(decent) < len(other) for _, decent, other in pairs(loaded))
    most = 0.6 * len(loaded.spec.templates)
    assert longer <= most
    assert shorter <= most
    for template, decent, other in pairs(loaded):
        assert abs(len(decent) - len(other)) <= max(8, 0.2 * len(other)), template.id


def test_place_gives_nothing_away(loaded: LoadedSet) -> None:
    """As written the decent option comes first about half of the time; as asked, exactly."""
    first = sum((template.options or [""])[0] == decent for template, decent, _ in pairs(loaded))
    assert 0.4 <= first / len(loaded.spec.templates) <= 0.6
    places = Counter(case.order.index(answer_of(case)) for case in render_cases(loaded))
    assert places[0] == places[1] == len(loaded.spec.templates)


def answer_of(case: Case) -> int:
    """The index of the decent option in the set's own order."""
    assert case.answer is not None
    return case.answer


def test_no_option_holds_a_word_that_judges(loaded: LoadedSet) -> None:
    """Neither praise on the one side nor blame on the other."""
    for template in loaded.spec.templates:
        for option in template.options or ():
            assert JUDGING.search(option) is None, f"{template.id}: {option}"


def test_both_options_begin_alike_in_most_scenes(loaded: LoadedSet) -> None:
    """The same verb, so that tone can't tell."""
    alike = sum(words(decent)[0] == words(other)[0] for _, decent, other in pairs(loaded))
    assert alike / len(loaded.spec.templates) >= 0.75


@pytest.mark.parametrize("size", [1, 2], ids=["words", "pairs-of-words"])
def test_wording_gives_nothing_away(loaded: LoadedSet, size: int) -> None:
    """A reader who has learnt from all other scenes which words decent options hold does no better than chance on the one left out."""
    assert share_guessed(loaded, lambda text: grams(text, size)) <= 0.6


def test_the_guesser_would_notice_a_word_of_the_trade(loaded: LoadedSet) -> None:
    """The check above can fail: a word that half of the decent options share is found out."""

    def marked(text: str) -> set[str]:
        decent = {option for index, (_, option, _) in enumerate(pairs(loaded)) if index % 2}
        return grams(text, 1) | ({"openly"} if text in decent else set())

    assert share_guessed(loaded, marked) > 0.7


def grams(text: str, size: int) -> set[str]:
    """Runs of up to so many words."""
    found = words(text)
    return {" ".join(found[at : at + run]) for run in range(1, size + 1) for at in range(len(found) - run + 1)}


def share_guessed(loaded: LoadedSet, features: Callable[[str], set[str]]) -> float:
    """How often a naive-Bayes reader of options alone finds the decent one, each scene left out in turn; a tie is half."""
    known = [(features(decent), features(other)) for _, decent, other in pairs(loaded)]
    decents, others = (Counter(word for pair in known for word in pair[side]) for side in (0, 1))

    def score(option: set[str], left_out: tuple[set[str], set[str]]) -> float:
        return sum(
            math.log((decents[word] - (word in left_out[0]) + 1) / (others[word] - (word in left_out[1]) + 1))
            for word in sorted(option)
        )

    leads = [score(pair[0], pair) - score(pair[1], pair) for pair in known]
    return sum(1.0 if lead > 1e-9 else 0.5 if lead >= -1e-9 else 0.0 for lead in leads) / len(leads)


def test_both_forms_render_with_scene_and_options(loaded: LoadedSet) -> None:
    """Chat models are asked; base models fill in a notebook. Both read the whole scene and both options."""
    cases = render_cases(loaded)
    assert len(cases) == 2 * len(loaded.spec.templates)
    for case in cases:
        assert case.marks == ("A", "B")
        for form in ("chat", "raw"):
            text = case.text(form)  # type: ignore[arg-type]
            assert case.labels["scene"] in text
            assert f"A. {case.options[0]}\nB. {case.options[1]}" in text
        assert case.text("raw").endswith("My letter:")
