"""The wire to an OpenAI-compatible endpoint: an address that keeps its secrets, and one exchange at a time over it.

One POST, one decoded answer or one `Fault`; patience lives in `endpoint_line.py`. Bodies are sent as ASCII JSON,
because a prompt may quote a reply with lone surrogates, and answers are decoded here and not by the client, because it
validates what we want to judge for ourselves. The `openai` package is imported on first use.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import logging
import os
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote, urlsplit

from alignsuite.errors import ModelError
from alignsuite.models.endpoint_faults import JSON, Fault, as_list, as_object, fault_of_status, tidy, words_of

if TYPE_CHECKING:
    import openai

ENGINE = "openai-compatible"
_CONNECT_S = 10.0
_HTTP_LOGS = ("httpx", "httpx2")  # which of them, depends on the version of `openai`
_KEYS = re.compile(r"\b(?:sk|hf|gsk|Bearer|Basic)[-_ ][\w*.=+/-]{6,}")


@dataclass(frozen=True)
class Address:
    """Where an endpoint is and how to be let in. Its `repr` and its messages show only where."""

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
        parts = urlsplit(text.strip())
        user_info, _, place = parts.netloc.rpartition("@")
        if parts.scheme.lower() not in ("http", "https") or not place.split(":")[0]:
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

    def fingerprint(self, model: str, form: str) -> str:
        """32 hex characters for everything known that can change an answer: secrets don't count."""
        return hashlib.sha256(json.dumps([ENGINE, self.url, model, form]).encode()).hexdigest()[:32]

    def clean(self, text: str) -> str:
        """The server's words fit to be shown: tidy, and without anything that is a key of ours or looks like one."""
        for secret in sorted(self.secrets(), key=len, reverse=True):
            text = text.replace(secret, "***")
        return tidy(_KEYS.sub("***", text))

    def secrets(self) -> set[str]:
        """What must not be shown, in every spelling in which it travels."""
        name, _, password = self.user_info.partition(":")
        parts = {self.key or "", self.user_info, password, unquote(password), self._basic()}
        parts |= {value for _, value in self.query} | ({name} if not password else set())
        return {part for part in parts if len(part) >= 4}

    def headers(self) -> dict[str, str]:
        """What goes beside the key: user info as Basic authorization, so that it appears in no URL that is logged."""
        return {"Authorization": f"Basic {self._basic()}"} if self.user_info else {}

    def _basic(self) -> str:
        return base64.b64encode(unquote(self.user_info).encode()).decode() if self.user_info else ""


@dataclass(frozen=True)
class Answer:
    """A decoded answer and the seconds it took."""

    data: JSON
    seconds: float

    def choice(self) -> JSON:
        """The first choice.

        Raises:
            Fault: if there is none; it may be tried again.
        """
        choice = next(iter(as_list(self.data.get("choices"))), None)
        if not isinstance(choice, dict):
            raise Fault("bad_answer", "the answer holds no choices", retry=True)
        return choice

    def tokens(self, name: str) -> int:
        """A count from `usage`, 0 where the server gives none."""
        count = as_object(self.data.get("usage")).get(name)
        return count if isinstance(count, int) and count > 0 else 0


