"""Checkpoint files: a `Checkpoint` of what a Transformers folder holds, checked before any weights load.

A shard that is missing or cut off, a configuration that is no JSON, weights that only a pickle holds: each is told when the
model is opened, in a second, and not after minutes of loading. Imports no engine: a `*.safetensors` file begins with its own
table of contents in JSON, and that is all that is read of it.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from alignsuite.errors import ModelError

_HEADER_CAP = 1 << 28
_SAFE, _PICKLED = "model.safetensors", "pytorch_model.bin"
_SHARD = {_SAFE: "model-*-of-*.safetensors", _PICKLED: "pytorch_model-*-of-*.bin"}
_EMBEDDINGS = (
    "embed_tokens.weight", "wte.weight", "word_embeddings.weight", "shared.weight", "embed_in.weight", "tok_embeddings.weight",
    "embeddings.weight", "embedding.weight",
)  # fmt: skip
_ADAPTER = "adapter_config.json"
_OTHER_TASKS = ("ForSequenceClassification", "ForTokenClassification", "ForMaskedLM", "ForQuestionAnswering")

Shapes = Mapping[str, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Checkpoint folder whose configuration and weight files are whole.

    `shapes` are those of the weights by name; empty for pickled weights, which are not read before they load.
    """

    folder: Path
    config: Mapping[str, object]
    weights: tuple[Path, ...]
    shapes: Shapes
    pickled: bool

    @property
    def architecture(self) -> str:
        """Model type, as the library names it (`llama`, `t5`)."""
        return str(self.config["model_type"])

    @property
    def rows(self) -> int | None:
        """Count of the embedding's rows, one a token, by the weights; None where it is not known by its name."""
        found = [shape[0] for name, shape in self.shapes.items() if len(shape) == 2 and _ends_in(name, _EMBEDDINGS)]
        return found[0] if len(set(found)) == 1 else None

    @property
    def is_pair(self) -> bool:
        """Whether it is an encoder-decoder: one reads the prompt, the other writes the answer."""
        return self.config.get("is_encoder_decoder") is True


def read_checkpoint(folder: Path, *, allow_pickle: bool = False) -> Checkpoint:
    """Checkpoint in a folder that `save_pretrained` wrote.

    Where both are there, safetensors are taken and pickled weights are left alone.

    Raises:
        ModelError: there is no configuration or it is broken, it is no model that writes text, weights are missing or cut off, or
            only pickled ones are there and `allow_pickle` is not given.
    """
    config = read_json(folder / "config.json", wanted="the folder that `save_pretrained` wrote")
    if not isinstance(config.get("model_type"), str):
        raise ModelError(f"{folder / 'config.json'}: names no `model_type`; a Transformers configuration was wanted")
    named = config.get("architectures")
    architecture = str(named[0]) if isinstance(named, list) and named else ""
    if any(task in architecture for task in _OTHER_TASKS):
        raise ModelError(
            f"{folder}: is a {architecture}, which writes no text; a causal or encoder-decoder language model was wanted"
        )
    if (folder / _ADAPTER).is_file():  # the library would follow it to whatever base it names
        raise ModelError(
            f"{folder}: holds an adapter (`{_ADAPTER}`) beside a checkpoint; name its base with --model and the adapter's folder with "
            "--align-adapter, or take the file away if the weights are merged"
        )
    weights = listed_weights(folder, _SAFE)
    if weights:
        return Checkpoint(folder, config, weights, _shapes_of(folder, weights), pickled=False)
    weights = listed_weights(folder, _PICKLED)
    if not weights:
        raise ModelError(
            f"{folder}: holds no weights; `{_SAFE}` or its shards were wanted: save the checkpoint again, or copy the rest of it"
        )
    if not allow_pickle:
        raise ModelError(
            f"{folder}: its weights are pickled (`{weights[0].name}`), and a pickle can run code when it is read; save them again with "
            "`save_pretrained`, which writes safetensors, or give --align-allow-pickle if you trust whoever made them"
        )
    return Checkpoint(folder, config, weights, {}, pickled=True)


def read_json(path: Path, *, wanted: str) -> dict[str, object]:
    """JSON object in a file, as a dictionary.

    Raises:
        ModelError: it can't be read, or is something else; `wanted` ends the message.
    """
    try:
        data = json.loads(path.read_bytes())
    except OSError as error:
        raise ModelError(f"{path}: can't be read ({error.strerror}); {wanted} was wanted") from error
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{path}: is no JSON ({error}); copy or download it again") from error
    if not isinstance(data, dict):
        raise ModelError(f"{path}: holds a {type(data).__name__}, not an object; copy or download it again")
    return data


