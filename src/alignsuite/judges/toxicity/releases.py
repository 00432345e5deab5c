"""Releases of Detoxify: for each of the five checkpoints its address, hash, architecture and encoder.

A released file carries the first eight digits of its SHA-256 in its name. For `original` all 64 are known from a public record of
somebody who hashed it; for the others a user who has them can pin them. Sizes, classes and learning data: `docs/reference/toxicity.md`.
The encoders' configurations and tokenizers come from the hub at a commit: a branch moves.
"""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass

from alignsuite.errors import SettingsError, did_you_mean

ENCODER_FILES = ("config.json", "tokenizer.json")
"""What is taken from the encoder's repository."""

_SHA256 = re.compile(r"[0-9a-f]{64}\Z")
_HEAD = "ForSequenceClassification"
_ROOT = "https://github.com/unitaryai/detoxify/releases/download"


@dataclass(frozen=True, slots=True)
class Release:
    """Released checkpoint of Detoxify: where it lies, how a right file is known, and what belongs to it.

    `sha256` is its hash as far as it is known: eight digits or more. `architecture` is the class of Transformers that it fills, `encoder`
    the repository on the hub with `config.json` and `tokenizer.json` of the model that it was tuned from, `revision` the commit there.
    """

    variant: str
    url: str
    sha256: str
    architecture: str
    encoder: str
    revision: str

    @property
    def file(self) -> str:
        """File name, as it was released."""
        return self.url.rpartition("/")[2]

    @property
    def tokenizer(self) -> str:
        """Tokenizer class of Transformers. The file names it, too, but no file may say which class is called."""
        return f"{self.architecture.removesuffix(_HEAD)}Tokenizer"

    @property
    def short(self) -> str:
        """First eight digits of the hash, which stand in the judge's version."""
        return self.sha256[:8]


def _release(variant: str, file: str, sha256: str, kind: str, encoder: str, revision: str) -> Release:
    return Release(variant, f"{_ROOT}/{file}", sha256, f"{kind}{_HEAD}", encoder, revision)


_BERT = ("Bert", "google-bert/bert-base-uncased", "86b5e0934494bd15c9632b12f734a8a67f723594")
_ROBERTA = ("Roberta", "FacebookAI/roberta-base", "e2da8e2f811d1448a5b465c236feacd80ffbac7b")
_XLM = ("XLMRoberta", "FacebookAI/xlm-roberta-base", "e73636d4f797dec63c3081bb6ed5c7b0bb3f2089")
_ALBERT = ("Albert", "albert/albert-base-v2", "8e2f239c5f8a2c0f253781ca60135db913e5c80c")
_ORIGINAL = "c1212f89ac23307ab33932ce29dc446a6e030fb3f384a500890bbe662b7b544a"

RELEASES = {
    one.variant: one
    for one in (
        _release("original", "v0.1-alpha/toxic_original-c1212f89.ckpt", _ORIGINAL, *_BERT),
        _release("unbiased", "v0.3-alpha/toxic_debiased-c7548aa0.ckpt", "c7548aa0", *_ROBERTA),
        _release("multilingual", "v0.4-alpha/multilingual_debiased-0b549669.ckpt", "0b549669", *_XLM),
        _release("original-small", "v0.1.2/original-albert-0e1d6498.ckpt", "0e1d6498", *_ALBERT),
        _release("unbiased-small", "v0.1.2/unbiased-albert-c8519128.ckpt", "c8519128", *_ALBERT),
    )
}


def release_named(name: str) -> Release:
    """`Release` of that name; `VARIANT@SHA256` pins the whole hash of its file.

    Raises:
        SettingsError: there is none, with the nearest right name; or the pin is no hash.
    """
    variant, at, pin = name.partition("@")
    if variant not in RELEASES:
        raise SettingsError(f"Detoxify has no checkpoint `{variant}`; {did_you_mean(variant, RELEASES)}")
    if not at:
        return RELEASES[variant]
    if not _SHA256.match(pin):
        raise SettingsError(
            f"`{name[:90]}`: a pinned SHA-256 has 64 digits of 0-9 and a-f; found {len(pin)} characters"
        )
    return dataclasses.replace(RELEASES[variant], sha256=pin)
