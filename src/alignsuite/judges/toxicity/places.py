"""Where the Detoxify judge finds its files on this machine, and what to tell a user who has none of them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from alignsuite.judges.toxicity.releases import TEXTS, Release

VARIABLE = "ALIGNSUITE_DETOXIFY"
FETCH = "python -m alignsuite.judges.toxicity"

ORIGIN = "origin.json"
"""In a converted folder: where its files come from, and their hashes. It is written last, so a folder without it is none."""


def converted_folder(release: Release, root: Path) -> Path:
    """Where the safe form of a checkpoint is kept; `root` is the judges' cache folder."""
    return root / f"{release.variant}-{release.short}"


def is_converted(release: Release, root: Path) -> bool:
    """Whether the safe form is there; its hashes are compared when it is loaded."""
    return (converted_folder(release, root) / ORIGIN).is_file()


def find_checkpoint(release: Release, root: Path) -> Path | None:
    """The released file on this machine: where ALIGNSUITE_DETOXIFY points, in the cache folder, or where Detoxify itself keeps it."""
    return next((path for path in _checkpoints(release, root) if path.is_file()), None)


def find_texts(release: Release, root: Path) -> Path | None:
    """A folder with the encoder's `config.json` and `tokenizer.json`: where ALIGNSUITE_DETOXIFY points, or in the caches."""
    for folder in (*_named_folders(), root / release.encoder.rpartition("/")[2]):
        if all((folder / name).is_file() for name in TEXTS):
            return folder
    from alignsuite.judges.toxicity.download import texts_in_hub_cache

    return texts_in_hub_cache(release)


def lacking(release: Release, root: Path) -> str:
    """What of a release this machine lacks and how to get it, in one sentence; empty when nothing is."""
    if is_converted(release, root):
        return ""
    named = os.environ.get(VARIABLE)
    if named and not Path(named).exists():
        return f"{VARIABLE} is {named}, and there is no such file or folder; name {release.file} or the folder that holds it"
    absent = [release.file] if find_checkpoint(release, root) is None else []
    absent += [] if find_texts(release, root) else [f"{' and '.join(TEXTS)} of {release.encoder}"]
    if not absent:
        return ""
    return (
        f"the judge `detoxify` has no checkpoint `{release.variant}` here: `{FETCH} {release.variant}` fetches it; or put "
        f"{', and '.join(absent)} into one folder and name it in {VARIABLE}"
    )


def _checkpoints(release: Release, root: Path) -> Iterator[Path]:
    if named := os.environ.get(VARIABLE):
        yield Path(named)
        yield Path(named) / release.file
    yield root / release.file
    torch_home = (
        os.environ.get("TORCH_HOME") or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "torch"
    )
    yield Path(torch_home) / "hub" / "checkpoints" / release.file


def _named_folders() -> Iterator[Path]:
    if named := os.environ.get(VARIABLE):
        path = Path(named)
        yield path if path.is_dir() else path.parent
