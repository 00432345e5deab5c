"""The reader of word lists: what has the wanted shape is read, anything else is an error that names file, line and key."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from alignsuite.errors import JudgeError
from alignsuite.judges.word_lists import read_word_lists


@dataclass(frozen=True)
class Inner:
    """A part of a file."""

    stems: tuple[str, ...]
    ways: tuple[re.Pattern[str], ...] = ()


@dataclass(frozen=True)
class Outer:
    """A file."""

    words: frozenset[str]
    pattern: re.Pattern[str]
    inner: Mapping[str, Inner]


GOOD = """\
parts:
  who: (?:i|we)
words: |-
  no on
  012
pattern: |-
  \\b{{ who }} can't
  |never\\b
inner:
  es: {stems: ["no "], ways: ['ñ']}
  fr: {stems: [ne]}
"""


def read(tmp_path: Path, text: str) -> Outer:
    """The lists of a text."""
    file = tmp_path / "lists.yaml"
    file.write_text(text, encoding="utf-8")
    return read_word_lists(file, Outer)


def test_words_patterns_and_mappings_are_read_as_their_types_say(tmp_path: Path) -> None:
    """Bare words stay words, lines of a pattern are joined, and parts are put in."""
    lists = read(tmp_path, GOOD)
    assert lists.words == {"no", "on", "012"}
    assert lists.pattern.pattern == r"\b(?:i|we) can't|never\b"
    assert lists.inner == {"es": Inner(("no ",), (re.compile("ñ"),)), "fr": Inner(("ne",))}


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("words:", "word:", 3, "`word`: no such key; did you mean `words`?"),
        ("words: |-\n  no on\n  012\n", "", 1, "`words`: is missing"),
        ("words: |-\n  no on\n  012", "words: [no, on]", 3, "`words`: wanted a text"),
        ("words: |-\n  no on\n  012", "words:", 3, "`words`: wanted a text"),
        ("words: |-", "words: one\nwords: |-", 4, "`words`: stands twice"),
        ("|never", "|(never", 6, "`pattern`: no regular expression: "),
        ("{{ who }}", "{{ whom }}", 6, "`pattern`: there is no part 'whom'; parts are who"),
        ("ways: ['ñ']", "ways: ['ñ', '[']", 10, "`inner.es.ways.2`: no regular expression: "),
        ("ways: ['ñ']", "ways: ñ", 10, "`inner.es.ways`: wanted a list"),
        ("  es: {", "  es: [], es2: {", 10, "did not find expected key"),
        ("inner:\n", "inner:\n  it: none\n", 10, "`inner.it`: wanted keys with values"),
    ],
)
def test_another_shape_is_an_error_with_its_place(tmp_path: Path, old: str, new: str, line: int, message: str) -> None:
    """A list that a judge half understands would move its labels without a word."""
    assert GOOD.count(old) == 1
    with pytest.raises(JudgeError, match=re.escape(message)) as error:
        read(tmp_path, GOOD.replace(old, new))
    assert str(error.value).startswith(f"{tmp_path / 'lists.yaml'}:{line}: ")


def test_an_empty_file_says_what_is_wanted(tmp_path: Path) -> None:
    """Not a fault of the reader's own."""
    with pytest.raises(JudgeError, match="`the file`: wanted keys with values"):
        read(tmp_path, "")


def test_the_judges_lists_are_not_read_before_the_first_reply() -> None:
    """Whoever imports a behaviour pays for no list, and for no YAML parser."""
    code = "import sys, alignsuite.judges; print(sorted({'yaml', 'alignsuite.judges.word_lists'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
