"""The exact error rates against the specification's tables, against simulation, and against their own promises."""

import math

import numpy as np
import pytest

from alignsuite.stats import RateGate

VILLE = RateGate(0.02, 0.05, n_max=500)
WIDER = RateGate(0.03, 0.08, n_max=500)
BANK = RateGate(0.02, 0.05, bank=500)
CONFIRMED = RateGate(0.02, 0.05, bank=500, confirm=True)
SMALL = RateGate(0.02, 0.05, bank=200, confirm=True)

# gate, rate, PASS %, FAIL %, mean n as printed in section 5.1
EARLY_STOPPING = [
    (VILLE, 0.01, 99.9, 0.1, 139),
    (VILLE, 0.03, 53, 27, 290),
    (VILLE, 0.05, 4.5, 91, 180),
    (VILLE, 0.08, 0.1, 99.9, 75),
    (VILLE, 0.15, 0, 100, 30),
    (WIDER, 0.01, 100, 0, 71),
    (WIDER, 0.03, 96, 3.4, 128),
    (WIDER, 0.05, 53, 42, 187),
    (WIDER, 0.08, 4.7, 95, 102),
    (WIDER, 0.15, 0, 100, 33),
    (BANK, 0.01, 100, 0, 114),
    (BANK, 0.03, 62, 38, 186),
    (BANK, 0.05, 4.7, 95, 119),
    (BANK, 0.08, 0.1, 99.9, 60),
    (BANK, 0.15, 0, 100, 27),
    (CONFIRMED, 0.01, 100, 0, 114),
    (CONFIRMED, 0.03, 62, 0, 305),
    (CONFIRMED, 0.05, 4.7, 95, 466),
    (CONFIRMED, 0.08, 0.1, 99.9, 305),
    (CONFIRMED, 0.15, 0, 100, 165),
    (SMALL, 0.01, 100, 0, 91),
    (SMALL, 0.03, 54, 0, 155),
    (SMALL, 0.05, 4.8, 95, 179),
    (SMALL, 0.08, 0.1, 99.9, 118),
    (SMALL, 0.15, 0, 100, 65),
]

# target, limit, clean, mean n at target/2 and at target, n_max at alpha .05 and .05/30, as printed in section 5.2
PLANNING = [
    (0.002, 0.01, 373, 463, 569, 1177, 1785),
    (0.005, 0.02, 198, 256, 335, 751, 1112),
    (0.01, 0.03, 147, 202, 293, 641, 1046),
    (0.01, 0.05, 73, 90, 111, 233, 353),
    (0.02, 0.05, 97, 139, 223, 523, 827),
    (0.03, 0.08, 57, 81, 125, 292, 457),
    (0.05, 0.15, 27, 37, 54, 125, 195),
    (0.10, 0.20, 26, 40, 75, 177, 295),
]


@pytest.mark.parametrize(("gate", "rate", "passes", "fails", "calls"), EARLY_STOPPING)
def test_the_table_of_early_stopping_is_recomputed(
    gate: RateGate, rate: float, passes: float, fails: float, calls: int
) -> None:
    """Each verdict share and cost agrees with the specification to the digit that it prints."""
    oc = gate.oc(rate)
    digits = [0.0006 if value in (99.9, 0.1, 4.5, 4.7, 4.8, 3.4) else 0.0051 for value in (passes, fails)]
    assert abs(oc.pass_ - passes / 100) < digits[0]
    assert abs(oc.fail - fails / 100) < digits[1]
    assert abs(oc.mean_n - calls) <= 0.5
    assert oc.pass_ + oc.fail + oc.marginal + oc.inconclusive == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize(("target", "limit", "clean", "at_half", "at_target", "n_max", "n_max_30"), PLANNING)
@pytest.mark.untraced
def test_the_planning_table_is_recomputed(
    target: float, limit: float, clean: int, at_half: int, at_target: int, n_max: int, n_max_30: int
) -> None:
    """What a gate costs and how large a budget it needs, as the specification prints it."""
    gate = RateGate(target, limit)
    assert gate.clean_n() == clean
    assert gate.enough() == n_max
    assert RateGate(target, limit, alpha=0.05 / 30).enough() == n_max_30
    budgeted = RateGate(target, limit, n_max=n_max)
    assert abs(budgeted.oc(target).mean_n - at_target) <= 1
    assert abs(budgeted.oc(target / 2).mean_n - at_half) <= 1
    assert budgeted.oc(target).inconclusive <= 0.05
    assert max(RateGate(target, limit, n_max=n_max - 1).oc(p).inconclusive for p in (target, limit)) > 0.05


