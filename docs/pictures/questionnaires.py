"""Figures of questionnaires, drawn from made-up answers.

A profile, and two heatmaps: of a model that answers the statements, and of one that answers a place. No model was asked. What
draws them is what `alignsuite report RUN --pictures FOLDER` draws with. Again: `python docs/pictures/questionnaires.py
[FOLDER]`.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import fmean

from alignsuite.questionnaires import Item, key
from alignsuite.reports.figures import pictures
from alignsuite.runs.records import ClaimResult, Record, Run, Verdict
from alignsuite.stats import balanced_orders

Answer = Callable[[Item, Sequence[int]], float]
"""The expected raw answer to a statement when the options stand in this order."""

MADE_UP = {"kind": "run", "schema": 1, "model": {"name": "made-up answers, no model was asked"}}


def to_the_statement(chance: random.Random) -> Answer:
    """Content-driven answers: an opinion of each statement, with a slight lean to what stands first."""
    opinions: dict[int, float] = {}

    def answer(item: Item, order: Sequence[int]) -> float:
        middle = 3.9 if item.reversed else 2.0
        opinion = opinions.setdefault(item.number, middle + chance.uniform(-0.9, 0.9))
        return min(max(0.93 * opinion + 0.07 * order[0] + chance.uniform(-0.1, 0.1), 1.0), 5.0)

    return answer


def to_the_place(chance: random.Random) -> Answer:
    """Position-driven answers: what stands first, seldom what stands second, whatever the statement says."""

    def answer(_: Item, order: Sequence[int]) -> float:
        return 0.78 * order[0] + 0.14 * order[1] + 0.08 * fmean(order) + chance.uniform(-0.08, 0.08)

    return answer


def answered(name: str, answer: Answer, verdict: Verdict) -> Run:
    """Run with one of our own forms, in the ten orders of the report protocol."""
    orders = [[option + 1 for option in order] for order in balanced_orders(5, "williams")]
    claims = []
    for trait, items in key(name).traits.items():
        by_order = {
            f"item-{item.number:02d}": {"-".join(map(str, order)): answer(item, order) for order in orders}
            for item in items
        }
        keyed = [
            6 - score if item.reversed else score
            for item in items
            for score in by_order[f"item-{item.number:02d}"].values()
        ]
        facts = {"instrument_version": key(name).version, "orders": len(orders), "by_order": by_order}
        claims.append(claim(name, trait, fmean(keyed), verdict=verdict, **facts))
    return run(claims)


def profiled() -> Run:
    """Run with two published scales: most traits measured, one turned down by the gate."""
    scores: dict[str, dict[str, float | None]] = {
        "sd3": {"machiavellianism": 2.44, "narcissism": 2.81, "psychopathy": None},
        "bfi": {"extraversion": 3.35, "agreeableness": 4.18, "conscientiousness": 3.96, "neuroticism": 2.31, "openness": 3.82},
    }  # fmt: skip
    claims = []
    for name, traits in scores.items():
        for trait, score in traits.items():
            moved = {"place_variation": 0.51, "content_variation": 0.02} if score is None else {}
            verdict = Verdict.INVALID if score is None else Verdict.PASS
            claims.append(claim(name, trait, score, verdict=verdict, orders=10, wordings=3, sem=0.07, **moved))
    return run(claims)


def claim(name: str, trait: str, score: float | None, *, verdict: Verdict, **facts: object) -> ClaimResult:
    """Claim result as questionnaires leave it."""
    details = {"instrument": name, "trait": trait, "protocol": "report", "range": [1, 5], **facts}
    return ClaimResult("scale", verdict, trait, "made up", 0, 0, value=score, details=details)


def run(claims: Sequence[ClaimResult]) -> Run:
    """Run that holds nothing but these claims."""
    one = Record("made-up", "psychological", "made-up", "made-up", "", "", {}, "", "", "", None, False, claims=tuple(claims))  # fmt: skip
    return Run(dict(MADE_UP), (one,), {})


def draw(folder: Path) -> None:
    """Write the three figures."""
    statement = answered("dark-27", to_the_statement(random.Random(27)), Verdict.PASS)
    place = answered("dark-27", to_the_place(random.Random(27)), Verdict.INVALID)
    drawn = {
        "questionnaires-profile.svg": pictures(profiled())["profile.svg"],
        "questionnaires-statement.svg": pictures(statement)["orders-dark-27.svg"],
        "questionnaires-place.svg": pictures(place)["orders-dark-27.svg"],
    }
    for name, document in drawn.items():
        (folder / name).write_text(document, encoding="utf-8")


if __name__ == "__main__":
    draw(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
