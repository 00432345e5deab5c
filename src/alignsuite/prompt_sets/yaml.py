"""Strict YAML: no duplicate keys, no surprise types, a line number for every value.

Ordinary loaders keep the last of two equal keys, read `no` as False and `012` as 10. Here the first is an error, and so is
every bare word whose type a reader could doubt: it wants quotes. Besides the data, `load` gives the line of every key and item,
so that a message can point at it.
"""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from alignsuite.errors import PromptError

Lines = dict[tuple[str | int, ...], int]
"""Where each value stands: the path of keys and indices that leads to it → its line, from 1."""

_INT = re.compile(r"-?(0|[1-9][0-9]*)\Z")
_FLOAT = re.compile(r"-?(0|[1-9][0-9]*)\.[0-9]+\Z")
_DOUBTFUL = re.compile(
    r"(?i)(y|n|yes|no|on|off|~|null|[-+]?\.inf|\.nan|[-+]?0[0-9_]+|0[xob][0-9a-f_]+|[-+]?[0-9][0-9_,:.eE+-]*)\Z"
)


def load(path: Path) -> tuple[object, Lines]:
    """Data of one YAML file, and the line of each of its values.

    Raises:
        PromptError: for anything that is not plain, unambiguous YAML; the message starts with `file:line:`.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise PromptError(f"{path}: there is no such file") from None
    except UnicodeDecodeError as error:
        raise PromptError(f"{path}: not UTF-8 at byte {error.start}: save the file as UTF-8") from None
    try:
        node = yaml.compose(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise PromptError(f"{path}:{line}: {error.problem or 'not YAML'}") from None
    except yaml.YAMLError as error:
        raise PromptError(f"{path}:1: {error}") from None
    lines: Lines = {}
    if node is None:
        raise PromptError(f"{path}:1: the file is empty")
    return _value(node, (), lines, path, set()), lines


def _value(node: yaml.Node, where: tuple[str | int, ...], lines: Lines, path: Path, seen: set[int]) -> object:
    line = node.start_mark.line + 1
    if id(node) in seen:  # an alias is its anchor's own node; nested aliases could fill any memory, or never end
        raise PromptError(f"{path}:{line}: what stands here is used again as an alias (`*name`): write it out")
    seen.add(id(node))
    lines[where] = line
    if isinstance(node, yaml.ScalarNode):
        return _scalar(node, path)
    if isinstance(node, yaml.SequenceNode):
        return [_value(item, (*where, index), lines, path, seen) for index, item in enumerate(node.value)]
    assert isinstance(node, yaml.MappingNode)
    out: dict[str, object] = {}
    for key_node, value_node in node.value:
        if not isinstance(key_node, yaml.ScalarNode):
            raise PromptError(f"{path}:{key_node.start_mark.line + 1}: a key must be a plain word")
        key = key_node.value
        if key in out:
            raise PromptError(
                f"{path}:{key_node.start_mark.line + 1}: `{key}` stands twice here (first in line {lines[(*where, key)]})"
            )
        out[key] = _value(value_node, (*where, key), lines, path, seen)
        lines[(*where, key)] = key_node.start_mark.line + 1
    return out


def _scalar(node: yaml.ScalarNode, path: Path) -> object:
    text: str = node.value
    if node.style:  # quoted or a block: always text (a bare word has None in pure Python, "" in libyaml)
        return text
    if text in ("true", "false"):
        return text == "true"
    if _INT.match(text):
        return int(text)
    if _FLOAT.match(text):
        return float(text)
    if text == "" or _DOUBTFUL.match(text):
        raise PromptError(
            f'{path}:{node.start_mark.line + 1}: `{text}` without quotes could mean several things: write "{text}" if it is text'
        )
    return text
