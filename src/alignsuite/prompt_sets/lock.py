"""Lock of the prompt sets: versions and content hashes, so that no word changes without its version going up.

A verdict is only comparable with another over the same words. `prompts/LOCK` holds one line for each set (id, version, content hash; the
hash covers the tables it uses). A test compares it with the files: where the hash moved and the version did not, it fails. After a
change on purpose, raise the set's `version` and renew the lock with `python -m alignsuite.prompt_sets.lock [FOLDER]`, which refuses to
lock a changed set under its old version.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from alignsuite.errors import PromptError
from alignsuite.prompt_sets.load import load_set, set_names

LOCK = "LOCK"


def lock_lines(folders: tuple[Path, ...]) -> list[str]:
    """Lines of the lock, one a set, in the order of their names: id, version, content hash."""
    return [f"{name} {version} {digest}" for name, (version, digest) in _found(folders).items()]


def check_lock(folders: tuple[Path, ...]) -> list[str]:
    """Faults of the folders' locks, a sentence each; an empty list when every set stands as it was locked."""
    found = _found(folders)
    locked = {name: held for folder in folders for name, held in _locked(folder / LOCK).items()}
    return [
        *(f"{name} is locked but its file is gone: renew the lock" for name in locked if name not in found),
        *filter(None, (_complaint(name, held, locked.get(name)) for name, held in found.items())),
    ]


def renew_lock(folder: Path) -> None:
    """Write the folder's lock anew.

    Raises:
        PromptError: when a set's words changed and its version did not go up.
    """
    locked = _locked(folder / LOCK)
    for name, (version, digest) in _found((folder,)).items():
        if name in locked and version <= locked[name][0] and digest != locked[name][1]:
            raise PromptError(
                f"{folder / name}.yaml: the words of version {locked[name][0]} changed: set `version: {locked[name][0] + 1}`, then lock it"
            )
    (folder / LOCK).write_text("".join(f"{line}\n" for line in lock_lines((folder,))), encoding="utf-8")


def _complaint(name: str, found: tuple[int, str], locked: tuple[int, str] | None) -> str | None:
    if locked is None:
        return f"{name} is not locked yet: renew the lock"
    if found == locked:
        return None
    if found[0] <= locked[0]:
        return f"{name}: its words (or a table's) changed, its version {found[0]} did not go up: raise it, then renew the lock"
    return f"{name} is now version {found[0]}, locked is {locked[0]}: renew the lock"


def _found(folders: tuple[Path, ...]) -> dict[str, tuple[int, str]]:
    sets = {name: load_set(name, folders) for name in set_names(folders)}
    return {name: (loaded.spec.version, loaded.content_hash) for name, loaded in sets.items()}


def _locked(path: Path) -> dict[str, tuple[int, str]]:
    locked: dict[str, tuple[int, str]] = {}
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    for number, line in enumerate(lines, 1):
        parts = line.split()
        if len(parts) != 3 or not parts[1].isdigit():
            raise PromptError(f"{path}:{number}: {line!r} is no lock line: wanted `id version hash`")
        locked[parts[0]] = (int(parts[1]), parts[2])
    return locked


def main(arguments: Sequence[str]) -> int:
    """Command: renew the lock of one folder, the first argument, or `prompts` in the working directory."""
    folder = Path(arguments[0] if arguments else "prompts")
    if not folder.is_dir():
        sys.stderr.write(f"there is no folder {folder}: name the one that holds the prompt sets\n")
        return 2
    try:
        renew_lock(folder)
    except PromptError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
