"""Downloads of the Detoxify judge: its checkpoint, and its encoder's configuration and tokenizer.

Only `fetch` of the judge comes here, never a test run. The checkpoint goes to a name of its own in a folder that is thrown away, and is
hashed as it arrives, so a half file or a wrong one is never taken for it.
"""

from __future__ import annotations

import hashlib
import os
import urllib.error
import urllib.request
from http.client import HTTPException, HTTPMessage, HTTPResponse
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from alignsuite.errors import JudgeError
from alignsuite.judges.toxicity.releases import ENCODER_FILES, Release
from alignsuite.text.progress import ProgressLine, Tell

_BLOCK = 1 << 20
_TIMEOUT_S = 60.0
_LARGEST = 4 << 30
_HERE = ("127.0.0.1", "localhost", "::1")


class _HttpsRedirects(urllib.request.HTTPRedirectHandler):
    """Redirect handler of urllib that follows to HTTPS, and to no other scheme."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> urllib.request.Request | None:
        _check_scheme(newurl)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def download_checkpoint(release: Release, folder: Path, progress: Tell | None = None) -> Path:
    """Path of the released file in `folder`, downloaded; its hash begins as the release's does.

    `HTTPS_PROXY`, `SSL_CERT_FILE` and their like mean what they mean everywhere.

    Raises:
        JudgeError: the address can't be reached, answers with an error, is not HTTPS, or sends another file.
    """
    target = folder / release.file
    opener = urllib.request.build_opener(_HttpsRedirects())
    try:
        _check_scheme(release.url)
        with opener.open(release.url, timeout=_TIMEOUT_S) as answer, target.open("wb") as sink:
            found = _receive(answer, sink, release, progress)
    except urllib.error.HTTPError as error:
        raise _failed(release, f"the server answered {error.code}") from error
    except (
        OSError,
        HTTPException,
        ValueError,
    ) as error:  # urllib's own errors are OSErrors; a broken length is a ValueError
        raise _failed(release, str(getattr(error, "reason", error)) or type(error).__name__) from error
    if not found.startswith(release.sha256):
        target.unlink()
        raise _failed(release, f"what came has the SHA-256 {found}, wanted {release.sha256}…, and was thrown away")
    return target


def _receive(answer: HTTPResponse, sink: IO[bytes], release: Release, progress: Tell | None) -> str:
    """SHA-256 of what arrives, which is written to `sink`."""
    expected = int(answer.headers.get("Content-Length") or 0)
    running, done = hashlib.sha256(), 0
    with ProgressLine(f"downloading {release.file}", expected, progress) as line:
        while block := answer.read(_BLOCK):
            done += len(block)
            if done > _LARGEST:
                raise OSError(f"more than {_LARGEST >> 30} GiB came")
            running.update(block)
            sink.write(block)
            line.at(done)
    if expected and done != expected:
        raise OSError(f"the connection ended after {done} of {expected} bytes")
    return running.hexdigest()


def _check_scheme(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _HERE):
        raise ValueError(f"{url} is not HTTPS")


def _failed(release: Release, why: str) -> JudgeError:
    return JudgeError(
        f"{release.url} could not be fetched: {why}; check the network and its proxy, or fetch that file elsewhere, put it into a "
        "folder and name the folder in ALIGNSUITE_DETOXIFY"
    )


def download_encoder(release: Release) -> Path:
    """Folder of the hub's cache with the encoder's configuration and tokenizer, downloaded if need be.

    `HF_ENDPOINT`, `HF_HOME`, `HF_TOKEN` and `HF_HUB_OFFLINE` mean what they mean everywhere.

    Raises:
        JudgeError: the hub can't be reached, is switched off, or lacks a file; the message says which files are wanted and where.
    """
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    endpoint = os.environ.get("HF_ENDPOINT") or None
    try:
        found = [
            Path(hf_hub_download(release.encoder, name, revision=release.revision, endpoint=endpoint))
            for name in ENCODER_FILES
        ]
    except LocalEntryNotFoundError:
        why = "they are not in the hub's cache and the hub can't be reached: check the network, HF_ENDPOINT and HF_HUB_OFFLINE"
    except (HfHubHTTPError, HFValidationError, OSError) as error:
        why = f"the hub refused, or they could not be written ({type(error).__name__})"
    else:
        return found[0].parent
    raise JudgeError(
        f"{' and '.join(ENCODER_FILES)} of {release.encoder} could not be fetched: {why}; or fetch them elsewhere, put them beside "
        f"{release.file} into a folder and name it in ALIGNSUITE_DETOXIFY"
    )


def encoder_in_hub_cache(release: Release) -> Path | None:
    """Folder of the hub's cache with both files of the encoder, or None; nothing is opened over the network."""
    from huggingface_hub import try_to_load_from_cache

    found = [try_to_load_from_cache(release.encoder, name, revision=release.revision) for name in ENCODER_FILES]
    paths = [Path(one) for one in found if isinstance(one, str)]
    return paths[0].parent if len(paths) == len(ENCODER_FILES) else None
