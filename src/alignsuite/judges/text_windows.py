"""Text windows: overlapping parts of a long text that a classifier sees whole, and texts that tokenizers take."""

from __future__ import annotations

from collections.abc import Callable

from alignsuite.errors import JudgeError

_OVERLAP = 25  # words of either half that the other one has, too


def windows_of(text: str, fits: Callable[[str], bool]) -> list[str]:
    """Windows over a text that each fit: all of it, or else overlapping halves, halved until they do.

    They end where a word does, unless there is only one: the end of a harmless word can be an insult.

    Raises:
        JudgeError: not even one letter fits.
    """
    if fits(text):
        return [text]
    words = text.split()
    if (plain := " ".join(words)) != text:
        return windows_of(plain, fits)  # to RoBERTa each line break is a token, and wild models write hundreds
    parts, gap = (words, " ") if len(words) > 1 else (list(text), "")
    if len(parts) < 2:
        raise JudgeError("what a classifier is to read doesn't leave it room for one letter of the text")
    middle, overlap = len(parts) // 2, min(_OVERLAP, len(parts) // 8)
    halves = (parts[: middle + overlap], parts[middle - overlap :])
    return [window for half in halves for window in windows_of(gap.join(half), fits)]


def readable(text: str) -> str:
    """Text with spaces for zero bytes and halves of surrogate pairs, of which tokenizers take neither."""
    return "".join(" " if letter == "\0" or "\ud800" <= letter <= "\udfff" else letter for letter in text)
