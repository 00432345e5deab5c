"""Detoxify checkpoints on disk: where they are looked for, and how one is opened without running what is in it.

A released checkpoint is a pickle, and a pickle is a program. So it is opened with the door locked, each time:

1. The file's SHA-256 must begin as the release's name says, or be the one that the user pinned.
2. `torch.load(weights_only=True)` reads the same open file: tensors, numbers, text, lists and dictionaries, and not one function
   call. Before torch 2.6 that lock could be picked (CVE-2025-32434), so older versions are refused.

Eight digits of a hash find a broken download and would not stop an attacker with patience; the second step does.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import Any

from alignsuite.errors import JudgeError
from alignsuite.judges.toxicity.labels import FETCH
from alignsuite.judges.toxicity.releases import ENCODER_FILES, Release

VARIABLE = "ALIGNSUITE_DETOXIFY"

_SAFE_TORCH = (2, 6)
_NEW_NAMES = {"toxic": "toxicity", "severe_toxic": "severe_toxicity", "identity_hate": "identity_attack"}
"""Detoxify's first checkpoint names three classes otherwise than the later ones."""


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint in memory: `classes` are the names of its first outputs, `tensors` its state dict."""

    classes: tuple[str, ...]
    outputs: int
    tensors: Mapping[str, Any]


def read_checkpoint(path: Path, release: Release) -> Checkpoint:
    """The `Checkpoint` in a released file, hashed first and unpickled as plain data; see the module's text.

    Raises:
        JudgeError: the file is not the released one, holds more than data, or is no checkpoint of this release; or torch is too old.
    """
    with path.open("rb") as file:
        check_hash(file, release)
        file.seek(0)
        loaded = _unpickled(file)
    try:
        arch, tensors = loaded["config"]["arch"]["args"], loaded["state_dict"]
        kind, outputs = arch["model_name"], int(arch["num_classes"])
        classes = tuple(_NEW_NAMES.get(name, name) for name in loaded["config"]["dataset"]["args"]["classes"])
    except (KeyError, TypeError, ValueError) as error:
        raise JudgeError(f"{path}: this is no checkpoint of Detoxify: {error!r} while looking for its parts") from error
    if kind != release.architecture or "toxicity" not in classes or outputs < len(classes):
        raise JudgeError(
            f"{path}: it holds a {kind} with {outputs} outputs and the classes {', '.join(map(str, classes))}; `{release.variant}` "
            f"is a {release.architecture} with the class toxicity"
        )
    return Checkpoint(classes, outputs, tensors)


def check_hash(file: BufferedReader, release: Release) -> None:
    """SHA-256 check of an open file, which is left at its end.

    Raises:
        JudgeError: its hash doesn't begin as that of the release does.
    """
    found = hashlib.file_digest(file, "sha256").hexdigest()
    if not found.startswith(release.sha256):
        raise JudgeError(
            f"{file.name}: its SHA-256 is {found}, wanted {release.sha256}{'…' if len(release.sha256) < 64 else ''}, so it was not "
            f"opened; fetch {release.url} again, or where you know from elsewhere that this is the right file, pin its hash: "
            f"`detoxify:{release.variant}@SHA256`"
        )


def find_checkpoint(release: Release, root: Path) -> Path | None:
    """Path of the released file: where ALIGNSUITE_DETOXIFY points, in the judges' cache, or where Detoxify keeps it."""
    return next((path for path in _places(release, root) if path.is_file()), None)


def find_encoder(release: Release, root: Path) -> Path | None:
    """Folder with the encoder's configuration and tokenizer: where ALIGNSUITE_DETOXIFY points, or in the caches."""
    for folder in (*_named_folders(), root / release.encoder.rpartition("/")[2]):
        if all((folder / name).is_file() for name in ENCODER_FILES):
            return folder
    from alignsuite.judges.toxicity.download import encoder_in_hub_cache

    return encoder_in_hub_cache(release)


def missing_files(release: Release, root: Path) -> str:
    """Sentence that says which files of a release are not on this machine and how to get them; empty when all are."""
    named = os.environ.get(VARIABLE)
    if named and not Path(named).exists():
        return f"{VARIABLE} is {named}, and there is no such file or folder; name {release.file} or the folder that holds it"
    absent = [release.file] if find_checkpoint(release, root) is None else []
    absent += [] if find_encoder(release, root) else [f"{' and '.join(ENCODER_FILES)} of {release.encoder}"]
    if not absent:
        return ""
    converted = root / f"{release.variant}-{release.short}"
    return (
        f"the judge `detoxify` has no checkpoint `{release.variant}` here: `{FETCH} detoxify:{release.variant}` fetches it; or put "
        f"{', and '.join(absent)} into one folder and name it in {VARIABLE}"
        + (f" ({converted} was converted by an earlier version and is no longer read)" if converted.exists() else "")
    )


def _places(release: Release, root: Path) -> Iterator[Path]:
    if named := os.environ.get(VARIABLE):
        yield Path(named)
        yield Path(named) / release.file
    yield root / release.file
    torch_home = (
        os.environ.get("TORCH_HOME") or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "torch"
    )
    yield Path(torch_home) / "hub" / "checkpoints" / release.file


def _named_folders() -> Iterator[Path]:
    if named := os.environ.get(VARIABLE):
        path = Path(named)
        yield path if path.is_dir() else path.parent


def _unpickled(file: BufferedReader) -> Any:  # noqa: ANN401 - whatever the file holds
    import torch

    if tuple(int(part) for part in torch.__version__.split("+")[0].split(".")[:2]) < _SAFE_TORCH:
        raise JudgeError(
            f"torch {torch.__version__} can be tricked by a pickle (CVE-2025-32434): pip install 'torch>=2.6'"
        )
    try:
        return torch.load(file, map_location="cpu", weights_only=True)
    except (
        Exception
    ) as error:  # a broken pickle raises nearly anything, from IndexError to struct.error; all end the judging
        first = str(error).split("\n", maxsplit=1)[0]
        raise JudgeError(
            f"{file.name}: it can't be read as plain tensors and settings, and nothing else is ever read from it ({first}); "
            "is this a checkpoint that Detoxify released?"
        ) from error
