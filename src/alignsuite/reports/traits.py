"""Traits that a run measured, with scores and norms, as study pages and figures want them.

Two rules stand here once, so that no page can break them: what a validity gate turned down has no score, and a detail that is missing,
or of a type that was not wanted (run files come from anywhere), counts as not known.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from alignsuite.claims import present
from alignsuite.claims.row import TraitScore
from alignsuite.errors import InstrumentError
from alignsuite.questionnaires import Instrument, Item, Norm, key
from alignsuite.runs.records import ClaimResult, Run, Verdict
from alignsuite.text.cells import one_line

Order = tuple[int, ...]
"""The options of one order as they were shown, by their number from 1: (3, 4, 5, 1, 2) puts the third option first."""


@dataclass(frozen=True)
class Trait:
    """Trait: one score as one claim measured it.

    Attributes:
        claim: how it came out; `details`: what its kind says of the score; `moved`: what moved the answers, as a sentence.
        probe: the prompt set, which names what no instrument names.
        form: the instrument as the catalogue has it; None where the claim names none, or one that is not known here.
    """

    claim: ClaimResult
    details: TraitScore
    moved: str
    probe: str
    form: Instrument | None

    @property
    def scale(self) -> str:
        """Scale of the trait: the instrument, or the prompt set where there is none."""
        return self.form.name if self.form else one_line(self.details.instrument or self.probe, 60)

    @property
    def name(self) -> str:
        """Name of the trait as keys have it: `life_satisfaction`."""
        name = self.details.trait or self.claim.what
        return re.sub(r"[\W_]+", "_", one_line(str(name), 60).casefold()).strip("_")

    @property
    def protocol(self) -> str:
        """Protocol of administration: `gate`, `report` or `study`; "" where it is not known."""
        return one_line(self.details.protocol or "", 20)

    @property
    def valid(self) -> bool:
        """Whether the validity gate let the measurement stand."""
        return self.claim.verdict is not Verdict.INVALID

    @property
    def score(self) -> float | None:
        """Mean of the statements, reversed ones turned round.

        None for an INVALID trait, whatever number the claim holds.
        """
        return finite(self.claim.value) if self.valid else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Interval of the score, 95 %; None without a score."""
        return self.claim.interval if self.score is not None else None

    @property
    def bounds(self) -> tuple[float, float]:
        """Range of the score: what the claim says, else what the instrument allows, else 1–5."""
        if self.details.range is not None and self.details.range[0] < self.details.range[1]:
            return self.details.range[0], self.details.range[1]
        return 1.0, float(self.form.points if self.form else 5)

    @property
    def total(self) -> float | None:
        """Sum score in the instrument's own unit, over all statements of the key, be they asked or not.

        None where the instrument's score is no sum.
        """
        if self.form is None or self.form.scoring != "sum" or self.score is None:
            return None
        return self.score * self._statements

    @property
    def asked(self) -> tuple[int, int] | None:
        """Number of the key's statements that were asked, of how many, where some were not."""
        asked = self.details.statements
        return (asked, self._statements) if asked is not None and 0 < asked < self._statements else None

    @property
    def _statements(self) -> int:
        return len(self.form.traits.get(self.name, ())) if self.form else 0

    @property
    def norm(self) -> Norm | None:
        """Norm of people in the unit of `score`: the claim's, else the catalogue's."""
        said = self.details.norm
        found = self.form.norms.get(self.name) if self.form else None
        if said is not None:
            mean, sd = finite(said.get("mean")), finite(said.get("sd"))
            about = (one_line(str(said.get(name) or "")) for name in ("population", "source"))
            if mean is not None and sd:
                found = Norm(mean, sd, whole(said.get("n")), *about)
        if found is None or self.form is None or self.form.scoring != "sum":
            return found
        parts = max(self._statements, 1)
        return Norm(found.mean / parts, found.sd / parts, found.n, found.population, found.source)

    @property
    def d(self) -> float | None:
        """Standardised difference from the norm, in people's standard deviations; None without a score or a norm."""
        if self.score is None or self.norm is None:
            return None
        return self.norm.d(self.score) if self.details.d is None else self.details.d

    @property
    def band(self) -> str | None:
        """Band: the published name of the score, where the instrument has bands."""
        return None if self.form is None or self.total is None else self.form.band(self.total)

    @property
    def trouble(self) -> str:
        """Reason why there is no score, and what was measured in its place."""
        if self.score is not None:
            return ""
        reasons = "; ".join(one_line(reason).rstrip(".") for reason in self.claim.reasons)
        told = ". ".join(filter(None, (reasons, self.moved.rstrip("."))))
        return told or "no score was recorded, and no reason"

    @property
    def by_order(self) -> Mapping[str, Mapping[Order, float]]:
        """Expected raw scores: statement → order of the options → score (not reversed).

        Orders that are no permutation are left out.
        """
        found = {one_line(name, 60): _orders(scores) for name, scores in self.details.by_order.items()}
        return {statement: scores for statement, scores in found.items() if scores}

    def item(self, statement: str) -> Item | None:
        """Item of the key for a statement, found by the number its id ends with; None where that is not of this trait."""
        number = re.search(r"(\d{1,4})$", statement)
        items = self.form.traits.get(self.name, ()) if self.form and number else ()
        return next((item for item in items if number and item.number == int(number.group())), None)


