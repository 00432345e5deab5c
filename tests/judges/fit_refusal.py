"""Fits and measures the refusal judge: `python tests/judges/fit_refusal.py FOLDER [--write] [--cross] [--held-back] [--doubt] [--speed]`.

FOLDER holds the replies that people labelled (`xstest-part`, `gptfuzz-train`, `pyrit-refusal`, gzip JSON Lines). Their texts stay there;
what is learnt goes into `weights.json`, with `--write`. The labelled replies beside this script teach too, at less weight.

Every figure is out of fold: a row is judged with weights that saw neither its question (XSTest: its pair) nor, where the source names
it, its model. A fifth of pairs and questions, by their SHA-256, is held back, and `--held-back` judges it with weights that have seen none
of it; but its misreadings had been read when the trait `unjust` was made. `--doubt` prints what other zones of doubt would give, on the
card's folds. Needs scikit-learn, a tool of development only. The same on every run of one machine.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import math
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, diags
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import normalize

from alignsuite.judges import refused
from alignsuite.judges.protocol import UNREADABLE, Judgement
from alignsuite.judges.refusal import model as refusal_model
from alignsuite.judges.refusal import text as texts
from alignsuite.judges.refusal.features import figures, grams
from alignsuite.judges.refusal.grammar import Parsed, parse, unwrapped
from alignsuite.judges.refusal.judge import RefusalJudge, settle, weigh
from alignsuite.models.protocol import Generated

LABELLED = Path(__file__).with_name("labelled")
PUBLIC = ("xstest-part", "gptfuzz-train", "pyrit-refusal")
PLACES = ("h", "t", "w", "f", "v", "e", "r")
C, GRAM, SEEN = 1.0, 0.07, 6  # inverse penalty, value of a gram, questions a gram has to stand in
C_OF_ENDS = 4.0
KEPT, KEPT_OF_HEDGES = 8000, 1500  # grams that are kept
WEIGHTS = {"xstest": 2.0, "gptfuzz": 1.0, "pyrit": 1.0, "own": 0.3}
FOLDS = 5

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Row:
    """A labelled reply: `yes` if it withholds, `unit` is what it is held out by, beside its model."""

    source: str
    prompt: str
    reply: str
    label: str
    yes: bool
    unit: str
    model: str = ""
    type: str = ""
    language: str = "en"


def read_rows(folder: Path) -> list[Row]:
    """The labelled replies of people in a folder, then those beside this script."""
    missing = [name for name in PUBLIC if not (folder / f"{name}.jsonl.gz").is_file()]
    if missing:
        sys.exit(
            f"{folder}: wanted {', '.join(f'{name}.jsonl.gz' for name in missing)}: the folder of replies that people labelled"
        )
    found = []
    for row in _lines(folder, "xstest-part"):
        yes = "refusal" in row["label"]
        found.append(
            Row(
                "xstest",
                row["prompt"],
                row["reply"],
                row["label"],
                yes,
                f"xstest|{row['pair']}",
                row["model"],
                row["type"],
            )
        )
    for row in _lines(folder, "gptfuzz-train"):
        yes = row["label"] == "not complied"
        found.append(Row("gptfuzz", row["prompt"], row["reply"], row["label"], yes, f"gptfuzz|{row['question']}"))
    for row in _lines(folder, "pyrit-refusal"):
        if not row["off_topic"]:
            found.append(
                Row(
                    "pyrit",
                    row["prompt"],
                    row["reply"],
                    row["label"],
                    row["label"] == "refusal",
                    f"pyrit|{row['prompt']}",
                )
            )
    for file in sorted(LABELLED.rglob("*.jsonl")):
        for line in file.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            if row["label"] != UNREADABLE:
                kind = (
                    row["label"],
                    "refusal" in row["label"],
                    f"own|{row['prompt']}",
                    row["voice"],
                    file.stem,
                    row["language"],
                )
                found.append(Row("own", row["prompt"], row["reply"], *kind))
    return found


def _lines(folder: Path, name: str) -> Iterable[Mapping[str, str]]:
    with gzip.open(folder / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def parsed_of(row: Row) -> Parsed | None:
    """A row as the judge's weights read it."""
    prompt = texts.plain_prompt(row.prompt)
    own = texts.without_echo(unwrapped(texts.window(row.reply))[0], prompt)
    return parse(prompt, own) if texts.has_words(own) else None


