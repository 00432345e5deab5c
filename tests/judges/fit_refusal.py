"""Fits the weights of the refusal judge to the opened labelled replies: `python tests/judges/fit_refusal.py`.

With `--cross` nothing is written: each file, and each voice, is judged with weights fitted without it, which is what the fitted part
does on replies it has never seen. Deterministic: the same files give the same weights.
"""

from __future__ import annotations

import json
import sys
import zlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.sparse import csr_array

from alignsuite.judges.protocol import UNREADABLE
from alignsuite.judges.refusal import weights as refusal_model
from alignsuite.judges.refusal.features import features
from alignsuite.judges.refusal.judge import declines_outright, parse_reply
from alignsuite.judges.refusal.weights import HEDGES, WITHHOLDS, Head

LABELLED = Path(__file__).with_name("labelled")
TRAINING = tuple(f"training/{file.stem}" for file in sorted((LABELLED / "training").glob("*.jsonl")))
OPENED = ("held_out", "held_out_2", "held_out_3", "held_out_4", "held_out_5", "held_out_6", "held_out_7")
FILES = ("development", "development_2", *OPENED, *TRAINING)
PENALTY, PENALTY_OF_WORDS = 1.0, 2.0
SEEN, SEEN_WORDS = 3, 4  # figures of fewer replies, and words of fewer, get no weight
SMALLEST = 0.01  # weights nearer 0 are left out

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Row:
    """A labelled reply with its figures; `settled` if it declines in so many words, so that the judge asks no weights."""

    file: str
    label: str
    voice: str
    language: str
    prompt: str
    settled: bool
    figures: Mapping[str, float]


ASKED: Mapping[str, tuple[Callable[[str], bool], Callable[[str], bool]]] = {
    WITHHOLDS: (lambda label: "refusal" in label, lambda label: True),
    HEDGES: (lambda label: label == "hedged", lambda label: "refusal" not in label and label != "off_task"),
}
"""For each sum: which labels say yes, and which replies it is fitted to."""


def read_rows() -> list[Row]:
    """All opened replies that hold words."""
    found = []
    for file in FILES:
        for line in (LABELLED / f"{file}.jsonl").read_text(encoding="utf-8").splitlines():
            data: dict[str, Any] = json.loads(line)
            parsed = parse_reply(data["prompt"], data["reply"])
            if parsed is not None and data["label"] != UNREADABLE:
                settled = declines_outright(parsed)
                kind = (file, data["label"], data["voice"], data["language"], data["prompt"], settled)
                found.append(Row(*kind, features(parsed)))
    return found


class Problem:
    """Rows as a matrix, for one sum."""

    def __init__(self, rows: Sequence[Row], head: str) -> None:
        says_yes, belongs = ASKED[head]
        self.rows = [row for row in rows if belongs(row.label)]
        self.yes = np.array([says_yes(row.label) for row in self.rows], dtype=float)

    @cached_property
    def names(self) -> list[str]:
        """The figures that enough replies have, in alphabetical order."""
        seen = Counter(name for row in self.rows for name in row.figures)
        return sorted(name for name, count in seen.items() if count >= (SEEN_WORDS if name.startswith('"') else SEEN))

    def matrix(self) -> csr_array:
        """Replies by figures."""
        column = {name: at for at, name in enumerate(self.names)}
        cells = [
            (value, at, column[name])
            for at, row in enumerate(self.rows)
            for name, value in row.figures.items()
            if name in column
        ]
        values, replies, figures = zip(*cells, strict=True)
        return csr_array((values, (replies, figures)), shape=(len(self.rows), len(column)))

    def cost(self) -> Callable[[Array], tuple[float, Array]]:
        """What is made small, with its slope: how unlikely weights (the bias last) make the labels, and how large they are."""
        table, yes = self.matrix(), self.yes
        penalty = np.array([PENALTY_OF_WORDS if name.startswith('"') else PENALTY for name in self.names])

        def cost(weights: Array) -> tuple[float, Array]:
            slope, bias = weights[:-1], weights[-1]
            sums = table @ slope + bias
            off = 1 / (1 + np.exp(-np.clip(sums, -30, 30))) - yes
            value = np.logaddexp(0, (1 - 2 * yes) * sums).sum() + (penalty * slope**2).sum() / 2
            return float(value), np.append(table.T @ off + penalty * slope, off.sum())

        return cost

    def fit(self) -> Head:
        """The weights that make the labels likeliest, small ones preferred."""
        start = np.zeros(len(self.names) + 1)
        fitted = minimize(self.cost(), start, jac=True, method="L-BFGS-B", options={"maxiter": 500}).x
        weights = {
            name: round(float(weight), 3)
            for name, weight in zip(self.names, fitted[:-1], strict=True)
            if abs(weight) >= SMALLEST
        }
        return Head(round(float(fitted[-1]), 3), weights)


def write(rows: Sequence[Row]) -> None:
    """Fit both sums and keep them."""
    kept = {}
    for head in refusal_model.HEADS:
        fitted = Problem(rows, head).fit()
        kept[head] = {"bias": fitted.bias, "weights": fitted.weights}
    file = Path(refusal_model.__file__).with_name("weights.json")
    lines = ",\n".join(f"{json.dumps(head)}: {json.dumps(fitted, ensure_ascii=False)}" for head, fitted in kept.items())
    file.write_text(f"{{\n{lines}\n}}\n", encoding="utf-8")  # one line a head


def cross(rows: Sequence[Row], head: str, part_of: Callable[[Row], str]) -> None:
    """Print how well each part is told with weights fitted to the others."""
    says_yes, belongs = ASKED[head]
    total: Counter[tuple[bool, bool]] = Counter()
    for part in sorted({part_of(row) for row in rows}):
        fitted = Problem([row for row in rows if part_of(row) != part], head).fit()
        inside = [row for row in rows if part_of(row) == part and belongs(row.label)]
        outright = head == WITHHOLDS
        counts = Counter(
            (says_yes(row.label), (outright and row.settled) or fitted.score(row.figures) > 0) for row in inside
        )
        total += counts
        print(f"{head:10} {part:16} {line(counts)}", flush=True)
    print(f"{head:10} {'all':16} {line(total)}", flush=True)


def line(counts: Mapping[tuple[bool, bool], int]) -> str:
    """Sensitivity and specificity, with the numbers they stand on."""
    found, missed, wrong, right = (
        counts.get(key, 0) for key in ((True, True), (True, False), (False, True), (False, False))
    )
    sensitivity = f"{found / (found + missed):.3f}" if found + missed else "  –  "
    specificity = f"{right / (right + wrong):.3f}" if right + wrong else "  –  "
    return f"sensitivity {sensitivity} of {found + missed:4}, specificity {specificity} of {right + wrong:4}"


def file_or_fold(row: Row) -> str:
    """The file; those in the manners of chat models all together in five parts, by prompt."""
    natural = row.file.startswith("training/") or row.file in ("development_2", "held_out_6", "held_out_7")
    return f"natural/{zlib.crc32(row.prompt.encode()) % 5}" if natural else row.file


def main(*options: str) -> None:
    """Fit, or cross-validate."""
    rows = read_rows()
    if "--cross" not in options:
        write(rows)
        return
    for head in refusal_model.HEADS:
        cross(rows, head, file_or_fold)
    cross(rows, WITHHOLDS, lambda row: row.file)
    cross(rows, WITHHOLDS, lambda row: row.voice)


if __name__ == "__main__":
    main(*sys.argv[1:])
