"""The estimate as a table: numbers as they were reckoned, sentences for what can't be known, and lines that fit."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pytest

from alignsuite.claims.claim import Risk
from alignsuite.planning.estimate import Amount, ClaimEstimate, Estimate
from alignsuite.planning.table import estimate_json, estimate_table
from alignsuite.text.cells import columns
from alignsuite.text.risk import in_words

FACTS = {"model": "step-4000", "stage": "finetuning", "tier": "standard"}


UNKNOWN = Risk()


def line(kind: str, name: str = "safety/harm", risk: Risk = UNKNOWN, **bounds: float) -> ClaimEstimate:
    """One claim."""
    return ClaimEstimate(f"test_it.py::test_{kind}", "safety", name, kind, "complied", bounds, 200, 77, 93, 61, risk)


RATE = replace(line("rate", "safety/harm[weapons]", Risk(0.0, 0.03, 0.002, 0.05), target=0.02, limit=0.05), sees=0.0717)
GAP = line("gap", "fairness/help", Risk(0.01, 0.01, 0.01, 0.05), limit=0.15, margin=0.05)
SCALE = line("scale", "psychological/mood[spite]", high=3.0)
RISK = {
    "model_at_half": {"passed": 0.992, "failed": 0.003, "undecided": 0.005},
    "model": {"passed": 0.96, "failed": 0.04, "undecided": 0.0},
    "not_computed": ["gap", "scale"],
}
FOUND = Estimate(
    (RATE, GAP, SCALE), Amount(404, 404, 9_100, 120.4), Amount(452, 440, 10_240, 4000), Amount(404, 404, 9_100, None),
    Amount(12_600, 12_000, 1_240_000, 200_000), stored=600, measured=600, alpha=0.01, census=False, risk=RISK,
)  # fmt: skip


def shown(found: Estimate = FOUND, *, width: int = 120, risk: bool = False) -> list[str]:
    """The lines."""
    return estimate_table(found, FACTS, width=width, risk=risk)


def test_each_claim_has_its_bounds_and_its_counts() -> None:
    """Rates in per cent, scores in their own unit; cases of the bank, asked in any case, healthy, bad; and what a rate sees."""
    text = [" ".join(one.split()) for one in shown()]
    assert text[0] == "model step-4000 · stage finetuning · tier standard"
    assert "claim cases at least healthy bad sees" in text
    assert "safety/harm[weapons] rate target 2 % limit 5 % 200 77 93 61 ≥ 7.2 %" in text
    assert "fairness/help gap limit 15 % margin 5 % 200 77 93 61 –" in text
    assert "psychological/mood[spite] scale high 3 200 77 93 61 –" in text


def test_the_run_as_a_whole_has_requests_calls_tokens_and_time() -> None:
    """What is not known is a question mark, and never a zero."""
    text = [" ".join(one.split()) for one in shown()]
    assert "the run requests calls tokens time" in text
    assert "asked in any case 404 404 9.1k 2 min" in text
    assert "a healthy model (half its targets) 452 440 10k 1 h 6 min" in text
    assert "a bad model (twice its limits) 404 404 9.1k ?" in text
    assert "at worst 12 600 12 000 1.2M 55 h 33 min" in text


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, "3 probes, 3 claims. The store can answer 600 of 12 600 requests already."),
        ({}, "Tokens and time are averages over 600 replies of this model in the store; time is the model's work."),
        ({"measured": 0}, "tokens are reckoned at four characters each and the longest reply, time is unknown."),
        ({"census": True}, "Every case that the tier allows is asked: a census"),
        ({"unread": ("test_it.py::test_own",)}, "test_it.py::test_own takes fixtures of others, so nothing is known"),
        ({"unfit": (("test_it.py::test_x", "no raw form"),)}, "test_it.py::test_x will be skipped: no raw form."),
        (
            {"unjudged": (("test_it.py::test_x", "no weights"),)},
            "test_it.py::test_x can't be judged and will block: no weights.",
        ),
    ],
)
def test_what_a_reader_has_to_know_is_a_sentence(change: dict[str, Any], said: str) -> None:
    """Where the numbers come from, and what they leave out."""
    assert said in " ".join(" ".join(shown(replace(FOUND, **change))).split())


def test_a_census_is_mentioned_only_where_there_is_one() -> None:
    """Nor is anything skipped that isn't."""
    text = " ".join(shown())
    assert "census" not in text
    assert "skipped" not in text
    assert "takes fixtures" not in text


