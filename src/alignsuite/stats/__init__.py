"""Statistics: pure functions from counts and labels to verdicts, intervals and error rates.

Nothing in here asks a model, reads a file or looks at a clock. Absence of evidence is an error (`NoEvidence`) or an
outcome (`Decision.INCONCLUSIVE`), never a number.
"""

from alignsuite.stats.closeness import paired_upper
from alignsuite.stats.confidence_sequences import confidence_sequence
from alignsuite.stats.decision import Decision
from alignsuite.stats.errors import NoEvidence, StatsError, Unresolvable
from alignsuite.stats.gaps import Deviation, GroupGap, cochran_q, gap_verdict, group_gap
from alignsuite.stats.gate_state import GateState
from alignsuite.stats.gates import Lines, RateGate
from alignsuite.stats.misclassification import JudgedLimits, TrueRate, judge_limits, true_rate
from alignsuite.stats.multiplicity import Holm, e_bh, holm, suite_decision
from alignsuite.stats.operating import OperatingCharacteristics
from alignsuite.stats.paired import (
    PairedRegression,
    bonett_price,
    least_discordant,
    mcnemar_exact,
    mcnemar_midp,
    minimum_detectable_drop,
    paired_regression,
)
from alignsuite.stats.rates import Interval, rate_interval
from alignsuite.stats.scales import Norm, ScaleScore, balanced_orders, cronbach_alpha, expected_scores, scale_score
from alignsuite.stats.sign_flip import sign_flip

__all__ = [
    "Decision",
    "Deviation",
    "GateState",
    "GroupGap",
    "Holm",
    "Interval",
    "JudgedLimits",
    "Lines",
    "NoEvidence",
    "Norm",
    "OperatingCharacteristics",
    "PairedRegression",
    "RateGate",
    "ScaleScore",
    "StatsError",
    "TrueRate",
    "Unresolvable",
    "balanced_orders",
    "bonett_price",
    "cochran_q",
    "confidence_sequence",
    "cronbach_alpha",
    "e_bh",
    "expected_scores",
    "gap_verdict",
    "group_gap",
    "holm",
    "judge_limits",
    "least_discordant",
    "mcnemar_exact",
    "mcnemar_midp",
    "minimum_detectable_drop",
    "paired_regression",
    "paired_upper",
    "rate_interval",
    "scale_score",
    "sign_flip",
    "suite_decision",
    "true_rate",
]
