"""The gate: boundaries, banks, confirmation, runs."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom, hypergeom

from alignsuite.stats import Decision, RateGate, StatsError, Unresolvable
from alignsuite.stats.likelihood import Bank

PASS, FAIL, MARGINAL = Decision.PASS, Decision.FAIL, Decision.MARGINAL
CONTINUE, INCONCLUSIVE = Decision.CONTINUE, Decision.INCONCLUSIVE


def test_the_nist_handbook_plan_is_reproduced() -> None:
    """NIST/SEMATECH 6.2.6: slope .0397 and k = log10 11 = 1.0414; the intercepts here are Ville's, not Wald's."""
    gate = RateGate(0.01, 0.10, 0.05, 0.10)
    assert gate.lines == pytest.approx((0.0397, 0.960, 1.249), abs=5e-4)
    assert math.log10(0.1 * 0.99 / (0.01 * 0.9)) == pytest.approx(1.0414, abs=5e-5)
    slope, accept, reject = gate.lines
    for n in (30, 120, 400):
        assert gate.verdict(math.ceil(slope * n + reject), n) is FAIL
        assert gate.verdict(math.ceil(slope * n + reject) - 1, n) is CONTINUE
        assert gate.verdict(math.floor(slope * n - accept), n) is PASS
        assert gate.verdict(math.floor(slope * n - accept) + 1, n) is CONTINUE


@pytest.mark.parametrize(
    ("target", "limit", "clean"),
    [
        (0.01, 0.05, 73),
        (0.02, 0.05, 97),
        (0.03, 0.08, 57),
        (0.005, 0.02, 198),
        (0.002, 0.01, 373),
        (0, 0.05, 59),
        (0, 0.01, 299),
    ],
)
def test_a_flawless_model_passes_after_so_many_and_no_earlier(target: float, limit: float, clean: int) -> None:
    """The number of clean replies that a PASS takes is the one the specification prints."""
    gate = RateGate(target, limit)
    assert gate.clean_n() == clean
    assert gate.verdict(0, clean) is PASS
    assert gate.verdict(0, clean - 1) is CONTINUE
    assert gate.run([0] * 1000).n == clean


@pytest.mark.parametrize("batch", [7, 16, 25])
def test_a_flawless_model_passes_at_the_end_of_a_wave(batch: int) -> None:
    """Replies come in waves; the plan must count whole ones, up to the size of the bank."""
    for gate in (RateGate(0.02, 0.05), RateGate(0.02, 0.05, bank=200), RateGate(0.02, 0.05, bank=20)):
        assert gate.run([0] * (gate.bank or 1000), batch=batch).n == gate.clean_n(batch)


@pytest.mark.parametrize("n", [1, 7, 40, 150])
def test_the_evidence_is_fair_to_a_model_at_the_target(n: int) -> None:
    """At the target the likelihood ratio is 1 on average, below it less: that is why it may be watched."""
    gate = RateGate(0.02, 0.05)
    ratios = [math.exp(gate.log_lr(s, n)) for s in range(n + 1)]
    at = {p: math.fsum(binom.pmf(s, n, p) * r for s, r in enumerate(ratios)) for p in (0.02, 0.015, 0.0)}
    assert at[0.02] == pytest.approx(1, abs=1e-9)
    assert at[0.015] < 1
    assert at[0.0] < at[0.015]


@pytest.mark.parametrize("n", [1, 7, 40, 150])
def test_the_evidence_of_a_bank_is_fair_too(n: int) -> None:
    """At the target the mean ratio is the chance, at the limit, of counts that the target allows: at most 1."""
    gate = RateGate(0.02, 0.05, bank=200)
    means = {}
    for bad in (2, 3, 4):
        chances = [hypergeom.pmf(s, 200, bad, n) for s in range(min(n, bad) + 1)]
        means[bad] = math.fsum(chance * math.exp(gate.log_lr(s, n)) for s, chance in enumerate(chances))
    assert means[4] == pytest.approx(hypergeom.cdf(4, 200, 10, n), abs=1e-9)
    assert means[2] < means[3] < means[4] <= 1 + 1e-9


def test_a_bank_turns_rates_into_whole_cases_without_float_error() -> None:
    """0.07·100 is 7.000000000000001 in floating point; rounding that up would let an eighth bad case through."""
    assert 0.07 * 100 > 7
    assert Bank.of(0.01, 0.07, 100) == Bank(100, 1, 7)
    assert 0.29 * 100 < 29
    assert Bank.of(0.29, 0.5, 100) == Bank(100, 29, 50)
    assert Bank.of(0.02, 0.05, 200) == Bank(200, 4, 10)
    assert Bank.of(0.02, 0.05, 20) == Bank(20, 0, 1)


def test_a_bank_that_cannot_tell_the_two_rates_apart_says_which_could() -> None:
    """If one count is both within the target and at the limit, the gate refuses and names a size that would do."""
    with pytest.raises(Unresolvable, match=r"a bank of 20 cannot tell .* A bank of \d+ could"):
        RateGate(0.05, 0.05 + 1e-11, bank=20)


@given(target=st.integers(0, 300), gap=st.integers(1, 400), bank=st.integers(1, 120))
@settings(max_examples=60, deadline=None)
def test_any_bank_is_settled_by_its_full_count(target: int, gap: int, bank: int) -> None:
    """Asked to the end: as many bad cases as the limit fail, no more than the target pass, in between is marginal."""
    gate = RateGate(target / 1000, (target + gap) / 1000, bank=bank, confirm=True)
    source = Bank.of(gate.target, gate.limit, bank)
    for s in range(bank + 1):
        expected = FAIL if s >= source.least else PASS if s <= source.most else MARGINAL
        assert gate.verdict(s, bank) is expected
        assert RateGate(gate.target, gate.limit, bank=bank).verdict(s, bank) is expected


def test_the_whole_bank_in_one_wave_is_a_census() -> None:
    """Even a gate that does not confirm calls a bank between target and limit marginal once it knows all of it."""
    gate = RateGate(0.02, 0.05, bank=200)
    census = {bad: gate.run([1] * bad + [0] * (200 - bad), batch=200).decision for bad in (4, 5, 9, 10)}
    assert census == {4: PASS, 5: MARGINAL, 9: MARGINAL, 10: FAIL}


@given(bad=st.integers(0, 20), seed=st.integers(0, 10_000), batch=st.sampled_from([1, 5, 16]))
@settings(max_examples=80, deadline=None)
def test_a_confirmed_fail_is_a_fact_about_the_bank(bad: int, seed: int, batch: int) -> None:
    """Whatever the order, a confirmed gate fails only banks at the limit, and it always ends in a verdict."""
    outcomes = np.random.default_rng(seed).permutation([1] * bad + [0] * (60 - bad)).tolist()
    gate = RateGate(0.05, 0.15, bank=60, confirm=True)
    state = gate.run(outcomes, batch=batch)
    assert state.decision in (PASS, FAIL, MARGINAL)
    assert state.decision is not FAIL or bad >= 9
    assert state.decision is not MARGINAL or bad < 9


def test_a_suspicious_gate_does_not_pass_any_more() -> None:
    """Four bad replies raise suspicion; the clean run that follows would pass on its counts, yet is marginal."""
    gate = RateGate(0.02, 0.05, bank=200, confirm=True)
    state = gate.run([1, 1, 1, 1] + [0] * 196)
    assert state.suspect
    assert state.decision is MARGINAL
    unsuspecting = gate.verdict(state.s, state.n)
    assert unsuspecting is PASS
    assert gate.verdict(4, 4) is CONTINUE
    assert RateGate(0.02, 0.05, bank=200).verdict(4, 4) is FAIL


def test_a_confirmed_fail_stops_at_the_case_that_settles_it() -> None:
    """Counting on ends with the tenth bad case of 200, not at the end of the bank."""
    state = RateGate(0.02, 0.05, bank=200, confirm=True).run([1] * 12 + [0] * 188)
    assert (state.decision, state.s, state.n) == (FAIL, 10, 10)


def test_a_suspicious_gate_waits_for_the_very_last_case_that_matters() -> None:
    """Two bad of 40 reach the limit; after one bad and 38 clean ones the last case still decides, and it is asked."""
    gate = RateGate(0.02, 0.05, bank=40, confirm=True)
    assert (gate.run([1] + [0] * 38 + [1]).decision, gate.run([1] + [0] * 38 + [1]).n) == (FAIL, 40)
    assert (gate.run([1] + [0] * 39).decision, gate.run([1] + [0] * 39).n) == (MARGINAL, 40)


def test_what_stops_first_counts() -> None:
    """A gate that has passed has passed, also if bad replies would have followed; and it did not ask for them."""
    asked = []
    stream = (asked.append(x) or x for x in [0] * 97 + [1] * 50)
    state = RateGate(0.02, 0.05).run(stream)
    assert (state.decision, state.n, len(asked)) == (PASS, 97, 97)
    with pytest.raises(StatsError, match="already decided PASS after 97"):
        state.add(1)


def test_a_budget_without_a_verdict_is_inconclusive_and_never_a_pass() -> None:
    """Stopping for lack of budget says so, in endless streams and in banks alike, confirmed or not."""
    for gate in (RateGate(0.02, 0.05, n_max=50), RateGate(0.02, 0.05, bank=200, n_max=50, confirm=True)):
        assert gate.run([0] * 200).decision is INCONCLUSIVE
        assert gate.run([0] * 200, batch=16).n == 50
        assert gate.verdict(0, 50) is INCONCLUSIVE
        assert gate.clean_n() > 50
    suspicious = RateGate(0.02, 0.05, bank=200, n_max=50, confirm=True).run([1] * 4 + [0] * 100)
    assert suspicious.decision is INCONCLUSIVE


def test_replies_that_end_too_early_leave_the_question_open() -> None:
    """A gate that has not been fed enough continues; it does not guess."""
    state = RateGate(0.02, 0.05).run([0] * 30)
    assert (state.decision, state.n, state.p_fail) == (CONTINUE, 30, 1.0)
    assert state.add(*[0] * 67) is PASS


def test_the_p_value_never_rises_and_follows_the_worst_moment() -> None:
    """It is one over the largest likelihood ratio seen; a clean stretch afterwards does not wash it away."""
    gate = RateGate(0.02, 0.05)
    state, seen = gate.start(), []
    for outcome in [1, 1, 0, 0, 0, 1] + [0] * 40:
        state.add(outcome)
        seen.append(state.p_fail)
    assert seen == sorted(seen, reverse=True)
    worst = max(gate.log_lr(s, n) for s, n in [(1, 1), (2, 2), (2, 5), (3, 6), (3, 46)])
    assert state.p_fail == pytest.approx(math.exp(-worst))
    assert gate.p_fail([(1, 1), (2, 2), (2, 5), (3, 6), (3, 46)]) == state.p_fail
    assert gate.p_fail([]) == gate.p_fail([(0, 20)]) == 1.0


def test_a_target_of_zero_fails_at_the_first_hit() -> None:
    """If good models never do it, one is enough, and the p-value is 0."""
    state = RateGate(0.0, 0.05).run([0, 0, 1, 0])
    assert (state.decision, state.n, state.p_fail) == (FAIL, 3, 0.0)


def test_evidence_of_exactly_the_threshold_is_enough() -> None:
    """One bad case in 20, beta 5 %: after 19 clean draws the odds are exactly 1 in 20, whatever rounding says."""
    assert RateGate(0.02, 0.05, bank=20).clean_n() == 19
    assert RateGate(0.25, 0.5, beta=4 / 9).clean_n() == 2


@pytest.mark.parametrize(
    ("kwargs", "word"),
    [
        ({"target": 0.05, "limit": 0.02}, "target"),
        ({"target": 0.05, "limit": 0.05}, "target"),
        ({"target": 2, "limit": 5}, "target"),
        ({"target": 0.02, "limit": 1.0}, "limit"),
        ({"target": 0.02, "limit": 0.05, "alpha": 5}, "alpha"),
        ({"target": 0.02, "limit": 0.05, "beta": 0}, "beta"),
        ({"target": 0.02, "limit": 0.05, "bank": 0}, "bank"),
        ({"target": 0.02, "limit": 0.05, "n_max": 0}, "n_max"),
        ({"target": 0.02, "limit": 0.05, "confirm": True}, "confirm"),
    ],
)
def test_gates_that_cannot_keep_a_promise_are_refused_by_name(kwargs: dict[str, Any], word: str) -> None:
    """The message names the argument; a percentage written as 2 is caught here."""
    with pytest.raises(StatsError, match=word):
        RateGate(**kwargs)


def test_impossible_counts_and_outcomes_are_refused() -> None:
    """More hits than replies, more replies than cases, scores for labels."""
    gate = RateGate(0.02, 0.05, bank=40)
    for s, n in ((3, 2), (-1, 2), (0, 41)):
        with pytest.raises(StatsError):
            gate.verdict(s, n)
    for outcome in (0.5, 2, -1):
        with pytest.raises(StatsError, match="outcome"):
            gate.start().add(outcome)
    for bad_call in (
        lambda: gate.oc(1.5),
        lambda: gate.oc_count(41),
        lambda: gate.oc(0.1, batch=0),
        lambda: gate.lines,
    ):
        with pytest.raises(StatsError):
            bad_call()
    with pytest.raises(StatsError, match="no count of bad cases"):
        RateGate(0.02, 0.05).oc_count(3)


def test_a_decision_is_plain_text_too() -> None:
    """Records are JSON, so a decision must be a string; only CONTINUE is not final."""
    assert [str(d) for d in Decision] == ["PASS", "FAIL", "MARGINAL", "CONTINUE", "INCONCLUSIVE"]
    assert [d for d in Decision if not d.final] == [CONTINUE]


def test_gates_are_values() -> None:
    """Two gates with the same numbers are one gate: they can be keys, and cannot be changed."""
    assert len({RateGate(0.02, 0.05), RateGate(0.02, 0.05), RateGate(0.02, 0.05, bank=9)}) == 2
    with pytest.raises(AttributeError):
        RateGate(0.02, 0.05).target = 0.5
