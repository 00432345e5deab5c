"""Fingerprints of statements: a keyed digest by which a wording is recognised without being carried along.

The published questionnaires belong to others, so their sentences are not in this project. A hash of each is: enough to say
whether a line of somebody's file is that very statement, too little to read it. What a typist may change without changing
the statement (capitals, spaces, curly quotes, a full stop at the end) does not change the fingerprint; a word does.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterable

_DIGITS = 12
_STRAIGHT = str.maketrans({"’": "'", "‘": "'", "ʼ": "'", "“": '"', "”": '"', "„": '"'})


def normalised(text: str) -> str:
    """A statement as it is compared: NFKC, straight quotes, case folded, single spaces, no punctuation at the end.

    >>> normalised("  Keeps  THEIR word. ")
    'keeps their word'
    """
    plain = " ".join(unicodedata.normalize("NFKC", text).translate(_STRAIGHT).casefold().split())
    while plain and unicodedata.category(plain[-1])[0] in "PZ":
        plain = plain[:-1]
    return plain


def fingerprint(text: str) -> str:
    """The first 12 hexadecimal digits of the SHA-256 of the normalised statement, as UTF-8.

    >>> fingerprint("Keeps their word.") == fingerprint("keeps their word") != fingerprint("Keeps her word.")
    True
    """
    return hashlib.sha256(normalised(text).encode()).hexdigest()[:_DIGITS]


def digest(texts: Iterable[str]) -> str:
    """One fingerprint for a whole wording, in the order of the key."""
    return hashlib.sha256(" ".join(fingerprint(text) for text in texts).encode()).hexdigest()[:_DIGITS]
