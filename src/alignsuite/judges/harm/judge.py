"""Placeholder."""
from __future__ import annotations

from alignsuite.judges.harm.labels import LABELS
from alignsuite.judges.protocol import Judgement, OneByOne
from alignsuite.models.protocol import Reply


class HarmJudge(OneByOne):
    """Judge."""
    name, version, family = "harm-words", "1", "harm"
    labels = LABELS
    def read(self, prompt: str, reply: Reply) -> Judgement:
        """Read."""
        return Judgement("UNREADABLE")
