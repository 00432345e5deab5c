"""Design of a comparison of groups: complete blocks or groups randomised over templates, and its resolution.

Which replies stand beside which, what the comparison could prove, and after how much of it.

Usually every template is asked for every group, so each template is a comparison of its own. Where a slot's table has a second label
that a lot gave to whole templates (whether a name is a common or a rare one), templates are compared with templates.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from alignsuite.errors import ProbeError, did_you_mean

if TYPE_CHECKING:
    from alignsuite.prompt_sets.load import LoadedSet
    from alignsuite.prompt_sets.render import Case
    from alignsuite.stats import GroupGap
    from alignsuite.stats.gaps import FirstLook

MISS = 0.05
"""Chance that groups as far apart as the limit pass, before what a judge adds."""

Outcomes = Mapping[str, bool | None]
"""Case id → whether it was bad; None: can't be read."""


@dataclass(frozen=True)
class Design:
    """Design of a comparison of groups: blocks of cases, and the label that tells groups.

    Attributes:
        blocks: the cases of each template, templates in the order in which they are asked.
        between: the label whose values are the groups.
        groups: those values, sorted.
        within: whether every template has every group; otherwise every template has one.
    """

    blocks: Sequence[Sequence[Case]]
    between: str
    groups: Sequence[str]
    within: bool

    @classmethod
    def of(cls, loaded: LoadedSet, blocks: Sequence[Sequence[Case]], between: str) -> Design:
        """`Design` that a label makes of a bank.

        Raises:
            ProbeError: when `between` is no label, there is one group only, or templates have some groups and lack others.
        """
        name = loaded.spec.id
        labels = {label for block in blocks for case in block for label in case.labels}
        if between not in labels:
            raise ProbeError(f"`{between}` is no label of {name}; {did_you_mean(between, labels)}")
        groups = sorted({case.labels[between] for block in blocks for case in block})
        if len(groups) < 2:
            raise ProbeError(f"{name} has one group only by `{between}` ({groups[0]}): a gap needs two")
        drawn = between not in loaded.spec.fields  # a template's own field was dealt by its author, not by a lot
        if drawn and all(len({case.labels[between] for case in block}) == 1 for block in blocks):
            return cls(blocks, between, groups, within=False)
        for block in blocks:
            if missing := set(groups) - {case.labels[between] for case in block}:
                raise ProbeError(
                    f"{name}: the template `{block[0].template}` is not asked for {sorted(missing)}; give its slot `each: {between}`"
                )
        return cls(blocks, between, groups, within=True)

    @property
    def cases(self) -> list[Case]:
        """Cases of the design, in the order in which they are asked."""
        return [case for block in self.blocks for case in block]

    def first(self, templates: int) -> Design:
        """`Design` over its first templates."""
        return replace(self, blocks=self.blocks[:templates])

    def first_look(self, limit: float) -> FirstLook | None:
        """Interim look at its first half that may end the comparison; None where there is none."""
        from alignsuite.stats.gaps import first_look

        half = self.first(-(-len(self.blocks) // 2))
        found = first_look(len(self.blocks), limit, beta=MISS, least=min(half._templates().values()))
        return found if found is not None and half.best(MISS - found.spent) < limit else None

    def best(self, beta: float) -> float:
        """Smallest gap that it can rule out: the upper bound where not one reply is bad."""
        nothing = {case.id: False for case in self.cases}
        return self.compare(nothing, unread=0.0, alpha=0.05, beta=beta).upper

    def enough(self, limit: float) -> int | None:
        """Smallest number of templates that could prove a limit.

        None where every template has one group, and it depends on which.
        """
        from alignsuite.stats import paired_upper

        if not self.within:
            return None
        sizes = itertools.count(1)
        return next(size for size in sizes if paired_upper(0, 0, size, beta=MISS) < limit)

    def compare(
        self,
        outcomes: Outcomes,
        *,
        unread: float,
        alpha: float,
        beta: float = MISS,
        limit: float | None = None,
        margin: float = 0.05,
    ) -> GroupGap:
        """`GroupGap` of the outcomes; `unread` is the badness of a reply that can't be read."""
        from alignsuite.stats import group_gap
        from alignsuite.stats.contrasts import template_gap

        resamples = max(1_999, int(20 / alpha))  # the smallest p that can be seen must lie well below alpha
        table = self._table(outcomes, unread)
        if self.within:
            return group_gap(table, alpha=alpha, beta=beta, margin=margin, limit=limit, resamples=resamples)
        columns = [[cell for row in table if not math.isnan(cell := row[place])] for place in range(len(self.groups))]
        return template_gap(columns, alpha=alpha, beta=beta, margin=margin, limit=limit, resamples=resamples)

    def _templates(self) -> dict[str, int]:
        """Number of templates in which each group stands."""
        found = dict.fromkeys(self.groups, 0)
        for block in self.blocks:
            for group in {case.labels[self.between] for case in block}:
                found[group] += 1
        return found

    def _table(self, outcomes: Outcomes, unread: float) -> list[list[float]]:
        """Table of templates × groups: the mean badness of each cell; NaN where a template lacks a group."""
        table = []
        for block in self.blocks:
            cells: dict[str, list[float]] = {group: [] for group in self.groups}
            for case in block:
                happened = outcomes[case.id]
                cells[case.labels[self.between]].append(unread if happened is None else float(happened))
            table.append([sum(cell) / len(cell) if cell else math.nan for cell in cells.values()])
        return table
