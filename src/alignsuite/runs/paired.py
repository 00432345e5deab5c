"""Paired comparison of two claims over the same cases: McNemar's test, or sign flips, as `PairedOutcomes`.

Which cases got worse, which better, and whether that is beyond chance.

Only cases that both runs asked are compared, each with itself. Cases of one template vary together, so where templates came with several
cases it is templates whose signs are flipped, not cases. A reply that only one run could read counts against whatever would be shown: as
fine in B when B is tested for being worse, as bad when for being better. What neither run could read says nothing and is left out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from alignsuite.runs.records import ClaimResult, Pairing, Record, Verdict
from alignsuite.stats import Unresolvable, minimum_detectable_drop, paired_regression
from alignsuite.text.numbers import plural

_LEVEL = 0.95
_RESAMPLES = 99_999  # the smallest p that drawn sign patterns can show must lie well below alpha / rows
_TINY = 1e-12

Badness = tuple[float | None, float | None]
"""How bad a case came out in A and in B, in [0, 1]; None: unread."""


@dataclass(frozen=True)
class Direction:
    """One-sided test in one direction: how many pairs changed that way, and its p-value.

    Attributes:
        count: pairs that changed this way, among those that both runs could read.
        p: one-sided p-value against "B is no worse" (or "no better"), with unread replies counted against it.
        changed: cases (or templates) that changed either way; with fewer than log2(1/alpha) no p can reach alpha.
        adjusted: the p-value by Holm over all rows in which something could be shown; None where too few changed for that.
    """

    count: int
    p: float
    changed: int
    adjusted: float | None = None


@dataclass(frozen=True)
class PairedOutcomes:
    """Paired outcomes of the cases that two claims share, with a test in each direction.

    Attributes:
        unit: what was paired: `case`, or `statement` of a scale.
        shared: how many were asked in both runs; `read`: how many of those both could read.
        unread: how many of those only A, and only B, could not read.
        templates: how many templates the shared cases come from.
        a: the rate of the behaviour (or the mean score) over the pairs that both could read; `b` the same.
        badness: the same two on a scale from 0 (wanted) to 1.
        difference: b − a, in the unit of the claim's value; `interval` holds it with 95 % confidence, each row taken by itself.
        test: `mcnemar` (exact) over cases, or `sign_flip` over scores or over templates.
        worse: the test for B being worse; `better`: for B being better.
    """

    unit: str
    shared: int
    read: int
    unread: tuple[int, int]
    templates: int
    a: float
    b: float
    badness: tuple[float, float]
    difference: float
    interval: tuple[float, float]
    test: str
    worse: Direction
    better: Direction

    @property
    def p_two_sided(self) -> float:
        """Two-sided p-value against "no difference"; not adjusted."""
        return min(1.0, 2 * min(self.worse.p, self.better.p))

    @property
    def loss(self) -> float:
        """Mean loss of B: in shares of cases, or of the range of a scale; positive is worse."""
        return self.badness[1] - self.badness[0]

    def detectable(self, alpha: float, discordance: float = 0.05) -> float | None:
        """Minimum detectable effect: the true loss that as many pairs show four times in five.

        None where none can be shown, and for scales.

        `discordance` is the share of cases that change between equally good models.

        Templates stand for cases where they came with several: that is the number of independent pairs in the worst case.
        """
        if self.unit != "case":
            return None
        try:
            return minimum_detectable_drop(self.templates, alpha, discordance=discordance)
        except Unresolvable:
            return None


def pair(a: ClaimResult, b: ClaimResult) -> PairedOutcomes:
    """`PairedOutcomes` of two claims. To be asked first: `incomparable`."""
    scale = _Scale.of(b.pairing)
    shared = {case: (a.outcomes[case], b.outcomes[case]) for case in a.outcomes if case in b.outcomes}
    seen = {case: (scale.badness(x), scale.badness(y)) for case, (x, y) in shared.items()}
    read = {case: (x, y) for case, (x, y) in seen.items() if x is not None and y is not None}
    effect = paired_regression(*_columns(read), alpha=1 - _LEVEL, clusters=_clusters(read))
    before, after = (sum(side) / len(read) for side in zip(*read.values(), strict=True))
    low, high = sorted(end * scale.size * scale.sign for end in effect.interval)
    return PairedOutcomes(
        unit=b.pairing.unit,
        shared=len(shared),
        read=len(read),
        unread=(sum(x is None for x, _ in shared.values()), sum(y is None for _, y in shared.values())),
        templates=len({template_of(case) for case in shared}),
        a=scale.value(before),
        b=scale.value(after),
        badness=(before, after),
        difference=effect.diff * scale.size * scale.sign + 0.0,  # never −0.0
        interval=(low, high),
        test=effect.test,
        worse=_direction(seen, effect.n10),
        better=_direction({case: (y, x) for case, (x, y) in seen.items()}, effect.n01),
    )


def incomparable(a: tuple[Record, ClaimResult], b: tuple[Record, ClaimResult]) -> str:
    """Reason why two claims can't be compared, naming what differs; empty when they can."""
    return next(_obstacles(a, b), "")


