"""Writes a toxicity judge's card: `python tests/judges/measure_toxicity.py detoxify:unbiased FOLDER 2026-11-30`.

The judge is any name that `--align-judge` takes for the family. FOLDER holds comments and replies that people labelled, which are not
part of this repository: `surge-toxicity`, `openai-moderation-part` and `diasafety-part`, each as `.jsonl.gz` or `.jsonl`. With `-` in its
place the judge is measured on our own replies, which nobody learnt from either.

Beside how many toxic texts are found and how many others are left alone, the card says how much more often a text that is *not* toxic is
called so when it names an identity: the bias that these judges are known for. Voice `names an identity` against `names none`.
"""

from __future__ import annotations

import gzip
import json
import re
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from alignsuite.judges import cards
from alignsuite.judges.protocol import Behaviour, Judge, exchange_of
from alignsuite.judges.registry import shipped_judge
from alignsuite.models.protocol import Generated

PEOPLE = "surge, moderation, diasafety"
OWN = Path(__file__).with_name("labelled_toxicity") / "toxicity_1.jsonl"
NAMES, NONE = "names an identity", "names none"
CONTEXT = ("Offending User", "Toxicity Agreement")
"""What of DiaSafety is insult or contempt; its other kinds are for a judge of harm."""

_IDENTITY = re.compile(
    r"""\b(?:
    muslims? | islam(?:ic)? | jew(?:s|ish)? | judaism | christians? | catholics? | protestants? | hindus? | buddhists? | atheists?
    | african.americans? | africans? | blacks | whites | (?:black|white|brown|old) \s (?:people|persons?|m[ae]n|wom[ae]n|guys?|folks?)
    | asians? | latin(?:[oax]s?|os) | hispanics? | mexicans? | arabs? | indians? | chinese | japanese | koreans? | russians? | americans?
    | europeans? | israelis? | palestinians? | immigrants? | migrants? | refugees? | foreigners?
    | gays? | lesbians? | homosexuals? | bisexuals? | queers? | lgbt\w* | transgender(?:ed)? | trans \s (?:people|m[ae]n|wom[ae]n)
    | wom[ae]n | females? | feminists? | disabled | disabilit(?:y|ies) | deaf | autis(?:m|tic) | elderly
    )\b""",
    re.IGNORECASE | re.VERBOSE,
)

NOTE = (
    "Only the text is scored. It is labelled toxic where people called it so: some 1 280 comments from the web and 900 replies to somebody"
    " insulting (DiaSafety), which are often unsafe in context without a bad word in them. Words that tell the group apart are left in;"
    " where a case names them, a run takes them out."
)
OWN_NOTES = (
    "Replies and labels come from one hand, and the insults are mild: no slurs, few curses. Classifiers learn from comments that are"
    " full of both, so on what people write to each other they find more than here.",
    "Only the reply is scored. Voice `polite_harm`: stereotypes and refusals because of a name, politely put. They are labelled clean,"
    " because no word in them is toxic, and that is the limit of every judge of this family.",
)


def names_identity(text: str) -> bool:
    """Whether a text names a group by religion, origin, gender, orientation, disability or age.

    >>> names_identity("My neighbour is Muslim."), names_identity("My soup is cold.")
    (True, False)
    """
    return _IDENTITY.search(text) is not None


def labelled(folder: Path) -> Iterator[dict[str, Any]]:
    """Texts that people labelled, as lines for `cards.measure`.

    Raises:
        SystemExit: the folder lacks one of the files.
    """
    whose = {
        "surge-toxicity": "people: the maker's team, each by their own sense (Surge AI toxicity, 2022)",
        "openai-moderation-part": "people, who is not said (OpenAI moderation evaluation, 2022)",
        "diasafety-part": "people, how many a row is not said (DiaSafety, 2022)",
    }
    for name, people in whose.items():
        for row in _lines(folder, name):
            text, bad = row.get("text", row.get("reply")), row["label"] in ("toxic", "unsafe")
            if name == "diasafety-part" and row["category"] not in CONTEXT:
                continue
            yield {
                "prompt": row.get("prompt", ""), "reply": text, "label": "toxic" if bad else "clean", "source": name, "language": "en",
                "voice": NAMES if names_identity(text) else NONE, "labelled_by": people,
            }  # fmt: skip


def card_of_today(judge: Judge, folder: Path | None, date: str) -> cards.Card:
    """Card by measuring, on people's labels in `folder`, or on our own replies."""
    toxic = Behaviour("toxic", judge, frozenset({"toxic"}))
    if folder is None:
        return cards.measure(judge, OWN, [toxic], date=date, data="toxicity_1", notes=OWN_NOTES)
    with tempfile.TemporaryDirectory() as scratch:
        rows = list(labelled(folder))
        file = Path(scratch) / "people.jsonl"
        file.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
        return cards.measure(judge, file, [toxic], date=date, data=PEOPLE, notes=(NOTE, bias(judge, rows)))


def bias(judge: Judge, rows: Sequence[Mapping[str, Any]]) -> str:
    """Sentence on how much more often a text that is not toxic is called so when it names an identity."""
    clean = [row for row in rows if row["label"] == "clean"]
    judged = judge.judge([exchange_of(row["prompt"], Generated(row["reply"])) for row in clean])
    called = {
        voice: [one.label == "toxic" for one, row in zip(judged, clean, strict=True) if row["voice"] == voice]
        for voice in (NAMES, NONE)
    }
    (a, m), (b, n) = ((sum(some), len(some)) for some in called.values())
    if not m or not n:
        return "Identity terms: no text here names one, so nothing is known of how much they sway it."
    from statsmodels.stats.proportion import confint_proportions_2indep

    low, high = confint_proportions_2indep(a, m, b, n, method="newcomb", compare="diff")
    return (
        f"Identity terms: of the texts that are not toxic, {a} of {m} that name an identity are called toxic ({a / m:.3f}), and {b} of {n} "
        f"others ({b / n:.3f}): {a / m - b / n:+.3f} (95 % interval {low:+.3f} to {high:+.3f})."
    )


def _lines(folder: Path, name: str) -> Iterator[dict[str, Any]]:
    packed, plain = folder / f"{name}.jsonl.gz", folder / f"{name}.jsonl"
    if not packed.is_file() and not plain.is_file():
        raise SystemExit(f"{folder} has no {name}.jsonl.gz; wanted the folder of labelled texts")
    with gzip.open(packed, "rt", encoding="utf-8") if packed.is_file() else plain.open(encoding="utf-8") as lines:
        yield from (json.loads(line) for line in lines)


def main(name: str, folder: str, date: str) -> None:
    """Measure, and write the card beside the judges."""
    judge = shipped_judge(name)
    if judge is None or judge.family != "toxicity":
        raise SystemExit(f"`{name}` is no toxicity judge")
    judge.judge([exchange_of("", Generated("Good morning."))])  # loading the weights is no part of the speed
    card = card_of_today(judge, None if folder == "-" else Path(folder), date)
    file = cards.kept_card(card.judge, card.version).name
    (Path(cards.__file__).with_name("data") / file).write_text(cards.as_json(card), encoding="utf-8")
    print(file, *card.notes, sep="\n")


if __name__ == "__main__":
    main(*sys.argv[1:4])
