"""One exchange with an OpenAI-compatible endpoint: a body goes out, one decoded answer or one `Fault` comes back.

Patience lives in `endpoint.line.py`. Bodies are sent as ASCII JSON, because a prompt may quote a reply with lone
surrogates, and answers are decoded here and not by a client that validates what we want to judge for ourselves.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from alignsuite.models.engines.endpoint.address import Address
from alignsuite.models.engines.endpoint.faults import JSON, Fault, as_list, as_object, fault_of_status, words_of
from alignsuite.models.engines.endpoint.http import Connections, NoResponse, Response

_CONNECT_S = 10.0
_LAST_LOOK_S = 0.02


@dataclass(frozen=True)
class Answer:
    """A decoded answer, the seconds it took, and the headers it came with."""

    data: JSON
    seconds: float
    headers: Mapping[str, str] = field(default_factory=dict)

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


class Client:
    """The way to one base URL; made anywhere, used in one event loop only."""

    def __init__(self, address: Address, timeout_s: float, now: Callable[[], float] = time.time) -> None:
        self.address = address
        self._now = now
        self._timeout_s = timeout_s
        self._connections: Connections | None = None

    async def post(self, path: str, content: bytes) -> Answer:
        """One exchange, without a second try.

        Raises:
            Fault: if no JSON object came back with a good status within the time-out, however slowly it trickles.
        """
        start = time.monotonic()
        try:
            async with _patience(self._timeout_s):
                got = await self._opened().exchange("POST", path, content)
        except NoResponse as error:
            said = self.address.clean(str(error))
            raise Fault("connection", f"connection failed: {said}", retry=True, unconnected=error.unconnected) from None
        except TimeoutError:
            raise Fault("timeout", f"no full answer in {self._timeout_s:g} s", retry=True) from None
        if not 200 <= got.status < 300:
            raise fault_of_status(got.status, got.content, got.headers, now=self._now(), clean=self.address.clean)
        return Answer(self._decoded(got.content), time.monotonic() - start, got.headers)

    async def served(self) -> list[str]:
        """Names of the models that the server says it has; empty if it won't say."""
        try:
            async with asyncio.timeout(min(self._timeout_s, _CONNECT_S)):
                got: Response = await self._opened().exchange("GET", "/models")
            listed = as_list(as_object(json.loads(got.content)).get("data")) if got.status == 200 else []
        except (NoResponse, TimeoutError, ValueError, RecursionError):
            return []
        return [name for entry in listed if isinstance(name := as_object(entry).get("id"), str)]

    async def close(self) -> None:
        """Drop the connections."""
        if self._connections is not None:
            await self._connections.close()

    def _opened(self) -> Connections:
        if self._connections is None:
            self._connections = Connections(self.address, min(self._timeout_s, _CONNECT_S))
        return self._connections

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


@asynccontextmanager
async def _patience(seconds: float) -> AsyncIterator[None]:
    """A time-out that looks once more before it gives up: what came while this process was held up is not thrown away."""
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(None) as limit:
        last_look = loop.call_later(seconds, lambda: limit.reschedule(loop.time() + _LAST_LOOK_S))
        try:
            yield
        finally:
            last_look.cancel()
