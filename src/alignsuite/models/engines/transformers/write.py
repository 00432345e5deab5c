"""Batched generation: text for prompts of like length, each row decoded as if it were alone.

The library's own `generate` does the work, greedily. A request with a temperature is sampled inside the same batch: Gumbel noise
from a generator of its own is added to its row, and the largest sum of both is a draw from the softmax. So a sample depends on the
request's seed and not on its neighbours. A row is done at an end token, at one of its stop strings or at its own limit;
what `generate` adds to it afterwards, while others go on, is left off.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from alignsuite.models.engines.transformers.score import padded_right
from alignsuite.models.protocol import Generate, request_key

if TYPE_CHECKING:
    import torch
    from torch import Tensor
    from transformers import PreTrainedModel


@dataclass(frozen=True, slots=True)
class Job:
    """Tokenized Generate request; its reply may take `thinking` tokens on top of the request's own."""

    request: Generate
    prompt: list[int]
    thinking: int = 0

    @property
    def limit(self) -> int:
        """Limit of the reply, in tokens."""
        return self.request.max_tokens + self.thinking


@dataclass(frozen=True, slots=True)
class Written:
    """Generated tokens of one row, an end token included; `broken` where its numbers were no numbers."""

    tokens: list[int]
    finish: Literal["stop", "length"]
    broken: bool


@dataclass(frozen=True, slots=True)
class Ends:
    """End-of-text, padding and opening token ids.

    `opening` are those that a decoder of an encoder-decoder model begins with.
    """

    stop: tuple[int, ...]
    pad: int
    opening: tuple[int, ...] = ()


def write(
    model: PreTrainedModel,
    jobs: Sequence[Job],
    ends: Ends,
    *,
    decode: Callable[[Sequence[int]], str],
    stopped: Callable[[], None],
) -> list[Written]:
    """Generated tokens of each job, as `Written`, all in one batch; `stopped` raises when nobody wants it any more."""
    import torch
    from transformers import GenerationConfig, LogitsProcessorList, StoppingCriteriaList

    prompts = [job.prompt for job in jobs]
    if ends.opening:
        ids, mask = padded_right(prompts, model.device)
        first = len(ends.opening)
        given = {"decoder_input_ids": torch.tensor([ends.opening] * len(jobs), device=model.device)}
    else:
        ids, mask = padded_left(prompts, ends.pad, model.device)
        first, given = ids.shape[1], {}
    rows = _Rows(jobs, ends, first, model.device, decode, stopped)
    config = GenerationConfig(
        max_new_tokens=max(job.limit for job in jobs),
        do_sample=False,
        num_beams=1,
        pad_token_id=ends.pad,
        decoder_start_token_id=ends.opening[0] if ends.opening else None,
        use_cache=True,
    )
    with torch.inference_mode():
        output = model.generate(
            input_ids=ids,
            attention_mask=mask,
            generation_config=config,
            logits_processor=LogitsProcessorList([rows.scores]),
            stopping_criteria=StoppingCriteriaList([rows.ended]),
            **given,
        )
    return rows.written(output)


class _Rows:
    """Decoding state of each row of a batch. Kept on the device: nothing waits for it at every token."""

    def __init__(
        self,
        jobs: Sequence[Job],
        ends: Ends,
        first: int,
        device: torch.device,
        decode: Callable[[Sequence[int]], str],
        stopped: Callable[[], None],
    ) -> None:
        import torch

        self._jobs, self._first, self._decode, self._stopped = jobs, first, decode, stopped
        self._limits = torch.tensor([job.limit for job in jobs], device=device)
        self._stop = torch.tensor(ends.stop, device=device, dtype=torch.long)
        self._lengths = torch.zeros(len(jobs), dtype=torch.long, device=device)  # 0 while a row goes on
        self._at_end = torch.zeros(len(jobs), dtype=torch.bool, device=device)
        self._broken = torch.zeros(len(jobs), dtype=torch.bool, device=device)
        self._noise = {row: _generator(job.request) for row, job in enumerate(jobs) if job.request.temperature > 0}

    def scores(self, ids: Tensor, scores: Tensor) -> Tensor:
        """Logits to choose from: notes rows that are no numbers, and adds noise to those that are sampled."""
        import torch

        self._broken |= scores.sum(-1).isnan()
        for row, generator in self._noise.items():
            uniform = torch.rand(scores.shape[-1], generator=generator, dtype=torch.float64).clamp_(min=1e-300)
            gumbel = -torch.log(-torch.log(uniform))
            scores[row] = scores[row] / self._jobs[row].request.temperature + gumbel.to(scores)
        return scores

    def ended(self, ids: Tensor, scores: Tensor, **_: object) -> Tensor:
        """Stopping criterion: which rows are done after the newest token."""
        import torch

        self._stopped()
        length = ids.shape[1] - self._first
        at_end = torch.isin(ids[:, -1], self._stop) | self._at_stop_string(ids)
        now = (self._lengths == 0) & (at_end | (self._limits <= length) | self._broken)
        self._at_end |= now & at_end
        self._lengths = torch.where(now, length, self._lengths)
        return self._lengths > 0

    def written(self, output: Tensor) -> list[Written]:
        """Generated tokens of each row, up to its own end."""
        found = zip(
            output[:, self._first :].tolist(),
            self._lengths.tolist(),
            self._at_end.tolist(),
            self._broken.tolist(),
            strict=True,
        )
        return [
            Written(tokens[:length], "stop" if stop else "length", broken) for tokens, length, stop, broken in found
        ]

    def _at_stop_string(self, ids: Tensor) -> Tensor:
        import torch

        hits = torch.zeros(len(self._jobs), dtype=torch.bool)
        for row, job in enumerate(self._jobs):
            if job.request.stop and not self._lengths[row]:
                reach = 4 * max(map(len, job.request.stop)) + 4  # a character takes four tokens at most
                text = self._decode(ids[row, self._first :][-reach:].tolist())
                hits[row] = any(stop in text for stop in job.request.stop if stop)
        return hits.to(ids.device)


def before_stop(text: str, stop: Sequence[str]) -> tuple[str, bool]:
    """Text before the first stop string, and whether there was one.

    >>> before_stop("one. two. three", ["three", ". "])
    ('one', True)
    """
    found = [place for place in (text.find(one) for one in stop if one) if place >= 0]
    return (text[: min(found)], True) if found else (text, False)


def _generator(request: Generate) -> torch.Generator:
    """Random generator on the CPU, so that a sample is the same draw on every device."""
    import torch

    return torch.Generator().manual_seed(int(request_key(request)[:15], 16))


def padded_left(rows: Sequence[list[int]], pad: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Left-padded token ids in a rectangle that ends where the rows end, and its mask."""
    import torch

    width = max(map(len, rows))
    ids = torch.tensor([[pad] * (width - len(row)) + row for row in rows], device=device)
    mask = torch.tensor([[0] * (width - len(row)) + [1] * len(row) for row in rows], device=device)
    return ids, mask