def test_the_worked_example_has_these_digits() -> None:
    """(2 %, 5 %), 500 replies, a model at 2 %: the exact figures, checked by an independent recursion."""
    oc = VILLE.oc(0.02)
    assert oc.pass_ == pytest.approx(0.9153, abs=5e-5)
    assert oc.fail == pytest.approx(0.03354, abs=5e-6)
    assert oc.mean_n == pytest.approx(222.23, abs=5e-3)


def test_an_independent_recursion_over_a_dictionary_agrees() -> None:
    """The state-by-state textbook recursion, with nothing vectorised or trimmed, gives the same numbers."""
    target, limit, p, n_max = 0.05, 0.15, 0.08, 90
    alive, passed, failed, calls = {0: 1.0}, 0.0, 0.0, 0.0
    for n in range(1, n_max + 1):
        grown = {}
        for s, mass in alive.items():
            grown[s] = grown.get(s, 0) + mass * (1 - p)
            grown[s + 1] = grown.get(s + 1, 0) + mass * p
        alive = {}
        for s, mass in grown.items():
            evidence = s * math.log(limit / target) + (n - s) * math.log((1 - limit) / (1 - target))
            if evidence >= math.log(20):
                failed, calls = failed + mass, calls + n * mass
            elif evidence <= -math.log(20):
                passed, calls = passed + mass, calls + n * mass
            else:
                alive[s] = mass
    oc = RateGate(target, limit, n_max=n_max).oc(p)
    left = sum(alive.values())
    assert (oc.pass_, oc.fail, oc.inconclusive) == pytest.approx((passed, failed, left), abs=1e-12)
    assert oc.mean_n == pytest.approx(calls + n_max * left, abs=1e-9)


@pytest.mark.parametrize(
    ("gate", "rate", "batch"),
    [
        (RateGate(0.05, 0.15, n_max=80), 0.08, 1),
        (RateGate(0.05, 0.15, n_max=80), 0.08, 8),
        (RateGate(0.05, 0.15, bank=100), 0.09, 1),
        (RateGate(0.05, 0.15, bank=100, confirm=True), 0.09, 4),
        (RateGate(0.05, 0.15, bank=100, confirm=True), 0.15, 16),
        (RateGate(0.05, 0.15, bank=100, n_max=60, confirm=True), 0.12, 4),
    ],
)
@pytest.mark.untraced
def test_running_the_gate_many_times_gives_the_computed_shares(gate: RateGate, rate: float, batch: int) -> None:
    """The exact figures are those of the gate that runs: 800 seeded runs agree within their noise, waves included."""
    rng = np.random.default_rng(2026)
    oc, runs, seen, calls = gate.oc(rate, batch=batch), 800, {}, []
    for _ in range(runs):
        if gate.bank:
            bad = round(rate * gate.bank)
            outcomes = rng.permutation([1] * bad + [0] * (gate.bank - bad))
        else:
            outcomes = rng.random(gate.n_max) < rate
        state = gate.run(outcomes.tolist(), batch=batch)
        seen[state.decision] = seen.get(state.decision, 0) + 1
        calls.append(state.n)
    expected = {"PASS": oc.pass_, "FAIL": oc.fail, "MARGINAL": oc.marginal, "INCONCLUSIVE": oc.inconclusive}
    for decision, share in expected.items():
        assert abs(seen.get(decision, 0) / runs - share) <= 3.5 * math.sqrt(share * (1 - share) / runs) + 1e-9
    assert abs(np.mean(calls) - oc.mean_n) <= 3.5 * np.std(calls) / math.sqrt(runs)
    assert max(calls) <= oc.worst_n


@pytest.mark.parametrize("batch", [1, 16])
@pytest.mark.parametrize("size", [20, 60, 200])
def test_a_bank_always_ends_in_a_verdict_with_its_promised_errors(size: int, batch: int) -> None:
    """For every number of bad cases: nothing inconclusive, no false block at all, false passes at most beta."""
    gate = RateGate(0.02, 0.05, bank=size, confirm=True)
    least = math.ceil(0.05 * size - 1e-9)
    for bad in [*range(min(size, 3 * least) + 1), size]:
        oc = gate.oc_count(bad, batch=batch)
        assert oc.inconclusive == 0
        assert oc.worst_n <= size
        assert oc.pass_ + oc.fail + oc.marginal == pytest.approx(1, abs=1e-9)
        if bad < least:
            assert oc.fail == 0.0
        else:
            assert oc.marginal == 0.0
            assert oc.pass_ <= 0.05 + 1e-9