def digest(text: str) -> int:
    """A number from a text, the same everywhere."""
    return int(hashlib.sha256(text.encode()).hexdigest(), 16)


class Ends(NamedTuple):
    """The regression over the ends: weights, bias, the columns that they belong to, and how rare these are."""

    weights: Array
    bias: float
    columns: NDArray[np.int_]
    rare: Array


class Table:
    """Rows with their features, as two matrices.

    Figures and grams by place, a rare one weighing more; and how often grams stand in the ends.
    """

    def __init__(self, rows: Sequence[Row]) -> None:
        both = [(row, parsed) for row in rows if (parsed := parsed_of(row)) is not None]
        self.rows = [row for row, _ in both]
        self.parsed = [parsed for _, parsed in both]
        self.names, self.matrix = self._counted([_cells(parsed) for parsed in self.parsed])
        self.is_figure = np.array([name.startswith("figures: ") for name in self.names])
        self.value = np.where(self.is_figure, 1.0, GRAM * rarity(self.matrix))
        self.matrix = csr_matrix(self.matrix @ diags(self.value))
        counts = [{name: 1 + math.log(count) for name, count in Counter(grams(one)[1]).items()} for one in self.parsed]
        self.ends, self.often = self._counted(counts)
        self.yes = np.array([row.yes for row in self.rows])
        self.source = np.array([row.source for row in self.rows])
        self.model = np.array([row.model for row in self.rows])
        self.fold = np.array([digest(f"fold|{row.unit}") % FOLDS for row in self.rows])
        self.held_back = np.array(
            [row.source in ("xstest", "gptfuzz") and digest(row.unit) % 5 == 0 for row in self.rows]
        )
        teaches = [row.language == "en" and row.label != "off_task" for row in self.rows]
        self.weight = np.array([WEIGHTS[row.source] for row in self.rows]) * teaches

    def _counted(self, cells: Sequence[Mapping[str, float]]) -> tuple[list[str], csr_matrix]:
        """Names of the features that stand in the replies to enough questions, and the matrix of their values."""
        seen: dict[str, set[str]] = defaultdict(set)
        for row, held in zip(self.rows, cells, strict=True):
            for name in held:
                if len(seen[name]) < SEEN:
                    seen[name].add(row.unit)
        names = sorted(name for name, units in seen.items() if len(units) >= SEEN)
        column = {name: at for at, name in enumerate(names)}
        triples = [
            (value, at, column[name]) for at, held in enumerate(cells) for name, value in held.items() if name in column
        ]
        values, lines, columns = zip(*triples, strict=True)
        return names, csr_matrix((values, (lines, columns)), shape=(len(self.rows), len(names)))

    def fit_ends(self, chosen: Mask, yes: NDArray[np.bool_]) -> Ends:
        """The regression over the ends: fitted, pruned to the heaviest grams, and fitted again."""
        chosen = chosen & (self.weight > 0)
        rare, columns = rarity(self.often[chosen]), np.arange(len(self.ends))
        for pruned in (False, True):
            matrix = normalize(self.often[:, columns] @ diags(rare[columns]))
            fitted = LogisticRegression(C=C_OF_ENDS, solver="liblinear", random_state=0)
            fitted.fit(matrix[chosen], yes[chosen], sample_weight=self.weight[chosen])
            weights = fitted.coef_[0]
            if not pruned:
                columns = np.sort(columns[np.argsort(-np.abs(weights), kind="stable")[:KEPT]])
        return Ends(weights, float(fitted.intercept_[0]), columns, rare[columns])

    def fit(self, chosen: Mask, yes: NDArray[np.bool_], kept: int = KEPT) -> tuple[Array, NDArray[np.int_]]:
        """Weights, and the columns that they belong to: fitted, pruned to the heaviest grams, and fitted again."""
        chosen = chosen & (self.weight > 0)
        every = np.arange(len(self.names))
        first = _logistic(self.matrix[chosen], yes[chosen], self.weight[chosen])
        heavy = np.argsort(-np.abs(first) - 1e9 * self.is_figure, kind="stable")[: kept + int(self.is_figure.sum())]
        columns = np.sort(every[heavy])
        return _logistic(self.matrix[chosen][:, columns], yes[chosen], self.weight[chosen]), columns

    def scores(self, learnt: Mask, asked: Mask, yes: NDArray[np.bool_]) -> Array:
        """Log odds of the rows asked for, with weights of those to be learnt from."""
        weights, columns = self.fit(learnt, yes)
        second = self.fit_ends(learnt, yes)
        often = normalize(self.often[asked][:, second.columns] @ diags(second.rare))
        return np.asarray(self.matrix[asked][:, columns] @ weights + often @ second.weights + second.bias) / 2

    def out_of_fold(self, chosen: Mask, yes: NDArray[np.bool_]) -> Array:
        """Log odds of all rows, each by weights that saw neither its unit nor, on XSTest, its model; learnt from the rows chosen."""
        found = np.zeros(len(self.rows))
        for fold in range(FOLDS):
            inside = self.fold == fold
            named = self.source == "xstest"
            asked = inside & ~named
            found[asked] = self.scores(chosen & ~inside, asked, yes)
            for model in sorted(set(self.model[named])):
                asked = inside & named & (self.model == model)
                found[asked] = self.scores(chosen & ~inside & ~(named & (self.model == model)), asked, yes)
        return found

    def judged(self, scores: Array, hedges: Array) -> list[Judgement]:
        """What the judge says of each row at these log odds."""
        return [
            settle(parsed) or weigh(parsed, float(score), lambda hedge=float(hedge): hedge)  # type: ignore[misc]
            for parsed, score, hedge in zip(self.parsed, scores, hedges, strict=True)
        ]


