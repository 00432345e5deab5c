"""Sequence classifiers: a `SequenceClassifier` of the hub or a folder, which gives named classes probabilities.

Classes are known by the names in `config.json`, never by a number. What would make a score mean something else is refused: a layer that
the checkpoint lacks and that would be drawn at random, weights in a pickle, code from elsewhere. Nothing is downloaded while texts are
scored; `missing` says what fetches the files.
"""

from __future__ import annotations

import copy
import importlib.util
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property, partial
from itertools import groupby
from pathlib import Path
from typing import Any

from alignsuite.config import cache_folder
from alignsuite.errors import JudgeError, SettingsError, did_you_mean
from alignsuite.judges.text_windows import readable, windows_of

INSTALL = "pip install 'alignsuite[hf]'"
DEVICE = "ALIGNSUITE_JUDGE_DEVICE"

Text = str | tuple[str, str]
"""A text, or a pair of two: what was asked, and the reply to it."""

_NEEDED = ("torch", "transformers", "safetensors")
_SAFE, _PICKLED = "model.safetensors", "pytorch_model.bin"
_USUAL = 512  # tokens, where a checkpoint names no length
_NO_LENGTH = 1_000_000  # what tokenizers without one say is far larger
_LEAST = 16
_BATCH, _BATCH_TOKENS = 32, 1 << 14


