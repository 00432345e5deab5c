"""Equivalence checks of short-cuts, tried on the loaded weights before they are used.

Whether a model attends where a packed mask says, and leaves padding alone, can't be read from its configuration: there are hundreds of
architectures, and some bring their own code. So both are done once, on a few arbitrary tokens, and compared with the plain way.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from alignsuite.models.engines.option_tree import OptionTokens
from alignsuite.models.engines.transformers.score import Scorer
from alignsuite.models.engines.transformers.write import Ends, padded_left

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedModel


def packing_agrees(packed: Scorer, plain: Scorer, vocabulary: int) -> bool:
    """Whether a packed pass gives the numbers of plain passes, on a small tree of arbitrary tokens.

    The difference is compared with what a wrong mask or position would make: the change when the options stand behind another prompt.
    """
    token = [7 + 13 * n for n in range(24)]
    sample = [(n % vocabulary) for n in token]
    found = [
        OptionTokens(
            sample[:6] + sample[branch : branch + 3], [sample[branch + 4 : branch + 6], sample[branch + 5 : branch + 8]]
        )
        for branch in (8, 12, 15)
    ]
    try:
        alike = [value for scores in packed.score(found) for value in scores]
    except (RuntimeError, ValueError, TypeError, KeyError, IndexError, AttributeError, NotImplementedError):
        return False
    finally:
        packed.forget()
    truth = [value for scores in plain.score(found) for value in scores]
    turned = [
        OptionTokens(other.prompt, split.options) for split, other in zip(found, found[1:] + found[:1], strict=True)
    ]
    shifted = [value for scores in plain.score(turned) for value in scores]
    error = math.fsum(abs(one - other) for one, other in zip(alike, truth, strict=True))
    effect = math.fsum(abs(one - other) for one, other in zip(shifted, truth, strict=True))
    return math.isnan(effect) or error <= 0.1 * effect


def padding_agrees(model: PreTrainedModel, ends: Ends, vocabulary: int) -> bool:
    """Whether a row beside longer ones foretells what it does alone; some models read their padding."""
    import torch
    from transformers import GenerationConfig

    long, other = ([(5 + 11 * n + shift) % vocabulary for n in range(12)] for shift in (0, 3))
    short = long[7:]

    def foretold(rows: list[list[int]]) -> Tensor:
        ids, mask = padded_left(rows, ends.pad, model.device)
        config = GenerationConfig(
            max_new_tokens=1, do_sample=False, pad_token_id=ends.pad, return_dict_in_generate=True, output_logits=True
        )
        with torch.inference_mode():
            return model.generate(input_ids=ids, attention_mask=mask, generation_config=config).logits[0].float()

    together, alone, another = foretold([long, short])[1], foretold([short])[0], foretold([other[7:]])[0]
    effect = float((another - alone).abs().sum())
    return effect != effect or float((together - alone).abs().sum()) <= 0.1 * effect
