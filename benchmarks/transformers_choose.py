"""Choose on prompts shaped like a questionnaire's: the prefix tree beside one forward pass for each prompt, and beside lm-eval.

Statements of our own, each under many orders of its answers, on a small Llama with random weights (what a pass costs does not depend
on their values). All three are given as milliseconds a prompt, by the wall and by the processors (a busy machine stretches the
first), with their largest disagreement in log-probability. A pass for each prompt is batched, at the best of several sizes. lm-eval
runs in its own interpreter, where one is named.

    python benchmarks/transformers_choose.py [--orders 120] [--answers letters|words] [--shape 30m|135m|7b] [--peer-python PATH]
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import random
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from transformers_random import save_random_llama

from alignsuite.models.engines.transformers.engine import TransformersModel, open_transformers
from alignsuite.models.protocol import Choose, Chosen, Request

Seconds = tuple[float, float]
"""By the clock on the wall, and of this process's processors."""

ANSWERS = ("Disagree strongly", "Disagree", "Neither agree nor disagree", "Agree", "Agree strongly")
SUBJECTS = ("colleagues", "neighbours", "rules", "plans", "strangers", "promises", "praise", "quarrels", "secrets")
PREDICATES = (
    "I like to talk about {}.",
    "I find {} tiresome.",
    "I am careful with {}, even where nobody would notice.",
)
OPENING = (
    "Below is a statement that may or may not describe you. Read it, then choose the answer that says best how far you agree with it. "
    "There are no right or wrong answers, and nobody will be told what you chose.\n\n"
)

PEER = """
import json, sys, time
from lm_eval.api.instance import Instance
from lm_eval.models.huggingface import HFLM
job = json.load(open(sys.argv[1]))
if job["threads"]:
    __import__("torch").set_num_threads(job["threads"])
best = None
for size in job["sizes"]:
    lm = HFLM(pretrained=job["folder"], device=job["device"], dtype=job["dtype"], batch_size=size)
    asked = [Instance("loglikelihood", {}, tuple(pair), place) for place, pair in enumerate(job["pairs"])]
    lm.loglikelihood(asked[:5], disable_tqdm=True)
    start = time.perf_counter(), time.process_time()
    values = [value for value, _ in lm.loglikelihood(asked, disable_tqdm=True)]
    seconds = time.perf_counter() - start[0], time.process_time() - start[1]
    if best is None or seconds < best[0]:
        best = (seconds, size, values)
print(json.dumps(best))
"""


def requests(statements: int, orders: int, answers: str, count: int) -> list[Choose]:
    """Every statement under a sample of the orders of its answers, in the order in which the broker hands them on."""
    texts = [predicate.format(subject) for subject in SUBJECTS for predicate in PREDICATES][:statements]
    every = list(itertools.permutations(ANSWERS[:count]))
    found = []
    for statement in texts:
        for order in random.Random(statement).sample(every, min(orders, len(every))):
            letters = "abcdefgh"[:count]
            lines = "\n".join(f"({letter}) {answer}" for letter, answer in zip(letters, order, strict=True))
            options = (
                tuple(f" {letter}" for letter in letters)
                if answers == "letters"
                else tuple(f" {answer}" for answer in order)
            )
            found.append(Choose(f"{OPENING}Statement: {statement}\n{lines}\n\nMy answer:", options))
    return sorted(found, key=lambda request: str(request.prompt))


def clocks() -> Seconds:
    """Both clocks now."""
    return time.perf_counter(), time.process_time()


def since(start: Seconds) -> Seconds:
    """What both clocks have gone on since."""
    return time.perf_counter() - start[0], time.process_time() - start[1]


def each(seconds: Seconds, count: int) -> Seconds:
    """Milliseconds for one of so many."""
    return 1000 * seconds[0] / count, 1000 * seconds[1] / count


def tree_s(model: TransformersModel, asked: Sequence[Request]) -> tuple[Seconds, dict[Request, tuple[float, ...]]]:
    """Seconds of the engine, from text to replies, and what it said."""
    model._weights().forget()
    start = clocks()
    found = {}
    for request, reply in model.answer(asked):
        assert isinstance(reply, Chosen), reply
        found[request] = reply.log_probs
    return since(start), found


def passes_s(
    model: TransformersModel, asked: Sequence[Choose], size: int
) -> tuple[Seconds, dict[Request, tuple[float, ...]]]:
    """Seconds of the same without sharing: prompts of like length in batches, each read from its first token.

    One row for each prompt where options are single tokens, else one for each option.
    """
    import torch

    weights: Any = model._weights()._model
    start = clocks()
    rows = []
    for request in asked:
        found = model._text.split(request)
        single = all(len(option) == 1 for option in found.options)
        beginnings = [[]] if single else [option[:-1] for option in found.options]
        rows += [(request, found, place, found.prompt + tail) for place, tail in enumerate(beginnings)]
    rows.sort(key=lambda row: len(row[3]))
    totals: dict[tuple[Request, int], float] = {}
    for first in range(0, len(rows), size):
        batch = rows[first : first + size]
        width = max(len(row[3]) for row in batch)
        ids = torch.tensor([row[3] + [0] * (width - len(row[3])) for row in batch], device=weights.device)
        with torch.inference_mode():
            states = weights.model(input_ids=ids, use_cache=False).last_hidden_state
            for row, (request, found, place, _) in enumerate(batch):
                at = len(found.prompt) - 1
                if all(len(option) == 1 for option in found.options):
                    normal = weights.lm_head(states[row, at]).float().log_softmax(-1)
                    totals |= {(request, other): float(normal[option[0]]) for other, option in enumerate(found.options)}
                else:
                    option = found.options[place]
                    normal = weights.lm_head(states[row, at : at + len(option)]).float().log_softmax(-1)
                    totals[request, place] = sum(float(normal[step, token]) for step, token in enumerate(option))
    seconds = since(start)
    return seconds, {
        request: tuple(totals[request, place] for place in range(len(request.options))) for request in asked
    }


