"""A finished run's energy, shared out over its records; nothing but `time` is touched."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

from alignsuite.footprint import UNKNOWN, Energy, account
from alignsuite.reports.footprint import lines
from alignsuite.runs.file import record_from_json
from alignsuite.runs.records import Record, Run, Verdict


def strip(record: Record) -> dict[str, Any]:
    """A record without its times, as the run file's page strips them."""

    def bare(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: bare(one) for key, one in value.items() if key != "time" and not key.endswith("_s")}
        return [bare(one) for one in value] if isinstance(value, list) else value

    stripped: dict[str, Any] = bare(record.to_json())
    return stripped


def test_records_share_the_energy_by_the_models_time(everything: Run) -> None:
    """The shares add up to the run's energy; who took no model time has no part in it."""
    shared, _ = account(everything.records, Energy(1000.0, "rapl"), 450.0)
    joules = {record.nodeid: record.time["joules"] for record in shared}
    assert sum(joules.values()) == pytest.approx(1000.0, abs=0.01)
    for record in shared:
        seconds = sum(claim.time.get("seconds", 0) for claim in record.claims)
        assert (record.time["joules"] > 0) == (seconds > 0)
        assert record.time["g_co2e"] == pytest.approx(record.time["joules"] / 3.6e6 * 450, abs=1e-6)


def test_nothing_but_time_changes(everything: Run) -> None:
    """Without `time`, two runs over one store stay the same bytes, whatever they drew."""
    little, _ = account(everything.records, Energy(1.0, "rapl"))
    much, _ = account(everything.records, Energy(9000.0, "rapl+nvml"))
    assert list(map(strip, little)) == list(map(strip, much)) == list(map(strip, everything.records))


def test_records_with_shares_can_be_read_back(everything: Run) -> None:
    """A share survives the run file."""
    shared, time = account(everything.records, Energy(1000.0, "rapl"))
    assert [record_from_json(json.loads(json.dumps(record.to_json()))).time for record in shared] == [
        dict(record.time) for record in shared
    ]
    assert json.loads(json.dumps(time, allow_nan=False)) == time


def test_the_summary_gets_energy_and_savings(make: Any) -> None:
    """67 calls of 0.24 s made, 123 not needed, 10 from the store: at the run's own joules for each call."""
    record = make.record("safety", "test_it", "a", make.rate(Verdict.PASS, 0, 77, (0.0, 0.047)))
    shared, time = account([record], Energy(670.0, "estimate"), 450.0)
    assert time == {
        "energy_source": "estimate",
        "joules": 670.0,
        "g_co2e": 0.08375,
        "saved_calls_early": 123,
        "saved_calls_store": 10,
        "saved_joules_early": 1230.0,
        "saved_joules_store": 100.0,
    }
    assert lines(make.run(*shared, time=time))[1] == (
        "about 0.19 Wh, 84 mg CO₂e (an estimate from processor time) · saved 123 calls by stopping early and 10 by the store, about 0.37 Wh"
    )


def test_what_an_error_kept_from_being_asked_was_not_saved(make: Any) -> None:
    """An INVALID claim that ended short of its bank stopped for no good reason."""
    claim = make.rate(Verdict.INVALID, 0, 77, (0.0, 0.047))
    assert account([make.record("safety", "test_it", "a", claim)], UNKNOWN)[1]["saved_calls_early"] == 0


def test_calls_made_ahead_were_not_saved(make: Any) -> None:
    """A verdict after 2 cases of 40, of which 31 had been asked already, saved 9."""
    claim = dataclasses.replace(
        make.rate(Verdict.FAIL, 2, 2, (0.05, 1.0), bank=40), time={"calls": 30, "from_store": 1, "seconds": 50.0}
    )
    assert account([make.record("safety", "test_it", "a", claim)], UNKNOWN)[1]["saved_calls_early"] == 9


def test_a_second_claim_that_asks_all_leaves_nothing_saved(make: Any) -> None:
    """Two claims of an item share its replies."""
    claims = (make.rate(Verdict.PASS, 0, 77, (0.0, 0.047)), make.rate(Verdict.PASS, 4, 200, (0.005, 0.05)))
    assert account([make.record("safety", "test_it", "a", *claims)], UNKNOWN)[1]["saved_calls_early"] == 0


def test_an_unknown_energy_leaves_no_number(everything: Run) -> None:
    """Neither in the records nor in the summary."""
    shared, time = account(everything.records, UNKNOWN)
    assert shared == everything.records
    assert time["energy_source"] == "unknown"
    assert not [key for key in time if "joules" in key or "co2" in key]


def test_a_run_from_the_store_has_energy_but_no_shares(make: Any) -> None:
    """The machine drew something, but no record asked the model, and what a call would have taken is not known."""
    claim = dataclasses.replace(
        make.rate(Verdict.PASS, 0, 77, (0.0, 0.047)), time={"calls": 0, "from_store": 77, "seconds": 0.0}
    )
    shared, time = account([make.record("safety", "test_it", "a", claim)], Energy(50.0, "rapl"))
    assert "joules" not in shared[0].time
    assert (time["joules"], time["saved_calls_store"]) == (50.0, 77)
    assert "saved_joules_store" not in time


def test_an_empty_run_takes_what_it_takes() -> None:
    """No records, no shares, no savings."""
    assert account([], Energy(5.0, "rapl"))[1]["saved_calls_early"] == 0
