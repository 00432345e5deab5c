"""Fetching what a guard needs and nobody may ship: its makers' instruction text, or a classifier's files.

A text is found in whatever it was published in: a block of a model card, a string of Python, YAML or JSON, a file of its own. Which one it
is, its SHA-256 says; where nobody knows that for sure, the one that has all placeholders is taken, and its hash is shown to be pinned. A
text that is here is not fetched again: what a guard is asked with doesn't change because a branch of the hub moved.
"""

from __future__ import annotations

import ast
import hashlib
import os
import re
from collections.abc import Iterator
from pathlib import Path

import yaml

from alignsuite.errors import JudgeError, ModelError, SettingsError
from alignsuite.judges.guards.frame import fetched, instruction
from alignsuite.judges.guards.spec import Named, Spec, Text
from alignsuite.models.hub import fetch_file

_FENCED = re.compile(r"^(?P<fence>`{3,}|~{3,})[^\n]*\n(?P<body>.*?)^(?P=fence)\s*$", re.DOTALL | re.MULTILINE)
_PLACE = re.compile(r"(?<!\{)\{[a-z_]+\}(?!\})")
_HOLDS_MORE = (".py", ".md", ".yml", ".yaml", ".json")
"""Files in which a text stands among others, so that the file as a whole is never the text."""
_SUFFIXES = (*_HOLDS_MORE, ".txt", ".j2", ".jinja")
_LARGEST = 4 << 20
_UNPINNED = "not pinned by the adapter: pin it with `sha256` in a TOML of your own"


def pull(named: Named, place: Path | None = None) -> list[str]:
    """What was done, a line for each text or checkpoint.

    `place` is a file or folder here to take texts from; without it they come from the hub.

    Raises:
        JudgeError: nothing there is the text that the adapter names.
        SettingsError: there is no such place, the guard needs nothing, or nothing says where to fetch it.
        ModelError: the hub refused, lacks the file, or can't be reached.
    """
    spec, done = named.spec, []
    for name, text in spec.ask.published.items():
        found = _here(spec, name) if place is None else None
        there = ", was here" if found is not None else ""
        if found is None:
            found = _chosen(spec, name, text, list(_texts(spec, text, place)))
            _write(fetched(spec, name), found)
        digest = hashlib.sha256(found.encode()).hexdigest()
        pinned = "as the adapter says" if text.sha256 else _UNPINNED
        done.append(f"{fetched(spec, name)}: {len(found)} characters, SHA-256 {digest}, {pinned}{there}")
    if not spec.asks_model:
        from alignsuite.judges.classifiers import SequenceClassifier

        done.append(str(SequenceClassifier(named.model).fetch()))
    if not done:
        raise SettingsError(
            f"the guard `{spec.id}` needs no text: its model brings the instruction, and is fetched when it is opened"
        )
    return done


def candidates(text: str, suffix: str = "") -> Iterator[tuple[int, str]]:
    """Texts that may be meant by a published file, the narrower ones with the smaller number.

    0 is each string of Python, YAML or JSON, 1 each fenced block, 2 all of it, where the file's suffix doesn't say that it holds more; each
    also without the `<s>` that some write before it and others leave to the tokenizer, as we do.
    """
    for breadth, one in _parts(text, suffix):
        yield breadth, one
        if one.startswith("<s>"):
            yield breadth, one.removeprefix("<s>")


def _parts(text: str, suffix: str) -> Iterator[tuple[int, str]]:
    blocks = [found["body"] for found in _FENCED.finditer(text)]
    for code in (text, *blocks):
        try:
            tree = ast.parse(code)
        except (SyntaxError, ValueError, RecursionError):
            continue
        yield from (
            (0, node.value) for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)
        )
    if suffix in (".yml", ".yaml", ".json"):
        yield from ((0, one) for one in _scalars(text))
    for block in blocks:
        yield 1, block.removesuffix("\n")
        yield 1, block
    if suffix not in _HOLDS_MORE:
        yield 2, text


def _scalars(text: str) -> Iterator[str]:
    """Texts of a YAML or JSON file, as far as it is one; its aliases are not followed."""
    try:
        yield from (event.value for event in yaml.parse(text, yaml.SafeLoader) if isinstance(event, yaml.ScalarEvent))
    except yaml.YAMLError:
        return


def _here(spec: Spec, name: str) -> str | None:
    """Text that was fetched before; None where it wasn't, or where what lies there is another one."""
    try:
        return instruction(spec, name)
    except JudgeError:
        return None


def _write(path: Path, text: str) -> None:
    """Written beside and moved, so that nobody finds half a text, which without a pinned hash would be taken for it.

    Raises:
        JudgeError: the folder can't be written to.
    """
    half = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        half.write_bytes(text.encode())
        half.replace(path)
    except OSError as error:
        raise JudgeError(
            f"{path} can't be written ({error.strerror}); set ALIGNSUITE_HOME to another folder"
        ) from error


def _texts(spec: Spec, text: Text, place: Path | None) -> Iterator[tuple[int, str]]:
    if place is None:
        if not text.hub:
            raise SettingsError(
                f"the text of the guard `{spec.id}` is in no file that can be fetched from here ({text.source}): get it, then "
                f"`alignsuite judge pull {spec.id} --from FILE`, or name the folder that holds it"
            )
        try:
            place = fetch_file(text.hub)
        except ModelError as error:
            raise ModelError(
                f"{error}; or get it elsewhere ({text.source}), then `alignsuite judge pull {spec.id} --from FILE`"
            ) from error
    if not place.exists():
        raise SettingsError(
            f"{place}: there is no such file or folder; wanted what holds the text of the guard `{spec.id}`"
        )
    files = (
        [place]
        if place.is_file()
        else sorted(file for file in place.rglob("*") if file.suffix in _SUFFIXES and file.is_file())
    )
    for file in files:
        if file.stat().st_size <= _LARGEST:
            try:
                yield from candidates(file.read_bytes().decode("utf-8").replace("\r\n", "\n"), file.suffix.lower())
            except UnicodeDecodeError:
                continue


def _chosen(spec: Spec, name: str, text: Text, texts: list[tuple[int, str]]) -> str:
    """The text that is meant: by its hash, else the narrowest that has all placeholders."""
    what = f"the {name} of the guard `{spec.id}`"
    if text.sha256:
        for _, one in texts:
            if hashlib.sha256(one.encode("utf-8", "surrogatepass")).hexdigest() == text.sha256:
                return one
        raise JudgeError(
            f"none of {len(texts)} texts there has the SHA-256 {text.sha256} of {what} ({text.source}); was it changed since? Pin the one "
            "that you trust with `sha256` in a TOML of your own"
        )
    places = [*text.holds, *(("{prompt}", "{response}") if text.placeholders is None else text.placeholders)]
    fitting = [
        (breadth, one)
        for breadth, one in texts
        if all(part in one for part in places)
        and set(_PLACE.findall(one)) <= set(places)  # others would be sent as they stand
    ]
    narrow = {one.removesuffix("\n").removeprefix("<s>"): one for breadth, one in fitting if breadth == min(fitting)[0]}
    if len(narrow) != 1:
        wanted = f"wanted one with {', '.join(places)}" if not narrow else f"{len(narrow)} have {', '.join(places)}"
        raise JudgeError(
            f"which of {len(texts)} texts there is {what}? {wanted}; put it alone into a .txt file and name that with --from"
        )
    return next(iter(narrow.values()))
