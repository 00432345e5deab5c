"""Reader of word lists: a YAML file to a frozen dataclass of word sets and compiled patterns, strictly.

Lists that linguists should review are data beside the judge that reads by them. Their shape is the dataclass: what a field holds is
said by its type, a key that is no field, one that is missing or stands twice, and a pattern that does not compile are errors with file,
line and key. Every scalar is text, so that `no` and `on` are words. Importing this costs the YAML parser: do it at the first reply.
"""

from __future__ import annotations

import dataclasses
import difflib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TypeVar, cast, get_args, get_origin, get_type_hints

import yaml

from alignsuite.errors import JudgeError

Lists = TypeVar("Lists")

_PART = re.compile(r"\{\{ (\w+) \}\}")


def read_word_lists(path: Path, wanted: type[Lists]) -> Lists:
    """The lists of a file as an instance of a dataclass: `wanted` says which keys there are, and what each holds.

    A field is a dataclass again, a `Mapping[str, …]`, a `tuple[…, ...]`, or made of one text: `str`; `frozenset[str]`, its words;
    `re.Pattern[str]`, its lines joined and compiled, where `{{ name }}` stands for the pattern of that name under the key `parts`.

    Raises:
        JudgeError: for a file that is not of that shape; the message begins with `file:line: key`.
    """
    try:
        root = yaml.compose(path.read_text(encoding="utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise JudgeError(f"{path}:{line}: {error.problem or 'not YAML'}") from None
    parts = dict(_entries(path, root, ())).get("parts")
    texts = {name: _joined(_text(path, node, ("parts", name))) for name, node in _entries(path, parts, ("parts",))}
    return cast("Lists", _Reader(path, texts).read(root, wanted, ()))


@dataclasses.dataclass(frozen=True)
class _Reader:
    """Values of wanted types from the nodes of a file; `parts` are texts that patterns are put together from."""

    path: Path
    parts: Mapping[str, str]

    def read(self, node: yaml.Node | None, wanted: object, where: tuple[str, ...]) -> object:
        """The value of a node, as its type wants it."""
        kind = get_origin(wanted) or wanted
        if isinstance(kind, type) and dataclasses.is_dataclass(kind):
            return self._fields(node, kind, where)
        if kind is tuple:
            if not isinstance(node, yaml.SequenceNode):
                raise _wrong(self.path, node, where, "wanted a list")
            return tuple(
                self.read(one, get_args(wanted)[0], (*where, str(at))) for at, one in enumerate(node.value, start=1)
            )
        if kind is Mapping:
            entries = _entries(self.path, node, where)
            return {key: self.read(value, get_args(wanted)[1], (*where, key)) for key, value in entries}
        text = _text(self.path, node, where)
        if kind is frozenset:
            return frozenset(text.split())
        return self._pattern(node, text, where) if kind is re.Pattern else text

    def _fields(self, node: yaml.Node | None, wanted: type, where: tuple[str, ...]) -> object:
        types = get_type_hints(wanted)
        entries = dict(_entries(self.path, node, where))
        for key in sorted(entries.keys() - types.keys() - ({"parts"} if not where else set())):
            near = difflib.get_close_matches(key, types, n=1)
            meant = f"did you mean `{near[0]}`?" if near else f"wanted {', '.join(types)}"
            raise _wrong(self.path, entries[key], (*where, key), f"no such key; {meant}")
        needed = {field.name for field in dataclasses.fields(wanted) if field.default is dataclasses.MISSING}
        for key in sorted(needed - entries.keys()):
            raise _wrong(self.path, node, (*where, key), "is missing")
        return wanted(
            **{key: self.read(entries[key], types[key], (*where, key)) for key in entries.keys() & types.keys()}
        )

    def _pattern(self, node: yaml.Node | None, text: str, where: tuple[str, ...]) -> re.Pattern[str]:
        try:
            return re.compile(_PART.sub(lambda found: self.parts[found[1]], _joined(text)))
        except KeyError as missing:
            raise _wrong(
                self.path, node, where, f"there is no part {missing}; parts are {', '.join(self.parts)}"
            ) from None
        except re.error as error:
            raise _wrong(self.path, node, where, f"no regular expression: {error}") from None


def _entries(path: Path, node: yaml.Node | None, where: tuple[str, ...]) -> Iterator[tuple[str, yaml.Node]]:
    """The keys and values of a mapping, none twice."""
    if node is None and where == ("parts",):
        return
    if not isinstance(node, yaml.MappingNode):
        raise _wrong(path, node, where, "wanted keys with values")
    seen = set()
    for key, value in node.value:
        name = _text(path, key, where)
        if name in seen:
            raise _wrong(path, key, (*where, name), "stands twice")
        seen.add(name)
        yield name, value


def _text(path: Path, node: yaml.Node | None, where: tuple[str, ...]) -> str:
    if not isinstance(node, yaml.ScalarNode) or not node.value:
        raise _wrong(path, node, where, "wanted a text")
    return str(node.value)


def _joined(text: str) -> str:
    """A pattern that runs over several lines, on one."""
    return "".join(text.splitlines())


def _wrong(path: Path, node: yaml.Node | None, where: tuple[str, ...], what: str) -> JudgeError:
    line = node.start_mark.line + 1 if node is not None else 1
    return JudgeError(f"{path}:{line}: `{'.'.join(where) or 'the file'}`: {what}")
