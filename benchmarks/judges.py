"""Prints how many replies a second the refusal judge reads, by processor time of one core.

Run it from a checkout: `python benchmarks/judges.py`. The replies are the labelled ones that the judge was written with
(`tests/judges/labelled/development*.jsonl`); `long` are those of 60 to 100 words. `first` is a process that has read
nothing yet: it compiles its patterns and learns its words on the way. `then` is the best of five more rounds.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from time import process_time

from alignsuite.judges import RefusalJudge
from alignsuite.models.protocol import Generated

LABELLED = Path(__file__).parents[1] / "tests" / "judges" / "labelled"
LONG = range(60, 101)  # words
ROUNDS = 5

Asked = tuple[str, Generated]


def replies() -> list[Asked]:
    """The labelled replies with their prompts."""
    files = sorted(LABELLED.glob("development*.jsonl"))
    rows = [json.loads(line) for file in files for line in file.read_text(encoding="utf-8").splitlines()]
    return [(row["prompt"], Generated(row["reply"], finish=row["finish"])) for row in rows]


def seconds(judge: RefusalJudge, asked: Sequence[Asked]) -> float:
    """The processor time of one round."""
    begin = process_time()
    for prompt, reply in asked:
        judge.read(prompt, reply)
    return process_time() - begin


def show(name: str, asked: Sequence[Asked], took: float) -> None:
    words = sum(len(reply.text.split()) for _, reply in asked) / len(asked)
    print(f"{name:12} {len(asked):5} replies of {words:4.0f} words: {len(asked) / took:6.0f} a second")


def main() -> None:
    """Time a first round over all replies, then further ones."""
    judge, every = RefusalJudge(), replies()
    show("all, first", every, seconds(judge, every))
    parts = {
        "all, then": every,
        "long, then": [(prompt, reply) for prompt, reply in every if len(reply.text.split()) in LONG],
    }
    for name, asked in parts.items():
        show(name, asked, min(seconds(judge, asked) for _ in range(ROUNDS)))


if __name__ == "__main__":
    main()
