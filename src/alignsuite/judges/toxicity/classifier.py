"""Runs a converted checkpoint over texts: sorted by length, in padded batches, long texts in overlapping windows.

The only module of the toxicity judges that computes with torch. Scores of a text depend on what it is batched with by rounding only
(a test holds them within 1e-5).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alignsuite.errors import JudgeError
from alignsuite.judges.toxicity.checkpoint import WEIGHTS, read_origin
from alignsuite.judges.toxicity.releases import Release

_LONGEST = 512
_OVERLAP = 64
_BATCH = 32
_BATCH_TOKENS = 8192


class Classifier:
    """A checkpoint in memory, on one device.

    Raises:
        JudgeError: its folder was changed, its weights don't fit its configuration, or torch has no such device.
    """

    def __init__(self, folder: Path, release: Release, device: str) -> None:
        import torch

        origin = read_origin(folder, release)
        self.classes = origin.classes
        self._model = _loaded(folder, release.architecture)
        config = self._model.config
        self._pad = int(config.pad_token_id or 0)
        # RoBERTa's kin count positions from the padding's number on.
        skipped = self._pad + 1 if "roberta" in config.model_type else 0
        self._tokenizer = _tokenizer(folder, min(_LONGEST, int(config.max_position_embeddings) - skipped))
        try:
            self._device = torch.device(device)
            self._model = self._model.to(self._device).eval()
        except (RuntimeError, AssertionError) as error:
            first = str(error).split("\n", maxsplit=1)[0]
            raise JudgeError(
                f"the judge `detoxify` can't run on `{device}` ({first}); wanted cpu, or a device that torch sees"
            ) from error

    def scores(self, texts: Sequence[str]) -> list[list[float]]:
        """For each text the probabilities of `classes`, in their order; of a long text, each class's largest over its windows."""
        windows = [(ids, number) for number, text in enumerate(texts) for ids in self._windows(text)]
        windows.sort(key=lambda window: len(window[0]))
        found = [[0.0] * len(self.classes) for _ in texts]
        for batch in _batches(windows):
            for (_, number), row in zip(batch, self._run([ids for ids, _ in batch]), strict=True):
                found[number] = [max(pair) for pair in zip(found[number], row, strict=True)]
        return found

    def _windows(self, text: str) -> list[list[int]]:
        encoded = self._tokenizer.encode(text)
        return [list(one.ids) for one in (encoded, *encoded.overflowing)]

    def _run(self, rows: Sequence[list[int]]) -> list[list[float]]:
        import torch

        width = max(map(len, rows))
        ids = torch.tensor([row + [self._pad] * (width - len(row)) for row in rows], device=self._device)
        mask = torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row in rows], device=self._device)
        with torch.inference_mode():
            logits = self._model(input_ids=ids, attention_mask=mask).logits
        # Outputs behind the named classes tell which identity is mentioned; nobody is judged by that.
        probabilities: list[list[float]] = torch.sigmoid(logits[:, : len(self.classes)].float()).cpu().tolist()
        return probabilities


def _batches(windows: Sequence[tuple[list[int], int]]) -> Iterator[Sequence[tuple[list[int], int]]]:
    """Portions of windows sorted by length, none with more tokens, padding included, than fit."""
    start = 0
    while start < len(windows):
        end = start + 1
        while end < len(windows) and end - start < _BATCH and (end - start + 1) * len(windows[end][0]) <= _BATCH_TOKENS:
            end += 1
        yield windows[start:end]
        start = end


def _loaded(folder: Path, architecture: str) -> Any:  # noqa: ANN401 - types of torch are not read
    import torch
    import transformers

    kind = getattr(transformers, architecture)
    names = {number: f"output {number}" for number in range(_outputs(folder))}
    config = kind.config_class.from_pretrained(
        folder, id2label=names, label2id={name: at for at, name in names.items()}
    )
    with _silent():
        model, told = kind.from_pretrained(
            folder,
            config=config,
            dtype=torch.float32,
            use_safetensors=True,
            local_files_only=True,
            ignore_mismatched_sizes=True,  # told below, together with the others
            output_loading_info=True,
        )
    wrong = sorted(str(name) for key in ("missing_keys", "unexpected_keys", "mismatched_keys") for name in told[key])
    if wrong:
        raise JudgeError(
            f"{folder}: weights and config.json don't fit each other ({len(wrong)} tensors, the first {wrong[0]}); remove the folder, "
            "and see that config.json is that of the encoder which the checkpoint was tuned from"
        )
    return model


def _outputs(folder: Path) -> int:
    """How many classes the weights tell apart: the length of the last bias of the classifier."""
    from safetensors import safe_open

    with safe_open(folder / WEIGHTS, framework="pt") as tensors:
        names = list(tensors.keys())
        biases = sorted(name for name in names if name.startswith("classifier.") and name.endswith("bias"))
        # RoBERTa's classifier has two layers, `dense` and `out_proj`: the last one in the alphabet is the last one.
        return int(tensors.get_slice(biases[-1]).get_shape()[0]) if biases else 0


@contextmanager
def _silent() -> Iterator[None]:
    """No bar and no report of Transformers: what matters of them is raised."""
    from transformers.utils import logging

    shown, level = logging.is_progress_bar_enabled(), logging.get_verbosity()
    logging.disable_progress_bar()
    logging.set_verbosity_error()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if shown:
            logging.enable_progress_bar()


def _tokenizer(folder: Path, longest: int) -> Any:  # noqa: ANN401 - the library has no types
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(longest, stride=min(_OVERLAP, longest // 4))
    return tokenizer
