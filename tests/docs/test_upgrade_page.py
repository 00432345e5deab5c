"""`docs/how-to/upgrade.md` names modules that exist, and none that it says is gone."""

from __future__ import annotations

import importlib
import re
from importlib.util import find_spec
from pathlib import Path

import pytest

PAGE = (Path(__file__).parents[2] / "docs/how-to/upgrade.md").read_text(encoding="utf-8")
[PATHS] = re.findall(r"^## Import paths\n(.*?)^Classes", PAGE, re.DOTALL | re.MULTILINE)
ROWS = re.findall(r"^\| (.*) \| (.*) \|$", PATHS, re.MULTILINE)
STAYS = re.findall(r"`(alignsuite\.[\w.]+)`", PATHS.partition("|")[0])
OLD, NEW = (
    sorted({name for row in ROWS for name in re.findall(r"\balignsuite(?:\.\w+)+", row[side])}) for side in (0, 1)
)


@pytest.mark.parametrize("name", NEW)
def test_a_new_path_is_a_module(name: str) -> None:
    """Whoever follows the table arrives."""
    assert importlib.import_module(name).__doc__


@pytest.mark.parametrize("name", STAYS)
def test_what_stays_can_be_imported(name: str) -> None:
    """A module, or a name in one."""
    holder, _, inside = name.rpartition(".")
    assert hasattr(importlib.import_module(holder), inside) or find_spec(name) is not None


@pytest.mark.parametrize("name", [name for name in OLD if name.count(".") == 1 and name not in {*STAYS, *NEW}])
def test_an_old_path_is_gone(name: str) -> None:
    """A row about a module that is still there would send readers away for nothing."""
    assert name == "alignsuite.probes" or find_spec(name) is None
