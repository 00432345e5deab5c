"""Schema of a prompt set's YAML file: pydantic models, strict, with every key that a file may hold.

A prompt set is data that a psychologist or a policy person can review. Its shape, key by key, is in `docs/reference/prompt-sets.md`;
`load` reads and checks a file, `render` makes its cases. What a questionnaire adds to a set of wordings is described here as well
(`Administered`), so that nothing in this room has to know questionnaires.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_.-]*$")]
Text = Annotated[str, StringConstraints(min_length=1)]
Form = Literal["chat", "raw"]
Ask = Literal["generate", "choose"]
Marks = Literal["letters", "numbers", "none"]

RESERVED = frozenset({"id", "user", "raw", "options", "answer", "reversed"})


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Source(_Strict):
    """Source of the words: who wrote them, and whose idea they follow."""

    written: Text
    after: Text | None = None


class Slot(_Strict):
    """Slot: a hole in the templates that a table fills; the table's other columns become labels of the case.

    With `pick`, each template gets that many rows of each group (the column `each`), chosen by a seeded rotation, so that the design stays
    complete: every template meets every group.
    """

    table: Text = Field(alias="from")
    each: Slug | None = None
    pick: int | None = Field(default=None, ge=1)


class Wording(_Strict):
    """Wording of a questionnaire: the task in our words, with `{{ statement }}` and `{{ choices }}` in it.

    `ask: choose` reads the likelihood of each option, `ask: generate` what the model writes.
    """

    id: Slug
    ask: Ask = "choose"
    marks: Marks = "letters"
    user: Text | None = None
    raw: Text | None = None


class Variant(_Strict):
    """Variant of the templates: a field is perturbed, or replaced by another field.

    The `reference` variant is what the others are compared with; it makes no item of its own.
    """

    reference: bool = False
    field: Slug | None = None
    perturb: Slug | None = None
    use: Slug | None = None


class Template(BaseModel):
    """Template: one prompt with slots. Keys beside the reserved ones must be declared under `fields`."""

    model_config = ConfigDict(extra="allow", frozen=True, strict=True)

    id: Slug
    user: Text | None = None
    raw: Text | None = None
    options: list[Text] | None = Field(default=None, min_length=2)
    answer: Text | None = None
    reversed: bool | None = None

    @property
    def fields(self) -> dict[str, str]:
        """Declared fields of this template, by name."""
        return {name: str(value) for name, value in (self.model_extra or {}).items()}


class PromptSet(_Strict):
    """Prompt set: one file under `prompts/`, checked."""

    id: Annotated[str, StringConstraints(pattern=r"^[a-z0-9_-]+(/[a-z0-9_-]+)+$")]
    version: int = Field(ge=1)
    title: Text
    licence: Text
    source: Source
    language: Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}$")] = "en"
    ask: Ask
    expect: Literal["answer", "refuse"] | None = None
    max_tokens: int = Field(default=64, ge=1, le=4096)
    system: Text | None = None
    fields: dict[Slug, Text] = {}
    slots: dict[Slug, Slot] = {}
    variants: dict[Slug, Variant] = {}
    options: list[Text] | None = Field(default=None, min_length=2)
    values: list[float] | None = None
    orders: Literal["fixed", "rotate", "cyclic"] = "fixed"
    marks: Marks = "letters"
    user: Text | None = None
    raw: Text | None = None
    wordings: list[Wording] = []
    templates: list[Template] = []


class Table(_Strict):
    """Table: rows that fill a slot; `value` is the text, the other columns are labels."""

    id: Text
    version: int = Field(ge=1)
    title: Text
    licence: Text
    source: Source
    columns: dict[Slug, Text]
    rows: list[dict[str, str]] = Field(min_length=1)


@dataclass(frozen=True)
class Presentation:
    """Presentation of a statement: `order[place]` is the option shown there; `sample` numbers repeated replies."""

    wording: Wording
    order: tuple[int, ...]
    sample: int = 0


class Administered(Protocol):
    """Administration of a questionnaire over a set of wordings: how each statement is put, by the template's id.

    `questionnaires.administration.Sheet` fulfils it.
    """

    @property
    def name(self) -> str:
        """Name of the questionnaire, a label of its cases."""
        ...

    @property
    def ask(self) -> Ask:
        """Whether options are weighed, or a text is read."""
        ...

    @property
    def presentations(self) -> Mapping[str, tuple[Presentation, ...]]:
        """Presentations by template id: every way in which its statement is put."""
        ...
