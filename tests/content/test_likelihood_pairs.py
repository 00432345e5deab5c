"""Likelihood pairs: two openings that differ in one word or phrase for a group, and two ends that either could have."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from alignsuite.models.protocol import Choose
from alignsuite.prompt_sets.load import LoadedSet, load_set
from alignsuite.prompt_sets.render import render_cases
from alignsuite.prompt_sets.schema import Template

FOLDERS = (Path(__file__).resolve().parents[2] / "prompts",)
NAME = "fairness/likelihood_pairs"
AXES = {"age", "class", "disability", "ethnicity", "gender", "nationality", "religion", "sexual_orientation"}
SLURS = re.compile(
    r"(?i)\b(kill\w*|murder\w*|rap(e|ed|ist)|terror\w*|bomb\w*|slut|whore|bastard|idiot|stupid|retard\w*|cripple\w*|negro|gyps\w*|faggot|dyke"
    r"|queer|tranny|paki|chink|savage|vermin)\b"
)


@pytest.fixture(scope="module")
def loaded() -> LoadedSet:
    """The shipped set."""
    return load_set(NAME, FOLDERS)


def ends(template: Template) -> tuple[str, str]:
    """The stereotyped end and the other."""
    assert template.options is not None
    stereotyped, other = template.options
    return stereotyped, other


def difference(template: Template) -> tuple[list[str], list[str], int]:
    """The words in which the two openings differ, and how many they share."""
    a, b = (template.fields[name].split() for name in ("opening", "counterpart"))
    head = 0
    while a[head] == b[head]:
        head += 1
    tail = 0
    while a[-1 - tail] == b[-1 - tail] and tail < min(len(a), len(b)) - head - 1:
        tail += 1
    return a[head : len(a) - tail], b[head : len(b) - tail], head + tail


def test_there_are_two_hundred_pairs_on_eight_axes(loaded: LoadedSet) -> None:
    """As many on each."""
    axes = Counter(template.fields["axis_of_identity"] for template in loaded.spec.templates)
    assert set(axes) == AXES
    assert len(set(axes.values())) == 1
    assert sum(axes.values()) >= 200


def test_openings_differ_in_one_phrase_and_share_the_rest(loaded: LoadedSet) -> None:
    """One run of at most five words on either side, early in the sentence; two words at least are shared, most of them behind it."""
    for template in loaded.spec.templates:
        about, other, shared = difference(template)
        assert 1 <= len(about) <= 5, template.id
        assert 1 <= len(other) <= 5, template.id
        assert shared >= 2, template.id


def test_openings_and_pairs_of_ends_are_all_different(loaded: LoadedSet) -> None:
    """A pair that stands twice is counted twice."""
    openings = [template.fields[name] for template in loaded.spec.templates for name in ("opening", "counterpart")]
    assert len(set(openings)) == len(openings)
    both = [ends(template) for template in loaded.spec.templates]
    assert len(set(both)) == len(both)


def test_ends_begin_with_different_words(loaded: LoadedSet) -> None:
    """An endpoint that shows first tokens only can tell them apart."""
    for template in loaded.spec.templates:
        first = [re.findall(r"[\w']+", end.lower())[0] for end in ends(template)]
        assert first[0] != first[1], template.id


def test_neither_end_names_a_group_of_the_opening(loaded: LoadedSet) -> None:
    """What is expected of a group is not its name."""
    for template in loaded.spec.templates:
        about, other, _ = difference(template)
        groups = {word.lower() for word in (*about, *other) if len(word) > 3}
        for end in ends(template):
            assert not groups & set(re.findall(r"[\w'-]+", end.lower())), template.id


def test_stereotyped_ends_are_no_longer_than_the_others(loaded: LoadedSet) -> None:
    """Length cancels in the measure; still neither side is the longer in more than 60 %."""
    longer = sum(len(one) > len(other) for one, other in map(ends, loaded.spec.templates))
    shorter = sum(len(one) < len(other) for one, other in map(ends, loaded.spec.templates))
    assert longer <= 0.6 * len(loaded.spec.templates)
    assert shorter <= 0.6 * len(loaded.spec.templates)


def test_openings_stop_where_an_end_can_begin(loaded: LoadedSet) -> None:
    """No full stop, no space, no dots: the end is appended to it."""
    for template in loaded.spec.templates:
        for name in ("opening", "counterpart"):
            assert re.search(r"[\w,:'-]$", template.fields[name]), template.id
            assert not re.search(r"[.!?…]", template.fields[name]), template.id
        for end in ends(template):
            assert re.search(r"\w$", end), template.id


def test_nothing_is_insulting(loaded: LoadedSet) -> None:
    """Kind and unkind hearsay, but no slurs and no violence."""
    for template in loaded.spec.templates:
        assert SLURS.search(" ".join([template.fields["opening"], *ends(template)])) is None, template.id


def test_both_ends_are_scored_after_both_openings(loaded: LoadedSet) -> None:
    """Four likelihoods a pair, from two requests with the same options; base models get nothing but the sentence."""
    by_template: dict[str, list[Choose]] = {}
    for case in render_cases(loaded):
        request = case.request("raw")
        assert isinstance(request, Choose)
        by_template.setdefault(case.template, []).append(request)
    for template in loaded.spec.templates:
        requests = by_template[template.id]
        assert {request.prompt for request in requests} == {template.fields["opening"], template.fields["counterpart"]}
        assert {request.options for request in requests} == {tuple(f" {end}" for end in ends(template))}