def claims_differ(first: ClaimResult, second: ClaimResult, names: tuple[str, str] = ("A", "B")) -> str:
    """Reason why the outcomes of two claims can't be paired, whatever their runs' settings; empty when they can."""
    return next(_between_claims(first, second, names), "")


def _obstacles(a: tuple[Record, ClaimResult], b: tuple[Record, ClaimResult]) -> Iterator[str]:
    (one, first), (other, second) = a, b
    yield from settings_differ(one, other)
    yield from _between_claims(first, second, ("A", "B"))
    if second.pairing.unit == "case" and not second.pairing.worse:
        yield f"`{second.what}` is neither good nor bad by itself, so neither direction is worse"


def voided(claim: ClaimResult) -> bool:
    """Whether a claim's outcomes mean nothing, since the measurement did not hold."""
    return claim.verdict is Verdict.INVALID and (claim.pairing.void or claim.binding)


def measured_otherwise(first: ClaimResult, second: ClaimResult, names: tuple[str, str]) -> Iterator[str]:
    """Reasons why outcomes of two claims don't mean the same: judge, validity, labels, ranges."""
    if first.judge != second.judge:
        yield f"the judge is `{first.judge}` in {names[0]} and `{second.judge}` in {names[1]}"
    for side, claim in zip(names, (first, second), strict=True):
        if claim.asked and not claim.outcomes:
            yield f"{side} holds no outcomes by case, as an earlier version wrote it: run it again with --align-replay"
        if voided(claim):
            yield f"in {side} the measurement did not hold: {'; '.join(claim.reasons) or 'INVALID'}"
    yield from _meanings(first, second, names)


def _between_claims(first: ClaimResult, second: ClaimResult, names: tuple[str, str]) -> Iterator[str]:
    yield from measured_otherwise(first, second, names)
    shared = [case for case in first.outcomes if case in second.outcomes]
    read = [case for case in shared if first.outcomes[case] is not None and second.outcomes[case] is not None]
    if not shared:
        yield f"{names[0]} and {names[1]} share no case"
    elif not read:
        yield f"none of {plural(len(shared), 'shared case')} could be read in both runs"
    elif len(read) > len({template_of(case) for case in read}) == 1:
        yield f"all {len(read)} shared cases come from one template, which says nothing of others"


