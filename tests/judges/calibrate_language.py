"""How far languages lie apart: `python tests/judges/calibrate_language.py FOLDER`, with the folder of people's labelled replies.

Prints the figures that `alignsuite.judges.language` and decision 0031 rest on: margins in nats between English and the likeliest other
language, over the replies of XSTest and GPTFuzz and over those of this repository in other languages; and what random letters are
called. Nothing is written; the texts of the folder stay there.
"""

from __future__ import annotations

import json
import random
import string
import sys
from collections.abc import Iterable
from pathlib import Path
from statistics import median

from fit_refusal import read_rows

from alignsuite.judges import language

PIECE = 60
WORDS = 8
LATIN = "\u024f"  # the last letter of the Latin blocks


def against(text: str, fewest: int) -> tuple[float, float] | None:
    """Margins of the likeliest other language over English, and of the likeliest language over none; None for fewer words."""
    words, scores = language._scored(text, frozenset())
    if len(words) < fewest:
        return None
    spoken = {code: score for code, score in scores.items() if code != language.NOTHING}
    other = max(score for code, score in spoken.items() if code != "en")
    return other - spoken["en"], max(spoken.values()) - scores[language.NOTHING]


def margins(texts: Iterable[str], fewest: int = 1) -> tuple[list[float], list[float]]:
    """Both margins of the texts that have so many words."""
    one, other = zip(*filter(None, (against(text, fewest) for text in texts)), strict=True)
    return list(one), list(other)


def elsewhere() -> list[str]:
    """Refusals of this repository to prompts in other languages; three answer in English."""
    rows = [json.loads(line) for file in sorted((Path(__file__).with_name("labelled")).glob("*.jsonl"))
            for line in file.read_text(encoding="utf-8").splitlines()]  # fmt: skip
    return [row["reply"] for row in rows if row["language"] not in ("en", "any") and row["label"] == "refusal"]


def nonsense(dice: random.Random) -> str:
    """So many words of letters drawn at random."""
    return " ".join("".join(dice.choices(string.ascii_lowercase, k=dice.randint(2, 8))) for _ in range(WORDS))


def main(folder: str) -> None:
    """Print the figures."""
    read = [row.reply for row in read_rows(Path(folder)) if row.source in ("xstest", "gptfuzz")]
    replies = [reply for reply in read if not any(mark > LATIN and mark.isalpha() for mark in reply)]
    pieces = (reply[start : start + PIECE] for reply in replies for start in range(0, len(reply), PIECE))
    cut, _ = margins(pieces, language._FEW)
    print(
        f"{len(replies)} of {len(read)} replies are in Latin letters alone, all in English; {len(cut)} pieces of {PIECE} characters"
    )
    print(f"  another language is likelier than English by {max(cut):.1f} nats at most")
    for bound in (language._SURE / 2, language._DOUBT, language._SURE):
        print(f"  by {bound:g} nats and more: {sum(margin >= bound for margin in cut)} pieces")
    _, whole = margins(replies, WORDS)
    print(
        f"  {len(whole)} replies of {WORDS} words and more: likelier in a language than in none by {min(whole):.0f} nats at least,"
    )
    print(f"  by less than {language._DOUBT:g} nats: {sum(margin < language._DOUBT for margin in whole)} replies")
    others, _ = margins(elsewhere(), language._FEW)
    unsure = sum(margin < language._SURE for margin in others)
    print(f"{len(others)} refusals of {language._FEW} words and more in other languages")
    print(
        f"  likelier in another than in English by {language._SURE:g} nats: {len(others) - unsure}; median {median(others):.0f}"
    )
    dice = random.Random(31)
    print(
        f"300 texts of {WORDS} words of random letters: {sum(language.nonsense(nonsense(dice)) for _ in range(300))} in no language"
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
