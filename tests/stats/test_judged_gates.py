"""Gates on the labels of a judge that errs keep their promise about the replies."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from alignsuite.stats import Interval, RateGate, Unresolvable, confidence_sequence, judge_limits
from alignsuite.stats.misclassification import JudgeBounds, corrected, judge_bounds
from alignsuite.stats.misclassified_gates import JudgedGate, judged_bad
from alignsuite.stats.operating import CONTINUE, FAIL, PASS, SUSPECT
from alignsuite.stats.stopping_rules import decision_of

CARD = (300, 316, 990, 1000)
Labels = NDArray[Any]


def labelled(
    rng: np.random.Generator, runs: int, bad: int, bank: int, sensitivity: float, specificity: float
) -> Labels:
    """The labels of so many banks, each with so many bad cases, in random order."""
    truth = rng.permuted(np.broadcast_to(np.arange(bank) < bad, (runs, bank)), axis=1)
    draws = rng.random((runs, bank))
    return np.where(truth, draws < sensitivity, draws < 1 - specificity)


def followed(gate: RateGate, labels: Labels) -> Labels:
    """The code of every run's decision: what `GateState` does, for many runs at once."""
    bad = labels.cumsum(axis=1)
    codes, suspect = np.full(len(labels), CONTINUE), np.zeros(len(labels), dtype=bool)
    for n in range(1, labels.shape[1] + 1):
        looks = np.where(suspect, gate.rule.look(bad[:, n - 1], n, True), gate.rule.look(bad[:, n - 1], n, False))
        going = codes == CONTINUE
        suspect |= going & (looks == SUSPECT)
        codes = np.where(going & (looks != SUSPECT), looks, codes)
    return codes


def test_many_runs_at_once_are_many_single_runs() -> None:
    """The simulation below follows the very gate that claims run."""
    gate = JudgedGate.of(0.02, 0.10, CARD, bank=200).gate
    labels = labelled(np.random.default_rng(0), 40, 14, 200, 0.9, 0.97)
    single = [decision_of(int(code)) for code in followed(gate, labels)]
    assert single == [gate.run(run.tolist()).decision for run in labels]
    assert len(set(single)) > 1


@pytest.mark.parametrize("counts", [CARD, (90, 100, 990, 1000), (150, 160, 495, 500)])
def test_banks_at_the_limit_rarely_pass_and_banks_at_the_target_rarely_fail(counts: tuple[int, int, int, int]) -> None:
    """Two thousand banks of each kind, each with the judge's worst luck that its card leaves open: within beta, alpha and the figures."""
    gate = JudgedGate.of(0.02, 0.10, counts, bank=200)
    rng, runs = np.random.default_rng(1), 2_000
    sensitivity, specificity = gate.bounds
    for bad, errors, wrong, most in (
        (20, (sensitivity.lo, specificity.hi), PASS, gate.miss() - gate.gamma),
        (4, (sensitivity.hi, specificity.lo), FAIL, gate.false_alarm() - gate.gamma),
    ):
        assert most <= 0.05
        seen = (followed(gate.gate, labelled(rng, runs, bad, 200, *errors)) == wrong).mean()
        assert seen == pytest.approx(most, abs=3 * np.sqrt(0.05 * 0.95 / runs))


def test_moved_limits_alone_would_not_keep_the_promise() -> None:
    """The judge's luck with twenty bad cases lets twice as many banks through as declared; that is why the gate is stricter."""
    careless = RateGate(*judge_limits(0.02, 0.10, *CARD), bank=200, confirm=True)
    made = JudgedGate.of(0.02, 0.10, CARD, bank=200)
    sensitivity, specificity = made.bounds
    rng, runs = np.random.default_rng(2), 2_000
    labels = labelled(rng, runs, 20, 200, sensitivity.lo, specificity.hi)
    assert (followed(careless, labels) == PASS).mean() > 0.07
    assert made.gate.beta < careless.beta
    assert made.gate.clean_n() >= careless.clean_n()


def test_a_perfect_judge_known_perfectly_changes_nothing() -> None:
    """A million labelled replies and no error: the gate of the declared numbers, its counts and, but for gamma, its error rates."""
    many = 1_000_000
    gate, plain = (
        JudgedGate.of(0.02, 0.10, (many, many, many, many), bank=200),
        RateGate(0.02, 0.10, bank=200, confirm=True),
    )
    assert gate.gate.clean_n() == plain.clean_n()
    assert gate.miss() - gate.gamma == pytest.approx(plain.oc(0.10).pass_, abs=1e-3)
    assert gate.false_alarm() == pytest.approx(gate.gamma, abs=1e-6)
    assert gate.miss(census=True) == pytest.approx(gate.gamma, abs=1e-3)