def _cells(parsed: Parsed) -> dict[str, float]:
    found = {f"figures: {name}": value for name, value in figures(parsed).items()}
    for place, held in grams(parsed)[0].items():
        found |= dict.fromkeys((f"{place}: {gram}" for gram in held), 1.0)
    return found


def rarity(matrix: csr_matrix) -> Array:
    """Inverse document frequency of each column, smoothed: 1 for what stands everywhere."""
    return np.asarray(np.log((1 + matrix.shape[0]) / (1 + np.asarray((matrix > 0).sum(axis=0)).ravel())) + 1)


def _logistic(matrix: csr_matrix, yes: NDArray[np.bool_], weight: Array) -> Array:
    fitted = LogisticRegression(C=C, solver="liblinear", tol=1e-3, fit_intercept=False, random_state=0)
    return np.asarray(fitted.fit(matrix, yes, sample_weight=weight).coef_[0])


def write(table: Table, hedged: NDArray[np.bool_], hedging: Mask) -> None:
    """Fit both heads to everything, and keep them."""
    data: dict[str, object] = {}
    for head, chosen, yes, kept in (
        (refusal_model.REFUSES, table.weight > 0, table.yes, KEPT),
        (refusal_model.HEDGES, hedging, hedged, KEPT_OF_HEDGES),
    ):
        weights, columns = table.fit(chosen, yes, kept)
        held: dict[str, dict[str, int]] = {place: {} for place in ("figures", *PLACES)}
        for weight, at in zip(weights, columns, strict=True):
            place, _, name = table.names[at].partition(": ")
            whole = round(100 * float(weight) * table.value[at])
            if whole:
                held[place][name] = whole
        data[head] = {"weights": held, "ends": {}}
        if head == refusal_model.REFUSES:
            second = table.fit_ends(chosen, yes)
            pairs = zip(second.columns, np.round(100 * second.weights), np.round(100 * second.rare), strict=True)
            kept_ends = {table.ends[at]: [int(weight), int(rare)] for at, weight, rare in pairs}
            data[head] = {"weights": held, "ends": {"": [round(100 * second.bias), 0], **kept_ends}}
    lines = ",\n".join(
        f"{json.dumps(name)}: {json.dumps(value, ensure_ascii=False, separators=(',', ':'))}"
        for name, value in data.items()
    )
    Path(refusal_model.__file__).with_name("weights.json").write_text(f"{{\n{lines}\n}}\n", encoding="utf-8")


def line(name: str, rows: Sequence[Row], judged: Sequence[Judgement]) -> str:
    """Sensitivity and specificity for refusals, and what abstains, of some rows."""
    counts: Counter[tuple[bool, str]] = Counter()
    for row, one in zip(rows, judged, strict=True):
        seen = "unread" if one.label == UNREADABLE else "refused" if one.label in refused.labels else "not"
        counts[row.yes, seen] += 1
    found, missed, wrong, right = (
        counts[key] for key in ((True, "refused"), (True, "not"), (False, "refused"), (False, "not"))
    )
    unread = (counts[True, "unread"] + counts[False, "unread"]) / max(1, len(rows))
    return (
        f"{name:32} Se {found / max(1, found + missed):.3f} of {found + missed:4}   Sp {right / max(1, right + wrong):.3f} of"
        f" {right + wrong:4}   abstains {unread:.1%}"
    )


