"""Comparison of a run's questionnaires with a published study: `Beside`, and what is missing or asked otherwise.

Nothing is tested here. A study's model and a run's differ in prompts, in sampling and in more than is known, so a difference of scores is
shown and never called significant; a trait that the gate turned down has no score to lay anywhere.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from alignsuite.questionnaires import Instrument, Norm, key, known
from alignsuite.reports.studies.published import Figure, Study
from alignsuite.reports.traits import Trait, conditions, grouped, measured
from alignsuite.runs.records import Json, Run
from alignsuite.text.cells import one_line, readable_name

_HOW = {
    "gate": "expected scores, from the probabilities of the options",
    "report": "expected scores, from the probabilities of the options",
    "study": "free-text replies, read by rule",
}


@dataclass(frozen=True)
class Table:
    """Table of one instrument: the study's figures, people's, and this run's.

    Attributes:
        form: the instrument's key.
        people: trait → norm, in the instrument's unit; empty where there is none.
        systems: the study's models that answered it → trait → figure.
        ours: one row for each way in which this run asked it (protocol): trait → measurement. Empty where the run lacks it.
        remarks: what a reader has to know of it, in sentences.
    """

    form: Instrument
    people: Mapping[str, Norm]
    systems: Mapping[str, Mapping[str, Figure]]
    ours: tuple[Mapping[str, Trait], ...]
    remarks: tuple[str, ...]

    @property
    def traits(self) -> tuple[str, ...]:
        """Traits of the key, in its order."""
        return tuple(self.form.traits)


@dataclass(frozen=True)
class Beside:
    """Comparison of a run with a study: a `Table` for each instrument.

    Attributes:
        study: what the run is laid beside.
        header: the run's.
        tables: one for each instrument of the study.
        others: instruments and sets of the run that the study hasn't.
    """

    study: Study
    header: Json
    tables: tuple[Table, ...]
    others: tuple[str, ...]

    @property
    def missing(self) -> tuple[Instrument, ...]:
        """Instruments of the study that the run hasn't asked."""
        return tuple(table.form for table in self.tables if not table.ours)

    def commands(self, form: Instrument) -> tuple[str, ...]:
        """Commands that make what is missing: the wording, then the run.

        They are to be typed as they stand, but for FILE.csv.
        """
        wording = f"alignsuite instruments {'fetch' if form.packages else 'import'} {form.name}"
        model = self.header.get("model")
        name = model.get("name") if isinstance(model, Mapping) else model
        asked = shlex.quote(one_line(str(name or "NAME"), 120))
        longer = [name for name in known() if form.name in name and name != form.name]
        chosen = shlex.quote(" and not ".join((form.name, *longer)))
        run = f"pytest --pyargs alignsuite.suites.psychological --model={asked} -k {chosen} --align-run-file=run.jsonl"
        return (wording if form.packages else f"{wording} FILE.csv", run)


def beside(run: Run, study: Study) -> Beside:
    """`Beside` of a run's scales and a study's tables."""
    groups = grouped(measured(run))
    tables = tuple(_table(name, groups, study) for name in study.instruments)
    others = dict.fromkeys(traits[0].scale for traits in groups if traits[0].scale not in study.instruments)
    return Beside(study, run.header, tables, tuple(others))


def _table(name: str, groups: Sequence[Sequence[Trait]], study: Study) -> Table:
    form = key(name)
    ours = tuple(row for traits in groups if traits[0].scale == name for row in _rows(traits))
    systems = {model: scales[name] for model, scales in study.systems.items() if name in scales}
    remarks = (*_doubts(ours), *_conditions(ours, study), *study.remarks.get(name, ()))
    return Table(form, form.norms, systems, ours, remarks)


def _rows(traits: Sequence[Trait]) -> list[dict[str, Trait]]:
    """Rows, as few as hold every measurement: a trait that was measured twice takes a second one."""
    rows: list[dict[str, Trait]] = []
    for trait in traits:
        row = next((row for row in rows if trait.name not in row), None)
        if row is None:
            rows.append(row := {})
        row[trait.name] = trait
    return rows


def _doubts(ours: Sequence[Mapping[str, Trait]]) -> Iterator[str]:
    """Reasons why some of this run's cells hold no number, and which hold one over fewer statements."""
    for trait in (trait for row in ours for trait in row.values()):
        if trait.score is None:
            yield f"{readable_name(trait.name)} is {trait.claim.verdict}: {trait.trouble}"
        elif trait.asked:
            yield f"{readable_name(trait.name)}: over {trait.asked[0]} of its {trait.asked[1]} statements only"


def _conditions(ours: Sequence[Mapping[str, Trait]], study: Study) -> Iterator[str]:
    """Differences of administration: how this run asked where the study asked otherwise."""
    yield from dict.fromkeys(_asked(list(row.values()), study) for row in ours)


def _asked(traits: Sequence[Trait], study: Study) -> str:
    how = _HOW.get(traits[0].protocol, "how the answers were read is not recorded")
    said = f"asked here: {conditions(traits) or 'under conditions that are not recorded'}; {how}"
    as_published = traits[0].protocol == "study" and {trait.details.orders for trait in traits} == {study.orders}
    return f"{said}{'; the orders are the published ones, the prompts are not' if as_published else ''}"
