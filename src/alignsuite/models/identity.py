"""Checkpoint identity: hashes of what can change its answers.

A store of replies is keyed by these, so a checkpoint that changed never meets old replies. Hashing a large model takes minutes on a
slow disk, so a file's hash is remembered under its path, size and times. The memory is a convenience: a broken one is
rebuilt, and where it can't be written the files are hashed again each time.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from alignsuite.errors import ModelError
from alignsuite.text.progress import ProgressLine, Tell

_BLOCK = 1 << 22
_SHOWN_FROM = 1 << 27  # smaller files are hashed before a bar could be read
_RACY_NS = 2_000_000_000
_REMEMBERED = 2000
_MEMORY = "hashes.json"
_FORMAT = 1

_SUFFIXES = frozenset(
    {".safetensors", ".bin", ".pt", ".pth", ".gguf", ".model", ".json", ".txt", ".jinja", ".tiktoken", ".py"}
)
_NOT_THE_MODEL = ("optimizer", "scheduler", "rng_state", "trainer_state", "training_args", "scaler")


def file_hash(path: Path, *, cache: Path, progress: Tell | None = None) -> str:
    """SHA-256 of a file, in hex; remembered in `cache` by path, size, modification and change time.

    The change time is part of the key because tools that copy checkpoints (`rsync -t`, `cp -p`) set the modification time back. A
    file written less than two seconds ago is not remembered: a further write in the same tick could not be told apart.

    Raises:
        ModelError: the file can't be read, or it changed while it was being read.
    """
    path = path.resolve()
    try:
        before = path.stat()
        key = [before.st_size, before.st_mtime_ns, before.st_ctime_ns]
        known = _remembered(cache).get(str(path))
        if isinstance(known, list) and known[:3] == key and len(known) == 4 and isinstance(known[3], str):
            return known[3]
        digest = _digest(path, before.st_size, progress)
        after = path.stat()
    except OSError as error:
        raise ModelError(f"{path}: can't be read ({error.strerror}); it is part of the model's identity") from error
    if [after.st_size, after.st_mtime_ns, after.st_ctime_ns] != key:
        raise ModelError(
            f"{path}: changed while it was being hashed; wait until the checkpoint is written, then run again"
        )
    if time.time_ns() - max(before.st_mtime_ns, before.st_ctime_ns) > _RACY_NS:
        _remember(cache, str(path), [*key, digest])
    return digest


def folder_identity(folder: Path, *, cache: Path, progress: Tell | None = None) -> str:
    """Content hash of a Transformers folder.

    It is a SHA-256 over the sorted (name, hash) of all files that can change an answer.

    Those are weights, configuration, tokenizer, chat templates and the folder's own Python code. What a trainer leaves beside them
    (optimizer, scheduler, random states) and other subfolders do not count.

    Raises:
        ModelError: the folder holds no such file, or one can't be read.
    """
    places = [folder, folder / "additional_chat_templates"]
    files = sorted(file for place in places if place.is_dir() for file in place.iterdir() if _counts(file))
    if not files:
        raise ModelError(
            f"{folder}: holds no weights, configuration or tokenizer; a folder with `config.json` was wanted"
        )
    whole = hashlib.sha256()
    for file in files:
        name = file.relative_to(folder).as_posix()
        whole.update(f"{len(name.encode())}:{name}{file_hash(file, cache=cache, progress=progress)}".encode())
    return whole.hexdigest()


def pieces_identity(files: list[Path], *, cache: Path, progress: Tell | None = None) -> str:
    """Content hash of weights that lie in these files, in this order; of one file it is the file's own SHA-256."""
    hashes = [file_hash(file, cache=cache, progress=progress) for file in files]
    return hashes[0] if len(hashes) == 1 else hashlib.sha256("".join(hashes).encode("ascii")).hexdigest()


def fingerprint(*parts: str) -> str:
    """Fingerprint: 32 hex characters that stand for all parts, in order; no two lists of parts run together.

    >>> fingerprint("ab", "c") == fingerprint("a", "bc")
    False
    """
    return hashlib.sha256(json.dumps(parts).encode("ascii")).hexdigest()[:32]


def _counts(file: Path) -> bool:
    return file.suffix in _SUFFIXES and not file.name.startswith(_NOT_THE_MODEL) and file.is_file()


def _digest(path: Path, size: int, progress: Tell | None) -> str:
    running = hashlib.sha256()
    done = 0
    with path.open("rb") as file, ProgressLine(f"hashing {path.name}", size, progress) as line:
        while block := file.read(_BLOCK):
            running.update(block)
            done += len(block)
            if size >= _SHOWN_FROM:
                line.at(done)
    return running.hexdigest()


def _remembered(cache: Path) -> dict[str, object]:
    """Hash cache as it is on disk; empty where it is missing, broken or of another format."""
    try:
        data = json.loads((cache / _MEMORY).read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    if not isinstance(data, dict) or data.get("format") != _FORMAT or not isinstance(data.get("files"), dict):
        return {}
    files: dict[str, object] = data["files"]
    return files


def _remember(cache: Path, path: str, entry: list[object]) -> None:
    """Add one entry to the hash cache, written to a temporary name and moved into place.

    Of two processes that do it at once, one's entry is lost and hashed again.
    """
    files = _remembered(cache)
    files.pop(path, None)
    kept = dict(list(files.items())[-(_REMEMBERED - 1) :])
    kept[path] = entry
    temporary: str | None = None
    try:
        cache.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(prefix="hashes-", suffix=".part", dir=cache)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump({"format": _FORMAT, "files": kept}, file)
        os.replace(temporary, cache / _MEMORY)
    except OSError:
        if temporary is not None:
            with suppress(OSError):
                os.unlink(temporary)
