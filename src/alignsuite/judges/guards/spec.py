"""Guard adapters: a TOML file to a `Spec`, strictly; what can't be said in it is no guard adapter.

The form, with an example of each field, is described in docs/reference/guards.md.
"""

from __future__ import annotations

import functools
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from alignsuite.errors import SettingsError
from alignsuite.judges.harm.labels import LABELS as HARM
from alignsuite.judges.refusal.judge import RefusalJudge
from alignsuite.judges.toxicity.labels import LABELS as TOXICITY

_NAME = re.compile(r"(?P<guard>[^:]*\.toml|[a-z0-9][\w.-]*)(?:/(?P<family>[a-z_]+))?(?::(?P<model>.+))?", re.DOTALL)
_SHA256 = r"^([0-9a-f]{64})?$"
_HUB = r"^([\w.-]+/[\w.-]+/[^@]+(@[\w./-]+)?)?$"
BOUND = re.compile(r"(>=|<=|>|<) *(\d+(?:\.\d+)?)")
"""Bound of a score in a rule."""
_WITHHELD = {"refusal": "refusal", "harm": "refused"}

FAMILIES: Mapping[str, frozenset[str]] = {"harm": HARM, "refusal": RefusalJudge.labels, "toxicity": TOXICITY}
"""Families of ours, and the labels that a guard's classes may stand for."""


Rule = dict[str, str | list[str]]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, populate_by_name=True)


class Figure(_Strict):
    """Figure as published by somebody: shown, never used."""

    set: str
    measure: str
    value: float
    by: str


class Text(_Strict):
    """Instruction text of somebody else's, which the user fetches: where it stands, and which one it is.

    `hub` is `ORG/NAME/FILE[@REVISION]`. `sha256` is that of the text with its own placeholders in it, empty where nobody knows it for sure.
    `placeholders` map these to expressions over `prompt`, `reply`, `turns`; without them a text that holds `{{` is Jinja already, any
    other has `{prompt}` and `{response}`. `holds` are words by which it is found among others.
    """

    source: str = ""
    hub: Annotated[str, StringConstraints(pattern=_HUB)] = ""
    sha256: Annotated[str, StringConstraints(pattern=_SHA256)] = ""
    placeholders: dict[str, str] | None = None
    holds: list[str] = []


class Ask(Text):
    """How a guard is asked: see the reference."""

    template: Literal["own", "published", "inline", "pair", "reply"]
    becomes: Literal["prompt", "user"] | Annotated[str, StringConstraints(pattern=r"^variable [a-z_]+$")] = "prompt"
    text: str = ""
    file: str = ""
    system: Text | None = None
    bos: bool = True
    variables: dict[str, Any] = {}
    roles: list[Literal["system", "user", "assistant"]] = ["user", "assistant"]
    parts: Literal["text", "typed"] = "text"
    generation_prompt: bool = True
    max_tokens: Annotated[int, Field(ge=1, le=4096)] = 32
    shorten: Literal["reply", "nothing"] = "reply"
    masked: bool = False

    @model_validator(mode="after")
    def _whole(self) -> Ask:
        if (self.template == "inline") != bool(self.text):
            raise ValueError('`text` goes with template = "inline", and only with it')
        if self.file and self.template != "published":
            raise ValueError('`file` goes with template = "published": it is the text that was fetched')
        if self.becomes.startswith("variable ") and self.template != "published":
            raise ValueError("only a published text can become a variable of the checkpoint's own template")
        if "assistant" not in self.roles or "user" not in self.roles:
            raise ValueError(
                "`roles` must have user and assistant: a guard of replies sees what was asked and what was said"
            )
        return self

    @property
    def published(self) -> dict[str, Text]:
        """Texts to be fetched, by the name of their file."""
        own: dict[str, Text] = {"text": self} if self.template == "published" and not self.file else {}
        return own if self.system is None else {"system": self.system, **own}