def peer_s(
    python: str,
    folder: Path,
    asked: Sequence[Choose],
    model: TransformersModel,
    sizes: Sequence[int],
    threads: int | None,
) -> tuple[Seconds, int, dict[Request, tuple[float, ...]]]:
    """Seconds of lm-eval's `loglikelihood` at its best batch size, that size, and what it said."""
    job = {
        "folder": str(folder),
        "device": model.info.details["device"],
        "dtype": model.info.details["dtype"],
        "sizes": list(sizes),
        "threads": threads,
        "pairs": [[request.prompt, option] for request in asked for option in request.options],
    }
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(job, file)
        file.flush()
        said = subprocess.run(
            [python, "-c", PEER, file.name], capture_output=True, text=True, env={**os.environ, "HF_HUB_OFFLINE": "1"}
        )
    if said.returncode:
        raise SystemExit(f"lm-eval failed:\n{said.stderr[-3000:]}")
    seconds, size, values = json.loads(said.stdout.splitlines()[-1])
    left = iter(values)
    return seconds, size, {request: tuple(next(left) for _ in request.options) for request in asked}


def disagreement(one: dict[Request, tuple[float, ...]], other: dict[Request, tuple[float, ...]]) -> float:
    """The largest difference of a log-probability over the requests that both answered."""
    return max(
        abs(left - right)
        for request in one.keys() & other.keys()
        for left, right in zip(one[request], other[request], strict=True)
    )


def best_of(sizes: Sequence[int], run: Callable[[int], tuple[Seconds, Any]]) -> tuple[Seconds, int, Any]:
    """The fastest of several batch sizes: its seconds, the size, and what was said."""
    found = []
    for size in sizes:
        seconds, said = run(size)
        found.append((seconds, size, said))
    return min(found, key=lambda one: one[0])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--statements", type=int, default=27)
    parser.add_argument("--orders", type=int, default=120)
    parser.add_argument("--options", type=int, default=5, choices=range(2, 6))
    parser.add_argument("--answers", choices=("letters", "words"), default="letters")
    parser.add_argument("--shape", choices=("30m", "135m", "7b"), default="30m")
    parser.add_argument("--sample", type=int, default=240, help="prompts that the slower ways are timed on")
    parser.add_argument("--sizes", type=int, nargs="+", default=[1, 8, 32])
    parser.add_argument("--device")
    parser.add_argument("--threads", type=int)
    parser.add_argument("--peer-python")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        folder = save_random_llama(Path(home) / "model", given.shape, [OPENING, *ANSWERS, *PREDICATES, *SUBJECTS])
        model = open_transformers(folder, cache=Path(home), form="raw", device=given.device, threads=given.threads)
        asked = requests(given.statements, given.orders, given.answers, given.options)
        sample = random.Random(0).sample(asked, min(given.sample, len(asked)))
        tokens = [len(model._text.prompt(request.prompt)) for request in sample]
        tree_s(model, sample[:3])
        print(
            f"{given.shape} random Llama, {model.info.details['device']}, {model.info.details['dtype']}, load {os.getloadavg()[0]:.1f}"
        )
        print(
            f"{len(asked)} prompts of {sum(tokens) / len(tokens):.0f} tokens, {given.options} options ({given.answers})"
        )
        first, said = tree_s(model, asked)
        plain_s, size, plain = best_of(given.sizes, lambda rows: passes_s(model, sample, rows))
        again, _ = tree_s(model, asked)
        tree = each(min(first, again), len(asked))
        print(f"prefix tree      {tree[0]:8.2f} ms a prompt, {tree[1]:8.2f} of processors")
        report("a pass for each", each(plain_s, len(sample)), tree, size, len(sample), disagreement(said, plain))
        if not given.peer_python:
            print("lm-eval          not installed: name an interpreter that has it with --peer-python")
            return
        peer, size, theirs = peer_s(given.peer_python, folder, sample, model, given.sizes, given.threads)
        report("lm-eval", each(peer, len(sample)), tree, size, len(sample), disagreement(said, theirs))


def report(name: str, other: Seconds, tree: Seconds, size: int, prompts: int, apart: float) -> None:
    """One way beside the tree."""
    print(
        f"{name:16} {other[0]:8.2f} ms a prompt, {other[1]:8.2f} of processors (batches of {size}, {prompts} prompts)"
    )
    print(
        f"  the tree is {other[0] / tree[0]:.1f} × as fast ({other[1] / tree[1]:.1f} × by processors); apart by {apart:.1e} nats at most"
    )


if __name__ == "__main__":
    main()
