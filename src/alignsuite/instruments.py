"""Instruments: the documented name of `alignsuite.questionnaires`, its keys, norms, wordings and scoring."""

from __future__ import annotations

from alignsuite.questionnaires import *  # noqa: F403
from alignsuite.questionnaires import __all__ as __all__
