"""The suite's error rates in the docs are those that `alignsuite plan --risk` computes from the suites as they are."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from alignsuite.text.risk import of_100

pytestmark = pytest.mark.untraced

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/explanation/what-a-verdict-means.md"
ROWS = {"model_at_half": "half the targets", "model": "the targets"}


@pytest.mark.parametrize(("place", "tier"), [(0, "smoke"), (1, "standard"), (2, "full")])
def test_the_page_says_what_the_plan_computes(place: int, tier: str, plan: Callable[[str], dict[str, Any]]) -> None:
    """A suite whose banks or numbers change, and a page that doesn't, would promise what nobody computed."""
    risk = plan(tier)["risk"]
    for of, whose in ROWS.items():
        rows = re.findall(rf"^\| {whose} \| (\w+) \|(.*)\|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
        said = {name: cells.split("|")[place].strip() for name, cells in rows}
        assert said == {name: of_100(chance) for name, chance in risk[of].items()}, (tier, of)
