"""HTTP to one server, by `aiohttp`: what is sent, whom to trust, which proxy to take, and what its errors mean to us.

Connections stay open and are as many as there are exchanges at once. No redirects, no cookies, no second tries: those
would send the key, or a request, where nobody meant them to go. The proxy is looked up here because `trust_env=True`,
aiohttp's own way, costs two trips to a thread an exchange, forgets ALL_PROXY, and fails where a netrc file names the
host (docs/decisions/0014).
"""

from __future__ import annotations

import importlib
import importlib.util
import io
import os
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from alignsuite.errors import ModelError
from alignsuite.models.engines.endpoint.address import Address
from alignsuite.models.engines.endpoint.faults import tidy

if TYPE_CHECKING:
    import aiohttp

_LARGE = 1 << 20  # aiohttp wants a larger body as a file, which it sends in pieces


@dataclass(frozen=True)
class Response:
    """What a server sent, whatever its status; `headers` are found in any case of letters."""

    status: int
    headers: Mapping[str, str]
    content: bytes


class NoResponse(Exception):  # noqa: N818 (it becomes a Fault, which names it)
    """The connection failed; `unconnected` says that none came about."""

    def __init__(self, message: str, *, unconnected: bool = False) -> None:
        super().__init__(message)
        self.unconnected = unconnected


class Connections:
    """Connections to one address; made anywhere, used in one event loop only."""

    def __init__(self, address: Address, connect_s: float, context: ssl.SSLContext | None = None) -> None:
        self._address = address
        self._connect_s = connect_s
        self._context = context
        self._session: aiohttp.ClientSession | None = None
        self._proxy: str | None = None

    async def exchange(self, method: str, path: str, content: bytes = b"") -> Response:
        """One request and its response, with no limit on the time but for connecting.

        Raises:
            NoResponse: if nobody is there, the connection breaks, or what comes is no HTTP.
            ModelError: if the environment names a proxy of a kind that can't be used.
        """
        import aiohttp

        if self._session is None:
            self._session = self._opened()
        try:
            async with self._session.request(
                method,
                self._address.url + path,
                params=self._address.query,
                data=io.BytesIO(content) if len(content) > _LARGE else content or None,
                headers={"Content-Type": "application/json"} if content else None,
                allow_redirects=False,
                proxy=self._proxy,
            ) as response:
                return Response(response.status, response.headers, await response.read())
        except aiohttp.ConnectionTimeoutError:
            raise NoResponse(f"no connection in {self._connect_s:g} s", unconnected=True) from None
        except (aiohttp.ClientError, OSError) as error:
            nobody = (aiohttp.ClientConnectorError, aiohttp.ClientHttpProxyError, aiohttp.InvalidURL)
            raise NoResponse(_said(error), unconnected=isinstance(error, nobody)) from None

    async def close(self) -> None:
        """Drop the connections."""
        if self._session is not None:
            await self._session.close()

    def _opened(self) -> aiohttp.ClientSession:
        import aiohttp

        self._proxy = proxy_of(self._address.url)
        if self._context is None and urlsplit(self._address.url).scheme == "https":
            self._context = trusted()
        return aiohttp.ClientSession(
            # the limiter bounds what is under way; a second bound could only make tries wait that it let through
            connector=aiohttp.TCPConnector(limit=0, ssl=self._context or True),
            timeout=aiohttp.ClientTimeout(total=None, connect=self._connect_s),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={
                "Authorization": self._address.authorization(),
                "Accept": "application/json",
                "Accept-Encoding": "identity",  # replies are small
                "User-Agent": "alignsuite",
            },
        )


def proxy_of(url: str) -> str | None:
    """The proxy that the environment names for a URL: HTTPS_PROXY and HTTP_PROXY, else ALL_PROXY, less NO_PROXY.

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


def trusted() -> ssl.SSLContext:
    """SSL_CERT_FILE and SSL_CERT_DIR, else what the system trusts.

    Made by the HTTP library under `openai`, whichever that is, because Python alone finds the system's certificates neither on
    every Mac nor on every Linux.
    """
    library = importlib.import_module("httpx2" if importlib.util.find_spec("httpx2") else "httpx")
    context = library.create_ssl_context()
    assert isinstance(context, ssl.SSLContext)
    return context


def _said(error: Exception) -> str:
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
