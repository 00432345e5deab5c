"""The house as it is meant to be: rooms and directions, no circles, light imports, sockets and engines in their own rooms.

A *room* is the first folder or module under `src/alignsuite/`, an *arrow* a room that imports from another one anywhere, inside
functions and `TYPE_CHECKING` too, a *circle* a loop of arrows. `pytest tests/test_architecture.py -s -k figures` prints them.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import pytest

SRC = Path(__file__).parents[1] / "src" / "alignsuite"

# The table of docs/explanation/architecture.md: which room may import from which.
ALLOWED = {
    "plugin": "pytest_plugin config errors",
    "cli": "pytest_plugin planning reports questionnaires judges models runs limits config text errors",
    "pytest_plugin": "planning reports probes judges models runs limits footprint config text errors",
    "planning": "probes claims models stats text",
    "probes": "claims questionnaires judges prompt_sets models runs config errors",
    "reports": "claims questionnaires prompt_sets runs text errors",
    "claims": "questionnaires judges prompt_sets models runs stats text errors",
    "questionnaires": "judges prompt_sets models stats config errors",
    "judges": "models stats text config errors",
    "prompt_sets": "models errors",
    "footprint": "runs config",
    "models": "text errors",
    "limits": "text errors",
    "runs": "stats text errors",
    "config": "errors",
    "stats": "",
    "text": "",
    "errors": "",
}
FACES = {"", "instruments"}  # documented names that stand before rooms, and are none
WITH_PYTEST = {"plugin", "pytest_plugin"}
PYTEST_IN_FUNCTIONS = {"probes.decorator", "cli.limits", "cli.plan"}
ENGINES = {
    "torch": ("models.engines.transformers", "judges.classifiers", "judges.toxicity"),
    "transformers": ("models.engines.transformers", "judges.classifiers"),
    "peft": ("models.engines.transformers",),
    "xllamacpp": ("models.engines.llamacpp",),
    "aiohttp": ("models.engines.endpoint",),
    "openai": ("models.engines.endpoint",),
    "detoxify": ("judges.toxicity",),
    "huggingface_hub": ("models.hub", "models.engines.transformers.hub", "judges.toxicity.download"),
}
NETWORK = {"socket", "http", "urllib", "httpx", "requests", "aiohttp", "asyncio", "openai", "huggingface_hub"}
CONNECTS = ("models.engines", "models.broker", "models.hub", "models.embedded", "models.identity", "judges.toxicity")


def module_name(path: Path) -> str:
    """`models.broker` for src/alignsuite/models/broker/__init__.py; a package is named after its folder."""
    return ".".join(path.relative_to(SRC).with_suffix("").parts).removesuffix(".__init__").removesuffix("__init__")


@cache
def files() -> dict[str, Path]:
    """Every module of the package, with its file."""
    return {module_name(path): path for path in sorted(SRC.rglob("*.py"))}


@cache
def modules() -> dict[str, ast.Module]:
    """Every module of the package, parsed."""
    return {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in files().items()}


def imports(tree: ast.AST, *, top_only: bool = False) -> set[str]:
    """Full names that a module imports: also inside functions and for types, unless `top_only`."""
    found: set[str] = set()
    for child in ast.iter_child_nodes(tree):
        if top_only and isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test):
            continue
        if top_only and isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(child, ast.Import):
            found.update(alias.name for alias in child.names)
        elif isinstance(child, ast.ImportFrom) and child.module:
            for alias in child.names:
                inside = f"{child.module}.{alias.name}"
                found.add(inside if inside.removeprefix("alignsuite.") in files() else child.module)
        found |= imports(child, top_only=top_only)
    return found


@cache
def arrows_of_modules() -> dict[str, set[str]]:
    """Module → the modules of ours that it imports."""
    own: dict[str, set[str]] = {}
    for name, tree in modules().items():
        used = {one.removeprefix("alignsuite.") for one in imports(tree) if one.startswith("alignsuite.")}
        own[name] = (used & files().keys()) - {name}
    return own


def room(name: str) -> str:
    """The first folder or module."""
    return name.split(".")[0]


def arrows() -> set[tuple[str, str]]:
    """Pairs of rooms, the first of which imports from the second."""
    pairs = {(room(name), room(used)) for name, uses in arrows_of_modules().items() for used in uses}
    return {(a, b) for a, b in pairs if a != b and a not in FACES and b not in FACES}


def circles(graph: Mapping[str, set[str]]) -> list[list[str]]:
    """Groups of nodes that lead to each other."""

    def reached(start: str) -> set[str]:
        seen: set[str] = set()
        waiting = list(graph.get(start, ()))
        while waiting:
            current = waiting.pop()
            if current not in seen:
                seen.add(current)
                waiting.extend(graph.get(current, ()))
        return seen

    reach = {name: reached(name) for name in graph}
    looped = [name for name in graph if name in reach[name]]
    groups = {
        tuple(sorted(other for other in looped if other in reach[name] and name in reach[other])) for name in looped
    }
    return sorted(map(list, groups))


def rooms_graph() -> dict[str, set[str]]:
    """Room → rooms."""
    return {one: {b for a, b in arrows() if a == one} for one in {room(name) for name in files()} - FACES}


def test_the_figures_of_the_house() -> None:
    """At most 20 rooms, 85 arrows between them, and no circle, neither of rooms nor of modules, types counted."""
    lines = Counter({one: 0 for one in rooms_graph()})
    for name, path in files().items():
        lines[room(name)] += len(path.read_text(encoding="utf-8").splitlines())
    print(
        f"\n{len(rooms_graph())} rooms, {len(arrows())} arrows, {len(circles(rooms_graph()))} circles of rooms, "
        f"{len(circles(arrows_of_modules()))} circles of modules, {len(kind_branches())} branches on a claim's kind, "
        f"{len(details_reads())} details read by key, {sum(lines.values())} lines: {dict(lines.most_common())}"
    )
    assert len(rooms_graph()) <= 20
    assert len(arrows()) <= 85
    assert circles(rooms_graph()) == []
    assert circles(arrows_of_modules()) == []


@pytest.mark.parametrize("name", sorted(ALLOWED))
def test_a_room_imports_from_the_rooms_below_it(name: str) -> None:
    """As the table says, types included."""
    allowed = set(ALLOWED[name].split())
    wrong = sorted(
        f"{one} imports {used}"
        for one, uses in arrows_of_modules().items()
        if room(one) == name
        for used in uses
        if room(used) not in {name, *FACES, *allowed}
    )
    assert wrong == []


def test_every_room_stands_in_the_table() -> None:
    """A new room wants a row, and a row a room."""
    assert rooms_graph().keys() == ALLOWED.keys()


def test_the_page_has_the_same_table() -> None:
    """`docs/explanation/architecture.md` shows what is held here."""
    page = (SRC.parents[1] / "docs" / "explanation" / "architecture.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `(\w+)` \| ([\w –]+) \|$", page, flags=re.MULTILINE))
    assert {name: allowed.replace("–", "") for name, allowed in rows.items()} == ALLOWED


def _outside_claims() -> Iterator[tuple[str, ast.AST]]:
    for name, tree in modules().items():
        if room(name) != "claims" and name != "runs.v1":
            yield from ((name, node) for node in ast.walk(tree))


def kind_branches() -> list[str]:
    """Places outside `claims/` that compare a claim's kind with something."""
    found = []
    for name, node in _outside_claims():
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            literal = any(
                isinstance(part, ast.Constant) and part.value in KINDS for side in sides for part in ast.walk(side)
            )
            kind = any(isinstance(side, ast.Attribute) and side.attr == "kind" for side in sides)
            if (kind and _about_claims(name)) or literal:
                found.append(f"{name}:{node.lineno}")
        elif (
            isinstance(node, ast.Dict)
            and {key.value for key in node.keys if isinstance(key, ast.Constant)} & KINDS
            and _about_claims(name)
        ):
            found.append(f"{name}:{node.lineno}")
    return found


