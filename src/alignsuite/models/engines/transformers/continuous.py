"""Continuous batching: text by the library's own, in which a row that is done makes place for the next at once.

On a GPU this is what serves many requests of different lengths best. It is greedy here; requests that sample, and whatever this way could
not finish, go through padded batches (`transformers.write`). Half of the memory that is free is its own, the rest stays for Choose.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from alignsuite.models.engines.transformers.write import Ends, Job, Written

if TYPE_CHECKING:
    from transformers import PreTrainedModel

WORTH_IT = 8
"""Fewer requests than this are not worth starting its thread for."""

_SHARE = 0.5
_BLOCKS_ON_CPU = 64


def is_available(model: PreTrainedModel) -> bool:
    """Whether the library and the device have it: transformers 5 and a GPU of NVIDIA's kind."""
    return model.device.type == "cuda" and hasattr(model, "continuous_batching_context_manager")


def write_continuously(
    model: PreTrainedModel, jobs: Sequence[Job], ends: Ends, *, stopped: Callable[[], None]
) -> list[Written | None]:
    """Generated tokens of each job, as `Written`; None for those that have to be written in another way.

    Stop strings don't end a row here: the caller cuts the text.
    """
    from transformers import ContinuousBatchingConfig, GenerationConfig

    on_cpu = model.device.type == "cpu"
    settings = ContinuousBatchingConfig(
        max_memory_percent=_SHARE,
        num_blocks=_BLOCKS_ON_CPU if on_cpu else None,
        max_batch_tokens=256 if on_cpu else None,
        return_logprobs=True,  # they are the only sign of weights that are NaN
    )
    longest = max(job.limit for job in jobs)
    config = GenerationConfig(
        max_new_tokens=longest, do_sample=False, eos_token_id=list(ends.stop), pad_token_id=ends.pad
    )
    found: dict[str, Written] = {}
    asked = {str(index): job for index, job in enumerate(jobs) if job.request.temperature == 0}
    with model.continuous_batching_context_manager(
        generation_config=config, continuous_batching_config=settings, block=True, timeout=5, warmup=not on_cpu
    ) as manager:
        for key, job in asked.items():
            manager.add_request(job.prompt, request_id=key, max_new_tokens=job.limit)
        left = len(asked)
        while left:
            stopped()
            result = manager.get_result(timeout=0.5)
            if result is None and not manager.is_running():
                break
            if result is not None and result.is_finished():
                left -= 1
                if result.error is None:
                    found[result.request_id] = _written(result.generated_tokens, result.logprobs, ends)
    return [found.get(str(index)) for index in range(len(jobs))]


def _written(tokens: list[int], log_probs: list[float], ends: Ends) -> Written:
    stop = bool(tokens) and tokens[-1] in ends.stop
    return Written(tokens, "stop" if stop else "length", broken=any(map(math.isnan, log_probs)))
