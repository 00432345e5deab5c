"""Perturbation by typing errors, at a published rate and in words that can bear them.

A sentence gets one slip, a sentence of ten words or more gets two, each in another word. A slip doubles a letter, swaps two,
hits the key beside one, or drops one. The shorter the word, the milder the slip, since short words are seldom more than one
letter away from another word: four letters are only doubled, five doubled or swapped, six or more bear everything.

Only words of four letters or more, all in small letters, can slip, and never in their first letter: people read such words
without effort, and names (capitalised), numbers and the small words that carry the logic of a question ("not", "or") stay
as they are.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from typing import TypeVar

_SENTENCE = re.compile(r"[^.!?\n]+[.!?]*\n*|[.!?\n]+")
_TOKEN = re.compile(r"\S+")
_WORD = re.compile(r"[^\w@#/\\]*([^\W\d_]+)[^\w@#/\\]*\Z")
_LEAST_LETTERS = 4
_LONG_SENTENCE = 10

_BESIDE = {
    "a": "sq", "b": "vn", "c": "xv", "d": "sf", "e": "wr", "f": "dg", "g": "fh", "h": "gj", "i": "uo", "j": "hk",
    "k": "jl", "l": "k", "m": "n", "n": "bm", "o": "ip", "p": "o", "q": "w", "r": "et", "s": "ad", "t": "ry",
    "u": "yi", "v": "cb", "w": "qe", "x": "zc", "y": "tu", "z": "x",
}  # fmt: skip

_OTHER_WORDS = frozenset([
    "angel", "angle", "barred", "bleed", "board", "breed", "broad", "bugger", "cannon", "casual", "causal",
    "choose", "comma", "county", "curse", "dairy", "dessert", "diary", "dinner", "exist", "exits", "felt",
    "field", "fiend", "filed", "files", "filling", "flies", "fried", "hoping", "hopping", "later", "latter",
    "loose", "marital", "martial", "mater", "matted", "months", "moths", "pants", "planed", "planned", "pubic",
    "quiet", "quite", "robbed", "sacred", "scared", "scarred", "shoot", "silver", "sliver", "speed", "spilt",
    "split", "starring", "steep", "stoop", "super", "supper", "tapping", "there", "though", "three", "through",
    "tired", "trail", "trial", "tried", "trough", "unite", "united", "untie", "untied", "widow", "winning",
])  # fmt: skip
"""Words that one slip could make of another word and that would be read as themselves. English; a person reads the rest."""

_RUDE = re.compile("cunt|fuck|shit")
"""What `country` or `shirts` must not slip into: the reply would be about that."""

T = TypeVar("T")


def misspell(text: str, seed: str) -> str:
    """Text with one or two typing errors in each sentence that has a word for it.

    >>> misspell("Which planet is closest to the sun?", "1") == misspell("Which planet is closest to the sun?", "1")
    True
    """
    dice = _Dice(f"{seed}\n{text}")
    taken = {word.lower() for word in re.findall(r"[^\W\d_]+", text)}
    return "".join(_slip_in_sentence(sentence, dice, taken) for sentence in _SENTENCE.findall(text))


class _Dice:
    """Choices drawn from a hash: the same on every machine and in every version of Python."""

    def __init__(self, seed: str) -> None:
        self._seed = seed
        self._drawn = 0

    def pick(self, choices: Sequence[T]) -> T:
        self._drawn += 1
        digest = hashlib.sha256(f"{self._seed}\n{self._drawn}".encode()).digest()
        return choices[int.from_bytes(digest[:8], "big") % len(choices)]


def _slip_in_sentence(sentence: str, dice: _Dice, taken: set[str]) -> str:
    places = list(_able(sentence))
    words = len(_TOKEN.findall(sentence))
    for _ in range(min(len(places), 2 if words >= _LONG_SENTENCE else 1)):
        start, end = places.pop(places.index(dice.pick(places)))
        slipped = _slip(sentence[start:end], dice, taken)
        shift = len(slipped) - (end - start)
        sentence = sentence[:start] + slipped + sentence[end:]
        places = [(a + shift, b + shift) if a > start else (a, b) for a, b in places]
    return sentence


def _able(sentence: str) -> Iterator[tuple[int, int]]:
    for token in _TOKEN.finditer(sentence):
        found = _WORD.match(token.group())
        if found and found.group(1).islower() and len(found.group(1)) >= _LEAST_LETTERS:
            yield token.start() + found.start(1), token.start() + found.end(1)


def _slip(word: str, dice: _Dice, taken: set[str]) -> str:
    """Word with one typing error; never another word of the same text, which could turn the question round."""
    barred = taken | _OTHER_WORDS
    slips = [[one for one in made if one not in barred and not _RUDE.search(one)] for made in _slips(word)]
    return dice.pick(dice.pick([made for made in slips if made]))


def _slips(word: str) -> list[list[str]]:
    """Variants of the word by each kind of typing error, as far as its length bears that kind."""
    inner = range(1, len(word))
    kinds = [
        [word[:i] + word[i] + word[i:] for i in inner],
        [word[:i] + word[i + 1] + word[i] + word[i + 2 :] for i in inner[:-1] if word[i] != word[i + 1]],
        [word[:i] + key + word[i + 1 :] for i in inner for key in _BESIDE.get(word[i], "")],
        [word[:i] + word[i + 1 :] for i in inner],
    ]
    return kinds[: {4: 1, 5: 2}.get(len(word), 4)]
