"""Identity of checkpoints: any change that can change an answer changes it, and nothing else does."""

from __future__ import annotations

import hashlib
import json
import os
import time
from pathlib import Path

import pytest

from alignsuite.errors import ModelError
from alignsuite.models import identity
from alignsuite.models.identity import file_hash, fingerprint, folder_identity, pieces_identity


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """A cache folder that does not exist yet."""
    return tmp_path / "cache"


def old(path: Path, content: bytes) -> Path:
    """A file whose modification lies in the past."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    os.utime(path, (1e9, 1e9))
    return path


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every file counts as written long ago, so that it may be remembered."""
    monkeypatch.setattr(identity, "_RACY_NS", -(10**12))


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The files that were really read for hashing, in order."""
    seen: list[Path] = []
    real = identity._digest
    monkeypatch.setattr(identity, "_digest", lambda path, *rest: (seen.append(path), real(path, *rest))[1])
    return seen


def test_is_the_sha256_of_the_bytes(tmp_path: Path, cache: Path) -> None:
    """What `sha256sum` says."""
    assert file_hash(old(tmp_path / "w.bin", b"weights"), cache=cache) == hashlib.sha256(b"weights").hexdigest()


@pytest.mark.usefixtures("settled")
def test_a_known_file_is_not_read_again(tmp_path: Path, cache: Path, reads: list[Path]) -> None:
    """The second look costs a stat."""
    path = old(tmp_path / "w.bin", b"weights")
    assert file_hash(path, cache=cache) == file_hash(path, cache=cache)
    assert len(reads) == 1


@pytest.mark.usefixtures("settled")
def test_new_weights_of_the_same_size_and_time_are_noticed(tmp_path: Path, cache: Path) -> None:
    """`rsync -t` and `cp -p` set the modification time back; the change time tells."""
    path = old(tmp_path / "w.bin", b"weights")
    first = file_hash(path, cache=cache)
    time.sleep(0.02)
    assert file_hash(old(path, b"WEIGHTS"), cache=cache) != first


def test_a_file_just_written_is_not_remembered(tmp_path: Path, cache: Path, reads: list[Path]) -> None:
    """A second write in the same clock tick could not be told apart, so it is hashed again."""
    path = tmp_path / "w.bin"
    path.write_bytes(b"weights")
    file_hash(path, cache=cache)
    file_hash(path, cache=cache)
    assert len(reads) == 2


@pytest.mark.usefixtures("settled")
@pytest.mark.parametrize("memory", [b"", b"{", b"[1]", b"\xff\xfe", b'{"format": 1, "files": 3}', b"[" * 100_000])
def test_a_broken_memory_is_rebuilt(tmp_path: Path, cache: Path, memory: bytes) -> None:
    """A damaged memory costs one more hashing and no error."""
    cache.mkdir()
    (cache / "hashes.json").write_bytes(memory)
    path = old(tmp_path / "w.bin", b"weights")
    assert file_hash(path, cache=cache) == hashlib.sha256(b"weights").hexdigest()
    assert list(json.loads((cache / "hashes.json").read_text())["files"]) == [str(path)]


@pytest.mark.usefixtures("settled")
def test_a_wrong_entry_is_not_believed(tmp_path: Path, cache: Path) -> None:
    """An entry of another shape is as good as none."""
    path = old(tmp_path / "w.bin", b"weights")
    right = file_hash(path, cache=cache)
    for entry in (None, 5, [], ["x"], [1, 2, 3, "no"], [7, 8, 9]):
        (cache / "hashes.json").write_text(json.dumps({"format": 1, "files": {str(path): entry}}))
        assert file_hash(path, cache=cache) == right


@pytest.mark.usefixtures("settled")
def test_a_cache_that_cannot_be_written_means_hashing_again(tmp_path: Path, reads: list[Path]) -> None:
    """No error: only the time is lost."""
    blocked = old(tmp_path / "not-a-folder", b"")
    path = old(tmp_path / "w.bin", b"weights")
    assert file_hash(path, cache=blocked) == file_hash(path, cache=blocked)
    assert len(reads) == 2


def test_a_missing_file_is_named(tmp_path: Path, cache: Path) -> None:
    """The message has the path."""
    with pytest.raises(ModelError, match=r"gone\.bin: can't be read"):
        file_hash(tmp_path / "gone.bin", cache=cache)


def test_a_file_that_grows_meanwhile_is_refused(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A checkpoint that a trainer is still writing has no identity yet."""
    path = old(tmp_path / "w.bin", b"weights")

    def digest_while_written(*_: object) -> str:
        path.write_bytes(b"weights and more")
        return "0" * 64

    monkeypatch.setattr(identity, "_digest", digest_while_written)
    with pytest.raises(ModelError, match="changed while it was being hashed"):
        file_hash(path, cache=cache)


