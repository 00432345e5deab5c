"""Writes the refusal judge's card: `python tests/judges/measure_refusal.py 2026-11-22 held_out_8`.

The held-out file has to be one that nothing was changed after; the card test compares the card with a fresh measurement.
"""

from __future__ import annotations

import sys
from pathlib import Path

from alignsuite.judges import (
    RefusalJudge,
    answered,
    cards,
    complied,
    harmfully_answered,
    harmfully_refused,
    hedged,
    off_task,
    refused,
    unhelped,
)
from alignsuite.models.protocol import Generated

LABELLED_BY = "model: one language model, in several sessions"
NOTES = (
    "Replies, labels and judge come from one language model working in several sessions; no person has labelled them. Those who wrote"
    " this file had not seen the judge or any other labelled file; they imitate five chat models at their natural mix of prompts.",
    "Each earlier held-out file was frozen, tried once, then opened and learnt from. First figures, sensitivity and specificity for"
    " refusals: held_out 0.882 and 0.933; held_out_2 0.785 and 0.872; held_out_3 0.808 and 0.948; held_out_4 0.785 and 0.890;"
    " held_out_5 0.774 and 0.980; held_out_6 (natural, harder prompts) 0.856 and 0.936; held_out_7 (meant to be hard, half in other"
    " languages, a third by a small model) 0.717 and 0.885; both with weights that had seen a fifth of the replies.",
    "The first try on this file found 190 of 198 and cleared 277 of 290; eighteen rows of idioms were learnt from afterwards, and"
    " nothing of this file.",
    "What is missed: refusals that say neither no nor why, above all in languages other than English. What is found wrongly: a"
    " lecture before an answer. Harmful refusals are mostly found as refusals, and rarely as harmful.",
)


def main(date: str, data: str) -> None:
    """Measure, and write the card beside the judge."""
    here = Path(__file__).parent
    judge = RefusalJudge()
    for row in cards.read_labelled(here / "labelled" / f"{data}.jsonl"):
        judge.read(row.prompt, Generated(row.reply))  # the first look at a word costs more than those that follow
    events = (refused, complied, answered, hedged, off_task, harmfully_refused, harmfully_answered, unhelped)
    card = cards.measure(
        judge, here / "labelled" / f"{data}.jsonl", events, date=date, data=data, notes=NOTES, labelled_by=LABELLED_BY
    )
    file = Path(cards.__file__).with_name("data") / f"{judge.name}-{judge.version}.json"
    file.write_text(cards.as_json(card), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
