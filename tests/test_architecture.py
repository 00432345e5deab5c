"""The house as it is meant to be: directions, no cycles, light imports, sockets and engines in their own rooms."""

from __future__ import annotations

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

SRC = Path(__file__).parents[1] / "src" / "alignsuite"
ROOMS_WITH_PYTEST = {
    "plugin",
    "hookspecs",
    "gatherer",
    "terminal",
    "session",
    "fixtures",
    "probes",
    "rehearsal",
    "workers",
}
# Commands that run a pytest session; they import it inside the function that does.
COMMANDS_WITH_PYTEST = {"cli.limits", "cli.plan"}
ENGINES = {
    "torch": {"models.devices", "models.transformers", "judges.toxicity.checkpoint", "judges.toxicity.classifier"},
    "transformers": {"models.transformers", "judges.toxicity.classifier"},
    "peft": {"models.transformers"},
    "xllamacpp": {"models.llamacpp", "models.llamacpp_server"},
    "aiohttp": {"models.endpoint.http"},
    "openai": set(),  # its address is written down and its HTTP library makes the list of who is trusted; no client of it is used
    "huggingface_hub": {"models.hub", "models.hub_data", "models.transformers.hub", "judges.toxicity.download"},
}
NETWORK = {"socket", "http", "urllib", "httpx", "requests", "aiohttp", "asyncio", "openai", "huggingface_hub"}
# Each room may use those further down, and its own.
FLOORS = [
    {"plugin", "cli", "rehearsal"},
    {"gatherer", "workers"},
    {"hookspecs", "fixtures", "session", "terminal"},
    {"replies", "claims", "probes", "outlook"},
    {"report", "pairs", "baseline"},
    {"cases", "prompt_lock", "models"},
    {"judges", "records", "config", "prompts", "instruments", "limits", "footprint"},
    {"perturb", "stats", "strict_yaml"},
    {"grid"},
    {"errors"},
]
# Rooms below that a room above its floor may use all the same: pure descriptions of data.
EVERYWHERE = {"errors", "models.protocol", "models.progress", ""}


def module_name(path: Path) -> str:
    """`models.broker` for src/alignsuite/models/broker.py; a package is named after its folder."""
    return ".".join(path.relative_to(SRC).with_suffix("").parts).removesuffix(".__init__").removesuffix("__init__")


@cache
def known_names() -> set[str]:
    """The names of all modules of the package."""
    return {module_name(path) for path in SRC.rglob("*.py")}


@cache
def modules() -> dict[str, ast.Module]:
    """Every module of the package, parsed."""
    return {module_name(path): ast.parse(path.read_text(encoding="utf-8")) for path in sorted(SRC.rglob("*.py"))}


def imports(tree: ast.Module, *, typing_too: bool = False, top_only: bool = False) -> set[str]:
    """Names of modules that a module imports, also inside functions; `TYPE_CHECKING` blocks only on demand."""
    found: set[str] = set()

    def visit(node: ast.AST) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test) and not typing_too:
                continue
            if top_only and isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
                continue
            if isinstance(child, ast.Import):
                found.update(alias.name for alias in child.names)
            elif isinstance(child, ast.ImportFrom) and child.module:
                named = {f"{child.module}.{alias.name}" for alias in child.names}
                found.update(named)
                if not all(name.removeprefix("alignsuite.") in known_names() for name in named):
                    found.add(child.module)
            visit(child)

    visit(tree)
    return found


def own(names: set[str]) -> set[str]:
    """Those of our own modules among some names."""
    return {name.removeprefix("alignsuite.") for name in names if name.startswith("alignsuite.")} & set(modules())


def floor(name: str) -> int:
    """On which floor a module lives, counted from the top."""
    room = name.split(".")[0]
    return next(number for number, rooms in enumerate(FLOORS) if room in rooms)


@pytest.mark.parametrize("name", [name for name in modules() if name])
def test_imports_point_downward(name: str) -> None:
    """A room uses its own floor's modules of the same room, and those of lower floors; types may be named from anywhere."""
    for used in own(imports(modules()[name])) - EVERYWHERE:
        same_room = used.split(".")[0] == name.split(".")[0]
        assert same_room or floor(used) > floor(name) or (floor(used) == floor(name) and not own_cycle(used, name)), (
            f"{name} uses {used}"
        )


def own_cycle(used: str, name: str) -> bool:
    """Whether `used` leads back to `name`."""
    seen, waiting = set[str](), [used]
    while waiting:
        current = waiting.pop()
        if current == name:
            return True
        if current not in seen:
            seen.add(current)
            waiting.extend(own(imports(modules()[current])))
    return False


def test_there_are_no_import_cycles() -> None:
    """Not even inside functions."""
    cyclic = {
        name
        for name in modules()
        if name and any(own_cycle(used, name) for used in own(imports(modules()[name])) - {name})
    }
    assert cyclic == set()


@pytest.mark.parametrize("name", sorted(modules()))
def test_pytest_is_imported_in_the_top_rooms_only(name: str) -> None:
    """Everything below can be used without it; a command that runs a session takes it up only then."""
    if name not in ROOMS_WITH_PYTEST:
        used = imports(modules()[name], top_only=name in COMMANDS_WITH_PYTEST)
        assert not {"pytest", "_pytest"} & {one.split(".")[0] for one in used}


@pytest.mark.parametrize("name", sorted(modules()))
def test_engines_and_sockets_stay_in_their_rooms(name: str) -> None:
    """torch, llama.cpp, aiohttp and the hub are imported by their own engine modules, inside functions; nobody else opens a connection."""
    used = {one.split(".")[0] for one in imports(modules()[name])}
    for engine, homes in ENGINES.items():
        if engine in used:
            assert any(name == home or name.startswith(f"{home}.") for home in homes), f"{name} imports {engine}"
    if used & NETWORK:
        assert name.startswith("models.") or name == "judges.toxicity.download", f"{name} uses the network"
    at_import = {one.split(".")[0] for one in imports(modules()[name], top_only=True)}
    assert not at_import & set(ENGINES), f"{name} imports an engine at module level"


def test_importing_the_package_loads_nothing_heavy() -> None:
    """`import alignsuite` and `from alignsuite import probe` stay light."""
    heavy = ("numpy", "pydantic", "jinja2", "openai", "aiohttp")
    code = f"import sys, alignsuite; alignsuite.__version__; print([name for name in {heavy!r} if name in sys.modules])"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
    )


@pytest.mark.parametrize("name", sorted(name for name in modules() if name.startswith("cli")))
def test_a_command_is_light_until_it_runs(name: str) -> None:
    """`alignsuite --help` loads every command module, so they import the standard library and their own room only."""
    for used in imports(modules()[name], top_only=True) - {"alignsuite.cli"}:
        first = used.split(".")[0]
        assert used.startswith("alignsuite.cli.") or first in sys.stdlib_module_names, f"{name} imports {used}"


@pytest.mark.parametrize("name", sorted(name for name in modules() if name))
def test_a_module_is_one_noun(name: str) -> None:
    """No module grows beyond what a reader can hold: about 300 lines, 400 with a reason."""
    path = SRC / (name.replace(".", "/") + ".py")
    path = path if path.is_file() else SRC / name.replace(".", "/") / "__init__.py"
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400
    assert ast.get_docstring(modules()[name]), f"{name} does not say why it exists"