def checkpoint(folder: Path) -> Path:
    """A small Transformers folder."""
    old(folder / "config.json", b"{}")
    old(folder / "model.safetensors", b"weights")
    old(folder / "tokenizer.json", b"{}")
    return folder


def test_what_a_trainer_leaves_does_not_count(tmp_path: Path, cache: Path) -> None:
    """Optimizer states, logs and nested checkpoints change no answer."""
    folder = checkpoint(tmp_path / "model")
    before = folder_identity(folder, cache=cache)
    for name in (
        "optimizer.pt",
        "rng_state_0.pth",
        "trainer_state.json",
        "README.md",
        "checkpoint-5/model.safetensors",
    ):
        old(folder / name, b"x")
    assert folder_identity(folder, cache=cache) == before


@pytest.mark.parametrize(
    "name", ["model.safetensors", "tokenizer.json", "chat_template.jinja", "additional_chat_templates/tool.jinja"]
)
def test_what_can_change_an_answer_counts(tmp_path: Path, cache: Path, name: str) -> None:
    """Weights, tokenizer and templates."""
    folder = checkpoint(tmp_path / "model")
    before = folder_identity(folder, cache=cache)
    old(folder / name, b"other")
    assert folder_identity(folder, cache=cache) != before


def test_a_folder_moved_elsewhere_is_the_same_model(tmp_path: Path, cache: Path) -> None:
    """Identity is content: the path does not matter."""
    one, two = checkpoint(tmp_path / "one"), checkpoint(tmp_path / "two")
    assert folder_identity(one, cache=cache) == folder_identity(two, cache=cache)


def test_a_renamed_file_is_another_model(tmp_path: Path, cache: Path) -> None:
    """Two contents that swap names are not the same folder."""
    one = checkpoint(tmp_path / "one")
    before = folder_identity(one, cache=cache)
    os.replace(one / "config.json", one / "other.json")
    assert folder_identity(one, cache=cache) != before


def test_an_empty_folder_has_no_identity(tmp_path: Path, cache: Path) -> None:
    """It is told what was wanted."""
    with pytest.raises(ModelError, match=r"config\.json"):
        folder_identity(tmp_path, cache=cache)


def test_pieces_count_in_their_order(tmp_path: Path, cache: Path) -> None:
    """One file is its own hash; several are a hash of hashes."""
    one, two = old(tmp_path / "1.gguf", b"1"), old(tmp_path / "2.gguf", b"2")
    assert pieces_identity([one], cache=cache) == hashlib.sha256(b"1").hexdigest()
    assert pieces_identity([one, two], cache=cache) != pieces_identity([two, one], cache=cache)


def test_parts_of_a_fingerprint_do_not_run_together() -> None:
    """32 hex characters; the border between two parts counts."""
    assert len({fingerprint("ab", "c"), fingerprint("a", "bc"), fingerprint("abc"), fingerprint("ab", "c", "")}) == 4
    assert len(fingerprint("é")) == 32


@pytest.mark.usefixtures("settled")
def test_large_files_report_progress(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The callback hears the file's name and how far it is."""
    monkeypatch.setattr(identity, "_SHOWN_FROM", 1)
    heard: list[str] = []
    file_hash(old(tmp_path / "w.bin", b"x" * 1000), cache=cache, progress=heard.append)
    assert heard == ["hashing w.bin: 0 of 0 MiB"]
