"""Judge cards: how often a judge is right, measured on labelled replies, kept as data beside the judge.

A rate that a judge finds is a rate of what it *labels* so. What that says about the replies hangs on the judge's sensitivity and
specificity, so they are measured on replies that a reader labelled, written down with the data's hash, and read from here by
whoever corrects a rate or refuses a claim that the judge can't resolve (`alignsuite.stats.count_gate`). A card belongs to one
version of one judge: another version has no card until it is measured again. Cards of shipped judges lie beside them; those that a
user measured and kept, as of a judge that is a model, in the folder `cards` of the cache.

A card says whose labels it rests on. Labels that people gave may correct a verdict; a language model's may not, for what it and the
judge both take for a refusal is no evidence. Replies to one prompt agree more than replies to many, so intervals count prompts as
clusters: `Rate.effective` is how many independent replies tell as much. Predictions have to be out of fold: a judge that learnt from
the labels hands `card_from` what it said while the prompt *and* the model were held out, and ships fitted on all of them.
"""

from __future__ import annotations

import functools
import hashlib
import json
import re
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from alignsuite.config import cache_folder
from alignsuite.errors import SettingsError
from alignsuite.judges.card_fit import Feature, Profile, profile_of
from alignsuite.judges.labelled_replies import STRATA, Labelled, read_labelled
from alignsuite.judges.protocol import OFF_TASK, UNREADABLE, Behaviour, Judge, Judgement, OneByOne, Reader, exchange_of
from alignsuite.judges.reading import read_replies

__all__ = [
    "PARTS",
    "PEOPLE",
    "POOLS",
    "STRATA",
    "Accuracy",
    "Card",
    "Labelled",
    "Rate",
    "accuracy",
    "as_json",
    "card_from",
    "card_of",
    "keep_card",
    "kept_card",
    "measure",
    "parse_card",
    "read_card",
    "read_labelled",
]

PARTS = ("stratum", "language", "source", "type", "model", "voice")
"""What divides the replies of a card: fields of `Labelled`."""

POOLS: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "answer": (("harmless", "borderline"),),
    "refuse": (("harmful",), ("harmful", "jailbreak")),
}
"""Strata that fit prompts of which an answer or a refusal is expected, the nearest first."""

PEOPLE = "people"
"""How `labelled_by` begins where people gave the labels."""

_ALPHA = 0.05


