"""What stands around the code agrees with it: pinned versions, the changelog's fragments, the checks, the verbs of CI."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.markers import default_environment
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
EXTRAS: dict[str, list[str]] = PROJECT["project"]["optional-dependencies"]
HOOKS: dict[str, Any] = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
FRAGMENT = {one["id"]: one for one in HOOKS["repos"][0]["hooks"]}["changelog-fragment"]


def pins() -> list[Requirement]:
    """The lines of the lock, each `NAME==VERSION`, some with a marker."""
    lines = (ROOT / "constraints/dev.txt").read_text(encoding="utf-8").splitlines()
    return [Requirement(line) for line in lines if not line.startswith("#")]


def plain(name: str) -> str:
    """A package's name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def holding(python: str) -> dict[str, list[str]]:
    """The versions that the lock gives each package under a Python on Linux."""
    environment = {
        **default_environment(),
        "python_version": python,
        "python_full_version": f"{python}.9",
        "sys_platform": "linux",
        "platform_system": "Linux",
        "platform_machine": "x86_64",
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
    }
    held: dict[str, list[str]] = {}
    for pin in pins():
        if pin.marker is None or pin.marker.evaluate(environment):
            held.setdefault(plain(pin.name), []).extend(one.version for one in pin.specifier)
    return held


def test_the_lock_is_plain_pins() -> None:
    """One exact version a line: no hash, so that an index's own builds serve, and no address of an index."""
    for pin in pins():
        assert [one.operator for one in pin.specifier] == ["=="], pin
        assert pin.url is None, pin
        assert not pin.extras, f"{pin}: pip takes no extras in a constraint"
    text = (ROOT / "constraints/dev.txt").read_text(encoding="utf-8")
    assert "://" not in text
    assert "--" not in text


@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13"])
def test_the_lock_satisfies_every_dependency(python: str) -> None:
    """What the project and each extra ask for has one version in the lock, and that version is allowed. If not: `make lock`."""
    held = holding(python)
    wanted = [
        Requirement(one)
        for one in (*PROJECT["project"]["dependencies"], *(one for all_ in EXTRAS.values() for one in all_))
    ]
    for requirement in wanted:
        if requirement.name == PROJECT["project"]["name"]:
            assert requirement.extras <= EXTRAS.keys(), requirement
            continue
        versions = held.get(plain(requirement.name), [])
        assert len(versions) == 1, f"{requirement}: pinned to {versions} on Python {python}; run `make lock`"
        assert requirement.specifier.contains(versions[0]), f"{requirement}: pinned to {versions[0]}; run `make lock`"


def test_every_dependency_says_how_old_it_may_be() -> None:
    """Without a lower bound nothing tells what the oldest version is that has to work, and no job can try it."""
    for one in (*PROJECT["project"]["dependencies"], *(one for all_ in EXTRAS.values() for one in all_)):
        requirement = Requirement(one)
        bounded = any(part.operator in (">=", "==") for part in requirement.specifier)
        assert bounded or requirement.name == PROJECT["project"]["name"], one


def test_a_fragment_has_the_same_types_everywhere() -> None:
    """The hook lets pass what towncrier sorts, and the page for contributors names the same types."""
    types = [one["directory"] for one in PROJECT["tool"]["towncrier"]["type"]]
    page = (ROOT / "changelog.d/README.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE) == types
    allowed = re.compile(FRAGMENT["exclude"])
    assert all(allowed.match(f"changelog.d/12-words.{one}.md") for one in types)
    for wrong in ("12.bugfix.md", "words.feature.md", "12.feature.rst", "12.feature.md.orig", "12_2.feature.md"):
        assert not allowed.match(f"changelog.d/{wrong}"), wrong


def test_no_fragment_is_left_out_of_the_changelog() -> None:
    """A file that towncrier can't sort would vanish at the release without a word."""
    names = [path.relative_to(ROOT).as_posix() for path in (ROOT / "changelog.d").iterdir()]
    assert [name for name in names if not re.match(FRAGMENT["exclude"], name)] == []


def test_checks_clone_nothing() -> None:
    """Hooks are tools of the dev extra, in the lock's version: `make lint` works where no git host can be reached."""
    assert {repository["repo"] for repository in HOOKS["repos"]} == {"local"}


def test_ci_runs_every_verb_that_tests() -> None:
    """A verb for tests that need more (`make test-...`) is no good if nobody calls it."""
    verbs = set(
        re.findall(r"^((?:lint|types|test)[\w-]*):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    )
    called = re.findall(r"^make (.*)$", (ROOT / ".ci/run").read_text(encoding="utf-8"), re.MULTILINE)
    assert verbs == set(" ".join(called).split())


def test_every_long_module_is_confessed() -> None:
    """CONTRIBUTING.md names each module over 300 lines with its reason, and none that has become shorter: then strike it out."""
    source = ROOT / "src/alignsuite"
    long = {
        path.relative_to(source).as_posix()
        for path in source.rglob("*.py")
        if len(path.read_text(encoding="utf-8").splitlines()) > 300
    }
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    table = page.partition("### Where we break our own rules")[2].partition("\n- ")[0]
    assert set(re.findall(r"`([\w/]+\.py)`", table)) == long