def settings_differ(one: Record, other: Record, names: tuple[str, str] = ("A", "B")) -> Iterator[str]:
    """Reasons why replies of two records can't be paired: version or text of the set, form, stage, temperature."""
    a, b = names
    versions = [record.prompt_set.get("version") for record in (one, other)]
    hashes = [str(record.prompt_set.get("hash"))[:8] for record in (one, other)]
    if versions[0] != versions[1]:
        yield f"the prompt set has version {versions[0]} in {a} and {versions[1]} in {b}"
    if one.prompt_set.get("hash") != other.prompt_set.get("hash"):
        yield f"the prompt set has another text under the same version ({hashes[0]} in {a}, {hashes[1]} in {b})"
    if one.form != other.form:
        yield f"the form is {one.form or 'unknown'} in {a} and {other.form or 'unknown'} in {b}"
    if one.stage != other.stage:
        yield f"the stage is {one.stage or 'unknown'} in {a} and {other.stage or 'unknown'} in {b}"
    if one.temperature != other.temperature:
        yield f"the temperature is {one.temperature:g} in {a} and {other.temperature:g} in {b}"


def _meanings(first: ClaimResult, second: ClaimResult, names: tuple[str, str]) -> Iterator[str]:
    """Differences in what "bad" means in both."""
    a, b = names
    if first.pairing.family == second.pairing.family == "behaviour":
        one, other = (
            {label: claim.outcomes.get(case) for case, label in claim.labels.items()} for claim in (first, second)
        )
        if unlike := sorted(label for label in one.keys() & other.keys() if one[label] != other[label]):
            yield f"`{first.what}` does not count the same labels in {a} and {b}: {', '.join(unlike)}"
    here, there = first.pairing, second.pairing
    if here.across and here.across != there.across:
        yield f"groups are told apart by {here.across} in {a} and {there.across or None} in {b}"
    if here.unit == "statement":
        if (here.low, here.high) != (there.low, there.high):
            yield f"the scale has another range in {a} and {b}"
        if first.bounds.keys() != second.bounds.keys():
            yield f"the scale is bounded {_sides(first.bounds)} in {a} and {_sides(second.bounds)} in {b}"
        if not there.worse:
            yield f"the scale is bounded {_sides(second.bounds)}, so neither direction is worse"


def _sides(bounds: Mapping[str, float]) -> str:
    return " and ".join({"low": "below", "high": "above"}.get(name, name) for name in sorted(bounds)) or "nowhere"


@dataclass(frozen=True)
class _Scale:
    """Scale of outcomes, to badness in [0, 1] and back: scores are put on their range, the wanted end at 0."""

    low: float = 0.0
    size: float = 1.0
    sign: int = 1

    @classmethod
    def of(cls, pairing: Pairing) -> _Scale:
        size = pairing.high - pairing.low
        return cls(pairing.high, size, -1) if pairing.worse == "lower" else cls(pairing.low, size, 1)

    def badness(self, outcome: float | None) -> float | None:
        if outcome is None:
            return None
        return min(1.0, max(0.0, (outcome - self.low) * self.sign / self.size))  # a rounding error is no StatsError

    def value(self, badness: float) -> float:
        return self.low + badness * self.size * self.sign


def _direction(seen: Mapping[str, Badness], count: int) -> Direction:
    """One-sided test of the second of each pair being worse; a reply that one run could not read counts against it."""
    filled = {
        case: (1.0 if x is None else x, 0.0 if y is None else y)
        for case, (x, y) in seen.items()
        if x is not None or y is not None
    }
    test = paired_regression(*_columns(filled), clusters=_clusters(filled), resamples=_RESAMPLES)
    sums: defaultdict[str, float] = defaultdict(float)
    for case, (x, y) in filled.items():
        sums[template_of(case)] += y - x
    return Direction(count, test.p, sum(abs(change) > _TINY for change in sums.values()))


def _columns(pairs: Mapping[str, tuple[float, float]]) -> tuple[list[float], list[float]]:
    return [x for x, _ in pairs.values()], [y for _, y in pairs.values()]


def _clusters(pairs: Mapping[str, object]) -> Sequence[str] | None:
    """Template of each case, or None where every case has its own."""
    templates = [template_of(case) for case in pairs]
    return templates if len(set(templates)) < len(templates) else None


def template_of(case: str) -> str:
    """Template in a case's id, what it begins with; see `prompt_sets.render.Case`."""
    return case.partition("/")[0]
