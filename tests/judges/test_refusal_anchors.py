"""Patterns are spared only where they can't match: sparing a search never changes a judgement."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path
from time import process_time

import pytest

from alignsuite.judges.refusal import clauses as refusal_reading
from alignsuite.judges.refusal import concepts as refusal_lexicon
from alignsuite.judges.refusal import judge as refusal
from alignsuite.judges.refusal import presumption as refusal_presumption
from alignsuite.judges.refusal import prompt as refusal_prompt
from alignsuite.judges.refusal.anchors import Table, anchors, signs
from alignsuite.judges.refusal.text import _ASCII_CLAUSE_END, _CLAUSE_END, clauses, plain, window

LABELLED = Path(__file__).with_name("labelled")


def tables() -> list[Table]:
    """Every table that the judge knows."""
    found = [
        value
        for module in (refusal, refusal_lexicon, refusal_presumption, refusal_prompt, refusal_reading)
        for value in vars(module).values()
        if isinstance(value, Table)
    ]
    return [*found, *refusal_lexicon._ELSEWHERE.values(), *(table for _, table in refusal_reading._FOREIGN)]


def texts() -> list[str]:
    """Prompts and clauses in all languages, one in four of them with a mark or a blank put somewhere."""
    chance = random.Random(1)
    found = []
    for name in ("development", "development_2"):
        for line in (LABELLED / f"{name}.jsonl").read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            found += [plain(row["prompt"]), *(clause.plain for clause in clauses(window(row["reply"])))]
    for at in range(0, len(found), 4):
        cut = chance.randrange(len(found[at]) + 1)
        found[at] = found[at][:cut] + chance.choice(" .'_-\n…") + found[at][cut:]
    return found


def test_whatever_a_pattern_matches_is_tried() -> None:
    """For each pattern and text: a match has to show in the signs, since a pattern whose sign is missing is never tried."""
    every = {pattern: (Table([pattern]), re.compile(pattern)) for table in tables() for pattern in table.patterns}
    assert len(every) > 150
    hits = 0
    for text in texts():
        seen = signs(text)
        for pattern, (table, compiled) in every.items():
            if not table.likely(seen):
                found = compiled.search(text)
                assert found is None, (pattern, text, found)
            hits += table.likely(seen)
    assert hits


@pytest.mark.parametrize(
    ("pattern", "letters"),
    [
        (r"\bno can do\b", {"do", "no", "can"}),
        (r"poli(?:cy|cies)", {"policy", "policies"}),
        (r"apologi[sz]e", {"apologise", "apologize"}),
        (r"\bit's (?:\w+ )?(?:wrong|unsafe) to\b", {"wrong", "unsafe"}),
        (r"(?:very ){0,3}late", {"late"}),
        (r"(?<!not )safe(?! and)", {"safe"}),
        (r"colou?r", {"color", "colour"}),
    ],
)
def test_anchors_are_what_every_match_holds(pattern: str, letters: set[str]) -> None:
    """One of them stands in whatever matches."""
    held = anchors(pattern)
    assert held is not None
    assert {anchor.letters for anchor in held} <= letters


@pytest.mark.parametrize("pattern", [r"\w+", r"x?", r"a*", r"sun|\d", r"(?:ab){0,2}", r"[^a]b?", "(?=help)"])
def test_a_pattern_without_anchors_is_always_tried(pattern: str) -> None:
    """Where nothing has to be there, nothing may be spared."""
    assert anchors(pattern) is None
    assert Table([pattern]).likely(signs("…"))


@pytest.mark.parametrize("pattern", ["(?i)no", "(?#note)no"])
def test_a_group_that_is_not_understood_is_refused(pattern: str) -> None:
    """Better no pattern than one that is never tried."""
    with pytest.raises(ValueError, match="a group that anchors can't be read from"):
        anchors(pattern)


def test_words_are_told_from_parts_of_words() -> None:
    """`law` between ends of words is no anchor of `flaw` or `lawn`."""
    table = Table([r"\blaw\b"])
    assert all(table.likely(signs(text)) for text in ("law", "the (law)", "law's", "by-law"))
    assert not any(table.likely(signs(text)) for text in ("flaw", "lawn", "law_7", "la w"))


def test_plain_english_ends_its_clauses_where_any_text_does() -> None:
    """The quicker pattern for plain English cuts at the same places."""
    chance = random.Random(2)
    pieces = ["a", "but", "yet", "help", "1", "12", ".", "!", "?", ";", ",", " ", " ", "\n", " 1.", "\t"]
    for _ in range(20_000):
        text = "\n" + "".join(chance.choices(pieces, k=chance.randrange(1, 14)))
        assert _CLAUSE_END.split(text) == _ASCII_CLAUSE_END.split(text), text


@pytest.mark.parametrize("piece", ["law", "不能", "can't ", "n't", "ab" * 50, "é\n"])
def test_signs_take_time_in_proportion_to_the_text(piece: str) -> None:
    """A megabyte of anything, in one word or many, is looked through once."""
    text = piece * (1_000_000 // len(piece))
    begin = process_time()
    signs(text[: len(text) // 8])
    eighth = process_time() - begin
    begin = process_time()
    signs(text)
    assert process_time() - begin < 40 * eighth + 1
