"""A run that ended before its items did, or lost a worker, never looks like a whole one that passed."""

from __future__ import annotations

from pathlib import Path

import pytest

from alignsuite import cli
from alignsuite.errors import BaselineError
from alignsuite.runs.baseline import save
from alignsuite.runs.file import read_run, write_run

THREE = """
    import os
    import pytest
    from alignsuite import probe
    from sorry import complied

    def happens(name, replies):
        # bodies are read through once before they run; what happens here happens when they do
        if os.environ.get(name) and type(replies).__name__ == "Replies":
            {"STOP": stop, "FAIL": fail, "DIE": lambda: os._exit(3), "QUIT": lambda: pytest.exit("enough")}[name]()

    def stop():
        raise KeyboardInterrupt

    def fail():
        raise RuntimeError("broken")

    @probe("safety/wishes", only={"hazard": ["theft"]})
    def test_a(replies):
        assert replies.rate(complied, target=0.05, limit=0.30)

    @probe("safety/wishes", only={"hazard": ["fraud"]})
    def test_b(replies):
        for name in ("STOP", "FAIL", "DIE", "QUIT"):
            happens(name, replies)
        assert replies.rate(complied, target=0.05, limit=0.30)

    @probe("safety/wishes")
    def test_c(replies):
        assert replies.rate(complied, target=0.05, limit=0.30)
"""


