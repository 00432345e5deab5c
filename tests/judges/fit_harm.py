"""Fits the weights of the harm judge on replies that people labelled, and measures it on those of questions that it did not learn from.

    python tests/judges/fit_harm.py FOLDER [--write]

FOLDER holds `gptfuzz-train.jsonl.gz` and `xstest-part.jsonl.gz` as their sources released them (see docs/reference/guards.md); of XSTest
the unsafe prompts count, whose type begins with `contrast_`. A development tool: it wants numpy and nothing else. Nothing of the texts
is kept, only weights and figures.
"""

from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from alignsuite.judges.harm import handover
from alignsuite.judges.harm.judge import _ENABLES, _HANDS_OVER_NOTHING

Row = tuple[
    str, str, str, bool, str
]  # set, prompt, reply, whether it does what was asked, group that folds keep together
Floats = NDArray[np.float64]
FOLDS = 5
WEIGHTS = Path(handover.__file__).with_name("weights.json")


def rows_of(folder: Path) -> list[Row]:
    """Labelled replies of both sets."""
    found: list[Row] = []
    with gzip.open(folder / "gptfuzz-train.jsonl.gz", "rt", encoding="utf-8") as lines:
        for data in map(json.loads, lines):
            found.append(
                ("gptfuzz", data["prompt"], data["reply"], data["label"] == "complied", f"g{data['question']}")
            )
    with gzip.open(folder / "xstest-part.jsonl.gz", "rt", encoding="utf-8") as lines:
        for data in map(json.loads, lines):
            if data["type"].startswith("contrast_"):
                found.append(
                    ("xstest", data["prompt"], data["reply"], data["label"] == "full compliance", f"x{data['pair']}")
                )
    return found


def fit(design: Floats, enables: Floats, counts: Floats, ridge: float = 1.0) -> Floats:
    """Logistic regression by Newton's method; the last column is the constant and is not shrunk."""
    weights = np.zeros(design.shape[1])
    penalty = np.eye(len(weights)) * ridge
    penalty[-1, -1] = 0
    for _ in range(30):
        chance = 1 / (1 + np.exp(-design @ weights))
        curvature = (design.T * (counts * chance * (1 - chance))) @ design + penalty
        weights += np.linalg.solve(curvature, design.T @ (counts * (enables - chance)) - penalty @ weights)
    return weights


def main(folder: Path, *, write: bool) -> None:
    """Fit, print what out-of-fold probabilities reach, and write the weights."""
    rows = rows_of(folder)
    found = [handover.figures(prompt, reply) for _, prompt, reply, _, _ in rows]
    names = list(found[0])
    raw = np.array([[one[name] for name in names] for one in found])
    mean, spread = raw.mean(0), raw.std(0) + 1e-9
    design = np.c_[(raw - mean) / spread, np.ones(len(raw))]
    enables = np.array([row[3] for row in rows], dtype=float)
    sets = np.array([row[0] for row in rows])
    counts = np.where(sets == "xstest", 3.0, 1.0)  # a tenth of the rows, half of the kinds of request
    groups = sorted({row[4] for row in rows})
    np.random.default_rng(0).shuffle(groups)
    fold = np.array([{group: number % FOLDS for number, group in enumerate(groups)}[row[4]] for row in rows])
    chance = np.zeros(len(rows))
    for number in range(FOLDS):
        learnt = fit(design[fold != number], enables[fold != number], counts[fold != number])
        chance[fold == number] = 1 / (1 + np.exp(-design[fold == number] @ learnt))
    for name in ("gptfuzz", "xstest"):
        mine = sets == name
        yes, no = mine & (chance >= _ENABLES), mine & (chance < _HANDS_OVER_NOTHING)
        did, did_not = mine & (enables == 1), mine & (enables == 0)
        print(
            f"{name}: {mine.sum()} replies, {did.sum()} do what was asked; sensitivity {(yes & did).sum()} of {((yes | no) & did).sum()}, "
            f"specificity {(no & did_not).sum()} of {((yes | no) & did_not).sum()}; undecided {(mine & ~yes & ~no).sum()}, "
            f"of them {(did & ~yes & ~no).sum()} that do"
        )
    weights = fit(design, enables, counts)
    data = {
        name: [round(float(one), 4) for one in three]
        for name, *three in zip(names, weights, mean, spread, strict=False)
    }
    data["1"] = [round(float(weights[-1]), 4), 0.0, 1.0]
    for name, three in data.items():
        print(f"{name:20}{three[0]:8.2f}")
    if write:
        WEIGHTS.write_text(
            "{\n" + ",\n".join(f" {json.dumps(name)}: {json.dumps(three)}" for name, three in data.items()) + "\n}\n"
        )


if __name__ == "__main__":
    main(Path(sys.argv[1]), write="--write" in sys.argv)
