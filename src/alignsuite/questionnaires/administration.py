"""Administration: an instrument as presentations, each statement in one wording with its options in one order.

A set of wordings (`prompts/psychological/self_description.yaml`) holds the task in the project's own words. Here an instrument gives it
statements, labels and key, and a protocol says in what ways each statement is put:

- **gate**: every cyclic order of the options, so that each stands in every place once, in one wording. The wordings are dealt out over a
  trait's statements, like cards, so that no trait hangs on one wording. Mixing them within a statement would spoil the balance of its
  orders; asking all of them would triple the cost of a canary. So the gate says nothing about wordings.
- **report**: the orders of a Williams design, which balances neighbours as well, in every wording.
- **study**: as Li et al. (2024) did it: all orders of the options, three sampled replies to each, in free text. All 5 040 orders of seven
  options can't have been asked, and how they were chosen is not known; ours are 17 random Latin squares, 119 orders beside 120.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import factorial

from alignsuite.config import QuestionnaireProtocol
from alignsuite.errors import PromptError
from alignsuite.prompt_sets.load import LoadedSet
from alignsuite.prompt_sets.schema import Ask, Presentation, Template, Wording
from alignsuite.questionnaires.instrument import Instrument, Item

STUDY_SAMPLES = 3
STUDY_TEMPERATURE = 0.7
"""Ours: the study does not say at what temperature it sampled."""

_STUDY_ORDERS = 120

Order = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Sheet:
    """An instrument as it is put under a protocol: every presentation of each statement, by the statement's id."""

    instrument: Instrument
    protocol: QuestionnaireProtocol
    presentations: Mapping[str, tuple[Presentation, ...]]

    @property
    def name(self) -> str:
        """The instrument's name."""
        return self.instrument.name

    @property
    def ask(self) -> Ask:
        """Whether options are weighed, or a text is read."""
        return _asked(self.protocol)

    @property
    def calls(self) -> int:
        """How many requests all of it takes."""
        return sum(map(len, self.presentations.values()))


def sheet(instrument: Instrument, wordings: Sequence[Wording], protocol: QuestionnaireProtocol) -> Sheet:
    """Every presentation of every statement; the statements themselves need not be known for that.

    Raises:
        PromptError: when no wording asks as the protocol does.
    """
    fit = [wording for wording in wordings if wording.ask == _asked(protocol)]
    if not fit:
        raise PromptError(f"no wording says `ask: {_asked(protocol)}`, which the protocol `{protocol}` needs")
    orders = orders_of(instrument.points, protocol)
    samples = STUDY_SAMPLES if protocol == "study" else 1
    dealt = _dealt(instrument, fit) if protocol == "gate" else dict.fromkeys(instrument.items, fit)
    ways = {
        statement_id(instrument, item): tuple(
            Presentation(wording, order, sample)
            for wording in dealt[item]
            for order in orders
            for sample in range(samples)
        )
        for item in instrument.items
    }
    return Sheet(instrument, protocol, ways)


def orders_of(points: int, protocol: QuestionnaireProtocol) -> list[Order]:
    """The orders in which so many options are shown; every option stands in every place equally often.

    >>> [len(orders_of(points, "study")) for points in (3, 5, 7)]
    [6, 120, 119]
    """
    from alignsuite.stats import balanced_orders

    if protocol != "study":
        return list(balanced_orders(points, "cyclic" if protocol == "gate" else "williams"))
    if factorial(points) <= _STUDY_ORDERS:
        return list(itertools.permutations(range(points)))
    drawn: dict[Order, None] = {}
    for number in itertools.count():
        first = sorted(range(points), key=lambda option: hashlib.sha256(f"{number}:{option}".encode()).digest())
        square = [tuple(first[shift:] + first[:shift]) for shift in range(points)]
        if len(drawn) + points > _STUDY_ORDERS:
            return list(drawn)
        if not drawn.keys() & square:
            drawn.update(dict.fromkeys(square))
    raise AssertionError("itertools.count ends nowhere")


def administered(loaded: LoadedSet, instrument: Instrument, protocol: QuestionnaireProtocol) -> LoadedSet:
    """A set of wordings with an instrument's statements as its templates.

    Its id ends in the instrument's name, and its hash covers wordings, statements, key and protocol. One set is made of the same
    parts, however often they are put together.

    Raises:
        PromptError: when no wording asks as the protocol does.
    """
    key = (str(loaded.path), loaded.content_hash, _identity(instrument), protocol)
    if key not in _made:
        _made[key] = _administered(loaded, instrument, protocol, ":".join(key[1:]))
    return _made[key]


_made: dict[tuple[str, ...], LoadedSet] = {}


def statement_id(instrument: Instrument, item: Item) -> str:
    """The statement's name in cases and records: `item-07`, by the published order."""
    return f"item-{item.number:0{len(str(len(instrument.items)))}d}"


def _administered(
    loaded: LoadedSet, instrument: Instrument, protocol: QuestionnaireProtocol, identity: str
) -> LoadedSet:
    put = sheet(instrument, loaded.spec.wordings, protocol)
    fields = {"trait": "what agreement speaks for", "statement": "what is to be agreed with or not"}
    if instrument.facets:
        fields["facet"] = "the part of the trait"
    spec = loaded.spec.model_copy(
        update={
            "id": f"{loaded.spec.id}/{instrument.name}",
            "title": instrument.title,
            "ask": put.ask,
            "fields": fields,
            "options": list(instrument.anchors),
            "values": [float(value) for value in range(1, instrument.points + 1)],
            "wordings": [],
            "templates": [_template(instrument, item) for item in instrument.items],
        }
    )
    return replace(loaded, spec=spec, content_hash=hashlib.sha256(identity.encode()).hexdigest()[:16], sheet=put)


def _template(instrument: Instrument, item: Item) -> Template:
    facet = {"facet": item.facet} if item.facet else {}
    fields = {"trait": item.trait, "statement": statement_of(instrument, item), **facet}
    return Template.model_validate({"id": statement_id(instrument, item), "reversed": item.reversed, **fields})


def statement_of(instrument: Instrument, item: Item) -> str:
    """The statement as a sentence: a clause continues its stem, and a full stop ends what has no other end."""
    assert item.text is not None
    text = f"{instrument.stem} {item.text}".strip() if instrument.form == "clause" else item.text
    return text if text[-1] in ".!?…。؟" else f"{text}."


def _dealt(instrument: Instrument, wordings: Sequence[Wording]) -> dict[Item, list[Wording]]:
    """One wording for each statement, in turn through a trait.

    First come those that speak for it, then the reversed ones.
    """
    dealt: dict[Item, list[Wording]] = {}
    for items in instrument.traits.values():
        for place, item in enumerate(sorted(items, key=lambda one: one.reversed)):
            dealt[item] = [wordings[place % len(wordings)]]
    return dealt


def _asked(protocol: QuestionnaireProtocol) -> Ask:
    return "generate" if protocol == "study" else "choose"


def _identity(instrument: Instrument) -> str:
    """A hash of all that is put to a model of an instrument, and of its key."""
    parts = [instrument.name, instrument.language, instrument.version, instrument.stem, list(instrument.anchors)]
    items = [[item.number, item.trait, item.facet, item.reversed, item.text] for item in instrument.items]
    return hashlib.sha256(json.dumps([parts, items]).encode()).hexdigest()
