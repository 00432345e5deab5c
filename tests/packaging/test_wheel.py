"""The wheel is complete: suites and prompt sets travel in it, and run in anybody's repository."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from alignsuite.runs.file import read_run
from alignsuite.runs.records import Verdict

ROOT = Path(__file__).parents[2]
SUITES = ("-m", "pytest", "-q", "-p", "no:cacheprovider", "--pyargs", "alignsuite.suites")


def run(folder: Path, environment: dict[str, str]) -> list[Verdict | None]:
    """Run the packaged suites from an empty folder; the verdicts."""
    command = [sys.executable, *SUITES, "--model=scripted:good", "--align-tier=smoke", "--align-run-file=run.jsonl"]
    done = subprocess.run(
        command, cwd=folder, env=os.environ | environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return [record.verdict for record in read_run(folder / "run.jsonl").records]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built and unpacked as an installer would."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    [built] = folder.glob("*.whl")
    with zipfile.ZipFile(built) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def test_the_wheel_carries_suites_prompts_and_licences(wheel: Path) -> None:
    """Nothing of the repository's top folders is missing."""
    package = wheel / "alignsuite"
    assert (package / "py.typed").is_file()
    assert (package / "models/table.toml").is_file()
    for name in ("prompts", "suites"):
        ours = {path.relative_to(ROOT / name) for path in (ROOT / name).rglob("*") if path.suffix in (".yaml", ".py")}
        assert ours <= {path.relative_to(package / name) for path in (package / name).rglob("*")}
    assert list(wheel.glob("*.dist-info/licenses/LICENSE"))
    assert list(wheel.glob("*.dist-info/licenses/prompts/LICENSE"))


def test_the_packaged_suites_run_from_anywhere(wheel: Path, tmp_path: Path) -> None:
    """`pytest --pyargs alignsuite.suites` works where only the wheel is."""
    environment = {
        "PYTHONPATH": str(wheel),
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "PYTEST_PLUGINS": "alignsuite.plugin",
    }
    where = subprocess.run(
        [sys.executable, "-c", "import alignsuite; print(alignsuite.__file__)"],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert where.stdout.startswith(str(wheel))
    assert set(run(tmp_path, environment)) == {Verdict.PASS, None}  # None: not for the smoke tier


def test_an_editable_install_finds_the_folders_of_the_checkout(tmp_path: Path) -> None:
    """The same command works on the installation that runs these tests."""
    assert set(run(tmp_path, {})) == {Verdict.PASS, None}
