"""Tiny random sequence classifiers, written as `save_pretrained` writes them: seeded, made in a second, no download."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

WORDS = (
    "you", "are", "a", "fine", "idiot", "fool", "person", "the", "soup", "is", "cold", "go", "away", "i", "like", "tea", "please",
    "tell", "me", "how", "to",
)  # fmt: skip
LENGTH = 48


def tokenizer(*, pairs: bool = True) -> Any:
    """Tokenizer over `WORDS` and letters with BERT's marks; without `pairs` it adds none, as decoders' do."""
    import transformers
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

    letters = "abcdefghijklmnopqrstuvwxyz0123456789<>|[]()!?.,:'"
    marks = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    vocabulary = [*marks, *dict.fromkeys((*WORDS, *letters)), *(f"##{one}" for one in letters)]
    numbers = {word: number for number, word in enumerate(vocabulary)}
    made = Tokenizer(models.WordPiece(numbers, unk_token="[UNK]"))
    made.normalizer = normalizers.BertNormalizer()
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    if pairs:
        made.post_processor = processors.BertProcessing(("[SEP]", numbers["[SEP]"]), ("[CLS]", numbers["[CLS]"]))
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=made, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]",
        model_max_length=LENGTH, model_input_names=["input_ids", *(["token_type_ids"] if pairs else []), "attention_mask"],
    )  # fmt: skip


def configuration(kind: str, vocabulary: int, labels: tuple[str, ...]) -> Any:
    """Configuration of an architecture, two layers of 32."""
    import transformers

    named: dict[str, Any] = {
        "id2label": dict(enumerate(labels)),
        "label2id": {name: at for at, name in enumerate(labels)},
    }
    sizes: dict[str, Any] = {
        "vocab_size": vocabulary, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64,
        "max_position_embeddings": LENGTH, "initializer_range": 0.6, "pad_token_id": 0,
    }  # fmt: skip
    if kind == "DistilBert":
        sizes = {
            "vocab_size": vocabulary, "dim": 32, "n_layers": 2, "n_heads": 2, "hidden_dim": 64, "max_position_embeddings": LENGTH,
            "initializer_range": 0.6,
        }  # fmt: skip
    if kind == "Roberta":
        sizes |= {"max_position_embeddings": LENGTH + 1}  # one for the padding's own place
    if kind == "DebertaV2":
        sizes |= {
            "relative_attention": True,
            "position_biased_input": False,
            "pos_att_type": ["p2c", "c2p"],
            "type_vocab_size": 0,
        }
        sizes |= {"initializer_range": 0.2}
    if kind == "ModernBert":
        sizes |= {
            "cls_token_id": 2,
            "sep_token_id": 3,
            "bos_token_id": 2,
            "eos_token_id": 3,
            "initializer_cutoff_factor": 2.0,
        }
        sizes |= {"initializer_range": 0.2}
    if kind == "Llama":
        sizes |= {"num_key_value_heads": 2, "pad_token_id": None}
    return getattr(transformers, f"{kind}Config")(**sizes, **named)


def write_classifier(
    folder: Path,
    kind: str = "Bert",
    labels: tuple[str, ...] = ("neutral", "toxic"),
    *,
    problem: str | None = None,
    seed: int = 0,
) -> Path:
    """Folder of a random classifier; `problem` is its problem_type."""
    import torch
    import transformers

    torch.manual_seed(seed)
    tokens = tokenizer(pairs=kind != "Llama")
    config = configuration(kind, len(tokens), labels)
    config.problem_type = problem
    model = getattr(transformers, f"{kind}ForSequenceClassification")(config)
    model.save_pretrained(folder)
    tokens.save_pretrained(folder)
    return folder


def change_config(folder: Path, **values: Any) -> None:
    """Set values in `config.json`; None takes one away."""
    file = folder / "config.json"
    config = json.loads(file.read_text(encoding="utf-8")) | values
    file.write_text(json.dumps({key: value for key, value in config.items() if value is not None}), encoding="utf-8")