def test_a_model_s_bad_luck_is_that_of_binomial_banks() -> None:
    """Two thousand banks of a model at the target, as the judge sees it at worst."""
    gate = JudgedGate.of(0.05, 0.20, (150, 160, 340, 350), bank=60)
    rng, runs = np.random.default_rng(3), 2_000
    judged = gate.bounds.judged(0.05).hi
    for census in (False, True):
        said = gate.bad_luck(0.05, census=census) - gate.gamma
        banks = rng.random((runs, 60)) < judged
        least = int(np.ceil(gate.gate.limit * 60 - 1e-9))
        failed = (banks.sum(axis=1) >= least if census else followed(gate.gate, banks) == FAIL).mean()
        assert failed == pytest.approx(said, abs=3 * np.sqrt(max(said, 1e-3) / runs))


def test_labels_of_a_bank_are_two_binomials() -> None:
    """Those found and those blamed; together they are a distribution with the mean that the rates say."""
    chances = judged_bad(20, 200, 0.9, 0.98)
    assert chances.sum() == pytest.approx(1)
    assert float(chances @ np.arange(201)) == pytest.approx(20 * 0.9 + 180 * 0.02)


@pytest.mark.parametrize(
    ("bank", "counts", "said"),
    [(200, (41, 53, 96, 98), "Label more good replies"), (20, CARD, "too small"), (5, CARD, "bank of 5")],
)
def test_what_cannot_be_told_is_refused_with_its_reason(
    bank: int, counts: tuple[int, int, int, int], said: str
) -> None:
    """The judge alone, its luck with a small bank, the bank alone."""
    with pytest.raises(Unresolvable, match=said):
        JudgedGate.of(0.02, 0.10, counts, bank=bank)


def test_bounds_map_there_and_back() -> None:
    """The true rates behind what a true rate may look like hold that rate, and nothing is outside [0, 1]."""
    bounds = judge_bounds(*CARD)
    for rate in (0.0, 0.02, 0.5, 1.0):
        back = bounds.true(bounds.judged(rate))
        assert 0.0 <= back.lo <= rate <= back.hi <= 1.0
    assert bounds.kept == pytest.approx(bounds.sensitivity.lo + bounds.specificity.lo - 1)


def test_a_contradicted_record_widens_instead_of_clipping_to_a_point() -> None:
    """Fewer calls than the judge blames by mistake, or more than it would find: the contradicted error may be anything down to 0."""
    bounds = JudgeBounds(Interval(0.8, 0.9), Interval(0.90, 0.95))
    low, high = bounds.true(Interval(0.0, 0.01)), bounds.true(Interval(0.95, 0.96))
    assert low == (0.0, pytest.approx(0.01 / 0.8))
    assert high == (pytest.approx((0.95 - 0.10) / 0.90), 1.0)
    assert JudgeBounds(Interval(0.4, 0.6), Interval(0.4, 0.6)).true(Interval(0.1, 0.2)) == (0.0, 1.0)


def test_the_corrected_interval_covers_wherever_one_stops() -> None:
    """Two hundred runs of a gate at a true 5 %, each with a card of its own: the truth is inside in 95 % of them at least."""
    rng, runs, covered = np.random.default_rng(4), 200, 0
    gate = JudgedGate.of(0.02, 0.10, CARD, bank=200)
    for _ in range(runs):
        card = (int(rng.binomial(316, 0.95)), 316, int(rng.binomial(1000, 0.99)), 1000)
        bad = int(rng.binomial(200, 0.05))
        state = gate.gate.run(labelled(rng, 1, bad, 200, 0.95, 0.99)[0].tolist())
        judged = confidence_sequence(state.s, state.n, alpha=0.025)
        found = judge_bounds(*card, gamma=0.025).true(judged)
        covered += found.lo <= 0.05 <= found.hi and found.lo <= bad / 200 <= found.hi
        assert found.lo <= corrected(state.s, state.n, *card) <= found.hi
    assert covered / runs >= 0.95
