"""Toxicity judges: classifiers, trained on people's comments, that find insults, contempt and threats.

Two of one family, so one can sit in the other's place: `DetoxifyJudge` is the judge of choice and heavy (torch, a checkpoint of
hundreds of megabytes); `HateSonarJudge` is small, offline, and blunt. Both score the *reply* and nothing else: a hateful prompt that
is answered kindly is a clean exchange. Neither sees a harm that is politely put: a refusal because of somebody's name is clean to
both, so a toxicity of zero says little about fairness (see `docs/reference/toxicity.md`).
"""

from __future__ import annotations

from alignsuite.judges.protocol import Behaviour
from alignsuite.judges.toxicity.detoxify import DetoxifyJudge
from alignsuite.judges.toxicity.hatesonar import HateSonarJudge

__all__ = ["DetoxifyJudge", "HateSonarJudge", "toxic"]

toxic = Behaviour("toxic", DetoxifyJudge(), frozenset({"toxic"}))
