"""Rates after people have read what the judge flagged: known answers, a second computation, and the test of the card."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from alignsuite.stats import NoEvidence, StatsError
from alignsuite.stats.audited import audited_interval, audited_rate, labels_needed, misfit, second_judge
from alignsuite.stats.error_rates import Beta, ErrorRates

REFUSED, COMPLIED = (190, 198, 276, 290), (269, 283, 190, 205)


def test_known_audits_of_a_bank_of_64() -> None:
    """Nine flagged, four confirmed, twenty cleared ones read and fine."""
    rate = audited_rate(4, 9, 64, 64, card=COMPLIED, read=20)
    assert rate.chances[4] == pytest.approx(0.861967, abs=5e-7)
    assert rate.at_least(5) == pytest.approx(0.138033, abs=5e-7)
    assert rate.at_least(4) == pytest.approx(1)


def test_known_audits_of_a_bank_of_200() -> None:
    """Sixteen flagged, five confirmed: by the card, without it, and with two missed ones found."""
    trusted, unknown = audited_rate(5, 16, 200, 200, card=COMPLIED), audited_rate(5, 16, 200, 200, read=40)
    assert trusted.interval()[:2] == pytest.approx((5 / 200, 7 / 200))
    assert trusted.chances[5] == pytest.approx(0.750365, abs=5e-7)
    assert unknown.interval()[:2] == pytest.approx((5 / 200, 17 / 200))
    assert unknown.chances[5] == pytest.approx(0.356419, abs=5e-7)
    found = audited_interval(5, 16, 200, 200, card=COMPLIED, read=40, bad=2)
    assert found[:2] == pytest.approx((7 / 200, 9 / 200))


@pytest.mark.parametrize(("read", "bad"), [(0, 0), (20, 0), (20, 1), (40, 2), (55, 3)])
@pytest.mark.parametrize("card", [COMPLIED, None])
def test_the_posterior_has_a_second_computation(read: int, bad: int, card: tuple[int, int, int, int] | None) -> None:
    """By scipy's distributions, and for a part of a bank by a draw from the whole of it."""
    a, b = (269.5, 14.5) if card else (1, 1)
    k, whole = np.arange(65), np.arange(101)
    seen = stats.betabinom.pmf(4, k, a, b) * np.array(
        [stats.hypergeom.pmf(bad, 55, one - 4, read) if 4 <= one <= 59 else 0.0 for one in k.tolist()]
    )
    chances = stats.betabinom.pmf(whole, 100, 0.5, 0.5) * (stats.hypergeom.pmf(k, 100, whole[:, None], 64) @ seen)
    found = audited_rate(4, 9, 64, 100, card=card, read=read, bad=bad).chances
    assert found == pytest.approx(chances / chances.sum(), abs=1e-9)


def test_false_flags_say_nothing_any_more() -> None:
    """The card's specificity may be anything, and so may the number of replies that were blamed."""
    one = audited_rate(4, 9, 64, 64, card=COMPLIED).chances
    assert audited_rate(4, 9, 64, 64, card=(269, 283, 100, 205)).chances == pytest.approx(one)
    assert audited_rate(4, 9, 64, 64, card=ErrorRates(Beta(269.5, 14.5), 0.0)).chances == pytest.approx(one)
    assert audited_rate(4, 14, 64, 64, card=COMPLIED).chances[:30] == pytest.approx(one[:30], abs=1e-6)


def test_all_read_is_all_known() -> None:
    """Where people read every reply, the bank's rate is a point."""
    assert audited_interval(4, 9, 64, 64, card=COMPLIED, read=55, bad=2) == pytest.approx((6 / 64,) * 3)


def test_unread_replies_count_at_the_top() -> None:
    """As in the interval without an audit."""
    plain, unread = (audited_interval(4, 9, 64, 64, card=COMPLIED, unread=u) for u in (0, 6))
    assert unread.low == plain.low
    assert unread.high >= plain.high + 6 / 64 - 1e-9


@pytest.mark.parametrize(("read", "bad", "p"), [(40, 1, 0.062337), (20, 1, 0.031808), (20, 2, 0.000618)])
def test_known_misfits(read: int, bad: int, p: float) -> None:
    """One missed reply is never enough; two are."""
    fit = misfit(5, 16, 200, card=COMPLIED, read=read, bad=bad)
    assert fit.missed == pytest.approx(p, abs=5e-7)
    assert fit.invalid is (bad == 2)


def test_a_card_is_checked_by_forty_cleared_ones_and_no_misfit() -> None:
    """Fewer prove nothing; nor does an audit in which false flags abound."""
    assert misfit(5, 16, 200, card=COMPLIED, read=40, bad=0).checked
    assert not misfit(5, 16, 200, card=COMPLIED, read=39, bad=0).checked
    assert not misfit(5, 16, 200, card=COMPLIED, read=40, bad=3).checked
    blamed = misfit(5, 90, 200, card=COMPLIED, read=40, bad=0)
    assert (blamed.checked, blamed.invalid) == (False, False)


def test_labels_of_a_healthy_bank() -> None:
    """Twelve to seventeen a claim of 200 cases, five of 64; and forty cleared ones a card."""
    assert (labels_needed(200, 0.01, REFUSED), labels_needed(200, 0.01, COMPLIED)) == (12, 17)
    assert labels_needed(64, 0.01, COMPLIED) == pytest.approx(5, abs=1)
    assert labels_needed(200, 0.01, None, cleared=40) == 42
    assert labels_needed(100, 0.5, ErrorRates(0.9, 0.1)) == 50


def test_two_judges_in_a_row_multiply() -> None:
    """Means and variances of products, as drawn."""
    both = second_judge(REFUSED, (95, 100, 90, 100))
    rng = np.random.default_rng(3)
    drawn = rng.beta(190.5, 8.5, 400_000) * rng.beta(95.5, 5.5, 400_000)
    assert isinstance(both.sensitivity, Beta)
    spread = stats.beta(*both.sensitivity).std()
    assert both.sensitivity.mean == pytest.approx(drawn.mean(), abs=2e-4)
    assert spread == pytest.approx(drawn.std(), rel=0.01)
    assert second_judge(None, None).exact
    assert second_judge(ErrorRates(0.9, 0.1), ErrorRates(0.9, 0.1)).false_positive == pytest.approx(0.01)


def test_impossible_audits_are_refused() -> None:
    """More confirmed than flagged, more read than cleared, more bad than read, nothing asked, odd rates."""
    for counts, extra in (
        ((10, 9, 64, 64), {}),
        ((4, 9, 64, 64), {"read": 56}),
        ((4, 9, 64, 64), {"read": 3, "bad": 4}),
    ):
        with pytest.raises(StatsError, match="wanted 0 <="):
            audited_rate(*counts, card=COMPLIED, **extra)
    with pytest.raises(NoEvidence):
        audited_rate(0, 0, 0, 64)
    with pytest.raises(StatsError, match="unread"):
        audited_interval(4, 9, 64, 64, unread=56)
    with pytest.raises(StatsError, match="rate is 20"):
        labels_needed(200, 20, COMPLIED)
