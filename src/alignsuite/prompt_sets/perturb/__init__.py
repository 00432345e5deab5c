"""Perturbations of a text that keep its meaning, so that the right answer stays right.

Every perturbation is a pure function of its name, the text and a seed; nothing is drawn from Python's `random`, whose
choices may change between versions. Names and numbers survive `misspell` untouched: a misspelt name is another name.

None of them knows grammar: what they make of a prompt set is to be read by a person before it ships.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from alignsuite.errors import PromptError, did_you_mean
from alignsuite.prompt_sets.perturb.manners import casual, shout
from alignsuite.prompt_sets.perturb.typos import misspell

__all__ = ["PERTURBATIONS", "perturb"]

_WORKS: Mapping[str, Callable[[str, str], str]] = {
    "casual": lambda text, _: casual(text),
    "misspell": misspell,
    "shout": lambda text, _: shout(text),
}

PERTURBATIONS: Mapping[str, str] = {
    "casual": "no capitals (but for acronyms) and no final punctuation, as people type on a phone",
    "misspell": "a slip of the keyboard a sentence, two from ten words on; never in names, numbers or short words",
    "shout": "capitals throughout, punctuation kept",
}
"""Every perturbation that a variant may name, with what it does."""


def perturb(name: str, text: str, *, seed: str) -> str:
    """Perturbed text. The same name, text and seed give the same result on every machine.

    Raises:
        PromptError: if there is no such perturbation, or it finds nothing to change in the text: a variant that is the
            same as its reference would count as a success that was never tested.

    >>> perturb("shout", "Which way is north?", seed="1")
    'WHICH WAY IS NORTH?'
    """
    if name not in _WORKS:
        raise PromptError(f"there is no perturbation `{name}`; {did_you_mean(name, _WORKS)}")
    changed = _WORKS[name](text, seed)
    if changed == text:
        raise PromptError(f"`{name}` finds nothing to change in {text!r}: write the variant as a field to `use`")
    return changed
