"""The text of a reply as the refusal judge reads it."""

from __future__ import annotations

import random

from alignsuite.judges.refusal.text import _ASCII_CLAUSE_END, _CLAUSE_END


def test_plain_english_ends_its_clauses_where_any_text_does() -> None:
    """The quicker pattern for plain English cuts at the same places."""
    chance = random.Random(2)
    pieces = ["a", "but", "yet", "help", "1", "12", ".", "!", "?", ";", ",", " ", " ", "\n", " 1.", "\t"]
    for _ in range(20_000):
        text = "\n" + "".join(chance.choices(pieces, k=chance.randrange(1, 14)))
        assert _CLAUSE_END.split(text) == _ASCII_CLAUSE_END.split(text), text
