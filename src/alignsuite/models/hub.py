"""One GGUF file from the Hugging Face hub, through `huggingface_hub` and into its own cache.

The hub's own cache is used, not ours, so that gigabytes which other tools fetched are not fetched again. `HF_ENDPOINT` (read at each call),
`HF_HOME`, `HF_TOKEN` and `HF_HUB_OFFLINE` mean what they mean everywhere.
"""

from __future__ import annotations

import os
from pathlib import Path

from alignsuite.errors import ModelError

_WANTED = "gguf:ORG/NAME/FILE.gguf or gguf:ORG/NAME/FILE.gguf@REVISION"


def split_address(address: str) -> tuple[str, str, str | None]:
    """`ORG/NAME/FILE[@REV]` as (repository, file, revision); the file may lie in a folder.

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
    """The local path of `ORG/NAME/FILE[@REV]`, downloaded if the hub's cache lacks it; the hub's library draws its own bar.

    Raises:
        ModelError: the library is missing, or the hub refused, lacks the file, or can't be reached.
    """
    repository, file, revision = split_address(address)
    try:
        from huggingface_hub import hf_hub_download
        from huggingface_hub.errors import (
            EntryNotFoundError,
            GatedRepoError,
            HfHubHTTPError,
            HFValidationError,
            LocalEntryNotFoundError,
        )
    except ImportError:
        raise ModelError(
            "`gguf:` models need the hub's library: pip install huggingface_hub, or download the file and name its path"
        ) from None
    try:
        endpoint = os.environ.get("HF_ENDPOINT") or None
        return Path(hf_hub_download(repository, file, revision=revision, endpoint=endpoint))
    except GatedRepoError:
        why = "it is gated: accept its terms on the hub, then set HF_TOKEN or run `hf auth login`"
    except LocalEntryNotFoundError:
        why = "it is not in the cache and the hub can't be reached: check the network, HF_ENDPOINT and HF_HUB_OFFLINE"
    except EntryNotFoundError:
        why = f"the repository has no file `{file}`: look at its list of files"
    except HFValidationError as error:
        why = f"the name is not valid ({error})"
    except HfHubHTTPError as error:
        status = getattr(error.response, "status_code", "an error")
        why = f"the hub answered {status}: check the name{' and the revision' if revision else ''}; private ones need HF_TOKEN"
    except OSError as error:
        why = f"it could not be written or fetched ({error}); check the disk and the network"
    raise ModelError(f"gguf:{address}: {why}; wanted {_WANTED}")
