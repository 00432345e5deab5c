"""LoRA adapter: an `Adapter` that was checked to be made for this base model.

An adapter that is put onto another base either fails somewhere deep in the loading or, worse, loads and answers nonsense. The names
that both sides give are compared where both are hub names, and the shapes of its matrices with those of the weights they change.
Imports no engine.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from alignsuite.errors import ModelError
from alignsuite.models.engines.transformers.files import Checkpoint, Shapes, read_json, read_shapes

_WEIGHTS, _PICKLED = "adapter_model.safetensors", "adapter_model.bin"
_TOKENIZER = "tokenizer.json"
_FRONT = "base_model.model."


@dataclass(frozen=True, slots=True)
class Adapter:
    """LoRA adapter: a folder that `peft` wrote, checked against its base. `trained_on` is the base that it names."""

    folder: Path
    trained_on: str


def read_adapter(folder: Path, base: Checkpoint, *, base_name: str | None, allow_pickle: bool = False) -> Adapter:
    """LoRA adapter in a folder, checked.

    `base_name` is the base's name on the hub, where it has one. Where it has none, shapes alone decide: two models of one shape can't
    be told apart by them.

    Raises:
        ModelError: it is broken, no LoRA, pickled, or made for another base model.
    """
    config = read_json(folder / "adapter_config.json", wanted="the folder that peft's `save_pretrained` wrote")
    kind, trained_on = str(config.get("peft_type")), str(config.get("base_model_name_or_path") or "")
    if kind != "LORA":
        raise ModelError(
            f"{folder}: is a {kind} adapter; this version takes LoRA adapters only: merge it into its base, and name the result"
        )
    if base_name and _is_hub_name(trained_on) and trained_on.casefold() != base_name.casefold():
        raise ModelError(
            f"{folder}: the adapter was made for another base model: `{trained_on}`, --model is `{base_name}`; name one of that model"
        )
    _check_tokens(folder, base)
    if (folder / _WEIGHTS).is_file():
        _check_shapes(folder, read_shapes(folder / _WEIGHTS), base, trained_on)
    elif not (folder / _PICKLED).is_file():
        raise ModelError(f"{folder}: holds no `{_WEIGHTS}`; copy or download the rest of the adapter")
    elif not allow_pickle:
        raise ModelError(
            f"{folder}: its weights are pickled (`{_PICKLED}`); save it again with peft, or give --align-allow-pickle if you trust it"
        )
    return Adapter(folder, trained_on)


def _check_shapes(folder: Path, lora: Shapes, base: Checkpoint, trained_on: str) -> None:
    """Compare each pair of matrices with the weight it changes.

    Names that the base spells otherwise are left to peft.
    """
    for key, sides in lora.items():
        whole = _whole_weight(key, base.shapes)
        if whole is not None and base.shapes[whole] != sides:
            raise ModelError(
                f"{folder}: the adapter brings `{whole}` as {_by(sides)}, and {base.folder} has {_by(base.shapes[whole])}: tokens were "
                "added when it was trained; merge it into a base with resized embeddings, and name the result"
            )
    for name, sides in _changed(lora):
        own = base.shapes.get(f"{name}.weight")
        if own is not None and len(own) == 2 and sorted(own) != sorted(sides):
            made_for = f"`{trained_on}`" if trained_on else "another model"
            raise ModelError(
                f"{folder}: the adapter was made for another base model ({made_for}): its `{name}` is for {sides[0]} × {sides[1]}, "
                f"and that of {base.folder} is {own[0]} × {own[1]}"
            )


def _check_tokens(folder: Path, base: Checkpoint) -> None:
    """Compare the tokenizer that was saved with the adapter with the base's, which is asked with.

    Raises:
        ModelError: it knows tokens that the base's does not; the adapter was trained on others than it would be asked in.
    """
    own, known = (_tokens(place / _TOKENIZER) for place in (folder, base.folder))
    added = sorted(own - known - _padding(folder)) if own and known else []
    if added:
        raise ModelError(
            f"{folder}: the adapter was trained with {len(own)} tokens and its base {base.folder} has {len(known)}: `{added[0]}` is one of "
            f"{len(added)} that were added; merge the adapter into a base with resized embeddings, and name the result"
        )


def _padding(folder: Path) -> set[str]:
    """Token that the adapter's tokenizer pads with: trainers add one, and no prompt holds it."""
    path = folder / "tokenizer_config.json"
    pad = read_json(path, wanted="a tokenizer").get("pad_token") if path.is_file() else None
    return {str(pad["content"] if isinstance(pad, dict) and "content" in pad else pad)}


def _tokens(path: Path) -> set[str]:
    """Spellings of all tokens in a `tokenizer.json`; empty where there is none."""
    if not path.is_file():
        return set()
    table = read_json(path, wanted="a tokenizer")
    model, added = table.get("model"), table.get("added_tokens")
    vocabulary = model.get("vocab") if isinstance(model, dict) else None
    ordinary = [one[0] if isinstance(one, list) and one else one for one in vocabulary or ()]
    more = [one.get("content") for one in added if isinstance(one, dict)] if isinstance(added, list) else []
    return {one for one in (*ordinary, *more) if isinstance(one, str)}


def _changed(lora: Shapes) -> Iterator[tuple[str, tuple[int, int]]]:
    """Name and shape, (outputs, inputs), of each weight that has both matrices."""
    for key, inner in lora.items():
        name, found, _ = key.removeprefix(_FRONT).partition(".lora_A.")
        outer = lora.get(key.replace(".lora_A.", ".lora_B."))
        if found and outer is not None and len(inner) == len(outer) == 2:
            yield name, (outer[0], inner[1])


def _whole_weight(key: str, shapes: Shapes) -> str | None:
    """Name of the base's weight that an adapter brings whole, such as an embedding; None for matrices of LoRA."""
    name = key.removeprefix(_FRONT)
    for wrapper in (".modules_to_save.default", ".modules_to_save", ".base_layer", ".original_module"):
        name = name.replace(wrapper, "")
    return name if ".lora_" not in key and name in shapes else None


def _by(sides: tuple[int, ...]) -> str:
    return " × ".join(map(str, sides))


def _is_hub_name(name: str) -> bool:
    parts = name.split("/")
    return len(parts) == 2 and all(parts) and not name.startswith((".", "~", "/"))
