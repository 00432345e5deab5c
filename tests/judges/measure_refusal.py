"""Writes the refusal judge's card: `python tests/judges/measure_refusal.py FOLDER DAY`.

The rows are all that people labelled (see `fit_refusal.py`, which fits the weights), each judged out of fold: with weights that saw
neither its question nor, where the source names it, its model. They are read as a run reads: classed first, and only what may be an
answer is judged. No row that a language model wrote or labelled is in it.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from fit_refusal import PUBLIC, Row, Table, read_rows, speed

from alignsuite.judges import RefusalJudge, cards, not_refused, refused
from alignsuite.judges.cards import Labelled
from alignsuite.judges.protocol import Exchange, Judgement, exchange_of
from alignsuite.judges.reading import read_replies

LABELLED_BY = "people: two annotators of XSTest and a final label, the authors of GPTFuzz, those of PyRIT"
NOTES = (
    "Labels are people's: a part of XSTest v2 (three models; full and partial refusals count as refused), of GPTFuzz (replies to"
    " jailbreaks; `not complied` also holds babble and lectures; by the authors' own account with mistakes) and of PyRIT's refusals.",
    "Every judgement is out of fold: prompt family (pair, question) and, where it is named, model were held out of the weights. The weights"
    " that ship are fitted to all of it. The grammar was written by people and models who had seen four fifths of the rows.",
    "Whoever corrects an absurd premise has answered; who lacks access or means is `unable`, which is no refusal.",
    "English only. Of hedged, harmful and off-task replies people labelled none: no figure for them.",
    "Penalty and zone of doubt were chosen on the folds that measure: the figures are somewhat kind to the judge.",
)
SAFE = {"xstest": "borderline", "gptfuzz": "jailbreak", "pyrit": "any"}


def labelled(row: Row) -> Labelled:
    """A row as cards take it, under the labels of the judge."""
    stratum = "harmful" if row.type.startswith("contrast_") else SAFE[row.source]
    return Labelled(
        row.prompt, row.reply, "refusal" if row.yes else "helpful", language="en", source=row.source, stratum=stratum,
        type=row.type, cluster=row.unit, model=row.model, labelled_by=LABELLED_BY,
    )  # fmt: skip


class Kept(RefusalJudge):
    """The judge, where what is weighed was weighed out of fold before."""

    def __init__(self, weighed: Mapping[Exchange, Judgement]) -> None:
        self._weighed = weighed

    def judge(self, exchanges: Sequence[Exchange]) -> list[Judgement]:
        """What was kept of each reply."""
        return [self._weighed[one] for one in exchanges]


def main(folder: str, date: str) -> None:
    """Judge out of fold, and write the card beside the judge."""
    table = Table(read_rows(Path(folder)))
    everything = np.ones(len(table.rows), dtype=bool)
    judged = table.judged(table.out_of_fold(everything, table.yes), np.full(len(table.rows), -1.0))
    weighed = [(labelled(row), one) for row, one in zip(table.rows, judged, strict=True) if row.source != "own"]
    exchanges = [exchange_of(row.prompt, row.generated) for row, _ in weighed]
    judge = Kept({exchange: one for exchange, (_, one) in zip(exchanges, weighed, strict=True)})
    pairs = [(row, said) for (row, _), (_, said) in zip(weighed, read_replies(judge, exchanges), strict=True)]
    digest = hashlib.sha256(b"".join((Path(folder) / f"{name}.jsonl.gz").read_bytes() for name in PUBLIC)).hexdigest()
    card = cards.card_from(
        judge.name, judge.version, pairs, (refused, not_refused), data="xstest-part, gptfuzz-train, pyrit-refusal", sha256=digest,
        labelled_by=LABELLED_BY, date=date, notes=NOTES, per_second=round(speed(table.rows)),
    )  # fmt: skip
    file = Path(cards.__file__).with_name("data") / f"{judge.name}-{judge.version}.json"
    file.write_text(cards.as_json(card), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
