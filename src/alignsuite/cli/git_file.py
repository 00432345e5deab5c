"""Text of a file at a git revision.

Git itself is asked; nothing of the working tree is touched.
"""

from __future__ import annotations

from pathlib import Path


def text_at(path: Path, revision: str) -> str | None:
    """Text of a file at a revision; None where it did not exist there.

    The path itself may be gone from the working tree; its folder may not.

    Raises:
        SettingsError: without git or a repository, and for a revision that there is none of.
    """
    from alignsuite.errors import SettingsError

    folder = path.resolve().parent
    if not folder.is_dir():
        raise SettingsError(f"there is no folder {folder}, so no git repository to ask about {path.name}")
    if _git(folder, "rev-parse", "--is-inside-work-tree") != "true\n":
        raise SettingsError(f"{folder} is in no git repository, so there is no {revision} to compare with")
    commit = _git(folder, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    if commit is None:
        raise SettingsError(
            f"git knows no revision `{revision}`: is it spelt so, and fetched? A shallow clone has one commit only "
            "(actions/checkout: `fetch-depth: 0`)"
        )
    listed = _git(folder, "ls-tree", "--name-only", commit.strip(), "--", f"./{path.name}")
    return _git(folder, "show", f"{commit.strip()}:./{path.name}") if listed else None


def _git(folder: Path, *arguments: str) -> str | None:
    """Output of git; None where it failed."""
    import subprocess

    from alignsuite.errors import SettingsError

    try:
        done = subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True, check=False)  # noqa: S603, S607
    except FileNotFoundError:
        raise SettingsError("git is not installed (or not on the path), and the check compares with a commit") from None
    return done.stdout.decode("utf-8", "replace") if done.returncode == 0 else None
