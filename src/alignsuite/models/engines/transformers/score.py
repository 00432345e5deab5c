"""Option log-likelihoods from a Transformers model, exact.

`PackedScorer` reads the tree of all prompts (see `transformers.tree`) in packed passes and keeps the path that the next wave may share.
It needs a model that attends where a mask says; a sliding window, a state-space layer or a position bias of its own may not, so
`packing_agrees` tries it once on the loaded weights, and `PlainScorer`, a pass over each prompt and option, stands in. `PairScorer` is for
encoder-decoder models: the encoder reads each prompt once, the decoder each option.

All sum float32 log-probabilities, whatever type the weights have. A result is NaN where the model's own numbers are.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Protocol, TypeVar

from alignsuite.models.engines.option_tree import OptionTokens
from alignsuite.models.engines.transformers.memory import Halving
from alignsuite.models.engines.transformers.tree import Tree, build_tree

if TYPE_CHECKING:
    import torch
    from torch import Tensor
    from transformers import DynamicCache, PreTrainedModel

_ROWS_AT_ONCE = 256  # of vocabulary-wide float32 numbers
ENCODED_AT_ONCE = 8192
"""Tokens that an encoder reads at once: it keeps a number for each pair of them and each head."""

Row = TypeVar("Row")
Result = TypeVar("Result")


class Scorer(Protocol):
    """Scorer of options: the log-likelihoods of each request's options."""

    def score(self, found: Sequence[OptionTokens]) -> list[list[float]]:
        """Log-likelihoods, natural and not normalised; one list for each request."""
        ...

    def forget(self) -> None:
        """Drop what was kept from earlier requests."""
        ...


class PackedScorer:
    """Packed scorer: passes over chunks of the common token tree of a wave of requests."""

    def __init__(self, model: PreTrainedModel, *, chunk: int, stopped: Callable[[], None] = lambda: None) -> None:
        self._model, self._stopped = model, stopped
        self._chunk = Halving(chunk)
        self._selects = _selects_logits(model)
        self._cache_argument = (
            "cache" if _takes(model, "cache") else "past_key_values"
        )  # its name before Transformers 5.24
        self.forget()

    def forget(self) -> None:
        """Drop the cached path."""
        self._cache: DynamicCache | None = None
        self._warm: list[int] = []

    def score(self, found: Sequence[OptionTokens]) -> list[list[float]]:
        """Log-likelihoods from one walk over the tree; see `Scorer.score`."""
        tree = build_tree(found, self._warm)
        self._trim(list(range(tree.warm)))
        held, seen = list(range(tree.warm)), dict[tuple[int, int], float]()
        start = tree.warm
        try:
            while start < len(tree.tokens):
                self._stopped()
                end = min(start + self._chunk.size, len(tree.tokens))
                try:
                    seen.update(self._pass(tree, held, start, end))
                except RuntimeError as error:  # as torch says that memory is full; any other is raised again
                    self._chunk.shrink_or_raise(error, end - start)
                    self._trim(list(range(len(held))))  # layers before the one that failed have grown
                    continue
                held = self._keep(tree, held, start, end)
                start = end
        except BaseException:  # Ctrl-C too: half a path must not be taken for a whole one by the next wave
            self.forget()
            raise
        self._warm = [tree.tokens[node] for node in held]
        return [[math.fsum(seen[step] for step in option) for option in request] for request in tree.steps]

    def _pass(self, tree: Tree, held: list[int], start: int, end: int) -> Iterator[tuple[tuple[int, int], float]]:
        import torch
        from transformers import DynamicCache

        device, dtype = self._model.device, self._model.dtype
        mask = torch.from_numpy(tree.mask(held, start, end)).to(device)
        wanted = [node for node in range(start, end) if tree.looks[node]]
        rows = torch.tensor([node - start for node in wanted], device=device)
        if self._cache is None:
            self._cache = DynamicCache()
        only = {"logits_to_keep": rows if wanted else 1} if self._selects else {}
        with torch.inference_mode():
            logits = self._model(
                input_ids=torch.tensor([tree.tokens[start:end]], device=device),
                attention_mask=torch.zeros(mask.shape, dtype=dtype, device=device).masked_fill_(
                    ~mask, torch.finfo(dtype).min
                )[None, None],
                position_ids=torch.tensor([tree.depths[start:end]], device=device),
                use_cache=True,
                **{self._cache_argument: self._cache},
                **only,
            ).logits[0]
            if not wanted:
                return iter(())
            pairs = [(row, token) for row, node in enumerate(wanted) for token in tree.looks[node]]
            values = log_probs(logits if self._selects else logits[rows], pairs)
        return zip(((wanted[row], token) for row, token in pairs), values, strict=True)

    def _keep(self, tree: Tree, held: list[int], start: int, end: int) -> list[int]:
        """Token path that the next chunk begins with, kept in the cache; nothing later can see the rest."""
        path = tree.path(tree.parents[end] if end < len(tree.tokens) else end - 1)
        place = {node: position for position, node in enumerate(held)}
        self._trim([place[node] if node < start else len(held) + node - start for node in path])
        return path

    def _trim(self, places: list[int]) -> None:
        """Keep these places of the cache, in this order."""
        import torch

        if self._cache is None:
            return
        if not places:
            self._cache = None
            return
        index = torch.tensor(places, device=self._model.device)
        for layer in self._cache.layers:
            if layer.is_initialized:
                layer.keys, layer.values = layer.keys.index_select(2, index), layer.values.index_select(2, index)