KINDS = {"flips", "mistakes", "preference", "no_worse"}  # words that are kinds and nothing else


def _about_claims(name: str) -> bool:
    return room(name) in {"reports", "runs", "planning", "probes", "pytest_plugin", "cli", "limits", "footprint"}


def details_reads() -> list[str]:
    """Places outside `claims/` that read a key of a claim's details."""
    found = []
    for name, node in _outside_claims():
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "get":
            of: ast.AST = node.func.value
        elif isinstance(node, ast.Subscript):
            of = node.value
        else:
            continue
        if (
            isinstance(of, ast.Attribute)
            and of.attr == "details"
            and _about_claims(name)
            and "model" not in ast.dump(of)
            and "info" not in ast.dump(of)
        ):
            found.append(f"{name}:{node.lineno}")
    return found


def test_nobody_outside_claims_asks_what_kind_a_claim_is() -> None:
    """A claim presents itself, and says itself how it is compared; see `docs/how-to/add-a-claim-kind.md`."""
    assert kind_branches() == []
    assert details_reads() == []


@pytest.mark.parametrize("name", sorted(modules()))
def test_pytest_is_imported_in_the_top_rooms_only(name: str) -> None:
    """Everything below can be used without it; a command that runs a session takes it up only then."""
    if room(name) not in WITH_PYTEST:
        used = imports(modules()[name], top_only=name in PYTEST_IN_FUNCTIONS)
        assert not {"pytest", "_pytest"} & {room(one) for one in used}


