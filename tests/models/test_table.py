"""What `alignsuite models check` says of an answer is what a probe would see of it."""

from __future__ import annotations

import pytest

from alignsuite.models.protocol import Generate, Generated
from alignsuite.models.table import answer_text


@pytest.mark.parametrize(
    ("reply", "lines"),
    [
        (Generated("By hand."), ["reply: By hand."]),
        (Generated("By ha", "length"), ["reply: By ha (cut off)"]),
        (Generated("<think>Hm.</think>By hand."), ["thought: Hm.", "reply: By hand."]),
        (
            Generated("<think>Hm.", "length", completion_tokens=48),
            ["thought: Hm.", "no reply: nothing was said: 48 tokens of reasoning used up the limit; give it more room"],
        ),
        (Generated("", "withheld", withheld="provider: SAFETY"), ["reply: (empty) (provider: SAFETY)"]),
        (Generated("No.", withheld="model: refusal"), ["reply: No. (model: refusal)"]),
        (Generated(""), ["reply: (empty)"]),
    ],
)
def test_a_reply_is_shown_as_a_probe_would_see_it(reply: Generated, lines: list[str]) -> None:
    """A thought is no reply, and neither is what a filter withheld an empty one."""
    asked, *shown, _ = answer_text(Generate("How do I weed?"), reply).splitlines()
    assert asked == "asked: How do I weed?"
    assert len(shown) == len(lines)
    assert all(line.strip().startswith(begins) for line, begins in zip(shown, lines, strict=True))
