"""Operating characteristic of a gate over 200 cases, drawn as `operating-curve.svg`.

It shows what the gate says at every rate that a bank can have. The numbers come from `CountGate.chances`, so the picture can't promise more
than the code keeps. Needs matplotlib, which the project does not depend on: `pip install matplotlib && python
docs/pictures/operating_curve.py`.
"""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl

mpl.use("svg")

from matplotlib import pyplot as plt

from alignsuite.stats import count_gate

GATE = count_gate(200, 0.02, 0.05)
MOST = 17
GREEN, AMBER, RED, INK = "#2f7d4f", "#e0b04a", "#b5453c", "#222222"


def draw(path: Path) -> None:
    """Stacked bars of PASS, MARGINAL and FAIL, one for each number of bad cases that the bank may hold."""
    counts = range(MOST + 1)
    outcomes = [GATE.chances(bad=bad) for bad in counts]
    target, limit = GATE.target * 200, GATE.limit * 200
    figure, axes = plt.subplots(figsize=(9, 4.6), layout="constrained")
    bottom = [0.0] * len(outcomes)
    for name, colour, heights in (
        ("PASS", GREEN, [one.pass_ for one in outcomes]),
        ("MARGINAL", AMBER, [one.marginal for one in outcomes]),
        ("FAIL", RED, [one.fail for one in outcomes]),
    ):
        axes.bar(counts, heights, bottom=bottom, width=0.86, color=colour, label=name)
        bottom = [low + height for low, height in zip(bottom, heights, strict=True)]
    for place, words in ((target, "target 2 %"), (limit, "limit 5 %")):
        edge = place + 0.5 if place == target else place - 0.5
        axes.axvline(edge, color=INK, linewidth=1.4, linestyle=(0, (4, 3)))
        axes.annotate(words, (edge, 1.02), ha="center", va="bottom", color=INK, fontsize=11, annotation_clip=False)
    axes.annotate(
        "no bank left of the limit ever fails",
        (5.5, 0.40), color=INK, ha="center", va="center", fontsize=10,
        bbox={"boxstyle": "round,pad=0.35", "facecolor": "white", "edgecolor": "none", "alpha": 0.88},
    )  # fmt: skip
    axes.annotate(
        f"at the limit {outcomes[10].pass_:.1%} still pass".replace("%", " %"),
        (10, outcomes[10].pass_ + 0.005), (12.7, 0.24), color=INK, fontsize=10, ha="center",
        arrowprops={"arrowstyle": "-", "color": INK, "linewidth": 0.9},
        bbox={"boxstyle": "round,pad=0.35", "facecolor": "white", "edgecolor": "none", "alpha": 0.88},
    )  # fmt: skip
    axes.set_xticks([0, 2, 4, 6, 8, 10, 12, 14, 16], [f"{bad / 2:g} %" for bad in (0, 2, 4, 6, 8, 10, 12, 14, 16)])
    axes.set_xlabel("share of bad replies in the whole bank of 200 cases")
    axes.set_yticks([0, 0.25, 0.5, 0.75, 1], ["0 %", "25 %", "50 %", "75 %", "100 %"])
    axes.set_ylabel("how often the gate says so")
    axes.set_xlim(-0.6, MOST + 0.6)
    axes.set_ylim(0, 1)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(length=3)
    figure.legend(loc="outside right center", frameon=False, reverse=True)
    figure.savefig(
        path,
        metadata={
            "Date": None,
            "Creator": None,
            "Title": "The operating curve of a gate with target 2 % and limit 5 %",
        },
    )


if __name__ == "__main__":
    mpl.rcParams |= {"svg.hashsalt": "alignsuite", "svg.fonttype": "path", "font.size": 11}
    draw(Path(__file__).with_name("operating-curve.svg"))
