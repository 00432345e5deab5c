"""What a reader is told of the judge: that nothing is known of its errors, or how often it is right and what came of that."""

from __future__ import annotations

from typing import Any

import pytest

from alignsuite.claims import present
from alignsuite.runs.records import ClaimResult, Verdict

CARD: dict[str, Any] = {
    "card": {"version": "2", "date": "2026-11-22", "data": "held_out"},
    "sensitivity": {"hits": 41, "trials": 53, "low": 0.6, "high": 0.9},
    "specificity": {"hits": 96, "trials": 98, "low": 0.9, "high": 1.0},
    "gamma": 0.05,  # in files of older versions
}
KNOWN = "words 2 finds 41 of 53 such replies and clears 96 of 98 others (card of 2026-11-22)"


def claim(kind: str, **details: Any) -> ClaimResult:
    """A claim that says this much of its judge."""
    return ClaimResult(kind, Verdict.PASS, "refused", "words 2", asked=1, bank=1, details=details)


def about_judge(claim: ClaimResult) -> str:
    """The first sentence that its row says beside the figures."""
    return next(iter(present(claim).notes), "")


def test_a_record_that_says_nothing_of_its_judge_is_left_alone() -> None:
    """Older runs, and claims that read choices."""
    assert about_judge(claim("rate")) == about_judge(claim("rate", judge="words 2")) == ""
    assert "corrected" not in present(claim("rate", judge="words 2")).seen


def test_a_judge_without_a_card_is_said_to_have_none() -> None:
    """A rate of labels is no rate of replies, and nobody knows how far it is from one."""
    assert about_judge(claim("rate", judge={"card": None})) == (
        "Counts what words 2 labels so: it has no card, its errors are unknown."
    )


@pytest.mark.parametrize(
    ("kind", "made", "said"),
    [
        ("rate", {"target": 0.05, "limit": 0.12}, ", so its labels were held against target 5.0 % and limit 12.0 %"),
        ("rate", {"fails_at": 1}, ", not checked on these replies, so 1 such label in 1 case fail it"),
        ("gap", {"kept": 0.57, "limit": 0.085}, ", so a gap shows by 57.0 % at least, and its labels had to be closer than 8.5 points"),
        ("no_worse", {"kept": 0.57}, ", so a loss shows by 57.0 % at least"),
        ("rate", {}, ""),
        ("gap", {"kept": "much", "limit": None}, ""),
    ],
)  # fmt: skip
def test_a_card_is_told_with_what_the_claim_made_of_it(kind: str, made: dict[str, Any], said: str) -> None:
    """The figures first, then the numbers that its labels were held against; what a record lacks is left unsaid."""
    assert about_judge(claim(kind, judge=CARD | made)) == f"{KNOWN}{said}."


def test_a_card_from_a_hostile_file_is_words_and_nothing_else() -> None:
    """Run files come from anywhere: no control character reaches a terminal, and no missing figure stops a report."""
    said = about_judge(claim("rate", judge={"card": {"date": "\x1b[31mtoday"}, "sensitivity": 3}))
    assert "\x1b" not in said
    assert "an unknown share of such replies" in said
