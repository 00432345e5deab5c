"""Record of a pytest item, from its report and its body's claims; and the `Run` that records make together."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from alignsuite.config import WORLD_G_PER_KWH
from alignsuite.footprint import UNKNOWN, Energy, account
from alignsuite.pytest_plugin.items import PROBE, REPLIES
from alignsuite.reports.junit import PREFIX, case_properties
from alignsuite.runs.multiplicity import judged_together
from alignsuite.runs.records import ClaimResult, Json, Record, Run, Verdict, worst
from alignsuite.text.clean import clean

if TYPE_CHECKING:
    import pytest

    from alignsuite.pytest_plugin.session import Session
    from alignsuite.runs.baseline import Baseline


def put_on_report(item: pytest.Item, report: pytest.TestReport, session: Session | None) -> None:
    """Put the item's record on its report, as plain data, and into its JUnit properties."""
    if report.when == "teardown" and (f"{PREFIX}.blocks", "true") in item.user_properties:
        return  # what failed before says more
    record = record_of(item, report, session)
    if report.passed and record.verdict in (Verdict.INCONCLUSIVE, Verdict.INVALID):
        # Let through by the probe's own policy; it must not look like a pass in anybody's XML.
        report.outcome = "skipped"
        report.longrepr = (str(item.path), item.location[1] or 0, f"{record.verdict}: {record.reason}")
    # pytest copies these to the teardown's report, which is where JUnit reads them.
    properties = [(name, value) for name, value in item.user_properties if not name.startswith(f"{PREFIX}.")]
    item.user_properties[:] = [*properties, *case_properties(record)]
    if report.when == "teardown":
        report.user_properties = list(item.user_properties)
    report.alignsuite = record.to_json()  # type: ignore[attr-defined]


def unrun(item: pytest.Item, session: Session | None) -> Record:
    """`Record` of an item of which nothing is known but what it is: an error that blocks, until something is."""
    probe = item.stash[PROBE]
    bank = probe.bank
    spec = bank.loaded.spec
    function = getattr(item, "function", None)
    about = (getattr(function, "__doc__", None) or "").strip().splitlines()
    return Record(
        nodeid=stable_id(item), axis=probe.spec.axis, probe=spec.id, test=getattr(item, "originalname", item.name), slice=bank.slice,
        about=about[0] if about else "",
        prompt_set={"id": spec.id, "version": spec.version, "hash": bank.loaded.content_hash, "expect": spec.expect},
        stage=session.stage if session else "", form="", outcome="error", verdict=None, blocks=True, reason="it never ran",
        temperature=bank.temperature, replay=session.again(item) if session else "",
    )  # fmt: skip


def record_of(item: pytest.Item, report: pytest.TestReport, session: Session | None) -> Record:
    """`Record` of an item whose report is made."""
    replies = item.stash.get(REPLIES, None)
    claims = tuple(finding.claim for finding in replies.findings) if replies else ()
    outcome = (
        "error"
        if report.when != "call" and report.failed
        else ("xfailed" if hasattr(report, "wasxfail") else report.outcome)
    )
    return replace(
        unrun(item, session), form=replies.form if replies else "", outcome=outcome, verdict=worst(claim.verdict for claim in claims),
        blocks=report.failed, reason=_reason(report, claims), claims=claims, time={"seconds": round(report.duration, 3)},
    )  # fmt: skip


def stable_id(item: pytest.Item) -> str:
    """Id of an item that does not depend on how pytest was called.

    It is pytest's own, but for probes of the shipped suites, whose ids begin where the command line says: theirs is `alignsuite/suites/…`.
    """
    suites = next(
        (place for place in item.path.parents if (place.name, place.parent.name) == ("suites", "alignsuite")), None
    )
    checkout = Path(__file__).parents[3] / "suites"
    inside = suites or (checkout if checkout in item.path.parents else None)
    if inside is None:
        return item.nodeid
    return f"alignsuite/suites/{item.path.relative_to(inside).as_posix()}::{item.nodeid.partition('::')[2]}"


def _reason(report: pytest.TestReport, claims: Sequence[ClaimResult]) -> str:
    """Reason why there is no verdict, or what stopped the body beside its claims."""
    if report.when != "teardown" and claims and worst(claim.verdict for claim in claims) not in (Verdict.PASS, None):
        return "; ".join(reason for claim in claims for reason in claim.reasons)
    if report.skipped and isinstance(report.longrepr, tuple):
        return clean(report.longrepr[2].removeprefix("Skipped: "))
    if report.failed:
        crash = getattr(report.longrepr, "reprcrash", None)
        return clean((crash.message if crash is not None else str(report.longrepr)).removeprefix("Failed: "))
    return ""


def make_run(
    header: Json,
    records: Iterable[Record],
    started: float,
    energy: Energy = UNKNOWN,
    g_per_kwh: float = WORLD_G_PER_KWH,
    missing: Iterable[str] = (),
    ended: str = "",
    risk: Json | None = None,
) -> Run:
    """`Run` of records in the order of their node ids, with the energy that it took shared out over them.

    `missing` are the ids (`stable_id`) of selected items that have no record, and `ended` says why they have none; `risk` is what was
    computed before anything was asked.
    """
    ordered, spent = account(sorted(records, key=lambda record: record.nodeid), energy, g_per_kwh)
    sets = {record.probe: dict(record.prompt_set) for record in ordered}
    header = header | {"prompt_sets": sets, "time": {"started": round(started, 3)}}
    summary = summary_of(ordered, time.time() - started, float(header["alpha"]))
    lacking = sorted(missing)
    whole = {"missing": lacking, "ended": ended if lacking else "", "risk": risk or {}}
    return Run(header, ordered, summary | whole | {"time": summary["time"] | spent})


def summary_of(records: Sequence[Record], seconds: float, alpha: float) -> Json:
    """Summary: the last line of the run file."""
    claims = [claim for record in records for claim in record.claims]
    axes: dict[str, Counter[str]] = {}
    for record in records:
        axes.setdefault(record.axis, Counter())[str(record.verdict or record.outcome)] += 1
    total = Counter(str(record.verdict or record.outcome) for record in records)
    return {
        "kind": "summary", "verdicts": dict(total), "axes": {axis: dict(count) for axis, count in axes.items()},
        "blocks": sum(record.blocks for record in records), "judged": sum(record.verdict is not None for record in records),
        "together": judged_together(records, alpha), "tokens": _summed(claim.tokens for claim in claims),
        "time": {**_summed(claim.time for claim in claims), "elapsed_s": round(seconds, 3)},
    }  # fmt: skip


def _summed(parts: Iterable[Mapping[str, float]]) -> dict[str, float]:
    total: dict[str, float] = defaultdict(float)
    for part in parts:
        for name, value in part.items():
            total[name] += value
    return {name: round(value, 3) for name, value in total.items()}


def with_regressions(run: Run, baseline: Baseline | None) -> Run:
    """`Run` with its axes held against a baseline as wholes, unless it only measured noise."""
    if baseline is None or run.header["calibrated"]:
        return run
    from alignsuite.runs.pooled import axis_regressions

    names = (baseline.name, "this run")
    return replace(run, regressions=axis_regressions(baseline.run, run, alpha=run.header["alpha"], names=names))
