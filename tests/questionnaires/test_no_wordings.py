"""Sentences of published questionnaires are nowhere in the project: not in data, prompts, docs, code or tests."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from alignsuite.questionnaires import key, known
from alignsuite.questionnaires.fingerprints import fingerprint

ROOT = Path(__file__).resolve().parents[2]
KINDS = {".py", ".md", ".yaml", ".yml", ".toml", ".jsonl", ".csv", ".txt"}
PROSE = (
    "prompts",
    "suites",
    "src/alignsuite/questionnaires",
)  # where a statement would be put to use: looked at word by word
LONGEST = 25  # words


def published() -> set[str]:
    """Fingerprints of every statement that belongs to others."""
    return {item.fingerprint for name in known() if not key(name).own for item in key(name).items}


def files(folders: tuple[str, ...]) -> Iterator[Path]:
    """Text files below some folders of the project."""
    for folder in folders:
        yield from (path for path in sorted((ROOT / folder).rglob("*")) if path.suffix in KINDS and path.is_file())


def pieces(line: str) -> Iterator[str]:
    """A line, what stands in quotes in it, and each of its sentences and cells."""
    yield line.strip(" -*>#|,\"'`")
    yield from re.findall(r"[\"“'`]([^\"”`]+)[\"”'`]", line)
    yield from re.split(r"[|:;]|(?<=[.!?])\s", line)


def runs(line: str) -> Iterator[str]:
    """Every run of three or more words."""
    words = re.findall(r"[\w'’,]+", line)
    for start in range(len(words)):
        for end in range(start + 3, min(len(words), start + LONGEST) + 1):
            yield " ".join(words[start:end])


def found_in(folders: tuple[str, ...], cut: Callable[[str], Iterator[str]]) -> list[str]:
    """Places at which a published statement stands."""
    wanted = published()
    return [
        f"{path.relative_to(ROOT)}:{number}"
        for path in files(folders)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if any(fingerprint(piece) in wanted for piece in cut(line))
    ]


def test_no_line_of_the_project_is_a_published_statement() -> None:
    """Whole lines, quoted strings, sentences and table cells, in everything that the repository ships."""
    assert found_in(("src", "prompts", "suites", "docs", "tests", "benchmarks", "changelog.d"), pieces) == []


def test_no_published_statement_hides_inside_a_line_of_data() -> None:
    """Every run of words in prompts, suites and instruments."""
    assert found_in(PROSE, runs) == []


def test_the_search_would_find_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """A statement of ours, taken for a published one, is found in its file: so the two tests above can fail."""
    item = key("dark-27").items[4]
    monkeypatch.setitem(globals(), "published", lambda: {item.fingerprint})
    place = "src/alignsuite/questionnaires/data/dark-27.yaml"
    for cut in (pieces, runs):
        assert [found.rpartition(":")[0] for found in found_in(PROSE, cut)] == [place]
