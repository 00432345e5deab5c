"""The documented name of `alignsuite.questionnaires`: keys, norms, wordings and scoring of the shipped questionnaires."""

from __future__ import annotations

from alignsuite.questionnaires import *  # noqa: F403
from alignsuite.questionnaires import __all__ as __all__
