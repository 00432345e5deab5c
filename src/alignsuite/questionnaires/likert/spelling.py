"""Spelling correction: a word to its sense on a scale, where only one reading is near.

What lies within reach of both `agree` and `disagree` (`sagree`) is neither: a reader that guesses there would turn answers round.
"""

from __future__ import annotations

from collections.abc import Mapping

from alignsuite.questionnaires.likert.patterns import patterns


class Speller:
    """Words and what they mean, slips included. It remembers what it has seen, within bounds.

    On a scale with two sides a word means `+` or `-`, a degree `1` to `3`, `0` for the middle, or `neither`; on others, a word of a label.
    """

    _MEMORY = 32768

    def __init__(self, known: Mapping[str, str]) -> None:
        self._known, self._seen = dict(known), dict(known)

    def sense(self, word: str) -> str:
        """The meaning of the word, or of the only one that it can be a slip of; empty when there is none."""
        found = self._seen.get(word)
        if found is None:
            if len(self._seen) > self._MEMORY:
                self._seen = dict(self._known)
            found = self._seen[word] = self._guess(word)
        return found

    def _guess(self, word: str) -> str:
        if not 4 <= len(word) <= 16 or word in patterns().no_slips or not word.isalpha():
            return ""
        near = {sense for one, sense in self._known.items() if _within_reach(word, one)}
        return near.pop() if len(near) == 1 else ""


def _within_reach(word: str, wanted: str) -> bool:
    """Whether a word is a slip of another: one in five letters or more, two from eight on.

    A slip is a letter more, less, changed, or two swapped.
    """
    limit = 0 if len(wanted) < 5 else 1 if len(wanted) < 8 else 2
    if not limit or abs(len(word) - len(wanted)) > limit or len(set(word) ^ set(wanted)) > 2 * limit:
        return False
    return _slips(word, wanted) <= limit


def _slips(one: str, other: str) -> int:
    """The optimal-string-alignment distance (Damerau 1964, adjacent letters swapped once)."""
    before, last = list[int](), list(range(len(other) + 1))
    for row, mine in enumerate(one, 1):
        line = [row]
        for column, theirs in enumerate(other, 1):
            best = min(last[column] + 1, line[-1] + 1, last[column - 1] + (mine != theirs))
            if row > 1 and column > 1 and mine == other[column - 2] and one[row - 2] == theirs:
                best = min(best, before[column - 2] + 1)
            line.append(best)
        before, last = last, line
    return last[-1]