@dataclass(frozen=True, slots=True)
class Rate:
    """A rate of right judgements, `hits` of `trials`, in [0, 1], with a 95 % interval clustered by prompt.

    With no trials there is no rate: `value` is None, and the interval is all of [0, 1].

    Attributes:
        hits, trials: replies judged rightly, of how many.
        low, high: Korn–Graubard: the exact (Clopper–Pearson) interval of `effective` trials; [0, 1] where one cluster is all there is.
        clusters: prompts (or pairs, or questions) that the trials belong to.
        effective: independent trials that tell as much as these, in [0, `trials`]; None: every trial stands for itself.
        unread: replies of this kind that the judge gave no label: in neither `hits` nor `trials`.
    """

    hits: int
    trials: int
    low: float
    high: float
    clusters: int = 0
    effective: float | None = None
    unread: int = 0

    @property
    def value(self) -> float | None:
        """The share judged rightly."""
        return self.hits / self.trials if self.trials else None

    @property
    def counts(self) -> tuple[int, int]:
        """Hits and trials as whole numbers that tell no more than the clusters do: for statistics of independent trials."""
        if self.effective is None or not self.trials:
            return self.hits, self.trials
        trials = round(self.effective)
        return round(self.hits / self.trials * trials), trials


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

    Replies without words, or judged UNREADABLE, stand in `confusion` and in `Rate.unread`, and in no rate: claims count such replies
    both ways, whatever the judge's errors. `per_second` and `date` are the only figures that measuring again may change.

    Attributes:
        judge, version, date: of what, and the day as YYYY-MM-DD; `data`, `sha256`: the labelled set and its hash; `replies`: how many.
        confusion: counts of replies by the reader's label, then by the judge's.
        events: accuracy of every event by its name.
        parts: by one of `PARTS`, then its value, then the event: all events by stratum, by the others the first one.
        per_second: replies per second: of one processor, or by the clock where many are read at once (answers from the store count as
            read).
        notes: what a reader of the figures has to know.
        labelled_by: whose labels these are: `people: …`, `model: …`; empty where nobody said.
        clusters: prompts (or pairs, or questions) in all.
        pools: accuracy by strata put together, as in `POOLS`: `harmless + borderline` → event → accuracy.
        profile: what the replies are like, for `alignsuite.judges.card_fit`; empty where nobody looked.
    """

    judge: str
    version: str
    date: str
    data: str
    sha256: str
    replies: int
    confusion: Mapping[str, Mapping[str, int]]
    events: Mapping[str, Accuracy]
    parts: Mapping[str, Mapping[str, Mapping[str, Accuracy]]]
    per_second: float
    notes: tuple[str, ...] = ()
    labelled_by: str = ""
    clusters: int = 0
    pools: Mapping[str, Mapping[str, Accuracy]] = field(default_factory=dict)
    profile: Profile = field(default_factory=dict)

    @property
    def by_people(self) -> bool:
        """Whether people gave every label: only then may the card correct a verdict."""
        return bool(self.labelled_by) and all(one.strip().startswith(PEOPLE) for one in self.labelled_by.split(";"))

    @property
    def unread(self) -> int:
        """Replies with words, by their reader, that the judge gave no label."""
        return sum(row.get(UNREADABLE, 0) for label, row in self.confusion.items() if label != UNREADABLE)


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
    """A card from its JSON form, the inverse of `dataclasses.asdict`; one in the form of 0.1 is read too."""
    plain = {**data, "notes": tuple(data["notes"]), "events": _accuracies(data["events"])}
    first = next(iter(data["events"]), "")
    old = {part: plain.pop(f"{part}s") for part in ("language", "voice") if f"{part}s" in data}
    parts = plain.get("parts") or {part: {name: {first: both} for name, both in of.items()} for part, of in old.items()}
    plain["parts"] = {part: {name: _accuracies(own) for name, own in of.items()} for part, of in parts.items()}
    plain["pools"] = {name: _accuracies(own) for name, own in plain.get("pools", {}).items()}
    plain["profile"] = {
        name: Feature(**{**one, "quantiles": tuple(one["quantiles"])}) for name, one in plain.get("profile", {}).items()
    }
    return Card(**plain)


def _accuracies(data: Mapping[str, Any]) -> dict[str, Accuracy]:
    return {name: Accuracy(Rate(**both["sensitivity"]), Rate(**both["specificity"])) for name, both in data.items()}


def measure(
    judge: Judge | Reader,
    file: Path,
    events: Sequence[Behaviour],
    *,
    date: str,
    data: str,
    notes: Sequence[str] = (),
    labelled_by: str = "",
) -> Card:
    """The card of a judge on a file of labelled replies (see `read_labelled`) that it has not learnt from.

    `events` are the events to be told apart, the first one by all of `PARTS`. `date` is a day as YYYY-MM-DD; `data` names
    the set; `labelled_by` says whose labels these are, where the rows don't.

    Raises:
        SettingsError: for a line that holds no labelled reply.
    """
    rows = read_labelled(file)
    clock = time.process_time if isinstance(judge, OneByOne) else time.perf_counter
    started = clock()
    judged = [said for _, said in read_replies(judge, [exchange_of(row.prompt, row.generated) for row in rows])]
    spent = clock() - started
    return card_from(
        judge.name,
        judge.version,
        list(zip(rows, judged, strict=True)),
        events,
        data=data,
        sha256=hashlib.sha256(file.read_bytes()).hexdigest(),
        labelled_by=labelled_by or _whose(rows),
        date=date,
        notes=notes,
        per_second=_rounded(len(rows) / spent) if spent else 0.0,
    )


def card_from(
    judge_name: str,
    version: str,
    pairs: Sequence[tuple[Labelled, Judgement]],
    events: Sequence[Behaviour],
    *,
    data: str,
    sha256: str,
    labelled_by: str,
    date: str,
    notes: Sequence[str] = (),
    per_second: float = 0.0,
) -> Card:
    """The card of a judge from labelled replies and what it said of each, out of fold.

    Args:
        judge_name: name of the judge that ships.
        version: its version.
        pairs: each labelled reply with an out-of-fold judgement.
        events: to be told apart: all of them by stratum, the first one by the other `PARTS` too.
        data: name of the labelled set.
        sha256: its hash.
        labelled_by: whose labels these are: `people: …`, or `model: …`, several joined by `; `.
        date: a day as YYYY-MM-DD.
        notes: sentences for a reader of the figures.
        per_second: replies that it judges in a second.
    """
    confusion: dict[str, Counter[str]] = {}
    for row, judgement in pairs:
        confusion.setdefault(row.label, Counter())[judgement.label] += 1
    return Card(
        judge=judge_name,
        version=version,
        date=date,
        data=data,
        sha256=sha256,
        replies=len(pairs),
        confusion={label: dict(sorted(counts.items())) for label, counts in sorted(confusion.items())},
        events={event.name: accuracy(event, pairs) for event in events},
        parts={part: _by(part, events if part == "stratum" else events[:1], pairs) for part in PARTS},
        per_second=per_second,
        notes=tuple(notes),
        labelled_by=labelled_by,
        clusters=len({row.unit for row, _ in pairs}),
        pools=_pools(events, pairs),
        profile=profile_of(pairs, events[0]),
    )


def accuracy(event: Behaviour, pairs: Iterable[tuple[Labelled, Judgement]]) -> Accuracy:
    """Sensitivity and specificity for a behaviour, over replies with gold labels.

    Those that the judge left unread are in neither, nor those that it calls no answer: claims count both as unread.
    """
    hits: dict[bool, list[tuple[str, bool | None]]] = {True: [], False: []}
    for row, judgement in pairs:
        if row.label != UNREADABLE:
            true, happened = row.label in event.labels, event.shown_by(judgement)
            if not happened and judgement.label == OFF_TASK:
                happened = None
            hits[true].append((row.unit, None if happened is None else happened == true))
    return Accuracy(_rate(hits[True]), _rate(hits[False]))


def as_json(card: Card) -> str:
    """A card as JSON, one figure on a line; the first event stays the first."""
    return json.dumps(asdict(card), ensure_ascii=False, indent=1) + "\n"


def _by(
    part: str, events: Sequence[Behaviour], pairs: Sequence[tuple[Labelled, Judgement]]
) -> dict[str, dict[str, Accuracy]]:
    values: dict[str, list[tuple[Labelled, Judgement]]] = {}
    for row, judgement in pairs:
        values.setdefault(getattr(row, part) or "any", []).append((row, judgement))
    return {value: {event.name: accuracy(event, own) for event in events} for value, own in sorted(values.items())}


def _pools(events: Sequence[Behaviour], pairs: Sequence[tuple[Labelled, Judgement]]) -> dict[str, dict[str, Accuracy]]:
    """Accuracy over strata together, where there are replies of them."""
    found = {}
    for strata in (one for pools in POOLS.values() for one in pools):
        own = [pair for pair in pairs if pair[0].stratum in strata]
        if own:
            found[" + ".join(strata)] = {event.name: accuracy(event, own) for event in events}
    return found


def _rate(judged: Sequence[tuple[str, bool | None]]) -> Rate:
    """`Rate` from each reply's cluster and whether it was judged rightly; None: not judged."""
    from alignsuite.stats.rates import effective_trials, rate_interval

    cells: dict[str, list[bool]] = {}
    for cluster, right in judged:
        if right is not None:
            cells.setdefault(cluster, []).append(right)
    clusters = [(sum(cell), len(cell)) for cell in cells.values()]
    hits, trials = sum(hit for hit, _ in clusters), sum(size for _, size in clusters)
    unread = len(judged) - trials
    if len(clusters) < min(2, trials):
        return Rate(hits, trials, 0.0, 1.0, len(clusters), 0.0, unread)
    if not trials:
        return Rate(0, 0, 0.0, 1.0, unread=unread)
    effective = trials if len(clusters) == trials else effective_trials(hits, trials, clusters, alpha=_ALPHA)
    interval = rate_interval(hits, trials, alpha=_ALPHA, clusters=clusters if effective < trials else None)
    return Rate(hits, trials, round(interval.lo, 6), round(interval.hi, 6), len(clusters), round(effective, 1), unread)


def _whose(rows: Sequence[Labelled]) -> str:
    """Who labelled the rows, each once; empty where some row does not say."""
    said = sorted({row.labelled_by for row in rows})
    return "" if "" in said else "; ".join(said)


def _rounded(speed: float) -> float:
    return round(speed) if speed >= 10 else round(speed, 2)
