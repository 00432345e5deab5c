"""The docs are executed: links lead somewhere, the options page is pytest's own help, example projects run."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from alignsuite.judges.protocol import exchange_of
from alignsuite.judges.registry import as_judge
from alignsuite.models.protocol import Generated
from alignsuite.runs.file import read_run
from alignsuite.runs.records import Verdict

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    [
        *ROOT.glob("*.md"),
        *ROOT.glob("docs/**/*.md"),
        *ROOT.glob("changelog.d/*.md"),
    ]
)


def prose(page: Path) -> str:
    """A page without its code blocks."""
    return re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as renderers of Markdown make them."""
    headings = re.findall(r"^#+ (.*)$", prose(page), re.MULTILINE)
    plain = (
        re.sub(r"`|\*", "", re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)).strip().lower() for heading in headings
    )
    return {re.sub(r"[^\w\- ]", "", heading).replace(" ", "-") for heading in plain}


def project_of(page: Path) -> dict[str, str]:
    """The files of a page's example project: code blocks that begin with `# file: NAME`."""
    blocks = re.findall(
        r"^```\w*\n# file: (\S+)\n(.*?)^```", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    )
    return dict(blocks)


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])
def test_links_lead_somewhere(page: Path) -> None:
    """Relative links point to files that exist, and anchors to headings that do."""
    for link in re.findall(r"!?\[[^\]]*\]\(([^)\s]+)\)", prose(page)):
        if link.startswith(("http:", "https:")):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])
def test_pages_are_finished(page: Path) -> None:
    """No placeholder is left, and no path of somebody's machine."""
    assert not re.search(r"\bFILL\b|\bTODO\b|/tmp/|/root/|/home/(?!runner)", page.read_text(encoding="utf-8"))


def test_the_options_page_is_pytests_own_help() -> None:
    """What `pytest --help` prints of us at 100 columns stands in the reference, word for word."""
    page = (ROOT / "docs/reference/options.md").read_text(encoding="utf-8")
    documented = re.search(r"<!-- begin options -->\n```text\n(.*?)```", page, re.DOTALL)
    assert documented is not None
    shown = subprocess.run(
        [sys.executable, "-m", "pytest", "--help"],
        cwd=ROOT,
        env=os.environ | {"COLUMNS": "100"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    ours = re.search(r"^probes of language models:\n(?:  .*\n)+", shown, re.MULTILINE)
    assert ours is not None
    assert documented.group(1) == ours.group(0)


@pytest.mark.parametrize(
    ("page", "double", "verdicts"),
    [
        ("README.md", "good", {Verdict.PASS}),
        ("README.md", "refuser", {Verdict.FAIL}),
        ("docs/how-to/write-a-probe.md", "good", {Verdict.PASS}),
        ("docs/how-to/write-a-probe.md", "refuser", {Verdict.FAIL}),
        ("docs/how-to/write-a-judge.md", "good", {Verdict.PASS}),
        ("docs/how-to/write-a-judge.md", "refuser", {Verdict.FAIL}),
        ("docs/how-to/use-a-guard.md", "refuser", {Verdict.PASS}),
        ("docs/how-to/use-a-guard.md", "complier", {Verdict.PASS}),
    ],
)
def test_example_projects_run(tmp_path: Path, page: str, double: str, verdicts: set[Verdict]) -> None:
    """A reader who copies the files gets the verdicts that the page promises."""
    files = project_of(ROOT / page)
    assert any(name.startswith("test_") for name in files)
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        f"--model=scripted:{double}",
        "--align-run-file=run.jsonl",
        "-p",
        "no:cacheprovider",
    ]
    subprocess.run(command, cwd=tmp_path, check=False, capture_output=True)
    assert {record.verdict for record in read_run(tmp_path / "run.jsonl").records} == verdicts


def test_the_judge_that_a_reader_writes_is_measured_as_the_page_says(tmp_path: Path) -> None:
    """The page prints what its own script prints over its own labelled replies, and so few make no card."""
    page = ROOT / "docs/how-to/write-a-judge.md"
    for name, text in project_of(page).items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    printed = subprocess.run(
        [sys.executable, "measure_apology.py"],
        cwd=tmp_path,
        env=os.environ | {"ALIGNSUITE_HOME": str(tmp_path / "home")},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert f"```text\n{printed}```" in page.read_text(encoding="utf-8")
    assert not (tmp_path / "home").exists()


def test_the_judge_over_many_replies_is_one(tmp_path: Path) -> None:
    """It says what it lacks, answers in order, and the registry takes it as it is."""
    namespace: dict[str, Any] = {}
    exec(project_of(ROOT / "docs/how-to/write-a-judge.md")["apology_words.py"], namespace)
    judge = namespace["WordListJudge"](tmp_path / "apologies.txt")
    assert "apologies.txt is not here" in judge.missing()
    (tmp_path / "apologies.txt").write_text("sorry\nmy apologies", encoding="utf-8")
    assert judge.missing() == ""
    assert as_judge(judge) is judge
    replies = ["So sorry!", "Gladly.", "…"]
    judged = judge.judge([exchange_of("Hello?", Generated(text)) for text in replies])
    assert [one.label for one in judged] == ["apologised", "plain", "UNREADABLE"]


@pytest.mark.parametrize("page", ["docs/how-to/write-a-probe.md"])
def test_what_a_page_prints_is_what_its_commands_print(tmp_path: Path, page: str) -> None:
    """A command on a double, and under it what the terminal shows at 80 columns; `…` on a line of its own leaves lines out."""
    for name, text in project_of(ROOT / page).items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    shown = re.findall(
        r"^```console\n\$ pytest ([^\n]*--model=scripted:[^\n]*)\n```\n\n```text\n(.*?)^```",
        (ROOT / page).read_text(encoding="utf-8"),
        re.DOTALL | re.MULTILINE,
    )
    assert len(shown) == 3
    for arguments, text in shown:
        printed = subprocess.run(
            [sys.executable, "-m", "pytest", *arguments.split(), "-p", "no:cacheprovider"],
            cwd=tmp_path,
            env=os.environ | {"COLUMNS": "80"},
            check=False,
            capture_output=True,
            text=True,
        ).stdout
        for part in re.split(r"^…\n", text, flags=re.MULTILINE):
            assert part in printed, (arguments, part)


def test_the_plan_on_the_page_is_what_the_command_prints(tmp_path: Path) -> None:
    """`alignsuite plan` at 100 columns, line for line; `…` on a line of its own leaves lines out."""
    page = (ROOT / "docs/how-to/plan-a-run.md").read_text(encoding="utf-8")
    [table, risk] = re.findall(
        r"^\$ alignsuite plan suites -m safety --model=scripted:leaky(?: --risk)?\n(.*?)^```",
        page,
        re.DOTALL | re.MULTILINE,
    )
    command = ["plan", "suites", "-m", "safety", "--model=scripted:leaky", "--risk"]
    printed = subprocess.run(
        [sys.executable, "-m", "alignsuite.cli", *command],
        cwd=ROOT,
        env=os.environ | {"COLUMNS": "100", "ALIGNSUITE_HOME": str(tmp_path)},
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    for part in re.split(r"^…\n", table + "…\n" + risk, flags=re.MULTILINE):
        assert part in printed, part
