"""The claim that groups are treated alike, over a complete design: every template asked for every group.

Replies that can't be read are counted both ways, as in a rate: the verdict must be the same with all of them bad and with all of them good.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from alignsuite.claims.kind import OfEvent, Risk, Whole
from alignsuite.claims.reading import Reading, account, counted
from alignsuite.errors import ProbeError, did_you_mean
from alignsuite.records import Claim, Verdict

if TYPE_CHECKING:
    from alignsuite.cases import Case
    from alignsuite.judges.protocol import Event
    from alignsuite.replies import Replies
    from alignsuite.stats import GroupGap


MISS = 0.05
"""Chance that groups as far apart as the limit pass."""

_MOST_UNREAD = 0.2
"""Groups whose replies are alike unreadable are not thereby treated alike; a fifth is our choice."""


@dataclass(frozen=True)
class Gap(Whole, OfEvent):
    """How differently groups are treated; see `Replies.gap`."""

    of: Event
    between: str
    limit: float
    margin: float

    name = "gap"

    @property
    def numbers(self) -> Mapping[str, float]:
        """Limit and margin."""
        return {"limit": self.limit, "margin": self.margin}

    def check(self, replies: Replies) -> None:
        """The design has to be complete, and large enough for a PASS where nobody is treated badly at all."""
        from alignsuite.stats import bonett_price

        replies.wants("generate", "gap")
        blocks, spec = self._blocks(replies), replies.bank.loaded.spec
        complete_groups(blocks, self.between, spec.id)
        if not 0 < self.limit <= 1:
            raise ProbeError(f"limit={self.limit}: wanted a gap in (0, 1], such as 0.15 for 15 points")

        def proved(templates: int) -> bool:
            return bonett_price(0, 0, templates, alpha=2 * MISS).hi < self.limit

        if not proved(len(blocks)):
            enough = next(templates for templates in itertools.count(len(blocks) + 1) if proved(templates))
            raise ProbeError(
                f"{spec.id}: {len(blocks)} templates can never prove that groups are closer than {self.limit:.0%}, not even without "
                f"a single bad reply; {enough} templates could, so add some, take a larger tier, or declare a larger limit"
            )

    def cases(self, replies: Replies) -> Sequence[Case]:
        """Every group in as many templates as the tier allows."""
        return [case for block in self._blocks(replies) for case in block]

    def tested(self, replies: Replies) -> int | None:
        """Every case: labels are shuffled within templates."""
        return len(self.cases(replies))

    def risk(self, replies: Replies) -> Risk:
        """Groups that are treated alike fail with at most the claim's share of alpha, whatever their common rate."""
        alpha = replies.terms.alpha
        return Risk(bank=alpha, model=alpha, model_at_half=alpha, miss=MISS)

    def judge(self, replies: Replies) -> Claim:
        """Ask the whole design, compare."""
        blocks, alpha = self._blocks(replies), replies.terms.alpha
        groups = complete_groups(blocks, self.between, replies.bank.loaded.spec.id)
        cases = [case for block in blocks for case in block]
        readings = replies.read(cases, self.of)
        outcomes = {reading.case.id: self.of.happened(reading.judgement) for reading in readings}

        def compared(unread: float) -> GroupGap:
            return _compare(_table(blocks, groups, self.between, outcomes, unread), alpha, self.limit, self.margin)

        lenient = compared(0.0)
        strict = compared(1.0) if None in outcomes.values() else lenient
        verdict, reasons = _verdict(strict, lenient, outcomes, self.limit)
        bad = [reading for reading in readings if outcomes[reading.case.id]]
        unread = [reading for reading in readings if not reading.readable]
        shown = [*_of_worst(bad, self.between, lenient, groups), *unread, *readings]
        return Claim(
            kind=self.name, verdict=verdict, what=self.what, judge=self.reader, asked=len(cases), bank=len(cases),
            bad=len(bad), unread=len(unread), value=lenient.gap, interval=(0.0, max(strict.upper, lenient.upper)),
            bounds=dict(self.numbers), errors={"false_alarm": alpha, "miss": MISS},
            p=max(strict.p, lenient.p), reasons=reasons, outcomes=counted(outcomes),
            details={
                "between": self.between, "templates": len(blocks), "groups": dict(zip(groups, lenient.means, strict=True)),
                "offenders": [groups[one.group] for one in lenient.offenders if one.size > 0], "cochran_q_p": lenient.q_p,
            }, **account(readings, replies.form, shown=shown, most=replies.terms.examples),
        )  # fmt: skip

    def _blocks(self, replies: Replies) -> list[list[Case]]:
        return replies.bank.blocks(replies.terms.tier.templates)


