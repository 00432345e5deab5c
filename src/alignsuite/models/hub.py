"""Hugging Face hub download: the path of one file, of a model or a data set, in the hub library's own cache.

The hub's own cache is used, not ours, so that gigabytes which other tools fetched are not fetched again. `HF_ENDPOINT` (read at each call),
`HF_HOME`, `HF_TOKEN` and `HF_HUB_OFFLINE` mean what they mean everywhere.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from alignsuite.errors import ModelError

_WANTED = "gguf:ORG/NAME/FILE.gguf or gguf:ORG/NAME/FILE.gguf@REVISION"
_DATA_ADDRESS = re.compile(r"(?P<repository>[^/@]+/[^/@]+)/(?P<file>[^@]+)@(?P<revision>[0-9a-f]{40})\Z")
_WANTED_DATA = "ORG/NAME/FILE@REVISION, the revision a commit of 40 hexadecimal digits"


def split_address(address: str) -> tuple[str, str, str | None]:
    """Repository, file and revision of `ORG/NAME/FILE[@REV]`; the file may lie in a folder.

    Raises:
        ModelError: a part is missing, or the file is no `*.gguf`.

    >>> split_address("org/name/q4/tiny.gguf@v1")
    ('org/name', 'q4/tiny.gguf', 'v1')
    """
    place, _, revision = address.partition("@")
    parts = place.split("/")
    if len(parts) < 3 or not all(parts) or ".." in parts or not place.lower().endswith(".gguf"):
        raise ModelError(f"`gguf:{address}` names no file on the hub; wanted {_WANTED}")
    return "/".join(parts[:2]), "/".join(parts[2:]), revision or None


def fetch_gguf(address: str) -> Path:
    """Path of a model's GGUF file `ORG/NAME/FILE[@REV]`, downloaded if the hub's cache lacks it.

    The hub's library draws its own bar.

    Raises:
        ModelError: the hub refused, lacks the file, or can't be reached.
    """
    repository, file, revision = split_address(address)
    return _download(
        repository, file, revision, "model",
        shown=f"gguf:{address}",
        missing=f"the repository has no file `{file}`: look at its list of files",
        refused=f"check the name{' and the revision' if revision else ''}; private ones need HF_TOKEN",
        wanted=f"; wanted {_WANTED}",
    )  # fmt: skip


def fetch_file(address: str) -> Path:
    """Path of any file `ORG/NAME/FILE[@REV]` of a model's repository, downloaded if the hub's cache lacks it.

    Raises:
        ModelError: the address is none, or the hub refused, lacks the file, or can't be reached.
    """
    place, _, revision = address.partition("@")
    parts = place.split("/")
    if len(parts) < 3 or not all(parts) or ".." in parts:
        raise ModelError(f"`{address}` names no file on the hub; wanted ORG/NAME/FILE or ORG/NAME/FILE@REVISION")
    return _download(
        "/".join(parts[:2]), "/".join(parts[2:]), revision or None, "model",
        shown=address,
        missing="the repository has no such file: look at its list of files",
        refused="check the name; private ones need HF_TOKEN",
    )  # fmt: skip


def fetch_data_file(address: str) -> Path:
    """Path of a data set's file `ORG/NAME/FILE@REVISION`, downloaded if the hub's cache lacks it.

    A branch moves, so only a commit will do: what was read today can be read again.

    Raises:
        ModelError: the address is none, or the hub refused, lacks the file, or can't be reached.
    """
    parts = _DATA_ADDRESS.match(address)
    if parts is None or ".." in parts["file"].split("/"):
        raise ModelError(f"`{address}` names no file of a data set; wanted {_WANTED_DATA}")
    return _download(
        parts["repository"], parts["file"], parts["revision"], "dataset",
        shown=address,
        missing=f"the data set has no file `{parts['file']}` at that revision",
        refused="check name and revision; private ones need HF_TOKEN",
    )  # fmt: skip


def _download(
    repository: str,
    file: str,
    revision: str | None,
    kind: str,
    *,
    shown: str,
    missing: str,
    refused: str,
    wanted: str = "",
) -> Path:
    """Path of one file of the hub; what the library raises becomes a `ModelError` in the words of the caller."""
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import (
        EntryNotFoundError,
        GatedRepoError,
        HfHubHTTPError,
        HFValidationError,
        LocalEntryNotFoundError,
    )

    try:
        endpoint = os.environ.get("HF_ENDPOINT") or None
        return Path(hf_hub_download(repository, file, repo_type=kind, revision=revision, endpoint=endpoint))
    except GatedRepoError:
        why = "it is gated: accept its terms on the hub, then set HF_TOKEN or run `hf auth login`"
    except LocalEntryNotFoundError:
        why = "it is not in the cache and the hub can't be reached: check the network, HF_ENDPOINT and HF_HUB_OFFLINE"
    except EntryNotFoundError:
        why = missing
    except HFValidationError as error:
        why = f"the name is not valid ({error})"
    except HfHubHTTPError as error:
        why = f"the hub answered {getattr(error.response, 'status_code', 'an error')}: {refused}"
    except OSError as error:
        why = f"it could not be written or fetched ({error}); check the disk and the network"
    raise ModelError(f"{shown}: {why}{wanted}")
