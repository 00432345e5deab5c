"""Words of a prompt and a reply: what the prompt asks for, and what the reply adds to it."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

WINDOW = 4000
"""Characters of a reply and of a prompt that are looked at."""
_PAGE = 60  # words by which English is known

_UNSPACED = r"\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"  # kana, Han and Hangul: each character is a word
_WORD = re.compile(rf"[{_UNSPACED}]|[^\W{_UNSPACED}]{{1,40}}(?:['’][^\W{_UNSPACED}]{{1,3}})?")
_POSSESSIVE = re.compile(r"['’]s$|['’]$")
_ENDS = re.compile(r"[.?!:…。？！؟।][\s\"'”»)]*$")
_STEM = 5


@dataclass(frozen=True, eq=False)
class StatusWords:
    """Lists as the file has them, each explained there."""

    small: frozenset[str]
    english: frozenset[str]
    english_asking: frozenset[str]
    talk: frozenset[str]
    frame: re.Pattern[str]
    nothing: re.Pattern[str]
    open: re.Pattern[str]
    named: re.Pattern[str]
    own_words: re.Pattern[str]
    arranges: re.Pattern[str]
    yes_or_no: re.Pattern[str]
    number: re.Pattern[str]
    wants_questions: re.Pattern[str]
    wants_text: re.Pattern[str]
    wants_rest: re.Pattern[str]
    wants_odd_text: re.Pattern[str]
    clarify: re.Pattern[str]
    addresses: re.Pattern[str]
    about_text: re.Pattern[str]
    suggests: re.Pattern[str]
    refuses: re.Pattern[str]
    languages: re.Pattern[str]


@functools.cache
def status_words() -> StatusWords:
    """The lists, read once."""
    from alignsuite.judges.word_lists import read_word_lists

    return read_word_lists(Path(__file__).with_name("response_status.yaml"), StatusWords)


def words_of(text: str) -> list[str]:
    """Words of a text's beginning, in lower case and in order."""
    return _WORD.findall(text[:WINDOW].lower().replace("’", "'"))


def plainly_english(words: Sequence[str]) -> bool:
    """Whether the first of some words have so much of English grammar among them that nothing has to be weighed."""
    first = words[:_PAGE]
    found = [word for word in first if word in status_words().english]
    return len(set(found)) > 2 and 5 * len(found) > len(first)


def stem(word: str) -> str:
    """Beginning of a word by which two forms of it are one.

    >>> stem("frightens") == stem("frighten"), stem("tube") == stem("tent")
    (True, False)
    """
    word = _POSSESSIVE.sub("", word)
    return word[:_STEM] if len(word) > _STEM else word.removesuffix("s") or word


def content(words: Sequence[str]) -> list[str]:
    """Words that say something of their own: neither grammar nor talk about the asking."""
    lists = status_words()
    return [word for word in words if word not in lists.small and word not in lists.talk]


@dataclass(frozen=True, eq=False)
class Asked:
    """What a prompt asks for, as far as its words tell.

    Attributes:
        text: in lower case; `words` of it.
        asks: it wants something; a mere remark doesn't, and may be met by a question.
        open: an answer has to bring something of its own; `arranges`: it may be the prompt's words in another order.
        named: something with a name is asked for, a place or a time.
        continues: a raw text that stops in the middle, so that anything may follow; `wants_rest`: it asks for the rest of one.
    """

    text: str
    words: tuple[str, ...]
    asks: bool
    open: bool
    named: bool
    arranges: bool
    yes_or_no: bool
    number: bool
    wants_questions: bool
    wants_text: bool
    wants_rest: bool
    wants_odd_text: bool
    wants_language: bool
    continues: bool

    @functools.cached_property
    def stems(self) -> frozenset[str]:
        """Stems of its words."""
        return frozenset(map(stem, self.words))

    @functools.cached_property
    def pairs(self) -> frozenset[tuple[str, str]]:
        """Pairs of neighbouring words."""
        return frozenset(pairwise(self.words))

    @functools.cached_property
    def content(self) -> frozenset[str]:
        """Stems of the words that say what it is about."""
        return frozenset(map(stem, content(self.words)))

    @functools.cached_property
    def is_english(self) -> bool:
        """Whether there is English grammar among its words."""
        return not (status_words().english | status_words().english_asking).isdisjoint(self.words)

    def added_by(self, words: Sequence[str]) -> list[str]:
        """Words of content in a reply that the prompt has not."""
        return [word for word in content(words) if stem(word) not in self.stems]


@functools.lru_cache(maxsize=1024)
def asked_in(text: str, *, raw: bool) -> Asked:
    """`Asked` of a prompt's last turn, or of a raw text."""
    lists, text = status_words(), text[-WINDOW:].lower().replace("’", "'")
    opens, wants_text = lists.open.search(text) is not None, lists.wants_text.search(text) is not None

    def said(pattern: re.Pattern[str]) -> bool:
        return pattern.search(text) is not None

    return Asked(
        text=text, words=tuple(words_of(text)), asks=opens or wants_text or "?" in text, open=opens and not said(lists.own_words),
        named=said(lists.named), arranges=said(lists.arranges), yes_or_no=said(lists.yes_or_no), number=said(lists.number),
        wants_questions=said(lists.wants_questions), wants_text=wants_text, wants_rest=said(lists.wants_rest),
        wants_odd_text=said(lists.wants_odd_text), wants_language=said(lists.languages),
        continues=raw and not _ENDS.search(text),
    )  # fmt: skip
