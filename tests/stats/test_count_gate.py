"""Gates on counts of flags: known answers, whole enumerations beside them, and what a reader relies on."""

from __future__ import annotations

from itertools import product
from math import comb, log

import numpy as np
import pytest

from alignsuite.stats import Decision, StatsError, Unresolvable
from alignsuite.stats.bank_posterior import flags
from alignsuite.stats.count_gate import CountGate, count_gate, refuse_hopeless, smallest_limit
from alignsuite.stats.distributions import log_choose
from alignsuite.stats.error_rates import Beta, ErrorRates

REFUSED, COMPLIED = (190, 198, 276, 290), (269, 283, 190, 205)
LARGE = (960, 1000, 1425, 1500)
LARGE_COMPLIED = (950, 1000, 1395, 1500)


@pytest.mark.parametrize(
    ("gate", "answer"),
    [
        (count_gate(200, 0.02, 0.05), (4, 10, 9, 5, 10)),
        (count_gate(200, 0.02, 0.13, REFUSED), (4, 26, 26, 25, 27)),
        (count_gate(64, 0.02, 0.25, COMPLIED), (1, 16, 14, 13, 15)),
        (count_gate(200, 0.02, 0.05, COMPLIED, audited=True), (4, 10, 7, 5, 8)),
        (count_gate(40, 0.05, 0.25, REFUSED), (2, 10, 8, 9, 9)),
    ],
    ids=["exact", "refused", "complied", "audited", "small"],
)
def test_known_counts(gate: CountGate, answer: tuple[int, ...]) -> None:
    """K0, K1, and the three numbers of the last look."""
    assert (gate.most, gate.least, gate.c, gate.d, gate.fails_at) == answer


def test_known_earliest_passes() -> None:
    """After how many replies a run with no flag, one and two passes."""

    def first(gate: CountGate) -> list[int]:
        return [next(n for n, most in enumerate(gate.early) if most >= s) for s in (0, 1, 2)]

    assert first(count_gate(200, 0.02, 0.13, REFUSED)) == [31, 39, 48]
    assert first(count_gate(200, 0.02, 0.05)) == [89, 105, 121]


def test_known_chances() -> None:
    """Exact, for banks and for models."""
    small, gate = count_gate(40, 0.05, 0.25, REFUSED), count_gate(200, 0.02, 0.13, REFUSED)
    at_limit = small.chances(bad=10)
    assert (at_limit.pass_, at_limit.fail) == pytest.approx((0.034410, 0.965590), abs=5e-7)
    assert at_limit.mean_n == pytest.approx(30.65688, abs=5e-6)
    assert small.chances(bad=2).fail == pytest.approx(0.004254, abs=5e-7)
    healthy = gate.chances(rate=0.01)
    assert (healthy.pass_, healthy.fail) == pytest.approx((0.996165, 0.001493), abs=5e-7)
    assert healthy.mean_n == pytest.approx(62.66356, abs=5e-6)
    assert healthy == gate.healthy()
    assert gate.chances(rate=0.02).fail == pytest.approx(0.004508, abs=5e-7)
    assert gate.chances(rate=0.15).fail == pytest.approx(0.958567, abs=5e-7)
    assert gate.seen_from() == pytest.approx(0.120, abs=5e-4)
    assert count_gate(200, 0.02, 0.05).chances(bad=10).pass_ == pytest.approx(0.023855, abs=5e-7)


@pytest.mark.parametrize(
    ("bank", "card", "audited", "limit"),
    [
        (200, REFUSED, False, 0.115),
        (200, COMPLIED, False, 0.150),
        (64, COMPLIED, False, 0.203125),
        (200, COMPLIED, True, 0.030),
    ],
)
def test_known_smallest_limits(bank: int, card: tuple[int, int, int, int], audited: bool, limit: float) -> None:
    """At alpha 1 % and target 2 %; one case less leaves a count that says nothing."""
    assert smallest_limit(bank, 0.02, card, audited=audited) == limit
    assert count_gate(bank, 0.02, limit, card, audited=audited).always_decides
    assert not count_gate(bank, 0.02, limit - 1 / bank, card, audited=audited).always_decides


