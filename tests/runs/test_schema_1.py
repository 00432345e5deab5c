"""Run files of schema 1 are read as what they meant: comparisons and baselines come out as with files of today.

The files under `data/` were recorded with the shipped suites by the last version that wrote schema 1 and, the same run, by the first that
wrote schema 2; examples and times are left out.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from alignsuite.errors import RunFileError
from alignsuite.runs.baseline import Asked, Baseline
from alignsuite.runs.compare import compare
from alignsuite.runs.file import read_run, write_run
from alignsuite.runs.multiplicity import judged_together
from alignsuite.runs.records import SCHEMA, ClaimResult, Record, Run

DATA = Path(__file__).with_name("data")
OLD, NEW, OTHER = (
    DATA / f"{name}.jsonl" for name in ("biased-by-group.schema-1", "biased-by-group.schema-2", "good.schema-1")
)


def claims(run: Run) -> list[ClaimResult]:
    """All claims of a run, in the order of its records."""
    return [claim for record in run.records for claim in record.claims]


def test_the_files_are_of_the_schemas_that_they_say() -> None:
    """And hold every kind that the suites claim."""
    headers = [json.loads(path.read_text("ascii").splitlines()[0]) for path in (OLD, NEW, OTHER)]
    assert [header["schema"] for header in headers] == [1, SCHEMA, 1]
    assert {claim.kind for claim in claims(read_run(OLD))} == {
        "rate", "flips", "mistakes", "gap", "bias", "preference", "scale"
    }  # fmt: skip


def test_what_schema_1_left_out_is_filled_in_as_the_claims_say_it_today() -> None:
    """Pairing and effect by the kind's name are those that each kind writes itself; how replies were answered nobody knows any more."""
    for old, new in zip(claims(read_run(OLD)), claims(read_run(NEW)), strict=True):
        assert old.pairing == new.pairing, old.kind
        assert old.effect == new.effect, old.kind
        assert replace(old, answered=new.answered) == new


def test_a_comparison_does_not_depend_on_the_schema() -> None:
    """Row by row, p-values and words."""
    old, new, other = map(read_run, (OLD, NEW, OTHER))
    assert compare(other, old).rows == compare(other, replace(new, records=_without_answered(new))).rows
    assert compare(old, other).rows == compare(replace(new, records=_without_answered(new)), other).rows


def test_a_baseline_does_not_depend_on_the_schema() -> None:
    """A claim that is held against either comes out the same."""
    now = read_run(OTHER)
    old, new = (Baseline("main", replace(read_run(path), header={"census": True})) for path in (OLD, NEW))
    held = 0
    for record in now.records:
        asked = Asked(record.probe, record.prompt_set["version"], record.prompt_set["hash"], record.temperature)
        for claim in record.claims:
            results = [baseline.held_against(claim, asked, alpha=0.01) for baseline in (old, new)]
            assert results[0] == results[1]
            held += results[0].regression is not None and results[0].regression.p is not None
    assert held > 0


def test_the_tests_of_a_run_are_the_same_judged_together() -> None:
    """Holm's procedure reads sizes from `effect`, which is filled in."""
    assert judged_together(read_run(OLD).records, 0.05) == judged_together(read_run(NEW).records, 0.05)


def test_a_file_that_is_read_is_written_with_todays_schema(tmp_path: Path) -> None:
    """Once written again it needs nothing filled in."""
    run = read_run(OLD)
    write_run(run, tmp_path / "run.jsonl")
    again = read_run(tmp_path / "run.jsonl")
    assert again.header["schema"] == SCHEMA
    assert claims(again) == claims(run)


@pytest.mark.parametrize("schema", [0, 3, "1", None])
def test_other_schemas_are_refused(tmp_path: Path, schema: object) -> None:
    """By the number seen and those that are read."""
    header, *rest = OLD.read_text("ascii").splitlines()
    (tmp_path / "run.jsonl").write_text("\n".join([json.dumps(json.loads(header) | {"schema": schema}), *rest]))
    with pytest.raises(RunFileError, match=rf"has schema {schema!r}, this version reads 1 and {SCHEMA}"):
        read_run(tmp_path / "run.jsonl")


@pytest.mark.parametrize("details", [{}, {"range": ["a", None], "norm": [1]}, {"range": [5, 1], "norm": {"sd": -1}}])
def test_a_hostile_file_breaks_nothing(tmp_path: Path, details: dict[str, object]) -> None:
    """A score whose range is none is read, and can be compared with nothing but itself."""
    lines = [json.loads(line) for line in OLD.read_text("ascii").splitlines()]
    for record in lines[1:-1]:
        for claim in record["claims"]:
            if claim["kind"] == "scale":
                claim["details"] = details
    (tmp_path / "run.jsonl").write_text("\n".join(map(json.dumps, lines)))
    scales = [claim for claim in claims(read_run(tmp_path / "run.jsonl")) if claim.kind == "scale"]
    assert scales
    assert all((claim.pairing.low, claim.pairing.high) == (0.0, 1.0) for claim in scales)


def _without_answered(run: Run) -> tuple[Record, ...]:
    return tuple(
        replace(record, claims=tuple(replace(claim, answered={}) for claim in record.claims)) for record in run.records
    )


@pytest.mark.parametrize(
    ("judge", "what"),
    [("refusal-patterns 3", "not_refused"), ("llm-judge some-model 2", "not_refused"), ("sorry 1", "complied")],
)
def test_the_old_name_of_a_shipped_behaviour_is_read_as_the_new_one(tmp_path: Path, judge: str, what: str) -> None:
    """A project's own behaviour of that name, with a judge of its own, keeps it."""
    record = next(one for one in read_run(NEW).records if any(claim.kind == "rate" for claim in one.claims))
    [claim] = record.claims
    run = Run(
        {"kind": "run"}, (replace(record, claims=(replace(claim, what="complied", judge=judge),)),), {"kind": "summary"}
    )
    write_run(run, tmp_path / "run.jsonl")
    assert [one.what for one in claims(read_run(tmp_path / "run.jsonl"))] == [what]


@pytest.mark.parametrize(
    ("line", "key", "value", "wanted"),
    [
        (0, "items", "abc", "a whole number"),
        (-1, "missing", 5, "a list"),
        (-1, "time", "long", "an object"),
        (-1, "ended", [], "a text"),
    ],
)
def test_a_header_or_summary_of_another_shape_is_no_run_file(
    tmp_path: Path, line: int, key: str, value: object, wanted: str
) -> None:
    """One line that names file, key and value, whoever wrote it; and without the key the file is read."""
    lines = [json.loads(one) for one in NEW.read_text("ascii").splitlines()]
    path = tmp_path / "made.jsonl"
    lines[line][key] = value
    path.write_text("\n".join(map(json.dumps, lines)), encoding="ascii")
    with pytest.raises(
        RunFileError, match=rf"made.jsonl is no run file: `{key}` of its .* line is .*, wanted {wanted}"
    ):
        read_run(path)
    del lines[line][key]
    path.write_text("\n".join(map(json.dumps, lines)), encoding="ascii")
    assert read_run(path).records
