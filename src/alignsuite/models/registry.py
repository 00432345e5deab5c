"""From what stands after `--model=` to a model that answers.

    smollm2-135m, llama-2-7b-chat …     an alias of the model table (`table.toml`), opened as what it stands for
    embedded:smollm2-135m               the embedded default
    hf:ORG/NAME[@REV], a folder         Transformers in this process
    PATH.gguf, gguf:ORG/NAME/FILE[@REV] llama.cpp in this process
    openai:NAME                         an OpenAI-compatible endpoint
    scripted:NAME                       a double with a known character

Engines are imported when one is opened, never before.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from pathlib import Path
from typing import Literal

from alignsuite.errors import ModelError, did_you_mean
from alignsuite.models.protocol import Model

Form = Literal["auto", "chat", "raw"]

_TABLE = Path(__file__).with_name("table.toml")


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """What opening a model may depend on.

    `cache` is the folder for downloaded models and remembered hashes. `form` says whether conversations go through the
    model's chat template: `auto` follows the model. `context` is in tokens. `progress` hears one line at a time; without
    it a bar is drawn on a terminal.
    """

    cache: Path
    base_url: str | None = None
    api_key: str | None = field(default=None, repr=False)
    form: Form = "auto"
    threads: int | None = None
    context: int | None = None
    progress: Callable[[str], None] | None = None
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    device: str | None = None
    adapter: str | None = None
    trust_remote_code: bool = False
    allow_pickle: bool = False


@dataclass(frozen=True, slots=True)
class TableEntry:
    """One line of the model table; `alignsuite models` shows them."""

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
    """The model table, in its order."""
    data = tomllib.loads(_TABLE.read_text(encoding="utf-8"))
    return tuple(
        TableEntry(alias=alias, **{**entry, "studies": tuple(entry["studies"])}) for alias, entry in data.items()
    )


def lookup(name: str) -> TableEntry | None:
    """The table's row of an alias, or of the target that one stands for; case does not count."""
    wanted = name.casefold()
    by_alias = (row for row in rows() if row.alias.casefold() == wanted)
    return next(by_alias, None) or next((row for row in rows() if row.target.casefold() == wanted), None)


def open_model(name: str, *, settings: ModelSettings) -> Model:
    """The model that a name stands for; its weights are not loaded yet.

    An alias of a base model is asked without a chat template unless the settings say otherwise: converted files often carry one that
    the base model was never trained on.

    Raises:
        ModelError: nothing of that name, an engine that is missing, a file that is broken, or a provider that withdrew it.
    """
    row = lookup(name)
    if row is not None:
        _check_withdrawn(row, settings)
    target = row.target if row else name
    scheme, colon, rest = target.partition(":")
    opener = _SCHEMES.get(scheme) if colon else None
    if opener is not None:
        if not rest:
            raise ModelError(f"--model={name}: a name was wanted behind `{scheme}:`")
        _check_heeded(name, settings, checkpoint=opener is _open_transformers, endpoint=opener is _open_endpoint)
        return opener(rest, name, _form(row, settings), settings)
    return _open_path(name, settings)


def _check_heeded(name: str, settings: ModelSettings, *, checkpoint: bool, endpoint: bool) -> None:
    """Refuse what this engine would not heed: a model judged without the adapter that was named is another model."""
    asked = {
        "--align-adapter": (settings.adapter, checkpoint),
        "--align-device": (settings.device, checkpoint),
        "--align-trust-remote-code": (settings.trust_remote_code, checkpoint),
        "--align-allow-pickle": (settings.allow_pickle, checkpoint),
        "--align-requests-per-minute": (settings.requests_per_minute, endpoint),
        "--align-tokens-per-minute": (settings.tokens_per_minute, endpoint),
    }
    unheeded = [option for option, (value, heeded) in asked.items() if value and not heeded]
    if unheeded:
        paces = all(option.endswith("-per-minute") for option in unheeded)
        whose = (
            "an endpoint (openai:NAME)"
            if paces
            else "a Transformers checkpoint (hf:ORG/NAME, or a folder with config.json)"
        )
        raise ModelError(
            f"--model={name}: {', '.join(unheeded)} would have no effect, for it is of {whose}: leave it out"
        )


def _form(row: TableEntry | None, settings: ModelSettings) -> Form:
    return "raw" if settings.form == "auto" and row is not None and row.kind == "base" else settings.form


