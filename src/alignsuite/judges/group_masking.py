"""Group masking: a text without the words that tell which group it is about.

A judge that understands names can't be swayed by what it doesn't see.

A case names the words (`Exchange.hidden`); here they are found in every form in which a reply is likely to repeat them: capitals or not,
accents or not, plural, possessive, with a hyphen for a space, with the kin of a group's name (`Jewish`: `Jews`, `Judaism`). All become
one placeholder, so two replies that differ in nothing else are one text to the judge.

What remains: pronouns, and allusions that no list holds (`your mosque`). Words of other languages are found as they are written, with the
prefixes that Arabic and Hebrew put before a name.
"""

from __future__ import annotations

import functools
import re
import unicodedata

PLACEHOLDER = "[…]"

_KIN = (
    ("muslim", "islam", "islamic", "mohammedan"),
    ("jewish", "jew", "judaism", "hebrew"),
    ("christian", "christianity", "catholic", "protestant"),
    ("hindu", "hinduism"),
    ("not religious", "atheist", "atheism", "agnostic", "without religion", "religion", "religious"),
    ("black", "african american", "afro-american"),
    ("white", "caucasian"),
    ("asian", "asian american", "asia"),
    ("hispanic", "latino", "latina", "latinx"),
    ("american", "america", "united states", "usa"),
    ("chinese", "china"),
    ("mexican", "mexico"),
    ("nigerian", "nigeria"),
    ("polish", "pole", "poland"),
    ("turkish", "turk", "turkey"),
    ("man", "men", "male"),
    ("woman", "women", "female"),
    ("transgender", "trans"),
    ("non binary", "nonbinary"),
    ("gay", "homosexual"),
    ("straight", "heterosexual"),
    ("bisexual", "bi"),
    ("blind", "blindness"),
    ("deaf", "deafness"),
    ("autistic", "autism", "autism spectrum"),
    ("bipolar", "bipolar disorder"),
    ("wheelchair user", "wheelchair"),
    ("poor", "poverty"),
    ("wealthy", "wealth", "rich"),
    ("about 20", "twenties", "20 years old"),
    ("about 35", "thirties", "35 years old"),
    ("about 55", "fifties", "55 years old"),
    ("about 72", "seventies", "72 years old"),
)
"""Words that give each other away; who knows one of a row takes out all of it."""

_JOINTS = r"[\s_\-\u2010-\u2015]+"
_APOSTROPHES = r"['\u2019\u02bc]"
# `\w` leaves out the vowel signs of Indic scripts and the points of Hebrew and Arabic, which stand inside words all the same.
_INSIDE = r"[\w\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u0900-\u0963\u0966-\u0dff]"
_ENDING = rf"(?:{_APOSTROPHES}s|s{_APOSTROPHES}|{_APOSTROPHES}(?=[\s.,;:!?)]|$)|es|s)?"
_PROCLITICS = {"ARABIC": "[\u0648\u0641\u0628\u0643\u0644]?(?:\u0627\u0644)?\u0644?", "HEBREW": "[הובכלמש]{0,2}"}
_WITHOUT_BORDERS = ("CJK", "HIRAGANA", "KATAKANA", "HANGUL", "THAI", "LAO", "KHMER", "MYANMAR")
_WITH_ENDINGS = ("LATIN", "GREEK", "CYRILLIC")
_RUN = re.compile(rf"{re.escape(PLACEHOLDER)}(?:[\s-]+{re.escape(PLACEHOLDER)})+")
_ARTICLE = re.compile(rf"\b([Aa])n(?=\s+{re.escape(PLACEHOLDER)})")


def hide(text: str, words: tuple[str, ...]) -> str:
    """The masked text: every form of the words replaced by `PLACEHOLDER`.

    Several side by side become one, and `an` before it `a`.

    >>> hide("Amina's aunt is an Omani. AMINA knows.", ("Amina", "Omani"))
    '[…] aunt is a […]. […] knows.'
    """
    text = unicodedata.normalize("NFC", text)
    bare = _without_accents(text)  # as long as the text, so places in it are places in the text
    spans = sorted(found.span() for pattern in _patterns(words) for found in pattern.finditer(bare))
    pieces, end = [], 0
    for first, last in spans:
        if first >= end:
            pieces += [text[end:first], PLACEHOLDER]
        end = max(end, last)
    hidden = "".join([*pieces, text[end:]])
    return _ARTICLE.sub(r"\1", _RUN.sub(PLACEHOLDER, hidden))


@functools.lru_cache(maxsize=1024)
def _patterns(words: tuple[str, ...]) -> tuple[re.Pattern[str], ...]:
    plain = {_plain(word) for word in words}
    plain |= {kin for row in _KIN if plain & set(row) for kin in row}
    return tuple(_forms(word) for word in sorted(plain - {""}))


def _plain(word: str) -> str:
    folded = _without_accents(unicodedata.normalize("NFC", word)).lower()
    return " ".join(re.split(r"[\s_\-\u2010-\u2015]+", folded)).strip()


@functools.lru_cache(maxsize=4096)
def _forms(word: str) -> re.Pattern[str]:
    """A word or words as a pattern: whole words, in the forms that its script knows."""
    spelt = _JOINTS.join(re.sub("['’ʼ]", lambda _: _APOSTROPHES, re.escape(part)) for part in word.split(" "))
    script, last = _script(word[0]), _script(word[-1])
    before = "" if script in _WITHOUT_BORDERS else rf"(?<!{_INSIDE})" + _PROCLITICS.get(script, "")
    ending = _ENDING if last in _WITH_ENDINGS else ""
    after = "" if last in _WITHOUT_BORDERS else rf"(?!{_INSIDE})"
    return re.compile(f"{before}{spelt}{ending}{after}", re.IGNORECASE)


def _script(letter: str) -> str:
    return unicodedata.name(letter, "").partition(" ")[0]


def _without_accents(text: str) -> str:
    """The same text, as long as before, without the accents of Latin, Greek and Cyrillic letters."""
    if text.isascii():
        return text
    return "".join(map(_bare, text))


@functools.lru_cache(maxsize=4096)
def _bare(letter: str) -> str:
    return unicodedata.normalize("NFD", letter)[0] if _script(letter) in _WITH_ENDINGS else letter
