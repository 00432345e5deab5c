"""Probes: a pytest function that makes one claim about behaviour, and the bank of cases that each of its items may ask.

`@probe` only marks the function; everything else happens when pytest collects it. With `by=` the bank is split by a label of its
cases (a field of the set, a column of a table, `variant`) and the function becomes one item for each value, in sorted order.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeVar

from alignsuite.config import STAGES, TIERS, QuestionnaireProtocol, Stage
from alignsuite.errors import InstrumentError, ProbeError, did_you_mean
from alignsuite.models.protocol import ModelInfo
from alignsuite.prompt_sets.render import Case, order_key, render_cases
from alignsuite.prompt_sets.schema import Form, LoadedSet, load_set

if TYPE_CHECKING:
    from alignsuite.questionnaires import Instrument

Function = TypeVar("Function", bound=Callable[..., object])
MARK = "alignsuite_probe"


@dataclass(frozen=True)
class ProbeSpec:
    """What a probe was declared with; see `probe`."""

    prompt_set: str
    by: str | None = None
    only: Mapping[str, Sequence[str]] = field(default_factory=dict)
    stages: tuple[Stage, ...] = STAGES
    on_inconclusive: Literal["block", "warn"] = "block"
    temperature: float = 0.0
    instrument: str | None = None
    tiers: tuple[str, ...] = tuple(TIERS)

    @property
    def axis(self) -> str:
        """The first part of the prompt set's name."""
        return self.prompt_set.split("/")[0]


def probe(
    prompt_set: str,
    *,
    instrument: str | None = None,
    by: str | None = None,
    only: Mapping[str, Sequence[str]] | None = None,
    stages: Sequence[Stage] = STAGES,
    on_inconclusive: Literal["block", "warn"] = "block",
    temperature: float = 0.0,
    tiers: Sequence[str] = tuple(TIERS),
) -> Callable[[Function], Function]:
    """Make a test function a probe over a prompt set.

    Args:
        prompt_set: its name, `axis/set`, found in the `prompts/` folder of the project or among the shipped ones.
        instrument: the questionnaire whose statements a set of `wordings` puts, such as `dark-27`; see `alignsuite instruments list`. Where
            its wording isn't at hand the items are skipped, with the command that brings it.
        by: a label of the cases; the function becomes one item for each of its values.
        only: keep the cases whose labels have one of these values.
        stages: the stages of the pipeline that the claim fits.
        on_inconclusive: what INCONCLUSIVE and INVALID do to the run: `block` fails it, `warn` lets it through, visibly.
        temperature: 0 asks greedily; above it replies are sampled, seeded by the case, and kept like any other.
        tiers: the tiers that the probe belongs to; a run of another skips it. Leave `smoke` out where its cases would tell nothing
            yet, or where a neighbour asks much the same.

    Raises:
        ProbeError: for a stage, tier or policy that does not exist, or a temperature out of range.
    """
    for stage in stages:
        if stage not in STAGES:
            raise ProbeError(f"`{stage}` is no stage; {did_you_mean(stage, STAGES)}")
    for tier in tiers:
        if tier not in TIERS:
            raise ProbeError(f"`{tier}` is no tier; {did_you_mean(tier, TIERS)}")
    if on_inconclusive not in ("block", "warn"):
        raise ProbeError(f"on_inconclusive={on_inconclusive!r}: wanted `block` or `warn`")
    if not 0 <= temperature <= 2:
        raise ProbeError(f"temperature={temperature!r}: wanted a number from 0 (greedy) to 2")
    spec = ProbeSpec(
        prompt_set, by, dict(only or {}), tuple(stages), on_inconclusive, temperature, instrument, tuple(tiers)
    )

    def mark(function: Function) -> Function:
        import pytest  # only where a test file, and so pytest, is loaded

        return getattr(pytest.mark, MARK)(spec)(function)  # type: ignore[no-any-return]

    return mark


@dataclass(frozen=True, eq=False)
class Bank:
    """The cases that one item may ask, in seeded order, without the reference variants that they are compared with.

    There are none where an instrument's statements aren't at hand; `missing` then says what to do.
    """

    spec: ProbeSpec
    slice: str
    loaded: LoadedSet
    cases: tuple[Case, ...]
    references: Mapping[tuple[object, ...], Case]
    missing: str = ""

    def first(self, cap: int | None) -> tuple[Case, ...]:
        """As many cases as the tier allows."""
        return self.cases[:cap]

    def reference(self, case: Case) -> Case:
        """The same template, slots and option order in the set's reference variant."""
        return self.references[_twin_key(self.loaded, case)]

    def blocks(self, cap: int | None) -> list[list[Case]]:
        """The cases by template, templates in seeded order, as many as the tier allows."""
        by_template: dict[str, list[Case]] = {}
        for case in self.cases:
            by_template.setdefault(case.template, []).append(case)
        names = sorted(by_template, key=lambda name: order_key(self.loaded, name))
        return [by_template[name] for name in names[:cap]]

    def unfit(self, info: ModelInfo, stage: Stage, tier: str = "standard") -> str | None:
        """Why this bank can't be asked of a model at a stage, or is not in a tier; None when it can."""
        form = form_of(info, stage)
        spec = self.loaded.spec
        if stage == "curation":
            return "a curated corpus answers no prompts; no suite reads corpora yet"
        if stage not in self.spec.stages:
            return f"this probe is for the stages {', '.join(self.spec.stages)}; this run is {stage}"
        if tier not in self.spec.tiers:
            return f"this probe is for the tiers {', '.join(self.spec.tiers)}; this run is {tier}"
        if self.missing:
            return self.missing
        if any(getattr(case, form) is None for case in self.cases):
            return f"{spec.id} has no {form} form for {'base models' if form == 'raw' else 'chat models'}"
        if spec.ask == "choose" and not info.can_choose:
            instead = "; --align-protocol=study reads what it writes" if self.loaded.sheet is not None else ""
            return f"{info.name} gives no probabilities of options, which {spec.id} needs{instead}"
        if spec.ask == "generate" and not info.can_generate:
            return f"{info.name} writes no text, which {spec.id} needs"
        return None


