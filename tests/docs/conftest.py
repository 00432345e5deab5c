"""Plans of the shipped suites, one a tier: what `alignsuite plan suites --model=scripted:good --json` prints."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], dict[str, Any]]:
    """The plan at a tier, where nothing is installed but what is shipped; each is computed once."""
    home = tmp_path_factory.mktemp("home")

    @cache
    def of(tier: str) -> dict[str, Any]:
        command = ["plan", "suites", "--model=scripted:good", f"--align-tier={tier}", "--json"]
        said = subprocess.run(
            [sys.executable, "-m", "alignsuite.cli", *command],
            cwd=ROOT,
            env=os.environ | {"ALIGNSUITE_HOME": str(home)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        found: dict[str, Any] = json.loads(said)
        return found

    return of
