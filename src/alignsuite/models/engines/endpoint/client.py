"""OpenAI API client: one request to one base URL becomes an `Answer` with decoded JSON, or a `Fault`.

`openai` makes the request: paths, keys, organisations and projects, Azure, `OPENAI_CUSTOM_HEADERS`. `aiohttp` carries it, through the
transport below and not through the one in `openai`, which keeps cookies, logs a URL's query, and takes a connection that
breaks for a time-out (docs/decisions/0024). No redirects, no cookies, no second tries: those would send the key, or a
request, where nobody meant them to go. Retries are `endpoint.retry`'s.

Bodies are sent as ASCII JSON, because a prompt may quote a reply with lone surrogates, and answers are decoded here and
not by a client that validates what we want to judge for ourselves. `openai` takes half a second to import, so the first request does.
"""

from __future__ import annotations

import asyncio
import io
import json
import os
import ssl
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from alignsuite.errors import ModelError
from alignsuite.models.engines.endpoint.address import Address
from alignsuite.models.engines.endpoint.faults import (
    JSON,
    Fault,
    as_list,
    as_object,
    error_inside,
    fault_inside,
    fault_of_status,
)
from alignsuite.models.engines.endpoint.stream import is_stream, put_together
from alignsuite.text.clean import tidy

if TYPE_CHECKING:
    import aiohttp
    import httpx2
    import openai

_CONNECT_S = 10.0
_LAST_LOOK_S = 0.02
_LARGE = 1 << 20  # aiohttp wants a larger body as a file, which it sends in pieces


@dataclass(frozen=True)
class Answer:
    """A decoded response: the JSON object, the seconds it took, and the headers it came with."""

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
    """Client of one base URL; made anywhere, used in one event loop only."""

    def __init__(self, address: Address, timeout_s: float, now: Callable[[], float] = time.time) -> None:
        self.address = address
        self._now = now
        self._timeout_s = timeout_s
        self._connect_s = min(timeout_s, _CONNECT_S)
        self._openai: openai.AsyncOpenAI | None = None

    async def post(self, path: str, content: bytes) -> Answer:
        """The answer to one POST, without a second try.

        Raises:
            Fault: if no JSON object came back with a good status within the time-out, however slowly it trickles.
            ModelError: if the environment names a proxy of a kind that can't be used.
        """
        client = self._opened()
        start = time.monotonic()
        got = await self._exchange(client, path, content)
        if not got.is_success:
            raise fault_of_status(got.status_code, got.content, got.headers, now=self._now(), clean=self.address.clean)
        data = self._decoded(got.content, got.headers.get("content-type", ""))
        return Answer(data, time.monotonic() - start, got.headers)

    async def served(self) -> list[str]:
        """Names of the models that the server says it has; empty if it won't say."""
        try:
            async with asyncio.timeout(self._connect_s):
                got = await self._exchange(self._opened(), "/models")
            listed = as_list(as_object(json.loads(got.content)).get("data")) if got.status_code == 200 else []
        except (Fault, TimeoutError, ValueError, RecursionError):
            return []
        return [name for entry in listed if isinstance(name := as_object(entry).get("id"), str)]

    async def close(self) -> None:
        """Drop the connections."""
        if self._openai is not None:
            await self._openai.close()

    async def _exchange(self, client: openai.AsyncOpenAI, path: str, content: bytes | None = None) -> httpx2.Response:
        """The response to a POST of content, or to a GET without any, whatever its status.

        Raises:
            Fault: if it is late, nobody is there, the connection breaks, or what comes is no HTTP.
        """
        import aiohttp
        import httpx2
        import openai

        try:
            if content is None:
                return await client.get(path, cast_to=httpx2.Response)
            return await client.post(path, cast_to=httpx2.Response, content=content)
        except openai.APIStatusError as error:
            return error.response
        except openai.APIConnectionError as error:
            cause: BaseException = error.__cause__ or error
        except aiohttp.ClientError as error:  # before TimeoutError: some are both
            cause = error
        except TimeoutError:
            raise Fault("timeout", f"no full answer in {self._timeout_s:g} s", retry=True) from None
        except OSError as error:
            cause = error
        nobody = (
            aiohttp.ClientConnectorError,
            aiohttp.ClientHttpProxyError,
            aiohttp.ConnectionTimeoutError,
            aiohttp.InvalidURL,
        )
        late = isinstance(cause, aiohttp.ConnectionTimeoutError)
        said = f"no connection in {self._connect_s:g} s" if late else self.address.clean(_cause(cause))
        raise Fault("connection", f"connection failed: {said}", retry=True, unconnected=isinstance(cause, nobody))

    def _opened(self) -> openai.AsyncOpenAI:
        """The client of `openai`, made once.

        Raises:
            Fault: if the URL is one that nobody can be called by.
            ModelError: if the environment names a proxy or certificates that can't be used.
        """
        import httpx2

        if self._openai is None:
            try:
                httpx2.URL(self.address.url)
            except httpx2.InvalidURL as error:
                said = self.address.clean(str(error))
                raise Fault("connection", f"connection failed: {said}", retry=True, unconnected=True) from None
            self._openai = self._open()
        return self._openai

    def _open(self) -> openai.AsyncOpenAI:
        import aiohttp
        import httpx2
        import openai

        address, proxy = self.address, proxy_of(self.address.url)
        session = aiohttp.ClientSession(
            # the concurrency limit bounds what is under way; a second bound could only make tries wait that it let through
            connector=aiohttp.TCPConnector(limit=0, ssl=_trusted(address.url)),
            timeout=aiohttp.ClientTimeout(total=None, connect=self._connect_s),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,  # httpx2 does
        )
        no_cookies = CookieJar(DefaultCookiePolicy(allowed_domains=()))
        http = httpx2.AsyncClient(
            transport=_transport(session, address.query, proxy, self._timeout_s), cookies=no_cookies
        )
        headers = {"Accept-Encoding": "identity"}  # replies are small
        if address.user_info:
            headers["Authorization"] = address.basic_authorization()
        key = address.key or "none"
        if not address.deployment:
            return openai.AsyncOpenAI(
                base_url=address.url,
                api_key=key,
                max_retries=0,
                timeout=None,
                http_client=http,
                default_headers=headers,
            )
        return openai.AsyncAzureOpenAI(
            azure_endpoint=address.url.partition("/openai/deployments/")[0],
            azure_deployment=address.deployment,
            api_version=address.api_version,
            api_key=None if address.is_token else key,
            azure_ad_token=key if address.is_token else None,
            max_retries=0,
            timeout=None,
            http_client=http,
            default_headers=headers,
        )

    def _decoded(self, content: bytes, content_type: str) -> JSON:
        if is_stream(content_type, content):
            data: object = put_together(content)
        else:
            try:
                data = json.loads(content)
            except (ValueError, RecursionError):
                start = self.address.clean(content[:200].decode("utf-8", "replace"))
                raise Fault("bad_answer", f"the answer is no JSON: `{start}`", retry=True) from None
        if not isinstance(data, dict):
            raise Fault("bad_answer", f"the answer is no JSON object but a {type(data).__name__}", retry=True)
        if error := error_inside(data):
            raise fault_inside(error, clean=self.address.clean)
        return data


