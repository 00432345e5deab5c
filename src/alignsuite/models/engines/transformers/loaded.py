"""Loaded checkpoint: weights in memory, and the ways of asking them that were found to be right for them.

Two short-cuts are tried on the loaded weights before they are used: packed passes with a mask for Choose, and padding for Generate. An
architecture for which one of them changes the answers is asked the long way round.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from alignsuite.errors import RequestError
from alignsuite.models.engines.option_tree import OptionTokens
from alignsuite.models.engines.spellings import added_up
from alignsuite.models.engines.transformers.continuous import WORTH_IT, is_available, write_continuously
from alignsuite.models.engines.transformers.memory import Halving, rows_that_fit
from alignsuite.models.engines.transformers.score import ENCODED_AT_ONCE, PackedScorer, PairScorer, PlainScorer, Scorer
from alignsuite.models.engines.transformers.text import TokenText
from alignsuite.models.engines.transformers.trial import packing_agrees, padding_agrees
from alignsuite.models.engines.transformers.write import Ends, Job, Written, before_stop, write
from alignsuite.models.protocol import Choose, Chosen, Generated, Reply

if TYPE_CHECKING:
    from transformers import PreTrainedModel

_ON_CPU, _ON_GPU = 32, 128  # rows of a batch
_CHUNK_CPU, _CHUNK_GPU = 512, 2048  # tokens of a packed pass
_SIZES = (
    "num_hidden_layers", "num_attention_heads", "num_key_value_heads", "hidden_size", "head_dim", "vocab_size",
    "sliding_window", "attention_chunk_size",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Choice:
    """Tokenized Choose request."""

    request: Choose
    found: OptionTokens


class Loaded:
    """Loaded checkpoint that answers batches of one kind. `stopped` raises when nobody wants the answers any more."""

    def __init__(self, model: PreTrainedModel, text: TokenText, ends: Ends, *, stopped: Callable[[], None]) -> None:
        self._model, self._text, self._ends, self._stopped = model, text, ends, stopped
        config = model.config.get_text_config()
        on_cpu = model.device.type == "cpu"
        self._config: Mapping[str, object] = {name: getattr(config, name, None) for name in _SIZES}
        self.rows = Halving(_ON_CPU if on_cpu else _ON_GPU)
        self._window = _window(self._config)
        self._plain: Scorer = PlainScorer(model, stopped=stopped)
        self._scorer: Scorer = self._plain
        self.pads = True
        self.continuous = is_available(model) and not ends.opening
        if ends.opening:
            self._scorer = PairScorer(model, opening=list(ends.opening), stopped=stopped)
            return
        packed = PackedScorer(model, chunk=_CHUNK_CPU if on_cpu else _CHUNK_GPU, stopped=stopped)
        vocabulary = int(config.vocab_size)
        if packing_agrees(packed, self._plain, vocabulary):
            self._scorer = packed
        self.pads = padding_agrees(model, ends, vocabulary)

    @property
    def shares_prefixes(self) -> bool:
        """Whether prompts that begin alike are read once."""
        return isinstance(self._scorer, PackedScorer)

    def forget(self) -> None:
        """Drop what is kept between batches."""
        self._scorer.forget()

    def choose(self, choices: Sequence[Choice]) -> list[Reply | RequestError]:
        """Option log-likelihoods of all choices, from one walk over their common tree."""
        start = time.perf_counter()
        scores = self._scores([choice.found for choice in choices])
        seconds = (time.perf_counter() - start) / len(choices)
        return [self._chosen(choice.found, values, seconds) for choice, values in zip(choices, scores, strict=True)]

    def generate(self, jobs: Sequence[Job]) -> list[Reply | RequestError]:
        """Generated texts of all jobs; fewer at once where memory asks for it."""
        if not self.continuous or len(jobs) < WORTH_IT:
            return self._in_batches(jobs)
        start = time.perf_counter()
        try:
            written = write_continuously(self._model, jobs, self._ends, stopped=self._stopped)
        except (RuntimeError, ValueError, NotImplementedError):
            self.continuous = False  # an attention or cache that it does not know: the library has logged it
            return self._in_batches(jobs)
        seconds = (time.perf_counter() - start) / len(jobs)
        others = iter(self._in_batches([job for job, one in zip(jobs, written, strict=True) if one is None]))
        return [
            self._generated(job, one, seconds) if one else next(others) for job, one in zip(jobs, written, strict=True)
        ]

    def _in_batches(self, jobs: Sequence[Job]) -> list[Reply | RequestError]:
        replies: list[Reply | RequestError] = []
        while len(replies) < len(jobs):
            self._stopped()
            batch = jobs[len(replies) : len(replies) + self._fitting(jobs[len(replies) :])]
            start = time.perf_counter()
            try:
                written = write(self._model, batch, self._ends, decode=self._text.decode, stopped=self._stopped)
            except RuntimeError as error:  # as torch says that memory is full; any other is raised again
                try:
                    self.rows.shrink_or_raise(error, len(batch))
                except RequestError as alone:
                    replies.append(alone)
                continue
            seconds = (time.perf_counter() - start) / len(batch)
            replies += [self._generated(job, one, seconds) for job, one in zip(batch, written, strict=True)]
        return replies

    def _fitting(self, jobs: Sequence[Job]) -> int:
        near = jobs[: self.rows.size]
        if self._ends.opening:
            return min(self.rows.size, max(1, ENCODED_AT_ONCE // max(len(job.prompt) for job in near)))
        if self._model.device.type != "cpu":
            return self.rows.size
        longest = max(len(job.prompt) + job.limit for job in near)
        return min(self.rows.size, rows_that_fit(self._config, longest, self._model.dtype.itemsize))

    def _scores(self, found: Sequence[OptionTokens]) -> list[list[float] | RequestError]:
        """Option scores of a wave of requests.

        Those that are no numbers, or did not fit, are asked again alone: one must not spoil its neighbours.
        """
        scorer = self._plain if self._beyond_window(found) else self._scorer
        try:
            scores: list[list[float] | RequestError] = list(scorer.score(found))
        except RequestError as error:
            scores = [error for _ in found]
        spoiled = [
            index
            for index, values in enumerate(scores)
            if isinstance(values, RequestError) or any(map(math.isnan, values))
        ]
        if spoiled:
            scorer.forget()
        if len(found) > 1:
            for index in spoiled:
                (scores[index],) = self._scores([found[index]])
        return scores

    def _beyond_window(self, found: Sequence[OptionTokens]) -> bool:
        """Whether a request is longer than the model's sliding window.

        A packed mask shows all of a path, and such a model must not see more than its window.
        """
        return self._window is not None and self.shares_prefixes and max(map(_length, found)) > self._window

    def _chosen(self, found: OptionTokens, values: list[float] | RequestError, seconds: float) -> Reply | RequestError:
        if isinstance(values, RequestError):
            return values
        if any(map(math.isnan, values)):
            return _broken()
        values = added_up(found, values)
        return Chosen(
            tuple(min(value, 0.0) for value in values),
            exact=float("-inf") not in values,
            prompt_tokens=len(found.prompt),
            completion_tokens=sum(len(found.options[place]) for place in found.own),
            seconds=seconds,
        )

    def _generated(self, job: Job, written: Written, seconds: float) -> Reply | RequestError:
        if written.broken:
            return _broken()
        text, cut = before_stop(self._text.answer(job.prompt, written.tokens), job.request.stop)
        return Generated(
            self._text.opening(job.request.prompt) + text,
            finish="stop" if cut else written.finish,
            prompt_tokens=len(job.prompt),
            completion_tokens=len(written.tokens),
            seconds=seconds,
        )


def _length(found: OptionTokens) -> int:
    return len(found.prompt) + max(map(len, found.options))


def _window(config: Mapping[str, object]) -> int | None:
    found = [config.get(name) for name in ("sliding_window", "attention_chunk_size")]
    return min((one for one in found if isinstance(one, int) and one > 0), default=None)


def _broken() -> RequestError:
    return RequestError(
        "bad_answer",
        "the model's numbers are NaN for this prompt: its weights are broken, or too large for this type of number; look at the "
        "checkpoint's last training loss, or run it in float32 with --align-device=cpu",
    )
