"""Statistics: pure functions from counts and labels to verdicts, intervals and error rates.

Nothing in here asks a model, reads a file or looks at a clock. Absence of evidence is an error (`NoEvidence`) or an
outcome (`Decision.INCONCLUSIVE`), never a number.
"""

from alignsuite.stats.audited import Misfit, audited_interval, misfit
from alignsuite.stats.bank_posterior import BankInterval, BankRate, bank_interval, bank_rate
from alignsuite.stats.closeness import paired_upper
from alignsuite.stats.count_gate import CountGate, Followed, count_gate, smallest_limit
from alignsuite.stats.decision import Decision
from alignsuite.stats.error_rates import ErrorRates, kept
from alignsuite.stats.errors import NoEvidence, StatsError, Unresolvable
from alignsuite.stats.gaps import Deviation, GroupGap, cochran_q, gap_verdict, group_gap
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
from alignsuite.stats.pooled_regression import (
    PooledRegression,
    over_axes,
    pooled_regression,
    regression_power,
    seen_loss,
)
from alignsuite.stats.rates import Interval, rate_interval
from alignsuite.stats.run_risk import OtherClaim, RatedClaim, RunRisk, run_risk
from alignsuite.stats.scales import Norm, ScaleScore, balanced_orders, cronbach_alpha, expected_scores, scale_score
from alignsuite.stats.sign_flip import sign_flip
from alignsuite.stats.stratified_groups import GroupShare, StratifiedGroups, seen_gap, stratified_groups

__all__ = [
    "BankInterval",
    "BankRate",
    "CountGate",
    "Decision",
    "Deviation",
    "ErrorRates",
    "Followed",
    "GroupGap",
    "GroupShare",
    "Holm",
    "Interval",
    "Misfit",
    "NoEvidence",
    "Norm",
    "OperatingCharacteristics",
    "OtherClaim",
    "PairedRegression",
    "PooledRegression",
    "RatedClaim",
    "RunRisk",
    "ScaleScore",
    "StatsError",
    "StratifiedGroups",
    "Unresolvable",
    "audited_interval",
    "balanced_orders",
    "bank_interval",
    "bank_rate",
    "bonett_price",
    "cochran_q",
    "count_gate",
    "cronbach_alpha",
    "e_bh",
    "expected_scores",
    "gap_verdict",
    "group_gap",
    "holm",
    "kept",
    "least_discordant",
    "mcnemar_exact",
    "mcnemar_midp",
    "minimum_detectable_drop",
    "misfit",
    "over_axes",
    "paired_regression",
    "paired_upper",
    "pooled_regression",
    "rate_interval",
    "regression_power",
    "run_risk",
    "scale_score",
    "seen_gap",
    "seen_loss",
    "sign_flip",
    "smallest_limit",
    "stratified_groups",
    "suite_decision",
]
