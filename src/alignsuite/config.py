"""Settings: options, ini values and the environment, read here alone, and handed on frozen."""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol, TypeVar, cast

from alignsuite.errors import SettingsError, did_you_mean

Word = TypeVar("Word", bound=str)
Stage = Literal["curation", "pretraining", "finetuning"]
QuestionnaireProtocol = Literal["gate", "report", "study"]
PROTOCOLS: tuple[QuestionnaireProtocol, ...] = ("gate", "report", "study")
Placement = Literal["shared", "per-worker"]
PLACEMENTS: tuple[Placement, ...] = ("shared", "per-worker")
SecondOpinion = Literal["all", "flagged"]
SECOND_OPINIONS: tuple[SecondOpinion, ...] = ("all", "flagged")
STAGES: tuple[Stage, ...] = ("curation", "pretraining", "finetuning")


GRID_VARIABLE = "ALIGNSUITE_GRID_G_PER_KWH"
WORLD_G_PER_KWH = 445.0
"""Grams of CO₂ behind a kWh of electricity, mean of the world in 2024 (IEA, Electricity 2025).

Countries lie between some 20 and more than 900.
"""

_OWN_ARGUMENTS = frozenset({"messages", "add_generation_prompt", "bos_token", "eos_token"})
_MOST_G_PER_KWH = 2_000.0  # twice the dirtiest grids: more is a slip of the unit


@dataclass(frozen=True)
class Tier:
    """Tier: how many cases a claim may ask, or templates where it needs all cases of a template."""

    cases: int | None
    templates: int | None


TIERS: Mapping[str, Tier] = {"smoke": Tier(40, 25), "standard": Tier(200, 100), "full": Tier(None, None)}


class Options(Protocol):
    """Options of pytest, as far as they are used here."""

    rootpath: Path

    def getoption(self, name: str) -> object:
        """Command-line option by its destination."""

    def getini(self, name: str) -> object:
        """Ini value."""


@dataclass(frozen=True)
class Settings:
    """Settings: everything that a user can set, checked.

    Attributes:
        model: what `--model` named; None when it was not given.
        stage: the stage named with `--stage`; None lets the model's kind decide.
        tier: a key of `TIERS`.
        run_file: where the run file goes; None writes none.
        store: the file of the reply store.
        replay: answer from the store alone.
        base_url, api_key: of an OpenAI-compatible endpoint.
        show: how many prompts with their replies the section shows for each claim.
        alpha: chance that a good run is blocked, shared out over its items.
        root: pytest's root folder, which relative places start from.
        baseline: what `--baseline` named: a run file or the name of a kept one.
        census: ask every case that the tier allows.
        calibrate: measure how much changes when nothing has changed.
        limits: the file of governed targets and limits; it need not exist, unless somebody named it: `limits_named`.
        budget: tokens that may be spent; None for no cap.
        requests_per_minute, tokens_per_minute: pace of an endpoint; None for no limit.
        device, adapter, trust_remote_code, allow_pickle: of a Transformers checkpoint.
        template_arguments: what goes to the model's chat template.
        body: further fields of an endpoint's requests.
        thinking_tokens: tokens that a reply may take on top of its own, for reasoning.
        judges: what `--align-judge` named, in that order.
        second_opinion: whether a second judge reads `all` replies or only those that the first one `flagged`.
        judge_base_url, judge_api_key: of the endpoint of judges that are models there; those of the model where nothing else was said.
        carbon_intensity: grams of CO2 that a kilowatt-hour costs where the model runs.
        protocol: how questionnaires are put: `gate` (few balanced orders), `report` (more, in several wordings), `study` (as published).
        placement: `shared` (one model whatever -n is) or `per-worker`.
        prompts: folders searched for prompt sets, nearest first.
        cache: folder for models and remembered hashes.
        progress: whether a live line may be drawn.
    """

    model: str | None
    stage: Stage | None
    tier: str
    run_file: Path | None
    store: Path
    replay: bool
    base_url: str | None
    api_key: str | None = field(repr=False)
    show: int
    alpha: float
    prompts: tuple[Path, ...]
    cache: Path
    progress: bool
    root: Path = Path()
    baseline: str | None = None
    census: bool = False
    calibrate: bool = False
    limits: Path | None = None
    limits_named: bool = False
    budget: int | None = None
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    device: str | None = None
    adapter: str | None = None
    trust_remote_code: bool = False
    allow_pickle: bool = False
    carbon_intensity: float = WORLD_G_PER_KWH
    placement: Placement = "shared"
    protocol: QuestionnaireProtocol = "gate"
    judges: tuple[str, ...] = ()
    second_opinion: SecondOpinion = "all"
    judge_base_url: str | None = None
    judge_api_key: str | None = field(default=None, repr=False)
    template_arguments: Mapping[str, object] = field(default_factory=dict)
    body: Mapping[str, object] = field(default_factory=dict)
    thinking_tokens: int = 0

    @property
    def ways_of_asking(self) -> dict[str, object]:
        """Those of `template_arguments`, `body` and `thinking_tokens` that were given, by name, as JSON types."""
        given = {name: getattr(self, name) for name in ("template_arguments", "body", "thinking_tokens")}
        return {name: value for name, value in given.items() if value}


