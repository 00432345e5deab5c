"""alignsuite: fairness, safety, robustness and psychological probes of language models as pytest cases.

Importing this package costs next to nothing: the rooms behind it are opened on first use.

In a source checkout the shipped suites lie in the repository's `suites/` folder, in a wheel inside this package. Extending
`__path__` lets `pytest --pyargs alignsuite.suites` find them in both.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

__version__ = "0.1.0"
__all__ = ["__version__", "probe", "suite"]

_checkout = Path(__file__).resolve().parents[2]
if (_checkout / "suites" / "__init__.py").is_file() and (_checkout / "pyproject.toml").is_file():
    __path__.append(str(_checkout))

if TYPE_CHECKING:
    from alignsuite.probes.decorator import probe, suite


def __getattr__(name: str) -> object:
    if name in ("probe", "suite"):
        from alignsuite.probes import decorator

        return getattr(decorator, name)
    raise AttributeError(f"module 'alignsuite' has no attribute {name!r}")
