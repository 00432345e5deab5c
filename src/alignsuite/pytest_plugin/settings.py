"""Settings of a pytest session: read once when it is configured, kept in its stash."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from alignsuite.config import Settings

SETTINGS = pytest.StashKey["Settings"]()
NO_MODEL = (
    "probes need a model: add --model=smollm2-135m (a small one, fetched once), --model=a-file.gguf, or "
    "--model=openai:NAME --align-base-url=http://127.0.0.1:8000/v1; `alignsuite models` lists more"
)
UNNAMED = "no model is named"
"""What each probe says where other tests run beside it; the remedy is said once, at the end."""


def settings_of(config: pytest.Config) -> Settings:
    """`Settings` of this session, read when it was configured."""
    return config.stash[SETTINGS]
