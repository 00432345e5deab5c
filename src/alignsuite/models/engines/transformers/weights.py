"""Checkpoint loading: device, number type, configuration, tokenizer and weights, by torch and Transformers.

Whatever these raise is turned into a `ModelError` that names the checkpoint. Weights that a checkpoint lacks are an error: the library
would fill them with random numbers and a warning.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from alignsuite.errors import ModelError
from alignsuite.models.engines.transformers.adapter import Adapter
from alignsuite.models.engines.transformers.files import Checkpoint
from alignsuite.models.engines.transformers.text import special_texts
from alignsuite.models.engines.transformers.write import Ends

if TYPE_CHECKING:
    from transformers import PreTrainedConfig, PreTrainedModel, PreTrainedTokenizerBase

INSTALL = "pip install 'alignsuite[hf]'"
_HALVES = ("bfloat16", "float16")
_OWN_CODE = "needs Python code of its own, which would run here; read it, then give --align-trust-remote-code"


def versions(*, adapter: bool) -> str:
    """Engine version: the libraries and their versions, in one line.

    Raises:
        ModelError: one of the libraries is missing.
    """
    try:
        return " ".join(
            f"{name} {importlib.metadata.version(name)}"
            for name in ("transformers", "torch", *(["peft"] if adapter else []))
        )
    except importlib.metadata.PackageNotFoundError as error:
        raise ModelError(
            f"Transformers checkpoints run in this process with torch, and {error.name} is not installed: {INSTALL}"
        ) from None


def cuda_devices() -> int:
    """Count of CUDA devices that torch may use, after `CUDA_VISIBLE_DEVICES`; 0 without torch.

    Importing torch takes seconds.
    """
    if importlib.util.find_spec("torch") is None:
        return 0
    import torch

    return int(torch.cuda.device_count())


def pick_device(asked: str | None) -> str:
    """Device to run on: the one asked for, else the first GPU, else the CPU.

    Raises:
        ModelError: there is no such device.
    """
    import torch

    gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
    mps = torch.backends.mps.is_available()
    there = ["cpu", *(f"cuda:{index}" for index in range(gpus)), *(["mps"] if mps else [])]
    if asked is None:
        return "cuda:0" if gpus else "mps" if mps else "cpu"
    device = "cuda:0" if asked == "cuda" else asked
    if device not in there:
        raise ModelError(f"--align-device={asked}: there is no such device here; there is {', '.join(there)}")
    return device


def pick_dtype(device: str, checkpoint: Checkpoint) -> str:
    """Number type of the weights: float32 on a CPU, on a GPU a 16-bit one.

    That is the checkpoint's own if it is one, else bfloat16 where the device has it, else float16.
    """
    import torch

    if device == "cpu":
        return "float32"
    own = str(checkpoint.config.get("dtype") or checkpoint.config.get("torch_dtype") or "").removeprefix("torch.")
    bfloat = device.startswith("cuda") and torch.cuda.is_bf16_supported()
    if own in _HALVES and (own == "float16" or bfloat):
        return own
    return "bfloat16" if bfloat else "float16"


def read_config(checkpoint: Checkpoint, *, trust_remote_code: bool) -> PreTrainedConfig:
    """Model configuration as the library reads it.

    Raises:
        ModelError: the library can't read it, does not know the architecture, or needs code of the checkpoint's own.
    """
    from transformers import AutoConfig
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING_NAMES
    from transformers.models.auto.modeling_auto import (
        MODEL_FOR_CAUSAL_LM_MAPPING_NAMES,
        MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES,
    )

    folder, kind = checkpoint.folder, checkpoint.architecture
    known, own_code = kind in CONFIG_MAPPING_NAMES, "auto_map" in checkpoint.config
    if own_code and not known and not trust_remote_code:
        raise ModelError(f"{folder}: the architecture `{kind}` {_OWN_CODE}")
    written = MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES if checkpoint.is_pair else MODEL_FOR_CAUSAL_LM_MAPPING_NAMES
    if kind not in written and not own_code:
        why = "writes no text" if known else "is not known to this version of transformers; a newer one may know it"
        raise ModelError(f"{folder}: the architecture `{kind}` {why}")
    with as_model_error(f"{folder / 'config.json'}: can't be read"):
        return AutoConfig.from_pretrained(folder, trust_remote_code=trust_remote_code, local_files_only=True)


def read_tokenizer(checkpoint: Checkpoint, *, trust_remote_code: bool) -> PreTrainedTokenizerBase:
    """Tokenizer of a checkpoint.

    Raises:
        ModelError: there is none, it is broken, or it needs code of its own.
    """
    from transformers import AutoTokenizer

    try:
        with as_model_error(
            f"{checkpoint.folder}: its tokenizer can't be read",
            wanted="save it beside the weights with `tokenizer.save_pretrained`",
        ):
            return AutoTokenizer.from_pretrained(
                checkpoint.folder, trust_remote_code=trust_remote_code, local_files_only=True
            )
    except ModelError as error:
        if "trust_remote_code" in str(error) and not trust_remote_code:
            raise ModelError(f"{checkpoint.folder}: its tokenizer {_OWN_CODE}") from error
        raise


def check_vocabulary(checkpoint: Checkpoint, config: PreTrainedConfig, tokenizer: PreTrainedTokenizerBase) -> int:
    """Count of the embedding's rows, after a check that the tokenizer's tokens have one each.

    A special token without a row is let through where nothing but its own spelling makes it: some published models have one for pictures.

    Raises:
        ModelError: an ordinary token, or one that begins, ends or pads a text, has no row.
    """
    rows = checkpoint.rows or int(config.get_text_config().vocab_size)
    known = tokenizer.get_vocab()
    beyond = {token: number for token, number in known.items() if number >= rows}
    special = set(special_texts(tokenizer))
    used = {tokenizer.bos_token, tokenizer.eos_token, tokenizer.pad_token}
    needed = sorted(token for token in beyond if token not in special or token in used)
    if needed:
        raise ModelError(
            f"{checkpoint.folder}: its tokenizer knows {max(known.values()) + 1} tokens and its embedding has {rows} rows: {len(needed)} "
            f"tokens have none, `{needed[0]}` first; tokenizer and weights are of two models, or tokens were added without "
            "`resize_token_embeddings`: save both again together"
        )
    return rows


def load(
    checkpoint: Checkpoint, adapter: Adapter | None, *, device: str, dtype: str, trust_remote_code: bool
) -> PreTrainedModel:
    """Loaded model: the weights on the device, an adapter's layers put into it.

    Raises:
        ModelError: they don't load, some are missing, or they don't fit into the device's memory.
    """
    import torch
    from transformers import AutoModelForCausalLM, AutoModelForSeq2SeqLM

    kind = AutoModelForSeq2SeqLM if checkpoint.is_pair else AutoModelForCausalLM
    with as_model_error(f"{checkpoint.folder}: its weights don't load"), _no_bars():
        model, seen = kind.from_pretrained(
            checkpoint.folder,
            dtype=getattr(torch, dtype),
            use_safetensors=not checkpoint.pickled,
            local_files_only=True,
            trust_remote_code=trust_remote_code,
            output_loading_info=True,
        )
    lacking = sorted(seen.get("missing_keys") or ())
    if lacking:
        raise ModelError(
            f"{checkpoint.folder}: {len(lacking)} weights are missing, `{lacking[0]}` first; random numbers would stand in for "
            "them: save the whole model again"
        )
    if adapter is not None:
        model = _adapted(model, adapter)
    with as_model_error(f"{checkpoint.folder}: can't be moved to {device}"):
        return model.to(device).eval()


def end_tokens(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> Ends:
    """End-of-text tokens, as `Ends`: the checkpoint's own and the tokenizer's.

    The checkpoint's other generation settings are put aside.

    A checkpoint may ask for sampling, a penalty on repetition, or beams; a probe asks for none of them.
    """
    from transformers import GenerationConfig

    own, config = model.generation_config, model.config
    stop = (
        _ids(getattr(own, "eos_token_id", None))
        | _ids(getattr(config, "eos_token_id", None))
        | _ids(tokenizer.eos_token_id)
    )
    pad = next(
        (one for one in (tokenizer.pad_token_id, getattr(own, "pad_token_id", None), *sorted(stop)) if one is not None),
        0,
    )
    opening: list[int] = []
    if config.is_encoder_decoder:
        start = getattr(own, "decoder_start_token_id", None)
        opening = [
            one
            for one in (start if start is not None else pad, getattr(own, "forced_bos_token_id", None))
            if one is not None
        ]
    model.generation_config = GenerationConfig(pad_token_id=pad)
    return Ends(tuple(sorted(stop)), int(pad), tuple(opening))


@contextmanager
def as_model_error(what: str, *, wanted: str = "") -> Iterator[None]:
    """Exception translation: whatever the libraries raise becomes a `ModelError` that begins with `what`.

    A stranger's checkpoint can make them raise anything.
    """
    try:
        yield
    except ModelError:
        raise
    except ImportError as error:
        raise ModelError(f"{what}: a package is missing ({_short(error)}); {INSTALL}") from error
    except Exception as error:  # of libraries over a stranger's files, which may raise anything: there is no model then
        raise ModelError(f"{what}: {_short(error)}{f'; {wanted}' if wanted else ''}") from error


@contextmanager
def _no_bars() -> Iterator[None]:
    """Without progress bars of the library, which would be drawn across pytest's lines."""
    from transformers.utils import logging

    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()


def _adapted(model: PreTrainedModel, adapter: Adapter) -> PreTrainedModel:
    """Adapted model: the same object with the adapter's layers put into it."""
    with as_model_error(
        f"{adapter.folder}: the adapter can't be put onto this base model, and may have been made for another one"
    ):
        from peft import PeftModel

        with warnings.catch_warnings():
            warnings.filterwarnings(
                "error", message="Found missing adapter keys"
            )  # an adapter that would change nothing
            return PeftModel.from_pretrained(model, adapter.folder, is_trainable=False).get_base_model()


def _ids(value: object) -> set[int]:
    return (
        {value}
        if isinstance(value, int)
        else {one for one in value if isinstance(one, int)}
        if isinstance(value, list | tuple)
        else set()
    )


def _short(error: BaseException) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"[:400]
