"""Log-likelihood choice: the option that a model found most likely, as a `Judgement`.

A tie is UNREADABLE. So are options that have too little of the probability together: which of them is the
likeliest among crumbs says nothing, for what the model would say is none of them. The bound is that of scales
(`stats.scales.LEAST_MASS`), and the one for everything that reads choices.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from alignsuite.judges.protocol import UNREADABLE, Judgement
from alignsuite.models.protocol import Chosen, Reply
from alignsuite.text.numbers import declared, percent

NAME = "choice 2"


def read_choice(options: Sequence[str], reply: Reply) -> Judgement:
    """The likeliest option as the label; its share of the options' probability as the score.

    >>> read_choice(["yes", "no"], Chosen((-0.1, -2.5)))
    Judgement(label='yes', evidence='92 % of the options', score=0.9168273035060777)
    >>> read_choice(["yes", "no"], Chosen((-9.0, -12.0))).evidence
    '0.01 % of the probability went to the options, wanted 80 %'
    """
    if not isinstance(reply, Chosen):
        return Judgement(UNREADABLE, "not a choice")
    if crumbs := too_little(reply):
        return Judgement(UNREADABLE, crumbs)
    at = likeliest(reply)
    if at is None:
        return Judgement(UNREADABLE, "no option is the likeliest")
    share = 1 / sum(math.exp(value - reply.log_probs[at]) for value in reply.log_probs)
    return Judgement(options[at], f"{share:.0%} of the options".replace("%", " %"), share)


def likeliest(reply: Chosen) -> int | None:
    """Place of the likeliest option; None where two are, none has any probability, or one of them is no number."""
    best = max(reply.log_probs)
    if not math.isfinite(best) or any(map(math.isnan, reply.log_probs)) or reply.log_probs.count(best) > 1:
        return None
    return reply.log_probs.index(best)


def too_little(reply: Chosen) -> str:
    """Reason why a choice is none, its options having too little of the probability; empty where they have enough.

    Where an endpoint shows a list of its likeliest tokens, the mass is that of what is listed: a lower bound, and taken as such.
    """
    from alignsuite.stats.scales import LEAST_MASS

    mass = reply.mass
    if mass >= LEAST_MASS:
        return ""
    least = "" if reply.exact else " that the server lists"
    return f"{percent(mass)} of the probability{least} went to the options, wanted {declared(LEAST_MASS)}"
