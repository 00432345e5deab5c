"""A toy questionnaire that belongs to nobody, published nowhere, with packages that hold its wording."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from alignsuite.questionnaires import catalogue
from alignsuite.questionnaires.fingerprints import digest, fingerprint

TEXTS = ("I water my ferns.", "I forget my ferns.", "My ferns know me by name.", "Ferns are only plants.")
TRANSLATED = ("Ma fougère boit.", "Ma fougère attend.", "Ma fougère m'appelle.", "Une fougère est une plante.")
CODE = f"open('executed', 'w').close()\nraise SystemExit('executed')\nITEMS = {dict(enumerate(TEXTS, start=1))!r}\n"


@dataclass
class Toy:
    """The questionnaire `ferns`, its data file, and what a package index would hold."""

    data: Path
    index: Path
    wheel: Path
    pack: Path


def wheel(folder: Path, code: str = CODE) -> Path:
    """A wheel that pip accepts, with one module that must not be run."""
    path = folder / "fern_words-1.0-py3-none-any.whl"
    info = "fern_words-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("fern_words/core.py", code)
        archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: fern-words\nVersion: 1.0\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    return path


def pack(folder: Path) -> Path:
    """An npm package with the translation and its labels; a label that is commented out is none."""
    path = folder / "ferns-1.0.0.tgz"
    labels = ["jamais", "peu", "ni l\\'un ni l\\'autre", "souvent", "toujours"]
    entries = "\n".join(
        f"  {{\n // text: 'old',\n text: '{label}',\n score: {n}\n }}," for n, label in enumerate(labels, 1)
    )
    files = {
        "package/data/fr/questions.json": json.dumps([{"text": text, "keyed": "plus"} for text in TRANSLATED]),
        "package/data/fr/choices.js": f"module.exports = {{\n plus: [\n{entries}\n ], minus: [\n{entries}\n ]\n}}\n",
    }
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content.encode())
            archive.addfile(member, io.BytesIO(content.encode()))
    return path


def _sha(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Toy:
    """The only instrument that is known; pip finds packages in a folder and nowhere else."""
    data, index = tmp_path / "data", tmp_path / "index"
    data.mkdir()
    index.mkdir()
    made = Toy(data, index, wheel(index), pack(index))
    (data / "ferns.yaml").write_text(
        f"""
name: ferns
also: ["fern scale"]
title: "The Fern Scale"
credit: "Nobody 2020, On ferns"
terms: "for gardeners"
language: en
form: sentence
scoring: sum
anchors: ["never", "seldom", "neither", "often", "always"]
key:
  care: {{duty: "1 2R", love: "3 4R"}}
norms:
  - {{group: young, population: "young people", source: "made up", traits: {{care: [12.0, 2.0]}}, facets: {{duty: [6.0, 1.0]}}}}
  - {{group: old, population: "old people", source: "made up", n: 50, traits: {{care: [10.0, 4.0]}}}}
packages:
  - index: pypi
    name: fern-words
    version: "1.0"
    licence: MIT
    sha256: "{_sha(made.wheel)}"
    member: fern_words/core.py
    variable: ITEMS
  - index: npm
    name: ferns
    version: "1.0.0"
    licence: MIT
    sha256: "{_sha(made.pack)}"
    member: "package/data/{{language}}/questions.json"
    anchors: "package/data/{{language}}/choices.js"
translations: {{"fr": "{digest(TRANSLATED)}"}}
fingerprints: "{" ".join(map(fingerprint, TEXTS))}"
""",
        encoding="utf-8",
    )
    monkeypatch.setattr(catalogue, "DATA", data)
    for name, value in {"NO_INDEX": "1", "FIND_LINKS": str(index), "CONFIG_FILE": "/dev/null"}.items():
        monkeypatch.setenv(f"PIP_{name}", value)
    return made
