"""Tokenised reply: without what no reader would see as the answer, and cut into words, as `Tokens`.

What goes: colours of terminals and invisible characters, a reasoner's thoughts, unticked boxes, Markdown, and whatever a base model
invents after its answer (the next statement, the next turn). A reply is read in two windows, its beginning and its end, so that the work
is bounded however long it is.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Container, Sequence
from dataclasses import dataclass

from alignsuite.questionnaires.likert.patterns import patterns

MASK = "\x1a"
"""Stands where words were that are not the speaker's own. Cleaned text can't hold it."""

_HEAD, _TAIL = 2400, 800
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]{0,40}[ -/]{0,4}[@-~]|\][^\x07\x1b]{0,200}(?:\x07|\x1b\\)?|[@-Z\\-_])")
_INVISIBLE = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u2064\ufe0e\ufe0f\ufeff\ud800-\udfff]"
)
_STRAIGHT = str.maketrans(
    {"\u2018": "'", "\u2019": "'", "\u02bc": "'", "\u00b4": "'", "\u201c": '"', "\u201d": '"', "\u201e": '"', "\uff02": '"',
     "«": '"', "»": '"', "「": '"', "」": '"', "–": "-", "—": "-", "_": " ", "\r": "\n"}
)  # fmt: skip
_THOUGHTS = re.compile(r"(?is)^.*</think>|<think>.*")
_BOX_EMPTY = re.compile(r"(?m)^[^\w\n]*\[ ?\].*$")
_BOX_TICKED = re.compile(r"\[[xX✓✔]\]")
_OPEN_TAG, _CLOSE_TAG = re.compile(r"<(\w{1,20})>"), re.compile(r"</\w{1,20}>")
_MARKDOWN = re.compile(r"[*`~#>]+")
_ROLE = re.compile(r"(?i)\A\s*(?:assistant|ai|model|bot)\s*:")
_NEXT_ITEM = re.compile(
    r"(?i)(?:\A|\n)[ \t]*(?:statement|question|item|user|human|system|prompt|instructions?|q)[ \t]*\d*[ \t]*:[^\n]*"
)
_IDEOGRAPH = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af]")
_TOKEN = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*|(?<![\w)])-\d+(?:[.,]\d+)?|\d+(?:[.,]\d+)?|\n|[^\w\s]")
_PERSONS = {
    "you": "i", "your": "my", "yours": "mine", "yourself": "myself", "me": "i", "are": "am", "is": "am", "you're": "i'm", "you've": "i've",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Tokens:
    """A text cut into words, numbers, single marks and ends of lines. `words` are in lower case, `raw` as written."""

    text: str
    words: list[str]
    raw: list[str]
    starts: list[int]

    def is_word(self, place: int) -> bool:
        """Whether a word or a number stands there; a mask and a punctuation mark are none."""
        return self.words[place][-1].isalnum()


def cleaned(text: str) -> str:
    """The part of a reply that may hold the answer, in plain characters; empty when nothing is left."""
    if len(text) > _HEAD + _TAIL:
        text = f"{text[:_HEAD]}\n{text[-_TAIL:]}"
    text = unicodedata.normalize("NFKC", _INVISIBLE.sub("", _ESCAPES.sub("", text))).translate(_STRAIGHT)
    if "<" in text:
        text = _CLOSE_TAG.sub("\n", _OPEN_TAG.sub(r"\n\1: ", _THOUGHTS.sub("", text)))
    if "[" in text:
        text = _BOX_TICKED.sub("", _BOX_EMPTY.sub("", text))
    text = _ROLE.sub("", _MARKDOWN.sub("", text))
    return _without_next_items(text).strip()


def tokens(text: str) -> Tokens:
    """The words of a cleaned text.

    Set phrases are put into one word; in scripts without blanks each character is a word.
    """
    if not text.isascii():
        text = _IDEOGRAPH.sub(r" \g<0> ", text)
    low = text.lower()
    for phrase in patterns().phrases:
        if any(stem in low for stem in phrase.stems):
            text = phrase.pattern.sub(phrase.instead, text)
    found = list(_TOKEN.finditer(text))
    raw = [one.group() for one in found]
    return Tokens(text, [word.lower() for word in raw], raw, [one.start() for one in found])


def is_ideograph(word: str) -> bool:
    """Whether the word is one character of a script without blanks."""
    return _IDEOGRAPH.fullmatch(word) is not None


def mask_statement(words: list[str], statement: str) -> bool:
    """Mask the statement where it is restated.

    In full or from some word on to its end, also when turned from `I` to `you`.

    True when it stood there.
    """
    wanted = _statement_words(statement)
    if not wanted:
        return False
    need, found = max(3, -(-len(wanted) * 6 // 10)) if len(wanted) > 3 else len(wanted), False
    places = [place for place, word in enumerate(words) if word[0].isalnum()]
    spoken = [_PERSONS.get(words[place], words[place]) for place in places]
    for end, word in enumerate(spoken):
        if word != wanted[-1]:
            continue
        run = 0
        while run < min(len(wanted), end + 1) and spoken[end - run] == wanted[-1 - run]:
            run += 1
        if run >= need:
            found = True
            _mask(words, places[end - run + 1], places[end] + 1)
    return found


def quotations(words: Sequence[str], keys: Container[str]) -> list[tuple[int, int]]:
    """Where three words or more stand in quotation marks: places of the first and behind the last.

    None when nothing else was said; and no value behind one of the `keys`, as in `{"answer": "…"}`.
    """
    marks = [place for place, word in enumerate(words) if word == '"']
    spans = [(first + 1, last) for first, last in zip(marks[::2], marks[1::2], strict=False) if last - first > 3]
    quoted = {place for first, last in spans for place in range(first, last)}
    if not any(word[0].isalnum() for place, word in enumerate(words) if place not in quoted):
        return []
    return [(first, last) for first, last in spans if not _is_value(words[max(0, first - 6) : first - 1], keys)]


def _is_value(before: Sequence[str], keys: Container[str]) -> bool:
    telling = [word for word in before if word[0].isalnum() or word == ":"]
    return len(telling) > 1 and telling[-1] == ":" and telling[-2] in keys


def _mask(words: list[str], start: int, end: int) -> None:
    words[start:end] = [MASK] * (end - start)


@functools.lru_cache(maxsize=4096)
def _statement_words(statement: str) -> tuple[str, ...]:
    spoken = [word for word in tokens(cleaned(statement)).words if word[0].isalnum()]
    return tuple(_PERSONS.get(word, word) for word in spoken)


def _without_next_items(text: str) -> str:
    """The text up to an item or a turn that the model invented; one at the very beginning is only stepped over."""
    while (found := _NEXT_ITEM.search(text)) is not None:
        before = text[: found.start()]
        if any(map(str.isalnum, before)):
            return before
        text = text[found.end() :]
    return text
