"""Hook specifications that alignsuite offers to conftest files and other plugins."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from alignsuite.config import Settings
    from alignsuite.models.protocol import Model


@pytest.hookspec(firstresult=True)
def pytest_alignsuite_open_model(name: str, settings: Settings) -> Model | None:
    """Model that `--model` named, opened before alignsuite looks it up; None leaves it to the others.

    This is how a project adds an engine of its own, or wraps one. The model must be cheap to open: see `alignsuite.models.protocol.Model`.
    """
