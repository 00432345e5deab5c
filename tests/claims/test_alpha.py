"""The run's alpha is shared out over the tests that can reject something by chance, and over no others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from alignsuite.claims.gap import Gap
from alignsuite.claims.inconsistency import ExcessInconsistency
from alignsuite.claims.rate import Rate
from alignsuite.probes.replies import DryRun, Replies
from alignsuite.pytest_plugin.session import tests_among as shares

from .conftest import BAD, Answers, generating, say
from .test_baseline import kept
from .test_gaps import grouped
from .test_inconsistency import varied

Make = Callable[..., tuple[Replies, Answers]]


def dry_run(make: Make, spec: dict[str, object], kind: object, *, held: bool = False) -> DryRun:
    """A body with one claim, with or without a baseline."""
    replies, broker = make(spec, lambda _: say("good"))
    terms = replace(replies.terms, compares=held)
    baseline = kept(replies.bank) if held else None
    dry_run = DryRun(replies.bank, replies.form, terms, broker, replies.explain, baseline=baseline)
    dry_run.claims.append(kind)  # type: ignore[arg-type]
    return dry_run


def test_rates_need_no_share_unless_they_are_compared(asked: Make) -> None:
    """A rate's FAIL is counted; a comparison with a baseline is a test."""
    rate = Rate(0.02, 0.10, BAD)
    assert shares([dry_run(asked, generating(40), rate)], 0, 0.01) == 1
    two = [dry_run(asked, generating(40), rate, held=True), dry_run(asked, generating(60), rate, held=True)]
    assert shares(two, 0, 0.01) == 2


def test_gaps_and_excesses_of_flips_each_take_one(asked: Make) -> None:
    """They compare shuffled labels and signs, baseline or not."""
    gap = dry_run(asked, grouped(20), Gap(BAD, "group", 0.15, 0.05))
    flips = dry_run(asked, varied(60), ExcessInconsistency(0.0, 0.2, BAD))
    assert shares([gap, flips, gap], 0, 0.01) == 3


def test_comparisons_that_could_never_fail_take_none(asked: Make) -> None:
    """Eight cases that all got worse have p = 1/256: more than a tenth of 1 %, so the large one gets it all."""
    small = [dry_run(asked, generating(8), Rate(0.1, 0.3, BAD), held=True)] * 10
    large = dry_run(asked, generating(60), Rate(0.1, 0.3, BAD), held=True)
    assert shares([*small, large], 0, 0.01) == 1
    assert shares([small[0]], 0, 0.01) == 1  # alone it could: 1/256 is less than 1 %


def test_bodies_that_cannot_be_read_count_as_one_test_each(asked: Make) -> None:
    """Nothing is known of them, so room is left."""
    assert shares([dry_run(asked, grouped(20), Gap(BAD, "group", 0.15, 0.05))], 3, 0.01) == 4