@pytest.mark.parametrize("name", sorted(modules()))
def test_engines_and_sockets_stay_in_their_rooms(name: str) -> None:
    """Engines, clients and the hub are imported by their own modules, inside functions; nobody else opens a connection."""
    used = {room(one) for one in imports(modules()[name]) if not one.startswith("alignsuite")}

    def within(homes: tuple[str, ...]) -> bool:
        return any(name == home or name.startswith(f"{home}.") for home in homes)

    for engine, homes in ENGINES.items():
        assert engine not in used or within(homes), f"{name} imports {engine}"
    assert not used & NETWORK or within(CONNECTS), f"{name} uses the network"
    at_import = {room(one) for one in imports(modules()[name], top_only=True)}
    assert not at_import & set(ENGINES), f"{name} imports an engine at module level"


def test_importing_the_package_loads_nothing_heavy() -> None:
    """`import alignsuite` and `from alignsuite import probe` stay light."""
    heavy = ("numpy", "pydantic", "jinja2", "openai", "aiohttp")
    code = f"import sys, alignsuite; alignsuite.__version__; print([name for name in {heavy!r} if name in sys.modules])"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
    )


@pytest.mark.parametrize("name", sorted(name for name in modules() if room(name) == "cli"))
def test_a_command_is_light_until_it_runs(name: str) -> None:
    """`alignsuite --help` loads every command module, so they import the standard library and their own room only."""
    for used in imports(modules()[name], top_only=True) - {"alignsuite.cli"}:
        assert used.startswith("alignsuite.cli.") or room(used) in sys.stdlib_module_names, f"{name} imports {used}"


@pytest.mark.parametrize("name", sorted(name for name in modules() if name))
def test_a_module_is_one_noun(name: str) -> None:
    """No module grows beyond what a reader can hold: about 300 lines, 400 with a reason. Its first line says what it is."""
    assert len(files()[name].read_text(encoding="utf-8").splitlines()) <= 400
    doc = ast.get_docstring(modules()[name])
    assert doc, f"{name} does not say why it exists"


@pytest.mark.parametrize("name", sorted(name for name in modules() if name))
def test_a_docstring_opens_with_one_short_line(name: str) -> None:
    """The standard term and the object returned, in at most 110 characters; what it means for the reader comes after."""
    long = [
        f"{getattr(node, 'name', name)}: {line}"
        for node in ast.walk(modules()[name])
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and len(line := (ast.get_docstring(node) or "").partition("\n")[0]) > 110
    ]
    assert long == []
