"""Limits as data: one file with the numbers of all claims, which a person can review and an audit can guard.

A suite states its own targets and limits. `limits.toml` in pytest's root folder overrides them, claim by claim, and once it holds
every claim, the suites' numbers are only proposals: a pull request that weakens a bar shows in one file, and `alignsuite limits check`
refuses it without a written reason. `entries` reads the file, `audit` compares two states of it, `completion` fills it in.
"""

from alignsuite.limits.audit import Audit, Change, audit, weakened
from alignsuite.limits.completion import completed
from alignsuite.limits.entries import Declared, Entry, InForce, Key, Limits

__all__ = [
    "Audit",
    "Change",
    "Declared",
    "Entry",
    "InForce",
    "Key",
    "Limits",
    "audit",
    "completed",
    "weakened",
]
