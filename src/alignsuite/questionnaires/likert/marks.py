"""Response labels: letters and numbers in place of an option's words (`(b)`, `4/5`), as mentions.

A mark that was shown stands for the option behind it, in the order shown. A number that nobody showed could be a place or a value: it
is read only where both are the same option, or where it is said out of how many. An article is no letter, a fraction of something
else no answer.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

from alignsuite.questionnaires.likert.patterns import SILENT, patterns
from alignsuite.questionnaires.likert.scale import Mention
from alignsuite.questionnaires.likert.text import Tokens

_MORE_CUES = frozenset({"say", "lean"})
_REACH = 5
_BEHIND_A = frozenset({"because", "since", "as", "for", "and", "or", "but", "not", "over"})
_ORDINALS = {"first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7}
_CARDINALS = {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7}
_NUMERALS = _ORDINALS.keys() | _CARDINALS.keys()


@dataclass(frozen=True)
class MarkReader:
    """Finder of a scale's marks.

    `marks` were shown before the options (none, letters or numbers); `points` are what the options are worth.
    """

    count: int
    marks: tuple[str, ...] = ()
    points: tuple[float, ...] = ()

    def mentions(self, text: Tokens, taken: Sequence[Mention]) -> list[Mention]:
        """Marks that stand for an answer, in the order of the text; `taken` are the options named in words."""
        starts = {one.start for one in taken}
        found, reached = [], 0
        for place, word in enumerate(text.words):
            if place < reached or not (len(word) == 1 or word in _NUMERALS or word[0].isdecimal()):
                continue
            one = self._at(text, place, starts)
            if one is not None:
                reached = one.end
                if one.option is not None:
                    found.append(one)
        return found

    def _at(self, text: Tokens, place: int, starts: set[int]) -> Mention | None:
        word = text.words[place]
        if self._digits and word in _CARDINALS and self._stands_out(text, place, starts):
            return Mention(place, place + 1, self._digits.get(str(_CARDINALS[word])), kind="mark")
        if word[0].isdecimal():
            return self._fraction(text.words, place) or self._number(text, place, starts)
        if word in _ORDINALS and text.words[place + 1 : place + 2] in (["option"], ["one"], ["choice"]):
            return Mention(place, place + 2, self._nth(_ORDINALS[word]), kind="points")
        if word not in self._letters or not self._is_letter(text, place, starts):
            return None
        return Mention(place, place + 1, self._letters[word], kind="mark")

    @functools.cached_property
    def _letters(self) -> dict[str, int]:
        return {mark.lower(): index for index, mark in enumerate(self.marks) if mark.isalpha()}

    @functools.cached_property
    def _digits(self) -> dict[str, int]:
        return {mark: index for index, mark in enumerate(self.marks) if mark.isdecimal()}

    def _nth(self, number: int) -> int | None:
        return number - 1 if number <= self.count else None

    def _fraction(self, words: Sequence[str], place: int) -> Mention | None:
        """The option of `4/5` or `4 out of 5`: that many points, if the scale has them.

        `3 of 4` is taken as a fraction of something else.
        """
        for link in (("/",), ("out", "of"), ("of",)):
            end = place + 2 + len(link)
            if tuple(words[place + 1 : end - 1]) == link and words[end - 1 : end] and words[end - 1][0].isdecimal():
                fits = link != ("of",) and bool(self.points) and words[end - 1] == f"{max(self.points):g}"
                values = [f"{value:g}" for value in self.points]
                option = values.index(words[place]) if fits and words[place] in values else None
                return Mention(place, end, option, kind="points")
        return None

    def _number(self, text: Tokens, place: int, starts: set[int]) -> Mention | None:
        word = text.words[place]
        if word in self.marks:
            if self._stands_out(text, place, starts) or self._has_cue(text.words, place):
                return Mention(place, place + 1, self.marks.index(word), kind="mark")
            return None
        if self._digits or not word.isdecimal():
            return None
        if text.words[max(0, place - 1) : place] == ["option"]:
            return Mention(place, place + 1, self._nth(int(word[:3])), kind="points")
        index = int(word[:3]) - 1
        same = 0 <= index < len(self.points) and self.points[index] == index + 1
        if same and (self._stands_out(text, place, starts) or self._has_cue(text.words, place)):
            return Mention(place, place + 1, index, kind="number")
        return None

    def _is_letter(self, text: Tokens, place: int, starts: set[int]) -> bool:
        if self._stands_out(text, place, starts):
            return True
        following = text.words[place + 1] if place + 1 < len(text.words) else "."
        article = text.words[place] == "a" and following[0].isalnum() and following not in _BEHIND_A
        return text.raw[place].isupper() and not article and self._has_cue(text.words, place)

    def _stands_out(self, text: Tokens, place: int, starts: set[int]) -> bool:
        """Whether a mark stands out.

        In brackets, alone between two marks of punctuation, or right before its option at the beginning of a sentence.
        """
        words = text.words
        before, after = place - 1, place + 1
        bracketed = words[after : after + 1] == [")"]
        while before >= 0 and words[before] in SILENT:
            before -= 1
        while after < len(words) and words[after] in SILENT:
            after += 1
        begins = before < 0 or not (words[before][-1].isalnum() or words[before] in ",/")
        ends = after == len(words) or not (words[after][-1].isalnum() or words[after] == "/")
        if ends and after < len(words) and words[after] == ",":
            ends = before < 0
        opened = words[place - 1 : place] in (["("], ["["]) if place else False
        return (bracketed and (begins or opened)) or (begins and (ends or after in starts))

    def _has_cue(self, words: Sequence[str], place: int) -> bool:
        for one in range(place - 1, max(-1, place - 1 - _REACH), -1):
            if words[one] in patterns().decided or words[one] in _MORE_CUES:
                return True
            if words[one] in ".!?;\n,":
                return False
        return False