def tables(rows: Sequence[Row], judged: Sequence[Judgement], part: Callable[[Row], bool] = lambda row: True) -> None:
    """Print the figures by source, model, prompt type and label."""
    kinds: list[tuple[str, Callable[[Row], str]]] = [
        ("source", lambda row: row.source if row.language == "en" else f"own, {row.language}"),
        ("XSTest by model", lambda row: row.model if row.source == "xstest" else ""),
        ("XSTest by label", lambda row: row.label if row.source == "xstest" else ""),
        ("XSTest by prompt type", lambda row: row.type if row.source == "xstest" else ""),
    ]
    for title, kind in kinds:
        print(f"-- {title}")
        for name in sorted({kind(row) for row in rows if part(row)} - {""}):
            both = [(row, one) for row, one in zip(rows, judged, strict=True) if part(row) and kind(row) == name]
            print(line(name, [row for row, _ in both], [one for _, one in both]))


def main() -> None:
    """Fit, measure, write, as asked."""
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("folder", type=Path, help="the replies that people labelled")
    options.add_argument("--write", action="store_true", help="fit to everything and write weights.json")
    options.add_argument(
        "--held-back", action="store_true", help="judge the part held back, with weights that never saw it"
    )
    options.add_argument("--cross", action="store_true", help="print out-of-fold figures")
    options.add_argument("--doubt", action="store_true", help="print out-of-fold figures at other zones of doubt")
    options.add_argument("--speed", action="store_true", help="print what a reply costs")
    chosen = options.parse_args()
    table = Table(read_rows(chosen.folder))
    own = table.source == "own"
    hedged = np.array([row.label == "hedged" for row in table.rows])
    hedging = own & np.array([row.label in ("hedged", "helpful") for row in table.rows])
    nothing = np.full(len(table.rows), -1.0)
    if chosen.write:
        started = time.process_time()
        write(table, hedged, hedging)
        print(f"fitted in {time.process_time() - started:.0f} s of one processor")
    if chosen.cross:
        learnt = ~table.held_back
        judged = table.judged(table.out_of_fold(learnt, table.yes), nothing)
        inside = dict(zip(map(id, table.rows), learnt, strict=True))
        tables(table.rows, judged, lambda row: bool(inside[id(row)]))
    if chosen.held_back:
        scores = np.zeros(len(table.rows))
        for model in ("", *sorted(set(table.model[table.source == "xstest"]))):
            asked = table.held_back & (table.model == model)
            scores[asked] = table.scores(
                ~table.held_back & ~((table.source == "xstest") & (table.model == model)), asked, table.yes
            )
        judged = table.judged(scores, nothing)
        inside = dict(zip(map(id, table.rows), table.held_back, strict=True))
        tables(table.rows, judged, lambda row: bool(inside[id(row)]))
    if chosen.doubt:
        scores = table.out_of_fold(np.ones(len(table.rows), dtype=bool), table.yes)
        for doubt in (0.0, refusal_model.DOUBT, 1.0):
            judged = table.judged(np.where(np.abs(scores) < doubt, 0.0, 10 * np.sign(scores)), nothing)
            for source in ("xstest", "gptfuzz", "pyrit"):
                pairs = [pair for pair in zip(table.rows, judged, strict=True) if pair[0].source == source]
                print(line(f"{source}, doubt {doubt:g}", *zip(*pairs, strict=True)))
    if chosen.speed:
        print(f"{1000 / speed(table.rows):.3f} ms a reply of 200 to 1 500 characters, one processor")


def speed(rows: Sequence[Row], count: int = 2000) -> float:
    """Replies a second of one processor, of those with 200 to 1 500 characters; each is read for the first time."""
    judge = RefusalJudge()
    some = [row for row in rows if 200 <= len(row.reply) <= 1500 and row.language == "en"]
    for row in some[-200:]:
        judge.read(row.prompt, Generated(row.reply))
    started = time.process_time()
    for row in some[:count]:
        judge.read(row.prompt, Generated(row.reply))
    return min(count, len(some)) / (time.process_time() - started)


if __name__ == "__main__":
    main()
