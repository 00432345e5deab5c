"""Comparison of two runs: claims paired case by case, and Holm's procedure over all of them.

Which came out worse in B, which better, and which can't be compared at all.

Claims are matched by probe, test and slice, and paired over shared cases (`alignsuite.runs.paired`). All rows are judged together: the
p-values for "worse" are one family for Holm's procedure, those for "better" another, so with probability 1 − alpha no row at all
is wrongly called worse. A row in which too few cases changed to show anything is in no family: it could not have been rejected,
whichever way they had changed, and how many changed says nothing of which way.

Beside the rows each axis is compared as a whole (`alignsuite.runs.pooled`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from alignsuite.runs.paired import Direction, PairedOutcomes, incomparable, pair
from alignsuite.runs.pooled import axis_regressions
from alignsuite.runs.records import AxisRegression, ClaimResult, Json, Record, Run
from alignsuite.stats import holm, least_discordant

_Item = tuple[str, str, str, str]
_Key = tuple[_Item, str, str, int]


class Shown(StrEnum):
    """Conclusion of a row about B."""

    WORSE = "worse"
    BETTER = "better"
    NOTHING = "no difference shown"
    NOT_COMPARABLE = "not comparable"


@dataclass(frozen=True)
class ComparedClaim:
    """Compared claim: one claim as it came out in both runs.

    Attributes:
        kind: of the claim: rate, gap, flips or scale; `what` is the behaviour, or the trait.
        a: the claim as it came out in A, None where A did not make it; `b` the same.
        shown: what the pairs say.
        reason: why the row is not comparable; empty otherwise.
        pairs: None where the row is not comparable.
    """

    axis: str
    probe: str
    test: str
    slice: str
    kind: str
    what: str
    a: ClaimResult | None
    b: ClaimResult | None
    shown: Shown
    reason: str = ""
    pairs: PairedOutcomes | None = None


@dataclass(frozen=True)
class Comparison:
    """Comparison of run B with run A: a `ComparedClaim` for each claim, and the level.

    Attributes:
        a: header of run A; `b` of run B.
        alpha: chance that any row at all is wrongly called worse (and as much that any is wrongly called better).
        least: with fewer changed cases (or templates) than this, a row can show nothing at that level.
        axes: whole axes of B compared with A, at an alpha of their own, as large.
    """

    a: Json
    b: Json
    alpha: float
    least: int
    rows: tuple[ComparedClaim, ...]
    axes: tuple[AxisRegression, ...] = ()

    @property
    def worse(self) -> bool:
        """Whether any claim, or any axis as a whole, is shown to be worse."""
        return bool(self.count(Shown.WORSE)) or any(one.blocks for one in self.axes)

    @property
    def one_model(self) -> bool:
        """Whether both runs asked the very same model, so that all differences are noise."""
        return _fingerprint(self.a) is not None and _fingerprint(self.a) == _fingerprint(self.b)

    @property
    def compared(self) -> int:
        """Number of comparable rows."""
        return sum(row.pairs is not None for row in self.rows)

    @property
    def family(self) -> int:
        """Size of one or both families: rows in which enough changed for something to be shown."""
        return sum(
            row.pairs is not None and (row.pairs.worse.adjusted is not None or row.pairs.better.adjusted is not None)
            for row in self.rows
        )

    def detectable(self, row: ComparedClaim) -> float | None:
        """Minimum detectable effect: the true loss that such a row shows four times in five, as one more of the family.

        None where none can be shown.
        """
        return None if row.pairs is None else row.pairs.detectable(self.alpha / (self.family + 1))

    def count(self, shown: Shown) -> int:
        """Number of rows with this conclusion."""
        return sum(row.shown is shown for row in self.rows)


def compare(a: Run, b: Run, *, alpha: float = 0.01) -> Comparison:
    """`Comparison` of two runs, claim by claim, over the cases that both were asked: is B worse or better than A?

    Args:
        a: the run to compare with, such as the last release.
        b: the run in question.
        alpha: chance that any row is wrongly called worse, in (0, 1); as large again that any axis is.

    Raises:
        StatsError: when alpha is out of range.
    """
    left, right = _claims(a), _claims(b)
    items_a, items_b = ({_item(record): record for record in run.records} for run in (a, b))
    rows = []
    for key in dict.fromkeys((*left, *right)):
        made = left.get(key), right.get(key)
        rows.append(
            _row(key, made[0], made[1], _absent(key, made[0], items_a, "A") or _absent(key, made[1], items_b, "B"))
        )
    least = least_discordant(alpha)
    axes = axis_regressions(a, b, alpha=alpha)
    return Comparison(a.header, b.header, alpha, least, tuple(_judged(rows, alpha, least)), axes)


def _claims(run: Run) -> dict[_Key, tuple[Record, ClaimResult]]:
    """Claims of a run by what they are matched by: item, kind, behaviour, and a number for a repeated one."""
    times: Counter[tuple[_Item, str, str]] = Counter()
    found = {}
    for record in run.records:
        for claim in record.claims:
            name = (_item(record), claim.kind, claim.what)
            found[*name, times[name]] = (record, claim)
            times[name] += 1
    return found


def _item(record: Record) -> _Item:
    """Identity of an item in every repository: node ids depend on where pytest was started."""
    return (record.axis, record.probe, record.test, record.slice)


def _absent(key: _Key, made: tuple[Record, ClaimResult] | None, items: dict[_Item, Record], side: str) -> str:
    if made is not None:
        return ""
    record = items.get(key[0])
    if record is None:
        return f"{side} has no such probe"
    if record.claims:
        return f"{side} made no such claim: it ended before, or claims something else"
    return f"{side} measured nothing: {record.reason or record.outcome}"


def _row(
    key: _Key, a: tuple[Record, ClaimResult] | None, b: tuple[Record, ClaimResult] | None, absent: str
) -> ComparedClaim:
    item, kind, what, _ = key
    one, other = a[1] if a else None, b[1] if b else None
    reason = absent or (incomparable(a, b) if a and b else "")
    row = ComparedClaim(*item, kind, what, one, other, Shown.NOT_COMPARABLE, reason)
    if reason or one is None or other is None:
        return row
    return replace(row, shown=Shown.NOTHING, reason="", pairs=pair(one, other))


def _judged(rows: Sequence[ComparedClaim], alpha: float, least: int) -> Iterator[ComparedClaim]:
    """Rows with adjusted p-values, and the conclusions that follow."""
    pairs = [row.pairs for row in rows if row.pairs is not None]
    worse = iter(_adjusted([one.worse for one in pairs], alpha, least))
    better = iter(_adjusted([one.better for one in pairs], alpha, least))
    for row in rows:
        if row.pairs is None:
            yield row
            continue
        judged = replace(row.pairs, worse=next(worse), better=next(better))
        yield replace(row, pairs=judged, shown=_shown(judged, alpha))


def _adjusted(family: Sequence[Direction], alpha: float, least: int) -> list[Direction]:
    able = [one.p for one in family if one.changed >= least]
    values = iter(holm(able, alpha).adjusted)
    return [replace(one, adjusted=next(values)) if one.changed >= least else one for one in family]


def _shown(pairs: PairedOutcomes, alpha: float) -> Shown:
    for direction, shown in ((pairs.worse, Shown.WORSE), (pairs.better, Shown.BETTER)):
        if direction.adjusted is not None and direction.adjusted <= alpha:
            return shown
    return Shown.NOTHING


def _fingerprint(header: Json) -> object:
    model = header.get("model")
    return (model.get("fingerprint") if isinstance(model, dict) else None) or None
