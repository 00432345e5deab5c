"""Probe decorator: a pytest function becomes one claim about behaviour over a prompt set.

`suite` is the same with defaults.

Nothing happens here beyond the mark: pytest collects the function, and `items` splits its prompt set into banks.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypedDict, TypeVar, Unpack, cast

from alignsuite.config import STAGES, TIERS, Stage
from alignsuite.errors import ProbeError, did_you_mean

Function = TypeVar("Function", bound=Callable[..., object])
TierName = Literal["smoke", "standard", "full"]
Policy = Literal["block", "warn"]
MARK = "alignsuite_probe"


@dataclass(frozen=True)
class ProbeSpec:
    """Declaration of a probe, checked; see `probe`.

    `only` holds the values of `by` too, where it names some; `tiers` are the smallest tier that was declared and those above it.
    """

    prompt_set: str
    by: str | None = None
    only: Mapping[str, Sequence[str]] = field(default_factory=dict)
    stages: tuple[Stage, ...] = STAGES
    unproved: Policy = "block"
    temperature: float = 0.0
    instrument: str | None = None
    tiers: tuple[str, ...] = tuple(TIERS)

    @property
    def axis(self) -> str:
        """Axis of the probe: the first part of the prompt set's name."""
        return self.prompt_set.split("/")[0]


class ProbeKeywords(TypedDict, total=False):
    """Keywords of `probe` beside the prompt set; `suite` takes them as defaults."""

    by: str | Mapping[str, Sequence[str]] | None
    only: Mapping[str, Sequence[str]] | None
    tier: TierName
    unproved: Policy
    stages: Sequence[Stage]
    instrument: str | None
    temperature: float
    tiers: Sequence[str]
    on_inconclusive: Policy


def probe(prompt_set: str | None = None, **keywords: Unpack[ProbeKeywords]) -> Callable[[Function], Function]:
    """Decorator that makes a test function a probe over a prompt set.

    Args:
        prompt_set: its name, `axis/set`, found in the `prompts/` folder of the project or among the shipped ones.
        keywords: any of these.

            - `by`: a label of the cases; the function becomes one item for each of its values, in sorted order. `{label: [values]}`
              keeps these values.
            - `only`: keep the cases whose other labels have one of these values.
            - `tier`: the smallest tier that the probe belongs to, `smoke`, `standard` or `full`; it belongs to the larger ones too.
              A run of a smaller tier skips it.
            - `unproved`: what INCONCLUSIVE and INVALID do to the run: `block` fails it, `warn` lets it through, visibly.
            - `stages`: the stages of the pipeline that the claim fits.
            - `instrument`: the questionnaire whose statements a set of `wordings` puts, such as `dark-27`; see
              `alignsuite instruments list`. Where its wording isn't at hand the items are skipped, with the command that brings it.
            - `temperature`: 0 asks greedily; above it replies are sampled, seeded by the case, and kept like any other.
            - `tiers`, `on_inconclusive`: deprecated names of `tier` and `unproved`.

    Raises:
        ProbeError: without a prompt set, for a keyword, stage, tier or policy that does not exist, or a temperature out of range.
    """
    spec = _checked(prompt_set, dict(keywords))

    def mark(function: Function) -> Function:
        import pytest  # only where a test file, and so pytest, is loaded

        return getattr(pytest.mark, MARK)(spec)(function)  # type: ignore[no-any-return]

    return mark


def suite(prompt_set: str | None = None, **defaults: Unpack[ProbeKeywords]) -> Callable[..., Any]:
    """Decorator: `probe` with defaults, as a name at the top of a module.

    What a probe says itself wins over the defaults. `probe = suite("axis/set", tier="standard")`, and then `@probe(by="group")`.

    Raises:
        ProbeError: for defaults that no probe could have.
    """
    _checked(prompt_set or "axis/set", dict(defaults))

    def with_defaults(own_set: str | None = None, **keywords: Unpack[ProbeKeywords]) -> Callable[[Function], Function]:
        return probe(own_set or prompt_set, **cast("ProbeKeywords", {**defaults, **keywords}))

    return with_defaults


def _checked(prompt_set: str | None, given: dict[str, Any]) -> ProbeSpec:
    """`ProbeSpec` of the arguments, checked; old names of keywords are read with a warning."""
    if prompt_set is None:
        raise ProbeError('this probe names no prompt set: wanted @probe("axis/set"), or suite("axis/set") above it')
    for name in given:
        if name not in ProbeKeywords.__annotations__:
            known = sorted(ProbeKeywords.__annotations__.keys() - {"tiers", "on_inconclusive"})
            raise ProbeError(f"`{name}` is no keyword of a probe; {did_you_mean(name, known)}")
    _translate(given)
    by, only = given.get("by"), dict(given.get("only") or {})
    if isinstance(by, Mapping):
        by, only = _split_by(by, only)
    stages, tier, unproved = given.get("stages", STAGES), given.get("tier", "smoke"), given.get("unproved", "block")
    for stage in stages:
        if stage not in STAGES:
            raise ProbeError(f"`{stage}` is no stage; {did_you_mean(stage, STAGES)}")
    if tier not in TIERS:
        raise ProbeError(f"`{tier}` is no tier; {did_you_mean(str(tier), TIERS)}")
    if unproved not in ("block", "warn"):
        raise ProbeError(f"unproved={unproved!r}: wanted `block` or `warn`")
    temperature = given.get("temperature", 0.0)
    if not 0 <= temperature <= 2:
        raise ProbeError(f"temperature={temperature!r}: wanted a number from 0 (greedy) to 2")
    tiers = tuple(TIERS)[list(TIERS).index(tier) :]
    return ProbeSpec(prompt_set, by, only, tuple(stages), unproved, temperature, given.get("instrument"), tiers)


def _split_by(
    by: Mapping[str, Sequence[str]], only: Mapping[str, Sequence[str]]
) -> tuple[str, dict[str, Sequence[str]]]:
    """Label to split by, and `only` with its values."""
    if len(by) != 1:
        raise ProbeError(f"by={dict(by)!r}: wanted one label with the values to keep, such as {{'hazard': ['fraud']}}")
    [(label, values)] = by.items()
    if isinstance(values, str):
        raise ProbeError(f"by={dict(by)!r}: wanted a list of values, such as {{{label!r}: [{values!r}]}}")
    if label in only:
        raise ProbeError(f"`by` and `only` both say which values of `{label}` to keep: let `by` say it alone")
    return label, {label: list(values), **only}


def _translate(given: dict[str, Any]) -> None:
    """Replace the deprecated names `tiers` and `on_inconclusive` by today's, with a warning that names the new word."""
    if "on_inconclusive" in given:
        policy = given.pop("on_inconclusive")
        _warn(f"on_inconclusive={policy!r} is now written unproved={policy!r}")
        given.setdefault("unproved", policy)
    if "tiers" in given:
        named = list(given.pop("tiers"))
        for one in named:
            if one not in TIERS:
                raise ProbeError(f"`{one}` is no tier; {did_you_mean(one, TIERS)}")
        order = list(TIERS)
        wanted = order[min(map(order.index, named), default=len(order)) :]
        if set(named) != set(wanted) or not named:
            raise ProbeError(
                f"tiers={named!r}: a probe belongs to its smallest tier and to all larger ones; write tier={(wanted or ['smoke'])[0]!r}"
            )
        _warn(f"tiers={named!r} is now written tier={wanted[0]!r}")
        given.setdefault("tier", wanted[0])


def _warn(message: str) -> None:
    warnings.warn(f"@probe: {message}; the old word goes in the next minor version", DeprecationWarning, stacklevel=5)
