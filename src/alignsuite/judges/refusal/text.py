"""Normalised text: a reply as clauses in plain spelling, only the speaker's own words, from two windows.

A reply is read in its first 6 000 characters and its last 2 000, so the work is bounded however long it is; what stands between
goes unseen. Quotation marks are straightened, Markdown is dropped and English contractions are made alike (`cannot`, `can not`,
`cant` → `can't`; `I am` → `i'm`), so that each pattern is written once.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from dataclasses import dataclass

_HEAD, _TAIL = 6000, 2000
_PROMPT = 4000

_QUOTED = re.compile(
    r'"[^"\n]{1,800}"|«[^»\n]{1,800}»|»[^«\n]{1,800}«|「[^」\n]{1,800}」|„[^"\n]{1,800}"|(?<!\w)\'(?:[^\n\']|(?<=\w)\'(?=\w)){1,200}\'(?!\w)'
)
_CODE = re.compile(r"```[^`]{0,2000}```|`[^`\n]{1,200}`")
_CLAUSE_END = re.compile(
    r"(?<=[.!?…;])(?<!\s\d\.)(?<!\s\d\d\.)\s+|(?<=[。！？।؟；])|\n+|(?<=[,\w])(?<!help)\s+(?=(?:but|yet)\b)"
    r"|(?<=[,،])\s{0,2}(?=(?:(?:pero|aber|mais)\b|لكن|ولكن|但|不过|पर |लेकिन))"
)
_ASCII_CLAUSE_END = re.compile(
    r"\s(?:(?<=[.!?;]\s)(?<!\s\d\.\s)(?<!\s\d\d\.\s)\s*|(?<=\n)\n*|(?<=[,\w]\s)(?<!help\s)\s*(?=(?:but|yet)\b))"
)
"""The same for plain English. White space comes first, so that no other place is looked at."""
_BUT = re.compile("pero|aber|mais")
_SPEAKER = re.compile(r"(?m)^[ \t]{0,4}(?:[A-Z][\w'.]{1,20}(?: [A-Z][\w'.]{1,20})?:|[–—-] ).{0,800}$")
_ROLE = re.compile(r"^(?:system|user|assistant): ", re.MULTILINE)
_MARKDOWN = re.compile(r"[*_~#>|\u200b-\u200f\u2060\ufeff]+")
_ASCII_MARKS = "*_~#>|"
_STRAIGHT = str.maketrans("\u2018\u2019\u02bc\u00b4\u201c\u201d\u201f\uff02", "''''\"\"\"\"")
_SHORT_FORMS = {
    "i will not": "i won't", "i would not": "i wouldn't",
    "cannot": "can't", "can not": "can't", "cant": "can't", "ca n't": "can't", "will not": "won't", "wont": "won't", "wo n't": "won't",
    "do not": "don't", "dont": "don't", "do n't": "don't", "does not": "doesn't", "is not": "isn't", "are not": "aren't", "i am": "i'm",
    "im": "i'm", "it is": "it's", "that is": "that's", "there is": "there's", "we are": "we're", "could not": "couldn't",
    "would not": "wouldn't", "should not": "shouldn't", "must not": "mustn't", "i would": "i'd", "i will": "i'll",
    "you are": "you're", "shall not": "shan't", "did not": "didn't",
}  # fmt: skip
_LONG_FORM = re.compile(rf"\b(?:{'|'.join(_SHORT_FORMS)})\b")
_LONG_STEMS = (
    "not", " n't", "cant", "wont", "dont", "im",
    "i am", "it is", "that is", "there is", "we are", "i would", "i will", "you are",
)  # fmt: skip
"""Every long form holds one of these, so most texts are spared the search."""


@dataclass(frozen=True, slots=True)
class Clause:
    """A sentence, or what stands before or after a `but`: as written, and as patterns read it."""

    shown: str
    plain: str


@functools.lru_cache(maxsize=1024)
def plain_prompt(prompt: str) -> str:
    """A prompt without role names, in plain spelling; its case is kept."""
    return _straight(_ROLE.sub("", prompt[:_PROMPT]))


def window(text: str) -> str:
    """The beginning and the end of a reply, in plain spelling. Code is kept, since a refusal may stand in it."""
    if len(text) > _HEAD + _TAIL:
        text = f"{text[:_HEAD]}\n{text[-_TAIL:]}"
    return _straight(text)


def without_code(text: str) -> str:
    """The reply without code; all of it when nothing else is there."""
    if "`" not in text:
        return text
    bare = _CODE.sub(" ", text)
    return bare.replace("`", "") if has_words(bare) else text.replace("`", "")


def without_echo(text: str, prompt: str) -> str:
    """The reply without the lines of the prompt."""
    for line in prompt.splitlines():
        if len(line) >= 15:
            text = text.replace(line, " ")
    return text


def without_quotes(text: str) -> str:
    """The reply without what stands in quotation marks; all of it when nothing else is there."""
    bare = _QUOTED.sub(' "…" ', text)
    return bare if has_words(bare) else text


def without_speakers(text: str) -> str:
    """A dialogue without what its persons say (`Guard: No.`), if there are two lines of that or more."""
    bare, count = _SPEAKER.subn(" ", text)
    return bare if count > 1 and has_words(bare) else text if count < 2 else ""


def clauses(text: str) -> list[Clause]:
    """The clauses of a reply that hold words, in order."""
    end = _ASCII_CLAUSE_END if text.isascii() and not _BUT.search(text) else _CLAUSE_END
    return [Clause(part.strip(), plain(part)) for part in end.split("\n" + text) if part and has_words(part)]


def plain(text: str) -> str:
    """Lower case, single spaces, and one spelling for each contraction."""
    text = " ".join(text.lower().split())
    for stem in _LONG_STEMS:
        if stem in text:
            return _LONG_FORM.sub(lambda found: _SHORT_FORMS[found.group()], text)
    return text


def has_words(text: str) -> bool:
    """Whether there is a letter or a digit."""
    return any(map(str.isalnum, text))


def babbles(text: str) -> bool:
    """Whether the text is a few words over and over, as untrained models write."""
    words = text.lower().split()
    return len(words) >= 10 and len(set(words)) <= max(3, len(words) // 5)


def clip(text: str) -> str:
    """At most 200 characters on one line."""
    text = " ".join(text.split())
    return text if len(text) <= 200 else f"{text[:199]}…"


def _straight(text: str) -> str:
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text).translate(_STRAIGHT)
    elif not any(mark in text for mark in _ASCII_MARKS):
        return text
    return _MARKDOWN.sub("", text)