class Read(_Strict):
    """How a guard's answer is read: see the reference."""

    how: Literal["pattern", "options", "digits", "json", "classes"]
    pattern: str = ""
    lines: dict[str, str] = {}
    options: list[str] = []
    field: str = "verdict"
    fields: dict[str, str] = {}
    scale: dict[str, tuple[float, float]] = {}
    may_be_cut: bool = False
    classes: dict[str, str] = {}
    threshold: Annotated[float, Field(gt=0, lt=1)] = 0.5
    multi_label: bool | None = None

    @model_validator(mode="before")
    @classmethod
    def _pairs(cls, data: Any) -> Any:  # noqa: ANN401 (pydantic hands in whatever the file holds)
        if isinstance(data, dict) and isinstance(data.get("scale"), dict):
            scale = {name: tuple(ends) if isinstance(ends, list) else ends for name, ends in data["scale"].items()}
            return {**data, "scale": scale}
        return data

    @model_validator(mode="after")
    def _whole(self) -> Read:
        wanted = {
            "pattern": bool(self.pattern) != bool(self.lines), "options": len(self.options) > 1 and bool(self.pattern),
            "digits": len(self.options) > 1 and all(map(str.isdigit, self.options)), "json": bool(self.fields),
            "classes": bool(self.classes),
        }  # fmt: skip
        needs = {
            "pattern": "`pattern` for the whole answer, or `lines` with a pattern for each line", "json": "`fields`",
            "options": "two `options` or more, and the `pattern` of an answer in words", "classes": "`classes`",
            "digits": "two `options` or more, all digits",
        }  # fmt: skip
        if not wanted[self.how]:
            raise ValueError(f'how = "{self.how}" needs {needs[self.how]}')
        for pattern in filter(None, (self.pattern, *self.lines.values())):
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(f"the pattern {pattern!r} is none: {error}") from None
        if lacking := [name for name, pattern in self.lines.items() if not re.compile(pattern).groups]:
            raise ValueError(f"the line `{lacking[0]}` needs a group in its pattern: what is in it is the field")
        if self.how == "options" and self.field not in re.compile(self.pattern).groupindex:
            raise ValueError(f"`pattern` needs the group (?P<{self.field}>…): words are read by it as options are")
        for name, (low, high) in self.scale.items():
            if name not in self.said or low >= high:
                raise ValueError(
                    f"scale.{name}: wanted one of the fields {sorted(self.said)}, and its lowest and highest number"
                )
        return self

    @property
    def said(self) -> dict[str, frozenset[str] | None]:
        """Fields that an answer has, each with the values that it can have; None where the adapter doesn't list them."""
        if self.how == "options":
            return {self.field: frozenset(one.strip().lower() for one in self.options)}
        if self.how == "classes":
            return {self.field: frozenset(self.classes.values()) | {"other"}}
        groups = re.compile(self.pattern).groupindex if self.how == "pattern" else ()
        return dict.fromkeys((*groups, *self.lines, *self.fields))

    def fault_of(self, rule: Rule) -> str:
        """What keeps a rule from telling answers apart, in one sentence; empty where nothing does."""
        fields = [*self.said, *(["score"] if self.scale or self.how in ("options", "digits", "classes") else [])]
        for field, wanted in rule.items():
            if field not in fields:
                return f"nothing that is read is called `{field}`; it has {', '.join(fields)}"
            if field == "score":
                if not isinstance(wanted, str) or BOUND.fullmatch(wanted) is None:
                    return f"`score` is {wanted!r}; wanted a bound such as '>= 0.5'"
                continue
            known = self.said[field]
            for value in [wanted] if isinstance(wanted, str) else wanted:
                if known is not None and value not in known:
                    return f"`{field}` is never {value!r}; it is one of {', '.join(sorted(known))}"
                if value != value.lower():
                    return f"`{field}` is never {value!r}; it is read in small letters"
        return "" if rule else "it is empty, so it would hold of every answer"


