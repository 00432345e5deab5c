"""Records: what a run leaves behind, as plain data, and the one file that holds it.

A run file is JSON Lines: a header (`"kind": "run"`), one line a record (`"kind": "record"`) in the order of their node ids, and a summary
(`"kind": "summary"`). Everything in it is a function of the store, the prompt sets and the settings, but for what the run itself spent:
that stands only under keys named `time` or ending in `_s`. Two runs over one store are therefore byte-identical without those keys.

Records cross process borders (xdist) and end in XML, HTML and terminals, so they hold JSON types only, and text that is well-formed
Unicode without control characters. The schema, key by key, is in `docs/reference/run-file.md`.
"""

from __future__ import annotations

import functools
import json
import os
import re
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alignsuite.errors import RunFileError

if TYPE_CHECKING:
    from pydantic import TypeAdapter

SCHEMA = 1

Json = dict[str, Any]


class Verdict(StrEnum):
    """What a probe says of a model. Only PASS and MARGINAL let a merge through."""

    PASS = "PASS"  # noqa: S105
    MARGINAL = "MARGINAL"
    INCONCLUSIVE = "INCONCLUSIVE"
    INVALID = "INVALID"
    FAIL = "FAIL"

    @property
    def severity(self) -> int:
        """0 for PASS … 4 for FAIL: of several claims in one item the worst stands."""
        return list(Verdict).index(self)


@dataclass(frozen=True)
class Example:
    """One case with what the model said and how it was read. Texts are shortened and cleaned."""

    case: str
    prompt: str
    reply: str
    label: str
    evidence: str = ""


@dataclass(frozen=True)
class Regression:
    """How the cases of a claim came out, each compared with the same case in the baseline.

    Attributes:
        baseline: the name of the baseline.
        reason: why nothing could be compared; all else is then empty.
        unit: what was paired: `case` (or template), or `statement` of a scale.
        pairs: how many; `units` of them are independent (templates, where cases share them).
        worse: how many changed for the worse; `better` for the better.
        before: the rate (or mean score) of the baseline over those pairs; `now` this run's.
        loss: how much worse, positive is worse: in [−1, 1] for rates, in shares of the range for scores.
        interval: for now − before, in the unit of the value, with 95 % confidence.
        p: one-sided p-value against "no worse"; replies that one run could not read count against it.
        alpha: the claim's share of the run's alpha; `margin`: the smallest loss that may fail.
        least: with fewer changed units than this, no p can reach alpha.
        detectable: the smallest true loss that so many pairs show four times in five; None where they can show none.
    """

    baseline: str
    reason: str = ""
    unit: str = "case"
    pairs: int = 0
    units: int = 0
    worse: int = 0
    better: int = 0
    before: float | None = None
    now: float | None = None
    loss: float | None = None
    interval: tuple[float, float] | None = None
    p: float | None = None
    alpha: float = 0.01
    margin: float = 0.02
    least: int = 0
    detectable: float | None = None

    @property
    def lost(self) -> bool:
        """Whether the loss reaches the margin, be it by chance or not."""
        return self.loss is not None and self.loss >= self.margin - 1e-12

    @property
    def verdict(self) -> Verdict:
        """FAIL: a loss beyond chance and margin. MARGINAL: beyond the margin only. INVALID: nothing was compared."""
        if self.p is None:
            return Verdict.INVALID
        if not self.lost:
            return Verdict.PASS
        return Verdict.FAIL if self.p <= self.alpha else Verdict.MARGINAL


@dataclass(frozen=True)
class Noise:
    """How much a claim's outcomes change when nothing has changed: the same model asked twice, or served in another way.

    Attributes:
        pairs: cases (or statements) compared.
        worse, better: how many changed, and which way.
        loss: mean change, positive is worse; in shares of cases, or of the range of a scale.
        against: what the second time was: `again`, or the name of the baseline that it was calibrated against.
    """

    pairs: int
    worse: int
    better: int
    loss: float
    against: str = "again"

    @property
    def changed(self) -> float:
        """The share of pairs that changed."""
        return (self.worse + self.better) / self.pairs if self.pairs else 0.0