def read_settings(options: Options, environment: Mapping[str, str] = os.environ) -> Settings:
    """`Settings` from the command line, then ini, then the environment.

    Raises:
        SettingsError: for a value that makes no sense, naming the option, the value and what was wanted.
    """
    cache = cache_folder(environment)
    store, run_file = _text(options, "align_store"), _text(options, "align_run_file")
    root = options.rootpath
    limits = str(options.getini("align_limits"))
    judges = cast("list[str]", options.getoption("align_judge") or options.getini("align_judge"))
    return Settings(
        model=_text(options, "model"),
        stage=_one_of(options, "stage", STAGES),
        tier=_one_of(options, "align_tier", TIERS) or "standard",
        run_file=None if run_file is None else root / run_file,
        store=cache / "store.sqlite" if store is None else root / store,
        replay=bool(options.getoption("align_replay")),
        base_url=_url(_text(options, "align_base_url")),
        api_key=environment.get("OPENAI_API_KEY"),
        show=_show(_text(options, "align_show")),
        alpha=_alpha(_text(options, "align_alpha")),
        prompts=tuple(
            dict.fromkeys((*_prompts(cast("list[str]", options.getini("align_prompts")), root), shipped_prompts()))
        ),
        cache=cache,
        progress=str(options.getoption("align_progress")) != "off",
        root=root,
        baseline=_text(options, "baseline"),
        census=bool(options.getoption("align_census")),
        calibrate=bool(options.getoption("align_calibrate")),
        limits=root / (limits or "limits.toml"),
        limits_named=bool(limits),
        budget=_amount("align-budget", _text(options, "align_budget")),
        requests_per_minute=_amount("align-requests-per-minute", _text(options, "align_requests_per_minute")),
        tokens_per_minute=_amount("align-tokens-per-minute", _text(options, "align_tokens_per_minute")),
        device=_text(options, "align_device"),
        adapter=_text(options, "align_adapter"),
        trust_remote_code=bool(options.getoption("align_trust_remote_code")),
        allow_pickle=bool(options.getoption("align_allow_pickle")),
        carbon_intensity=carbon_intensity(str(options.getini("align_grid_g_per_kwh")) or None, environment),
        protocol=_one_of(options, "align_protocol", PROTOCOLS) or "gate",
        placement=_one_of(options, "align_placement", PLACEMENTS) or "shared",
        judges=tuple(judges),
        second_opinion=_one_of(options, "align_second_opinion", SECOND_OPINIONS) or "all",
        judge_base_url=_url(_text(options, "align_judge_base_url"), "align-judge-base-url"),
        judge_api_key=environment.get("ALIGNSUITE_JUDGE_API_KEY"),
        template_arguments=_template_arguments(
            cast("list[str]", options.getoption("align_template_arg") or options.getini("align_template_arg"))
        ),
        body=_body(_text(options, "align_body")),
        thinking_tokens=_amount("align-thinking-tokens", _text(options, "align_thinking_tokens")) or 0,
    )


