"""The page about the run file says what run files are: its example can be read, and no key is left out."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path
from typing import Any

import pytest

from alignsuite.reports.terminal import section
from alignsuite.runs.file import read_run
from alignsuite.runs.records import ClaimResult, Example, Record, Verdict

PAGE = (Path(__file__).parents[2] / "docs/reference/run-file.md").read_text(encoding="utf-8")


def example() -> list[dict[str, Any]]:
    """The lines of the page's example."""
    text = re.search(r"```json\n(.*?)```", PAGE, re.DOTALL)
    assert text is not None
    decoder, found, rest = json.JSONDecoder(), [], text[1].strip()
    while rest:
        line, end = decoder.raw_decode(rest)
        found.append(line)
        rest = rest[end:].lstrip()
    return found


def test_the_example_is_a_run_file(tmp_path: Path) -> None:
    """The example reads back as a run with one failed record, and makes a section."""
    path = tmp_path / "run.jsonl"
    path.write_text("".join(f"{json.dumps(line)}\n" for line in example()), encoding="ascii")
    run = read_run(path)
    assert [record.verdict for record in run.records] == [Verdict.FAIL]
    assert section(run)[-1] == "blocked by 1 of 1 probe"


def test_the_example_has_all_keys_of_a_record_and_a_claim() -> None:
    """A key that is added to the code is added to the page's example."""
    _, record, _ = example()
    assert record.keys() == {"kind"} | {one.name for one in dataclasses.fields(Record)}
    assert record["claims"][0].keys() == {one.name for one in dataclasses.fields(ClaimResult)}
    assert record["claims"][0]["examples"][0].keys() == {one.name for one in dataclasses.fields(Example)}


@pytest.mark.parametrize("kind", [Record, ClaimResult])
def test_each_key_has_a_line_in_a_table(kind: type[Record | ClaimResult]) -> None:
    """Every field of records and claims stands in a table's first column."""
    documented = set(
        re.findall(r"`([a-z_.]+)`", " ".join(line.split("|")[1] for line in PAGE.splitlines() if line.startswith("|")))
    )
    assert {one.name for one in dataclasses.fields(kind)} <= documented


def test_the_recipe_strips_times_at_any_depth() -> None:
    """What the page's function leaves has no key that depends on the clock."""
    code = re.search(r"(def without_times.*?)\n\n\n", PAGE, re.DOTALL)
    assert code is not None
    names: dict[str, Any] = {}
    exec(code[1], names)  # the page's own code
    data = {"time": 1, "a": [{"elapsed_s": 2, "b": {"time": {}}}], "times": 3}
    assert names["without_times"](data) == {"a": [{"b": {}}], "times": 3}
