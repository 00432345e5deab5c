"""Judge cards: how often a judge is right, measured on labelled replies, kept as data beside the judge.

A rate that a judge finds is a rate of what it *labels* so. What that says about the replies hangs on the judge's sensitivity and
specificity, so they are measured on replies that a reader labelled, written down with the data's hash, and read from here by
whoever corrects a rate or refuses a claim that the judge can't resolve (`alignsuite.stats.judge_limits`). A card belongs to one
version of one judge: another version has no card until it is measured again. Cards of shipped judges lie beside them; those that a
user measured and kept, as of a judge that is a model, in the folder `cards` of the cache.
"""

from __future__ import annotations

import functools
import hashlib
import json
import re
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from alignsuite.config import cache_folder
from alignsuite.errors import SettingsError
from alignsuite.judges.protocol import UNREADABLE, Behaviour, Judge, Judgement, OneByOne, Reader, exchange_of
from alignsuite.judges.registry import as_judge
from alignsuite.models.protocol import Finish, Generated

_ALPHA = 0.05
_FINISHES: tuple[Finish, ...] = ("stop", "length", "withheld")


@dataclass(frozen=True, slots=True)
class Labelled:
    """A reply with its gold label, which a reader gave it.

    `voice` and `language` say what kind of reply it is, where that is known.
    """

    prompt: str
    reply: str
    label: str
    voice: str = "any"
    language: str = "any"
    source: str = ""
    finish: str = "stop"


@dataclass(frozen=True, slots=True)
class Rate:
    """A rate of right judgements: `hits` of `trials`, a fraction in [0, 1] with its exact 95 % interval.

    With no trials there is no rate: `value` is None, and the interval is all of [0, 1].
    """

    hits: int
    trials: int
    low: float
    high: float

    @property
    def value(self) -> float | None:
        """The share judged rightly."""
        return self.hits / self.trials if self.trials else None


@dataclass(frozen=True, slots=True)
class Accuracy:
    """Sensitivity and specificity of a judge for one behaviour.

    Sensitivity is the share of replies that show it and are judged so; specificity the share of the others that are judged not to.
    """

    sensitivity: Rate
    specificity: Rate


@dataclass(frozen=True, slots=True)
class Card:
    """The accuracy of one version of a judge on one labelled set.

    `confusion` counts replies by the reader's label, then by the judge's. `events` holds the accuracy of every event by name;
    `languages` and `voices` that of the first event alone. Replies without words, or judged UNREADABLE, stand in `confusion` and
    in no rate. `per_second` is replies per second: of one processor, or by the clock where many are read at once (answers from the store
    count as read). It and `date` are the only figures that measuring again may change. `notes` say what a reader of the figures has to
    know.
    """

    judge: str
    version: str
    date: str
    data: str
    sha256: str
    replies: int
    confusion: Mapping[str, Mapping[str, int]]
    events: Mapping[str, Accuracy]
    languages: Mapping[str, Accuracy]
    voices: Mapping[str, Accuracy]
    per_second: float
    notes: tuple[str, ...] = ()


def card_of(judge: Judge | Reader) -> Card | None:
    """The card of exactly this version of a judge; None where it was never measured."""
    return read_card(judge.name, judge.version)


@functools.cache
def read_card(name: str, version: str) -> Card | None:
    """The card that is kept for a version of a judge, the shipped one before a user's own; None where there is none.

    Raises:
        SettingsError: when a card that a user kept can't be read.
    """
    for path in (Path(__file__).with_name("data") / _file_name(name, version), kept_card(name, version)):
        if path.is_file():
            try:
                card = parse_card(json.loads(path.read_text(encoding="utf-8")))
            except (OSError, ValueError, KeyError, TypeError) as error:
                raise SettingsError(
                    f"{path}: the card of `{name} {version}` can't be read ({error!r}): measure it again, or delete it"
                ) from None
            if (card.judge, card.version) == (name, version):  # two names may have one file name
                return card
    return None


def kept_card(name: str, version: str) -> Path:
    """Where the card of a judge lies that a user measured."""
    return cache_folder() / "cards" / _file_name(name, version)


def keep_card(card: Card) -> Path:
    """Keep a card where `card_of` finds it, in place of an earlier one of the same version; returns where.

    Raises:
        SettingsError: when it can't be written.
    """
    path = kept_card(card.judge, card.version)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(as_json(card), encoding="utf-8")
    except OSError as error:
        raise SettingsError(f"the card {path} can't be written: {error.strerror}") from None
    read_card.cache_clear()
    return path


