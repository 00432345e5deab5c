"""Loader of prompt sets: a YAML file to a `LoadedSet`, checked whole before a model is asked anything.

A key that nobody knows, a slot that no table fills, a template without a prompt are errors with file, line and the nearest right name, at
collection.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from alignsuite.errors import PromptError, did_you_mean
from alignsuite.prompt_sets import yaml as strict_yaml
from alignsuite.prompt_sets.schema import (
    RESERVED,
    Administered,
    PromptSet,
    Slot,
    Source,
    Table,
    Template,
    Variant,
    Wording,
)

Data = TypeVar("Data", PromptSet, Table)


@dataclass(frozen=True, eq=False)
class LoadedSet:
    """Loaded prompt set, checked, with its tables, its content hash, and where each value stands in its file.

    Of a set of wordings to which an instrument gave its statements, `sheet` says in what ways each template is put; see
    `schema.Administered`.
    """

    spec: PromptSet
    tables: Mapping[str, Table]
    path: Path
    lines: strict_yaml.Lines
    content_hash: str
    sheet: Administered | None = None

    def at(self, *where: str | int) -> str:
        """Place `file:line` of a value, or of the nearest thing around it."""
        return _place(self.path, self.lines, where)


@functools.cache
def load_set(name: str, folders: tuple[Path, ...]) -> LoadedSet:
    """`LoadedSet` called `name` (`axis/set`), from the first folder that has it, checked.

    Raises:
        PromptError: when no folder has it (with the nearest name), or when the file or a table of it is broken.
    """
    for folder in folders:
        path = folder / f"{name}.yaml"
        if path.is_file():
            return _load(name, path, folder)
    known = sorted(set_names(folders))
    raise PromptError(
        f"there is no prompt set `{name}` under {', '.join(map(str, folders))}: {did_you_mean(name, known)}"
    )


def set_names(folders: tuple[Path, ...]) -> list[str]:
    """Names of all prompt sets in the folders; tables are not among them."""
    found = {
        path.relative_to(folder).with_suffix("").as_posix()
        for folder in folders
        if folder.is_dir()
        for path in folder.rglob("*.yaml")
        if path.parent != folder and path.relative_to(folder).parts[0] != "tables"
    }
    return sorted(found)


def _load(name: str, path: Path, folder: Path) -> LoadedSet:
    spec, lines, text = _read(PromptSet, path)
    if spec.id != name:
        raise PromptError(
            f"{_place(path, lines, ('id',))}: the id is `{spec.id}`, but this is the file of `{name}`: let them agree"
        )
    tables: dict[str, Table] = {}
    digest = hashlib.sha256(text)
    for slot_name, slot in spec.slots.items():
        table_path = folder / "tables" / slot.table
        if not table_path.is_file():
            known = [found.name for found in (folder / "tables").glob("*.yaml")]
            where = _place(path, lines, ("slots", slot_name, "from"))
            raise PromptError(f"{where}: there is no table `{slot.table}`: {did_you_mean(slot.table, known)}")
        table, table_lines, table_text = _read(Table, table_path)
        _check_table(table, table_path, table_lines)
        if slot.each is not None and slot.each not in table.columns:
            where = _place(path, lines, ("slots", slot_name, "each"))
            raise PromptError(
                f"{where}: `{slot.each}` is no column of {slot.table}: {did_you_mean(slot.each, table.columns)}"
            )
        tables[slot_name] = table
        digest.update(table_text)
    loaded = LoadedSet(spec, tables, path, lines, digest.hexdigest()[:16])
    _check(loaded)
    return loaded


def _read(kind: type[Data], path: Path) -> tuple[Data, strict_yaml.Lines, bytes]:
    data, lines = strict_yaml.load(path)
    try:
        spec = kind.model_validate(data)
    except ValidationError as error:
        raise PromptError(_explain(kind, path, lines, error)) from None
    canonical = json.dumps(data, sort_keys=True).encode()
    return spec, lines, canonical


def _explain(kind: type[BaseModel], path: Path, lines: strict_yaml.Lines, error: ValidationError) -> str:
    """Message about the first thing that is wrong, with its line.

    A misspelt key is named as that, not as the right one's absence.
    """
    errors = error.errors()
    first = next((one for one in errors if one["type"] == "extra_forbidden"), errors[0])
    where = tuple(part for part in first["loc"])
    place = _place(path, lines, where)
    name = ".".join(map(str, where))
    if first["type"] == "extra_forbidden":
        known = _known_keys(kind, where[:-1])
        return f"{place}: `{where[-1]}` is no key here; {did_you_mean(str(where[-1]), known)}"
    if first["type"] == "missing":
        return f"{place}: `{name}` is missing"
    return f"{place}: `{name}` is {first['input']!r}: {first['msg'][0].lower()}{first['msg'][1:]}"


def _known_keys(kind: type[BaseModel], where: tuple[str | int, ...]) -> list[str]:
    inner: dict[str, type[BaseModel]] = {"source": Source, "slots": Slot, "variants": Variant, "wordings": Wording}
    model = inner.get(str(where[0]), kind) if where else kind
    return [field.alias or name for name, field in model.model_fields.items()]


def _place(path: Path, lines: strict_yaml.Lines, where: tuple[str | int, ...]) -> str:
    while where and where not in lines:
        where = where[:-1]
    return f"{path}:{lines.get(where, 1)}"


def _check_table(table: Table, path: Path, lines: strict_yaml.Lines) -> None:
    wanted = {"value", *table.columns}
    seen: dict[str, int] = {}
    for index, row in enumerate(table.rows):
        line = lines.get(("rows", index), 1)
        if set(row) != wanted:
            wrong = sorted(set(row) ^ wanted)
            raise PromptError(
                f"{path}:{line}: this row has the keys {sorted(row)}, wanted {sorted(wanted)}: look at {wrong}"
            )
        if row["value"] in seen:
            raise PromptError(f"{path}:{line}: `{row['value']}` stands twice (first in line {seen[row['value']]})")
        seen[row["value"]] = line


def _check(loaded: LoadedSet) -> None:
    """Check of all about a set that a schema can't say."""
    spec = loaded.spec
    if bool(spec.templates) == bool(spec.wordings):
        has = "has both" if spec.templates else "has neither"
        raise PromptError(
            f"{loaded.at('wordings')}: wanted `templates`, or `wordings` for an instrument's statements; this set {has}"
        )
    _check_wordings(loaded)
    seen: dict[str, int] = {}
    for index, template in enumerate(spec.templates):
        if template.id in seen:
            first = loaded.lines[("templates", seen[template.id])]
            raise PromptError(
                f"{loaded.at('templates', index, 'id')}: the id `{template.id}` stands twice (first in line {first})"
            )
        seen[template.id] = index
        _check_fields(loaded, index, template)
        _check_options(loaded, index, template)
        if not (template.user or spec.user or template.raw or spec.raw):
            raise PromptError(
                f"{loaded.at('templates', index)}: `{template.id}` has neither `user` nor `raw`, and the set has no frame for it"
            )
    for name, variant in spec.variants.items():
        for used in (variant.field, variant.use):
            if used is not None and used not in spec.fields:
                raise PromptError(
                    f"{loaded.at('variants', name)}: `{used}` is no field of this set; {did_you_mean(used, spec.fields)}"
                )
        if (variant.perturb or variant.use) and variant.field is None:
            raise PromptError(f"{loaded.at('variants', name)}: say which `field` the variant changes")
    if spec.variants and sum(variant.reference for variant in spec.variants.values()) != 1:
        raise PromptError(f"{loaded.at('variants')}: exactly one variant must say `reference: true`")


