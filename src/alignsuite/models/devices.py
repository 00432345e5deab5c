"""How many devices of which kind this machine has, without loading a model."""

from __future__ import annotations

import importlib.util


def cuda_devices() -> int:
    """CUDA devices that torch may use, after `CUDA_VISIBLE_DEVICES`; 0 where torch is not installed. Importing torch takes seconds."""
    if importlib.util.find_spec("torch") is None:
        return 0
    import torch

    return int(torch.cuda.device_count())
