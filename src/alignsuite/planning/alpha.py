"""Multiplicity beforehand (Bonferroni): the number of tests that a run's alpha is shared out over.

Shares are fixed, so that an item's verdict can fall while others still run.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from alignsuite.probes.replies import DryRun


def tests_among(dry_runs: Iterable[DryRun], unread: int, alpha: float) -> int:
    """Number of tests that the run's alpha is shared out over, at least one.

    Only what can be rejected by chance needs a share: gaps, excesses of flips, and comparisons with a baseline. Comparisons over so few
    cases that they could never fail at their share get none. Of a body that can't be read through (`unread`), one test is assumed.
    """
    from alignsuite.stats import least_discordant

    units = [claim.tested(dry_run) for dry_run in dry_runs for claim in dry_run.claims]
    sizes = [size for size in units if size is not None]
    while True:
        tests = max(1, len(sizes) + unread)
        able = [size for size in sizes if size >= least_discordant(alpha / tests)]
        if len(able) == len(sizes):
            return tests
        sizes = able


def alpha_alone(dry_run: DryRun | None, share: float) -> float | None:
    """Alpha of a run of one item alone in which its tests have their share in this run; None without tests."""
    from alignsuite.stats import least_discordant

    if dry_run is None:
        return share
    sizes = [claim.tested(dry_run) for claim in dry_run.claims]
    able = sum(size is not None and size >= least_discordant(share) for size in sizes)
    return share * able if able else None
