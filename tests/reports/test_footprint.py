"""What the section says of a run's footprint: an estimate is called one, and what nobody knows is not a number."""

from __future__ import annotations

from typing import Any

import pytest

from alignsuite.reports.footprint import lines
from alignsuite.runs.records import Run, Verdict
from alignsuite.text.numbers import energy, mass

MEASURED = {"energy_source": "rapl", "joules": 14_760.0, "g_co2e": 1.8245}


def test_a_run_without_energy_has_one_line(everything: Run) -> None:
    """Runs of earlier versions say what they always said."""
    assert lines(everything) == ["716 calls made, 150 from the store · 40k tokens · 2 min 37 s of the model's work"]


def test_energy_and_savings_have_the_second_line(make: Any) -> None:
    """All of it, in two lines."""
    claim = make.rate(Verdict.PASS, 0, 77, (0.0, 0.047))
    time = MEASURED | {
        "elapsed_s": 30.0,
        "saved_calls_early": 123,
        "saved_calls_store": 10,
        "saved_joules_early": 20_000.0,
        "saved_joules_store": 1_600.0,
    }
    run = make.run(make.record("safety", "test_it", "a", claim), time=time)
    assert lines(run) == [
        "67 calls made, 10 from the store · 4.9k tokens · 16 s of the model's work · 30 s in all",
        "4.1 Wh, 1.8 g CO₂e (counted by the processor) · saved 123 calls by stopping early and 10 by the store, about 6.0 Wh",
    ]


@pytest.mark.parametrize(
    ("time", "said"),
    [
        (MEASURED | {"energy_source": "rapl+nvml"}, "4.1 Wh, 1.8 g CO₂e (counted by processor and graphics boards)"),
        (
            MEASURED | {"energy_source": "nvml"},
            "4.1 Wh, 1.8 g CO₂e (counted by the graphics boards, processor not in it)",
        ),
        (MEASURED | {"energy_source": "estimate"}, "about 4.1 Wh, 1.8 g CO₂e (an estimate from processor time)"),
        ({"energy_source": "unknown"}, "energy unknown"),
        ({"energy_source": "rapl", "joules": 12.4}, "12 J (counted by the processor)"),
        ({"energy_source": "a later one", "joules": 12.4}, "12 J (a later one)"),
        ({"saved_calls_early": 1}, "saved 1 call by stopping early"),
        ({"saved_calls_store": 12_000}, "saved 12 000 calls by the store"),
        ({"energy_source": "unknown", "saved_calls_store": 3}, "energy unknown · saved 3 calls by the store"),
    ],
)
def test_the_second_line_says_how_its_figure_is_known(make: Any, time: dict[str, Any], said: str) -> None:
    """Each source has its words; without a figure there is none, and without savings no word of them."""
    assert lines(make.run(time=time)) == [said]


@pytest.mark.parametrize(
    "summary", [{}, {"time": None}, {"time": {}}, {"time": {"saved_calls_early": 0, "saved_calls_store": 0}}]
)
def test_what_a_run_does_not_tell_is_left_unsaid(make: Any, summary: dict[str, Any]) -> None:
    """No line about nothing."""
    assert lines(make.run(**summary)) == []


def test_energy_is_never_rounded_to_nothing() -> None:
    """A small amount keeps a digit; only 0 reads 0."""
    for power in range(-6, 9):
        assert not energy(10.0**power).startswith(("0 ", "0.0 ", "0.00 "))
        assert not mass(10.0**power).startswith(("0 ", "0.0 ", "0.00 "))
    assert energy(0) == "0 J"
