"""YAML as people think it works."""

from __future__ import annotations

from pathlib import Path

import pytest

from alignsuite.errors import PromptError
from alignsuite.prompt_sets import yaml as strict_yaml


def load(tmp_path: Path, text: str) -> object:
    """The data of a file with this text."""
    path = tmp_path / "set.yaml"
    path.write_text(text, encoding="utf-8")
    return strict_yaml.load(path)[0]


def complaint(tmp_path: Path, text: str) -> str:
    """The message about a file with this text, without the folder."""
    with pytest.raises(PromptError) as caught:
        load(tmp_path, text)
    return str(caught.value).replace(f"{tmp_path}/", "")


def test_plain_values_have_the_types_that_they_look_like(tmp_path: Path) -> None:
    """Whole numbers, fractions, true and false, and words."""
    text = "a: 1\nb: -2\nc: 0.5\nd: true\ne: false\nf: hello there\ng: [1, x]\n"
    assert load(tmp_path, text) == {
        "a": 1, "b": -2, "c": 0.5, "d": True, "e": False, "f": "hello there", "g": [1, "x"],
    }  # fmt: skip


@pytest.mark.parametrize("value", ["no", "012", "1.0", "true", "null", "", "~", "1e3", "12:30"])
def test_what_stands_in_quotes_is_text(tmp_path: Path, value: str) -> None:
    """Norway's code is `no`, and a phone number may begin with a zero."""
    assert load(tmp_path, f'a: "{value}"\nb: |\n  {value or "x"}\n') == {"a": value, "b": f"{value or 'x'}\n"}


DOUBTFUL = ["no", "No", "NO", "yes", "y", "n", "on", "off", "Off", "~", "null", "Null"]
DOUBTFUL += ["012", "-007", "0x1f", "0o17", "1_000", "1e3", "12:30", ".inf", ".nan"]


@pytest.mark.parametrize("value", DOUBTFUL)
def test_a_doubtful_word_wants_quotes(tmp_path: Path, value: str) -> None:
    """Loaders differ on all of these, and readers don't know which loader it is."""
    message = complaint(tmp_path, f"a: 1\nb: {value}\n")
    assert message.startswith("set.yaml:2: ")
    assert f'write "{value}"' in message


def test_an_empty_value_is_an_error(tmp_path: Path) -> None:
    """It may be nothing, or something forgotten."""
    assert complaint(tmp_path, "a: 1\nb:\n").startswith("set.yaml:2: ")


@pytest.mark.parametrize("text", ["a: 1\nb: 2\na: 3\n", 'a: 1\nb: 2\n"a": 3\n'])
def test_a_key_that_stands_twice_is_an_error_that_names_both_lines(tmp_path: Path, text: str) -> None:
    """Ordinary loaders keep the last and say nothing."""
    assert complaint(tmp_path, text) == "set.yaml:3: `a` stands twice here (first in line 1)"


def test_a_key_that_stands_twice_deep_inside_is_found(tmp_path: Path) -> None:
    """Templates are lists of mappings; that is where copies are pasted."""
    text = "templates:\n  - id: one\n    user: hello\n    user: again\n"
    assert complaint(tmp_path, text) == "set.yaml:4: `user` stands twice here (first in line 3)"


def test_equal_keys_of_different_items_are_fine(tmp_path: Path) -> None:
    """Every template has an id."""
    assert load(tmp_path, "- id: one\n- id: two\n") == [{"id": "one"}, {"id": "two"}]


@pytest.mark.parametrize("text", ["a: [1, 2\nb: 3\n", "a: 1\n b: 2\n", "a: 'x\n", "a: 1\n---\nb: 2\n", "\tb: 1\n"])
def test_broken_yaml_is_an_error_with_a_line(tmp_path: Path, text: str) -> None:
    """Never a traceback of the parser's."""
    assert complaint(tmp_path, text).split(":")[0] == "set.yaml"
    assert complaint(tmp_path, text).split(":")[1].isdigit()


def test_a_list_as_a_key_is_an_error(tmp_path: Path) -> None:
    """It could not be looked up."""
    assert complaint(tmp_path, "a: 1\n? [b, c]\n: 2\n").startswith("set.yaml:2: ")


def test_an_alias_is_an_error(tmp_path: Path) -> None:
    """A few of them inside each other fill any memory, and one that holds itself never ends."""
    for text in ("a: &x [1, 2]\nb: *x\n", "a: &x [1, *x]\n"):
        assert complaint(tmp_path, text).startswith("set.yaml:")


def test_tags_run_no_code(tmp_path: Path) -> None:
    """A prompt set is data, whoever wrote it."""
    try:
        data = load(tmp_path, 'a: !!python/object/apply:os.system ["exit 1"]\n')
    except PromptError:
        return
    assert data == {"a": ["exit 1"]}


def test_a_missing_file_an_empty_file_and_bytes_that_are_no_text_are_errors(tmp_path: Path) -> None:
    """Each says what to do."""
    with pytest.raises(PromptError, match="no such file"):
        strict_yaml.load(tmp_path / "absent.yaml")
    assert "empty" in complaint(tmp_path, "# nothing but a comment\n")
    (tmp_path / "latin.yaml").write_bytes("a: caf\xe9\n".encode("latin-1"))
    with pytest.raises(PromptError, match="UTF-8"):
        strict_yaml.load(tmp_path / "latin.yaml")


def test_every_value_knows_its_line(tmp_path: Path) -> None:
    """Messages point at the key, not at the block below it."""
    path = tmp_path / "set.yaml"
    path.write_text("id: a\ntemplates:\n  - id: one\n    user: |\n      hello\n  - id: two\n", encoding="utf-8")
    lines = strict_yaml.load(path)[1]
    assert lines[("id",)] == 1
    assert lines[("templates",)] == 2
    assert lines[("templates", 0, "user")] == 4
    assert lines[("templates", 1)] == lines[("templates", 1, "id")] == 6