def _transport(
    session: aiohttp.ClientSession, query: tuple[tuple[str, str], ...], proxy: str | None, timeout_s: float
) -> httpx2.AsyncBaseTransport:
    """HTTP transport of httpx2 over an aiohttp session, which it owns.

    The query, which may hold a key, is added here, because httpx2 writes the URLs that it knows into the log. So is the
    time-out: what is prepared here before a request is sent, by many at once, is no fault of the server's.
    """
    import httpx2

    class Transport(httpx2.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
            content = request.content
            async with (
                _overall_timeout(timeout_s),
                session.request(
                    request.method,
                    str(request.url),
                    params=query,
                    data=io.BytesIO(content) if len(content) > _LARGE else content or None,
                    headers=request.headers,
                    allow_redirects=False,
                    proxy=proxy,
                ) as response,
            ):
                return httpx2.Response(response.status, headers=response.raw_headers, content=await response.read())

        async def aclose(self) -> None:
            await session.close()

    return Transport()


def proxy_of(url: str) -> str | None:
    """The proxy that the environment names for a URL: HTTPS_PROXY and HTTP_PROXY, else ALL_PROXY, less NO_PROXY.

    It is looked up here because `trust_env=True`, aiohttp's own way, costs two trips to a thread an exchange, forgets
    ALL_PROXY, and fails where a netrc file names the host.

    Raises:
        ModelError: if it is neither an http nor an https proxy.
    """
    parts, proxies = urlsplit(url), getproxies()
    proxy = proxies.get(parts.scheme) or proxies.get("all")
    if not proxy or proxy_bypass(parts.netloc):
        return None
    proxy = proxy if "://" in proxy else f"http://{proxy}"
    kind = urlsplit(proxy).scheme
    if kind not in ("http", "https"):
        raise ModelError(
            f"the environment names a proxy of the kind `{tidy(kind)}` for {url}; wanted http://HOST:PORT or "
            "https://HOST:PORT in HTTPS_PROXY, HTTP_PROXY or ALL_PROXY, or the server's host in NO_PROXY"
        )
    return proxy


def _trusted(url: str) -> ssl.SSLContext | bool:
    """TLS context of SSL_CERT_FILE and SSL_CERT_DIR, else of what the system trusts; made as for `openai`.

    Raises:
        ModelError: if a variable names what can't be read, or holds no certificate.
    """
    import httpx2

    if urlsplit(url).scheme != "https":
        return True
    try:
        return httpx2.create_ssl_context()
    except OSError as error:  # an SSLError is one
        named = {name: os.environ.get(name) for name in ("SSL_CERT_FILE", "SSL_CERT_DIR")}
        raise ModelError(
            f"no certificates can be read ({error}); wanted in SSL_CERT_FILE a file of certificates in PEM form, in "
            f"SSL_CERT_DIR a folder of them. They are {named}: mend or unset them"
        ) from None


def _cause(error: BaseException) -> str:
    """The cause in few words, without the URL that aiohttp puts in front of it, whose query may hold a key."""
    import aiohttp

    if isinstance(error, aiohttp.ClientHttpProxyError):
        return f"the proxy refused with HTTP {error.status}: {error.message}"
    if isinstance(error, aiohttp.ClientResponseError):
        return f"what came is no HTTP ({error.message})" if error.message else "what came is no HTTP"
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return str(error.certificate_error)
    if isinstance(error, aiohttp.ClientConnectorError):
        error = error.os_error
    if isinstance(error, OSError) and not isinstance(error, ssl.SSLError) and error.errno is not None:
        return os.strerror(error.errno) if error.errno > 0 else str(error.strerror)
    return str(error) or repr(error)


@asynccontextmanager
async def _overall_timeout(seconds: float) -> AsyncIterator[None]:
    """Time-out over all that is done inside, which looks once more before it gives up.

    What came while this process was held up is not thrown away.
    """
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(None) as limit:
        last_look = loop.call_later(seconds, lambda: limit.reschedule(loop.time() + _LAST_LOOK_S))
        try:
            yield
        finally:
            last_look.cancel()
