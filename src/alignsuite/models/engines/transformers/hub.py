"""Hub snapshot: a whole checkpoint pinned to a commit, through `huggingface_hub` and into its own cache.

A branch is resolved once, and everything is read from that one commit: a push in the middle of a run can't mix two models. `HF_ENDPOINT`
(read at each call), `HF_HOME`, `HF_TOKEN` and `HF_HUB_OFFLINE` mean what they mean everywhere.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from alignsuite.errors import ModelError

_PLAIN = ["*.json", "*.safetensors", "*.jinja", "*.model", "*.txt", "*.tiktoken"]
_NOT = ["*/*", "consolidated*", "*.fp16.safetensors", "training_args*", "optimizer*"]
_ADDRESS = re.compile(r"([\w.-]+/[\w.-]+)(?:@([\w./-]+))?")
_COMMIT = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Hub snapshot: one commit of a repository, on this disk."""

    repository: str
    commit: str
    folder: Path


def split_repository(address: str, *, wanted: str) -> tuple[str, str | None]:
    """Repository and revision of `ORG/NAME[@REV]`.

    Raises:
        ModelError: a part is missing.

    >>> split_repository("org/name@v1", wanted="")
    ('org/name', 'v1')
    """
    found = _ADDRESS.fullmatch(address)
    if found is None or ".." in address:
        raise ModelError(f"`{address}` names no repository on the hub; wanted {wanted}, or the path of a folder")
    return found[1], found[2]


def fetch_snapshot(
    address: str, *, code: bool = False, pickles: bool = False, wanted: str = "hf:ORG/NAME or hf:ORG/NAME@REVISION"
) -> Snapshot:
    """Hub snapshot of `ORG/NAME[@REV]`: the files that a model needs, downloaded if the cache lacks them.

    The hub's library draws its own bars.

    `*.py` files come only with `code`, and pickled weights only with `pickles` and where there are no safetensors.

    Raises:
        ModelError: the library is missing, or the hub refused, lacks the repository, or can't be reached.
    """
    repository, revision = split_repository(address, wanted=wanted)
    try:
        folder = _download(repository, revision, [*_PLAIN, *(["*.py"] if code else [])])
        if pickles and not list(folder.glob("*.safetensors")):
            folder = _download(repository, folder.name, ["*.bin"])
    except ImportError:
        raise ModelError("`hf:` models need the hub's library: pip install huggingface_hub, or name a folder") from None
    if not _COMMIT.fullmatch(folder.name):
        raise ModelError(
            f"hf:{address}: the hub's cache has no commit for it ({folder}); empty that folder and run again"
        )
    return Snapshot(repository, folder.name, folder)


def find_snapshot(address: str, *, code: bool = False) -> Path | None:
    """Folder in the hub's cache that `fetch_snapshot` filled; None where it isn't there, or not whole.

    No connection is opened.

    Raises:
        ModelError: the address names no repository.
    """
    repository, revision = split_repository(address, wanted="hf:ORG/NAME or hf:ORG/NAME@REVISION")
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError

    try:
        return Path(
            snapshot_download(
                repository,
                revision=revision,
                local_files_only=True,
                allow_patterns=[*_PLAIN, *(["*.py"] if code else [])],
                ignore_patterns=_NOT,
            )
        )
    except (HFValidationError, OSError):  # an absent snapshot is an OSError to that library
        return None


def _download(repository: str, revision: str | None, patterns: list[str]) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import (
        GatedRepoError,
        HfHubHTTPError,
        HFValidationError,
        LocalEntryNotFoundError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    try:
        endpoint = os.environ.get("HF_ENDPOINT") or None
        return Path(
            snapshot_download(
                repository, revision=revision, endpoint=endpoint, allow_patterns=patterns, ignore_patterns=_NOT
            )
        )
    except GatedRepoError:
        why = "it is gated: accept its terms on the hub, then set HF_TOKEN or run `hf auth login`"
    except RevisionNotFoundError:
        why = f"it has no revision `{revision}`: look at its branches, tags and commits"
    except RepositoryNotFoundError:
        why = "the hub has no such repository, or it is private: check the name, or set HF_TOKEN"
    except LocalEntryNotFoundError:
        why = "it is not in the cache and the hub can't be reached: check the network, HF_ENDPOINT and HF_HUB_OFFLINE"
    except HFValidationError as error:
        why = f"the name is not valid ({error})"
    except HfHubHTTPError as error:
        why = f"the hub answered {getattr(error.response, 'status_code', 'an error')}: try again, or check HF_ENDPOINT"
    except (TypeError, ValueError, KeyError, AttributeError, AssertionError) as error:
        why = f"its answer makes no sense ({type(error).__name__}): check HF_ENDPOINT"
    except OSError as error:
        why = f"it could not be written or fetched ({error}); check the disk and the network"
    raise ModelError(f"hf:{repository}{f'@{revision}' if revision else ''}: {why}")
