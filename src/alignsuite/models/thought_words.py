"""Thoughts told by words alone: by the headings of two families, and by how a text begins that a limit cut.

A server without a parser for its model sends a thought that the template opened with no mark before its end. Where the limit cut that
end off, nothing but the words show it: the writer speaks of the user, or of what it has to write. Such a text would be judged as the
reply. Only its first words are looked at, and only of a text that was cut: a whole one that begins so got to where it meant to be.
"""

from __future__ import annotations

import re

Pieces = list[tuple[bool, str]]
"""Pieces of a text in their order, each with whether it is a thought."""

HEADING = re.compile(r"\s*here(?:['’]s| is| are) my (?:thought process|reasoning steps):?", re.IGNORECASE)
_REPLY_HEADING = re.compile(
    r"here(?:['’]s| is) my response:?|^[ \t]*\[BEGIN (FINAL RESPONSE)\]", re.IGNORECASE | re.MULTILINE
)
_REPLY_ENDS = re.compile(r"\s*(?:\[END FINAL RESPONSE\]|<\|end\|>)")

_ALOUD = re.compile(
    r"""\s*(?:
    (?:(?:okay|ok|alright|all\ right|hmm+|well|so|first|now|let['’]s\ see)[,.:]*\s+)*
        (?:(?:the|this)\ )?user(?:['’]s)?\s
        (?:(?:is|was|has|just|seems|to\ be|again)\s)*
        (?:ask(?:s|ed|ing)?|want(?:s|ed|ing)?|need(?:s|ed)?|request(?:s|ed|ing)?|says?|said|looking|query|question|message|prompt|wrote|writes)\b
    |(?:okay|ok|alright|all\ right|hmm+)[,.:]*\s+(?:so,?\s+)?i(?:['’]m|['’]ve|\ am|\ have)?\s(?:(?:got|to|just)\s)*
        (?:need|trying|supposed|should|want|asked|figure|think|see|come|remember)\b
    |we\ (?:need|have|must|should)\ (?:to\ )?(?:answer|respond|reply|produce|write|give|provide|comply|refuse|decline|follow|output)\b
    |(?:好的?|嗯+|首先|那么)[，,、]\s*(?:这个)?(?:用户|我(?:需要|得|来|现在|应该))
    |用户(?:问|想|要|让|询问|希望|说|提|请)
    )""",
    re.IGNORECASE | re.VERBOSE,
)


def headed(text: str) -> Pieces | None:
    """Pieces of a text whose reply stands under a heading; None for any other.

    "Here is my response" needs the thought's heading before it. The other one stands on a line of its own, and needs nothing.
    """
    begins = HEADING.match(text)
    start = begins.end() if begins else 0
    replies = (found for found in _REPLY_HEADING.finditer(text, start) if begins or found[1])
    if (reply := next(replies, None)) is None:
        return None
    said = text[reply.end() :]
    ends = _REPLY_ENDS.search(said) if reply[1] else None
    return [(True, text[start : reply.start()]), (False, said[: ends.start()] if ends else said)]


def aloud(text: str) -> Pieces | None:
    """Pieces of a cut text that begins as a thought does, by heading or first words: it is all one; None else.

    >>> aloud("Okay, the user is asking how to weed. I should"), aloud("Users ask us that a lot. Pull them by")
    ([(True, 'Okay, the user is asking how to weed. I should')], None)
    """
    if begins := HEADING.match(text):
        return [(True, text[begins.end() :])]
    return [(True, text)] if _ALOUD.match(text) else None
