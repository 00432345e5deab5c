"""One file of a data set on the Hugging Face hub, at a revision that is named, through `huggingface_hub` and its own cache.

A branch moves, so only a commit will do: what was read today can be read again.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from alignsuite.errors import ModelError

_ADDRESS = re.compile(r"(?P<repository>[^/@]+/[^/@]+)/(?P<file>[^@]+)@(?P<revision>[0-9a-f]{40})\Z")
_WANTED = "ORG/NAME/FILE@REVISION, the revision a commit of 40 hexadecimal digits"


def fetch_data_file(address: str) -> Path:
    """The local path of `ORG/NAME/FILE@REVISION` of a data set, downloaded if the hub's cache lacks it.

    `HF_ENDPOINT`, `HF_HOME`, `HF_TOKEN` and `HF_HUB_OFFLINE` mean what they mean everywhere.

    Raises:
        ModelError: the address is none, or the hub refused, lacks the file, or can't be reached.
    """
    parts = _ADDRESS.match(address)
    if parts is None or ".." in parts["file"].split("/"):
        raise ModelError(f"`{address}` names no file of a data set; wanted {_WANTED}")
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import EntryNotFoundError, HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    try:
        endpoint = os.environ.get("HF_ENDPOINT") or None
        repository, file, revision = parts["repository"], parts["file"], parts["revision"]
        return Path(hf_hub_download(repository, file, repo_type="dataset", revision=revision, endpoint=endpoint))
    except LocalEntryNotFoundError:
        why = "it is not in the cache and the hub can't be reached: check the network, HF_ENDPOINT and HF_HUB_OFFLINE"
    except EntryNotFoundError:
        why = f"the data set has no file `{parts['file']}` at that revision"
    except HFValidationError as error:
        why = f"the name is not valid ({error})"
    except HfHubHTTPError as error:
        status = getattr(error.response, "status_code", "an error")
        why = f"the hub answered {status}: check name and revision; gated and private ones need HF_TOKEN"
    except OSError as error:
        why = f"it could not be written or fetched ({error}); check the disk and the network"
    raise ModelError(f"{address}: {why}")