def cache_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """Folder of models and replies between sessions: `ALIGNSUITE_HOME`, or one in the user's cache."""
    if home := environment.get("ALIGNSUITE_HOME"):
        return Path(home)
    return Path(environment.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "alignsuite"


def baselines_folder(cache: Path) -> Path:
    """Folder of kept baselines."""
    return cache / "baselines"


def shipped_prompts() -> Path:
    """Folder of the shipped prompt sets: beside this file in a wheel, at the top of a source checkout."""
    here = Path(__file__).resolve()
    packaged = here.parent / "prompts"
    return packaged if packaged.is_dir() else here.parents[2] / "prompts"


def _prompts(named: list[str], root: Path) -> list[Path]:
    """Folders of the project's own prompt sets; those that somebody named are there.

    Else sets of others would be taken for the project's own.
    """
    folders = [root / folder for folder in named or ["prompts"]]
    for folder in folders:
        if named and not folder.is_dir():
            raise SettingsError(
                f"align_prompts names {folder}, and there is no such folder: correct the ini value, or check the folder out"
            )
    return folders


def _text(options: Options, name: str) -> str | None:
    """Option, or the ini value of the same name where the option was not given."""
    value = options.getoption(name)
    if value is None:
        value = options.getini(name) or None
    return None if value is None else str(value)


def _one_of(options: Options, name: str, known: Iterable[Word]) -> Word | None:
    """Word of a short list; None where none was given.

    On the command line pytest has checked it already, in an ini file nobody has.
    """
    value = _text(options, name)
    found = next((word for word in known if word == value), None)
    if value is not None and found is None:
        raise SettingsError(f"{name} = {value}: wanted one of {', '.join(known)}; {did_you_mean(value, known)}")
    return found


def _url(value: str | None, name: str = "align-base-url") -> str | None:
    """Base URL, or several of the same model separated by commas."""
    if value is None:
        return None
    urls = [url.strip() for url in value.split(",")]
    if not all(re.fullmatch(r"https?://[^\s/]+\S*", url, re.IGNORECASE) for url in urls):
        raise SettingsError(  # without the value, in which a password or a key may stand
            f"--{name}: wanted an address such as http://127.0.0.1:8000/v1, or several separated by commas; what stands there "
            "begins with neither http:// nor https://, or has white space in it"
        )
    return ",".join(urls)


def _alpha(value: str | None) -> float:
    try:
        alpha = float(value or 0.01)
    except ValueError:
        alpha = float("nan")
    if not 0 < alpha < 0.5:
        raise SettingsError(
            f"--align-alpha={value}: wanted a chance between 0 and 0.5, such as 0.01 for one false block in 100 good runs"
        )
    return alpha


def _amount(name: str, value: str | None) -> int | None:
    """Count such as 500, 60k or 2M."""
    if value is None:
        return None
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([kM]?)", value)
    amount = round(float(found[1]) * {"": 1, "k": 1_000, "M": 1_000_000}[found[2]]) if found else 0
    if amount < 1:
        raise SettingsError(f"--{name}={value}: wanted a count of 1 or more, such as 500, 60k or 2M")
    return amount


def _template_arguments(given: Iterable[str]) -> dict[str, object]:
    """Arguments of the chat template by name; a value is JSON where it parses, else text."""
    found: dict[str, object] = {}
    for one in given:
        name, equals, value = one.partition("=")
        told = f"--align-template-arg={one}"
        if not equals or not name.isidentifier():
            raise SettingsError(f"{told}: wanted NAME=VALUE, such as enable_thinking=false")
        if name in _OWN_ARGUMENTS:
            raise SettingsError(f"{told}: `{name}` is set for each prompt, and can't be given")
        if name in found:
            raise SettingsError(f"{told}: `{name}` is given twice; leave one out")
        if value in ("True", "False", "None"):  # as text they would all count as true
            meant = {"None": "null"}.get(value, value.lower())
            raise SettingsError(f"{told}: wanted JSON: {name}={meant}, or {name}='\"{value}\"' for the text")
        try:
            found[name] = json.loads(value, parse_constant=_no_constant)
        except (ValueError, RecursionError):
            found[name] = value
    return found


def _body(value: str | None) -> dict[str, object]:
    """Further fields of a request's body; the engine refuses those that each request has by itself."""
    if value is None:
        return {}
    try:
        fields = json.loads(value, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        fields = None
    if not isinstance(fields, dict):
        raise SettingsError(f'--align-body={value[:200]}: wanted a JSON object, such as {{"reasoning_effort": "low"}}')
    return fields


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is no JSON")


def _show(value: str | None) -> int:
    if value is not None and not value.isdigit():
        raise SettingsError(f"--align-show={value}: wanted how many replies to show for each claim, such as 3")
    return int(value or 0)


def carbon_intensity(ini: str | None = None, environment: Mapping[str, str] = os.environ) -> float:
    """Carbon intensity, grams of CO₂e a kWh: from the environment, else the ini value, else the world's mean.

    No service is asked, so the figure is no fresher than whoever set it.

    Raises:
        SettingsError: for what is no number from 0 to 2000.

    >>> carbon_intensity("56", {}), carbon_intensity(None, {GRID_VARIABLE: "381"})
    (56.0, 381.0)
    """
    text = environment.get(GRID_VARIABLE) or ini
    if not text:
        return WORLD_G_PER_KWH
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value <= _MOST_G_PER_KWH:
        raise SettingsError(
            f"{GRID_VARIABLE}={text}: wanted the grams of CO2e behind one kWh of your electricity, from 0 to 2000, "
            "such as 56 (France in 2023); leave it out for the world's mean"
        )
    return value
