"""Rating scale of named options, and the mentions of them in a text.

Labels such as `slightly disagree` are taken apart into a side and a degree, so that other words for the same are understood too. A scale
whose labels can't be taken apart (`never … always`, labels in another language) is matched word for word.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from alignsuite.questionnaires.likert.patterns import BARE, MIDDLING, STRONG, WEAK, Family, patterns
from alignsuite.questionnaires.likert.spelling import Speller
from alignsuite.questionnaires.likert.text import Tokens, is_ideograph, tokens

_REACH = 5  # words between a degree and its verb
_GAP = 4  # words inside a label that is matched word for word
_REASONS = frozenset({"because", "since", "as", "for", "here"})
_INSTEAD = {BARE: (), WEAK: (BARE, MIDDLING), MIDDLING: (BARE,), STRONG: (BARE,)}


@dataclass(frozen=True, slots=True)
class Mention:
    """A mention of an option: the words `start` to `end` (exclusive).

    `option` is None where they name a side (+1, -1) without saying how far.

    `kind` is `words`; `mark` for a letter or number that was shown; `points` for `4/5`; `number` for one that nobody showed.
    """

    start: int
    end: int
    option: int | None
    side: int = 0
    degree: int = BARE
    kind: Literal["words", "mark", "points", "number"] = "words"


@dataclass(frozen=True)
class Scale:
    """A rating scale: the options in the order shown, taken apart.

    `meanings` maps side and degree to an option (empty where labels are opaque); `middle` holds short forms of the middle's label.
    """

    options: tuple[str, ...]
    labels: tuple[tuple[str, ...], ...]
    family: Family | None
    meanings: Mapping[tuple[int, int], int]
    speller: Speller = field(repr=False)
    middle: tuple[tuple[str, ...], ...] = ()

    def mentions(self, text: Tokens) -> list[Mention]:
        """Every place that names an option, in the order of the text."""
        return list(self._by_meaning(text) if self.family else self._word_for_word(text))

    def option_of(self, side: int, degree: int) -> int | None:
        """The option of a side and a degree.

        Where the scale is coarser, the nearest that it has; None where that would be a guess.
        """
        for one in (degree, *_INSTEAD[degree]):
            if (side, one) in self.meanings:
                return self.meanings[side, one]
        return None

    def longer(self, mention: Mention) -> bool:
        """Whether some option begins with the mentioned option's words and goes on: `agree` in `agree a little`."""
        if mention.option is None:
            return True
        mine = self.labels[mention.option]
        return any(label[: len(mine)] == mine and label != mine for label in self.labels)

    def _by_meaning(self, text: Tokens) -> Iterator[Mention]:
        senses = list(map(self.speller.sense, text.words))
        reached = 0
        for place, sense in enumerate(senses):
            if place < reached or not (sense or self.middle):
                continue
            found = self._middle(text.words, place) or self._at(text.words, senses, place)
            if found is not None:
                reached = found.end
                yield found

    def _at(self, words: Sequence[str], senses: Sequence[str], place: int) -> Mention | None:
        if senses[place] == "neither":
            return self._neither(words, senses, place)
        if senses[place] == "0":
            return Mention(place, place + 1, self.meanings.get((0, BARE)))
        return self._sided(words, senses, place) if senses[place] in ("+", "-") else None

    def _middle(self, words: Sequence[str], place: int) -> Mention | None:
        """A short form of the middle's label that begins here."""
        for part in self.middle:
            if tuple(words[place : place + len(part)]) == part:
                return Mention(place, place + len(part), self.meanings[0, BARE])
        return None

    def _neither(self, words: Sequence[str], senses: Sequence[str], place: int) -> Mention | None:
        """The mention of `neither`, with the two sides behind it where they stand.

        Alone it must end its clause: `neither hot nor cold` is no answer.
        """
        end, seen, degrees = place + 1, set[str](), False
        for one in range(place + 1, min(place + 9, len(words))):
            if senses[one] in ("+", "-"):
                seen.add(senses[one])
                end = one + 1
                degrees = degrees or senses[one - 1] in (
                    "1",
                    "2",
                    "3",
                )  # neither fully agree nor fully disagree: anything between
            elif words[one] in ".!?;\n" or len(seen) == 2:
                break
        following = words[place + 1] if place + 1 < len(words) else "."
        if not seen and following[-1].isalnum() and following not in _REASONS:
            return None
        return Mention(place, end, None if degrees else self.meanings.get((0, BARE)))

    def _sided(self, words: Sequence[str], senses: Sequence[str], place: int) -> Mention | None:
        """`agree`, with its degree before or behind it."""
        assert self.family is not None
        side = 1 if senses[place] == "+" else -1
        start, degree = self._degree_before(words, senses, place)
        end = place + 1
        if words[place] in self.family.nouns and degree is None and "in" not in words[max(0, place - 2) : place]:
            return None
        if degree is None:
            end, degree = self._degree_behind(words, senses, place)
        return Mention(start, end, self.option_of(side, degree), side, degree)

    def _degree_before(self, words: Sequence[str], senses: Sequence[str], place: int) -> tuple[int, int | None]:
        for one in range(place - 1, max(-1, place - 1 - _REACH), -1):
            if senses[one] in ("1", "2", "3"):
                before = senses[one - 1] if one else ""
                return (one - 1 if before in ("1", "2", "3") else one), int(senses[one])
            if words[one] != "\n" and words[one] not in patterns().fillers:
                break
        return place, None

    def _degree_behind(self, words: Sequence[str], senses: Sequence[str], place: int) -> tuple[int, int]:
        for one in range(place + 1, min(place + 1 + _REACH, len(words))):
            if senses[one] in ("1", "2", "3"):
                ahead = next((sense for sense in senses[one + 1 : one + 3] if sense), "")
                if ahead in ("+", "-"):
                    break  # the degree of the next verb
                if ahead in ("1", "2", "3") and senses[one + 1] == ahead:
                    return one + 2, int(ahead)  # very strongly
                return one + 1, int(senses[one])
            if words[one] not in patterns().after and words[one] not in (",", "-"):
                break
        return place + 1, BARE

    def _word_for_word(self, text: Tokens) -> Iterator[Mention]:
        """Labels as written, the longest first, with a few words between and no negation among those."""
        words = [self.speller.sense(word) or word for word in text.words]
        taken: set[int] = set()
        found = []
        for option in sorted(range(len(self.labels)), key=lambda one: -len(self.labels[one])):
            for start in range(len(words)):
                end = _match(words, start, self.labels[option])
                if end and not taken & set(range(start, end)):
                    taken |= set(range(start, end))
                    found.append(Mention(start, end, option))
        return iter(sorted(found, key=lambda one: one.start))


