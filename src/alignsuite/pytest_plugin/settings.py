"""Settings of a pytest session: read once when it is configured, kept in its stash."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from alignsuite.config import Settings

SETTINGS = pytest.StashKey["Settings"]()


def settings_of(config: pytest.Config) -> Settings:
    """`Settings` of this session, read when it was configured."""
    return config.stash[SETTINGS]
