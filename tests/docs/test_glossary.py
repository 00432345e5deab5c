"""The glossary knows the words of the code's public types, explains each once, and keeps its tables whole."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

PAGE = (Path(__file__).parents[2] / "docs/reference/glossary.md").read_text(encoding="utf-8")
WORDS = re.findall(r"^\| \*\*([^*]+)\*\*", PAGE, re.MULTILINE)


def test_a_word_is_explained_once() -> None:
    """One word for one idea, and the tables are in alphabetical order."""
    assert [word for word, times in Counter(WORDS).items() if times > 1] == []
    for part in PAGE.split("\n## ")[1:]:
        words = re.findall(r"^\| \*\*([^*]+)\*\*", part, re.MULTILINE)
        assert words == sorted(words)


def test_every_row_has_as_many_cells_as_its_heading() -> None:
    """A cell too few shifts another tool's words under a wrong name."""
    for table in re.findall(r"(?:^\|.*\n)+", PAGE, re.MULTILINE):
        assert len({row.count("|") for row in table.splitlines()}) == 1, table.splitlines()[0]


def test_the_words_that_decide_are_there() -> None:
    """Verdicts, judges and comparisons can't be read without these."""
    needed = {
        "agreement", "baseline", "behaviour", "error rate", "inconsistency", "masking", "misclassification", "paired outcomes",
    }  # fmt: skip
    assert needed <= set(WORDS)
