"""Endpoint benchmark: time over ideal and processor time a request, 64 at once, delays of 100-300 ms and of 50 ms.

The ways to ask: bare sockets, which is the best that this server and this machine allow; bare `aiohttp`; the `openai`
client over its aiohttp transport by the low-level `post`, and by `create`; `create` over the client's own transport; and
the engine. The ideal is all delays ÷ concurrency. The ways take turns, forward and back, so that whatever else the machine
does meets all of them; printed are medians over the rounds, and of the difference from bare `aiohttp` in the same round.

It is measured twice. *By the wall*: a server in a process of its own, and the whole engine with its threads, warm (the same
model asked again) and cold (first request of the process, slow start). *On a core of its own*: one event loop whose clock
counts the processor time of this process and skips what it would sleep, server included, engine without threads and slow
start; other work on the machine then makes requests dearer, but takes no turns from them.

The server answers from fixed bytes; how late its n-th answer is depends on n alone.

    python benchmarks/endpoint.py [--requests 1280] [--concurrency 64] [--rounds 5] [--latency 0.1-0.3 0.05]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import selectors
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass

CHAT = {
    "id": "x",
    "object": "chat.completion",
    "created": 1,
    "model": "double-1",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Of course."}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12},
}
TEXT = CHAT | {
    "object": "text_completion",
    "choices": [{"index": 0, "text": " of course.", "finish_reason": "stop", "logprobs": None}],
}
TOP = [{"token": token, "logprob": -1.0 - number, "bytes": None} for number, token in enumerate("ABCDEFGHIJKLMNOPQRST")]
CHOICE = CHAT | {"choices": [{**CHAT["choices"][0], "logprobs": {"content": [{**TOP[0], "top_logprobs": TOP}]}}]}  # type: ignore[index]
MODELS = {"object": "list", "data": [{"id": "double-1", "object": "model"}]}


# -------------------------------------------------------------------------------- the server


@dataclass
class Counts:
    """What the server saw since it was last asked: requests, the most at once, seconds from the first in to the last out."""

    requests: int = 0
    most_at_once: int = 0
    now: int = 0
    first: float = 0.0
    last: float = 0.0


class Fixed(asyncio.Protocol):
    """One connection: each POST is answered by fixed bytes, some seconds after its last byte came."""

    counts = Counts()
    latency = (0.05, 0.05)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where to write."""
        assert isinstance(transport, asyncio.Transport)
        self._transport, self._heard = transport, b""

    def data_received(self, data: bytes) -> None:
        """Wait for whole requests."""
        self._heard += data
        while b"\r\n\r\n" in self._heard:
            head, _, rest = self._heard.partition(b"\r\n\r\n")
            length = int((head.lower() + b"\r\n").partition(b"content-length: ")[2].partition(b"\r\n")[0] or 0)
            if len(rest) < length:
                return
            self._heard = rest[length:]
            self._asked(head, rest[:length])

    def _asked(self, head: bytes, body: bytes) -> None:
        if head.startswith(b"GET"):
            return self._write(json.dumps(self._told() if b"/counts" in head else MODELS).encode())
        counts = Fixed.counts
        counts.first = counts.first or time.perf_counter()
        counts.requests, counts.now = counts.requests + 1, counts.now + 1
        counts.most_at_once = max(counts.most_at_once, counts.now)
        reply = CHOICE_BYTES if b'"logprobs": true' in body else (CHAT_BYTES if b"/chat/" in head else TEXT_BYTES)
        asyncio.get_running_loop().call_later(delay_s(counts.requests, self.latency), self._answer, reply)
        return None

    def _answer(self, reply: bytes) -> None:
        Fixed.counts.now -= 1
        Fixed.counts.last = time.perf_counter()
        self._write(reply)

    def _write(self, reply: bytes) -> None:
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(reply)
        self._transport.write(head + reply)

    def _told(self) -> dict[str, float]:
        counts, Fixed.counts = Fixed.counts, Counts()
        return {
            "requests": counts.requests,
            "most_at_once": counts.most_at_once,
            "seconds": counts.last - counts.first,
        }


def delay_s(number: int, latency: tuple[float, float]) -> float:
    """How late the answer to the n-th request is."""
    return random.Random(number).uniform(*latency)


