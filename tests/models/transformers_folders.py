"""Tiny random checkpoints for tests, written the way `save_pretrained` writes them: seeded, made in a second, no download."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

import torch
from tokenizers import Tokenizer, decoders, pre_tokenizers, processors, trainers
from tokenizers.models import BPE, Unigram
from transformers import (
    AutoModelForCausalLM,
    AutoModelForSeq2SeqLM,
    BloomConfig,
    GPT2Config,
    LlamaConfig,
    MambaConfig,
    MistralConfig,
    OPTConfig,
    PreTrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerFast,
    T5Config,
)

Kind = Literal["llama", "gpt2", "opt", "bloom", "mamba", "mistral", "t5"]

CHAT_TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
TEXT = [
    "The quick brown fox jumps over the lazy dog. A baker is early in the morning, and never complains about the weather.",
    "Some things that people say about their work and their days: yes, no, always, never, rather not, I agree, I disagree.",
    "Please answer with the letter of the option that describes you best. Options: A. B. C. D. E. Answer:",
]
SPECIAL = ["<s>", "</s>", "<unk>", "<|im_start|>", "<|im_end|>"]


def byte_tokenizer(*, begin: bool) -> PreTrainedTokenizerFast:
    """Byte-level BPE of 400 tokens, as GPT-2 and Llama 3 have it; `begin` puts `<s>` in front of every text."""
    tokenizer = Tokenizer(BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    tokenizer.train_from_iterator(
        TEXT, trainers.BpeTrainer(vocab_size=400, special_tokens=SPECIAL, initial_alphabet=alphabet)
    )
    if begin:
        tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 0)])
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token="<s>",
        eos_token="</s>",
        additional_special_tokens=["<|im_start|>", "<|im_end|>"],
    )


def pair_tokenizer() -> PreTrainedTokenizerFast:
    """A Unigram tokenizer with `</s>` behind every text, as T5 has it."""
    tokenizer = Tokenizer(Unigram())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    special = ["<pad>", "</s>", "<unk>"]
    tokenizer.train_from_iterator(
        TEXT, trainers.UnigramTrainer(vocab_size=200, special_tokens=special, unk_token="<unk>", show_progress=False)
    )
    tokenizer.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="<pad>", eos_token="</s>", unk_token="<unk>")


def configuration(kind: Kind, vocabulary: int) -> PreTrainedConfig:
    """A model of some thousand weights, of a well-known architecture."""
    ends: dict[str, Any] = {"bos_token_id": 0, "eos_token_id": 1, "pad_token_id": 1, "vocab_size": vocabulary}
    llama: dict[str, Any] = {
        "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4,
        "num_key_value_heads": 2, "max_position_embeddings": 512, "initializer_range": 0.4, **ends,
    }  # fmt: skip
    if kind == "llama":
        return LlamaConfig(**llama)
    if kind == "mistral":
        return MistralConfig(**llama, sliding_window=16)
    if kind == "gpt2":
        return GPT2Config(n_embd=32, n_layer=2, n_head=4, n_positions=512, initializer_range=0.4, **ends)
    if kind == "bloom":
        return BloomConfig(hidden_size=32, n_layer=2, n_head=4, initializer_range=0.4, **ends)
    if kind == "mamba":
        return MambaConfig(hidden_size=32, num_hidden_layers=2, state_size=8, initializer_range=0.4, **ends)
    if kind == "opt":
        return OPTConfig(
            hidden_size=32, ffn_dim=64, num_hidden_layers=2, num_attention_heads=4, max_position_embeddings=512,
            word_embed_proj_dim=32, init_std=0.4, **ends,
        )  # fmt: skip
    return T5Config(
        d_model=32, d_kv=8, d_ff=64, num_layers=2, num_heads=4, vocab_size=vocabulary, pad_token_id=0, eos_token_id=1,
        decoder_start_token_id=0, initializer_factor=1.0,
    )  # fmt: skip


def random_model(kind: Kind, vocabulary: int, seed: int = 0) -> PreTrainedModel:
    """The model with seeded random weights."""
    torch.manual_seed(seed)
    config = configuration(kind, vocabulary)
    found = (AutoModelForSeq2SeqLM if kind == "t5" else AutoModelForCausalLM).from_config(config)
    assert isinstance(found, PreTrainedModel)
    return found.eval()


def write_folder(folder: Path, kind: Kind, *, chat: bool = False, seed: int = 0, shards: bool = False) -> Path:
    """A whole checkpoint folder."""
    tokenizer = pair_tokenizer() if kind == "t5" else byte_tokenizer(begin=kind != "gpt2")
    if chat:
        tokenizer.chat_template = CHAT_TEMPLATE
        tokenizer.eos_token = "<|im_end|>"
    tokenizer.save_pretrained(folder)
    model = random_model(kind, len(tokenizer), seed)
    model.save_pretrained(folder, max_shard_size="20KB" if shards else "1GB")
    return folder


def change_json(path: Path, **changes: object) -> None:
    """Write other values into a JSON file."""
    data = json.loads(path.read_text())
    path.write_text(json.dumps({**data, **changes}))
