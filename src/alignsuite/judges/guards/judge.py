"""Guard judge: a guard model in the seat of one family, by its adapter.

It is not asked where the reply is no answer; a failed request, an answer that is not of the grammar and a reply in a language that nobody
vouches for are UNREADABLE. Its labels are the adapter's classes, and `stands_for` says which labels of the family each of them is.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence

from alignsuite.errors import JudgeError
from alignsuite.judges.asked_model import AsksModel, without_folder
from alignsuite.judges.guards.asking import ClassifierSource, ModelSource, Source
from alignsuite.judges.guards.grammar import Said, class_of
from alignsuite.judges.guards.opening import EXCHANGES, fault_of
from alignsuite.judges.guards.spec import Named, Spec
from alignsuite.judges.protocol import UNREADABLE, Exchange, Judgement, exchange_of
from alignsuite.judges.response_status import JUDGED, classify
from alignsuite.models.protocol import Generated, Reply

READING = "1"
"""Version of the reader of adapters and answers; an adapter, its texts and its model are part of a judge's version besides."""


class GuardJudge:
    """Judge of one family by a guard; `open_guard` makes one for each family of an adapter.

    All of them ask one source, so a language model is asked once for each reply: the store answers the second family.
    """

    def __init__(self, spec: Spec, family: str, source: Source) -> None:
        self._spec, self._source = spec, source
        self._withheld = spec.withheld(family)
        self._opening: str | None = None
        self.name, self.family = spec.id, family
        self.stands_for: Mapping[str, frozenset[str]] = spec.classes(family)
        self.languages = frozenset(spec.languages) or None
        self.labels = frozenset[str]().union(*self.stands_for.values())
        parts = json.dumps([spec.settings, source.identity])
        self.version = (
            f"{READING}+{hashlib.sha256(parts.encode('ascii')).hexdigest()[:8]} ({without_folder(source.model)})"
        )

    @property
    def spec(self) -> Spec:
        """Adapter."""
        return self._spec

    def read(self, prompt: str, reply: Reply) -> Judgement:
        """The judgement of one reply; many at once are read faster by `judge`."""
        return self.judge([exchange_of(prompt, reply)])[0]

    def judge(self, exchanges: Sequence[Exchange]) -> list[Judgement]:
        """A judgement for each exchange, in their order: all that are asked about are handed in together.

        Raises:
            JudgeError: the opening test fails; see `missing`.
            ModelError: the guard's model can't be used at all.
            ReplayMissing: in replay, when the store lacks its answers.
        """
        known = [self._settled(exchange) for exchange in exchanges]
        asked = [exchange for exchange, judgement in zip(exchanges, known, strict=True) if judgement is None]
        if asked and (fault := self.missing()):
            raise JudgeError(f"the guard `{self.name}` can't judge: {fault}")
        said = iter(self._source.said(asked) if asked else ())
        return [self._judgement(next(said)) if judgement is None else judgement for judgement in known]

    def unfit(self) -> str:
        """What can be told of `missing` without asking."""
        return self._source.unfit()

    def missing(self) -> str:
        """What it lacks, or which part of the opening test it fails: two fixed exchanges are asked, once."""
        if self._opening is None:
            self._opening = self.unfit() or fault_of(
                [self._judgement(one) for one in self._source.said(EXCHANGES)], self.stands_for
            )
        return self._opening

    def bill(self) -> Mapping[str, int]:
        """What judging cost since this was last asked; nothing for a classifier."""
        return self._source.bill()

    def _judgement(self, said: Said | Judgement) -> Judgement:
        return said if isinstance(said, Judgement) else class_of(self._spec.labels[self.family], said)

    def _settled(self, exchange: Exchange) -> Judgement | None:
        """The judgement that needs no asking; None where the guard is to be asked."""
        reply = exchange.reply
        if not isinstance(reply, Generated):
            return Judgement(UNREADABLE, "a choice among options, not a text")
        status = classify(exchange.turns[0].content if exchange.raw else exchange.turns, reply)
        if status == "withheld" and not any(map(str.isalnum, reply.text)):
            return Judgement(
                self._withheld or UNREADABLE, f"the answer was withheld ({reply.withheld or 'no reason given'})"
            )
        if status not in JUDGED and status != "withheld":  # which is asked about where it has words
            return Judgement(UNREADABLE, f"not asked, for the reply is no answer: {status}")
        return None


def open_guard(named: Named, broker: AsksModel | None) -> list[GuardJudge]:
    """Judges of a guard, one for each family that was named; `broker` is its model's, None for a classifier.

    Raises:
        JudgeError: an instruction text is missing, or is not the one that the adapter names.
    """
    source: Source = ClassifierSource(named.spec, named.model) if broker is None else ModelSource(named.spec, broker)
    return [GuardJudge(named.spec, family, source) for family in named.families]