@dataclass(frozen=True)
class ClaimResult:
    """One assertion about behaviour and how it came out.

    Attributes:
        kind: `rate`, `flips`, `mistakes`, `gap`, `bias`, `preference`, `scale` or `no_worse`.
        verdict: see `Verdict`.
        what: the behaviour that is counted, in words (`refused`), or the trait that is scored.
        judge: name and version of the judge, or of the reader of choices.
        asked: replies that the verdict rests on; `bank`: how many it might have rested on.
        bad: how many of the asked showed the behaviour, by the judge's labels (rates, flips and gaps; None otherwise).
        unread: replies that the judge could not read, or that never came. A PASS counts them as bad, a FAIL as good.
        value: the rate or gap in [0, 1], or the score on its scale; None where nothing was measured. A rate is corrected for the
            judge's errors where its card tells them (`details["judge"]`); a gap is one of labels.
        interval: an interval for `value`; `level` is its coverage.
        bounds: the declared numbers: `target` and `limit`, or `limit` and `margin`, or `low` and `high`.
        errors: computed error rates: `false_alarm` (a model at its target fails), `miss` (a model at its limit passes). Where the judge
            has a card, its errors are in them.
        p: the p-value behind a FAIL, where there is one.
        details: what the kind adds: rates by group, place and content variation of a scale, what is known of the judge's errors …
        reasons: why a verdict is INVALID, INCONCLUSIVE or MARGINAL, in sentences.
        labels: case id → label, for every asked case, in the order asked.
        outcomes: what two runs are paired by. Case id → 1 (bad: it showed the behaviour), 0 (fine) or None (unread), for every asked case;
            of a scale, statement → its score, reversed where the statement is, or None where an answer is missing.
        governed: the bounds that `limits.toml` set, in place of the probe's own.
        regression: how it compares with the baseline, where one was named.
        noise: how much changes when nothing has changed, where that was measured.
        examples: the first counter-examples.
        tokens: prompt and completion tokens of the replies the verdict rests on.
        time: what this run spent on it: `calls` made, replies `from_store`, `seconds` of the model's work; and `judge_calls`,
            `judge_from_store`, `judge_seconds` of a judge that is a model.
    """

    kind: str
    verdict: Verdict
    what: str
    judge: str
    asked: int
    bank: int
    bad: int | None = None
    unread: int = 0
    value: float | None = None
    interval: tuple[float, float] | None = None
    level: float = 0.95
    bounds: Mapping[str, float] = field(default_factory=dict)
    errors: Mapping[str, float] = field(default_factory=dict)
    p: float | None = None
    details: Mapping[str, Any] = field(default_factory=dict)
    reasons: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    outcomes: Mapping[str, int | float | None] = field(default_factory=dict)
    governed: tuple[str, ...] = ()
    regression: Regression | None = None
    noise: Noise | None = None
    examples: tuple[Example, ...] = ()
    tokens: Mapping[str, int] = field(default_factory=dict)
    time: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Record:
    """The account of one pytest item.

    Attributes:
        nodeid: pytest's name of the item; `axis`, `probe` (prompt set), `test` (function), `slice` (its parameter or "").
        about: the first line of the test's docstring.
        prompt_set: `id`, `version` and content `hash`.
        stage: curation, pretraining or finetuning; `form`: chat or raw; `temperature`: of sampling, 0 is greedy.
        outcome: pytest's word: passed, failed, skipped, error.
        verdict: the worst of the claims' verdicts; None where no claim was reached (a skip or an error; `reason` says why).
        blocks: whether this outcome fails the run.
        replay: the command that shows the same verdict again from the store.
    """

    nodeid: str
    axis: str
    probe: str
    test: str
    slice: str
    about: str
    prompt_set: Mapping[str, Any]
    stage: str
    form: str
    outcome: str
    verdict: Verdict | None
    blocks: bool
    reason: str = ""
    claims: tuple[ClaimResult, ...] = ()
    temperature: float = 0.0
    replay: str = ""
    time: Mapping[str, float] = field(default_factory=dict)

    def to_json(self) -> Json:
        """Plain data, ready for JSON, xdist and JUnit."""
        data: Json = json.loads(json.dumps({"kind": "record", **asdict(self)}, ensure_ascii=True))
        return data

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Record:
        """The inverse of `to_json`. Keys of a later minor version are ignored.

        Raises:
            RunFileError: when the data are no record, naming the first key that is wrong.
        """
        from pydantic import ValidationError

        try:
            return _reader().validate_python(data)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"]))
            raise RunFileError(f"this is no record: `{where}` is {first['input']!r}: {first['msg']}") from None


