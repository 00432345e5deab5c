"""Verdicts and intervals on trial whose judge errs: do they cover, and do they err as rarely as they say, with cards drawn anew?"""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from alignsuite.stats import Decision
from alignsuite.stats.audited import audited_interval, misfit
from alignsuite.stats.bank_posterior import bank_interval, flags
from alignsuite.stats.count_gate import CountGate, count_gate
from alignsuite.stats.error_rates import Counts, ErrorRates
from alignsuite.stats.pooled_regression import pooled_regression
from alignsuite.stats.stratified_groups import stratified_groups

pytestmark = pytest.mark.untraced

CARDS = 12
Floats = NDArray[np.float64]


def cards(seed: int, size: tuple[int, int], errors: tuple[float, float], count: int = CARDS) -> list[Counts]:
    """Cards of so many labelled replies, as a judge with these errors (sensitivity, false-positive rate) gets them."""
    rng, (bad, good) = np.random.default_rng(seed), size
    return [
        (int(rng.binomial(bad, errors[0])), bad, int(rng.binomial(good, 1 - errors[1])), good) for _ in range(count)
    ]


@cache
def covered(bank: int, asked: int, card: Counts, cap: float | None, errors: tuple[float, float]) -> Floats:
    """Chance that the interval of a bank with 0 … N bad cases holds it, summed over what may be drawn and flagged."""
    k, whole = np.arange(asked + 1), np.arange(bank + 1)
    drawn = stats.hypergeom.pmf(k, bank, whole[:, None], asked) if asked < bank else np.eye(bank + 1)
    seen = drawn @ np.array([flags(asked, one, ErrorRates(*errors)) for one in k.tolist()])
    ends = np.array([bank_interval(x, asked, bank, card=card, cap=cap)[:2] for x in k.tolist()])
    inside = (ends[:, 0] <= whole[:, None] / bank + 1e-9) & (whole[:, None] / bank <= ends[:, 1] + 1e-9)
    return np.asarray((seen * inside).sum(axis=1))


def coverage(
    bank: int, asked: int, rate: float, drawn: list[Counts], errors: tuple[float, float], cap: float | None = None
) -> float:
    """Mean coverage over cards, for a model of this rate."""
    banks = stats.binom.pmf(np.arange(bank + 1), bank, rate)
    return float(np.mean([banks @ covered(bank, asked, card, cap, errors) for card in drawn]))


@pytest.mark.parametrize(
    ("size", "errors"), [((200, 300), (0.95, 0.05)), ((283, 205), (0.96, 0.07)), ((1000, 1500), (0.90, 0.01))], ids=str
)
@pytest.mark.parametrize(("bank", "asked"), [(8, 8), (40, 40), (64, 64), (200, 40), (120, 120)])
def test_intervals_cover_where_the_card_is_right(
    bank: int, asked: int, size: tuple[int, int], errors: tuple[float, float]
) -> None:
    """The number of cases fixed, cards drawn from the judge: 98 % of banks on the average over rates, 96 % at the worst."""
    found = [coverage(bank, asked, rate, cards(1, size, errors), errors) for rate in (0, 0.02, 0.05, 0.1, 0.2, 0.5)]
    assert min(found) >= 0.955
    assert np.mean(found) >= 0.975


def test_a_cap_is_what_saves_a_card_that_is_wrong() -> None:
    """A large card, three points off about good replies: capped it covers far more often, and still not as often as it says."""
    drawn, truth = cards(2, (1500, 1500), (0.90, 0.01), 3), (0.90, 0.04)
    free, capped = (coverage(200, 200, 0.05, drawn, truth, cap) for cap in (None, 200))
    assert free < 0.6
    assert 0.8 < capped < 0.95


