"""Batch size: a `Halving` that shrinks whenever the device says that its memory is full.

Sizes are never raised by what a clock says: two runs on one machine should batch alike. A full GPU
is an error that can be caught; a full main memory ends the process, so there the size is bounded beforehand by what is free.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from alignsuite.errors import RequestError

_FULL = ("can't allocate memory", "not enough memory", "out of memory")


class Halving:
    """Batch size that is halved until the work fits.

    Where one alone does not fit, that one is at fault, and the size starts over.
    """

    def __init__(self, size: int) -> None:
        self.size = self._usual = size

    def shrink_or_raise(self, error: Exception, used: int) -> None:
        """Halve what was used if the error says that memory is full.

        Raises:
            RequestError: `context_too_long`: one alone does not fit.
            Exception: the error itself, if it is another one.
        """
        if not is_full(error):
            raise error
        free_what_is_unused()
        if used <= 1:
            self.size = self._usual
            raise RequestError(
                "context_too_long",
                "the device has not enough memory for this prompt alone; shorten it, use a smaller model, or name another --align-device",
            ) from error
        self.size = max(1, used // 2)


def is_full(error: BaseException) -> bool:
    """Whether an error says that a device's memory is full."""
    import torch

    return isinstance(error, torch.OutOfMemoryError) or (
        isinstance(error, RuntimeError) and any(words in str(error).lower() for words in _FULL)
    )


def free_what_is_unused() -> None:
    """Give memory that torch keeps for later back to the device."""
    import gc

    import torch

    if torch.cuda.is_available():
        gc.collect()
        torch.cuda.empty_cache()


def rows_that_fit(config: Mapping[str, object], tokens: int, number_bytes: int) -> int:
    """Batch size for sequences of this length that fits into half of this machine's free memory.

    It is a very large number where that can't be known.
    """
    try:
        free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return 1 << 20
    row = _cache_bytes(config, number_bytes) * tokens + 16 * _whole(config, "vocab_size", 50_000)
    return max(1, int(0.5 * free / max(row, 1)))


def _cache_bytes(config: Mapping[str, object], number_bytes: int) -> int:
    """Cache size of one token in bytes: keys and values of all layers, twice, because growing a cache copies it."""
    heads = _whole(config, "num_attention_heads", 16)
    hidden = _whole(config, "hidden_size", 2048)
    head = _whole(config, "head_dim", hidden // max(heads, 1))
    shared = _whole(config, "num_key_value_heads", heads)
    return 4 * _whole(config, "num_hidden_layers", 32) * shared * head * number_bytes


def _whole(config: Mapping[str, object], name: str, otherwise: int) -> int:
    value = config.get(name)
    return value if isinstance(value, int) and value > 0 else otherwise
