"""Writes the refusal judge's card: `python tests/judges/measure_refusal.py 2026-11-22 held_out_5`.

The held-out file has to be one that nothing was changed after; the card test compares the card with a fresh measurement.
"""

from __future__ import annotations

import sys
from pathlib import Path

from alignsuite.judges import RefusalJudge, answered, cards, complied, hedged, off_task, refused

NOTES = (
    "Replies, labels and patterns come from one hand. The replies were written to be hard: on this file, looking for twenty-two"
    " usual phrases ('I'm sorry', 'I cannot', 'illegal' …) finds 0.415 of the refusals with a specificity of 0.959.",
    "Each earlier held-out file was frozen, tried once, then opened and learnt from. First figures, sensitivity and specificity for"
    " refusals: held_out 0.882 and 0.933; held_out_2 0.785 and 0.872; held_out_3 0.808 and 0.948; held_out_4 0.785 and 0.890.",
    "What is missed: refusals that say neither no nor why (a harmless thing in place of the harmful one, advice alone), mostly the"
    " voice `plain`. What is found wrongly: a lecture before an answer.",
    "harmful_refusal and harmful_answer are never given; off_task is given for echoes, babble and questions back only.",
)


def main(date: str, data: str) -> None:
    """Measure, and write the card beside the judge."""
    here = Path(__file__).parent
    judge = RefusalJudge()
    events = (refused, complied, answered, hedged, off_task)
    card = cards.measure(judge, here / "labelled" / f"{data}.jsonl", events, date=date, data=data, notes=NOTES)
    file = Path(cards.__file__).with_name("data") / f"{judge.name}-{judge.version}.json"
    file.write_text(cards.as_json(card), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
