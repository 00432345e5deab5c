"""What perturbations keep and what they change."""

from __future__ import annotations

import re

import pytest

from alignsuite.errors import PromptError
from alignsuite.prompt_sets.perturb import PERTURBATIONS, perturb

TEXTS = [
    "Which animal gives us milk and is kept on farms?",
    "How many legs does a healthy spider have, 6 or 8?",
    "Marisol asked where the river Thames meets the sea. What should she be told?",
    "My neighbour's bicycle has two wheels; how many wheels do 3 bicycles have?",
    "Name the colour of ripe bananas.\nThen say nothing else.",
]
SEEDS = [f"seed {number}" for number in range(25)]


@pytest.mark.parametrize("name", sorted(PERTURBATIONS))
@pytest.mark.parametrize("text", TEXTS)
def test_a_perturbation_changes_the_text_and_does_so_the_same_way_each_time(name: str, text: str) -> None:
    """A variant that equals its reference would test nothing; one that changes from run to run could not be cached."""
    for seed in SEEDS:
        changed = perturb(name, text, seed=seed)
        assert changed != text
        assert changed == perturb(name, text, seed=seed)


@pytest.mark.parametrize("name", sorted(PERTURBATIONS))
@pytest.mark.parametrize("text", TEXTS)
def test_digits_and_line_breaks_stay(name: str, text: str) -> None:
    """A changed number is another question."""
    for seed in SEEDS:
        changed = perturb(name, text, seed=seed)
        assert re.findall(r"\d+", changed) == re.findall(r"\d+", text)
        assert changed.count("\n") == text.count("\n")


@pytest.mark.parametrize("text", TEXTS)
def test_misspell_spares_names_short_words_and_first_letters(text: str) -> None:
    """A misspelt name is another name, and "not" without its n is another question."""
    before = text.split()
    for seed in SEEDS:
        after = perturb("misspell", text, seed=seed).split()
        assert len(after) == len(before)
        for old, new in zip(before, after, strict=True):
            letters = re.sub(r"\W", "", old)
            if not letters.islower() or len(letters) < 4:
                assert new == old
            assert new[0] == old[0]


@pytest.mark.parametrize("text", TEXTS)
def test_misspell_keeps_the_published_rate(text: str) -> None:
    """One slip a sentence, two from ten words on: the rate is part of the claim that the probe makes."""
    for seed in SEEDS:
        changed = perturb("misspell", text, seed=seed)
        for old, new in zip(re.split(r"[.?\n]+", text), re.split(r"[.?\n]+", changed), strict=True):
            slips = sum(a != b for a, b in zip(old.split(), new.split(), strict=True))
            if old.split():
                assert slips == (2 if len(old.split()) >= 10 else 1)


def test_misspell_depends_on_the_seed() -> None:
    """Else every template would get its slip in the same place."""
    assert len({perturb("misspell", TEXTS[0], seed=seed) for seed in SEEDS}) > 10


def test_misspell_never_turns_one_word_of_a_text_into_another() -> None:
    """`form` must not become `from` where the text asks about the difference."""
    for seed in SEEDS:
        words = perturb("misspell", "say form from", seed=seed).split()
        assert words not in (["say", "from", "from"], ["say", "form", "form"])


@pytest.mark.parametrize(("word", "others"), [("country", "county cuntry"), ("three", "there"), ("hoping", "hopping")])
def test_misspell_makes_no_other_common_word(word: str, others: str) -> None:
    """A slip that makes another word asks another question, and a rude one gets another answer."""
    made = {perturb("misspell", word, seed=str(number)) for number in range(300)}
    assert len(made) > 3
    assert made.isdisjoint(others.split())


@pytest.mark.parametrize("word", ["milk", "water", "garden"])
def test_short_words_slip_mildly(word: str) -> None:
    """Four letters are only doubled, five doubled or swapped: a letter less or another letter is soon another word."""
    made = {perturb("misspell", word, seed=str(number)) for number in range(300)}
    assert (min(map(len, made)) < len(word)) == (len(word) > 5)
    assert any(len(one) == len(word) for one in made) == (len(word) > 4)


def test_misspell_leaves_addresses_and_tags_alone() -> None:
    """A web address with a slip leads elsewhere."""
    for seed in SEEDS:
        assert "http://example.org/path" in perturb("misspell", "look at http://example.org/path please", seed=seed)


def test_shout_keeps_the_question_mark() -> None:
    """The question has to stay a question."""
    assert perturb("shout", "Is snow white?", seed="") == "IS SNOW WHITE?"


def test_casual_keeps_acronyms() -> None:
    """`US` in small letters would be another word."""
    assert perturb("casual", "Is NASA part of the US? I wonder!", seed="") == "is NASA part of the US? i wonder"


def test_an_unknown_perturbation_names_the_nearest() -> None:
    """A misspelt `misspell` is the likeliest of all."""
    with pytest.raises(PromptError, match="did you mean `misspell`"):
        perturb("mispell", "anything at all", seed="")


UNCHANGEABLE = [("misspell", "Is it so? No: 12."), ("shout", "STOP"), ("casual", "yes"), ("shout", "今天")]


@pytest.mark.parametrize(("name", "text"), UNCHANGEABLE)
def test_a_text_that_cannot_change_is_an_error(name: str, text: str) -> None:
    """Else a broken variant would always agree with its reference."""
    with pytest.raises(PromptError, match=re.escape(f"`{name}` finds nothing to change")):
        perturb(name, text, seed="")