class Wire:
    """One client; made and used in one event loop only."""

    def __init__(self, address: Address, timeout_s: float, now: Callable[[], float] = time.time) -> None:
        self.address = address
        self._now = now
        self._timeout_s = timeout_s
        self._client: openai.AsyncOpenAI | None = None
        self._hush = _Hush(address)

    async def post(self, path: str, body: JSON) -> Answer:
        """One exchange, without a second try.

        Raises:
            Fault: if no JSON object came back with a good status within the time-out, however slowly it trickles.
        """
        import openai

        client, start = self._opened(), time.monotonic()
        try:
            async with asyncio.timeout(self._timeout_s):
                got = await client.post(
                    path,
                    cast_to=openai.HttpxBinaryResponseContent,
                    content=json.dumps(body).encode("ascii"),
                    options={"headers": {"Content-Type": "application/json"}},
                )
        except openai.APIStatusError as error:
            response = error.response
            raise fault_of_status(
                error.status_code, response.content, response.headers, now=self._now(), clean=self.address.clean
            ) from None
        except openai.APIConnectionError as error:
            raise self._unanswered(error) from None
        except TimeoutError:
            raise Fault("timeout", f"no full answer in {self._timeout_s:g} s", retry=True) from None
        return Answer(self._decoded(got.content), time.monotonic() - start)

    async def served(self) -> list[str]:
        """Names of the models that the server says it has; empty if it won't say."""
        import openai

        try:
            async with asyncio.timeout(min(self._timeout_s, _CONNECT_S)):
                got = await self._opened().get("/models", cast_to=openai.HttpxBinaryResponseContent)
            listed = as_list(as_object(json.loads(got.content)).get("data"))
        except (openai.APIError, TimeoutError, ValueError, RecursionError):
            return []
        return [name for entry in listed if isinstance(name := as_object(entry).get("id"), str)]

    async def close(self) -> None:
        """Drop the connections."""
        for name in _HTTP_LOGS:
            logging.getLogger(name).removeFilter(self._hush)
        if self._client is not None:
            await self._client.close()

    def _opened(self) -> openai.AsyncOpenAI:
        if self._client is None:
            import openai

            self._client = openai.AsyncOpenAI(
                base_url=self.address.url,
                api_key=self.address.key or "none",
                max_retries=0,
                timeout=openai.Timeout(self._timeout_s, connect=min(self._timeout_s, _CONNECT_S)),
                default_headers=self.address.headers(),
                default_query=dict(self.address.query),
            )
            if self.address.query:
                for name in _HTTP_LOGS:
                    logging.getLogger(name).addFilter(self._hush)
        return self._client

    def _decoded(self, content: bytes) -> JSON:
        try:
            data = json.loads(content)
        except (ValueError, RecursionError):
            start = self.address.clean(content[:200].decode("utf-8", "replace"))
            raise Fault("bad_answer", f"the answer is no JSON: `{start}`", retry=True) from None
        if not isinstance(data, dict):
            raise Fault("bad_answer", f"the answer is no JSON object but a {type(data).__name__}", retry=True)
        if "choices" not in data and data.get("error"):
            raise Fault("bad_answer", f"an error under status 200: {self.address.clean(words_of(data))}", retry=True)
        return data

    def _unanswered(self, error: openai.APIConnectionError) -> Fault:
        """Nobody there, hung up, or too slow; the client's exception says which only in its chain of causes."""
        import openai

        cause = type(error.__cause__).__name__
        unconnected = cause in ("ConnectError", "ConnectTimeout")
        if isinstance(error, openai.APITimeoutError) and not unconnected:
            return Fault("timeout", f"no answer in {self._timeout_s:g} s", retry=True)
        said = self.address.clean(_deepest(error)) or cause
        return Fault("connection", f"connection failed: {said}", retry=True, unconnected=unconnected)


def _deepest(error: BaseException) -> str:
    """What the operating system said, under the layers that say only “connection error”."""
    said = ""
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        plain = isinstance(link, OSError) and type(link).__module__ == "builtins" and link.errno
        said = (os.strerror(plain) if plain else str(link)) or said
        link = link.__cause__ or link.__context__
    return said


class _Hush(logging.Filter):
    """Keeps a base URL's query, which may hold a key, out of the HTTP client's log of requests."""

    def __init__(self, address: Address) -> None:
        super().__init__()
        self._address = address

    def filter(self, record: logging.LogRecord) -> bool:
        said = record.getMessage()
        if any(secret in said for secret in self._address.secrets()):
            record.msg, record.args = self._address.clean(said), None
        return True
