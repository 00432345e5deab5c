"""What a bank's rate can be: known answers, each computed a second way, and the shape of things."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from alignsuite.stats import NoEvidence, StatsError
from alignsuite.stats.bank_posterior import (
    bank_interval,
    bank_rate,
    flags,
    flags_of_model,
    population_interval,
)
from alignsuite.stats.error_rates import Beta, ErrorRates

REFUSED, COMPLIED = (190, 198, 276, 290), (269, 283, 190, 205)
Card = tuple[int, int, int, int]

KNOWN = [
    ((3, 8, 8), COMPLIED, (0, 0.625, 0.375)),
    ((0, 40, 200), REFUSED, (0, 0.075, 0.005)),
    ((6, 40, 200), REFUSED, (0, 0.270, 0.105)),
    ((12, 200, 200), REFUSED, (0, 0.050, 0.010)),
    ((30, 200, 200), REFUSED, (0.045, 0.150, 0.110)),
    ((16, 64, 64), COMPLIED, (0.078125, 0.28125, 0.203125)),
    ((3, 40, 200), None, (0.020, 0.195, 0.075)),
    ((7, 200, 200), None, (0.035, 0.035, 0.035)),
]


def second_way(x: int, n: int, bank: int, card: Card | None) -> NDArray[np.float64]:
    """P(K): the prior is put on the whole bank, the cases asked are drawn from it, and the card is integrated over on a grid."""
    if card is None:
        seen = (np.arange(n + 1) == x).astype(float)
    else:
        tp, n_pos, tn, n_neg = card
        midpoints = (np.arange(60) + 0.5) / 60
        found = stats.beta(tp + 0.5, n_pos - tp + 0.5).ppf(midpoints)
        blamed = stats.beta(n_neg - tn + 0.5, tn + 0.5).ppf(midpoints)
        seen = np.array(
            [
                sum(
                    stats.binom.pmf(j, k, found).mean() * stats.binom.pmf(x - j, n - k, blamed).mean()
                    for j in range(max(0, x - n + k), min(k, x) + 1)
                )
                for k in range(n + 1)
            ]
        )
    whole = np.arange(bank + 1)
    drawn = stats.hypergeom.pmf(np.arange(n + 1), bank, whole[:, None], n)
    chances = stats.betabinom.pmf(whole, bank, 0.5, 0.5) * (drawn @ seen)
    return np.asarray(chances / chances.sum())


@pytest.mark.parametrize(("counts", "card", "answer"), KNOWN)
def test_known_intervals_and_medians(
    counts: tuple[int, int, int], card: Card | None, answer: tuple[float, float, float]
) -> None:
    """Exactly: all ends are multiples of one case."""
    assert bank_interval(*counts, card=card) == pytest.approx(answer, abs=1e-12)


@pytest.mark.parametrize(("counts", "card"), [(counts, card) for counts, card, _ in KNOWN if counts[1] <= 64], ids=str)
def test_the_posterior_has_a_second_computation(counts: tuple[int, int, int], card: Card | None) -> None:
    """Prior on the bank and a hypergeometric draw, instead of prior on those asked and a prediction of the rest."""
    assert bank_rate(*counts, card=card).chances == pytest.approx(second_way(*counts, card), abs=5e-4)


@pytest.mark.parametrize(
    ("counts", "card", "bad", "p"),
    [
        ((3, 8, 8), COMPLIED, 4, 0.121333),
        ((6, 12, 20), REFUSED, 5, 0.992530),
        ((2, 16, 24), COMPLIED, 5, 0.057749),
        ((30, 200, 200), REFUSED, 26, 0.187517),
    ],
)
def test_known_tails(counts: tuple[int, int, int], card: Card, bad: int, p: float) -> None:
    """Probabilities that the bank holds at least so many."""
    rate = bank_rate(*counts, card=card)
    assert rate.at_least(bad) == pytest.approx(p, abs=5e-7)
    assert rate.at_least(0) == rate.at_least(-1) == pytest.approx(1)
    assert rate.at_least(rate.bank + 1) == 0.0


def test_unread_replies_widen_the_interval_at_the_top_only() -> None:
    """Fine for the low end, bad for the high one, and the estimate leaves them out."""
    unread = bank_interval(6, 40, 200, card=REFUSED, unread=4)
    assert (unread.low, unread.high) == pytest.approx((0, 0.400))
    assert unread.low <= bank_rate(6, 36, 200, card=REFUSED).estimate == unread.estimate <= unread.high
    assert bank_interval(0, 10, 10, unread=10) == pytest.approx((0, 1, 0.5))


def test_known_flags() -> None:
    """A judge's luck with the bank, its card's doubt inside."""
    assert flags(64, 16, COMPLIED)[12] == pytest.approx(0.000452, abs=5e-7)
    assert flags(8, 1, COMPLIED)[0] == pytest.approx(0.029769, abs=5e-7)
    assert flags(200, 4, REFUSED)[20:].sum() == pytest.approx(0.078043, abs=5e-7)
    assert flags(5, 2).tolist() == [0, 0, 1, 0, 0, 0]


def test_flags_are_what_a_judge_with_such_a_card_gives() -> None:
    """Forty thousand banks, each read by a judge drawn from the card."""
    rng = np.random.default_rng(1)
    found = rng.binomial(16, rng.beta(269.5, 14.5, 40_000))
    blamed = rng.binomial(48, rng.beta(15.5, 190.5, 40_000))
    seen = np.bincount(found + blamed, minlength=65) / 40_000
    assert seen == pytest.approx(flags(64, 16, COMPLIED), abs=0.01)


def test_flags_of_a_model_are_a_mixture_over_banks() -> None:
    """With known errors it is a plain binomial, however it is summed."""
    known, nearly = ErrorRates(0.9, 0.05), ErrorRates(Beta(9e8, 1e8), 0.05)
    plain = stats.binom.pmf(np.arange(41), 40, 0.3 * 0.9 + 0.7 * 0.05)
    assert flags_of_model(40, 0.3, known) == pytest.approx(plain)
    assert flags_of_model(40, 0.3, nearly) == pytest.approx(plain, abs=1e-6)
    assert flags_of_model(40, 0.0, REFUSED) == pytest.approx(flags(40, 0, REFUSED))


def test_the_population_is_less_sure_than_the_bank() -> None:
    """A mixture of Betas, as many random draws have it; a whole bank that is known leaves the population open."""
    rate = bank_rate(30, 200, 200, card=REFUSED)
    rng = np.random.default_rng(2)
    k = rng.choice(201, 200_000, p=rate.among_asked)
    drawn = rng.beta(0.5 + k, 200.5 - k)
    assert rate.population_at_least(0.12) == pytest.approx((drawn >= 0.12).mean(), abs=0.005)
    assert population_interval(30, 200, card=REFUSED) == pytest.approx(np.quantile(drawn, [0.01, 0.99]), abs=0.004)
    assert rate.population().estimate == pytest.approx(np.median(drawn), abs=0.002)
    assert population_interval(7, 200) == pytest.approx(stats.beta(7.5, 193.5).ppf([0.01, 0.99]), abs=1e-6)


def test_more_flags_never_lower_an_end() -> None:
    """Low, high and median rise with the flags; a higher level is wider."""
    rows = np.array([bank_interval(x, 64, 100, card=REFUSED) for x in range(65)])
    assert (np.diff(rows, axis=0) >= 0).all()
    assert bank_interval(9, 64, 100, card=REFUSED, level=0.99).width >= bank_interval(9, 64, 100, card=REFUSED).width


def test_a_cap_widens_what_a_large_card_says() -> None:
    """Thousands of labels of other replies are not thousands about these."""
    card = (960, 1000, 1425, 1500)
    assert bank_interval(25, 200, 200, card=card, cap=200).width > bank_interval(25, 200, 200, card=card).width


@pytest.mark.parametrize("x", [0, 3, 130, 1250])
def test_large_banks_stay_numbers(x: int) -> None:
    """A bank of 2 500, half of it asked, a card of thousands: nothing under- or overflows into nonsense."""
    rate = bank_rate(x, 1250, 2500, card=(1440, 1500, 4700, 5000))
    assert rate.chances.sum() == pytest.approx(1)
    assert (rate.chances >= 0).all()
    low, high, middle = rate.interval()
    assert 0 <= low <= middle <= high <= 1
    assert flags(2500, 200, REFUSED).sum() == pytest.approx(1)


def test_impossible_counts_are_refused() -> None:
    """More flagged than asked, more asked than there are, nothing asked, more unread than left, odd levels and rates."""
    for counts in ((9, 8, 8), (1, 9, 8)):
        with pytest.raises(StatsError, match="wanted 0 <="):
            bank_interval(*counts)
    with pytest.raises(NoEvidence):
        bank_interval(0, 0, 8)
    with pytest.raises(StatsError, match="x = 6 of readable ones of n = 5"):
        bank_interval(6, 8, 8, unread=3)
    with pytest.raises(StatsError, match="level"):
        bank_interval(1, 8, 8, level=98)
    with pytest.raises(StatsError, match="bad = 9 of bank = 8"):
        flags(8, 9)
    with pytest.raises(StatsError, match="rate is 2"):
        flags_of_model(8, 2)
    with pytest.raises(StatsError, match="no number of bad cases"):
        bank_rate(1, 8, 8, card=ErrorRates(0.0, 0.0))
