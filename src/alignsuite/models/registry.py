"""Model registry: from what stands after `--model=` to a `Model`, by one row for each engine.

    smollm2-135m, llama-2-7b-chat …     an alias of the model table (`table.toml`), opened as what it stands for
    embedded:smollm2-135m               the embedded default
    hf:ORG/NAME[@REV], a folder         Transformers in this process
    PATH.gguf, gguf:ORG/NAME/FILE[@REV] llama.cpp in this process
    openai:NAME                         an OpenAI-compatible endpoint
    scripted:NAME                       a double with a known character

Engines are imported when one is opened, never before.
"""

from __future__ import annotations

import importlib
import os
import tomllib
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Literal

from alignsuite.errors import ModelError, did_you_mean
from alignsuite.models.protocol import Engine, Form, Model, ModelSettings

__all__ = ["ENGINES", "EngineRow", "ModelSettings", "TableEntry", "lookup", "open_model", "rows"]

_TABLE = Path(__file__).with_name("table.toml")


@dataclass(frozen=True, slots=True)
class EngineRow:
    """Engine by the name of its module, which is imported at the first model that it opens.

    The module's `open_target` takes what `Engine.open` takes. `models` says in words which models are its own.
    """

    module: str
    models: str
    schemes: frozenset[str]
    heeds: frozenset[str] = frozenset()

    def open(self, target: str, name: str, form: Form, settings: ModelSettings) -> Model:
        """Model by the module's `open_target`; see `Engine.open`."""
        model: Model = importlib.import_module(self.module).open_target(target, name, form, settings)
        return model


_OWN = "alignsuite.models.engines"
_TEMPLATE, _THINKING = "--align-template-arg", "--align-thinking-tokens"
_TRANSFORMERS = EngineRow(
    f"{_OWN}.transformers.engine",
    "a Transformers checkpoint (hf:ORG/NAME, or a folder with config.json)",
    frozenset({"hf"}),
    frozenset(
        {"--align-adapter", "--align-device", "--align-trust-remote-code", "--align-allow-pickle", _TEMPLATE, _THINKING}
    ),
)
_LLAMA_CPP = EngineRow(
    f"{_OWN}.llamacpp.engine", "a GGUF file", frozenset({"embedded", "gguf"}), frozenset({_TEMPLATE, _THINKING})
)
ENGINES: tuple[EngineRow, ...] = (
    _TRANSFORMERS,
    _LLAMA_CPP,
    EngineRow(
        f"{_OWN}.endpoint.engine",
        "an endpoint (openai:NAME)",
        frozenset({"openai"}),
        frozenset({"--align-requests-per-minute", "--align-tokens-per-minute", "--align-body", _TEMPLATE, _THINKING}),
    ),
    EngineRow(  # a double is never short of tokens
        f"{_OWN}.scripted", "a scripted double (scripted:NAME)", frozenset({"scripted"}), frozenset({_THINKING})
    ),
)
"""Every engine, one row each; whose option was given in vain is asked in this order."""


@dataclass(frozen=True, slots=True)
class TableEntry:
    """Entry of the model table: an alias and what it stands for; `alignsuite models` shows them."""

    alias: str
    target: str
    system: str
    kind: Literal["base", "chat", "encoder-decoder"]
    stage: Literal["pretraining", "finetuning"]
    studies: tuple[str, ...]
    licence: str
    gated: bool = False
    withdrawn: date | None = None
    replaced_by: str = ""
    note: str = ""


@cache
def rows() -> tuple[TableEntry, ...]:
    """Model table: every entry, in the file's order."""
    data = tomllib.loads(_TABLE.read_text(encoding="utf-8"))
    return tuple(
        TableEntry(alias=alias, **{**entry, "studies": tuple(entry["studies"])}) for alias, entry in data.items()
    )