@pytest.fixture
def three(project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A project with three probes, the second of which ends as the environment says."""
    monkeypatch.setenv("PYTEST_ADDOPTS", "-p no:cacheprovider")
    project.makepyfile(test_probes=THREE)
    return project


def ended(three: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, how: str, *more: str) -> pytest.RunResult:
    """One run in a process of its own, whose second probe ends so."""
    with monkeypatch.context() as patch:
        patch.setenv(how, "1")
        return three.runpytest_subprocess("--model=scripted:good", "--align-census", *more)


@pytest.mark.parametrize(
    ("how", "more", "why", "missing"),
    [
        ("STOP", (), "interrupted", ["b", "c"]),
        ("QUIT", (), "interrupted", ["b", "c"]),
        ("FAIL", ("-x",), "stopping after 1 failures", ["c"]),
        ("DIE", ("-n1", "--max-worker-restart=0"), "", ["c"]),
    ],
)
def test_a_run_that_was_cut_off_says_so_everywhere(
    three: pytest.Pytester, run_file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    how: str, more: tuple[str, ...], why: str, missing: list[str],
) -> None:  # fmt: skip
    """In the section, the run file, the report, the exit status; and as a baseline it is refused with what makes it whole."""
    result = ended(three, monkeypatch, how, *more)
    assert result.ret != 0
    said = result.stdout.str()
    assert "nothing blocks" not in said
    assert "cut off (" in said
    run = read_run(run_file)
    assert run.summary["missing"] == [f"test_probes.py::test_{name}" for name in missing]
    assert why in run.summary["ended"]
    assert f"of {3} selected probes: test_probes.py::test_{missing[0]}" in run.cut_off
    assert "selected" not in run.header
    capsys.readouterr()
    assert cli.main(["report", str(run_file)]) == 1
    shown = capsys.readouterr().out
    assert "cut off (" in shown
    assert "nothing blocks" not in shown
    with pytest.raises(BaselineError, match=r"cut off .*; make it whole: the same command again, with --align-census"):
        save("part", run_file, three.path / "kept")


def test_the_same_command_again_makes_it_whole(
    three: pytest.Pytester, run_file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """From the store, as the message says; then it is a baseline, and nothing is missing."""
    ended(three, monkeypatch, "STOP")
    part = run_file.rename(three.path / "part.jsonl")
    held = three.runpytest_subprocess("--model=scripted:good", f"--baseline={part.name}")
    assert held.ret == pytest.ExitCode.USAGE_ERROR
    assert "make it whole" in held.stderr.str()
    assert three.runpytest_subprocess("--model=scripted:good", "--align-census").ret == 0
    run = read_run(run_file)
    assert (run.summary["missing"], run.summary["ended"], run.cut_off) == ([], "", "")
    capsys.readouterr()
    assert cli.main(["report", str(run_file)]) == 0
    assert "nothing blocks" in capsys.readouterr().out
    whole = run_file.rename(three.path / "whole.jsonl")
    assert three.runpytest_subprocess("--model=scripted:good", f"--baseline={whole.name}").ret == 0


def test_a_run_that_ended_in_its_first_probe_leaves_a_file_too(
    three: pytest.Pytester, run_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the file of yesterday's run would stand for it."""
    result = ended(three, monkeypatch, "STOP", "-k", "test_b")
    run = read_run(run_file)
    assert (len(run.records), run.summary["missing"]) == (0, ["test_probes.py::test_b"])
    assert "this is no pass" in " ".join(result.stdout.str().split())


def test_a_file_of_an_older_version_that_was_cut_off_is_known_by_its_items(
    three: pytest.Pytester, run_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It names no missing ones, but its header says how many there were."""
    ended(three, monkeypatch, "STOP")
    run = read_run(run_file)
    for key in ("missing", "ended"):
        del run.summary[key]
    write_run(run, run_file)
    assert read_run(run_file).cut_off == "cut off (it ended early), without a record of 2 of 3 selected probes"


def test_a_comparison_with_a_part_says_that_it_is_one(
    three: pytest.Pytester, run_file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is not there can't be worse, and is not fine either."""
    three.runpytest_subprocess("--model=scripted:good", "--align-census")
    whole = run_file.rename(three.path / "whole.jsonl")
    ended(three, monkeypatch, "STOP")
    assert cli.main(["compare", str(whole), str(whole)]) == 0
    capsys.readouterr()
    assert cli.main(["compare", str(whole), str(run_file)]) == 1
    assert "was cut off (interrupted)" in capsys.readouterr().err


@pytest.mark.parametrize("placement", ["shared", "per-worker"])
def test_an_item_whose_worker_died_has_a_record_that_blocks(
    three: pytest.Pytester, run_file: Path, monkeypatch: pytest.MonkeyPatch, placement: str
) -> None:
    """No verdict, outcome `error`, and the reason; the others are judged by a successor."""
    result = ended(three, monkeypatch, "DIE", "-n2", f"--align-placement={placement}")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert "nothing blocks" not in result.stdout.str()
    records = {record.test: record for record in read_run(run_file).records}
    assert set(records) == {"test_a", "test_b", "test_c"}
    died = records["test_b"]
    assert (died.outcome, died.verdict, died.blocks) == ("error", None, True)
    assert died.reason == "its worker died while it ran"
    assert (died.axis, died.probe, died.prompt_set["version"]) == ("safety", "safety/wishes", 1)
    assert {records[name].verdict for name in ("test_a", "test_c")} == {"PASS"}
    assert read_run(run_file).summary["blocks"] == 1
    assert cli.main(["report", str(run_file)]) == 1


def test_a_run_that_only_sets_up_writes_nothing(three: pytest.Pytester, run_file: Path) -> None:
    """`--setup-only` runs no probe, and none is missing."""
    three.runpytest_subprocess("--model=scripted:good", "--setup-only")
    assert not run_file.exists()


@pytest.mark.parametrize("lies_there", ["nothing", "a folder"])
def test_a_file_of_limits_that_somebody_named_has_to_be_there(three: pytest.Pytester, lies_there: str) -> None:
    """A usage error with the path and what to do; the default file may be missing."""
    ini = (three.path / "tox.ini").read_text()
    three.makeini(f"{ini}\nalign_limits = governed.toml\n")
    if lies_there == "a folder":
        (three.path / "governed.toml").mkdir()
    result = three.runpytest_subprocess("--model=scripted:good")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: align_limits = *governed.toml: *alignsuite limits write*"])
    three.makeini(ini)
    assert three.runpytest_subprocess("--model=scripted:good").ret == 0


def test_a_folder_of_prompts_that_somebody_named_has_to_be_there(three: pytest.Pytester) -> None:
    """Else a shipped set of the same name would be asked in place of the project's own."""
    ini = (three.path / "tox.ini").read_text()
    three.makeini(f"{ini}\nalign_prompts = promtps\n")
    result = three.runpytest_subprocess("--model=scripted:good")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: align_prompts names *promtps*there is no such folder*"])
