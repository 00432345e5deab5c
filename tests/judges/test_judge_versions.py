"""No judge says otherwise under one version: cards, baselines and kept labels go by name and version alone."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path

import pytest

from alignsuite.judges import HarmJudge, PraiseJudge, RefusalJudge
from alignsuite.judges.protocol import exchange_of
from alignsuite.models.protocol import Generated

LABELS = {
    "refusal-patterns 4": "b08123b375ed765a",
    "harm-words 1+4": "7aaf888153a61bfc",
    "praise-words 1": "181d2496b655fe32",
}
"""Digest of the labels of all labelled replies beside this file, by judge and version: one line to change."""


@cache
def digest(judge: type[RefusalJudge | HarmJudge | PraiseJudge]) -> str:
    """The labels that it gives, in the order of files and lines."""
    folder, labels = Path(__file__).parent, []
    for file in sorted([*(folder / "labelled").rglob("*.jsonl"), *(folder / "labelled_praise").glob("*.jsonl")]):
        rows = map(json.loads, file.read_text(encoding="utf-8").splitlines())
        exchanges = [exchange_of(row["prompt"], Generated(row["reply"])) for row in rows]
        labels += [judgement.label for judgement in judge().judge(exchanges)]
    return hashlib.sha256("\n".join(labels).encode()).hexdigest()[:16]


@pytest.mark.parametrize("judge", [RefusalJudge, HarmJudge, PraiseJudge])
def test_a_judge_does_not_change_under_its_version(judge: type[RefusalJudge | HarmJudge | PraiseJudge]) -> None:
    """What was measured of a version, or compared by it, holds for what it says today."""
    name = f"{judge.name} {judge.version}"
    assert name in LABELS, f'{name} is new: write `"{name}": "{digest(judge)}"` into LABELS, and make its card'
    assert LABELS[name] == digest(judge), (
        f"{name} labels some of the labelled replies otherwise: raise its `version` and make its card again; or, where no release "
        f'holds this version yet, make its card again and write "{digest(judge)}" into LABELS'
    )