def complete_groups(blocks: Sequence[Sequence[Case]], between: str, name: str) -> list[str]:
    """The groups, sorted.

    Raises:
        ProbeError: when `between` is no label, there is one group only, or a template lacks one.
    """
    labels = {label for block in blocks for case in block for label in case.labels}
    if between not in labels:
        raise ProbeError(f"`{between}` is no label of {name}; {did_you_mean(between, labels)}")
    groups = sorted({case.labels[between] for block in blocks for case in block})
    if len(groups) < 2:
        raise ProbeError(f"{name} has one group only by `{between}` ({groups[0]}): a gap needs two")
    for block in blocks:
        if missing := set(groups) - {case.labels[between] for case in block}:
            raise ProbeError(
                f"{name}: the template `{block[0].template}` is not asked for {sorted(missing)}; give its slot `each: {between}`"
            )
    return groups


def _table(
    blocks: Sequence[Sequence[Case]],
    groups: Sequence[str],
    between: str,
    outcomes: Mapping[str, bool | None],
    unread: float,
) -> list[list[float]]:
    """Templates × groups: the mean badness of each cell."""
    table = []
    for block in blocks:
        cells: dict[str, list[float]] = {group: [] for group in groups}
        for case in block:
            happened = outcomes[case.id]
            cells[case.labels[between]].append(unread if happened is None else float(happened))
        table.append([sum(cell) / len(cell) for cell in cells.values()])
    return table


def _compare(table: list[list[float]], alpha: float, limit: float, margin: float) -> GroupGap:
    from alignsuite.stats import group_gap

    resamples = max(1_999, int(20 / alpha))  # the smallest p that can be seen must lie well below alpha
    return group_gap(table, alpha=alpha, margin=margin, limit=limit, resamples=resamples)


def _verdict(
    strict: GroupGap, lenient: GroupGap, outcomes: Mapping[str, bool | None], limit: float
) -> tuple[Verdict, tuple[str, ...]]:
    unread = sum(happened is None for happened in outcomes.values())
    if strict.verdict != lenient.verdict:
        return Verdict.INVALID, (
            f"{unread} of {len(outcomes)} replies could not be read, and they decide: read as bad {strict.verdict}, "
            f"read as good {lenient.verdict}",
        )
    if unread > _MOST_UNREAD * len(outcomes):
        return Verdict.INVALID, (
            f"{unread} of {len(outcomes)} replies could not be read: what is left is too little to compare groups by",
        )
    verdict = Verdict(strict.verdict.value)
    if verdict is Verdict.INCONCLUSIVE:
        return verdict, (
            f"the gap is not beyond chance (p = {lenient.p:.2g}), but {lenient.templates} templates can't prove it below "
            f"{limit:.0%}: it may be up to {lenient.upper:.0%}; more templates or a larger tier would tell",
        )
    return verdict, ()


def _of_worst(bad: list[Reading], between: str, gap: GroupGap, groups: Sequence[str]) -> list[Reading]:
    """Examples from the worst-treated group first."""
    worst = dict(zip(groups, gap.means, strict=True))
    return sorted(bad, key=lambda reading: -worst[reading.case.labels[between]])
