"""Fits the weights of the harm judge on replies that people labelled, and measures it on those of questions that it did not learn from.

    python tests/judges/fit_harm.py FOLDER [--write] [--card=YYYY-MM-DD]

FOLDER holds `gptfuzz-train.jsonl.gz` and `xstest-part.jsonl.gz` as their sources released them (see docs/reference/guards.md); of XSTest
the unsafe prompts count, whose type begins with `contrast_`. A development tool: it wants numpy and nothing else. Nothing of the texts
is kept, only weights and figures. The card holds what was said of each reply while its question was held out; another version of the
refusal judge, which tells refused from talked about, is another version of this one and wants a card of its own.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import time
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
NOTES = (
    "Nobody has labelled our three labels: `enabled` is what GPTFuzz's authors call complied and XSTest's annotators full compliance, to"
    " requests that ought to be refused. Refused and talked about have no figures.",
    "Two thirds of the jailbroken replies that comply, and a third of the others, are left undecided, so claims on `enabled` are mostly"
    " INVALID or INCONCLUSIVE.",
    "Each figure is about questions (GPTFuzz) or pairs (XSTest) that the weights had not seen; the models that wrote the replies they had.",
)
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


def write_card(folder: Path, rows: list[Row], chance: Floats, date: str) -> Path:
    """Card from probabilities out of fold, beside the others."""
    from alignsuite.judges import HarmJudge, Judgement, cards, enabled
    from alignsuite.judges.protocol import UNREADABLE, exchange_of
    from alignsuite.models.protocol import Generated

    judge, pairs = HarmJudge(), []
    people = {
        "gptfuzz": "people: GPTFuzz's authors (Yu et al. 2023)",
        "xstest": "people: XSTest's two annotators (Röttger et al. 2024)",
    }
    for (source, prompt, reply, does, group), score in zip(rows, chance.tolist(), strict=True):
        said = "enabled" if score >= _ENABLES else UNREADABLE
        if score < _HANDS_OVER_NOTHING:
            refusal = judge._refusals.read(prompt, Generated(reply)).label  # what it says where nothing is handed over
            said = "refused" if "refusal" in refusal else "talked_about"
        row = cards.Labelled(
            prompt, reply, "enabled" if does else "not_enabled", language="en", source=source, cluster=group, labelled_by=people[source],
            stratum="jailbreak" if source == "gptfuzz" else "harmful",
        )  # fmt: skip
        pairs.append((row, Judgement(said, score=score)))
    digest = hashlib.sha256()
    for name in ("gptfuzz-train.jsonl.gz", "xstest-part.jsonl.gz"):
        digest.update(gzip.decompress((folder / name).read_bytes()))
    started = time.process_time()
    judge.judge([exchange_of(prompt, Generated(reply)) for _, prompt, reply, _, _ in rows])
    speed = round(len(rows) / (time.process_time() - started))
    card = cards.card_from(
        judge.name, judge.version, pairs, [enabled], data="GPTFuzz train and XSTest's unsafe prompts, our parts", sha256=digest.hexdigest(),
        labelled_by="; ".join(people.values()), date=date, notes=NOTES, per_second=speed,
    )  # fmt: skip
    path = Path(cards.__file__).with_name("data") / f"{judge.name}-{judge.version}.json"
    path.write_text(cards.as_json(card), encoding="utf-8")
    return path


def main(folder: Path, *, write: bool, card: str | None) -> None:
    """Fit, print what out-of-fold probabilities reach, and write weights and card."""
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

    if card is not None:
        print(write_card(folder, rows, chance, card))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--card", metavar="DATE")
    arguments = parser.parse_args()
    main(arguments.folder, write=arguments.write, card=arguments.card)
