"""Response matrix of a questionnaire: statements by presentations, with the option mass of each answer.

A presentation is an order of the options, in a wording, for the so-manieth time. Weighed options come as probabilities; a text is read into
one option by `judges.likert`, and what it can't read is a hole in the table, never an answer.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from alignsuite.claims.judged_reply import JudgedReply, by_option, option_mass, weighed
from alignsuite.judges.protocol import Judgement
from alignsuite.models.protocol import Chosen, Generated
from alignsuite.prompt_sets.render import Case, order_name
from alignsuite.questionnaires.likert.judge import LikertJudge

if TYPE_CHECKING:
    from alignsuite.stats.questionnaires import QuestionnaireScore

TEXT_READER = f"{LikertJudge.name} {LikertJudge.version}"
"""What reads answers in words; a claim's record names it."""

OptionWeights = list[float]
"""What one answer says of the options, in the set's own order; NaN throughout where there is no answer."""


@dataclass(frozen=True)
class ResponseMatrix:
    """Response matrix: the answer to each presentation of each statement, presentations in the same places for all.

    Attributes:
        blocks: the readings of each statement.
        values: what each option is worth.
    """

    blocks: Sequence[Sequence[JudgedReply]]
    values: Sequence[float]

    @classmethod
    def of(
        cls, blocks: Sequence[Sequence[Case]], readings: Sequence[JudgedReply], values: Sequence[float]
    ) -> ResponseMatrix:
        """`ResponseMatrix` from the readings of all blocks' cases, in any order."""
        by_case = {reading.case.id: reading for reading in readings}
        return cls([[by_case[case.id] for case in block] for block in blocks], values)

    @functools.cached_property
    def rows(self) -> list[list[OptionWeights]]:
        """Option mass of each answer: statements × presentations × options."""
        return [[_row(reading) for reading in block] for block in self.blocks]

    @property
    def unread(self) -> list[JudgedReply]:
        """Readings without an answer, in order."""
        return [reading for block in self.blocks for reading in block if not _answered(reading)]

    @property
    def silent(self) -> list[str]:
        """Statements without any answer."""
        return [block[0].case.template for block in self.blocks if not any(map(_answered, block))]

    @functools.cached_property
    def weighed(self) -> dict[str, Any]:
        """Details on the mean option mass of all weighed answers, those with too little of it too; see `option_mass`."""
        return option_mass(reading for block in self.blocks for reading in block)

    @property
    def mass(self) -> float | None:
        """Mean option mass; None where all answers are in words."""
        mass: float | None = self.weighed.get("option_mass")
        return mass

    @property
    def orders(self) -> list[tuple[int, ...]]:
        """Order of options in each presentation."""
        return [reading.case.order for reading in self.blocks[0]]

    @property
    def keys(self) -> list[int]:
        """Keying: +1 for each statement, or −1 for a reversed one."""
        return [-1 if block[0].case.reversed else 1 for block in self.blocks]

    @property
    def known_wordings(self) -> set[str]:
        """Wordings in which anything was put; empty for sets that have one wording without a name."""
        return {reading.case.labels.get("wording", "") for block in self.blocks for reading in block} - {""}

    @property
    def wordings(self) -> list[str]:
        """Wording of each presentation, where every statement was put in several; else empty.

        Empty: each statement has its own, or there is one.
        """
        names = [[reading.case.labels.get("wording", "") for reading in block] for block in self.blocks]
        alike = all(own == names[0] for own in names)
        return names[0] if alike and len(set(names[0])) > 1 else []

    def score(self, norm: tuple[float, float, int] | None) -> QuestionnaireScore:
        """`QuestionnaireScore` of the trait, with the reasons not to believe it."""
        from alignsuite.stats.questionnaires import questionnaire_score

        return questionnaire_score(
            self.rows, self.orders, self.keys, values=self.values, wordings=self.wordings, norm=norm
        )

    def by_order(self) -> dict[str, dict[str, float | None]]:
        """Expected raw answers: statement → order of the options → mean over wordings and samples, or None."""
        return {block[0].case.template: self._by_order(block) for block in self.blocks}

    def by_statement(self, *, whole: bool) -> dict[str, float | None]:
        """Statement → its score over all presentations, reversed where it is; None where an answer is missing.

        Without `whole`, None only where every answer is.
        """
        return {block[0].case.template: self._keyed(block, whole=whole) for block in self.blocks}

    def _by_order(self, block: Sequence[JudgedReply]) -> dict[str, float | None]:
        found: dict[str, list[float | None]] = {}
        for reading in block:
            found.setdefault(order_name(reading.case.order), []).append(self._expected(reading))
        return {order: _mean(scores) for order, scores in sorted(found.items())}

    def _keyed(self, block: Sequence[JudgedReply], *, whole: bool) -> float | None:
        scores = [self._expected(reading) for reading in block]
        raw = None if whole and None in scores else _mean(scores)
        if raw is None:
            return None
        return round(min(self.values) + max(self.values) - raw if block[0].case.reversed else raw, 9)

    def _expected(self, reading: JudgedReply) -> float | None:
        row = _row(reading)
        total = math.fsum(row)
        if not total > 0:  # NaN as well
            return None
        return math.fsum(value * share for value, share in zip(self.values, row, strict=True)) / total


def in_text(readings: Sequence[JudgedReply]) -> list[JudgedReply]:
    """Option mass of written answers; a bare repetition of the statement is agreement, as in Li et al. (2024)."""
    return [replace(one, judgement=_read(one)) if isinstance(one.reply, Generated) else one for one in readings]


def _read(reading: JudgedReply) -> Judgement:
    case = reading.case
    assert isinstance(reading.reply, Generated)
    points = tuple(case.values[option] for option in case.order)
    prompt = case.raw if case.chat is None else case.chat[-1].content
    return _judge(case.options, points).read(prompt or "", reading.reply)


@functools.lru_cache(maxsize=512)
def _judge(options: tuple[str, ...], points: tuple[float, ...]) -> LikertJudge:
    return LikertJudge(options, points=points, restated_agrees=True)


def _answered(reading: JudgedReply) -> bool:
    if isinstance(reading.reply, Chosen):
        return weighed(reading)
    return isinstance(reading.reply, Generated) and reading.readable


def _row(reading: JudgedReply) -> OptionWeights:
    case = reading.case
    if not _answered(reading):
        return [math.nan] * len(case.order)
    if isinstance(reading.reply, Chosen):
        return by_option(case, reading.reply)
    chosen = case.order[case.options.index(reading.judgement.label)]
    return [float(option == chosen) for option in range(len(case.order))]


def _mean(scores: Sequence[float | None]) -> float | None:
    known = [score for score in scores if score is not None]
    return round(math.fsum(known) / len(known), 9) if known else None