class PlainScorer:
    """Plain scorer: a row for each option's tokens but the last, padded on the right, nothing shared.

    Every causal model can do it.
    """

    def __init__(self, model: PreTrainedModel, *, rows: int = 32, stopped: Callable[[], None] = lambda: None) -> None:
        self._model, self._stopped = model, stopped
        self._rows = Halving(rows)
        self._selects = _selects_logits(model)

    def forget(self) -> None:
        """Nothing is kept."""

    def score(self, found: Sequence[OptionTokens]) -> list[list[float]]:
        """Log-likelihoods, option by option; see `Scorer.score`."""
        return [self._of_request(split) for split in found]

    def _of_request(self, split: OptionTokens) -> list[float]:
        first = len(split.prompt) - 1
        behind: dict[tuple[int, ...], list[int]] = {}  # options that differ in their last token alone are one row
        for place, option in enumerate(split.options):
            behind.setdefault(tuple(option[:-1]), []).append(place)

        def totals(rows: Sequence[tuple[int, ...]]) -> list[dict[int, float]]:
            import torch

            ids, _ = padded_right([[*split.prompt, *row] for row in rows], self._model.device)
            wanted = torch.arange(first, ids.shape[1], device=ids.device)
            only = {"logits_to_keep": wanted} if self._selects else {}  # all of a long prompt's would fill the memory
            with torch.inference_mode():
                logits = self._model(input_ids=ids, use_cache=False, **only).logits
                tail = logits if self._selects else logits[:, wanted]
                return [
                    {place: _along(tail[number], split.options[place]) for place in behind[row]}
                    for number, row in enumerate(rows)
                ]

        found = in_batches(list(behind), self._rows, totals, self._stopped)
        scores = {place: value for row in found for place, value in row.items()}
        return [scores[place] for place in range(len(split.options))]