def form_of(info: ModelInfo, stage: Stage) -> Form:
    """Base models, and any model at the pretraining stage, get raw text; others a conversation."""
    return "chat" if info.can_chat and stage != "pretraining" else "raw"


def banks_of(spec: ProbeSpec, folders: tuple[Path, ...], protocol: QuestionnaireProtocol = "gate") -> list[Bank]:
    """The banks of a probe's items: one, or one for each value of `by` in sorted order.

    `protocol` says how an instrument's statements are put; other sets don't mind.

    Raises:
        PromptError: when the prompt set is missing or broken.
        InstrumentError: when there is no such instrument.
        ProbeError: when `by` or `only` name no label, or nothing is left.
    """
    loaded = load_set(spec.prompt_set, folders)
    if not loaded.spec.wordings:
        if spec.instrument is not None:
            raise ProbeError(
                f"{spec.prompt_set} has statements of its own: instrument=`{spec.instrument}` has no place in it"
            )
        return _split(spec, loaded, render_cases(loaded))
    if spec.instrument is None:
        raise ProbeError(
            f'{spec.prompt_set} holds wordings only: name the questionnaire that they put, such as instrument="dark-27"'
        )
    return _of_instrument(spec, loaded, spec.instrument, protocol)


def _of_instrument(spec: ProbeSpec, loaded: LoadedSet, name: str, protocol: QuestionnaireProtocol) -> list[Bank]:
    from alignsuite.questionnaires import key, load
    from alignsuite.questionnaires.administration import STUDY_TEMPERATURE, administered

    known = key(name)
    if protocol == "study":
        spec = replace(spec, temperature=STUDY_TEMPERATURE)
    try:
        instrument = load(name, loaded.spec.language)
    except InstrumentError as error:
        return _without_wording(spec, loaded, known, str(error))
    filled = administered(loaded, instrument, protocol)
    return _split(spec, filled, render_cases(filled))


def _without_wording(spec: ProbeSpec, loaded: LoadedSet, instrument: Instrument, why: str) -> list[Bank]:
    """The banks that there would be: their items are collected, and skipped."""
    nameless = replace(
        loaded,
        spec=loaded.spec.model_copy(update={"id": f"{loaded.spec.id}/{instrument.name}", "title": instrument.title}),
    )
    labels = [{"trait": item.trait, **({"facet": item.facet} if item.facet else {})} for item in instrument.items]
    kept = _matching(spec, labels, instrument.name)
    slices = sorted({labels[place][spec.by] for place in kept}) if spec.by else [""]
    return [Bank(spec, one, nameless, (), {}, why) for one in slices]


def _split(spec: ProbeSpec, loaded: LoadedSet, cases: Sequence[Case]) -> list[Bank]:
    found = _matching(spec, [case.labels for case in cases], loaded.spec.id)
    kept = [cases[place] for place in found]
    asked = [case for case in kept if not case.hint["reference"]]
    if not asked:
        raise ProbeError(f"no case of {loaded.spec.id} is left by only={dict(spec.only)}")
    references = {_twin_key(loaded, case): case for case in kept if case.hint["reference"]}
    if spec.by is None:
        return [Bank(spec, "", loaded, tuple(asked), references)]
    by = spec.by
    by_value = sorted({case.labels[by] for case in asked})
    return [
        Bank(spec, value, loaded, tuple(case for case in asked if case.labels[by] == value), references)
        for value in by_value
    ]


def _matching(spec: ProbeSpec, cases: Sequence[Mapping[str, str]], owner: str) -> list[int]:
    """The places of the cases that `only` keeps, by their labels; what `by` and `only` name has to be there."""
    labels = {name for case in cases for name in case}
    for name in (*spec.only, *([spec.by] if spec.by else [])):
        if name not in labels:
            raise ProbeError(f"`{name}` is no label of {owner}; {did_you_mean(name, labels)}")
    for name, wanted in spec.only.items():
        values = {case[name] for case in cases}
        for value in wanted:
            if value not in values:
                raise ProbeError(f"no case of {owner} has {name}=`{value}`; {did_you_mean(value, values)}")
    return [
        place for place, case in enumerate(cases) if all(case[name] in wanted for name, wanted in spec.only.items())
    ]


def _twin_key(loaded: LoadedSet, case: Case) -> tuple[object, ...]:
    return (case.template, *(case.labels[name] for name in loaded.spec.slots), case.order)
