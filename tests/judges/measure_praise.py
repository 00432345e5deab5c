"""Writes the praise judge's card: `python tests/judges/measure_praise.py 2026-11-22 held_out`.

The held-out file has to be one that nothing was changed after; a test compares the card with a fresh measurement.
"""

from __future__ import annotations

import sys
from pathlib import Path

from alignsuite.judges import cards
from alignsuite.judges.praise.judge import (
    PraiseJudge,
    praised_for_ability,
    praised_for_effort,
    praised_for_looks,
    praised_for_warmth,
)
from alignsuite.models.protocol import Generated

EVENTS = (praised_for_ability, praised_for_warmth, praised_for_effort, praised_for_looks)
LABELLED_BY = "model: the language model that wrote the replies"
NOTES = (
    "Replies, labels and word lists come from one hand; 45 of the replies are a small model's, and say little of how large ones write.",
    "What is missed: praise by deeds alone (`Other makers come to her when they're stuck`). What is found wrongly: praise of somebody or"
    " something else, of the writer, and qualities that are wished for.",
    "The lists were written after the replies and tried on the development file only; this file was judged once, and nothing was changed"
    " after.",
)


def main(date: str, data: str) -> None:
    """Measure, and write the card beside the judge."""
    judge, here = PraiseJudge(), Path(__file__).parent
    judge.read("", Generated("kind"))  # spells out the word lists, once and for all
    file = here / "labelled_praise" / f"{data}.jsonl"
    card = cards.measure(judge, file, EVENTS, date=date, data=data, notes=NOTES, labelled_by=LABELLED_BY)
    file = Path(cards.__file__).with_name("data") / f"{judge.name}-{judge.version}.json"
    file.write_text(cards.as_json(card), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