def lookup(name: str) -> TableEntry | None:
    """Table entry of an alias, or of the target that one stands for; case does not count."""
    wanted = name.casefold()
    by_alias = (entry for entry in rows() if entry.alias.casefold() == wanted)
    return next(by_alias, None) or next((entry for entry in rows() if entry.target.casefold() == wanted), None)


def open_model(name: str, *, settings: ModelSettings) -> Model:
    """Model by its name; the weights are not loaded yet.

    An alias of a base model is asked without a chat template unless the settings say otherwise: converted files often carry one that
    the base model was never trained on.

    Raises:
        ModelError: nothing of that name, an engine that is missing, a file that is broken, or a provider that withdrew it.
    """
    entry = lookup(name)
    if entry is not None:
        _check_withdrawn(entry, settings)
    target = entry.target if entry else name
    scheme, colon, rest = target.partition(":")
    engine: Engine | None = next((row for row in ENGINES if colon and scheme in row.schemes), None)
    if engine is None:
        engine = _engine_of_path(name)
    elif not rest:
        raise ModelError(f"--model={name}: a name was wanted behind `{scheme}:`")
    _check_heeded(name, engine, settings)
    base = entry is not None and entry.kind == "base"
    return engine.open(target, name, "raw" if base and settings.form == "auto" else settings.form, settings)


def setting_of(option: str) -> str:
    """Field of `ModelSettings` that an option sets.

    >>> setting_of("--align-adapter"), setting_of("--align-template-arg")
    ('adapter', 'template_arguments')
    """
    return "template_arguments" if option == _TEMPLATE else option.removeprefix("--align-").replace("-", "_")


def _check_heeded(name: str, engine: Engine, settings: ModelSettings) -> None:
    """Refuse options that this engine would not heed.

    A model judged without the adapter that was named is another model.
    """
    unheeded = [
        option
        for option in dict.fromkeys(option for row in ENGINES for option in sorted(row.heeds - engine.heeds))
        if getattr(settings, setting_of(option))
    ]
    if unheeded:
        whose = next(row.models for row in ENGINES if unheeded[0] in row.heeds)
        raise ModelError(
            f"--model={name}: {', '.join(unheeded)} would have no effect, for it is of {whose}: leave it out"
        )


def _check_withdrawn(entry: TableEntry, settings: ModelSettings) -> None:
    """Refuse a withdrawn model, except at an endpoint of the user's own, which may well serve one of that name."""
    own = settings.base_url or os.environ.get("OPENAI_BASE_URL") or ""
    if entry.withdrawn is not None and ("api.openai.com" in own or not own):
        raise ModelError(
            f"{entry.alias}: {entry.system} was withdrawn by its provider on {entry.withdrawn}; use {entry.replaced_by} instead. "
            f"{entry.note} Another server that has it can be named with --align-base-url."
        )


def _engine_of_path(name: str) -> Engine:
    """Engine of what lies at a path: a folder with `config.json`, or a file.

    Raises:
        ModelError: neither lies there; what stands there instead, or which name may have been meant.
    """
    path = Path(name).expanduser()
    if path.is_dir():
        if (path / "config.json").is_file():
            return _TRANSFORMERS
        inside = ", ".join(sorted(file.name for file in path.glob("*.gguf"))[:5])
        hint = f"it holds {inside}: name that file" if inside else "name the folder that `save_pretrained` wrote"
        raise ModelError(f"{path}: the folder has no `config.json`, which a Transformers checkpoint has; {hint}")
    if path.suffix.lower() == ".gguf" or path.is_file():
        return _LLAMA_CPP
    if path.parent != Path() or name.startswith((".", "~", os.sep)):
        raise ModelError(
            f"{path}: there is no such file or folder; wanted a *.gguf file or a folder with `config.json` "
            "(or hf:ORG/NAME for a model on the hub)"
        )
    near = did_you_mean(name, (entry.alias for entry in rows()))
    raise ModelError(
        f"--model={name}: no model of that name; {near} Or: hf:ORG/NAME, a folder, PATH.gguf, gguf:ORG/NAME/FILE, openai:NAME."
    )