def _match(words: Sequence[str], start: int, label: Sequence[str]) -> int:
    """Where the label that begins at `start` ends; 0 when it doesn't stand there."""
    if words[start] != label[0]:
        return 0
    place, gaps = start + 1, 0
    for wanted in label[1:]:
        while place < len(words) and words[place] != wanted:
            gaps += 1
            inner = words[place]
            if (
                gaps > _GAP
                or is_ideograph(inner)
                or inner in patterns().other_negators
                or (not inner[-1].isalnum() and inner != ",")
            ):
                return 0
            place += 1
        if place == len(words):
            return 0
        place += 1
    return place


@functools.lru_cache(maxsize=256)
def compile_scale(options: tuple[str, ...]) -> Scale:
    """The scale of these labels. Cheap the second time, so that every order of a questionnaire may have its own."""
    labels = tuple(_label(option) for option in options)
    family = max(patterns().families, key=lambda one: sum(bool((one.yes | one.no) & set(label)) for label in labels))
    meanings: dict[tuple[int, int], int] = {}
    for index, label in enumerate(labels):
        meaning = _meaning(label, family)
        if meaning is None or meaning in meanings:
            return Scale(options, labels, None, {}, Speller({word: word for label in labels for word in label}))
        meanings[meaning] = index
    middle = re.split(r"[,;/]|\bor\b", options[meanings[0, BARE]].lower()) if (0, BARE) in meanings else []
    parts = tuple(part for part in map(_label, middle) if len(part) > 1 and part[0] != "neither")
    return Scale(options, labels, family, meanings, _english(family), parts)


def _label(option: str) -> tuple[str, ...]:
    return tuple(word for word in tokens(option.lower()).words if word[0].isalnum())


def _meaning(label: Sequence[str], family: Family) -> tuple[int, int] | None:
    """Side and degree of a label; None for one that has neither.

    (1, WEAK) for `slightly agree`, (0, BARE) for the middle.
    """
    words = set(label)
    yes, no = bool(words & family.yes), bool(words & family.no)
    if (yes and no) or "neither" in words or words & patterns().middle:
        return 0, BARE
    if yes == no:
        return None
    degree = next((one for one, known in patterns().by_degree.items() if words & known), BARE)
    return (1 if yes else -1), degree


@functools.cache
def _english(family: Family) -> Speller:
    """Each word that means something on a scale of this family → its sense."""
    words = {word: "+" for word in family.yes} | {word: "-" for word in family.no} | {"neither": "neither"}
    words |= {word: str(degree) for degree, known in patterns().by_degree.items() for word in known}
    return Speller(words | {word: "0" for word in patterns().middle})