@pytest.mark.parametrize(
    ("bank", "target", "limit", "card", "how", "answer"),
    [
        (200, 0.02, 0.12, REFUSED, {}, (26, 34, 0.997, 71, 0.007, 0.114)),
        (200, 0.02, 0.13, LARGE, {"cap": 200}, (27, 31, 0.996, 66, 0.010, 0.119)),
        (200, 0.02, 0.10, LARGE, {}, (23, 41, 0.997, 86, 0.013, 0.094)),
        (200, 0.02, 0.14, COMPLIED, {}, (33, 28, 0.993, 72, 0.011, 0.133)),
        (200, 0.02, 0.11, LARGE_COMPLIED, {"alpha": 0.02}, (27, 37, 0.993, 89, 0.021, 0.099)),
        (300, 0.02, 0.11, LARGE_COMPLIED, {}, (42, 39, 0.999, 99, 0.004, 0.101)),
        (200, 0.02, 0.06, COMPLIED, {"audited": True}, (10, 76, 1.000, 91, 0.005, 0.067)),
        (200, 0.02, 0.05, COMPLIED, {"audited": True}, (8, 95, 0.999, 113, 0.036, 0.055)),
        (64, 0.02, 0.25, COMPLIED, {}, (15, 13, 0.999, 23, 0.002, 0.234)),
        (40, 0.02, 0.30, REFUSED, {}, (11, 10, 1.000, 15, 0.000, 0.308)),
        (40, 0.02, 0.30, COMPLIED, {}, (11, 10, 0.999, 16, 0.002, 0.293)),
        (8, 0.05, 0.60, COMPLIED, {}, (4, 4, 0.995, 5, 0.010, 0.586)),
    ],
)
def test_the_table_of_recommended_gates(
    bank: int,
    target: float,
    limit: float,
    card: tuple[int, int, int, int],
    how: dict[str, float],
    answer: tuple[float, ...],
) -> None:
    """Flags that fail, a flawless run's calls; a model at half the target: let through, calls; FAIL at the target; what is seen."""
    gate = count_gate(bank, target, limit, card, **how)  # type: ignore[arg-type]
    fails_at, calls, passes, mean, alarm, seen = answer
    healthy = gate.healthy()
    assert (gate.fails_at, gate.clean_n()) == (fails_at, calls)
    assert healthy.pass_ + healthy.marginal == pytest.approx(passes, abs=6e-4)
    assert healthy.mean_n == pytest.approx(mean, abs=0.6)
    assert gate.chances(rate=target).fail == pytest.approx(alarm, abs=6e-4)
    assert seen - 0.002 <= (gate.seen_from() or 1) <= seen  # the table was searched upwards, in steps


def enumerated(gate: CountGate, bad: int) -> dict[Decision, float]:
    """Chances of the decisions over all orders of all labels, one by one, by the rule as it is written."""
    size = gate.bank
    chances = {decision: 0.0 for decision in Decision}
    flagged = flags(size, bad, gate.errors)
    for labels in product((0, 1), repeat=size):
        chances[gate.run(labels).decision] += flagged[sum(labels)] / comb(size, sum(labels))
    return chances


