"""A Llama with random weights and a tokenizer of its own, for timing: what a pass costs does not depend on the values in it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

SHAPES = {
    "30m": {"hidden_size": 512, "intermediate_size": 1408, "num_hidden_layers": 8, "num_attention_heads": 8, "num_key_value_heads": 4},
    "135m": {"hidden_size": 576, "intermediate_size": 1536, "num_hidden_layers": 30, "num_attention_heads": 9, "num_key_value_heads": 3},
    "7b": {"hidden_size": 4096, "intermediate_size": 11008, "num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": 32},
}  # fmt: skip
_VOCABULARY = {"30m": 16_384, "135m": 49_152, "7b": 32_000}


def save_random_llama(folder: Path, shape: str, texts: Sequence[str]) -> Path:
    """Write a folder that `open_transformers` and lm-eval open; the tokenizer is trained on the texts. Half numbers for 7b."""
    import torch
    from tokenizers import Tokenizer, decoders, pre_tokenizers, processors, trainers
    from tokenizers.models import BPE
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    tokenizer = Tokenizer(BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=2000, special_tokens=["<s>", "</s>"], initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 0)])
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>").save_pretrained(folder)
    torch.manual_seed(0)
    config = LlamaConfig(
        **SHAPES[shape],
        vocab_size=_VOCABULARY[shape],
        max_position_embeddings=2048,
        tie_word_embeddings=shape != "7b",
        bos_token_id=0,
        eos_token_id=1,
    )
    if shape == "7b":
        torch.set_default_dtype(torch.bfloat16)
    model = LlamaForCausalLM(config)
    torch.set_default_dtype(torch.float32)
    model.save_pretrained(folder)
    return folder
