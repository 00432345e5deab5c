"""Generate: the engine beside the library's plain `generate` at its best batch size, on a small Llama with random weights.

Prompts of very different lengths, all with the same limit, which random weights nearly always reach. Plain `generate` gets them sorted by
length and padded on the left, with the tokens ready made, at each of several batch sizes; the engine gets text and finds its own.
Both are given as tokens written a second, by the wall and by the processors (a busy machine stretches the first).

    python benchmarks/transformers_generate.py [--requests 96] [--tokens 48] [--shape 30m|135m|7b] [--device cuda]
"""

from __future__ import annotations

import argparse
import os
import random
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from transformers_random import save_random_llama

from alignsuite.models.engines.transformers.engine import TransformersModel, open_transformers
from alignsuite.models.protocol import Generate, Generated

TEXT = "please tell me how a baker keeps bread fresh when the weather is warm and nobody comes to buy any of it before noon"
WORDS = TEXT.split()


def requests(count: int, tokens: int) -> list[Generate]:
    """Prompts of 8 to 120 words."""
    chance = random.Random(0)
    return [
        Generate(" ".join(chance.choices(WORDS, k=chance.randint(8, 120))), max_tokens=tokens, seed=n)
        for n in range(count)
    ]


def clocks() -> tuple[float, float]:
    """Wall and processor time now."""
    return time.perf_counter(), time.process_time()


def engine(model: TransformersModel, asked: Sequence[Generate]) -> tuple[int, float, float]:
    """Tokens written, wall seconds, processor seconds."""
    start = clocks()
    replies = [reply for _, reply in model.answer(asked)]
    end = clocks()
    assert all(isinstance(reply, Generated) for reply in replies), replies
    return (
        sum(reply.completion_tokens for reply in replies if isinstance(reply, Generated)),
        end[0] - start[0],
        end[1] - start[1],
    )


def plain(model: TransformersModel, asked: Sequence[Generate], size: int) -> tuple[int, float, float]:
    """The same for `generate` in batches of `size`."""
    import torch

    weights: Any = model._weights()._model
    prompts = sorted((model._text.prompt(request.prompt) for request in asked), key=len)
    written = 0
    start = clocks()
    for first in range(0, len(prompts), size):
        batch = prompts[first : first + size]
        width = max(map(len, batch))
        ids = torch.tensor([[1] * (width - len(row)) + row for row in batch], device=weights.device)
        mask = torch.tensor([[0] * (width - len(row)) + [1] * len(row) for row in batch], device=weights.device)
        with torch.inference_mode():
            found = weights.generate(
                input_ids=ids,
                attention_mask=mask,
                max_new_tokens=asked[0].max_tokens,
                do_sample=False,
                eos_token_id=1,
                pad_token_id=1,
            )
        written += int((found[:, width:] != 1).sum())
    end = clocks()
    return written, end[0] - start[0], end[1] - start[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=96)
    parser.add_argument("--tokens", type=int, default=48)
    parser.add_argument("--shape", choices=("30m", "135m", "7b"), default="30m")
    parser.add_argument("--sizes", type=int, nargs="+", default=[8, 16, 32, 64])
    parser.add_argument("--device")
    parser.add_argument("--threads", type=int)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        folder = save_random_llama(Path(home) / "model", given.shape, [TEXT])
        model = open_transformers(folder, cache=Path(home), form="raw", device=given.device, threads=given.threads)
        asked = requests(given.requests, given.tokens)
        engine(model, asked[:4])
        print(
            f"{given.shape} random Llama, {model.info.details['device']}, {model.info.details['dtype']}, load {os.getloadavg()[0]:.1f}"
        )
        runs = []
        for size in given.sizes:
            tokens, wall, processor = plain(model, asked, size)
            runs.append((tokens / wall, tokens / processor))
            print(
                f"plain generate, {size:3} rows: {tokens / wall:8.1f} tokens/s, {tokens / processor:8.1f} a processor second"
            )
            tokens, wall, processor = engine(model, asked)
            print(
                f"  engine               : {tokens / wall:8.1f} tokens/s, {tokens / processor:8.1f} a processor second"
            )
            runs[-1] += (tokens / wall, tokens / processor)
        by_wall, by_processor = (max(run[at + 2] for run in runs) / max(run[at] for run in runs) for at in (0, 1))
        print(f"engine over plain generate at its best: {by_wall:.2f} (by processors {by_processor:.2f})")


if __name__ == "__main__":
    main()