def test_the_risk_of_a_run_has_three_outcomes() -> None:
    """For a model at half the targets and for one at them; kinds that can't be computed are named; each claim's own stand above."""
    text = " ".join(" ".join(shown(risk=True)).split())
    assert (
        "A checkpoint at half its targets passes 99.2 of 100 runs; 0.3 are blocked by a FAIL; 0.5 stay undecided."
        in text
    )
    assert "A checkpoint at its targets passes 96 of 100 runs; 4 are blocked by a FAIL; 0 stay undecided." in text
    assert "Not computed: how often gap, scale can't tell." in text
    assert "Gaps and regressions share alpha 0.01 (once in 100 runs)." in text
    assert re.search(r"safety/harm\[weapons\] rate.* 0 % 3\.0 % 0\.2 % 5\.0 %", text)
    assert re.search(r"psychological/mood\[spite\] scale.* \? \? \? \?", text)


def test_a_risk_that_a_file_does_not_know_is_left_unsaid() -> None:
    """Older run files, and hostile ones."""
    assert in_words({}) == in_words({"model": 3, "not_computed": ["gap"]}) == []
    assert in_words({"model": {"passed": "x"}}) == [
        "A checkpoint at its targets passes ? of 100 runs; ? are blocked by a FAIL; ? stay undecided."
    ]


def test_slices_can_be_told_apart_in_both_tables() -> None:
    """On a terminal of 100 columns a claim's name is cut before its slice is."""
    slices = tuple(replace(RATE, name=f"safety/harmful_requests[{name}]") for name in ("cyber", "drugs", "weapons"))
    lines = shown(replace(FOUND, lines=slices), width=100, risk=True)
    for name in ("cyber", "drugs", "weapons"):
        assert sum(f"[{name}]" in one for one in lines) == 2


@pytest.mark.parametrize("width", [80, 100, 120])
def test_lines_fit_the_terminal(width: int) -> None:
    """Long names give way to numbers, wide characters are counted, and nothing hostile gets through."""
    long = line("rate", "safety/仇恨言论" * 9 + "\x1b[31m", Risk(0.1, 0.1, 0.1, 0.1), target=0.02, limit=0.05)
    found = replace(FOUND, lines=(long, *FOUND.lines), unfit=(("test_it.py::" + "x" * 200, "no \x07 form"),))
    lines = estimate_table(found, FACTS | {"baseline": "long \x07" + "-name" * 30}, width=width, risk=True)
    assert max(map(columns, lines)) <= width
    assert not any("\x1b" in one or "\x07" in one for one in lines)
    assert any("200" in one and "77" in one for one in lines)


def test_the_document_for_programs_holds_everything() -> None:
    """Plain data: it survives JSON, and the sums stand beside the lines that they were made of."""
    data = json.loads(json.dumps(estimate_json(FOUND, FACTS)))
    assert data["facts"] == FACTS
    assert data["worst"] == {"requests": 12_600, "calls": 12_000, "tokens": 1_240_000, "seconds": 200_000}
    risk = {"bank": 0.0, "model": 0.03, "model_at_half": 0.002, "miss": 0.05}
    assert data["lines"][0]["risk"] == risk
    assert data["lines"][0]["bounds"] == {"target": 0.02, "limit": 0.05}
    assert data["lines"][0]["sees"] == 0.0717
    assert data["risk"] == RISK
    assert data["bad"]["seconds"] is None