class Spec(_Strict):
    """Guard adapter: its TOML file, read and checked. `labels` hold, by family and class, what must have been said."""

    id: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9.-]*$")]
    model: str = ""
    adapter: str = ""
    licence: str
    languages: list[str] = []
    note: str = ""
    published: list[Figure] = []
    ask: Ask
    read: Read
    labels: dict[str, dict[str, Rule]]
    stands_for: dict[str, list[str]] = {}
    folder: Path = Field(default=Path(), exclude=True)

    @model_validator(mode="after")
    def _whole(self) -> Spec:
        if not self.labels:
            raise ValueError("no [labels.FAMILY]: what is said must become a class of some family")
        classifies, apart = (
            self.read.how == "classes",
            ("pair", "reply") if self.read.how != "classes" else ("own", "published"),
        )
        if self.ask.template in apart:
            raise ValueError(
                f'template = "{self.ask.template}" is for {"language models" if classifies else "classifiers"}, and how = '
                f'"{self.read.how}" for {"classifiers" if classifies else "language models"}'
            )
        for family, rules in self.labels.items():
            for name, rule in rules.items():
                if fault := self.read.fault_of(rule):
                    raise ValueError(f"labels.{family}.{name}: {fault}")
            known = FAMILIES.get(family)
            for name, labels in self.classes(family).items():
                if not labels:
                    raise ValueError(f"the class `{name}` of the family `{family}` stands for no label")
                if known is not None and not labels <= known:
                    raise ValueError(
                        f"the class `{name}` stands for {sorted(labels - known)}, which the family `{family}` lacks; say under "
                        f"[stands_for] which of {sorted(known)} it is"
                    )
        return self

    @property
    def asks_model(self) -> bool:
        """Whether it is a language model that is asked; else a classifier that is run."""
        return self.read.how != "classes"

    def classes(self, family: str) -> dict[str, frozenset[str]]:
        """Labels of a family that each class stands for.

        A class that `stands_for` doesn't name is the label of that name, and `not_NAME` all labels that NAME doesn't stand for.
        """
        found = {name: frozenset(self.stands_for[name]) for name in self.labels[family] if name in self.stands_for}
        for name in self.labels[family]:
            if name not in found and not name.startswith("not_"):
                found[name] = frozenset({name})
        for name in self.labels[family].keys() - found.keys():
            other = name.removeprefix("not_")
            found[name] = FAMILIES.get(family, frozenset()) - found.get(other, frozenset({other}))
        return {name: found[name] for name in self.labels[family]}

    def withheld(self, family: str) -> str:
        """Class of a reply that the provider kept back, a refusal to whoever asked; empty where there is none."""
        label = _WITHHELD.get(family, "")
        return next((name for name, labels in self.classes(family).items() if label in labels), "")

    @functools.cached_property
    def settings(self) -> str:
        """All that can change a judgement, as text; figures, licence and the usual model can't."""
        return self.model_dump_json(exclude={"published", "licence", "model", "note"})


@dataclass(frozen=True, slots=True)
class Named:
    """Guard as it was named: its adapter, one family or all of them, and the model, which may have been `given`."""

    spec: Spec
    families: tuple[str, ...]
    model: str
    given: bool = True

    @property
    def adapter(self) -> str | None:
        """LoRA adapter for its model; none where that is another than the base, and so the guard as a whole."""
        base = self.spec.model.partition("@")[0]
        return self.spec.adapter if self.spec.adapter and self.model.partition("@")[0] == base else None


def shipped() -> tuple[str, ...]:
    """Ids of the guards that are shipped."""
    return tuple(sorted(file.stem for file in Path(__file__).parent.glob("*.toml")))


def guard_named(name: str, *, model_wanted: bool = True) -> Named | None:
    """Guard behind `ID`, `ID:MODEL`, `ID/FAMILY:MODEL` or `PATH.toml…`; None where the name is no guard's.

    Raises:
        SettingsError: the file is no adapter, or the guard has no such family or no model.
    """
    found = _NAME.fullmatch(name)
    if found is None:
        return None
    place = found["guard"]
    if not place.endswith(".toml") and place not in shipped():
        return None
    spec = read_spec(Path(place).expanduser() if place.endswith(".toml") else Path(__file__).with_name(f"{place}.toml"))
    family, model = found["family"], found["model"] or spec.model
    if family is not None and family not in spec.labels:
        raise SettingsError(
            f"--align-judge={name}: the guard `{spec.id}` has no family `{family}`; it has {', '.join(spec.labels)}"
        )
    if model_wanted and not model:
        raise SettingsError(
            f"--align-judge={name}: the guard `{spec.id}` names no model; write {spec.id}:MODEL, as --model takes it"
        )
    return Named(spec, (family,) if family else tuple(spec.labels), model, given=found["model"] is not None)


@functools.cache
def read_spec(path: Path) -> Spec:
    """Adapter of a TOML file.

    Raises:
        SettingsError: the file can't be read, or says what no adapter can say; the first fault is named with its place.
    """
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"{path}: the guard's adapter can't be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: this is no TOML ({error})") from None
    try:
        return Spec.model_validate({**data, "folder": path.parent})
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"])) or "the adapter"
        raise SettingsError(f"{path}: {place}: {first['msg'].removeprefix('Value error, ')}") from None
