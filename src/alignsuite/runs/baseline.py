"""Baseline: an earlier run, and the paired regression test of this run's claims against it.

A baseline is a run file that holds every case of its banks (`--align-census`), each with its outcome. It is compared case by case, so only
what was asked alike may be compared: another version of a prompt set, other decoding, another judge or another engine is refused by the
name of what differs, before anything is asked.

Kept baselines are run files in a folder of the user's cache, under a name; see `alignsuite baseline`.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from alignsuite.errors import BaselineError, RunFileError, did_you_mean
from alignsuite.runs.file import read_run
from alignsuite.runs.paired import PairedOutcomes, claims_differ, pair
from alignsuite.runs.records import ClaimResult, Noise, Record, Regression, Run, Verdict, worst

_NAME = re.compile(r"[A-Za-z0-9][\w.-]*")
_WHOLE = (
    "make it whole: the same command again, with --align-census (replies that are in the store are not asked twice)"
)


@dataclass(frozen=True)
class Asked:
    """Facts of a bank that a baseline is compared by: prompt set, version, content hash, and temperature."""

    set: str
    version: int
    hash: str
    temperature: float


@dataclass(frozen=True)
class Reads:
    """Facts of a claim that a baseline is compared by: what it counts, in which family, and who reads it."""

    family: str
    what: str
    reader: str


@dataclass(frozen=True)
class Baseline:
    """Baseline: a run, under the name that it was called by."""

    name: str
    run: Run

    @property
    def model(self) -> Mapping[str, Any]:
        """Model of the baseline, as its header has it."""
        model = self.run.header.get("model")
        return model if isinstance(model, dict) else {}

    def check_run(self, header: Mapping[str, Any], *, calibrating: bool) -> None:
        """Check that a run with this header can be compared with the baseline.

        Raises:
            BaselineError: naming all that differs.
        """
        if self.run.cut_off:
            raise BaselineError(f"the baseline {self.name} is of a run that was {self.run.cut_off}; {_WHOLE}")
        if not self.run.header.get("census"):
            raise BaselineError(
                f"the baseline {self.name} is no census: its claims stopped as soon as their verdict stood, so later cases have nothing "
                "to be compared with. Make it again with --align-census (replies that are in the store cost nothing)"
            )
        differs = [
            f"{what} is {self.run.header.get(what) or usual} there and {header.get(what) or usual} here"
            for what, usual in (("stage", "unknown"), ("form", "unknown"), ("protocol", "gate"))
            if (self.run.header.get(what) or usual) != (header.get(what) or usual)
        ]
        if differs:
            raise BaselineError(f"the baseline {self.name} can't be compared with this run: {'; '.join(differs)}")
        here = header.get("model") or {}
        if not calibrating and (other := _served(self.model, here)):
            raise BaselineError(
                f"the baseline {self.name} was served otherwise: {other}. Replies may differ for that reason alone, so measure it first: "
                "run the baseline's own checkpoint as it is served here, with --baseline, --align-calibrate and "
                "--align-run-file=NEW.jsonl, and "
                "compare with NEW.jsonl from then on"
            )

    def check(self, asked: Asked, claims: Sequence[Reads]) -> None:
        """Check that the baseline asked a bank alike, and read it alike.

        Raises:
            BaselineError: naming all that differs. A probe that the baseline does not hold at all is no error.
        """
        records = self._records(asked)
        differs = list(dict.fromkeys(difference for record in records for difference in _otherwise(record, asked)))
        for one in claims:
            readers = {claim.judge for claim in self._claims(asked, one.family, one.what)}
            if readers and one.reader not in readers:
                differs.append(
                    f"`{one.what}` was read by `{', '.join(sorted(readers))}` there and is read by `{one.reader}` here"
                )
        if differs:
            raise BaselineError(
                f"the baseline {self.name} can't be compared on {asked.set}: {'; '.join(differs)}. Make it again with what "
                "is used here, or check out what was used there"
            )

    def held_against(
        self, claim: ClaimResult, asked: Asked, *, alpha: float, margin: float | None = None
    ) -> ClaimResult:
        """`ClaimResult` with its paired regression, which may lower its verdict.

        A loss beyond chance and margin makes it FAIL, one beyond the margin only MARGINAL.
        """
        regression = self._regression(claim, asked, alpha, margin)
        verdict = worst(
            [claim.verdict, *([regression.verdict] if regression.p is not None and regression.lost else [])]
        )
        assert verdict is not None
        reasons = (*claim.reasons, *([_described(regression)] if regression.p is not None and regression.lost else []))
        return replace(claim, verdict=verdict, reasons=reasons, regression=regression)

    def calibrated(self, claim: ClaimResult, asked: Asked) -> ClaimResult:
        """`ClaimResult` with its noise floor: changes of the same checkpoint, served in another way."""
        before = self._before(claim, asked)
        if before is None:
            return replace(claim, reasons=(*claim.reasons, f"not calibrated: {self.name} holds no such claim"))
        return with_noise(claim, before, self.name)

    def _regression(self, claim: ClaimResult, asked: Asked, alpha: float, margin: float | None) -> Regression:
        before = self._before(claim, asked)
        if before is None:
            return Regression(self.name, reason=f"the baseline {self.name} holds no such claim")
        if reason := claims_differ(before, claim, (f"the baseline {self.name}", "this run")):
            return Regression(self.name, reason=reason)
        pairs = pair(before, claim)
        usual = claim.pairing.margin
        floor = abs(before.noise.loss) if before.noise else 0.0
        return _as_regression(self.name, pairs, before, alpha, max(usual if margin is None else margin, floor))

    def _before(self, claim: ClaimResult, asked: Asked) -> ClaimResult | None:
        """`ClaimResult` of the baseline over all its items: a bank that was split otherwise holds the same cases."""
        found = self._claims(asked, claim.pairing.family, claim.what)
        if not found:
            return None
        first = next((one for one in found if one.verdict is not Verdict.INVALID), found[0])
        outcomes = {case: outcome for one in found for case, outcome in one.outcomes.items()}
        labels = {case: label for one in found for case, label in one.labels.items()}
        noises = [one.noise for one in found if one.noise]
        pairing = replace(first.pairing, across=claim.pairing.across)  # a gap's replies are as good as a rate's
        return replace(
            first, outcomes=outcomes, labels=labels, pairing=pairing, noise=_pooled(noises) if noises else None
        )

    def _records(self, asked: Asked) -> list[Record]:
        return [record for record in self.run.records if record.probe == asked.set and record.claims]

    def _claims(self, asked: Asked, family: str, what: str) -> list[ClaimResult]:
        claims = [claim for record in self._records(asked) for claim in record.claims]
        return [claim for claim in claims if claim.pairing.family == family and claim.what == what]


def with_noise(claim: ClaimResult, other: ClaimResult, against: str) -> ClaimResult:
    """`ClaimResult` with its noise floor: how much changed between two times of asking the same model.

    With the reason where the two can't be paired.
    """
    if reason := claims_differ(other, claim, (against, "this run")):
        return replace(claim, reasons=(*claim.reasons, f"not calibrated: {reason}"))
    pairs = pair(other, claim)
    return replace(claim, noise=Noise(pairs.read, pairs.worse.count, pairs.better.count, round(pairs.loss, 9), against))


def open_baseline(named: str, folder: Path, root: Path) -> Baseline:
    """`Baseline` that `--baseline` named: a run file, or the name of a kept one.

    Raises:
        BaselineError: when there is neither.
        RunFileError: when the file is no run file.
    """
    path = root / named
    if path.suffix == ".jsonl" or path.is_file() or "/" in named:
        if not path.is_file():
            raise BaselineError(
                f"--baseline={named}: there is no such run file; make one with --align-census --align-run-file={named}"
            )
        return Baseline(path.stem, read_run(path))
    return Baseline(named, read_run(kept_file(named, folder)))


def kept_file(named: str, folder: Path) -> Path:
    """Path of a kept baseline, whatever is in it.

    Raises:
        BaselineError: when none of that name is kept.
    """
    kept = folder / f"{named}.jsonl"
    if not _NAME.fullmatch(named) or not kept.is_file():
        raise BaselineError(
            f"--baseline={named}: no baseline of that name is kept; {did_you_mean(named, kept_names(folder))} Or name a run file; "
            "`alignsuite baseline save NAME RUN.jsonl` keeps one"
        )
    return kept


def kept_names(folder: Path) -> list[str]:
    """Names of the kept baselines, sorted."""
    return sorted(path.stem for path in folder.glob("*.jsonl"))


def save(name: str, path: Path, folder: Path, *, force: bool = False) -> Path:
    """Keep a run file as a baseline under a name.

    Raises:
        BaselineError: for a name that is none or is taken, and for a run that is no census.
        RunFileError: when the file is no run file.
    """
    if not _NAME.fullmatch(name):
        raise BaselineError(f"`{name}` is no name for a baseline: wanted letters, digits, `_`, `-` and `.`")
    run = read_run(path)
    if run.cut_off:
        raise BaselineError(f"{path} is of a run that was {run.cut_off}; {_WHOLE}")
    if not run.header.get("census"):
        raise BaselineError(
            f"{path} is no census: its claims stopped as soon as their verdict stood. Make it again with --align-census (replies that "
            "are in the store cost nothing)"
        )
    if not any(record.claims for record in run.records):
        raise RunFileError(f"{path} holds no claim, so nothing could be compared with it")
    kept = folder / f"{name}.jsonl"
    if kept.exists() and not force:
        raise BaselineError(
            f"a baseline `{name}` is kept already ({kept}): take another name, or --force to replace it"
        )
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(path, kept)
    return kept


def _served(there: Mapping[str, Any], here: Mapping[str, Any]) -> str:
    """Differences in how two models were served, as text; empty where alike.

    Of devices the kind counts, not the number.
    """
    differs = []
    for what in ("engine", "device", "dtype"):
        before, now = (_fact(model, what) for model in (there, here))
        if before != now:
            differs.append(f"{what} {before or 'unknown'} there, {now or 'unknown'} here")
    return "; ".join(differs)


def _fact(model: Mapping[str, Any], what: str) -> str:
    value = model.get(what) if what == "engine" else (model.get("details") or {}).get(what)
    return str(value or "").partition(":")[0] if what == "device" else str(value or "")


def _otherwise(record: Record, asked: Asked) -> Iterator[str]:
    there = record.prompt_set
    if there.get("version") != asked.version:
        yield f"the prompt set has version {there.get('version')} there and {asked.version} here"
    elif there.get("hash") != asked.hash:
        yield f"the prompt set has another text there, under the same version {asked.version}"
    if record.temperature != asked.temperature:
        yield f"decoding is at temperature {record.temperature:g} there and {asked.temperature:g} here"


def _pooled(noises: Sequence[Noise]) -> Noise:
    pairs = sum(noise.pairs for noise in noises)
    loss = sum(noise.loss * noise.pairs for noise in noises) / pairs if pairs else 0.0
    return Noise(
        pairs, sum(noise.worse for noise in noises), sum(noise.better for noise in noises), loss, noises[0].against
    )


def _as_regression(name: str, pairs: PairedOutcomes, before: ClaimResult, alpha: float, margin: float) -> Regression:
    from alignsuite.stats import least_discordant

    usual = pairs.detectable(alpha) if before.noise is None else pairs.detectable(alpha, min(0.9, before.noise.changed))
    return Regression(
        baseline=name, unit=pairs.unit, pairs=pairs.read, units=pairs.templates, worse=pairs.worse.count, better=pairs.better.count,
        before=pairs.a, now=pairs.b, loss=round(pairs.loss, 9), interval=pairs.interval, p=pairs.worse.p, alpha=alpha, margin=margin,
        least=least_discordant(alpha), detectable=usual,
    )  # fmt: skip


def _described(regression: Regression) -> str:
    assert regression.p is not None
    if regression.verdict is Verdict.FAIL:
        return f"worse than the baseline {regression.baseline}, beyond chance (p = {regression.p:.2g})"
    return f"worse than the baseline {regression.baseline} by more than the margin, but within chance (p = {regression.p:.2g})"
