"""HTTP as servers really speak it: in chunks, over TLS, with connections that end whenever they like."""

from __future__ import annotations

import asyncio
import gzip
import shutil
import ssl
import subprocess
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import pytest

from alignsuite.errors import ModelError
from alignsuite.models.engines.endpoint.address import Address
from alignsuite.models.engines.endpoint.client import Answer, Client, proxy_of
from alignsuite.models.engines.endpoint.faults import Fault

T = TypeVar("T")
Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
PACKED = gzip.compress(b"{}")
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


def with_server(talk: Talk, ask: Callable[[str], Awaitable[T]], context: ssl.SSLContext | None = None) -> T:
    """What `ask` makes of a server that talks so."""

    async def both() -> T:
        server = await asyncio.start_server(talk, "127.0.0.1", 0, ssl=context)
        port = server.sockets[0].getsockname()[1]
        try:
            return await asyncio.wait_for(ask(f"{'https' if context else 'http'}://localhost:{port}/v1"), 10)
        finally:
            server.close()

    return asyncio.run(both())


async def read_request(reader: asyncio.StreamReader) -> bytes:
    """One request, whole."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0] or 0)
    return head + await reader.readexactly(length)


def answering(*answers: bytes, then_close: bool = True) -> Talk:
    """Each request on a connection gets the next answer; after the last, the server hangs up."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            for answer in answers:
                await read_request(reader)
                writer.write(answer)
                await writer.drain()
            if then_close:
                writer.close()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    return talk


async def exchange(url: str, content: bytes = b"{}") -> Answer:
    """One exchange over a connection of its own."""
    client = Client(Address(url), 5.0)
    try:
        return await client.post("/chat/completions", content)
    finally:
        await client.close()


@pytest.mark.parametrize(
    "answer",
    [
        OK,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n",
        b"HTTP/1.0 200 OK\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{}",
        b"HTTP/1.1 100 Continue\r\n\r\n" + OK,
        b"HTTP/1.1 200 OK\r\nX-Odd: \xff\xe9\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(PACKED) + PACKED,
    ],
    ids=["length", "chunks", "HTTP/1.0", "until close", "continue", "odd header", "packed"],
)
def test_every_way_to_frame_an_answer_is_read(answer: bytes) -> None:
    """Content, and headers whatever their case."""
    got = with_server(answering(answer), exchange)
    assert got.data == {}
    assert all(got.headers[name.swapcase()] == value for name, value in got.headers.items())


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{}",
        b"SSH-2.0-OpenSSH_9.7\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 200_000,
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}",
    ],
    ids=["nothing", "short body", "short chunk", "another protocol", "endless header", "not packed"],
)
def test_half_an_answer_is_none(answer: bytes) -> None:
    """It is said as what it is, and it isn't taken for a server that is not there."""
    with pytest.raises(Fault, match=r"connection failed: \S") as caught:
        with_server(answering(answer), exchange)
    assert caught.value.kind == "connection"
    assert caught.value.retry
    assert not caught.value.unconnected


def test_a_server_that_refuses_before_it_has_read_all_is_heard() -> None:
    """A proxy says 413 after the first kilobytes of a long prompt, and need not read the rest."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(1000)
        writer.write(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        await asyncio.sleep(1)
        writer.close()

    with pytest.raises(Fault, match="HTTP 413"):
        with_server(talk, lambda url: exchange(url, b"x" * 20_000_000))


def counted(talk: Talk) -> tuple[Talk, list[int]]:
    """The talk, and how often somebody connected."""
    connected = [0]

    async def noted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connected[0] += 1
        await talk(reader, writer)

    return noted, connected


@pytest.mark.parametrize(("per_connection", "expected"), [(10, 1), (1, 5), (2, 3)])
def test_connections_are_used_again_until_the_server_hangs_up(per_connection: int, expected: int) -> None:
    """Five exchanges; one that was closed between two of them costs a new connection and no error."""
    talk, connected = counted(answering(*[OK] * per_connection))

    async def five(url: str) -> list[object]:
        client = Client(Address(url), 5.0)
        found: list[object] = []
        for _ in range(5):
            found.append((await client.post("/x", b"{}")).data)
            await asyncio.sleep(0.02)  # the server's farewell arrives
        await client.close()
        return found

    assert with_server(talk, five) == [{}] * 5
    assert connected == [expected]


def test_a_cancelled_exchange_leaves_no_connection_to_be_used_again() -> None:
    """Its answer would be taken for the next one's."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if b"slow" in await read_request(reader):
                await asyncio.sleep(0.3)
            writer.write(OK.replace(b"{}", b"[]") if connected[0] == 1 else OK)
        finally:
            writer.close()

    noted, connected = counted(talk)

    async def ask(url: str) -> object:
        client = Client(Address(url), 5.0)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(client.post("/slow", b"{}"), 0.1)
        got = await client.post("/x", b"{}")
        await client.close()
        return got.data

    assert with_server(noted, ask) == {}
    assert connected == [2]


