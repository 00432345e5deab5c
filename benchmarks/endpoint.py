"""How much of a run's time is the server's: 2 000 requests at 50 ms, 64 at once.

Prints wall time over the ideal (requests × latency ÷ concurrency) for the engine: cold (first request of the process,
slow start), warm (the same model asked again: connections are open and the limiter knows its width), and the CPU time a
request that is ours. Beside it, in the same run: bare sockets, which is the best that this server and this machine
allow (2 000 is no multiple of 64, and timers are late by up to a millisecond), and the `openai` client.

The server answers from fixed bytes in a process of its own, and counts: how many asked, and how many at once.

    python benchmarks/endpoint.py [--requests 2000] [--latency 0.05] [--concurrency 64] [--rounds 3]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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
    """One connection: each POST is answered by fixed bytes, so many seconds after its last byte came."""

    counts = Counts()
    latency_s = 0.05

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
        asyncio.get_running_loop().call_later(self.latency_s, self._answer, reply)
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


CHAT_BYTES, TEXT_BYTES, CHOICE_BYTES = (json.dumps(data).encode() for data in (CHAT, TEXT, CHOICE))


async def serve(latency_s: float) -> None:
    """Serve until stdin closes; the URL is the first line of stdout."""
    Fixed.latency_s = latency_s
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Fixed, "127.0.0.1", 0, backlog=512)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1", flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


@contextmanager
def served(latency_s: float) -> Iterator[str]:
    """The server's URL."""
    command = [sys.executable, __file__, "--serve", "--latency", str(latency_s)]
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


def engine(url: str, concurrency: int, requests: int, choose: bool) -> Iterator[float]:
    """Seconds from the first request to the last reply: cold, then warm for as long as one asks."""
    from alignsuite.models.engines.endpoint.engine import open_endpoint
    from alignsuite.models.protocol import Choose, Generate, Message, Reply

    model = open_endpoint("double-1", base_url=url, api_key=None, concurrency=concurrency)
    for run in range(1_000):
        prompts = [(Message("user", f"n{run} {n}"),) for n in range(requests)]
        asked = [Choose(p, ("A", "B", "C")) if choose else Generate(p, max_tokens=8) for p in prompts]
        start = time.perf_counter()
        replies = [reply for _, reply in model.answer(asked)]
        seconds = time.perf_counter() - start
        assert len(replies) == requests
        assert all(isinstance(reply, Reply) for reply in replies)
        yield seconds


async def openai_client(url: str, concurrency: int, requests: int) -> float:
    """The same through the client's own method, without retries, threads or checks."""
    import openai

    async with openai.AsyncOpenAI(base_url=url, api_key="none", max_retries=0) as client:
        left = iter(range(requests))

        async def worker() -> None:
            for n in left:
                await client.chat.completions.create(
                    model="double-1", messages=[{"role": "user", "content": f"n{n}"}], max_tokens=8, temperature=0
                )

        start = time.perf_counter()
        await asyncio.gather(*(worker() for _ in range(concurrency)))
        return time.perf_counter() - start


async def bare_sockets(url: str, concurrency: int, requests: int) -> float:
    """Fixed bytes over open sockets: nothing could be faster against this server."""
    host, port = url.split("/")[2].split(":")
    left = iter(range(requests))

    async def worker() -> None:
        reader, writer = await asyncio.open_connection(host, int(port))
        for n in left:
            body = b'{"model": "double-1", "max_tokens": 8, "messages": [{"role": "user", "content": "n%d"}]}' % n
            writer.write(b"POST /v1/chat/completions HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
            head = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(int(head.partition(b"Content-Length: ")[2].partition(b"\r\n")[0]))
        writer.close()

    start = time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(concurrency)))
    return time.perf_counter() - start


def measure(name: str, case: Callable[[], float], rounds: int, url: str, ideal: float, requests: int) -> None:
    """One line: the median of the rounds."""
    counted(url)
    walls, cpus = [], []
    for _ in range(rounds):
        start = time.process_time()
        walls.append(case())
        cpus.append((time.process_time() - start) / requests * 1000)
    seen = counted(url)
    wall = statistics.median(walls)
    print(
        f"{name:32} {wall:6.2f} s  ratio {wall / ideal:5.2f} (best {min(walls) / ideal:.2f})  "
        f"{statistics.median(cpus):5.2f} ms of CPU a request  at most {seen['most_at_once']:.0f} at once"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=2000)
    parser.add_argument("--latency", type=float, default=0.05)
    parser.add_argument("--concurrency", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        return asyncio.run(serve(given.latency))
    ideal = given.requests * given.latency / given.concurrency
    size = (given.concurrency, given.requests)
    print(
        f"{given.requests} requests, {given.latency * 1000:g} ms, {given.concurrency} at once: ideal {ideal:.2f} s; "
        f"load of the machine {os.getloadavg()[0]:.1f} on {os.cpu_count()} CPUs"
    )
    with served(given.latency) as url:

        def line(name: str, case: Callable[[], float], rounds: int = given.rounds) -> None:
            measure(name, case, rounds, url, ideal, given.requests)

        line("bare sockets", lambda: asyncio.run(bare_sockets(url, *size)))
        for kind, choose in (("Generate", False), ("Choose", True)):
            asking = engine(url, *size, choose)
            line(f"alignsuite, {kind}, cold", lambda asking=asking: next(asking), 1)  # type: ignore[misc]
            line(f"alignsuite, {kind}, warm", lambda asking=asking: next(asking))  # type: ignore[misc]
        line("openai client", lambda: asyncio.run(openai_client(url, *size)))
        print(f"load at the end {os.getloadavg()[0]:.1f}")
    return None


if __name__ == "__main__":
    main()
