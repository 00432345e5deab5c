"""Probes: a pytest function that makes one claim about behaviour, and the bank of cases that each of its items may ask.

`@probe` only marks the function; everything else happens when pytest collects it. With `by=` the bank is split by a label of its
cases (a field of the set, a column of a table, `variant`) and the function becomes one item for each value, in sorted order.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeVar

from alignsuite.cases import Case, order_key, render_cases
from alignsuite.config import STAGES, Stage
from alignsuite.errors import ProbeError, did_you_mean
from alignsuite.models.protocol import ModelInfo
from alignsuite.prompts import Form, LoadedSet, load_set

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

    @property
    def axis(self) -> str:
        """The first part of the prompt set's name."""
        return self.prompt_set.split("/")[0]


def probe(
    prompt_set: str,
    *,
    by: str | None = None,
    only: Mapping[str, Sequence[str]] | None = None,
    stages: Sequence[Stage] = STAGES,
    on_inconclusive: Literal["block", "warn"] = "block",
) -> Callable[[Function], Function]:
    """Make a test function a probe over a prompt set.

    Args:
        prompt_set: its name, `axis/set`, found in the `prompts/` folder of the project or among the shipped ones.
        by: a label of the cases; the function becomes one item for each of its values.
        only: keep the cases whose labels have one of these values.
        stages: the stages of the pipeline that the claim fits.
        on_inconclusive: what INCONCLUSIVE and INVALID do to the run: `block` fails it, `warn` lets it through, visibly.

    Raises:
        ProbeError: for a stage or policy that does not exist.
    """
    for stage in stages:
        if stage not in STAGES:
            raise ProbeError(f"`{stage}` is no stage; {did_you_mean(stage, STAGES)}")
    if on_inconclusive not in ("block", "warn"):
        raise ProbeError(f"on_inconclusive={on_inconclusive!r}: wanted `block` or `warn`")
    spec = ProbeSpec(prompt_set, by, dict(only or {}), tuple(stages), on_inconclusive)

    def mark(function: Function) -> Function:
        import pytest  # only where a test file, and so pytest, is loaded

        return getattr(pytest.mark, MARK)(spec)(function)  # type: ignore[no-any-return]

    return mark


@dataclass(frozen=True, eq=False)
class Bank:
    """The cases that one item may ask, in seeded order, without the reference variants that they are compared with."""

    spec: ProbeSpec
    slice: str
    loaded: LoadedSet
    cases: tuple[Case, ...]
    references: Mapping[tuple[object, ...], Case]

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

    def unfit(self, info: ModelInfo, stage: Stage) -> str | None:
        """Why this bank can't be asked of a model at a stage; None when it can."""
        form = form_of(info, stage)
        spec = self.loaded.spec
        if stage == "curation":
            return "a curated corpus answers no prompts; no suite reads corpora yet"
        if stage not in self.spec.stages:
            return f"this probe is for the stages {', '.join(self.spec.stages)}; this run is {stage}"
        if any(getattr(case, form) is None for case in self.cases):
            return f"{spec.id} has no {form} form for {'base models' if form == 'raw' else 'chat models'}"
        if spec.ask == "choose" and not info.can_choose:
            return f"{info.name} gives no probabilities of options, which {spec.id} needs"
        if spec.ask == "generate" and not info.can_generate:
            return f"{info.name} writes no text, which {spec.id} needs"
        return None


def form_of(info: ModelInfo, stage: Stage) -> Form:
    """Base models, and any model at the pretraining stage, get raw text; others a conversation."""
    return "chat" if info.can_chat and stage != "pretraining" else "raw"


def banks_of(spec: ProbeSpec, folders: tuple[Path, ...]) -> list[Bank]:
    """The banks of a probe's items: one, or one for each value of `by` in sorted order.

    Raises:
        PromptError: when the prompt set is missing or broken.
        ProbeError: when `by` or `only` name no label, or nothing is left.
    """
    loaded = load_set(spec.prompt_set, folders)
    cases = render_cases(loaded)
    labels = {name for case in cases for name in case.labels}
    for name in (*spec.only, *([spec.by] if spec.by else [])):
        if name not in labels:
            raise ProbeError(f"`{name}` is no label of {spec.prompt_set}; {did_you_mean(name, labels)}")
    for name, wanted in spec.only.items():
        values = {case.labels[name] for case in cases}
        for value in wanted:
            if value not in values:
                raise ProbeError(f"no case of {spec.prompt_set} has {name}=`{value}`; {did_you_mean(value, values)}")
    kept = [case for case in cases if all(case.labels[name] in wanted for name, wanted in spec.only.items())]
    asked = [case for case in kept if not case.hint["reference"]]
    if not asked:
        raise ProbeError(f"no case of {spec.prompt_set} is left by only={dict(spec.only)}")
    references = {_twin_key(loaded, case): case for case in kept if case.hint["reference"]}
    if spec.by is None:
        return [Bank(spec, "", loaded, tuple(asked), references)]
    by = spec.by
    by_value = sorted({case.labels[by] for case in asked})
    return [
        Bank(spec, value, loaded, tuple(case for case in asked if case.labels[by] == value), references)
        for value in by_value
    ]


def _twin_key(loaded: LoadedSet, case: Case) -> tuple[object, ...]:
    return (case.template, *(case.labels[name] for name in loaded.spec.slots), case.order)