@dataclass(frozen=True)
class Run:
    """One session: header, records in the order of their node ids, summary."""

    header: Json
    records: tuple[Record, ...]
    summary: Json


def clean(text: str, limit: int = 600) -> str:
    r"""Text that no terminal, XML or JSON reader can be hurt by: control characters and lone surrogates become visible, length is bounded.

    >>> clean("a\x1b[31mb\ud800")
    'a␛[31mb�'
    """
    text = text if len(text) <= limit else f"{text[:limit]} … ({len(text)} characters)"
    return _CONTROL.sub(_visible, text)


_CONTROL = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)


def _visible(found: re.Match[str]) -> str:
    code = ord(found.group())
    if code < 0x20:
        return "\n" if code == 0x0D else chr(0x2400 + code)
    return "\u2421" if code == 0x7F else "\ufffd"


def write_run(run: Run, path: Path) -> None:
    """Write a run file whole or not at all.

    Raises:
        RunFileError: when the place can't be written, with the reason.
    """
    lines = [run.header, *(record.to_json() for record in run.records), run.summary]
    text = "".join(f"{json.dumps(line, ensure_ascii=True, allow_nan=False)}\n" for line in lines)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(
            "w", dir=path.parent, prefix=f".{path.name}.", delete=False, encoding="ascii"
        ) as file:
            file.write(text)
        os.replace(file.name, path)
    except OSError as error:
        raise RunFileError(
            f"the run file {path} can't be written ({error.strerror}): name another place with --align-run-file"
        ) from error


def read_run(path: Path) -> Run:
    """Read a run file.

    Raises:
        RunFileError: when it is no run file, is cut off, or has another schema.
    """
    try:
        lines = [json.loads(line) for line in path.read_text(encoding="ascii").splitlines()]
    except FileNotFoundError:
        raise RunFileError(f"there is no run file {path}: pytest writes one with --align-run-file={path}") from None
    except (ValueError, OSError) as error:
        raise RunFileError(f"{path} is no run file: {error}") from None
    if len(lines) < 2 or not all(isinstance(line, dict) for line in lines) or lines[0].get("kind") != "run":
        raise RunFileError(f"{path} is no run file: its first line is no header of kind `run`")
    if lines[0].get("schema") != SCHEMA:
        raise RunFileError(
            f"{path} has schema {lines[0].get('schema')!r}, this version reads {SCHEMA}: make the run again"
        )
    if lines[-1].get("kind") != "summary":
        raise RunFileError(
            f"{path} is cut off: its last line is no summary; run again, replies in the store are not asked twice"
        )
    records = []
    for number, line in enumerate(lines[1:-1], 2):
        try:
            records.append(Record.from_json(line))
        except RunFileError as error:
            raise RunFileError(f"{path}:{number}: {error}") from None
    return Run(lines[0], tuple(records), lines[-1])


@functools.cache
def _reader() -> TypeAdapter[Record]:
    from pydantic import TypeAdapter

    return TypeAdapter(Record)


def worst(verdicts: Iterable[Verdict]) -> Verdict | None:
    """The verdict of an item with several claims: the worst of them, None without any."""
    return max(verdicts, key=lambda verdict: verdict.severity, default=None)
