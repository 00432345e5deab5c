"""Where an endpoint is and how to be let in: base URLs that keep their secrets, one or several for one model."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import SplitResult, parse_qsl, quote, quote_plus, unquote, urlsplit

from alignsuite.errors import ModelError
from alignsuite.models.engines.endpoint.faults import tidy

ENGINE = "openai-compatible"
_KEYS = re.compile(r"\b(?:sk|hf|gsk|Bearer|Basic)[-_ ][\w*.=+/-]{6,}")


@dataclass(frozen=True)
class Address:
    """One base URL. Its `repr` and its messages show only where it is, never how to be let in."""

    url: str
    key: str | None = field(default=None, repr=False)
    user_info: str = field(default="", repr=False)
    query: tuple[tuple[str, str], ...] = field(default=(), repr=False)

    @classmethod
    def parse(cls, text: str, key: str | None) -> Address:
        """Split user info and query off a base URL.

        Raises:
            ModelError: if it is no http(s) URL, or the key has characters that no HTTP header may carry.
        """
        try:
            parts = urlsplit(text.strip())
        except ValueError:  # brackets that hold no IPv6 address; the text may hold a password, so it isn't shown
            raise ModelError("the base URL has brackets in odd places: wanted http://[IPV6]:PORT/v1") from None
        user_info, _, place = parts.netloc.rpartition("@")
        if parts.scheme.lower() not in ("http", "https") or not place.split(":")[0] or not _can_be_called(parts):
            raise ModelError(
                f"base URL `{tidy(parts.scheme + '://' + place)}`: wanted http://HOST:PORT/v1 or https://HOST/v1"
            )
        key = key.strip() if key else None
        if key and not (key.isascii() and key.isprintable()):
            raise ModelError(
                "the API key has characters that no HTTP header may carry; was it pasted with something else?"
            )
        url = f"{parts.scheme.lower()}://{place.lower()}{parts.path.rstrip('/')}"
        return cls(url, key or None, user_info, tuple(parse_qsl(parts.query, keep_blank_values=True)))

    def clean(self, text: str) -> str:
        """The server's words fit to be shown: tidy, and without anything that is a key of ours or looks like one."""
        for secret in sorted(self.secrets(), key=len, reverse=True):
            text = text.replace(secret, "***")
        return tidy(_KEYS.sub("***", text))

    def secrets(self) -> set[str]:
        """What must not be shown, in every spelling in which it travels."""
        name, _, password = self.user_info.partition(":")
        parts = {self.key or "", self.user_info, password, unquote(password), self._basic()}
        parts |= {spell(value) for _, value in self.query for spell in (str, quote, quote_plus)}
        parts |= {name} if not password else set()
        return {part for part in parts if len(part) >= 4}

    def authorization(self) -> str:
        """The header that lets us in: user info goes as Basic authorization, so that it appears in no URL."""
        return f"Basic {self._basic()}" if self.user_info else f"Bearer {self.key or 'none'}"

    def _basic(self) -> str:
        return base64.b64encode(unquote(self.user_info).encode()).decode() if self.user_info else ""


def parse_addresses(text: str, key: str | None) -> tuple[Address, ...]:
    """The base URLs of one model, separated by commas; the same one twice counts once.

    Raises:
        ModelError: as `Address.parse`, for any of them.
    """
    found = (Address.parse(part, key) for part in text.split(","))
    return tuple({address.url: address for address in found}.values())


def fingerprint(addresses: Sequence[Address], model: str, form: str) -> str:
    """32 hex characters for everything known that can change an answer: secrets and the order of URLs don't count."""
    urls = sorted(address.url for address in addresses)
    place: object = urls if len(urls) > 1 else urls[0]
    return hashlib.sha256(json.dumps([ENGINE, place, model, form]).encode()).hexdigest()[:32]


def _can_be_called(parts: SplitResult) -> bool:
    """Whether host and port can be looked up and named in a header."""
    try:
        return bool((parts.hostname or "").encode("idna")) and parts.port != 0
    except ValueError:  # a label that is too long, or a port that is no number
        return False
