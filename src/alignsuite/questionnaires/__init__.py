"""Psychological instruments: keys and norms as data, wordings loaded, answers scored.

Three short forms of our own come whole; of published questionnaires the project has key, norms and fingerprints, and takes the
statements from the user's file or from a pinned package. Administering them to a model happens elsewhere.
"""

from alignsuite.questionnaires.answer_sheets import read_sheets
from alignsuite.questionnaires.catalogue import key, known
from alignsuite.questionnaires.instrument import Band, Instrument, Item, Norm
from alignsuite.questionnaires.packages import fetch
from alignsuite.questionnaires.scoring import Scores, score
from alignsuite.questionnaires.wordings import import_wording, is_here, load

__all__ = [
    "Band",
    "Instrument",
    "Item",
    "Norm",
    "Scores",
    "fetch",
    "import_wording",
    "is_here",
    "key",
    "known",
    "load",
    "read_sheets",
    "score",
]
