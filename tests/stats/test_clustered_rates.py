"""Intervals of rates whose trials come in clusters: they cover, where plain ones do not."""

from __future__ import annotations

import numpy as np
import pytest

from alignsuite.stats.rates import effective_trials, rate_interval

pytestmark = pytest.mark.untraced

SIZES = {
    "three models, 150 pairs": [3] * 150, "one to six": [1, 2, 3, 4, 5, 6] * 10, "eighty questions": [20] * 80,
    "one prompt outweighs all": [200] + [3] * 60, "five outweigh the rest": [40] * 5 + [3] * 80,
}  # fmt: skip


def drawn(sizes: list[int], rate: float, alike: float, seed: int) -> list[list[tuple[int, int]]]:
    """Clusters of replies, each with a rate of its own; `alike` is the correlation of two replies to one prompt."""
    random = np.random.default_rng(seed)
    whole = (1 - alike) / alike
    found = []
    for _ in range(200):
        rates = random.beta(rate * whole, (1 - rate) * whole, len(sizes))
        found.append(list(zip(random.binomial(sizes, rates).tolist(), sizes, strict=True)))
    return found


def covered(draws: list[list[tuple[int, int]]], rate: float, *, clustered: bool) -> float:
    """Share of draws whose interval holds the rate."""
    hit = 0
    for clusters in draws:
        hits, trials = (sum(column) for column in zip(*clusters, strict=True))
        interval = rate_interval(hits, trials, clusters=clusters if clustered else None)
        hit += interval.lo <= rate <= interval.hi
    return hit / len(draws)


@pytest.mark.parametrize("alike", [0.05, 0.3, 0.7])
@pytest.mark.parametrize("rate", [0.85, 0.95])
@pytest.mark.parametrize("kind", SIZES)
def test_the_interval_holds_the_rate(kind: str, rate: float, alike: float) -> None:
    """Nineteen times in twenty with clusters of like sizes; less, and said so on the page, where five outweigh the rest."""
    draws = drawn(SIZES[kind], rate, alike, seed=len(SIZES[kind]))
    assert covered(draws, rate, clustered=True) >= (0.83 if kind == "five outweigh the rest" else 0.92)


@pytest.mark.parametrize("sizes", [[20] * 80, [200] + [3] * 60], ids=["eighty questions", "one prompt outweighs all"])
def test_a_plain_interval_would_not(sizes: list[int]) -> None:
    """Counting replies as independent claims two to three times the certainty that there is."""
    assert covered(drawn(sizes, 0.95, 0.3, seed=2), 0.95, clustered=False) < 0.7


def test_effective_trials_lie_between_prompts_and_replies() -> None:
    """All alike within a prompt: as many as prompts. Errors spread evenly: nearly as many as replies."""
    assert effective_trials(100, 200, [(10, 10)] * 10 + [(0, 10)] * 10) == pytest.approx(20)
    assert effective_trials(20, 200, [(1, 10)] * 20) == pytest.approx(200, rel=0.15)
    assert effective_trials(0, 200, [(0, 10)] * 20) == pytest.approx(20)
    assert effective_trials(0, 400, [(0, 200), *[(0, 2)] * 100]) < 5, (
        "one prompt with half of the replies is one prompt"
    )
