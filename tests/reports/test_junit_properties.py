"""JUnit properties: what they are called, what they say, and that pytest's own writer and a reader from elsewhere agree on them."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import alignsuite
from alignsuite.reports.junit import case_properties, suite_properties
from alignsuite.runs.records import Record, Run, Verdict

junitparser = pytest.importorskip("junitparser")
pytest_plugins = ["pytester"]

HOSTILE = [
    "\x00\x01\x08\x0b\x1b[31mred",
    "]]>",
    "<script>alert('&amp;')</script>",
    "lone \ud800 surrogate",
    "x" * 2**20,
    "\ufffe\uffff",
    "a\r\nb\tc",
    '"',
]


def test_one_claim_has_plain_names(make: Any) -> None:
    """The numbers of the only claim need no index."""
    record = make.record(
        "safety", "test_it", "weapons", make.rate(Verdict.FAIL, 14, 96, (0.082, 0.233), p=0.00012), reason=""
    )
    assert dict(case_properties(record)) == {
        "alignsuite.verdict": "FAIL",
        "alignsuite.axis": "safety",
        "alignsuite.probe": "safety/probe",
        "alignsuite.slice": "weapons",
        "alignsuite.prompt_set": "safety/probe@3",
        "alignsuite.prompt_set_hash": "ab12",
        "alignsuite.stage": "finetuning",
        "alignsuite.form": "chat",
        "alignsuite.blocks": "true",
        "alignsuite.replay": "pytest 'suites/safety/test_it.py::test_it[weapons]' --model=smollm2-135m --align-replay",
        "alignsuite.kind": "rate",
        "alignsuite.what": "complied",
        "alignsuite.rate": "0.145833",
        "alignsuite.interval_low": "0.082",
        "alignsuite.interval_high": "0.233",
        "alignsuite.level": "0.95",
        "alignsuite.limit": "0.05",
        "alignsuite.target": "0.02",
        "alignsuite.asked": "96",
        "alignsuite.bank": "200",
        "alignsuite.bad": "14",
        "alignsuite.unread": "0",
        "alignsuite.judge": "refusal 3",
        "alignsuite.p": "0.00012",
        "alignsuite.false_alarm": "0.0001",
        "alignsuite.miss": "0.05",
    }


def test_several_claims_have_an_index(make: Any) -> None:
    """The second claim's numbers can't be taken for the first's; the item's own verdict has no index."""
    record = make.record("fairness", "test_it", "", make.rate(Verdict.PASS, 0, 77, (0.0, 0.047)), make.gap())
    found = dict(case_properties(record))
    assert found["alignsuite.verdict"] == "FAIL"
    assert found["alignsuite.1.verdict"] == "PASS"
    assert found["alignsuite.1.rate"] == "0"
    assert found["alignsuite.2.gap"] == "0.19"
    assert "alignsuite.rate" not in found


def test_what_was_not_measured_is_no_property(make: Any) -> None:
    """Neither None nor NaN reads like a number; a record without a verdict says `none`."""
    skipped = dict(case_properties(make.record("safety", "test_it", "", outcome="skipped", reason="no such stage")))
    assert skipped["alignsuite.verdict"] == "none"
    assert skipped["alignsuite.reason"] == "no such stage"
    unmeasured = dict(
        case_properties(make.record("safety", "test_it", "", make.scale(value=float("nan"), interval=None)))
    )
    assert not {"alignsuite.score", "alignsuite.interval_low", "alignsuite.p", "alignsuite.slice"} & unmeasured.keys()


def test_the_suite_says_who_was_asked_and_what_follows(everything: Run) -> None:
    """Model, settings and the closing sentence are properties of the whole file."""
    assert suite_properties(everything) == [
        ("alignsuite.model", "smollm2-135m"),
        ("alignsuite.fingerprint", "sha256:3f2a9c1be77d04aa"),
        ("alignsuite.engine", "llama.cpp"),
        ("alignsuite.stage", "finetuning"),
        ("alignsuite.form", "chat"),
        ("alignsuite.tier", "smoke"),
        ("alignsuite.version", "0.1.0"),
        ("alignsuite.blocking", "4"),
        ("alignsuite.consequence", "blocked by 4 of 10 probes"),
    ]


@given(st.text(st.characters(), max_size=300))
def test_any_text_can_be_written_as_xml(text: str) -> None:
    """No text makes a property that an XML parser rejects or changes."""
    record = Record(
        "n", text, text, text, text, text, {"id": text}, text, text, "failed", None, True, reason=text, replay=text
    )
    for _, value in case_properties(record):
        element = ET.fromstring(ET.tostring(ET.Element("property", {"value": value}), encoding="utf-8"))
        assert element.get("value") == value


CONFTEST = """
import json
from pathlib import Path
import pytest
from alignsuite.runs.file import record_from_json
from alignsuite.reports.junit import case_properties, suite_properties

HERE = Path(__file__).parent

@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    try:
        return (yield)
    finally:
        record = record_from_json(json.loads((HERE / f"{item.name}.json").read_text()))
        item.user_properties.extend(case_properties(record))

@pytest.fixture(autouse=True, scope="session")
def whole(record_testsuite_property):
    record_testsuite_property("alignsuite.model", "m")
"""


def test_pytests_own_writer_and_another_reader_agree(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, make: Any
) -> None:
    """Hostile names, reasons and evidence come back from the XML as the same short, clean strings, for failed tests too."""
    monkeypatch.setenv("PYTHONPATH", str(Path(alignsuite.__file__).parents[1]))
    records = {}
    for index, text in enumerate(HOSTILE):
        claim = make.rate(Verdict.FAIL, 14, 96, (0.082, 0.233), what=text, judge=text)
        records[f"test_{index}"] = make.record(text, text, text, claim, reason=text)
    for name, record in records.items():
        (pytester.path / f"{name}.json").write_text(json.dumps(record.to_json()), encoding="ascii")
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile("\n".join(f"def test_{index}(): assert {index} % 2" for index in range(len(HOSTILE))))
    pytester.runpytest_subprocess("--junitxml=out.xml", "-p", "no:cacheprovider", "-p", "no:alignsuite")
    ET.parse(pytester.path / "out.xml")
    cases = {
        case.name: case for suite in junitparser.JUnitXml.fromfile(str(pytester.path / "out.xml")) for case in suite
    }
    assert cases.keys() == records.keys()
    for name, case in cases.items():
        read_back = [(one.name, one.value) for one in case.child(junitparser.Properties)]
        assert read_back == case_properties(records[name])
        assert max(len(value) for _, value in read_back) < 700
