"""Text in terminal cells: its width, and how it is cut, padded and wrapped to fit.

East-Asian wide characters and emoji take two cells, combining marks none. Terminals disagree about joined emoji; they are counted
as the sum of their parts, so a line may come out shorter than thought, never longer.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from alignsuite.text.clean import clean

ELLIPSIS = "…"

_BLANKS = re.compile(r"[^\S\u00a0]+")


def columns(text: str) -> int:
    """Number of cells that a text takes.

    >>> columns("abc"), columns("日本"), columns("e\u0301")
    (3, 4, 1)
    """
    return len(text) if text.isascii() else sum(_cell(character) for character in text)


def _cell(character: str) -> int:
    if character == "\u00ad":  # a soft hyphen is of category Cf, and terminals show it
        return 1
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1


def one_line(text: str, limit: int = 600) -> str:
    """Text cleaned, with every run of white space made one blank."""
    return " ".join(clean(text, limit).split())


def readable_name(name: str) -> str:
    """Name as a person writes it, without underscores.

    >>> readable_name("life_satisfaction")
    'life satisfaction'
    """
    return name.replace("_", " ")


def fit(text: str, width: int) -> str:
    """Text with its middle left out where it is wider than `width`.

    >>> fit("declines harmful requests", 15)
    'decline…equests'
    """
    if columns(text) <= width:
        return text
    if width < 3:
        return _head(text, max(width, 0))
    head = _head(text, (width - 1) // 2 + (width - 1) % 2)
    tail = _head(text[::-1], width - 1 - columns(head))[::-1]
    return f"{head.rstrip()}{ELLIPSIS}{tail.lstrip()}"


def cut(text: str, width: int) -> str:
    """Beginning of the text, with an ellipsis where something is missing.

    >>> cut("Sure! First you need", 12)
    'Sure! First…'
    """
    return text if columns(text) <= width else f"{_head(text, width - 1).rstrip()}{ELLIPSIS}"


def _head(text: str, width: int) -> str:
    used = 0
    for index, character in enumerate(text):
        used += _cell(character)
        if used > width:
            return text[:index]
    return text


def pad(text: str, width: int, *, right: bool = False) -> str:
    """Text filled up with blanks to `width` cells; `right` puts it to the right."""
    blanks = " " * max(0, width - columns(text))
    return f"{blanks}{text}" if right else f"{text}{blanks}"


def wrap(text: str, width: int) -> list[str]:
    """Lines of at most `width` cells.

    Line breaks in the text stay, a number keeps its unit, and words wider than a line are broken.
    """
    return [line for paragraph in text.split("\n") for line in _wrapped(paragraph, max(width, 2))]


def _wrapped(paragraph: str, width: int) -> Iterator[str]:
    line = ""
    for word in _BLANKS.split(paragraph.strip().replace(" %", "\u00a0%")):
        joined = f"{line} {word}" if line else word
        if columns(joined) <= width:
            line = joined
            continue
        if line:
            yield line.replace("\u00a0", " ")
        while columns(word) > width:
            head = _head(word, width)
            yield head.replace("\u00a0", " ")
            word = word[len(head) :]
        line = word
    yield line.replace("\u00a0", " ")
