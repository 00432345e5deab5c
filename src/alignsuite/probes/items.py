"""Items of a probe: its prompt set as `Bank`s, one for each pytest item.

Each item says whether a model can be asked its bank.

With `by=` the bank is split by a label of its cases (a field of the set, a column of a table, `variant`) and the function becomes one
item for each value, in sorted order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alignsuite.claims.context import Terms, asked_of
from alignsuite.config import QuestionnaireProtocol, Stage, Tier
from alignsuite.errors import InstrumentError, ProbeError, did_you_mean
from alignsuite.models.protocol import ModelInfo
from alignsuite.probes.decorator import ProbeSpec
from alignsuite.prompt_sets.bank import Bank, key_of
from alignsuite.prompt_sets.load import LoadedSet, load_set
from alignsuite.prompt_sets.render import Case, render_cases
from alignsuite.prompt_sets.schema import Form

if TYPE_CHECKING:
    from alignsuite.questionnaires import Instrument
    from alignsuite.runs.baseline import Asked


@dataclass(frozen=True, eq=False)
class ProbeItem:
    """Probe and bank of one pytest item."""

    spec: ProbeSpec
    bank: Bank

    @property
    def asked(self) -> Asked:
        """Prompt set and decoding, which a baseline has to share."""
        return asked_of(self.bank)

    def terms(self, tier: Tier, alpha: float, **settings: Any) -> Terms:  # noqa: ANN401 (fields of Terms)
        """Settings of the item's claims in a tier; `settings` are other fields of `Terms`."""
        return Terms(tier.cases, tier.templates, alpha, warns=self.spec.unproved == "warn", **settings)


def unfit(bank: Bank, spec: ProbeSpec, info: ModelInfo, stage: Stage, tier: str = "standard") -> str | None:
    """Reason why a bank can't be asked of a model at a stage, or is not in a tier; None when it can."""
    form, prompts = form_of(info, stage), bank.loaded.spec
    if stage == "curation":
        return "a curated corpus answers no prompts; no suite reads corpora yet"
    if stage not in spec.stages:
        return f"this probe is for the stages {', '.join(spec.stages)}; this run is {stage}"
    if tier not in spec.tiers:
        return f"this probe is for the tiers {', '.join(spec.tiers)}; this run is {tier}"
    if bank.missing:
        return bank.missing
    if any(getattr(case, form) is None for case in bank.cases):
        return f"{prompts.id} has no {form} form for {'base models' if form == 'raw' else 'chat models'}"
    if prompts.ask == "choose" and not info.can_choose:
        instead = "; --align-protocol=study reads what it writes" if bank.loaded.sheet is not None else ""
        return f"{info.name} gives no probabilities of options, which {prompts.id} needs{instead}"
    if prompts.ask == "generate" and not info.can_generate:
        return f"{info.name} writes no text, which {prompts.id} needs"
    return None


def form_of(info: ModelInfo, stage: Stage) -> Form:
    """Form of the prompts: raw text for base models and at the pretraining stage; else a conversation."""
    return "chat" if info.can_chat and stage != "pretraining" else "raw"


def banks_of(spec: ProbeSpec, folders: tuple[Path, ...], protocol: QuestionnaireProtocol = "gate") -> list[Bank]:
    """Banks of a probe's items: one, or one for each value of `by` in sorted order.

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
    """Banks without cases, of an instrument whose wording is not here: items are collected, and skipped."""
    nameless = replace(
        loaded,
        spec=loaded.spec.model_copy(update={"id": f"{loaded.spec.id}/{instrument.name}", "title": instrument.title}),
    )
    labels = [{"trait": item.trait, **({"facet": item.facet} if item.facet else {})} for item in instrument.items]
    kept = _matching(spec, labels, instrument.name)
    slices = sorted({labels[place][spec.by] for place in kept}) if spec.by else [""]
    return [
        Bank(nameless, one, (), {}, temperature=spec.temperature, label=spec.by or "", missing=why) for one in slices
    ]


def _split(spec: ProbeSpec, loaded: LoadedSet, cases: Sequence[Case]) -> list[Bank]:
    found = _matching(spec, [case.labels for case in cases], loaded.spec.id)
    kept = [cases[place] for place in found]
    asked = [case for case in kept if not case.hint["reference"]]
    if not asked:
        raise ProbeError(f"no case of {loaded.spec.id} is left by only={dict(spec.only)}")
    references = {key_of(loaded, case): case for case in kept if case.hint["reference"]}
    by = spec.by
    slices = [""] if by is None else sorted({case.labels[by] for case in asked})
    return [
        Bank(
            loaded, one, tuple(case for case in asked if by is None or case.labels[by] == one), references,
            temperature=spec.temperature, label=by or "",
        )
        for one in slices
    ]  # fmt: skip


def _matching(spec: ProbeSpec, cases: Sequence[Mapping[str, str]], owner: str) -> list[int]:
    """Places of the cases that `only` keeps, by their labels; what `by` and `only` name has to be there."""
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
