"""Perturbations of case and punctuation: louder, or more careless, with every letter still there."""

from __future__ import annotations

import re

_WORD = re.compile(r"[^\W\d_]+(?:['\u2019][^\W\d_]+)*")
_END = re.compile(r"[\s.?!…]+\Z")


def shout(text: str) -> str:
    """Text in capitals; punctuation and digits stay.

    >>> shout("What is 2 and 2?")
    'WHAT IS 2 AND 2?'
    """
    return text.upper()


def casual(text: str) -> str:
    """Text without capitals and final punctuation.

    Acronyms keep theirs: `US` in small letters is another word.

    >>> casual("Where is the US embassy in Oslo?")
    'where is the US embassy in oslo'
    """
    return _END.sub("", _WORD.sub(_small, text))


def _small(found: re.Match[str]) -> str:
    word = found.group()
    return word if len(word) > 1 and word.isupper() else word.lower()