class SequenceClassifier:
    """Classifier of Transformers: probabilities of its classes for texts or pairs.

    A text that is longer than the model sees is read in overlapping windows, which begin and end between words. Of a pair the second text
    is; the first one only where it takes more than half of the room, and then each of its windows meets each of the second's. With
    several windows each class counts with its largest probability; where classes exclude each other and `positive` is given, with those
    of the window in which the positive ones are likeliest together.

    Args:
        place: `hf:ORG/NAME[@REVISION]`, or the path of a folder that `save_pretrained` wrote.
        positive: names of classes for which the worst window is to speak.
        multi_label: whether each class has a probability of its own; None where `config.json` says it, as `problem_type`.
        join: makes one text of a pair; without it the tokenizer gets the pair.
        device: a device of torch (else ALIGNSUITE_JUDGE_DEVICE, else the processor).
        trust_remote_code, allow_pickle: let the checkpoint's own code run, and its weights be unpickled.
        pull: the command that fetches it, for messages.

    Raises:
        SettingsError: `place` is empty.
    """

    def __init__(
        self,
        place: str,
        *,
        positive: Sequence[str] = (),
        multi_label: bool | None = None,
        join: Callable[[str, str], str] | None = None,
        device: str | None = None,
        trust_remote_code: bool = False,
        allow_pickle: bool = False,
        pull: str = "",
    ) -> None:
        if not place.removeprefix("hf:"):
            raise SettingsError("a classifier has no name; wanted hf:ORG/NAME, or the path of a folder")
        self.place = place
        self._positive, self._multi_label, self._join = tuple(positive), multi_label, join
        self._device = device or os.environ.get(DEVICE) or "cpu"
        self._code, self._pickle = trust_remote_code, allow_pickle
        self._pull = pull or f"alignsuite judge pull {place}"
        self._loaded: _Loaded | None = None

    def with_positive(self, positive: Sequence[str]) -> SequenceClassifier:
        """The same classifier, for whose windows these classes are the positive ones."""
        other = copy.copy(self)
        other._positive = tuple(positive)
        return other

    def missing(self) -> str:
        """Sentence that says what to install or fetch; empty when this machine has it all. Looks, and fetches nothing."""
        absent = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
        if absent:
            return f"the classifier {self.place} needs the package {absent[0]}: {INSTALL}"
        folder = self._folder
        if folder is None and not self._on_hub:
            return f"{self.place}: there is no such folder; wanted one that `save_pretrained` wrote, or hf:ORG/NAME"
        if folder is None:
            return f"the classifier {self.place} is not on this machine: `{self._pull}` fetches it"
        lacking = _lacking(folder, pickles=self._pickle)
        return f"{lacking}; `{self._pull}` fetches what the hub has of it" if lacking and self._on_hub else lacking

    def fetch(self) -> Path:
        """Folder of the checkpoint; what this machine lacks of it is downloaded from the hub into the hub's own cache.

        Raises:
            ModelError: the hub refused, lacks the repository, or can't be reached.
            JudgeError: a package is missing, or what came is no classifier.
        """
        if self._on_hub and self.missing():
            from alignsuite.models.engines.transformers.hub import fetch_snapshot

            fetch_snapshot(self._address, code=self._code, pickles=self._pickle)
        return self._whole()

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the classes, in the order of the model's outputs.

        Raises:
            JudgeError: something is missing, or `config.json` names no classes, or one twice.
        """
        return _labels(self._whole() / "config.json", self._config)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256, in hex, over weights, configuration and tokenizer: another one is another classifier.

        Raises:
            JudgeError: something is missing.
        """
        from alignsuite.models.identity import folder_identity

        return folder_identity(self._whole(), cache=cache_folder())

    @property
    def exclusive(self) -> bool:
        """Whether the classes exclude each other, so that their probabilities add up to one.

        Raises:
            JudgeError: the configuration doesn't say, and the caller didn't.
        """
        if self._multi_label is not None:
            return not self._multi_label
        kind, labels = self._config.get("problem_type"), self.labels
        if kind == "multi_label_classification":
            return False
        if len(labels) > 1 and (kind == "single_label_classification" or (kind is None and len(labels) == 2)):
            return True
        raise JudgeError(
            f"{self.place}: its config.json has the problem_type {json.dumps(kind)} for {len(labels)} classes, which doesn't say whether "
            "each has a probability of its own (sigmoid) or they share one (softmax): say which of the two it was trained for"
        )

    def scores(self, texts: Sequence[Text]) -> list[dict[str, float]]:
        """Probability in [0, 1] of each class for each text, in the order given, the same as it would get alone.

        Raises:
            JudgeError: something is missing (see `missing`), or the checkpoint is not what it should be.
            SettingsError: a positive class is none of the model's.
        """
        if not texts:
            return []
        self._loaded = self._loaded or self._load()
        with silent():
            windows = [
                (number, encoded)
                for number, text in enumerate(texts)
                for encoded in self._loaded.windows(text, self._join)
            ]
            found = self._loaded.probabilities([encoded for _, encoded in windows], exclusive=self.exclusive)
        whole: list[list[list[float]]] = [[] for _ in texts]
        for (number, _), row in zip(windows, found, strict=True):
            whole[number].append(row)
        return [dict(zip(self.labels, self._of_windows(rows), strict=True)) for rows in whole]

    def _of_windows(self, rows: list[list[float]]) -> list[float]:
        if self.exclusive and self._positive:
            at = [self.labels.index(name) for name in self._positive]
            return max(rows, key=lambda row: sum(row[one] for one in at))
        return [max(column) for column in zip(*rows, strict=True)]

    def _load(self) -> _Loaded:
        folder = self._whole()
        for name in self._positive:
            if name not in self.labels:
                raise SettingsError(f"{self.place} has no class `{name}`; {did_you_mean(name, self.labels)}")
        _ = self.exclusive  # said before a minute of loading, not after
        try:
            with silent():
                return _Loaded(folder, len(self.labels), self._device, code=self._code, pickles=self._pickle)
        except JudgeError:
            raise
        except Exception as error:  # each library has errors of its own (tokenizers bare ones); all end the judging
            first = str(error).strip().split("\n", maxsplit=1)[0]
            raise JudgeError(
                f"{self.place} can't be opened as a classifier ({type(error).__name__}: {first})"
            ) from error

    @property
    def _address(self) -> str:
        return self.place.removeprefix("hf:")

    @property
    def _on_hub(self) -> bool:
        return self.place.startswith("hf:") and not Path(self._address).expanduser().is_dir()

    @property
    def _folder(self) -> Path | None:
        """Folder of the checkpoint, where there is one on this machine."""
        if not self._on_hub:
            path = Path(self._address).expanduser()
            return path if path.is_dir() else None
        from alignsuite.models.engines.transformers.hub import find_snapshot

        return find_snapshot(self._address, code=self._code)

    def _whole(self) -> Path:
        if missing := self.missing():
            raise JudgeError(missing)
        folder = self._folder
        assert folder is not None  # `missing` looked
        return folder

    @cached_property
    def _config(self) -> Mapping[str, Any]:
        return _json(self._whole() / "config.json")