def _check_withdrawn(row: TableEntry, settings: ModelSettings) -> None:
    """A withdrawn model is refused, except at an endpoint of the user's own, which may well serve something of that name."""
    own = settings.base_url or os.environ.get("OPENAI_BASE_URL") or ""
    if row.withdrawn is not None and ("api.openai.com" in own or not own):
        raise ModelError(
            f"{row.alias}: {row.system} was withdrawn by its provider on {row.withdrawn}; use {row.replaced_by} instead. {row.note} "
            "Another server that has it can be named with --align-base-url."
        )


def _open_embedded(rest: str, name: str, form: Form, settings: ModelSettings) -> Model:
    from alignsuite.models.embedded import obtain

    if rest != "smollm2-135m":
        raise ModelError(f"--model={name}: the only embedded model is `smollm2-135m`")
    return _open_gguf(obtain(settings.cache, progress=settings.progress), name, form, settings)


def _open_hub_file(rest: str, name: str, form: Form, settings: ModelSettings) -> Model:
    from alignsuite.models.hub import fetch_gguf

    return _open_gguf(fetch_gguf(rest), name, form, settings)


def _open_gguf(path: Path, name: str, form: Form, settings: ModelSettings) -> Model:
    from alignsuite.models.engines.llamacpp.engine import LlamaCppModel

    return LlamaCppModel(
        path,
        cache=settings.cache,
        name=name,
        form=form,
        context=settings.context,
        threads=settings.threads,
        progress=settings.progress,
    )


def _open_endpoint(rest: str, name: str, form: Form, settings: ModelSettings) -> Model:
    from alignsuite.models.engines.endpoint.engine import open_endpoint

    return open_endpoint(
        rest,
        base_url=settings.base_url,
        api_key=settings.api_key,
        name=name,
        form=form,
        requests_per_minute=settings.requests_per_minute,
        tokens_per_minute=settings.tokens_per_minute,
        tell=settings.progress,
    )


def _open_scripted(rest: str, name: str, form: Form, settings: ModelSettings) -> Model:
    from alignsuite.models.engines.scripted import open_scripted

    return open_scripted(rest)


def _open_transformers(rest: str, name: str, form: Form, settings: ModelSettings) -> Model:
    """`hf:` names a repository of the hub, whatever folders lie here."""
    return _open_checkpoint(rest, name, form, settings)


def _open_checkpoint(place: str | Path, name: str, form: Form, settings: ModelSettings) -> Model:
    """A checkpoint in a folder (a path) or on the hub (a name)."""
    from alignsuite.models.engines.transformers.engine import open_transformers

    return open_transformers(
        place,
        name=name,
        form=form,
        cache=settings.cache,
        device=settings.device,
        adapter=settings.adapter,
        trust_remote_code=settings.trust_remote_code,
        allow_pickle=settings.allow_pickle,
        threads=settings.threads,
        context=settings.context,
        progress=settings.progress,
    )


def _open_path(name: str, settings: ModelSettings) -> Model:
    path = Path(name).expanduser()
    if path.is_dir():
        if (path / "config.json").is_file():
            _check_heeded(name, settings, checkpoint=True, endpoint=False)
            return _open_checkpoint(path, name, settings.form, settings)
        inside = ", ".join(sorted(file.name for file in path.glob("*.gguf"))[:5])
        hint = f"it holds {inside}: name that file" if inside else "name the folder that `save_pretrained` wrote"
        raise ModelError(f"{path}: the folder has no `config.json`, which a Transformers checkpoint has; {hint}")
    if path.suffix.lower() == ".gguf" or path.is_file():
        _check_heeded(name, settings, checkpoint=False, endpoint=False)
        return _open_gguf(path, name, settings.form, settings)
    if path.parent != Path() or name.startswith((".", "~", os.sep)):
        raise ModelError(
            f"{path}: there is no such file or folder; wanted a *.gguf file or a folder with `config.json` "
            "(or hf:ORG/NAME for a model on the hub)"
        )
    near = did_you_mean(name, (row.alias for row in rows()))
    raise ModelError(
        f"--model={name}: no model of that name; {near} Or: hf:ORG/NAME, a folder, PATH.gguf, gguf:ORG/NAME/FILE, openai:NAME."
    )


_SCHEMES: dict[str, Callable[[str, str, Form, ModelSettings], Model]] = {
    "embedded": _open_embedded,
    "gguf": _open_hub_file,
    "hf": _open_transformers,
    "openai": _open_endpoint,
    "scripted": _open_scripted,
}
