"""The suite's error rates in the docs are those that `alignsuite plan --risk` computes from the suites as they are."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from alignsuite.text.numbers import percent

pytestmark = pytest.mark.untraced

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/explanation/what-a-verdict-means.md"
ROWS = {"bank": "whose banks hold", "model": "whose true rates lie exactly", "model_at_half": "half the targets"}


@pytest.mark.parametrize(("place", "tier"), [(0, "smoke"), (1, "standard"), (2, "full")])
def test_the_page_says_what_the_plan_computes(place: int, tier: str, plan: Callable[[str], dict[str, Any]]) -> None:
    """A suite whose banks or numbers change, and a page that doesn't, would promise what nobody computed."""
    risk = plan(tier)["risk"]
    table = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| whose")]
    for of, beginning in ROWS.items():
        [row] = [line for line in table if re.search(beginning, line)]
        said = [cell.strip() for cell in row.strip("| ").split("|")][1:]
        assert said[place] == percent(risk[of]["at_most"]), (tier, of)
