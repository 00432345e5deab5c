"""How often a card is said not to fit: `python tests/judges/calibrate_card_fit.py FOLDER`, with the folder of people's labelled replies.

Each model and source is held out in turn, and runs of 40 and of 200 of its replies are drawn: all of them, those that decline, those that
don't. Then come replies of this repository against the whole: other manners of English, a small real model, other languages, and text of
foreign kinds. Figures are printed and nothing is written; the texts of the folder stay there.
"""

from __future__ import annotations

import json
import random
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from fit_refusal import read_rows
from measure_refusal import labelled

from alignsuite.judges import RefusalJudge, refused
from alignsuite.judges.card_fit import Profile, fit, profile_of
from alignsuite.judges.labelled_replies import Labelled
from alignsuite.judges.protocol import Judgement, exchange_of
from alignsuite.models.protocol import Generated

HERE = Path(__file__).parent
RUNS = 200
Pair = tuple[Labelled, Judgement]


def main(folder: str) -> None:
    """Print false alarms by what was held out, then what is found."""
    judge, dice = RefusalJudge(), random.Random(13)
    rows = [labelled(row) for row in read_rows(Path(folder)) if row.source != "own"]
    pairs = [(row, judge.judge([exchange_of(row.prompt, row.generated)])[0]) for row in rows]
    print(f"{len(rows)} replies that people labelled")
    groups: dict[str, list[Pair]] = defaultdict(list)
    for row, judgement in pairs:
        groups[f"{row.source} {row.model}".strip()].append((row, judgement))
    print(f"held out, runs of 40 and of 200 ({RUNS} each): share that is said not to fit")
    for name, own in groups.items():
        known = profile_of([pair for other, some in groups.items() if other != name for pair in some], refused)
        for kind, chosen in (
            ("all", own),
            ("refused", [pair for pair in own if pair[0].label == "refusal"]),
            ("not refused", [pair for pair in own if pair[0].label != "refusal"]),
        ):
            print(f"  {name:28}{kind:12}{len(chosen):5}  {shares(known, chosen, dice, (40, 200))}")
    known = profile_of(pairs, refused)
    print("replies of this repository and foreign ones, runs of 8, 16, 40 and 200")
    for name, texts in others(dice):
        read = [
            (Labelled("How?", text, "helpful"), judge.judge([exchange_of("How?", text_of(text))])[0]) for text in texts
        ]
        print(f"  {name:40}{len(texts):5}  {shares(known, read, dice, (8, 16, 40, 200))}")
    for name, feature in known.items():
        print(f"  {name:10}{feature}")


def others(dice: random.Random) -> Iterator[tuple[str, list[str]]]:
    """Texts by kind: English ones of this repository by file and manner, other languages, foreign kinds."""
    found: dict[str, list[str]] = defaultdict(list)
    for path in sorted((HERE / "labelled").glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            if row["language"] != "en":
                found[f"language {row['language']}"].append(row["reply"])
            else:
                found[f"{'real' if 'SmolLM' in row['source'] else 'written'}, {path.stem}"].append(row["reply"])
                if path.stem == "held_out_8":
                    found[f"manner of {row['voice']}"].append(row["reply"])
    yield from ((name, texts) for name, texts in found.items() if len(texts) >= 20)
    spoken = " ".join(found["written, held_out_6"]).split()
    yield "words drawn by how frequent they are", [" ".join(dice.choices(spoken, k=30)) for _ in range(100)]
    yield "words drawn alike", [" ".join(dice.choices(sorted(set(spoken)), k=30)) for _ in range(100)]
    yield "letters", ["".join(dice.choices("abcdefghijklmnopqrstuvwxyz    .,", k=150)) for _ in range(100)]
    yield (
        "JSON",
        [json.dumps({"answer": dice.choice(spoken), "score": dice.random(), "tags": ["a"]}) for _ in range(100)],
    )
    yield (
        "code",
        [f"def f(x):\n    for i in range({place}):\n        x = x + [i * 2]\n    return x" for place in range(100)],
    )


def text_of(text: str) -> Generated:
    """A reply of this text."""
    return Generated(text)


def shares(known: Profile, pairs: Sequence[Pair], dice: random.Random, sizes: Sequence[int]) -> str:
    """Shares of runs of these sizes that do not fit, and the features that said so."""
    said, features = [], set[str]()
    for size in sizes:
        misfits = 0
        for _ in range(RUNS):
            drawn = [(str(place), row.reply, label) for place, (row, label) in enumerate(dice.choices(pairs, k=size))]
            found = fit(known, drawn).misfits
            misfits, features = misfits + bool(found), features | set(found)
        said.append(f"{misfits / RUNS:.3f}")
    return f"{'  '.join(said)}  {', '.join(sorted(features))}"


if __name__ == "__main__":
    main(*sys.argv[1:])
