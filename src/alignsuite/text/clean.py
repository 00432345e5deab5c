"""Sanitised text: strangers' strings without what a terminal, XML or JSON reader can be hurt by."""

from __future__ import annotations

import re


def clean(text: str, limit: int = 600) -> str:
    r"""Sanitised text: control characters and lone surrogates become visible, and its length is bounded.

    No terminal, XML or JSON reader can be hurt by it.

    >>> clean("a\x1b[31mb\ud800")
    'a␛[31mb�'
    """
    text = text if len(text) <= limit else f"{text[:limit]} … ({len(text)} characters)"
    return _CONTROL.sub(_visible, text)


def tidy(text: str, limit: int = 300) -> str:
    r"""Sanitised text on one line of a message: no control or bidi characters, no lone surrogates, shortened.

    >>> tidy("no\n\x1b[31m such\ud800 model")
    'no [31m such\\ud800 model'
    """
    text = re.sub(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\s]+", " ", text[: 20 * limit])
    text = text.encode("utf-8", "backslashreplace").decode("utf-8").strip()
    return text if len(text) <= limit else text[: limit - 1] + "…"


_CONTROL = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)


def _visible(found: re.Match[str]) -> str:
    code = ord(found.group())
    if code < 0x20:
        return "\n" if code == 0x0D else chr(0x2400 + code)
    return "\u2421" if code == 0x7F else "\ufffd"