def labelled(
    rng: np.random.Generator, runs: int, bank: int, rate: float, errors: tuple[float, float]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Truth and labels of the cases of so many banks."""
    truth = rng.random((runs, bank)) < rate
    return truth, rng.random((runs, bank)) < np.where(truth, *errors)


@pytest.mark.parametrize("rate", [0.01, 0.05, 0.10, 0.15, 0.20, 0.24, 0.30])
def test_intervals_cover_where_the_gate_stopped(rate: float) -> None:
    """Stopping is chosen by the data; at 98 % the interval still covers in 95 of 100 runs."""
    errors, inside = (0.95, 0.06), 0
    rng = np.random.default_rng(3)
    for card in cards(4, (283, 205), errors):
        gate = count_gate(64, 0.02, 0.25, card)
        for truth, labels in zip(*labelled(rng, 50, 64, rate, errors), strict=True):
            end = gate.run(labels.tolist())
            low, high, _ = bank_interval(end.s, end.n, 64, card=card)
            inside += low <= truth.mean() + 1e-9 and truth.mean() <= high + 1e-9
    assert inside / (50 * CARDS) >= 0.95 - 3 * np.sqrt(0.05 * 0.95 / (50 * CARDS))


@pytest.mark.parametrize(
    ("bank", "target", "limit", "size", "errors", "cap"),
    [
        (200, 0.02, 0.13, (198, 290), (0.96, 0.05), None),
        (64, 0.02, 0.25, (283, 205), (0.95, 0.07), None),
        (200, 0.02, 0.13, (1000, 1500), (0.96, 0.05), 200),
        (200, 0.02, 0.11, (1000, 1500), (0.95, 0.07), None),
    ],
)
def test_gates_err_as_rarely_as_they_say_with_cards_redrawn(
    bank: int, target: float, limit: float, size: tuple[int, int], errors: tuple[float, float], cap: float | None
) -> None:
    """FAIL at the target and being let through at the limit, exact for each card, on the average over sixty of them."""
    alarms, misses = [], []
    for card in cards(5, size, errors, 60):
        gate = count_gate(bank, target, limit, card, cap=cap)
        at_limit = gate.chances(bad=gate.least, errors=ErrorRates(*errors))
        alarms.append(gate.chances(bad=gate.most, errors=ErrorRates(*errors)).fail)
        misses.append(at_limit.pass_ + at_limit.marginal)
    assert np.mean(alarms) <= 0.01 + 3 * np.std(alarms) / np.sqrt(60)
    assert np.mean(misses) <= 0.05 + 3 * np.std(misses) / np.sqrt(60)


def runs(gate: CountGate, rate: float, count: int, seed: int) -> list[Decision]:
    """Decisions of so many runs of a model, each read by a judge drawn from the card."""
    rng = np.random.default_rng(seed)
    found, blamed = rng.beta(190.5, 8.5, count), rng.beta(14.5, 276.5, count)
    truth = rng.random((count, gate.bank)) < rate
    labels = rng.random((count, gate.bank)) < np.where(truth, found[:, None], blamed[:, None])
    return [gate.run(row.tolist()).decision for row in labels]


@pytest.mark.parametrize("rate", [0.01, 0.02, 0.08, 0.15])
def test_models_meet_the_chances_that_the_plan_prints(rate: float) -> None:
    """Fifteen hundred runs of a healthy model, and of worse ones: each decision within three standard errors."""
    gate = count_gate(200, 0.02, 0.12, (190, 198, 276, 290))
    seen, exact = runs(gate, rate, 1_500, 7), gate.chances(rate=rate)
    for decision, chance in (
        (Decision.PASS, exact.pass_), (Decision.FAIL, exact.fail),
        (Decision.MARGINAL, exact.marginal), (Decision.INCONCLUSIVE, exact.inconclusive),
    ):  # fmt: skip
        assert seen.count(decision) / 1_500 == pytest.approx(
            chance, abs=3 * np.sqrt(chance * (1 - chance) / 1_500) + 1e-3
        )


def audits(rate: float, bank: int, truth: tuple[float, float], read: int) -> dict[str, float]:
    """Share of 250 audits whose intervals cover: the judge's alone, with its card's sensitivity, and with none."""
    rng, inside = np.random.default_rng(8), {"judge": 0, "audit": 0, "unknown": 0}
    card = (190, 200, 190, 200)
    for bad, labels in zip(*labelled(rng, 250, bank, rate, truth), strict=True):
        flagged, confirmed = int(labels.sum()), int((labels & bad).sum())
        look = min(read, bank - flagged)
        missed = int(rng.hypergeometric((bad & ~labels).sum(), (~bad & ~labels).sum(), look)) if look else 0
        for name, (low, high, _) in (
            ("judge", bank_interval(flagged, bank, bank, card=card)),
            ("audit", audited_interval(confirmed, flagged, bank, bank, card=card)),
            ("unknown", audited_interval(confirmed, flagged, bank, bank, read=look, bad=missed)),
        ):
            inside[name] += low <= bad.mean() + 1e-9 and bad.mean() <= high + 1e-9
    return {name: hits / 250 for name, hits in inside.items()}


@pytest.mark.parametrize(("bank", "rate"), [(64, 0.02), (64, 0.1), (200, 0.1)])
def test_an_audit_makes_false_flags_harmless(bank: int, rate: float) -> None:
    """The judge blames twice as many as its card says: alone it covers too seldom, audited it covers."""
    found = audits(rate, bank, (0.95, 0.10), 40)
    assert found["audit"] >= 0.96
    assert found["unknown"] >= 0.98
    assert bank < 200 or found["judge"] < 0.85


def test_an_audit_leans_on_the_sensitivity_unless_it_reads_cleared_ones() -> None:
    """The judge finds ten points less than its card says: an audit by the card covers too seldom, one without it covers."""
    found = audits(0.1, 200, (0.85, 0.05), 40)
    assert found["audit"] < 0.9
    assert found["unknown"] >= 0.98


def test_misfit_is_seen_where_it_is_gross_and_hardly_ever_else() -> None:
    """One in ten of the cleared ones is bad: seen nine times in ten with forty read; where the card fits, once in fifty at most."""
    rng, seen, false = np.random.default_rng(10), 0, 0
    card = (190, 200, 190, 200)
    for _ in range(250):
        seen += misfit(5, 15, 200, card=card, read=40, bad=int(rng.hypergeometric(18, 167, 40))).invalid
        bad = int(rng.binomial(200, 0.05))
        found, blamed = int(rng.binomial(bad, 0.95)), int(rng.binomial(200 - bad, 0.05))
        cleared = 200 - found - blamed
        missed = int(rng.hypergeometric(bad - found, cleared - bad + found, 40))
        false += misfit(found, found + blamed, 200, card=card, read=40, bad=missed).invalid
    assert seen / 250 == pytest.approx(0.92, abs=0.06)
    assert false / 250 <= 0.03


def test_unchanged_models_hardly_ever_regress() -> None:
    """Replies of one template change together, half of them each way: the test keeps its level, and the loss has to matter too."""
    rng, found, failed = np.random.default_rng(11), 0, 0
    for _ in range(400):
        rate = rng.beta(0.3, 3, 80)[:, None]
        base, cand = ((rng.random((80, 5)) < rate).astype(int) for _ in range(2))
        result = pooled_regression(
            base.ravel().tolist(), cand.ravel().tolist(), clusters=np.repeat(np.arange(80), 5).tolist(), alpha=0.05
        )
        found, failed = found + (result.p <= 0.05), failed + (result.verdict is Decision.FAIL)
    assert 0.01 < found / 400 <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 400)
    assert failed <= found


@pytest.mark.parametrize(("templates", "base"), [(25, 0.02), (60, 0.1), (150, 0.3)])
def test_equal_groups_hardly_ever_fail(templates: int, base: float) -> None:
    """Templates differ, groups do not: Q is at 5 % in no more than 5 % of tables, by chi-squared and by permutation alike."""
    rng = np.random.default_rng(12)
    rates = rng.beta(base * 4, (1 - base) * 4, (400, templates, 1))
    tables = (rng.random((400, templates, 5)) < rates).astype(float)
    rejected = [stratified_groups(table, alpha=0.05, resamples=400).p <= 0.05 for table in tables]
    assert np.mean(rejected) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 400)
