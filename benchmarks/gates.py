"""Prints the specification's tables of early stopping and of planning beside the figures of the shipped code.

Run it from a checkout: `python benchmarks/gates.py`. A figure that the code does not reproduce is marked with `!`. The
last lines say how long the exact recursion takes.
"""

from __future__ import annotations

from time import perf_counter

from scipy.stats import binom

from alignsuite.stats import RateGate

RATES = (0.01, 0.03, 0.05, 0.08, 0.15)

# name, gate, and for each rate PASS %, FAIL %, mean n as section 5.1 prints them (None: not printed as one figure)
EARLY_STOPPING = [
    (
        "SPRT (2 %, 5 %), n <= 500",
        RateGate(0.02, 0.05, n_max=500),
        [(99.9, 0.1, 139), (53, 27, 290), (4.5, 91, 180), (0.1, 99.9, 75), (0, 100, 30)],
    ),
    (
        "SPRT (3 %, 8 %), n <= 500",
        RateGate(0.03, 0.08, n_max=500),
        [(100, 0, 71), (96, 3.4, 128), (53, 42, 187), (4.7, 95, 102), (0, 100, 33)],
    ),
    (
        "hypergeometric (2 %, 5 %), bank 500",
        RateGate(0.02, 0.05, bank=500),
        [(100, 0, 114), (62, 38, 186), (4.7, 95, 119), (0.1, 99.9, 60), (0, 100, 27)],
    ),
    (
        "same, confirm",
        RateGate(0.02, 0.05, bank=500, confirm=True),
        [(100, 0, 114), (62, 0, None), (4.7, 95, 466), (0.1, 99.9, 305), (0, 100, 165)],
    ),
    (
        "same, bank 200, confirm",
        RateGate(0.02, 0.05, bank=200, confirm=True),
        [(100, 0, 91), (None, 0, 155), (4.8, 95, 179), (0.1, 99.9, 118), (0, 100, 65)],
    ),
]

# (target, limit); clean, mean n at target/2 and at target, n_max, fixed n, n_max at alpha/30, as section 5.2 has them
PLANNING = [
    ((0.002, 0.01), (373, 463, 569, 1177, 913, 1785)),
    ((0.005, 0.02), (198, 256, 335, 751, 523, 1112)),
    ((0.01, 0.03), (147, 202, 293, 641, 521, 1046)),
    ((0.01, 0.05), (73, 90, 111, 233, 181, 353)),
    ((0.02, 0.05), (97, 139, 223, 523, 386, 827)),
    ((0.03, 0.08), (57, 81, 125, 292, 224, 457)),
    ((0.05, 0.15), (27, 37, 54, 125, 93, 195)),
    ((0.10, 0.20), (26, 40, 75, 177, 135, 295)),
]


def fixed_n(target: float, limit: float, level: float = 0.05) -> int:
    """The smallest sample, all of it asked, with some cut-off that errs at most `level` on either side."""
    n = 1
    while True:
        most = int(binom.ppf(1 - level, n, target))  # smallest cut-off with P(more | target) <= level
        if binom.cdf(most, n, limit) <= level:
            return n
        n += 1


def compare(ours: float, printed: float | None, step: float) -> str:
    """Our figure, the printed one, and a mark if they differ by more than rounding to `step` explains."""
    if printed is None:
        return f"{ours:8.2f} (  –  ) "
    return f"{ours:8.2f} ({printed:5g}){' ' if abs(ours - printed) <= step else '!'}"


def early_stopping() -> None:
    """Section 5.1: what each gate says at five rates, and what that costs."""
    print("Early stopping (section 5.1): ours (printed)")
    for name, gate, printed in EARLY_STOPPING:
        print(f"\n  {name}\n  {'rate':>6}  {'PASS %':>17} {'FAIL %':>17} {'mean n':>17}  marginal %  inconclusive %")
        for rate, (passes, fails, calls) in zip(RATES, printed, strict=True):
            oc = gate.oc(rate)
            cells = [
                compare(100 * oc.pass_, passes, 0.51),
                compare(100 * oc.fail, fails, 0.51),
                compare(oc.mean_n, calls, 0.51),
            ]
            print(f"  {rate:6.0%}  {' '.join(cells)} {100 * oc.marginal:9.2f} {100 * oc.inconclusive:14.2f}")


def planning() -> None:
    """Section 5.2: what a pair of limits costs."""
    print("\nPlanning (section 5.2): ours (printed)")
    heads = ("clean", "mean at target/2", "mean at target", "n_max", "fixed n", "n_max at alpha/30")
    print("  target, limit   " + " ".join(f"{head:>17}" for head in heads))
    for (target, limit), printed in PLANNING:
        free = RateGate(target, limit)
        gate = RateGate(target, limit, n_max=free.enough())
        ours = (
            gate.clean_n(),
            gate.oc(target / 2).mean_n,
            gate.oc(target).mean_n,
            free.enough(),
            fixed_n(target, limit),
            RateGate(target, limit, alpha=0.05 / 30).enough(),
        )
        cells = " ".join(f"{compare(a, b, 1.0):>17}" for a, b in zip(ours, printed, strict=True))
        print(f"  {target:6.1%}, {limit:5.1%}  {cells}")


def timing(repeats: int = 5) -> None:
    """How long one exact recursion over 500 replies takes; the best of a few."""
    print("\nExact recursion, n = 500, best of", repeats)
    for name, gate, _ in EARLY_STOPPING[:4]:
        best = min(_timed(gate) for _ in range(repeats))
        print(f"  {name:<36} {1000 * best:6.1f} ms")


def _timed(gate: RateGate) -> float:
    start = perf_counter()
    gate.oc(0.03)
    return perf_counter() - start


if __name__ == "__main__":
    early_stopping()
    planning()
    timing()