def measured(run: Run) -> list[Trait]:
    """Traits of a run, in the order of its records.

    One measurement that several claims rest on stands once, with the worst verdict.
    """
    found: list[Trait] = []
    for record in run.records:
        for claim in record.claims:
            row = present(claim)
            if row.trait is not None:
                found = _joined(found, Trait(claim, row.trait, row.remark, record.probe, _form(row.trait.instrument)))
    return found


def grouped(traits: Iterable[Trait]) -> list[list[Trait]]:
    """Traits of each scale and protocol together, those of an instrument in the order of its key."""

    def place(trait: Trait) -> tuple[str, str]:
        return trait.scale, trait.protocol

    return [sorted(members, key=_place_in_key) for _, members in groupby(sorted(traits, key=place), key=place)]


def conditions(traits: Sequence[Trait]) -> str:
    """Conditions of administration, as text: `protocol gate · 5 orders of the options · 1 wording`."""
    said = [f"protocol {traits[0].protocol}"] if traits[0].protocol else []
    orders, wordings = ({getattr(trait.details, name) for trait in traits} - {None} for name in ("orders", "wordings"))
    for found, noun in ((orders, "order{} of the options"), (wordings, "wording{}")):
        if counts := sorted(found):
            said.append(f"{' or '.join(map(str, counts))} {noun.format('' if counts == [1] else 's')}")
    return " · ".join(said)


def finite(value: object) -> float | None:
    """Finite number, or None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)


def whole(value: object) -> int | None:
    """Whole number, or None for anything else."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _joined(found: list[Trait], new: Trait) -> list[Trait]:
    """Traits with the new one in the place of the same measurement under a milder verdict, or at the end."""
    for index, old in enumerate(found):
        if _measurement(old) == _measurement(new):
            worse = new.claim.verdict.severity > old.claim.verdict.severity
            return [*found[:index], new if worse else old, *found[index + 1 :]]
    return [*found, new]


def _measurement(trait: Trait) -> tuple[object, ...]:
    return trait.scale, trait.name, trait.protocol, trait.claim.value, trait.details.sem, trait.claim.asked


def _place_in_key(trait: Trait) -> int:
    names = list(trait.form.traits) if trait.form else []
    return names.index(trait.name) if trait.name in names else len(names)


def _form(name: str | None) -> Instrument | None:
    try:
        return key(name) if name is not None else None
    except InstrumentError:
        return None


def _orders(scores: object) -> dict[Order, float]:
    found = {}
    for order, score in scores.items() if isinstance(scores, Mapping) else ():
        numbers = tuple(int(part) for part in str(order).split("-") if part.isdecimal())
        value = finite(score)
        if value is not None and numbers and sorted(numbers) == list(range(1, len(numbers) + 1)):
            found[numbers] = value
    return found