def _check_wordings(loaded: LoadedSet) -> None:
    seen: dict[str, int] = {}
    for index, wording in enumerate(loaded.spec.wordings):
        if wording.id in seen:
            first = loaded.lines[("wordings", seen[wording.id])]
            raise PromptError(
                f"{loaded.at('wordings', index, 'id')}: the wording `{wording.id}` stands twice (first in line {first})"
            )
        seen[wording.id] = index
        if not (wording.user or wording.raw):
            raise PromptError(f"{loaded.at('wordings', index)}: `{wording.id}` has neither `user` nor `raw`")
    brought = ("slots", "variants", "options", "values", "user", "raw", "fields")
    if loaded.spec.wordings and (odd := sorted(set(brought) & loaded.spec.model_fields_set)):
        raise PromptError(
            f"{loaded.at(odd[0])}: a set of `wordings` has no `{odd[0]}`: statements and options come from the instrument"
        )


def _check_fields(loaded: LoadedSet, index: int, template: Template) -> None:
    declared = loaded.spec.fields
    for name, value in (template.model_extra or {}).items():
        where = loaded.at("templates", index, name)
        if name not in declared:
            raise PromptError(
                f"{where}: `{name}` is no key of a template and no declared field; {did_you_mean(name, [*RESERVED, *declared])}"
            )
        if not isinstance(value, str) or not value.strip():
            raise PromptError(f"{where}: `{name}` is {value!r}: wanted text")
    for name in declared:
        if name not in (template.model_extra or {}):
            raise PromptError(f"{loaded.at('templates', index)}: `{template.id}` lacks the field `{name}`")


def _check_options(loaded: LoadedSet, index: int, template: Template) -> None:
    spec, where = loaded.spec, loaded.at("templates", index)
    options = template.options or spec.options
    if spec.ask == "choose" and options is None:
        raise PromptError(f"{where}: `{template.id}` is to be chosen from, but has no `options`, nor has the set")
    if spec.ask == "generate" and (template.options or template.answer):
        raise PromptError(f"{where}: `{template.id}` has options, but the set says `ask: generate`")
    if options is not None and len(set(options)) != len(options):
        raise PromptError(f"{where}: two options of `{template.id}` are the same")
    if options is not None and template.answer is not None and template.answer not in options:
        raise PromptError(
            f"{where}: the answer `{template.answer}` is none of the options; {did_you_mean(template.answer, options)}"
        )
    if spec.values is not None and options is not None and len(spec.values) != len(options):
        raise PromptError(f"{loaded.at('values')}: {len(spec.values)} values for {len(options)} options")