def test_path_query_and_host_are_sent_as_the_url_has_them() -> None:
    """A base URL with a path, characters of its own and a query; the key goes nowhere but into its header."""
    heard: list[bytes] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await read_request(reader))
        writer.write(OK)
        writer.close()

    async def ask(url: str) -> None:
        address = Address.parse(f"{url}/deep ment/é?api-version=2024-10-21&x=a%20b", "sk-key")
        client = Client(address, 5.0)
        await client.post("/chat/completions", b"{}")
        await client.close()

    with_server(talk, ask)
    head = heard[0].decode("ascii")
    assert head.startswith("POST /v1/deep%20ment/%C3%A9/chat/completions?api-version=2024-10-21&x=a+b HTTP/1.1\r\n")
    assert "\r\nauthorization: Bearer sk-key\r\n" in head
    assert head.count("sk-key") == 1


def test_a_redirect_is_not_followed_but_told() -> None:
    """The key would travel to where nobody meant it to."""
    moved = b"HTTP/1.1 308 Moved\r\nLocation: https://elsewhere.invalid/v1\r\nContent-Length: 0\r\n\r\n"

    async def ask(url: str) -> None:
        client = Client(Address(url), 5.0)
        try:
            await client.post("/chat/completions", b"{}")
        finally:
            await client.close()

    with pytest.raises(Fault, match=r"308: https://elsewhere\.invalid/v1") as caught:
        with_server(answering(moved), ask)
    assert caught.value.fatal == "moved"


def test_what_came_while_the_process_was_held_up_is_not_thrown_away() -> None:
    """A stall longer than the time-out, with the answer waiting in the socket: it counts as answered."""

    async def ask(url: str) -> dict[str, object]:
        client = Client(Address(url), 0.2)
        asked = asyncio.ensure_future(client.post("/x", b"{}"))
        for _ in range(20):
            await asyncio.sleep(0.001)
        import time

        time.sleep(0.4)  # nothing runs in this loop; the server lives in it too, so its answer was sent before
        answer = await asked
        await client.close()
        return dict(answer.data)

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        asyncio.get_running_loop().call_later(0.05, writer.write, OK)

    assert with_server(talk, ask) == {}


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for localhost that nobody vouches for, and its key."""
    tool = shutil.which("openssl")
    if tool is None:
        pytest.skip("needs the openssl command to make a certificate")
    folder = tmp_path_factory.mktemp("tls")
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    words = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    names = ["-addext", "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run([tool, *words, *names], check=True, capture_output=True)
    return certificate, key


@pytest.mark.parametrize("trusts", [True, False])
def test_https_wants_a_certificate_that_somebody_vouches_for(
    certificate: tuple[Path, Path], trusts: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the certificate in SSL_CERT_FILE it works; without, nothing is sent, and the cause is named."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*certificate)
    if trusts:
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
        assert with_server(answering(OK), exchange, context).data == {}
        return
    with pytest.raises(Fault, match=r"(?i)certificate") as caught:
        with_server(answering(OK), exchange, context)
    assert caught.value.unconnected


def test_a_server_without_tls_is_told_from_one_with_a_bad_certificate() -> None:
    """The commonest slip with a server of one's own is https for http."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    with pytest.raises(Fault, match="SSL") as caught:
        with_server(talk, lambda url: exchange(url.replace("http://", "https://")))
    assert caught.value.unconnected
    assert "ertificate" not in str(caught.value)


def test_more_exchanges_than_a_pool_usually_holds_run_at_once() -> None:
    """The limiter alone bounds what is under way: 150 are, where aiohttp's pool would stop at 100."""
    under_way = 0

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal under_way
        await read_request(reader)
        under_way += 1
        while under_way < 150:
            await asyncio.sleep(0.01)
        writer.write(OK)
        writer.close()

    async def ask(url: str) -> list[object]:
        client = Client(Address(url), 5.0)
        got = await asyncio.gather(*(client.post("/x", b"{}") for _ in range(150)))
        await client.close()
        return [answer.data for answer in got]

    assert with_server(talk, ask) == [{}] * 150


def test_a_cookie_is_not_brought_back() -> None:
    """An exchange must not depend on those before it."""
    heard: list[bytes] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(2):
            heard.append(await read_request(reader))
            writer.write(OK.replace(b"\r\n", b"\r\nSet-Cookie: who=you; Path=/\r\n", 1))
        writer.close()

    async def ask(url: str) -> None:
        client = Client(Address(url), 5.0)
        for _ in range(2):
            await client.post("/x", b"{}")
        await client.close()

    with_server(talk, ask)
    assert len(heard) == 2
    assert b"cookie" not in b"".join(heard).lower()


def test_a_netrc_file_that_names_the_host_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The key is the one that was named; a login of somebody's curl is neither sent nor in the way."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine localhost login me password pass-word\n")
    monkeypatch.setenv("NETRC", str(netrc))
    heard: list[bytes] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await read_request(reader))
        writer.write(OK)
        writer.close()

    async def ask(url: str) -> None:
        client = Client(Address(url, "sk-key"), 5.0)
        await client.post("/x", b"{}")
        await client.close()

    with_server(talk, ask)
    assert heard[0].lower().count(b"authorization") == 1
    assert b"Bearer sk-key" in heard[0]


