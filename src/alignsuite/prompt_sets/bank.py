"""Bank: the finite, seeded list of cases that one pytest item may ask.

The references that cases are compared with are not in it.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from alignsuite.prompt_sets.load import LoadedSet
from alignsuite.prompt_sets.render import Case, order_key


@dataclass(frozen=True, eq=False)
class Bank:
    """Bank: facts about the cases of one item.

    Whether a model can be asked them is for `probes.items.unfit` to say.

    Attributes:
        loaded: the prompt set; `slice`: the value of `label` that the cases share, "" where the bank is not split.
        cases: in seeded order; none where an instrument's statements aren't at hand.
        references: the reference variants, by what they share with a case (`key_of`).
        temperature: of sampling, 0 is greedy.
        label: the label that the set was split by, "" where it was not; `facet` or `trait` for questionnaires.
        missing: why there are no cases, and what brings them; empty otherwise.
        subject: what is asked: a model answers requests.
    """

    loaded: LoadedSet
    slice: str
    cases: tuple[Case, ...]
    references: Mapping[tuple[object, ...], Case]
    temperature: float = 0.0
    label: str = ""
    missing: str = ""
    subject: Literal["model", "corpus"] = "model"

    @property
    def title(self) -> str:
        """Title of the bank: the prompt set's id, with the slice in brackets where there is one."""
        name = self.loaded.spec.id
        return f"{name}[{self.slice}]" if self.slice else name

    def first(self, cap: int | None) -> tuple[Case, ...]:
        """Cases, the bank's first, as many as the tier allows."""
        return self.cases[:cap]

    def reference(self, case: Case) -> Case:
        """Reference of a case: the same template, slots and option order in the set's reference variant."""
        return self.references[key_of(self.loaded, case)]

    def blocks(self, cap: int | None) -> list[list[Case]]:
        """Blocks: the cases by template, templates in seeded order, as many as the tier allows."""
        return [list(block) for block in self._blocks[:cap]]

    @functools.cached_property
    def _blocks(self) -> list[tuple[Case, ...]]:
        by_template: dict[str, list[Case]] = {}
        for case in self.cases:
            by_template.setdefault(case.template, []).append(case)
        return [tuple(by_template[name]) for name in sorted(by_template, key=lambda name: order_key(self.loaded, name))]


def key_of(loaded: LoadedSet, case: Case) -> tuple[object, ...]:
    """Key that a case shares with its reference: template, slots and option order."""
    return (case.template, *(case.labels[name] for name in loaded.spec.slots), case.order)
