"""What is said of a comparison with the baseline, and of noise: in the section, under a failed assert, in JUnit."""

from __future__ import annotations

from typing import Any

import pytest

from alignsuite.reports.explanation import explain
from alignsuite.reports.junit import case_properties
from alignsuite.reports.regression import against, by_itself, detectable
from alignsuite.reports.terminal import section
from alignsuite.runs.records import Noise, Regression, Verdict

RATE: dict[str, Any] = {
    "pairs": 200, "units": 200,
    "worse": 7, "better": 4, "before": 0.08, "now": 0.095, "loss": 0.015, "p": 0.274, "least": 7, "detectable": 0.046,
}  # fmt: skip
SCORE: dict[str, Any] = {
    "unit": "statement", "pairs": 16, "units": 16,
    "worse": 10, "better": 0, "before": 1.75, "now": 2.4, "loss": 0.16, "p": 0.001, "least": 7,
    "margin": 0.1,
}  # fmt: skip


def rate(**more: Any) -> Regression:
    """A rate against `main`."""
    return Regression("main", **{**RATE, **more})


def test_one_clause_says_before_now_worse_and_better() -> None:
    """Rates with what could have been seen; the numbers of a merge request's first question."""
    assert against(rate()) == (
        "against main: 8.0 % → 9.5 %, 7 worse and 4 better of 200 cases; finds losses from 4.6 points on"
    )


def test_scores_are_said_in_their_own_unit() -> None:
    """A score is no percentage; its margin is a share of the scale's range."""
    assert against(Regression("main", **SCORE)) == (
        "against main: 1.75 → 2.40, 10 worse and 0 better of 16 statements; losses from 10.0 % of the range on may fail"
    )


@pytest.mark.parametrize(
    ("regression", "said"),
    [
        (rate(units=6), "too few to find any loss"),
        (rate(detectable=None), "too few to find any loss four times in five"),
        (rate(detectable=0.01), "finds losses from 2.0 points on"),
        (rate(margin=0.06), "finds losses from 6.0 points on"),
    ],
)
def test_what_so_many_pairs_can_find_is_never_flattered(regression: Regression, said: str) -> None:
    """Less than the margin may be detected, but never fails; so the margin is what stands there."""
    assert detectable(regression) == said


def test_what_was_not_compared_says_why() -> None:
    """Never a silent pass, and never a zero that nobody measured."""
    held = Regression("main", reason="the baseline main holds no such claim")
    assert against(held) == "against main: not compared, because the baseline main holds no such claim"
    assert held.verdict is Verdict.INVALID


def test_names_and_reasons_are_made_harmless() -> None:
    """A baseline's name comes from a file's; no control character reaches the terminal, and no line is torn."""
    said = against(Regression("ma\x1b[31min\nx" + "y" * 99, reason="because\x07\nof it"))
    assert "\x1b" not in said
    assert "\x07" not in said
    assert "\n" not in said
    assert len(said) < 120


@pytest.mark.parametrize(
    ("noise", "said"),
    [
        (Noise(200, 2, 1, 0.005), "noise: 3 of 200 pairs change when asked again (2 worse, 1 better)"),
        (Noise(1, 0, 0, 0.0), "noise: 0 of 1 pair change when asked again (0 worse, 0 better)"),
        (
            Noise(200, 12, 0, 0.06, "release-4"),
            "noise: 12 of 200 pairs change against release-4 with nothing changed (12 worse, 0 better)",
        ),
    ],
)
def test_noise_says_how_much_changes_when_nothing_has(noise: Noise, said: str) -> None:
    """Asked again, or served otherwise."""
    assert by_itself(noise) == said


@pytest.mark.parametrize(
    ("loss", "p", "verdict"),
    [
        (0.09, 0.001, Verdict.FAIL),
        (0.09, 0.010, Verdict.FAIL),
        (0.09, 0.011, Verdict.MARGINAL),
        (0.02, 0.001, Verdict.FAIL),
        (0.0199, 0.001, Verdict.PASS),
        (-0.09, 1.0, Verdict.PASS),
    ],
)
def test_a_loss_fails_beyond_chance_and_margin_only(loss: float, p: float, verdict: Verdict) -> None:
    """Both bounds belong to what fails; a loss beyond the margin alone is MARGINAL; a gain is a pass."""
    assert rate(loss=loss, p=p).verdict is verdict


def test_the_section_and_the_failed_assert_say_the_same(make: Any) -> None:
    """One clause for both, under the row and in the explanation; noise in the line after."""
    held = rate(worse=18, better=0, p=0.000004, loss=0.09)
    claim = make.rate(Verdict.FAIL, 20, 200, (0.06, 0.15), regression=held, noise=Noise(200, 2, 1, 0.005))
    shown = "\n".join(section(make.run(make.record("safety", "test_it", "", claim)), width=120))
    lines = explain("safety/harm", claim).splitlines()
    assert f"  {against(held)}." in lines
    assert f"└ {against(held)}" in shown
    assert "└ noise: 3 of 200 pairs change when asked again (2 worse, 1 better)" in shown


@pytest.mark.parametrize(("verdict", "code"), [(Verdict.FAIL, "31"), (Verdict.MARGINAL, "33"), (Verdict.PASS, "2")])
def test_the_note_is_as_loud_as_the_comparison_not_as_the_claim(make: Any, verdict: Verdict, code: str) -> None:
    """A claim may fail by its limit while nothing was lost: then the note is dim."""
    loss, p = {Verdict.FAIL: (0.09, 0.001), Verdict.MARGINAL: (0.09, 0.2), Verdict.PASS: (0.0, 1.0)}[verdict]
    claim = make.rate(Verdict.FAIL, 20, 200, (0.06, 0.15), regression=rate(loss=loss, p=p))
    lines = section(make.run(make.record("safety", "test_it", "", claim)), width=120, color=True)
    [note] = [line for line in lines if "against main" in line]
    assert note.startswith(f"\x1b[{code}m")


def test_junit_leaves_out_what_was_not_compared(make: Any) -> None:
    """No number where there is none: INVALID is the comparison's verdict, and the rest of it is missing."""
    held = Regression("main", reason="the baseline main holds no such claim")
    claim = make.rate(Verdict.PASS, 0, 77, (0.0, 0.05), regression=held)
    properties = dict(case_properties(make.record("safety", "test_it", "", claim)))
    assert properties["alignsuite.regression"] == "INVALID"
    assert not {"alignsuite.loss", "alignsuite.regression_p", "alignsuite.detectable_loss"} & properties.keys()
