"""`alignsuite baseline`: kept under a name, listed, shown, removed; and what is refused, in one line each."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from alignsuite import cli
from alignsuite.runs.file import write_run
from alignsuite.runs.records import ClaimResult, Record, Run, Verdict

Said = Callable[..., tuple[int, str, str]]

CLAIM = ClaimResult(
    "rate", Verdict.PASS, "complied", "refusal 3", 40, 40, 1, outcomes={"a": 1}, labels={"a": "helpful"}
)
RECORD = Record(
    "a.py::test_it", "safety", "safety/x", "test_it", "", "", {}, "finetuning", "chat", "passed", Verdict.PASS, False, "",
    (CLAIM,),
)  # fmt: skip
HEADER = {
    "kind": "run", "schema": 1, "census": True, "tier": "standard", "stage": "finetuning", "model": {"name": "step-4000"},
}  # fmt: skip
RUN = Run(HEADER, (RECORD,), {"kind": "summary", "verdicts": {"PASS": 1}})


@pytest.fixture
def run_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A census with one claim, in the folder that the command runs in."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "run.jsonl"
    write_run(RUN, path)
    return path


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Said:
    """Run `alignsuite baseline …`: exit code, output, errors."""

    def run(*arguments: str) -> tuple[int, str, str]:
        code = cli.main(["baseline", *arguments])
        shown = capsys.readouterr()
        return code, shown.out, shown.err

    return run


def kept() -> list[str]:
    """What lies in the folder of kept baselines."""
    folder = Path(os.environ["ALIGNSUITE_HOME"]) / "baselines"
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


def test_a_run_is_kept_to_the_byte_and_the_next_command_is_named(run_file: Path, said: Said) -> None:
    """The copy is the run file itself; the output says where it lies and how to compare with it."""
    code, out, _ = said("save", "release-4", "run.jsonl")
    assert code == 0
    copy = Path(os.environ["ALIGNSUITE_HOME"]) / "baselines/release-4.jsonl"
    assert copy.read_bytes() == run_file.read_bytes()
    assert out.splitlines() == [
        f"kept as release-4: {copy}",
        "compare with it: pytest --model=… --baseline=release-4",
    ]


def test_the_kept_ones_are_listed_with_model_tier_and_verdicts(run_file: Path, said: Said) -> None:
    """Without an action `list` is meant; with nothing kept it says how to keep something."""
    assert said() == (0, "no baseline is kept; `alignsuite baseline save NAME RUN.jsonl` keeps one\n", "")
    said("save", "release-4", "run.jsonl")
    said("save", "an-older", "run.jsonl")
    code, out, _ = said("list")
    assert (code, out) == said()[:2]
    assert [line.split() for line in out.splitlines()] == [
        [name, "step-4000", "standard,", "finetuning:", "1", "PASS"] for name in ("an-older", "release-4")
    ]


def test_a_kept_one_is_shown_as_its_run_was(run_file: Path, said: Said) -> None:
    """The section of its own run."""
    said("save", "release-4", "run.jsonl")
    code, out, _ = said("show", "release-4")
    assert code == 0
    assert out.startswith("step-4000 · finetuning · tier standard · census\n")
    assert "PASS  it" in out


def test_a_name_is_not_taken_twice_in_silence(run_file: Path, said: Said) -> None:
    """A pinned baseline stays what it is until somebody says --force."""
    said("save", "release-4", "run.jsonl")
    write_run(replace(RUN, header=HEADER | {"model": {"name": "step-9000"}}), run_file)
    code, _, err = said("save", "release-4", "run.jsonl")
    assert code == 2
    assert "a baseline `release-4` is kept already" in err
    assert "--force to replace it" in err
    assert "step-4000" in said("list")[1]
    assert said("save", "release-4", "run.jsonl", "--force")[0] == 0
    assert "step-9000" in said("list")[1]


def test_a_removed_one_is_gone(run_file: Path, said: Said) -> None:
    """And removing it again is an error that names what is left."""
    said("save", "release-4", "run.jsonl")
    said("save", "release-5", "run.jsonl")
    assert said("remove", "release-4") == (0, "release-4 is no longer kept\n", "")
    assert kept() == ["release-5.jsonl"]
    code, _, err = said("remove", "release-4")
    assert code == 2
    assert "no baseline of that name is kept; did you mean `release-5`" in err


def test_a_damaged_one_can_be_removed(run_file: Path, said: Said) -> None:
    """Whatever lies under the name, also what another version wrote: else its file has to be found and deleted by hand."""
    said("save", "release-4", "run.jsonl")
    (Path(os.environ["ALIGNSUITE_HOME"]) / "baselines/release-4.jsonl").write_text("torn")
    assert said("remove", "release-4")[0] == 0
    assert kept() == []


def test_a_damaged_one_hides_no_other_from_the_list(run_file: Path, said: Said) -> None:
    """It is listed with what is wrong with it."""
    said("save", "release-4", "run.jsonl")
    said("save", "release-5", "run.jsonl")
    (Path(os.environ["ALIGNSUITE_HOME"]) / "baselines/release-4.jsonl").write_text("torn")
    code, out, _ = said("list")
    assert code == 0
    damaged, whole = out.splitlines()
    assert "release-4.jsonl is no run file" in damaged
    assert whole.startswith("release-5  ")


def test_only_kept_ones_are_removed(run_file: Path, said: Said) -> None:
    """A run file of that name in the folder at hand is not for this command to delete."""
    code, _, err = said("remove", "run.jsonl")
    assert (code, err.count("\n")) == (2, 1)
    assert "no baseline of that name is kept" in err
    assert run_file.is_file()


@pytest.mark.parametrize("name", ["../x", "a/b", "", ".hidden", "-x y", "ä"])
def test_a_name_is_a_name(run_file: Path, said: Said, name: str) -> None:
    """No path, nothing that a shell or a file system would take for something else; nothing is written."""
    code, _, err = said("save", "--", name, "run.jsonl")
    assert code == 2
    assert f"`{name}` is no name for a baseline: wanted letters, digits, `_`, `-` and `.`" in err
    assert kept() == []


@pytest.mark.parametrize(
    ("run", "said_of_it"),
    [
        (replace(RUN, header=HEADER | {"census": False}), "run.jsonl is no census: its claims stopped as soon as"),
        (replace(RUN, records=()), "run.jsonl holds no claim, so nothing could be compared with it"),
        (None, "there is no run file run.jsonl"),
    ],
)
def test_what_nothing_can_be_compared_with_is_not_kept(
    run_file: Path, said: Said, run: Run | None, said_of_it: str
) -> None:
    """A run that stopped early, one without a claim, none at all: one line each, when it is saved and not a release later."""
    run_file.unlink()
    if run is not None:
        write_run(run, run_file)
    code, _, err = said("save", "release-4", "run.jsonl")
    assert (code, err.count("\n")) == (2, 1)
    assert said_of_it in err
    assert kept() == []
