"""Language identification of a reply, by `py3langid`: whether it is surely in none of some languages.

The library weighs 140 languages and "no language" by pieces of letters. What counts here is how much likelier the likeliest is than those
that a judge reads, in nats: of 46 424 pieces of 60 characters of English replies two came within half of `_SURE` of another language,
lists of countries and of chemicals (`python tests/judges/calibrate_language.py FOLDER`). Names are taken out first, for they are at home
elsewhere.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

NOTHING = "zxx"
"""Code of text that is in no language, as ISO 639 has it."""

_SURE = 25.0  # nats between the likeliest language and the likeliest that a judge reads
_NONSENSE = 5.0  # nats between no language and the likeliest one
_MANY = 8  # words from which a text in a language is likelier in it by more than `_DOUBT`; 4 881 replies were by 28 at least
_DOUBT = 15.0  # nats
_WINDOW = 240
_FEW = 4  # words of Latin script below which nothing is told, for they may be names
_CODE = re.compile(r"```[^`]{0,400}(?:```)?|`[^`\n]{1,100}`|https?://\S{1,200}")
_LETTERS = re.compile(r"[^\W\d_]{1,40}")


def foreign(text: str, languages: frozenset[str], known: frozenset[str]) -> str:
    """Code of a text's language where that is surely none of `languages`; else empty.

    `known` are words, in lower case, that say nothing of it: those of the prompt, where they are written like names.

    >>> foreign("Minulla ei ole siitä mitään tietoa.", frozenset({"en"}), frozenset())
    'fi'
    """
    words, scores = _scored(text, known)
    latin = all(unicodedata.name(word[0], "").startswith("LATIN") for word in words[:8])
    if not words or (latin and len(words) < _FEW):
        return ""
    best = max(scores, key=lambda code: scores[code])
    read = max((scores[code] for code in languages if code in scores), default=float("-inf"))
    return best if best != NOTHING and scores[best] - read >= _SURE else ""


def nonsense(text: str) -> bool:
    """Whether a text of some words is in no language: letters at random.

    >>> nonsense("kfj wq pzzt lomr vbn ghty uiq xcv"), nonsense("Fry an onion and add the lentils.")
    (True, False)
    """
    words, scores = _scored(text, frozenset())
    best = max((score for code, score in scores.items() if code != NOTHING), default=0.0)
    return len(words) >= _FEW and scores[NOTHING] - best >= (_NONSENSE if len(words) < _MANY else -_DOUBT)


def is_english(text: str) -> bool:
    """Whether English is the likeliest language of a text."""
    _, scores = _scored(text, frozenset())
    return bool(scores) and max(scores, key=lambda code: scores[code]) == "en"


def may_be_english(text: str, known: frozenset[str] = frozenset()) -> bool:
    """Whether no other language is much likelier than English.

    Names and single words say little, and may be English. `known` are words that say nothing of it, as in `foreign`.

    >>> may_be_english("Fry an onion."), may_be_english("Il m'est impossible de fournir cela."), may_be_english("Nein.")
    (True, False, True)
    """
    _, scores = _scored(text, known)
    others = max((score for code, score in scores.items() if code not in ("en", NOTHING)), default=0.0)
    return not scores or others - scores["en"] < _DOUBT


def _scored(text: str, known: frozenset[str]) -> tuple[list[str], Mapping[str, float]]:
    """Words of a text's beginning without code and names, and the log-likelihood of each language."""
    text = _CODE.sub(" ", text[: 2 * _WINDOW])[:_WINDOW]
    if known:
        text = _LETTERS.sub(lambda found: "" if found[0][0].isupper() and found[0].lower() in known else found[0], text)
    words = _LETTERS.findall(text)
    return words, _weighed(text) if words else {}


@functools.lru_cache(maxsize=4)  # one reply is asked about several things
def _weighed(text: str) -> Mapping[str, float]:
    return dict(_identifier().rank(text))


@functools.cache
def _identifier() -> LanguageIdentifier:
    """Model of the library, loaded once: half a second."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE)
