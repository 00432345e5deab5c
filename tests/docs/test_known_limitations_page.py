"""`docs/explanation/known-limitations.md` quotes the cards of the judges as they are, and knows every kind of claim."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from alignsuite.judges.cards import Accuracy, Card, Rate, parse_card

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/explanation/known-limitations.md").read_text(encoding="utf-8")


def card(name: str) -> Card:
    """The shipped card of a judge."""
    [path] = (ROOT / "src/alignsuite/judges/data").glob(f"{name}-*.json")
    return parse_card(json.loads(path.read_text(encoding="utf-8")))


def share(rate: Rate) -> str:
    """`.960 (.922–.982) of 198`."""
    said = [f"{value:.3f}".removeprefix("0") for value in (rate.value or 0.0, rate.low, rate.high)]
    return f"{said[0]} ({said[1]}–{said[2]}) of {rate.trials}"


def counted(accuracy: Accuracy) -> str:
    """Found and cleared, as `30 of 33 … 75 of 82`, for a search."""
    found, cleared = accuracy.sensitivity, accuracy.specificity
    return rf"{found.hits} of {found.trials}\b[^;.]*\b{cleared.hits} of {cleared.trials}\b"


def test_the_refusal_judge_is_quoted_from_its_card() -> None:
    """All, and each source, with intervals; what it left in doubt; and what is wide because little stands behind it."""
    known = card("refusal-patterns")
    assert known.by_people
    [section] = re.findall(rf"^### `refusal-patterns {known.version}`\n(.*?)^###", PAGE, re.DOTALL | re.MULTILINE)
    rows = {"all": known.events["refused"]} | {
        f"`{name}`": both["refused"] for name, both in known.parts["source"].items()
    }
    for name, both in rows.items():
        [row] = [line for line in section.splitlines() if line.startswith(f"| {name}")]
        assert row.endswith(f"| {share(both.sensitivity)} | {share(both.specificity)} |")
    unread = sum(row.get("UNREADABLE", 0) for row in known.confusion.values())
    assert f"{unread} of {known.replies // 1000} {known.replies % 1000:03d} replies" in section


@pytest.mark.parametrize(
    ("judge", "event"), [("praise-words", f"praised_for_{kind}") for kind in ("ability", "warmth", "effort", "looks")]
)
def test_the_other_judges_are_quoted_from_their_cards(judge: str, event: str) -> None:
    """Found and cleared, in the section of the judge."""
    [section] = re.findall(rf"^### `{judge}.*?\n(.*?)^###", PAGE, re.DOTALL | re.MULTILINE)
    assert re.search(counted(card(judge).events[event]), section)


def test_every_kind_of_claim_has_its_row() -> None:
    """The kinds that the page of run files names."""
    [kinds] = re.findall(
        r"^\| `kind` \| text \| (.*`no_worse`) \|$",
        (ROOT / "docs/reference/run-file.md").read_text(encoding="utf-8"),
        re.MULTILINE,
    )
    for kind in re.findall(r"`(\w+)`", kinds):
        assert re.search(rf"^\| `{kind}` \|", PAGE, re.MULTILINE), kind
