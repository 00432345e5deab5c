"""Base URLs and credentials of an endpoint: an `Address` for each.

They come from options and from the `OPENAI_*` and `AZURE_OPENAI_*` variables, which mean what they mean to the `openai`
package. They are read here, so that what must not be shown is known before anything is sent. OPENAI_ORG_ID,
OPENAI_PROJECT_ID and OPENAI_CUSTOM_HEADERS go into headers, which the package sees to.
"""

from __future__ import annotations

import base64
import os
import re
from dataclasses import dataclass, field, replace
from urllib.parse import SplitResult, parse_qsl, quote, quote_plus, unquote, urlsplit

from alignsuite.errors import ModelError
from alignsuite.text.clean import tidy

ENGINE = "openai-compatible"
OPENAI_URL = "https://api.openai.com/v1"
"""As the `openai` package has it (a test compares), which takes half a second to import."""
_DEPLOYMENTS = "/openai/deployments/"
_KEYS = re.compile(r"\b(?:sk|hf|gsk|Bearer|Basic)[-_ ][\w*.=+/-]{6,}")


@dataclass(frozen=True)
class Address:
    """One base URL with its credentials. Its `repr` and its messages show only where it is, never how to be let in.

    A path with `/openai/deployments/NAME` is Azure's: there `key` goes as `api-key`, or as a bearer token if it `is_token`.
    """

    url: str
    key: str | None = field(default=None, repr=False)
    user_info: str = field(default="", repr=False)
    query: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    api_version: str = ""
    is_token: bool = False

    @classmethod
    def parse(cls, text: str, key: str | None) -> Address:
        """The address of a base URL, with user info and query split off.

        Raises:
            ModelError: if it is no http(s) URL, the key has characters that no HTTP header may carry, or Azure's API has
                no version.
        """
        try:
            parts = urlsplit(text.strip())
        except ValueError:  # brackets that hold no IPv6 address; the text may hold a password, so it isn't shown
            raise ModelError("the base URL has brackets in odd places: wanted http://[IPV6]:PORT/v1") from None
        user_info, _, host = parts.netloc.rpartition("@")
        if parts.scheme.lower() not in ("http", "https") or not host.split(":")[0] or not _can_be_called(parts):
            raise ModelError(
                f"base URL `{tidy(parts.scheme + '://' + host)}`: wanted http://HOST:PORT/v1 or https://HOST/v1"
            )
        url = f"{parts.scheme.lower()}://{host.lower()}{parts.path.rstrip('/')}"
        is_token = False
        if _DEPLOYMENTS in url:
            key, is_token = _azure_key(key)
        key = key.strip() if key else None
        if key and not (key.isascii() and key.isprintable()):
            raise ModelError(
                "the API key has characters that no HTTP header may carry; was it pasted with something else?"
            )
        address = cls(url, key or None, user_info, tuple(parse_qsl(parts.query, keep_blank_values=True)))
        return address._of_azure(is_token) if address.deployment else address

    def _of_azure(self, is_token: bool) -> Address:
        version = dict(self.query).get("api-version") or os.environ.get("OPENAI_API_VERSION", "")
        if not version:
            raise ModelError(
                f"base URL `{tidy(self.url)}` is a deployment at Azure, whose API has versions: add ?api-version=VERSION "
                "(such as 2024-10-21), or set OPENAI_API_VERSION"
            )
        query = tuple(pair for pair in self.query if pair[0] != "api-version")
        return replace(self, query=query, api_version=version, is_token=is_token)

    @property
    def deployment(self) -> str:
        """The name of the deployment at Azure, or nothing."""
        return self.url.partition(_DEPLOYMENTS)[2]

    @property
    def key_variable(self) -> str:
        """The environment variable in which this server's key is looked for."""
        return "AZURE_OPENAI_API_KEY" if self.deployment else "OPENAI_API_KEY"

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
        for line in os.environ.get("OPENAI_CUSTOM_HEADERS", "").split("\n"):  # a gateway's key may be among them
            value = line.partition(":")[2].strip()
            parts |= {part for part in (value, value.rpartition(" ")[2]) if len(part) >= 8}
        return {part for part in parts if len(part) >= 4}

    def basic_authorization(self) -> str:
        """User info as a header, so that it appears in no URL."""
        return f"Basic {self._basic()}"

    def _basic(self) -> str:
        return base64.b64encode(unquote(self.user_info).encode()).decode() if self.user_info else ""


def addresses_of(model: str, base_url: str | None, key: str | None) -> tuple[Address, ...]:
    """The addresses of one model: of the base URLs that are named, else of OPENAI_BASE_URL, of Azure, or of OpenAI.

    Azure it is, as for the package's own clients, if OPENAI_API_TYPE says so, or if AZURE_OPENAI_ENDPOINT stands there
    and no key for OpenAI.

    Raises:
        ModelError: as `Address.parse`, for any of them.
    """
    key = key or os.environ.get("OPENAI_API_KEY")
    text, endpoint = base_url or os.environ.get("OPENAI_BASE_URL"), os.environ.get("AZURE_OPENAI_ENDPOINT")
    kind = os.environ.get("OPENAI_API_TYPE") or ("azure" if endpoint and not key else "openai")
    if text or kind != "azure":
        return parse_addresses(text or OPENAI_URL, key)
    if not endpoint:
        raise ModelError(
            "OPENAI_API_TYPE is `azure` and no endpoint is named: set AZURE_OPENAI_ENDPOINT to https://RESOURCE.openai.azure.com"
        )
    return parse_addresses(f"{endpoint.rstrip('/')}{_DEPLOYMENTS}{quote(model, safe='')}", key)


def parse_addresses(text: str, key: str | None) -> tuple[Address, ...]:
    """The addresses of base URLs that are separated by commas; the same one twice counts once.

    Raises:
        ModelError: as `Address.parse`, for any of them.
    """
    found = (Address.parse(part, key) for part in text.split(","))
    return tuple({address.url: address for address in found}.values())


def _azure_key(key: str | None) -> tuple[str | None, bool]:
    """The key for Azure, and whether it is a token of Microsoft Entra.

    A key that was named for this model comes first.
    """
    if key and key != os.environ.get("OPENAI_API_KEY"):
        return key, False
    if token := os.environ.get("AZURE_OPENAI_AD_TOKEN"):
        return token, True
    return os.environ.get("AZURE_OPENAI_API_KEY") or key, False


def _can_be_called(parts: SplitResult) -> bool:
    """Whether host and port can be looked up and named in a header."""
    try:
        return bool((parts.hostname or "").encode("idna")) and parts.port != 0
    except ValueError:  # a label that is too long, or a port that is no number
        return False
