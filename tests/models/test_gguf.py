"""The reader of GGUF headers: what it reads, and that nothing in a file can hurt it."""

from __future__ import annotations

import random
import struct
import tracemalloc
from pathlib import Path

import pytest

from alignsuite.errors import ModelError
from alignsuite.models.engines.llamacpp.gguf import read_header

from .conftest import GgufWriter


def test_reads_what_answering_needs(tmp_path: Path, gguf_writer: GgufWriter) -> None:
    """Architecture, names, context, vocabulary, template and end tokens come from the metadata."""
    header = read_header(gguf_writer.write(tmp_path / "tiny.gguf"))
    assert (header.architecture, header.name, header.context_length, header.vocab_size) == ("llama", "Tiny", 512, 7)
    assert (header.named_tokens["bos_token"], header.named_tokens["eos_token"], header.pieces) == ("<s>", "</s>", 1)
    assert header.chat_template == GgufWriter.usual["tokenizer.chat_template"]


def test_special_tokens_are_those_that_could_close_a_turn(tmp_path: Path, gguf_writer: GgufWriter) -> None:
    """Control tokens count, ordinary ones that look like control tokens too, and user-defined ones that the template spells."""
    header = read_header(gguf_writer.write(tmp_path / "tiny.gguf"))
    assert header.special_tokens == ("</s>", "<s>", "<tool>", "<unk>", "<|im_end|>")


def test_a_file_without_a_template_says_none(tmp_path: Path, gguf_writer: GgufWriter) -> None:
    """A base model is not given somebody else's template."""
    path = gguf_writer.write(
        tmp_path / "base.gguf", entries={"tokenizer.chat_template": None, "llama.context_length": None}
    )
    header = read_header(path)
    assert header.chat_template is None
    assert header.context_length is None


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """The message has the path and what was wanted."""
    with pytest.raises(ModelError, match=r"nowhere\.gguf: there is no such file; a GGUF file was wanted"):
        read_header(tmp_path / "nowhere.gguf")


@pytest.mark.parametrize("content", [b"", b"GG", b"PK\x03\x04 a zip file", b"<!DOCTYPE html>"])
def test_another_kind_of_file_is_no_gguf(tmp_path: Path, content: bytes) -> None:
    """An error page saved under a model's name is told as such."""
    path = tmp_path / "model.gguf"
    path.write_bytes(content)
    with pytest.raises(ModelError, match="not a GGUF file"):
        read_header(path)


@pytest.mark.parametrize(("version", "word"), [(1, "version is 1"), (99, "version is 99"), (3 << 24, "big-endian")])
def test_other_versions_are_refused(tmp_path: Path, gguf_writer: GgufWriter, version: int, word: str) -> None:
    """Only little-endian files of versions 2 and 3 are read."""
    with pytest.raises(ModelError, match=word):
        read_header(gguf_writer.write(tmp_path / "old.gguf", version=version))


def test_missing_weights_are_noticed_without_reading_them(tmp_path: Path, gguf_writer: GgufWriter) -> None:
    """A download that stopped inside the weights is told with the byte where it ends and the byte that was promised."""
    path = gguf_writer.write(tmp_path / "cut.gguf", weights=7)
    size = path.stat().st_size
    with pytest.raises(
        ModelError, match=rf"byte {size} of {size}: .*`output\.weight` goes on to byte {size + 4}.*again"
    ):
        read_header(path)


def test_an_unknown_tensor_type_skips_only_that_check(tmp_path: Path, gguf_writer: GgufWriter) -> None:
    """A type that was invented after this version is left to the engine."""
    assert read_header(gguf_writer.write(tmp_path / "new.gguf", kind=250, weights=0)).architecture == "llama"


@pytest.mark.parametrize("count", [2**63, 2**40, 10**9])
def test_a_promised_length_allocates_nothing(tmp_path: Path, count: int) -> None:
    """A text, an array, or a number of entries that claims gigabytes is refused for less than four MiB of memory."""
    start = b"GGUF" + struct.pack("<IQQ", 3, 0, 1)
    key = struct.pack("<Q", 21) + b"tokenizer.ggml.tokens"
    hostile = [
        b"GGUF" + struct.pack("<IQQ", 3, 0, count),
        b"GGUF" + struct.pack("<IQQ", 3, count, 0),
        start + struct.pack("<Q", count),
        start + key + struct.pack("<IQ", 8, count),
        start + key + struct.pack("<IIQ", 9, 8, count),
        start + key + struct.pack("<IIQ", 9, 5, count),
        start + key + struct.pack("<IIQ", 9, 9, count),
    ]
    path = tmp_path / "hostile.gguf"
    for content in hostile:
        path.write_bytes(content + b"\0" * 100)
        tracemalloc.start()
        with pytest.raises(ModelError):
            read_header(path)
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
        tracemalloc.stop()


def test_no_damage_raises_anything_but_a_model_error(tmp_path: Path, gguf_writer: GgufWriter) -> None:
    """Every truncation, and 3 000 random changes of bytes: the header is read or a ModelError says why not."""
    whole = gguf_writer.write(tmp_path / "whole.gguf").read_bytes()
    path = tmp_path / "damaged.gguf"
    chance = random.Random(7)
    damaged = [whole[:end] for end in range(len(whole))]
    for _ in range(3000):
        copy = bytearray(whole)
        for _ in range(chance.choice([1, 1, 2, 8])):
            copy[chance.randrange(len(copy))] = chance.choice([0, 255, chance.randrange(256)])
        damaged.append(bytes(copy))
    refused = 0
    for content in damaged:
        path.write_bytes(content)
        try:
            read_header(path)
        except ModelError as error:
            refused += str(path) in str(error)
    assert refused >= len(whole)  # every truncation, at the least


def test_the_embedded_model(smollm2_path: Path) -> None:
    """A real file: 49 152 tokens, ChatML, a context of 8192."""
    header = read_header(smollm2_path)
    assert (header.architecture, header.vocab_size, header.context_length) == ("llama", 49152, 8192)
    assert {"<|im_start|>", "<|im_end|>", "<|endoftext|>"} <= set(header.special_tokens)
