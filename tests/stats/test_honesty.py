"""The instrument itself on trial: do verdicts err as rarely as they say?"""

import numpy as np
import pytest

from alignsuite.stats import Decision, RateGate, confidence_sequence, mcnemar_exact

pytestmark = pytest.mark.untraced

RUNS = 2_000


def allowed(level: float) -> float:
    """An error level plus three standard errors of 2 000 runs."""
    return level + 3 * np.sqrt(level * (1 - level) / RUNS)


@pytest.mark.parametrize(
    ("rate", "wrong", "level"), [(0.05, Decision.FAIL, 0.05), (0.15, Decision.PASS, 0.10)], ids=["target", "limit"]
)
def test_models_exactly_at_the_two_rates_err_no_more_than_promised(rate: float, wrong: Decision, level: float) -> None:
    """2 000 seeded models with rate exactly target (limit): at most alpha FAIL (beta PASS), and not none either."""
    gate = RateGate(0.05, 0.15, alpha=0.05, beta=0.10, n_max=200)
    rng = np.random.default_rng(42)
    states = [gate.run((rng.random(200) < rate).tolist(), batch=5) for _ in range(RUNS)]
    share = sum(state.decision is wrong for state in states) / RUNS
    assert level / 5 < share <= allowed(level)


@pytest.mark.parametrize("bad", [4, 9, 10])
def test_banks_exactly_at_the_two_counts_err_no_more_than_promised(bad: int) -> None:
    """2 000 seeded orders of a bank of 200: never a false block, and at most beta false passes."""
    gate = RateGate(0.02, 0.05, bank=200, confirm=True)
    rng = np.random.default_rng(bad)
    labels = np.array([1] * bad + [0] * (200 - bad))
    decisions = [gate.run(rng.permutation(labels).tolist(), batch=16).decision for _ in range(RUNS)]
    if bad < 10:
        assert Decision.FAIL not in decisions
    else:
        assert 0 < decisions.count(Decision.PASS) / RUNS <= allowed(0.05)
        assert Decision.MARGINAL not in decisions
    assert Decision.INCONCLUSIVE not in decisions


def test_the_p_value_of_a_good_model_is_rarely_small_at_any_time() -> None:
    """Watched to the end and stopped at its worst, a model at the target gets p <= 5 % in at most 5 % of runs."""
    gate = RateGate(0.05, 0.15, alpha=1e-9, n_max=120)
    rng = np.random.default_rng(7)
    small = sum(gate.run((rng.random(120) < 0.05).tolist(), batch=4).p_fail <= 0.05 for _ in range(RUNS))
    assert 0 < small / RUNS <= allowed(0.05)


def test_an_interval_taken_where_the_gate_stopped_still_covers() -> None:
    """Stopping is chosen by the data, and the anytime interval does not mind."""
    gate = RateGate(0.05, 0.15, n_max=120)
    rng = np.random.default_rng(9)
    missed = 0
    for _ in range(500):
        state = gate.run((rng.random(120) < 0.10).tolist(), batch=4)
        interval = confidence_sequence(state.s, state.n)
        missed += not interval.lo <= 0.10 <= interval.hi
    assert missed / 500 <= 0.05


def test_equal_models_are_seldom_called_worse() -> None:
    """Two checkpoints that answer 20 % of prompts differently by chance alone: at most 5 % regressions found."""
    rng = np.random.default_rng(3)
    counts = rng.multinomial(300, [0.1, 0.1, 0.8], size=RUNS)
    false = np.mean([mcnemar_exact(int(worse), int(better)) <= 0.05 for worse, better, _ in counts])
    assert 0.01 < false <= allowed(0.05)
