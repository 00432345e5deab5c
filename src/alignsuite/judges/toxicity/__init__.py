"""Toxicity judges: classifiers, trained on people's comments, that find insults, contempt and threats.

Of one family, so one can sit in the other's place: `DetoxifyJudge` is the judge of choice (torch, a checkpoint of hundreds of megabytes);
`ClassifierJudge` takes any sequence classifier of the hub or of a folder. All score the *reply* and nothing else: a hateful prompt that is
answered kindly is a clean exchange. None sees a harm that is politely put: a refusal because of somebody's name is clean to them, so a
toxicity of zero says little about fairness (see `docs/reference/toxicity.md`).
"""

from __future__ import annotations

from alignsuite.judges.protocol import Behaviour
from alignsuite.judges.toxicity.classifier import ClassifierJudge
from alignsuite.judges.toxicity.detoxify import DetoxifyJudge

__all__ = ["ClassifierJudge", "DetoxifyJudge", "toxic"]

toxic = Behaviour("toxic", DetoxifyJudge(), frozenset({"toxic"}))
