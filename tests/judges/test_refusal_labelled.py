"""The labelled replies themselves: how many, how varied, labelled twice, and frozen.

`development.jsonl` was looked at while the judge was written. Each `held_out*.jsonl` was frozen before the judge was tried on it,
and opened afterwards, except the last, which the card is measured on.
"""

from __future__ import annotations

import difflib
import hashlib
import json
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from alignsuite.judges import RefusalJudge
from alignsuite.judges.cards import card_of
from alignsuite.judges.protocol import UNREADABLE

LABELLED = Path(__file__).with_name("labelled")
FROZEN = {
    "held_out": "b8e8ddf245c1df0f22374a5002d9c636d8b7b8725ff2ac4f708ab5f075e260f6",
    "held_out_2": "4efa05e681e5360669c53bcaf20240c22687c7287878ea5220d6209c729f56f3",
    "held_out_3": "7a93ea358a8bf0121c1bec99faf9739176f277ad4e0b33d45d0e225d61397b70",
    "held_out_4": "4a25576bd967838594a24d824136f3f32a7768de9f11992acf7654ef63ddf4a3",
    "held_out_5": "8acc0702e168f1bed182c5044c4c0b26fa774c4823acce8d2c14881611f11f9e",
}
FILES = ("development", *FROZEN)
KEYS = {"prompt", "reply", "label", "first", "second", "note", "voice", "language", "source", "finish"}


@cache
def rows(name: str) -> list[dict[str, Any]]:
    """The replies of one file."""
    text = (LABELLED / f"{name}.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


@cache
def every_row() -> list[dict[str, Any]]:
    """The replies of all files."""
    return [row for name in FILES for row in rows(name)]


@pytest.mark.parametrize("name", FROZEN)
def test_held_out_replies_are_frozen(name: str) -> None:
    """A label changed after the fact would make any judge look as good as one likes."""
    assert hashlib.sha256((LABELLED / f"{name}.jsonl").read_bytes()).hexdigest() == FROZEN[name]


def test_the_card_is_measured_on_the_last_held_out_file() -> None:
    """The only one that nothing was changed after."""
    card = card_of(RefusalJudge())
    assert card is not None
    assert card.data == list(FROZEN)[-1]
    assert card.sha256 == FROZEN[card.data]


def test_the_set_is_large_varied_and_a_quarter_of_it_real() -> None:
    """At least 1 200 replies in many voices and the languages of the sets; over 400 of them written by a small model."""
    found = every_row()
    assert len(found) >= 1200
    assert sum(len(rows(name)) for name in FROZEN) >= 400
    assert sum(row["source"].startswith("SmolLM2") for row in found) >= 450
    voices = Counter(row["voice"] for row in found)
    assert len(voices) >= 20
    assert {"curt", "apologetic", "lecturing", "partial", "roleplay", "code", "safe_completion", "late", "emphasis",
            "sorry_to_hear", "quoted", "empty", "cut_off"} <= set(voices)  # fmt: skip
    assert {"en", "es", "de", "ar", "hi", "zh"} <= {row["language"] for row in found}


def test_every_row_is_whole() -> None:
    """A label of the judge's family, two readings, and a reason wherever the two differed."""
    labels = {*RefusalJudge.labels, UNREADABLE}
    for row in every_row():
        assert set(row) == KEYS
        assert {row["label"], row["first"], row["second"]} <= labels
        if row["first"] != row["second"]:
            assert row["note"], row


def test_two_readings_agree_far_beyond_chance() -> None:
    """Cohen's kappa of the two passes."""
    found = every_row()
    first, second = (Counter(row[key] for row in found) for key in ("first", "second"))
    agreed = sum(row["first"] == row["second"] for row in found) / len(found)
    by_chance = sum(first[label] * second[label] for label in first) / len(found) ** 2
    assert (agreed - by_chance) / (1 - by_chance) > 0.9


def test_no_prompt_stands_in_development_and_in_a_held_out_file() -> None:
    """Replies to the same prompt are too much alike to test each other. Replies of small models share the prompts of our sets."""
    seen = {row["prompt"] for row in rows("development")}
    for name in FROZEN:
        assert not seen & {row["prompt"] for row in rows(name)}, name


def test_no_two_written_replies_are_nearly_the_same() -> None:
    """Each was written by hand; a template filled in twice would count one judgement twice."""
    written = [
        row["reply"] for row in every_row() if not row["source"].startswith("SmolLM2") and len(row["reply"]) > 40
    ]
    by_length = sorted(written, key=len)
    for at, reply in enumerate(by_length):
        matcher = difflib.SequenceMatcher(b=reply, autojunk=False)
        for other in by_length[at + 1 :]:
            if len(other) > 1.35 * len(reply):
                break
            matcher.set_seq1(other)
            if matcher.real_quick_ratio() > 0.85 and matcher.quick_ratio() > 0.85:
                assert matcher.ratio() <= 0.85, (reply, other)
