"""A kind of claim from outside the package: one file, and every report shows it without knowing it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from alignsuite.claims import claim_kind, present, register
from alignsuite.claims.claim import Claim
from alignsuite.claims.rate import Rate
from alignsuite.runs.file import read_run
from alignsuite.runs.records import ClaimResult, Verdict

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "add-a-claim-kind.md"


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The page's project, run against a wordy and a curt model; with what pytest printed for the wordy one."""
    folder = tmp_path_factory.mktemp("length")
    blocks = re.findall(r"^```\w*\n# file: (\S+)\n(.*?)^```", PAGE.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    for name, text in blocks:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    printed = ""
    for double in ("curt", "good"):
        command = [
            sys.executable, "-m", "pytest", "-q", "--tb=short", "-p", "no:cacheprovider", f"--model=scripted:{double}", "--align-census",
            f"--align-run-file={double}.jsonl", f"--junitxml={double}.xml", f"--align-store={folder}/store.sqlite",
        ]  # fmt: skip
        printed = subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True).stdout
    return folder, printed


def test_the_terminal_shows_it_in_its_own_words(runs: tuple[Path, str]) -> None:
    """Cells, bounds and the explanation under the failed assertion come from the kind."""
    _, printed = runs
    assert re.search(r"✗ FAIL +answers are very brief +14 words", printed)
    assert "at most 4 words" in printed
    assert "replies have 13 to 14 words, 2 of 2 are too long; at most 4 words." in printed


def test_the_page_shows_what_is_printed(runs: tuple[Path, str]) -> None:
    """Line by line, apart from the room between the columns."""
    shown = re.search(r"<!-- begin length -->\n```text\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    assert shown is not None
    printed = {" ".join(line.split()) for line in runs[1].splitlines()}
    for line in shown.group(1).splitlines():
        words = " ".join(line.split())
        assert any(one.startswith(words) for one in printed), words


def test_the_run_file_and_junit_carry_it(runs: tuple[Path, str]) -> None:
    """Typed details under its own keys; the value is named as the kind says."""
    folder, _ = runs
    claims = [claim for record in read_run(folder / "good.jsonl").records for claim in record.claims]
    assert {(claim.kind, claim.verdict) for claim in claims} == {("length", Verdict.PASS), ("length", Verdict.FAIL)}
    assert claims[0].details == {"shortest": 13, "longest": 14}
    names = {one.get("name"): one.get("value") for one in ET.parse(folder / "good.xml").iter("property")}
    assert (names["alignsuite.kind"], names["alignsuite.score"]) == ("length", "14")


def test_compare_pairs_it(runs: tuple[Path, str]) -> None:
    """Case by case, from the outcomes and the pairing that its results carry."""
    folder, _ = runs
    command = [sys.executable, "-m", "alignsuite.cli", "compare", "curt.jsonl", "good.jsonl", "--json"]
    data = json.loads(subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True).stdout)
    rows = {row["test"]: row for row in data["rows"]}
    strict = rows["test_answers_are_very_brief"]
    assert strict["kind"] == "length"
    assert (strict["pairs"]["worse"]["count"], strict["pairs"]["shared"]) == (2, 2)


def test_a_kind_that_is_not_here_is_shown_as_what_every_result_has(runs: tuple[Path, str]) -> None:
    """`alignsuite report` may read the file where nobody registered the kind."""
    command = [sys.executable, "-m", "alignsuite.cli", "report", str(runs[0] / "good.jsonl")]
    shown = subprocess.run(command, check=False, capture_output=True, text=True)
    assert shown.returncode == 1, "one of its two probes blocks, in the report as in the run"
    assert re.search(r"FAIL +answers are very brief", shown.stdout)
    assert not shown.stderr
    assert claim_kind("length") is Claim


def test_two_kinds_with_one_name_are_refused() -> None:
    """Else a result would be shown in the words of whoever came first."""

    class Other(Rate):
        name = "rate"

        @classmethod
        def present(cls, result: ClaimResult) -> object:  # type: ignore[override]
            return super().present(result)

    with pytest.raises(ValueError, match="named `rate` already"):
        register(Other)
    register(Rate)
    assert claim_kind("rate") is Rate
    assert present(ClaimResult("rate", Verdict.PASS, "refused", "words 2", asked=0, bank=0)).measure == "rate"
