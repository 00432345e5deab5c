"""The package as a whole: its names, its examples, its weight."""

import doctest
import importlib
import pkgutil
import subprocess
import sys

import pytest

import alignsuite.stats

MODULES = [f"alignsuite.stats.{module.name}" for module in pkgutil.iter_modules(alignsuite.stats.__path__)]


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_in_docstrings_run(name: str) -> None:
    """Every example shows what really comes out."""
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_public_names_are_sorted_and_documented() -> None:
    """`__all__` is complete, in order, and each name says in one line what it is."""
    names = alignsuite.stats.__all__
    assert names == sorted(names)
    for name in names:
        first = (getattr(alignsuite.stats, name).__doc__ or "").strip().splitlines()[0]
        assert first.endswith((".", "?")), name


def test_importing_the_package_does_not_import_scipy() -> None:
    """A project that never computes an interval does not wait for scipy, which is slow to import."""
    code = "import sys, alignsuite.stats; sys.exit(any(m.split('.')[0] == 'scipy' for m in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_every_error_of_the_package_is_one_family() -> None:
    """One `except StatsError` catches all, and it is a ValueError for those who do not know it."""
    from alignsuite.stats import NoEvidence, StatsError, Unresolvable

    assert issubclass(NoEvidence, StatsError)
    assert issubclass(Unresolvable, StatsError)
    assert issubclass(StatsError, ValueError)