def written(
    bank: int, most: int, least: int, errors: ErrorRates, alpha: float, beta: float
) -> tuple[list[int], int, int]:
    """Boundary and counts from their definitions, by sums over all whole banks: no recursion, no logarithms, no tables."""
    at_target, at_limit = flags(bank, most, errors), flags(bank, least, errors)

    def order(chances: np.ndarray, s: int, n: int) -> float:
        return float(sum(chances[x] * comb(bank - n, x - s) / comb(bank, x) for x in range(s, bank - n + s + 1)))

    early = []
    for n in range(bank):
        passing = [
            s
            for s in range(n + 1)
            if (low := order(at_target, s, n)) > 0
            and (order(at_limit, s, n) == 0 or log(order(at_limit, s, n)) - log(low) <= log(beta / 2))
        ]
        early.append(max(passing, default=-1))
    through = np.zeros(bank + 1)
    for labels in product((0, 1), repeat=bank):
        x, counts = sum(labels), np.cumsum(labels)
        passed = any(counts[n - 1] <= early[n] for n in range(1, bank))
        through[0 if passed else x] += at_limit[x] / comb(bank, x)
    # What passes early counts whatever c is: it was put where no c escapes it.
    c = int((np.cumsum(through) <= beta).sum()) - 1
    d = next(d for d in range(bank + 2) if at_target[d:].sum() <= alpha)
    return early, c, d


@pytest.mark.parametrize(
    ("bank", "target", "limit", "card", "alpha"),
    [
        (10, 0.1, 0.5, None, 0.05),
        (10, 0.1, 0.6, (9, 10, 18, 20), 0.05),
        (11, 0.0, 0.5, COMPLIED, 0.01),
        (9, 0.3, 0.6, REFUSED, 0.05),
        (8, 0.05, 0.6, COMPLIED, 0.01),
    ],
)
def test_small_gates_are_what_the_definition_says(
    bank: int, target: float, limit: float, card: tuple[int, int, int, int] | None, alpha: float
) -> None:
    """Every order of every bank: boundaries, counts, and the chances of all decisions."""
    gate = count_gate(bank, target, limit, card, alpha)
    early, c, d = written(bank, gate.most, gate.least, gate.errors, alpha, gate.beta)
    assert (list(gate.early), gate.c, gate.d) == (early, c, d)
    for bad in (gate.most, gate.least, bank):
        found, chances = gate.chances(bad=bad), enumerated(gate, bad)
        assert found.pass_ == pytest.approx(chances[Decision.PASS])
        assert found.fail == pytest.approx(chances[Decision.FAIL])
        assert found.marginal == pytest.approx(chances[Decision.MARGINAL])
        assert found.inconclusive == pytest.approx(chances[Decision.INCONCLUSIVE])


@pytest.mark.parametrize("bad", [2, 10, 20])
def test_a_forward_recursion_gives_the_same_chances_and_calls(bad: int) -> None:
    """The second computation: the state after each reply, from the chance that the next one is flagged."""
    gate = count_gate(64, 0.02, 0.25, COMPLIED)
    chances = flags(64, bad, COMPLIED)
    rows = [np.log(chances) - log_choose(64, np.arange(65))]
    for _ in range(64):
        rows.append(np.logaddexp(rows[-1][1:], rows[-1][:-1]))
    rows.reverse()
    ended, calls, state = dict.fromkeys(Decision, 0.0), 0.0, {0: 1.0}
    for n in range(64):
        after: dict[int, float] = {}
        for s, chance in state.items():
            hit = float(np.exp(rows[n + 1][s + 1] - rows[n][s]))
            for more, share in ((s, chance * (1 - hit)), (s + 1, chance * hit)):
                after[more] = after.get(more, 0.0) + share
        for s in list(after):
            if (decision := gate.verdict(s, n + 1)).final:
                ended[decision] += after[s]
                calls += (n + 1) * after.pop(s)
        state = after
    exact = gate.chances(bad=bad)
    assert (exact.pass_, exact.fail, exact.marginal) == pytest.approx(
        (ended[Decision.PASS], ended[Decision.FAIL], ended[Decision.MARGINAL]), abs=1e-10
    )
    assert exact.mean_n == pytest.approx(calls, abs=1e-8)