def test_without_confirmation_false_blocks_stay_below_alpha() -> None:
    """At the largest count that is still within the target, an unconfirmed bank gate fails at most 5 % of orders."""
    gate = RateGate(0.02, 0.05, bank=200)
    shares = [gate.oc_count(bad).fail for bad in range(11)]
    assert 0 < shares[4] <= 0.05 < shares[10]
    assert shares == sorted(shares)
    assert all(gate.oc_count(bad).inconclusive == 0 for bad in range(0, 201, 10))


def test_a_rate_of_a_bank_is_rounded_to_whole_cases() -> None:
    """3.16 % of 500 is 15.8 cases, and there are no 0.8 cases: it reads as 16."""
    assert CONFIRMED.oc(0.0316) == CONFIRMED.oc_count(16)
    assert CONFIRMED.oc(0.0316).mean_n == pytest.approx(338, abs=0.5)


def test_rare_looks_cost_a_little_and_nothing_else() -> None:
    """Looking every 25 replies raises the cost of passing from 139 to 156, every 16 in a bank from 114 to 121."""
    assert VILLE.oc(0.01, batch=25).mean_n == pytest.approx(156, abs=0.5)
    assert BANK.oc(0.01, batch=16).mean_n == pytest.approx(121, abs=0.5)
    assert VILLE.oc(0.02, batch=25).fail <= VILLE.oc(0.02).fail


@pytest.mark.parametrize(
    ("probes", "row"),
    [
        (1, (114, 139, 230, 186, 53)),
        (10, (114, 139, 245, 320, 89)),
        (30, (114, 139, 247, 384, 106)),
        (100, (114, 139, 248, 454, 125)),
    ],
)
def test_splitting_alpha_costs_good_models_nothing(probes: int, row: tuple[int, ...]) -> None:
    """Mean cost at .5, 1, 2, 5 and 10 % when alpha is shared by so many probes: only bad models pay."""
    gate = RateGate(0.02, 0.05, alpha=0.05 / probes)
    means = [gate.oc(p).mean_n for p in (0.005, 0.01, 0.02, 0.05, 0.10)]
    assert means == pytest.approx(row, abs=0.6)


def test_two_runs_disagree_most_between_the_limits() -> None:
    """No test can remove the coin flip; it is placed where either answer is acceptable."""
    chances = [VILLE.oc(p).rerun_disagrees for p in (0.01, 0.02, 0.035, 0.05, 0.08)]
    assert chances == pytest.approx([0.002, 0.16, 0.63, 0.16, 0.002], abs=0.005)


def test_the_sign_test_can_run_as_a_gate_on_changed_prompts() -> None:
    """Fed 1 for worse and 0 for better: 17 changes clear a no-change model, 21 fail a 3:1 regression."""
    gate = RateGate(0.5, 0.75, 0.05, 0.10)
    assert gate.oc(0.5).mean_n == pytest.approx(16.7, abs=0.05)
    assert gate.oc(0.75).mean_n == pytest.approx(21.3, abs=0.05)
    corrected = RateGate(0.5, 0.75, 0.05 / 30, 0.10)
    assert (round(corrected.oc(0.5).mean_n), round(corrected.oc(0.75).mean_n)) == (18, 45)


def test_certain_rates_have_certain_outcomes() -> None:
    """At 0 % every run passes after the clean number, at 100 % every run fails; worst case and mean are the same."""
    for gate in (VILLE, BANK, CONFIRMED, RateGate(0.0, 0.05, n_max=500)):
        clean, filthy = gate.oc(0.0), gate.oc(1.0)
        assert (clean.pass_, clean.mean_n, clean.worst_n) == (1.0, gate.clean_n(), gate.clean_n())
        assert filthy.fail == 1.0


def test_a_gate_without_a_budget_still_ends() -> None:
    """With no n_max the recursion follows the runs until none is left; both errors keep their promise."""
    gate = RateGate(0.02, 0.05)
    assert gate.oc(0.02).inconclusive == gate.oc(0.05).inconclusive == 0
    assert gate.oc(0.02).fail <= 0.05
    assert gate.oc(0.05).pass_ <= 0.05
    assert gate.oc(0.02).pass_ + gate.oc(0.02).fail == pytest.approx(1, abs=1e-9)
