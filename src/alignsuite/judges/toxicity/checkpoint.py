"""A released checkpoint is a pickle, and a pickle is a program. It is read once, with the door locked, and never again.

1. The file's SHA-256 must begin as the release's name says, or be the one that the user pinned.
2. `torch.load(weights_only=True)` reads it: tensors, numbers, text, lists and dictionaries, and not one function call. Before torch
   2.6 that lock could be picked (CVE-2025-32434), so older versions are refused.
3. Of what it holds, the tensors go into a safetensors file, the names of the classes into a small JSON, and the rest nowhere.

From then on only that folder is read, and each of its files is compared with the hash that the JSON keeps. Eight digits of a hash
find a broken download and would not stop an attacker with patience; the second step does. A file changed afterwards is found by the
third, unless whoever changed it changed the JSON as well.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from alignsuite.errors import JudgeError
from alignsuite.judges.toxicity.places import ORIGIN, converted_folder
from alignsuite.judges.toxicity.releases import TEXTS, Release

WEIGHTS = "model.safetensors"

_FORMAT = 1
_FILES = (WEIGHTS, *TEXTS)
_SAFE_TORCH = (2, 6)
_NEW_NAMES = {"toxic": "toxicity", "severe_toxic": "severe_toxicity", "identity_hate": "identity_attack"}
"""Detoxify's first checkpoint names three classes otherwise than the later ones."""


@dataclass(frozen=True)
class Origin:
    """What is known of a converted folder: `classes` are the names of the first outputs, `files` the SHA-256 of each file."""

    variant: str
    sha256: str
    architecture: str
    classes: tuple[str, ...]
    files: Mapping[str, str]
    format: int = _FORMAT


def convert(checkpoint: Path, texts: Path, release: Release, root: Path) -> Path:
    """The safe form of a released file, in its folder under `root`; see the module's text.

    `texts` is a folder with the encoder's `config.json` and `tokenizer.json`.

    Raises:
        JudgeError: the file is not the released one, holds more than data, or is no checkpoint of this release; or the folder can't be
            written.
    """
    found = check_hash(checkpoint, release)
    classes, tensors = _contents(checkpoint, release)
    target = converted_folder(release, root)
    try:
        root.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="converting-", dir=root) as scratch:
            folder = Path(scratch) / "folder"
            folder.mkdir()
            _write(folder, texts, tensors)
            files = {name: _hash(folder / name) for name in _FILES}
            origin = Origin(release.variant, found, release.architecture, classes, files)
            (folder / ORIGIN).write_text(json.dumps(asdict(origin), indent=1) + "\n", encoding="utf-8")
            _put(folder, target)
    except OSError as error:
        raise JudgeError(
            f"{root}: the checkpoint can't be kept there ({error.strerror or error}); make room, or set ALIGNSUITE_HOME to another folder"
        ) from error
    return target


def check_hash(checkpoint: Path, release: Release) -> str:
    """The SHA-256 of a file, which begins as that of the release does.

    Raises:
        JudgeError: it doesn't.
    """
    found = _hash(checkpoint)
    if not found.startswith(release.sha256):
        raise JudgeError(
            f"{checkpoint}: its SHA-256 is {found}, wanted {release.sha256}{'…' if len(release.sha256) < 64 else ''}, so it was not "
            f"opened; fetch {release.url} again, or where you know from elsewhere that this is the right file, pin its hash: "
            f"`detoxify:{release.variant}@SHA256`"
        )
    return found


def read_origin(folder: Path, release: Release) -> Origin:
    """What is known of a converted folder, after every file in it was compared with its hash.

    Raises:
        JudgeError: a file is gone or was changed, or the folder holds another file's tensors, or was written by another version.
    """
    try:
        data = json.loads((folder / ORIGIN).read_text(encoding="utf-8"))
        origin = Origin(**{**data, "classes": tuple(data["classes"])})
        wrong = [name for name in _FILES if _hash(folder / name) != origin.files[name]]
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise JudgeError(
            f"{folder}: this is no converted checkpoint ({error!r}); remove the folder and run again"
        ) from error
    what = f"{wrong[0]} was changed after it was written" if wrong else ""
    if not what and (origin.format, origin.architecture) != (_FORMAT, release.architecture):
        what = (
            f"it holds a {origin.architecture} in format {origin.format}, wanted {release.architecture} and {_FORMAT}"
        )
    if not what and not origin.sha256.startswith(release.sha256):
        what = f"it was made from a file with the SHA-256 {origin.sha256}, wanted {release.sha256}"
    if what:
        raise JudgeError(f"{folder}: {what}; it was not loaded: remove the folder and run again")
    return origin


def _contents(checkpoint: Path, release: Release) -> tuple[tuple[str, ...], dict[str, Any]]:
    """The names of the classes and the tensors of a checkpoint whose hash was compared."""
    loaded = _unpickled(checkpoint)
    try:
        arch, state = loaded["config"]["arch"]["args"], loaded["state_dict"]
        classes = tuple(_NEW_NAMES.get(name, name) for name in loaded["config"]["dataset"]["args"]["classes"])
        kind, outputs = arch["model_name"], arch["num_classes"]
        tensors = {
            name: tensor.detach().float().contiguous().clone()  # a view of a larger storage can't be saved
            for name, tensor in state.items()
            if not name.endswith("embeddings.position_ids")  # 0, 1, 2 …, and no longer part of the architecture
        }
    except (KeyError, TypeError, AttributeError) as error:
        raise JudgeError(
            f"{checkpoint}: this is no checkpoint of Detoxify: {error!r} while looking for its parts"
        ) from error
    if kind != release.architecture or "toxicity" not in classes or outputs < len(classes):
        raise JudgeError(
            f"{checkpoint}: it holds a {kind} with {outputs} outputs and the classes {', '.join(classes)}; `{release.variant}` is a "
            f"{release.architecture} with the class toxicity"
        )
    return classes, tensors


def _unpickled(checkpoint: Path) -> Any:  # noqa: ANN401 - whatever the file holds
    import torch

    if tuple(int(part) for part in torch.__version__.split("+")[0].split(".")[:2]) < _SAFE_TORCH:
        raise JudgeError(
            f"torch {torch.__version__} can be tricked by a pickle (CVE-2025-32434): pip install 'torch>=2.6'"
        )
    try:
        return torch.load(checkpoint, map_location="cpu", weights_only=True)
    except Exception as error:  # a broken pickle raises nearly anything, from IndexError to struct.error
        first = str(error).split("\n", maxsplit=1)[0]
        raise JudgeError(
            f"{checkpoint}: it can't be read as plain tensors and settings, and nothing else is ever read from it ({first}); "
            "is this a checkpoint that Detoxify released?"
        ) from error


def _write(folder: Path, texts: Path, tensors: dict[str, Any]) -> None:
    from safetensors.torch import save_file

    save_file(tensors, folder / WEIGHTS, metadata={"format": "pt"})
    for name in TEXTS:
        shutil.copyfile(texts / name, folder / name)


def _put(folder: Path, target: Path) -> None:
    try:
        os.replace(folder, target)
    except OSError:
        if not (target / ORIGIN).is_file():  # else another process was faster, with the same files
            raise


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
