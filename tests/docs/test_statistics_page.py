"""The page on statistics is whole: every public name, its signature as it is, every argument explained, examples that run."""

from __future__ import annotations

import ast
import dataclasses
import doctest
import inspect
import re
from collections.abc import Callable, Iterator
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Any, ForwardRef

import pytest

from alignsuite import stats

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "statistics.md"
TEXT = PAGE.read_text(encoding="utf-8")
NAMES = sorted(stats.__all__)
FUNCTIONS = [name for name in NAMES if inspect.isfunction(getattr(stats, name))]
CLASSES = [name for name in NAMES if inspect.isclass(getattr(stats, name))]


def entries(text: str) -> dict[str, str]:
    """The page's entries: what stands under each third-level heading, by the name in it."""
    parts = re.split(r"^### `(\w+)`$", text, flags=re.MULTILINE)
    return {name: re.split(r"^## ", body, flags=re.MULTILINE)[0] for name, body in zip(parts[1::2], parts[2::2])}  # noqa: B905


ENTRIES = entries(TEXT)


def fences(text: str, language: str) -> list[str]:
    """The fenced blocks of one language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


class Written:
    """Text that shows as itself inside a signature, without the quotes of an annotation that is kept as text."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text


def written(annotation: object) -> str:
    """An annotation as the source has it."""
    return annotation.__forward_arg__ if isinstance(annotation, ForwardRef) else str(annotation)


def shown(value: object) -> str:
    """A default value as the source has it."""
    return f"{type(value).__name__}.{value.name}" if isinstance(value, StrEnum) else repr(value)


def function_stub(name: str, function: Callable[..., Any]) -> str:
    """The head of a function, as text."""
    signature = inspect.signature(function)
    parameters = [
        one if one.annotation is inspect.Parameter.empty else one.replace(annotation=Written(one.annotation))
        for one in signature.parameters.values()
    ]
    plain = signature.replace(parameters=parameters, return_annotation=Written(signature.return_annotation))
    return f"def {name}{plain}: ..."


def members(cls: type) -> Iterator[str]:
    """The public fields, properties and methods of a class, in their order."""
    if issubclass(cls, StrEnum):
        yield from (f"{one.name} = {one.value!r}" for one in cls)
    elif dataclasses.is_dataclass(cls):
        for field in dataclasses.fields(cls):
            default = "" if field.default is dataclasses.MISSING else f" = {shown(field.default)}"
            yield f"{field.name}: {written(field.type)}{default}"
    elif issubclass(cls, tuple):
        yield from (f"{name}: {written(one)}" for name, one in inspect.get_annotations(cls).items())
    for name, value in vars(cls).items():
        if name.startswith("_"):
            continue
        getter = value.fget if isinstance(value, property) else getattr(value, "func", None)
        if isinstance(value, (property, cached_property)) and getter is not None:
            yield f"@property\n    {function_stub(name, getter)}"
        elif inspect.isfunction(value):
            yield function_stub(name, value)


def stub(name: str) -> str:
    """What a stub file would say of a public name."""
    thing = getattr(stats, name)
    if inspect.isfunction(thing):
        return function_stub(name, thing)
    base = thing.__base__
    shown_base = "NamedTuple" if base is tuple else base.__name__
    body = list(members(thing)) or ["..."]
    heading = f"class {name}:" if base is object else f"class {name}({shown_base}):"
    return "\n    ".join([heading, *body])


def normal(code: str) -> str:
    """Code without its layout."""
    return ast.unparse(ast.parse(code))


def documented(name: str) -> set[str]:
    """The names that the first columns of an entry's tables explain."""
    return set(re.findall(r"^\| `(\w+)` \| \S", ENTRIES[name], re.MULTILINE))


def test_every_public_name_has_its_entry_once() -> None:
    """The headings of the page are the names that `alignsuite.stats` exports; none is missing, odd, or there twice."""
    headings = re.findall(r"^### `(\w+)`$", TEXT, re.MULTILINE)
    assert sorted(headings) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_signatures_are_those_of_the_code(name: str) -> None:
    """The first Python block of an entry says what `inspect` says: arguments, defaults, types, fields, bases."""
    assert normal(fences(ENTRIES[name], "python")[0]) == normal(stub(name))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_argument_is_explained(name: str) -> None:
    """Each parameter has its row, and no row explains what isn't there; the entry says what comes back."""
    assert documented(name) == set(inspect.signature(getattr(stats, name)).parameters)
    assert re.search(r"^\*\*Returns\*\* \S", ENTRIES[name], re.MULTILINE)


@pytest.mark.parametrize("name", CLASSES)
def test_every_field_and_method_is_explained(name: str) -> None:
    """Each public member of a class is named in its entry, in a row or in the prose."""
    tree = ast.parse(stub(name)).body[0]
    assert isinstance(tree, ast.ClassDef)
    wanted: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            wanted.add(node.target.id)
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            wanted.add(node.targets[0].id)
        elif isinstance(node, ast.FunctionDef):
            wanted.add(node.name)
    told = documented(name) | set(re.findall(r"`(\w+)`", re.sub(r"```.*?```", "", ENTRIES[name], flags=re.DOTALL)))
    assert wanted <= told


@pytest.mark.parametrize("name", [name for name in FUNCTIONS if "Raises:" in (getattr(stats, name).__doc__ or "")])
def test_errors_of_the_docstring_stand_on_the_page(name: str) -> None:
    """Whatever a docstring says that a function raises, its entry says as well."""
    section = re.search(r"Raises:\n(.*?)(?:\n\s*\n|\Z)", getattr(stats, name).__doc__, re.DOTALL)
    assert section is not None
    raised = set(re.findall(r"^\s+(\w+): ", section.group(1), re.MULTILINE))
    assert raised & set(stats.__all__) <= documented_errors(name) | {"StatsError"}


def documented_errors(name: str) -> set[str]:
    """The errors that an entry's Raises line names."""
    line = re.search(r"^\*\*Raises\*\* (.*)$", ENTRIES[name], re.MULTILINE)
    return set(re.findall(r"`(\w+)`", line.group(1))) if line else set()


@pytest.mark.parametrize("name", NAMES)
def test_examples_run_as_they_stand(name: str) -> None:
    """Every entry has an example that a reader can paste into a fresh interpreter, with the results that it shows."""
    examples = fences(ENTRIES[name], "pycon")
    assert examples, f"{name} has no example"
    runner = doctest.DocTestRunner(verbose=False, optionflags=doctest.REPORT_NDIFF)
    for example in examples:
        test = doctest.DocTestParser().get_doctest(example, {}, name, str(PAGE), 0)
        assert test.examples
        assert name in example or name in SEEN_THROUGH
        failures: list[str] = []
        runner.run(test, out=failures.append)
        assert not failures, "".join(failures)


# What a function hands out is shown by calling that function.
SEEN_THROUGH = {
    "OperatingCharacteristics",
    "PairedRegression",
    "GroupGap",
    "Holm",
    "ScaleScore",
    "BankRate",
    "CountGate",
    "GroupShare",
    "Misfit",
    "PooledRegression",
    "StratifiedGroups",
}
