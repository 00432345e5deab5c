"""The comparisons of groups that a run holds, as pictures want them.

Two rules stand here once. A comparison is drawn whole or not at all: a detail that is missing, or is not what it should be (run files come
from anywhere), makes it unknown, and unknown is said, not drawn. And what a claim turned down as INVALID has no rates to be put on an axis.

Names of groups may be of any script. Sentences about them keep a Latin word between a name and the next number, because digits that follow
an Arabic or a Hebrew name directly are shown on its wrong side.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from alignsuite.reports.traits import finite, readable_name, whole
from alignsuite.runs.records import ClaimResult, Record, Run, Verdict
from alignsuite.text.cells import cut, one_line
from alignsuite.text.numbers import percent, plural

Counts = Mapping[str, Mapping[str, int]]
"""Group → label of a reply → how many."""


@dataclass(frozen=True)
class Comparison:
    """One claim of kind `gap`, and the record that it stands in."""

    record: Record
    claim: ClaimResult

    @property
    def name(self) -> str:
        """What was asked: `fairness/everyday_requests[religion]`."""
        return one_line(f"{self.record.probe}[{self.record.slice}]" if self.record.slice else self.record.probe, 120)

    @property
    def what(self) -> str:
        """The behaviour that is counted, in words."""
        return one_line(readable_name(self.claim.what), 60)

    @property
    def between(self) -> str:
        """What the groups are groups by: `group`."""
        return one_line(readable_name(str(self.claim.details.get("between") or "group")), 60)

    @property
    def about(self) -> list[str]:
        """How they were asked: prompt set, its version, judge, size of the design."""
        version, templates = whole(self.record.prompt_set.get("version")), whole(self.claim.details.get("templates"))
        said = (
            self.name,
            f"version {version}" if version else "",
            f"judge {one_line(self.claim.judge, 60)}",
            plural(templates, "template") if templates else "",
        )
        return [one for one in said if one]

    @property
    def valid(self) -> bool:
        """Whether the measurement held."""
        return self.claim.verdict is not Verdict.INVALID

    @property
    def classes(self) -> Counts:
        """How the replies to each group were read; empty where that is not known of every group, or of fewer than two."""
        said = self.claim.details.get("classes")
        found = {str(group): _counts(counts) for group, counts in (said.items() if isinstance(said, Mapping) else ())}
        known = {group: counts for group, counts in found.items() if counts is not None}
        return known if len(known) == len(found) > 1 and any(map(_total, known.values())) else {}

    @property
    def rates(self) -> Mapping[str, float]:
        """Group → share of its replies that showed the behaviour; empty where that is not known of every group, or of fewer than two."""
        said = self.claim.details.get("groups")
        found = {str(group): _share(rate) for group, rate in (said.items() if isinstance(said, Mapping) else ())}
        known = {group: rate for group, rate in found.items() if rate is not None}
        return known if self.valid and len(known) == len(found) > 1 else {}

    @property
    def intervals(self) -> Mapping[str, tuple[float, float]]:
        """Group → interval of its rate, for every group of `rates`; empty where one is missing."""
        said = self.claim.details.get("intervals")
        found = {str(group): _ends(ends) for group, ends in (said.items() if isinstance(said, Mapping) else ())}
        known = {group: ends for group in self.rates if (ends := found.get(group)) is not None}
        return known if len(known) == len(self.rates) else {}

    @property
    def offenders(self) -> Sequence[str]:
        """Groups whose rate lies above the mean of all by more than chance, the worst first."""
        said = self.claim.details.get("offenders")
        named = [str(one) for one in said] if isinstance(said, list | tuple) else []
        return [group for group in ranked(self.rates) if group in named]

    @property
    def limit(self) -> float | None:
        """The largest gap that is allowed."""
        limit = finite(self.claim.bounds.get("limit"))
        return limit if limit is not None and 0 < limit <= 1 else None

    @property
    def limit_of_labels(self) -> float | None:
        """How close labels have to be to prove the limit, where the judge's errors hide a part of a true gap; else the limit itself."""
        said = self._judge("limit")
        return said if said is not None and self.limit is not None and said < self.limit else self.limit

    @property
    def shown(self) -> float | None:
        """The share of a true gap that the judge's labels show at least, by its card; None where no card says."""
        return self._judge("kept")

    @property
    def within(self) -> bool:
        """Whether groups were compared within each template; otherwise templates were, each of one group."""
        return self.claim.details.get("unit") != "template"

    def replies(self, group: str) -> int | None:
        """How many replies a group got; None where that is not known."""
        return _total(self.classes[group]) if group in self.classes else None

    @property
    def missing(self) -> str:
        """Why something about this comparison can't be drawn, as a sentence without a full stop; empty where all can."""
        lacks = [] if self.classes else ["how the replies to each group were read"]
        if self.valid and not self.intervals:
            lacks.append("each group's rate with its interval")
        said = [] if self.valid else ["the gap is INVALID, so it has no place on an axis"]
        if lacks:
            said.append(
                f"the run file lacks {' and '.join(lacks)}; run again, replies in the store are not asked twice"
            )
        return f"{self.name}, {self.what}: {'; '.join(said)}" if said else ""

    def _judge(self, name: str) -> float | None:
        said = self.claim.details.get("judge")
        return _share(said.get(name)) if isinstance(said, Mapping) else None


def compared(run: Run) -> list[Comparison]:
    """Every comparison of groups in a run, in the order of its records."""
    return [Comparison(record, claim) for record in run.records for claim in record.claims if claim.kind == "gap"]


def ranked(rates: Mapping[str, float]) -> list[str]:
    """The groups, the highest rate first; those alike by name."""
    return sorted(rates, key=lambda group: (-rates[group], group))


def reach(rates: Mapping[str, float], room: int) -> str:
    """From where to where rates reach, as words behind a colon.

    Args:
        rates: of two groups or more.
        room: for each name, in columns of text.

    >>> reach({"hindu": 0.31, "christian": 0.12, "muslim": 0.12}, 20)
    '31.0 % for hindu and 12.0 % for 2 groups'
    """
    high, low = max(rates.values()), min(rates.values())
    if high == low:
        return f"{percent(high)} for every group"
    return " and ".join(f"{percent(rate)} for {_whose(rates, rate, room)}" for rate in (high, low))


def _whose(rates: Mapping[str, float], rate: float, room: int) -> str:
    """The group with this rate, or how many have it: to name one of them would be unjust to it."""
    groups = [group for group in rates if rates[group] == rate]
    return cut(one_line(groups[0]), room) if len(groups) == 1 else plural(len(groups), "group")


def _total(counts: Mapping[str, int]) -> int:
    return sum(counts.values())


def _counts(counts: object) -> dict[str, int] | None:
    """Label → count; None where one of them is no count."""
    if not isinstance(counts, Mapping):
        return None
    found = {str(label): whole(count) for label, count in counts.items()}
    known = {label: count for label, count in found.items() if count is not None and count >= 0}
    return known if len(known) == len(found) else None


def _share(value: object) -> float | None:
    share = finite(value)
    return share if share is not None and 0 <= share <= 1 else None


def _ends(value: object) -> tuple[float, float] | None:
    match value:
        case [low, high]:
            ends = _share(low), _share(high)
            if ends[0] is not None and ends[1] is not None and ends[0] <= ends[1]:
                return ends[0], ends[1]
    return None