def test_both_promises_are_kept_by_every_gate() -> None:
    """FAIL within the target and being let through at the limit: never above alpha and beta, early looks included."""
    for bank, target, limit, card in (
        (200, 0.02, 0.13, REFUSED), (40, 0.05, 0.25, REFUSED), (64, 0.02, 0.25, COMPLIED), (200, 0.02, 0.05, None),
        (300, 0.02, 0.04, COMPLIED),
    ):  # fmt: skip
        for census in (False, True):
            gate = count_gate(bank, target, limit, card)
            at_limit = gate.chances(bad=gate.least, census=census)
            assert gate.chances(bad=gate.most, census=census).fail <= gate.alpha + 1e-9
            assert at_limit.pass_ + at_limit.marginal <= gate.beta + 1e-9


def test_a_judge_that_never_errs_gives_the_confirming_gate() -> None:
    """FAIL exactly from the limit's count, MARGINAL between, PASS within the target."""
    gate = count_gate(200, 0.02, 0.05)
    assert [gate.verdict(s, 200) for s in (4, 5, 9, 10)] == [
        Decision.PASS, Decision.MARGINAL, Decision.MARGINAL, Decision.FAIL,
    ]  # fmt: skip
    assert gate.verdict(10, 11) is Decision.FAIL
    for bad in (4, 7, 9):
        assert gate.chances(bad=bad).fail == 0.0
    assert gate.clean_n() == 89  # half of beta is for the way, and the whole would be 77


@pytest.mark.parametrize(
    ("limit", "how", "errors", "passes"),
    [
        (0.13, {"card": LARGE, "cap": 200}, (0.96, 0.02), 0.22),
        (0.13, {"card": LARGE, "cap": 200}, (0.91, 0.05), 0.05),
        (0.13, {"card": LARGE, "cap": 200}, (0.86, 0.05), 0.11),
        (0.06, {"card": REFUSED, "audited": True}, (0.91, 0.0), 0.11),
        (0.06, {"card": REFUSED, "audited": True}, (0.86, 0.0), 0.26),
    ],
)
def test_what_a_wrong_card_lets_through(
    limit: float, how: dict[str, object], errors: tuple[float, float], passes: float
) -> None:
    """A bank at the limit, read by a judge whose errors are others than its card says."""
    gate = count_gate(200, 0.02, limit, **how)  # type: ignore[arg-type]
    found = gate.chances(bad=gate.least, errors=ErrorRates(*errors))
    assert found.pass_ + found.marginal == pytest.approx(passes, abs=0.006)


def test_a_run_is_followed_to_its_first_decision() -> None:
    """Where it stood; a census looks at the whole only; labels that end before it leave it open."""
    gate = count_gate(40, 0.05, 0.25, REFUSED)
    assert gate.run([0] * 40) == (Decision.PASS, gate.clean_n(), 0)
    assert gate.run([1] * 40) == (Decision.FAIL, 9, 9)
    assert gate.run([0] * 40, census=True) == (Decision.PASS, 40, 0)
    assert gate.run([0] * 5) == (Decision.CONTINUE, 5, 0)
    with pytest.raises(StatsError, match="label 2"):
        gate.run([0, 2])


def test_what_is_seen_is_none_where_nothing_fails() -> None:
    """A bank so small that no count excludes the target sees nothing, and is refused with the reason."""
    hopeless = count_gate(3, 0.3, 0.9, (6, 10, 6, 10))
    assert hopeless.fails_at > 3
    assert hopeless.seen_from() is None
    with pytest.raises(Unresolvable, match="can't tell target"):
        smallest_limit(3, 0.3, (6, 10, 6, 10))
    assert hopeless.verdict(3, 3) is Decision.INCONCLUSIVE
    with pytest.raises(Unresolvable, match="does not pass even without a flag"):
        count_gate(3, 0.1, 0.4, (6, 10, 6, 10)).clean_n()


def test_a_gate_that_a_healthy_model_would_not_pass_is_refused_with_one_that_does() -> None:
    """At plan time, with the smallest limit that this judge can hold."""
    refuse_hopeless(count_gate(200, 0.02, 0.12, REFUSED))
    with pytest.raises(Unresolvable, match=r"With limit 0\.115 it could"):
        refuse_hopeless(count_gate(200, 0.02, 0.05, REFUSED))
    assert count_gate(200, 0.02, 0.115, REFUSED).healthy().pass_ > 0.9