def read_shapes(path: Path) -> dict[str, tuple[int, ...]]:
    """Tensor shapes of a safetensors file, by name, after a check that the last byte of each is there.

    Raises:
        ModelError: the file is missing, cut off, or something else.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            start = file.read(8)
            length = struct.unpack("<Q", start)[0] if len(start) == 8 else 0
            if not 2 <= length <= min(_HEADER_CAP, size - 8):
                raise _broken(path, f"its header should take {length} bytes of {size}")
            table = json.loads(file.read(length))
        tensors = {name: entry for name, entry in table.items() if name != "__metadata__"}
        shapes = {name: tuple(int(side) for side in entry["shape"]) for name, entry in tensors.items()}
        end = 8 + length + max((int(entry["data_offsets"][1]) for entry in tensors.values()), default=0)
    except OSError as error:
        raise ModelError(f"{path}: can't be read ({error.strerror}); copy or download it again") from error
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError) as error:
        raise _broken(path, f"its table of contents can't be read ({type(error).__name__})") from error
    if end > size:
        raise _broken(path, f"its tensors need {end} bytes and it has {size}")
    return shapes


def listed_weights(folder: Path, single: str) -> tuple[Path, ...]:
    """Weight files of one format: the single one, or all shards that the index names.

    Empty where there is neither.

    Raises:
        ModelError: shards are missing, or two saves lie in one folder: it would be a guess which of them was meant.
    """
    index = folder / f"{single}.index.json"
    names = _indexed(index) if index.is_file() else []
    known = {*names, single}
    stray = sorted(path.name for path in folder.glob(_SHARD[single]) if path.name not in known)
    if (folder / single).is_file() and set(names) <= {single}:
        _refuse_two(folder, f"`{single}`", stray)
        return (folder / single,)
    if not names:
        _refuse_two(folder, "no index", stray)
        return ()
    if (folder / single).is_file():
        _refuse_two(folder, f"`{single}`", [index.name, *names])
    missing = [name for name in names if Path(name).name != name or not (folder / name).is_file()]
    if missing:
        shown = ", ".join(f"`{name}`" for name in missing[:3])
        raise ModelError(
            f"{folder}: {len(missing)} of the {len(names)} shards that `{index.name}` names are missing: {shown}; copy or download them"
        )
    _refuse_two(folder, f"`{index.name}` and its {len(names)} shards", stray)
    return tuple(folder / name for name in names)


def _indexed(index: Path) -> list[str]:
    """Names of the shards in an index, sorted."""
    return sorted({str(name) for name in _weight_map(index).values()})


def _weight_map(index: Path) -> dict[str, object]:
    table = read_json(index, wanted="the index of the shards").get("weight_map")
    if not isinstance(table, dict) or not table:
        raise ModelError(f"{index}: maps no weights to files; copy or download it again")
    return cast("dict[str, object]", table)


def _refuse_two(folder: Path, one: str, other: list[str]) -> None:
    if other:
        shown = ", ".join(f"`{name}`" for name in other[:3]) + (" …" if len(other) > 3 else "")
        raise ModelError(
            f"{folder}: holds {one} and beside it {shown}: two saves of the weights in one folder, or a part of one; it is not known which "
            "is meant, so take away what is left over from the other"
        )


def _shapes_of(folder: Path, weights: tuple[Path, ...]) -> Shapes:
    """Shapes of all weights, after a check that each lies in the shard that the index says.

    Raises:
        ModelError: a shard is cut off, or is one of another save.
    """
    found = {file.name: read_shapes(file) for file in weights}
    index = folder / f"{_SAFE}.index.json"
    if index.is_file():
        for name, shard in _weight_map(index).items():
            if name not in found[str(shard)]:
                raise ModelError(
                    f"{folder}: `{index.name}` says that `{name}` lies in `{shard}`, which does not hold it: index and shards are of two "
                    "saves; copy or download the whole checkpoint again"
                )
    return {name: shape for shapes in found.values() for name, shape in shapes.items()}


def _ends_in(name: str, endings: tuple[str, ...]) -> bool:
    return any(name == ending or name.endswith(f".{ending}") for ending in endings)


def _broken(path: Path, what: str) -> ModelError:
    return ModelError(
        f"{path}: not a whole safetensors file: {what}; copy or download it again, and compare its checksum with the source's"
    )