@pytest.mark.parametrize("answer", [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"])
def test_what_went_wrong_is_said_without_the_query(answer: bytes) -> None:
    """The URL's query may hold a key, and errors of an HTTP library like to show URLs; in no spelling may it show."""

    async def ask(url: str) -> None:
        client = Client(Address.parse(f"{url}?token=hush%20hush/hush", "sk-key-0123456"), 5.0)
        try:
            await client.post("/x", b"y" * 3_000_000)
        finally:
            await client.close()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(100)
        writer.write(answer)
        writer.close()

    with pytest.raises(Fault) as caught:
        with_server(talk, ask)
    assert caught.value.kind == "connection"
    assert not any(part in caught.value.message for part in ("token", "hush", "sk-key"))


def test_a_host_that_is_none_is_nobody_there() -> None:
    """What passes for a URL and can't be looked up ends as a server that can't be reached."""
    with pytest.raises(Fault, match="connection failed") as caught:
        asyncio.run(exchange("http://a b/v1"))
    assert caught.value.unconnected


PROXY = "http://p:3128"


@pytest.mark.parametrize(
    ("environment", "url", "proxy"),
    [
        ({}, "https://h/v1", None),
        ({"HTTPS_PROXY": PROXY}, "https://h/v1", PROXY),
        ({"HTTPS_PROXY": "p:3128"}, "https://h/v1", PROXY),
        ({"HTTPS_PROXY": PROXY}, "http://h/v1", None),
        ({"ALL_PROXY": PROXY}, "http://h/v1", PROXY),
        ({"ALL_PROXY": PROXY, "HTTP_PROXY": "https://q:1"}, "http://h/v1", "https://q:1"),
        ({"HTTP_PROXY": PROXY, "NO_PROXY": "h,localhost"}, "http://h/v1", None),
        ({"HTTP_PROXY": PROXY, "NO_PROXY": ".corp"}, "http://gpu.corp:8000/v1", None),
        ({"HTTP_PROXY": PROXY, "NO_PROXY": "*"}, "http://h/v1", None),
    ],
)
def test_a_proxy_is_used_where_the_environment_names_one(
    environment: dict[str, str], url: str, proxy: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The usual variables, as everywhere."""
    _set_proxies(monkeypatch, environment)
    assert proxy_of(url) == proxy


def test_a_proxy_of_another_kind_is_told_and_not_gone_around(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever sets a proxy may not want us on the open road; what it holds besides the kind is not shown."""
    _set_proxies(monkeypatch, {"ALL_PROXY": "socks5://me:pass-word@p:1080"})
    with pytest.raises(ModelError, match=r"proxy of the kind `socks5` for http://h/v1; .*NO_PROXY") as caught:
        asyncio.run(exchange("http://h/v1"))
    assert "pass-word" not in str(caught.value)


def _set_proxies(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)


def tunnelling(heard: list[bytes], status: bytes = b"200 OK") -> Talk:
    """A proxy for https: notes what it was told, and connects to there."""

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while piece := await reader.read(65536):
            writer.write(piece)
        writer.close()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 %s\r\n\r\n" % status)
        if status != b"200 OK":
            writer.close()
            return
        host, _, port = heard[-1].split()[1].decode().partition(":")
        there = await asyncio.open_connection(host, int(port))
        await asyncio.gather(carry(reader, there[1]), carry(there[0], writer), return_exceptions=True)

    return talk


@pytest.mark.parametrize("status", [b"200 OK", b"407 Proxy Authentication Required"])
def test_https_goes_through_a_proxy_unseen(
    status: bytes, certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The proxy hears where to, and its own password, but neither key nor question; its refusal is told as such."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*certificate)
    heard: list[bytes] = []

    async def ask(url: str) -> Answer:
        proxy = await asyncio.start_server(tunnelling(heard, status), "127.0.0.1", 0)
        port = proxy.sockets[0].getsockname()[1]
        _set_proxies(monkeypatch, {"HTTPS_PROXY": f"http://me:pass-word@127.0.0.1:{port}"})
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
        client = Client(Address.parse(f"{url}?token=abcdef", "sk-key"), 5.0)
        try:
            return await client.post("/x", b"{}")
        finally:
            await client.close()
            proxy.close()

    if status == b"200 OK":
        assert with_server(answering(OK), ask, context).data == {}
    else:
        with pytest.raises(Fault, match=r"407.*Proxy Authentication Required") as caught:
            with_server(answering(OK), ask, context)
        assert caught.value.unconnected
        assert "pass-word" not in str(caught.value)
    (head,) = heard
    assert head.startswith(b"CONNECT localhost:")
    assert b"Proxy-Authorization: Basic bWU6cGFzcy13b3Jk" in head
    assert b"sk-key" not in head
    assert b"abcdef" not in head
