"""Batch effect: how much a reply depends on what it is batched with, as the `BatchFloor` of a model here.

Sums of many numbers depend on their order, and the order on how many rows are computed at once. What is measured here is the
largest change of a log-probability, and the share of texts that differ, between asking each request alone and asking all together.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from alignsuite.errors import RequestError
from alignsuite.models.protocol import Choose, Chosen, Generate, Generated, Reply, Request

Answer = Callable[[Iterable[Request]], Iterator[tuple[Request, Reply | RequestError]]]

_OPENING = "Some things that people say about their work and their days."
_SUBJECTS = (
    "The baker",
    "A neighbour of ours",
    "My old teacher",
    "The driver of the night train",
    "Somebody in the queue",
)
_ENDINGS = (" is early", " never complains about the weather", " was asked what matters most, and")


@dataclass(frozen=True, slots=True)
class BatchFloor:
    """Batch effect on replies: the floating-point floor below which differences mean nothing.

    `log_prob` is the largest difference of a log-probability, in nats, over `options` options; `text` the share of `texts` replies that
    differ, in [0, 1]. NaN where nothing of that kind could be measured.
    """

    log_prob: float
    text: float
    options: int
    texts: int


def batch_floor(answer: Answer, forget: Callable[[], None], requests: Sequence[Request] | None = None) -> BatchFloor:
    """Batch effect, measured: each request is asked alone, with nothing kept from the one before, then all together.

    Without requests thirty short ones of our own are asked. Requests that fail either way are left out.
    """
    asked = list(dict.fromkeys(requests if requests is not None else usual_requests()))
    alone: dict[Request, Reply | RequestError] = {}
    for request in asked:
        forget()
        alone |= dict(answer([request]))
    forget()
    together = dict(answer(asked))
    pairs = [(alone[request], together[request]) for request in asked]
    changes = [
        abs(one - other)
        for first, second in pairs
        if isinstance(first, Chosen) and isinstance(second, Chosen)
        for one, other in zip(first.log_probs, second.log_probs, strict=True)
        if math.isfinite(one) and math.isfinite(other)
    ]
    differ = [
        first.text != second.text
        for first, second in pairs
        if isinstance(first, Generated) and isinstance(second, Generated)
    ]
    return BatchFloor(
        max(changes, default=math.nan), sum(differ) / len(differ) if differ else math.nan, len(changes), len(differ)
    )


def usual_requests() -> list[Request]:
    """Benchmark requests: fifteen choices and fifteen texts over prompts of different lengths."""
    prompts = [f"{_OPENING * (1 + place % 3)} {who}{what}" for place, who in enumerate(_SUBJECTS) for what in _ENDINGS]
    choices = [Choose(prompt, (" today.", " in the morning", " because of the rain, perhaps.")) for prompt in prompts]
    return [*choices, *(Generate(prompt, max_tokens=24) for prompt in prompts)]