CHAT_BYTES, TEXT_BYTES, CHOICE_BYTES = (json.dumps(data).encode() for data in (CHAT, TEXT, CHOICE))


async def serve(latency: tuple[float, float]) -> None:
    """Serve until stdin closes; the URL is the first line of stdout."""
    Fixed.latency = latency
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Fixed, "127.0.0.1", 0, backlog=512)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1", flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


@contextmanager
def served(low_s: float, high_s: float | None = None) -> Iterator[str]:
    """The URL of a server whose answers are late by a fixed time, or by times between two."""
    command = [sys.executable, __file__, "--serve", "--latency", f"{low_s}-{high_s or low_s}"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        yield process.stdout.readline().strip()
        process.stdin.close()


def counted(url: str) -> dict[str, float]:
    """What the server saw since the last time."""
    with urllib.request.urlopen(f"{url}/counts") as answer:
        counts = json.load(answer)
    assert isinstance(counts, dict)
    return counts


# -------------------------------------------------------------------------------- who asks


def engine(url: str, concurrency: int, requests: int, choose: bool) -> Iterator[int]:
    """How many replies came: cold, then warm for as long as one asks."""
    from alignsuite.models.engines.endpoint.engine import open_endpoint
    from alignsuite.models.protocol import Choose, Generate, Message, Reply

    model = open_endpoint("double-1", base_url=url, api_key=None, concurrency=concurrency)
    for run in range(1_000):
        prompts = [(Message("user", f"n{run} {n}"),) for n in range(requests)]
        asked = [Choose(p, ("A", "B", "C")) if choose else Generate(p, max_tokens=8) for p in prompts]
        yield sum(isinstance(reply, Reply) for _, reply in model.answer(asked))


Ask = Callable[[int], Awaitable[object]]


async def at_once(concurrency: int, requests: int, ask: Ask) -> None:
    """So many requests, so many of them under way."""
    left = iter(range(requests))

    async def worker() -> None:
        for n in left:
            await ask(n)

    await asyncio.gather(*(worker() for _ in range(concurrency)))


def body_of(n: int) -> dict[str, object]:
    """What `engine` sends, nearly."""
    return {"model": "double-1", "messages": [{"role": "user", "content": f"n{n}"}], "max_tokens": 8, "temperature": 0}


@asynccontextmanager
async def bare_sockets(url: str) -> AsyncIterator[Ask]:
    """Fixed bytes over open sockets: nothing could be faster against this server."""
    host, port = url.split("/")[2].split(":")
    idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def ask(n: int) -> None:
        reader, writer = idle.pop() if idle else await asyncio.open_connection(host, int(port))
        body = b'{"model": "double-1", "max_tokens": 8, "messages": [{"role": "user", "content": "n%d"}]}' % n
        writer.write(b"POST /v1/chat/completions HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        head = await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(int(head.partition(b"Content-Length: ")[2].partition(b"\r\n")[0]))
        idle.append((reader, writer))

    yield ask
    for _, writer in idle:
        writer.close()


@asynccontextmanager
async def bare_aiohttp(url: str) -> AsyncIterator[Ask]:
    """One session of `aiohttp`, a body encoded and an answer decoded."""
    import aiohttp

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def ask(n: int) -> object:
            async with session.post(f"{url}/chat/completions", data=json.dumps(body_of(n)).encode()) as response:
                return json.loads(await response.read())

        yield ask


@asynccontextmanager
async def openai_post(url: str) -> AsyncIterator[Ask]:
    """`openai` over its aiohttp transport, by the low-level `post`; the answer is decoded as bare `aiohttp`'s is."""
    import httpx2
    import openai

    transport = openai.DefaultAioHttpClient()
    async with openai.AsyncOpenAI(base_url=url, api_key="none", max_retries=0, http_client=transport) as client:

        async def ask(n: int) -> object:
            response = await client.post("/chat/completions", cast_to=httpx2.Response, body=body_of(n))
            return json.loads(response.content)

        yield ask


@asynccontextmanager
async def openai_create(url: str, aiohttp: bool = True) -> AsyncIterator[Ask]:
    """`openai` by its `create`, over its aiohttp transport or its own."""
    import openai

    transport = openai.DefaultAioHttpClient() if aiohttp else None
    async with openai.AsyncOpenAI(base_url=url, api_key="none", max_retries=0, http_client=transport) as client:
        yield lambda n: client.chat.completions.create(
            model="double-1", messages=[{"role": "user", "content": f"n{n}"}], max_tokens=8, temperature=0
        )


def openai_httpx(url: str) -> AbstractAsyncContextManager[Ask]:
    """`openai` as it comes."""
    return openai_create(url, aiohttp=False)


# -------------------------------------------------------------------------------- who is faster

REFERENCE = "aiohttp"
CLIENTS = {
    "bare sockets": bare_sockets,
    REFERENCE: bare_aiohttp,
    "openai `post`, aiohttp": openai_post,
    "openai `create`, aiohttp": openai_create,
    "openai `create`": openai_httpx,
}


@dataclass(frozen=True)
class Seen:
    """One run: wall time over the ideal, milliseconds of processor time a request, and how many were under way."""

    ratio: float
    cpu_ms: float
    most_at_once: float


@dataclass(frozen=True)
class Bench:
    """The server, how late its answers are, and how much it is asked."""

    url: str
    latency: tuple[float, float]
    concurrency: int
    requests: int

    @contextmanager
    def measured(self, seen: list[Seen]) -> Iterator[None]:
        """Adds wall and processor time of what is done inside."""
        counted(self.url)
        cpu, wall = time.process_time(), time.perf_counter()
        yield
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        seen.append(Seen(wall / self.ideal, cpu / self.requests * 1000, counted(self.url)["most_at_once"]))

    async def run_client(self, client: Callable[[str], AbstractAsyncContextManager[Ask]], seen: list[Seen]) -> None:
        """One run of a client whose connections are open, and whose modules are imported."""
        async with client(self.url) as ask:
            await at_once(self.concurrency, 2 * self.concurrency, ask)
            with self.measured(seen):
                await at_once(self.concurrency, self.requests, ask)

    @property
    def ideal(self) -> float:
        """All delays over the concurrency."""
        return sum(delay_s(number, self.latency) for number in range(1, self.requests + 1)) / self.concurrency

    def run_engine(self, asking: Iterator[int], seen: list[Seen]) -> None:
        """One run of the engine."""
        with self.measured(seen):
            assert next(asking) == self.requests


def compare(bench: Bench, rounds: int) -> None:
    """Everybody in turn, forward and back; a line for each."""
    runs: dict[str, list[Seen]] = {}
    ways: dict[str, Callable[[list[Seen]], None]] = {}
    for name, client in CLIENTS.items():
        ways[name] = lambda seen, client=client: asyncio.run(bench.run_client(client, seen))  # type: ignore[misc]
    for kind in ("Generate", "Choose"):
        asking = engine(bench.url, bench.concurrency, bench.requests, kind == "Choose")
        ways[f"alignsuite, {kind}, warm"] = lambda seen, asking=asking: bench.run_engine(asking, seen)  # type: ignore[misc]
        bench.run_engine(asking, runs.setdefault(f"alignsuite, {kind}, cold", []))
    for number in range(rounds):
        for name in list(ways)[:: -1 if number % 2 else 1]:
            ways[name](runs.setdefault(name, []))
    for name in sorted(runs, key=lambda name: list(ways).index(name) if name in ways else -1):
        show(name, runs[name], runs[REFERENCE] if name in ways else None)


# -------------------------------------------------------------------------------- on a core of its own


class Skipping(selectors.DefaultSelector):
    """A selector that counts the seconds that it sleeps, and once it `skips` only counts them."""

    skips = False
    skipped = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """What is ready, at once."""
        if not self.skips or timeout is None:
            start = time.perf_counter()
            events = super().select(timeout)
            self.skipped += time.perf_counter() - start
            return events
        events = super().select(0)
        if not events and timeout > 0:
            self.skipped += timeout
        return events


class OwnCore(asyncio.SelectorEventLoop):
    """An event loop whose clock is the processor time of this process, and what was skipped."""

    def __init__(self) -> None:
        self.selector = Skipping()
        super().__init__(self.selector)

    def time(self) -> float:
        """Seconds."""
        return time.process_time() + self.selector.skipped


@asynccontextmanager
async def engine_alone(url: str) -> AsyncIterator[Ask]:
    """The engine without its threads and its slow start: body, rate limits, retries, client, reading."""
    from alignsuite.models.engines.endpoint.address import Address
    from alignsuite.models.engines.endpoint.client import Client
    from alignsuite.models.engines.endpoint.generate import Writer
    from alignsuite.models.engines.endpoint.parameters import Parameters
    from alignsuite.models.engines.endpoint.rate_limit import Clock, ConcurrencyLimit, RateLimit
    from alignsuite.models.engines.endpoint.replicas import Replica, Replicas
    from alignsuite.models.engines.endpoint.retry import Backoff, Retrier
    from alignsuite.models.protocol import Generate, Message

    client = Client(Address(url), 60)
    replicas = Replicas([Replica(client, ConcurrencyLimit(1_000, first=1_000))], print, Clock())
    free = RateLimit(None)
    retrier = Retrier(replicas, "double-1", backoff=Backoff(), retries=0, requests=free, tokens=free)
    writer = Writer(Parameters(retrier, {}, {}))
    yield lambda n: writer.generate(Generate((Message("user", f"n{n}"),), max_tokens=8))
    await client.close()


async def compare_alone(latency: tuple[float, float], concurrency: int, requests: int, rounds: int) -> None:
    """Everybody in turn in one loop with the server; a line for each."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, OwnCore)
    Fixed.latency = latency
    server = await loop.create_server(Fixed, "127.0.0.1", 0, backlog=512)
    bench = Bench(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1", latency, concurrency, requests)
    runs: dict[str, list[Seen]] = {}
    async with AsyncExitStack() as stack:
        ways = {
            name: await stack.enter_async_context(client(bench.url))
            for name, client in (CLIENTS | {"alignsuite, no threads": engine_alone}).items()
        }
        for ask in ways.values():
            await at_once(concurrency, 2 * concurrency, ask)
        loop.selector.skips = True
        for number in range(rounds):
            for name in list(ways)[:: -1 if number % 2 else 1]:
                Fixed.counts = Counts()
                cpu, start = time.process_time(), loop.time()
                await at_once(concurrency, requests, ways[name])
                ratio, cpu = (loop.time() - start) / bench.ideal, time.process_time() - cpu
                runs.setdefault(name, []).append(Seen(ratio, cpu / requests * 1000, Fixed.counts.most_at_once))
        loop.selector.skips = False
    server.close()
    for name in ways:
        show(name, runs[name], runs[REFERENCE])


# -------------------------------------------------------------------------------- what is printed


def show(name: str, seen: list[Seen], reference: list[Seen] | None = None) -> None:
    """One line: medians, and the median of what each round's ratio is above that round's reference."""
    ratios = [run.ratio for run in seen]
    line = f"{name:26} ratio {statistics.median(ratios):5.3f} (best {min(ratios):.3f})"
    if reference:
        above = statistics.median(run.ratio - other.ratio for run, other in zip(seen, reference, strict=True))
        line += f"  {above:+.3f} above {REFERENCE}"
    cpu = statistics.median(run.cpu_ms for run in seen)
    print(f"{line:64} {cpu:5.2f} ms of CPU a request  at most {max(run.most_at_once for run in seen):.0f} at once")


def latency_of(text: str) -> tuple[float, float]:
    """`0.05` or `0.1-0.3`, in seconds."""
    low, _, high = text.partition("-")
    return float(low), float(high or low)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=1280)
    parser.add_argument("--latency", type=latency_of, nargs="+", default=[(0.1, 0.3), (0.05, 0.05)])
    parser.add_argument("--concurrency", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        return asyncio.run(serve(given.latency[0]))
    for low, high in given.latency:
        spread = f"{low * 1000:g} ms" if low == high else f"{low * 1000:g} to {high * 1000:g} ms"
        print(
            f"{given.requests} requests, {spread}, {given.concurrency} at once; load of the machine "
            f"{os.getloadavg()[0]:.1f} on {os.cpu_count()} CPUs"
        )
        print("On a core of its own:")
        with asyncio.Runner(loop_factory=OwnCore) as runner:
            runner.run(compare_alone((low, high), given.concurrency, given.requests, given.rounds))
        print("By the wall:")
        with served(low, high) as url:
            compare(Bench(url, (low, high), given.concurrency, given.requests), given.rounds)
    print(f"load at the end {os.getloadavg()[0]:.1f}")
    return None


if __name__ == "__main__":
    main()
