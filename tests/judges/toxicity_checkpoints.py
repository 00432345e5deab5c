"""Checkpoints as Detoxify releases them, tiny and random: a pickle with `config` and `state_dict`, beside an encoder's folder."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alignsuite.judges.toxicity.releases import RELEASES, Release

MAIN = ("toxicity", "severe_toxicity", "obscene", "identity_attack", "insult", "threat", "sexual_explicit")
FIRST = ("toxic", "severe_toxic", "obscene", "threat", "insult", "identity_hate")  # as `original` names them
WORDS = (
    "you",
    "are",
    "a",
    "fine",
    "idiot",
    "fool",
    "person",
    "the",
    "soup",
    "is",
    "cold",
    "go",
    "away",
    "i",
    "like",
    "tea",
)
LENGTH = 48


@dataclass(frozen=True)
class Tiny:
    """A checkpoint on disk: the released file, the folder that it lies in with its encoder's files, and what is known of it."""

    file: Path
    release: Release

    @property
    def folder(self) -> Path:
        """Where everything lies, as ALIGNSUITE_DETOXIFY would name it."""
        return self.file.parent


def sizes(kind: str) -> dict[str, Any]:
    """Configuration of an encoder with two layers of 32; RoBERTa's kin keep two positions for the padding."""
    roberta = "oberta" in kind.lower()
    extra = {"embedding_size": 32} if kind == "Albert" else {}
    pad = {"pad_token_id": 1} if roberta else {"pad_token_id": 0}
    return {
        "vocab_size": 160, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64,
        "max_position_embeddings": LENGTH + 2 * roberta, "type_vocab_size": 1 if roberta else 2, "initializer_range": 0.6,
        **extra, **pad,
    }  # fmt: skip


def tokenizer_json(kind: str) -> str:
    """Tokenizer of an encoder's own kind over `WORDS` and letters: WordPiece, byte pairs, or pieces with log-probabilities."""
    import transformers

    letters = "abcdefghijklmnopqrstuvwxyz"
    marks = ["<s>", "<pad>", "</s>", "<unk>"] if "oberta" in kind.lower() else ["<pad>", "<unk>", "[CLS]", "[SEP]"]
    vocabulary: Any
    if kind == "Bert":
        words = [
            "[PAD]",
            "[UNK]",
            "[CLS]",
            "[SEP]",
            "[MASK]",
            *dict.fromkeys((*WORDS, *letters)),
            *(f"##{one}" for one in letters),
        ]
        vocabulary = {word: number for number, word in enumerate(words)}
        made = transformers.BertTokenizer(vocab=vocabulary)
    elif kind == "Roberta":
        merges = dict.fromkeys((f"Ġ{word}"[:at], f"Ġ{word}"[at]) for word in WORDS for at in range(1, len(word) + 1))
        words = [*marks, "Ġ", "Ċ", *letters, *("".join(pair) for pair in merges), "<mask>"]
        made = transformers.RobertaTokenizer(vocab={word: n for n, word in enumerate(words)}, merges=[*merges])
    else:
        pieces = [*((f"▁{word}", -2.0) for word in WORDS), ("▁", -3.0), *((letter, -6.0) for letter in letters)]
        mask = "<mask>" if kind == "XLMRoberta" else "[MASK]"
        vocabulary = [*((mark, 0.0) for mark in marks), *dict(pieces).items(), (mask, 0.0)]
        made = getattr(transformers, f"{kind}Tokenizer")(vocab=vocabulary)
    return str(made.backend_tokenizer.to_str())


def write_tiny(folder: Path, variant: str = "original", seed: int = 0) -> Tiny:
    """A random checkpoint of a variant's architecture, with as many outputs as the real one and the old buffer of positions."""
    import torch
    import transformers

    real = RELEASES[variant]
    folder.mkdir(parents=True, exist_ok=True)
    kind = real.architecture.removesuffix("ForSequenceClassification")
    classes, outputs = (FIRST, 6) if variant.startswith("original") else (MAIN, 16)
    torch.manual_seed(seed)
    config = getattr(transformers, f"{kind}Config")(**sizes(kind), num_labels=outputs)
    state = dict(getattr(transformers, real.architecture)(config).state_dict())
    prefix = next(iter(state)).partition(".")[0]
    state[f"{prefix}.embeddings.position_ids"] = torch.arange(config.max_position_embeddings)[None]
    settings = {
        "name": "Jigsaw", "batch_size": 10, "loss": "binary_cross_entropy",
        "arch": {"type": kind, "args": {"num_classes": outputs, "model_type": real.encoder, "model_name": real.architecture,
                                        "tokenizer_name": f"{kind}Tokenizer"}},
        "dataset": {"type": "JigsawData", "args": {"val_fraction": None, "classes": list(classes)}},
    }  # fmt: skip
    file = folder / real.file
    torch.save({"config": settings, "state_dict": state}, file)
    write_encoder(folder, kind)
    return Tiny(file, released(real, file))


def write_encoder(folder: Path, kind: str) -> None:
    """An encoder's `config.json` and `tokenizer.json`, as the hub has them: without the number of classes."""
    import transformers

    config = getattr(transformers, f"{kind}Config")(**sizes(kind)).to_dict()
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    (folder / "tokenizer.json").write_text(tokenizer_json(kind), encoding="utf-8")


def released(real: Release, file: Path, url: str = "https://example.invalid") -> Release:
    """A file as if it had been released: its hash stands in the release as far as Detoxify's names tell it."""
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    return Release(real.variant, f"{url}/{file.name}", digest[:8], real.architecture, real.encoder, real.revision)


def write_for_package(tiny: Tiny) -> Path:
    """Folder in which the package's own loader finds the same checkpoint without a network.

    It asks the hub for the encoder's configuration by the name in the checkpoint, whatever folder it was given, and it wants the number
    of classes in `config.json` and the length in `tokenizer_config.json`; so the name is a folder here, and both are written down.
    """
    import torch

    folder = tiny.folder / "for-package"
    folder.mkdir()
    loaded = torch.load(tiny.file, weights_only=True)
    arguments = loaded["config"]["arch"]["args"]
    arguments["model_type"] = str(folder)
    config = json.loads((tiny.folder / "config.json").read_text(encoding="utf-8"))
    numbers = {str(at): f"LABEL_{at}" for at in range(arguments["num_classes"])}
    config |= {"id2label": numbers, "label2id": {name: int(at) for at, name in numbers.items()}}
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    (folder / "tokenizer_config.json").write_text(json.dumps({"model_max_length": LENGTH}), encoding="utf-8")
    (folder / "tokenizer.json").write_text(
        (tiny.folder / "tokenizer.json").read_text(encoding="utf-8"), encoding="utf-8"
    )
    torch.save(loaded, folder / tiny.file.name)
    return folder
