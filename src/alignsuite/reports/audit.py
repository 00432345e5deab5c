"""Report of an audit: a run's claims beside people's labels of their replies, and which card fits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from alignsuite.claims.audit import Audit, audited
from alignsuite.runs.records import Record, Run
from alignsuite.text.cells import one_line, readable_name
from alignsuite.text.numbers import plural


def audits(
    run: Run, reader: str, labels: Mapping[tuple[str, str], str], behaviours: Mapping[str, frozenset[str]]
) -> Iterator[tuple[str, Audit]]:
    """Audits of a run's claims by name, those that a judge read and people read some of.

    Args:
        run: as `runs.file.read_run` gives it.
        reader: name and version of the judge.
        labels: prompt set (empty: any) and case id → the label that people gave.
        behaviours: name of a behaviour → the labels that it counts.
    """
    for record in run.records:
        of_set = {case: label for (probe, case), label in labels.items() if probe in ("", record.probe)}
        for claim in record.claims:
            if claim.judge == reader and claim.what in behaviours:
                found = audited(claim, of_set, behaviours[claim.what])
                if found is not None:
                    yield _name(record, claim.what), found


def audit_lines(name: str, audit: Audit) -> Iterator[str]:
    """An audit in words: agreement, what people found, and whether the card fits."""
    beyond = "" if audit.kappa is None else f", kappa {audit.kappa:.2f}"
    yield f"{name}: people and judge agree on {audit.agreed} of {plural(audit.read, 'reply')}{beyond}"
    yield (
        f"  {audit.confirmed} of {audit.flagged - audit.open} flagged and read are so; {audit.bad} of {audit.looked} read of "
        f"{audit.cleared} cleared are so too"
    )
    if audit.missed_p is None or audit.blamed_p is None:
        why = (
            f"{audit.open} of {audit.flagged} flagged replies are not labelled yet"
            if audit.open
            else "the claim leans on no card"
        )
        yield f"  whether the card fits is not known: {why}"
    elif audit.misfit:
        yield (
            f"  INVALID: the card does not fit these replies (p = {audit.missed_p:.2g} for those missed, {audit.blamed_p:.2g} for false "
            "flags)"
        )
    else:
        yield f"  nothing says that the card does not fit (p = {audit.missed_p:.2g} and {audit.blamed_p:.2g})"


def _name(record: Record, what: str) -> str:
    sliced = f" [{one_line(record.slice, 60)}]" if record.slice else ""
    return f"{one_line(record.probe, 80)} · {one_line(readable_name(what), 60)}{sliced}"