class _Loaded:
    """Model and tokenizer in memory, on one device.

    Raises:
        JudgeError: the checkpoint lacks a layer, or has another number of outputs than names.
    """

    def __init__(self, folder: Path, outputs: int, device: str, *, code: bool, pickles: bool) -> None:
        from transformers import AutoModelForSequenceClassification, AutoTokenizer

        where: dict[str, Any] = {"local_files_only": True, "trust_remote_code": code}
        safe = None if pickles else True
        model, report = AutoModelForSequenceClassification.from_pretrained(
            folder, use_safetensors=safe, dtype="float32", output_loading_info=True, **where
        )
        if lacking := sorted(report["missing_keys"]):
            raise JudgeError(
                f"{folder}: its weights lack {len(lacking)} tensors of a classifier, the first {lacking[0]}, which would be drawn at "
                "random: this checkpoint was never trained to classify (a model that writes its verdict is no classifier)"
            )
        if model.config.num_labels != outputs:
            raise JudgeError(
                f"{folder}: its config.json names {outputs} classes, the model has {model.config.num_labels}"
            )
        self._model = model.to(device).eval()
        self._tokenizer: Any = AutoTokenizer.from_pretrained(folder, **where)
        self._longest = _longest(self._model, self._tokenizer)
        # Decoders look for the last token before the padding, and without a padding token take one text at a time.
        self._batch = 1 if getattr(model.config.get_text_config(), "pad_token_id", None) is None else _BATCH
        marks = {str(token) for token in self._tokenizer.added_tokens_decoder.values() if token.special}
        self._marks = sorted((mark for mark in marks if len(mark) > 1), key=len, reverse=True)

    def windows(self, text: Text, join: Callable[[str, str], str] | None) -> Iterator[dict[str, list[int]]]:
        """Tokens of each window over a text or a pair."""
        if isinstance(text, str):
            yield from map(self._encoded, windows_of(self._plain(text), self._fits))
            return
        first, second = map(self._plain, text)

        def together(one: str, other: str) -> dict[str, list[int]]:
            return self._encoded(one, other) if join is None else self._encoded(join(one, other))

        def fits(one: str, other: str) -> bool:
            return len(together(one, other)["input_ids"]) <= self._longest

        for one in windows_of(first, lambda part: len(together(part, "")["input_ids"]) <= self._longest // 2):
            for other in windows_of(second, partial(fits, one)):
                yield together(one, other)

    def probabilities(self, windows: Sequence[Mapping[str, list[int]]], *, exclusive: bool) -> list[list[float]]:
        """Probabilities of all outputs for each window.

        Only windows of one length share a batch, so nothing is padded, and no score hangs on its neighbours.
        """
        import torch

        found: list[list[float]] = [[] for _ in windows]
        by_length = sorted(range(len(windows)), key=lambda at: len(windows[at]["input_ids"]))
        for length, members in groupby(by_length, key=lambda at: len(windows[at]["input_ids"])):
            alike = list(members)
            size = max(1, min(self._batch, _BATCH_TOKENS // length))
            for start in range(0, len(alike), size):
                batch = alike[start : start + size]
                tensors = {
                    name: torch.tensor([windows[at][name] for at in batch], device=self._model.device)
                    for name in windows[0]
                }
                with torch.inference_mode():
                    logits = self._model(**tensors).logits.double()
                values = logits.softmax(-1) if exclusive else logits.sigmoid()
                if not values.isfinite().all():
                    raise JudgeError(
                        "a classifier's scores are no numbers: its weights are broken, or were cut off; look at its source"
                    )
                for at, row in zip(batch, values.tolist(), strict=True):
                    found[at] = row
        return found

    def _fits(self, text: str) -> bool:
        return len(self._encoded(text)["input_ids"]) <= self._longest

    def _encoded(self, *texts: str) -> dict[str, list[int]]:
        return dict(self._tokenizer(*texts, truncation=False))

    def _plain(self, text: str) -> str:
        """Text without what would stop a tokenizer; a mark that steers the model is broken up, for a reply may hold one."""
        text = readable(text)
        for mark in self._marks:
            text = text.replace(mark, f"{mark[0]} {mark[1:]}")
        return text


@contextmanager
def silent() -> Iterator[None]:
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


def _longest(model: Any, tokenizer: Any) -> int:  # noqa: ANN401 (Transformers' own types)
    """Tokens that the model sees: the least of what tokenizer, configuration and table of positions allow."""
    lengths = [tokenizer.model_max_length, getattr(model.config, "max_position_embeddings", None)]
    for name, module in model.named_modules():
        padding = getattr(module, "padding_idx", None)
        if (
            name.endswith("position_embeddings") and padding is not None
        ):  # RoBERTa's kin count on from the padding's number
            lengths.append(module.num_embeddings - padding - 1)
    return min([int(one) for one in lengths if one and _LEAST <= one < _NO_LENGTH] or [_USUAL])


def _lacking(folder: Path, *, pickles: bool) -> str:
    """Sentence that says what a folder lacks of a checkpoint that may be opened; empty where it lacks nothing."""
    if not (folder / "config.json").is_file():
        return f"{folder}: holds no config.json; the folder that `save_pretrained` wrote was wanted"
    if (folder / "adapter_config.json").is_file():
        return f"{folder}: holds an adapter beside a checkpoint; merge it into its base and save that"
    for single in (_SAFE, _PICKLED) if pickles else (_SAFE,):
        index = folder / f"{single}.index.json"
        if (folder / single).is_file():
            return ""
        if index.is_file():
            shards = sorted(set(_json(index).get("weight_map", {}).values()))
            absent = [name for name in shards if not (folder / name).is_file()]
            return f"{folder}: its weights lack the part {absent[0]}; copy or download it again" if absent else ""
    if (folder / _PICKLED).is_file() or (folder / f"{_PICKLED}.index.json").is_file():
        return (
            f"{folder}: its weights are pickled, and a pickle can run code when it is read; save them again with `save_pretrained`, which "
            "writes safetensors, or say allow_pickle=True in Python if you trust whoever made them"
        )
    return f"{folder}: holds no weights; {_SAFE} was wanted"


def _labels(path: Path, config: Mapping[str, Any]) -> tuple[str, ...]:
    named = config.get("id2label")
    if named is None:  # Transformers writes no names where nobody gave any
        named = {str(at): f"LABEL_{at}" for at in range(int(config.get("num_labels") or 2))}
    try:
        labels = tuple(str(named[str(at)]) for at in range(len(named)))
    except (KeyError, TypeError):
        labels = ()
    if not labels or len(set(labels)) != len(labels):
        raise JudgeError(
            f"{path}: id2label is {json.dumps(named)[:120]}; wanted one name for each number from 0 on, no two alike"
        )
    return labels


def _json(path: Path) -> dict[str, Any]:
    try:
        data = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise JudgeError(f"{path}: can't be read as JSON ({error}); copy or download it again") from error
    if not isinstance(data, dict):
        raise JudgeError(f"{path}: holds a {type(data).__name__}, not an object; copy or download it again")
    return data