class PairScorer:
    """Encoder-decoder scorer: each prompt is encoded once, its options are decoded beside each other.

    `opening` are the tokens that every answer of the decoder begins with.
    """

    def __init__(
        self, model: PreTrainedModel, *, opening: list[int], rows: int = 64, stopped: Callable[[], None] = lambda: None
    ) -> None:
        self._model, self._opening, self._stopped = model, opening, stopped
        self._rows = Halving(rows)

    def forget(self) -> None:
        """Nothing is kept."""

    def score(self, found: Sequence[OptionTokens]) -> list[list[float]]:
        """Log-likelihoods from batches of prompts; see `Scorer.score`."""
        order = sorted(range(len(found)), key=lambda index: len(found[index].prompt))
        results = in_batches(
            [found[index] for index in order],
            self._rows,
            self._of_prompts,
            self._stopped,
            length=lambda split: len(split.prompt),
        )
        return [scores for _, scores in sorted(zip(order, results, strict=True))]

    def _of_prompts(self, found: Sequence[OptionTokens]) -> list[list[float]]:
        import torch

        with torch.inference_mode():
            ids, mask = padded_right([split.prompt for split in found], self._model.device)
            states = self._model.get_encoder()(input_ids=ids, attention_mask=mask).last_hidden_state
            rows = [(prompt, option) for prompt, split in enumerate(found) for option in split.options]
            totals: list[float] = []
            step = max(1, min(self._rows.size, 4 * ENCODED_AT_ONCE // mask.shape[1]))
            for first in range(0, len(rows), step):
                totals += self._of_options(states, mask, rows[first : first + step])
        left = iter(totals)
        return [[next(left) for _ in split.options] for split in found]

    def _of_options(self, states: Tensor, mask: Tensor, rows: Sequence[tuple[int, list[int]]]) -> list[float]:
        import torch
        from transformers.modeling_outputs import BaseModelOutput

        whose = torch.tensor([prompt for prompt, _ in rows], device=self._model.device)
        ids, _ = padded_right([[*self._opening, *option[:-1]] for _, option in rows], self._model.device)
        logits = self._model(
            encoder_outputs=BaseModelOutput(last_hidden_state=states[whose]),
            attention_mask=mask[whose],
            decoder_input_ids=ids,
            use_cache=False,
        ).logits
        first = len(self._opening) - 1
        return [_along(logits[row, first:], option) for row, (_, option) in enumerate(rows)]


def in_batches(
    rows: Sequence[Row],
    size: Halving,
    work: Callable[[Sequence[Row]], Sequence[Result]],
    stopped: Callable[[], None],
    *,
    length: Callable[[Row], int] | None = None,
) -> list[Result]:
    """Batched results: the work's for all rows, as many at once as memory takes.

    With `length`, no more tokens than are encoded at once.
    """
    results: list[Result] = []
    while len(results) < len(rows):
        stopped()
        batch = rows[len(results) : len(results) + size.size]
        if length is not None:
            batch = batch[: max(1, ENCODED_AT_ONCE // max(map(length, batch)))]
        try:
            results += work(batch)
        except RuntimeError as error:  # as torch says that memory is full; any other is raised again
            size.shrink_or_raise(error, len(batch))
    return results


def _selects_logits(model: PreTrainedModel) -> bool:
    """Whether the model computes the logits of chosen places only."""
    return _takes(model, "logits_to_keep")


def _takes(model: PreTrainedModel, argument: str) -> bool:
    return argument in inspect.signature(model.forward).parameters


def padded_right(rows: Sequence[list[int]], device: torch.device) -> tuple[Tensor, Tensor]:
    """Right-padded token ids in a rectangle, and its mask. What stands in the padding is never seen."""
    import torch

    width = max(map(len, rows))
    ids = torch.tensor([row + [0] * (width - len(row)) for row in rows], device=device)
    mask = torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row in rows], device=device)
    return ids, mask


def log_probs(logits: Tensor, pairs: Sequence[tuple[int, int]]) -> list[float]:
    """Token log-probabilities: of a token in a row of logits, for each (row, token); rows come in order."""
    import torch

    found: list[float] = []
    position = 0
    for first in range(0, len(logits), _ROWS_AT_ONCE):
        normal = torch.log_softmax(logits[first : first + _ROWS_AT_ONCE].float(), dim=-1)
        here = position
        while position < len(pairs) and pairs[position][0] < first + _ROWS_AT_ONCE:
            position += 1
        index = torch.tensor(pairs[here:position], device=logits.device).reshape(-1, 2)
        found += normal[index[:, 0] - first, index[:, 1]].tolist()
    return found


def _along(logits: Tensor, tokens: Sequence[int]) -> float:
    """Log-likelihood of tokens that the first rows of logits foretell, one by one."""
    return math.fsum(log_probs(logits[: len(tokens)], list(enumerate(tokens))))
