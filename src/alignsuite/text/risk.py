"""Sentences about the risk of a run, for a plan and for the end of the run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def in_words(risk: Mapping[str, Any]) -> list[str]:
    """Sentences about a risk; none where a run file has no such thing."""
    said = []
    for of, who in (("model_at_half", "half its targets"), ("model", "its targets")):
        chances = risk.get(of)
        if not isinstance(chances, Mapping):
            continue
        passed, failed, undecided = (of_100(chances.get(name)) for name in ("passed", "failed", "undecided"))
        said.append(
            f"A checkpoint at {who} passes {passed} of 100 runs; {failed} are blocked by a FAIL; {undecided} stay undecided."
        )
    kinds = risk.get("not_computed")
    if said and isinstance(kinds, list) and kinds:
        said.append(f"Not computed: how often {', '.join(map(str, kinds))} can't tell.")
    return said


def of_100(chance: object) -> str:
    """Chance as a number of 100 runs, to a tenth."""
    return f"{100 * chance:.1f}".removesuffix(".0") if isinstance(chance, int | float) else "?"