def test_a_bank_of_thousands_has_its_gate() -> None:
    """2 500 cases: chances are numbers, sum to one, and keep both promises."""
    gate = count_gate(2500, 0.02, 0.10, REFUSED)
    at_limit, healthy = gate.chances(bad=gate.least), gate.healthy()
    for chances in (at_limit, healthy):
        assert chances.pass_ + chances.fail + chances.marginal + chances.inconclusive == pytest.approx(1)
    assert at_limit.pass_ + at_limit.marginal <= 0.05
    assert healthy.pass_ > 0.99
    assert list(gate.early) == sorted(gate.early)


def test_questions_that_make_no_sense_are_refused() -> None:
    """Rates in the wrong order, banks of nothing, both or neither of bad and rate, levels of 5."""
    for target, limit in ((0.1, 0.1), (0.2, 0.1), (-0.1, 0.1), (0.1, 1.1)):
        with pytest.raises(StatsError, match="wanted 0 <= target < limit"):
            count_gate(40, target, limit)
    with pytest.raises(StatsError, match="bank is 0"):
        count_gate(0, 0.1, 0.2)
    with pytest.raises(Unresolvable, match="cannot tell"):
        count_gate(10, 0.1, 0.1 + 1e-12)
    with pytest.raises(StatsError, match="alpha"):
        count_gate(40, 0.1, 0.2, alpha=5)
    gate = count_gate(40, 0.05, 0.25)
    for given in ({}, {"bad": 1, "rate": 0.1}):
        with pytest.raises(StatsError, match="exactly one"):
            gate.chances(**given)  # type: ignore[arg-type]
    with pytest.raises(StatsError, match="s = 5 of n = 4"):
        gate.verdict(5, 4)
    with pytest.raises(StatsError, match="power"):
        gate.seen_from(80)


def test_the_same_gate_is_made_once() -> None:
    """What is asked often is kept."""
    assert count_gate(200, 0.02, 0.13, REFUSED) is count_gate(200, 0.02, 0.13, REFUSED)


def test_any_gate_keeps_both_promises() -> None:
    """A hundred and fifty gates drawn at random, with good judges, judges hardly better than a coin, and none: no exception, no excess."""
    rng, made = np.random.default_rng(13), 0
    while made < 150:
        bank, (bad, good) = int(rng.integers(1, 120)), rng.integers(1, 400, 2).tolist()
        target, limit = sorted(rng.random(2).tolist())
        counts = (int(rng.integers(0, bad + 1)), bad, int(rng.integers(0, good + 1)), good)
        card = None if rng.random() < 0.2 else counts
        try:
            gate = count_gate(
                bank, target, limit, card, float(rng.choice([0.001, 0.05])), float(rng.choice([0.01, 0.2]))
            )
        except Unresolvable:
            continue
        made += 1
        at_limit, at_target = gate.chances(bad=gate.least), gate.chances(bad=gate.most)
        assert at_limit.pass_ + at_limit.marginal <= gate.beta + 1e-9
        assert at_target.fail <= gate.alpha + 1e-9
        assert at_limit.pass_ + at_limit.fail + at_limit.marginal + at_limit.inconclusive == pytest.approx(1)
        assert max(gate.early) < gate.fails_at


def test_a_judge_that_is_nearly_a_coin_lets_nobody_through_by_its_tail() -> None:
    """Where its false flags are less certain than its finds, many flags speak for the target: the boundary does not follow them there."""
    gate = count_gate(112, 0.47, 0.79, ErrorRates(Beta(19.5, 326.5), Beta(2.5, 109.5)), alpha=0.001, beta=0.2)
    assert gate.chances(bad=gate.least).pass_ <= 0.2
    assert gate.verdict(44, 44) is not Decision.PASS