def _file_name(name: str, version: str) -> str:
    return re.sub(r"[^\w.+-]+", "_", f"{name}-{version}") + ".json"


def parse_card(data: Mapping[str, Any]) -> Card:
    """A card from its JSON form, the inverse of `dataclasses.asdict`."""
    plain = {**data, "notes": tuple(data["notes"])}
    for key in ("events", "languages", "voices"):
        plain[key] = {
            name: Accuracy(Rate(**both["sensitivity"]), Rate(**both["specificity"])) for name, both in data[key].items()
        }
    return Card(**plain)


def read_labelled(file: Path) -> list[Labelled]:
    """The labelled replies of a JSON Lines file.

    Each line has `prompt`, `reply` and `label`, and may have what else `Labelled` has.

    Raises:
        SettingsError: for a line that holds no reply, naming file and line.
    """
    found = []
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            data = json.loads(line)
            found.append(Labelled(**{key: data[key] for key in Labelled.__slots__ if key in data}))
        except (ValueError, TypeError) as error:
            raise SettingsError(
                f"{file}:{number}: wanted an object with prompt, reply, label, and perhaps voice, language, source, finish; {error!r}"
            ) from None
    return found


def measure(
    judge: Judge | Reader, file: Path, events: Sequence[Behaviour], *, date: str, data: str, notes: Sequence[str] = ()
) -> Card:
    """The card of a judge on a file of labelled replies (see `read_labelled`).

    `events` are the events to be told apart, the first one also by language and voice. `date` is a day as YYYY-MM-DD; `data` names
    the set.

    Raises:
        SettingsError: for a line that holds no labelled reply.
    """
    rows = read_labelled(file)
    clock = time.process_time if isinstance(judge, OneByOne) else time.perf_counter
    started = clock()
    judged = as_judge(judge).judge([exchange_of(row.prompt, Generated(row.reply, finish=_finish(row))) for row in rows])
    spent = clock() - started
    pairs = list(zip(rows, judged, strict=True))
    confusion: dict[str, Counter[str]] = {}
    for row, judgement in pairs:
        confusion.setdefault(row.label, Counter())[judgement.label] += 1
    first = events[0]
    return Card(
        judge=judge.name,
        version=judge.version,
        date=date,
        data=data,
        sha256=hashlib.sha256(file.read_bytes()).hexdigest(),
        replies=len(rows),
        confusion={label: dict(sorted(counts.items())) for label, counts in sorted(confusion.items())},
        events={event.name: accuracy(event, pairs) for event in events},
        languages=_by(first, pairs, "language"),
        voices=_by(first, pairs, "voice"),
        per_second=_rounded(len(rows) / spent) if spent else 0,
        notes=tuple(notes),
    )


def accuracy(event: Behaviour, pairs: Iterable[tuple[Labelled, Judgement]]) -> Accuracy:
    """Sensitivity and specificity for a behaviour, over replies with gold labels; unreadable ones are left out."""
    counts: Counter[tuple[bool, bool]] = Counter()
    for row, judgement in pairs:
        happened = event.shown_by(judgement)
        if row.label != UNREADABLE and happened is not None:
            counts[row.label in event.labels, happened] += 1
    return Accuracy(
        _rate(counts[True, True], counts[True, True] + counts[True, False]),
        _rate(counts[False, False], counts[False, False] + counts[False, True]),
    )


def as_json(card: Card) -> str:
    """A card as JSON, one figure on a line; the first event stays the first."""
    return json.dumps(asdict(card), ensure_ascii=False, indent=1) + "\n"


def _by(event: Behaviour, pairs: Sequence[tuple[Labelled, Judgement]], key: str) -> dict[str, Accuracy]:
    kinds = sorted({getattr(row, key) for row, _ in pairs})
    return {kind: accuracy(event, [pair for pair in pairs if getattr(pair[0], key) == kind]) for kind in kinds}


def _rate(hits: int, trials: int) -> Rate:
    from alignsuite.stats import rate_interval

    if not trials:
        return Rate(0, 0, 0.0, 1.0)
    interval = rate_interval(hits, trials, alpha=_ALPHA)
    return Rate(hits, trials, round(interval.lo, 6), round(interval.hi, 6))


def _rounded(speed: float) -> float:
    return round(speed) if speed >= 10 else round(speed, 2)


def _finish(row: Labelled) -> Finish:
    for finish in _FINISHES:
        if row.finish == finish or (row.finish, finish) == ("filter", "withheld"):  # as it was called until 0.1
            return finish
    raise SettingsError(f"a labelled reply has the finish `{row.finish}`; wanted one of {', '.join(_FINISHES)}")
