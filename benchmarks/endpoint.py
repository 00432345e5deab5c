"""How much of the endpoint engine's time is the server's: 2 000 requests at 50 ms, 64 at once.

Prints wall time over the ideal (requests × latency ÷ concurrency), for Generate and Choose, beside the same for a bare
loop over the `openai` client, which is what its HTTP stack costs on this machine. The double runs in a process of its
own. On a busy machine all ratios rise; the CPU time a request, the engine's own, hardly does.

    python benchmarks/endpoint.py [--requests 2000] [--latency 0.05] [--concurrency 64]
"""

from __future__ import annotations

import argparse
import asyncio
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from alignsuite.models.endpoint import open_endpoint
from alignsuite.models.protocol import Choose, Generate, Message, Reply, Request

DOUBLE = Path(__file__).parents[1] / "tests" / "models" / "openai_server.py"


@contextmanager
def served(latency_s: float) -> Iterator[str]:
    """The double's URL, in a process of its own."""
    command = [sys.executable, str(DOUBLE), "--latency", str(latency_s)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        yield process.stdout.readline().strip()
        process.stdin.close()


def engine_s(url: str, concurrency: int, requests: list[Request]) -> float:
    """Seconds from the first request to the last reply, through the engine."""
    model = open_endpoint("double-1", base_url=url, api_key=None, concurrency=concurrency)
    list(model.answer(requests[:concurrency]))  # connections and imports are paid once
    start = time.perf_counter()
    replies = [reply for _, reply in model.answer(requests)]
    seconds = time.perf_counter() - start
    model.close()
    assert len(replies) == len(requests)
    assert all(isinstance(reply, Reply) for reply in replies)
    return seconds


async def bare_s(url: str, concurrency: int, count: int) -> float:
    """The same through the client's own method, without retries, threads or checks."""
    import openai

    async with openai.AsyncOpenAI(base_url=url, api_key="none", max_retries=0) as client:
        left = iter(range(count))

        async def worker() -> None:
            for n in left:
                await client.chat.completions.create(
                    model="double-1", messages=[{"role": "user", "content": f"n{n}"}], max_tokens=8, temperature=0
                )

        start = time.perf_counter()
        await asyncio.gather(*(worker() for _ in range(concurrency)))
        return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=2000)
    parser.add_argument("--latency", type=float, default=0.05)
    parser.add_argument("--concurrency", type=int, default=64)
    given = parser.parse_args()
    ideal = given.requests * given.latency / given.concurrency
    generate: list[Request] = [Generate((Message("user", f"n{n}"),), max_tokens=8) for n in range(given.requests)]
    choose: list[Request] = [Choose((Message("user", f"q{n}"),), ("A", "B", "C")) for n in range(given.requests)]
    with served(given.latency) as url:
        cases: dict[str, Callable[[], float]] = {
            "engine, Generate": lambda: engine_s(url, given.concurrency, generate),
            "engine, Choose": lambda: engine_s(url, given.concurrency, choose),
            "bare openai client": lambda: asyncio.run(bare_s(url, given.concurrency, given.requests)),
        }
        print(
            f"{given.requests} requests, {given.latency * 1000:g} ms, {given.concurrency} at once: ideal {ideal:.2f} s"
        )
        for name, case in cases.items():
            start = time.process_time()
            seconds = case()
            cpu_ms = (time.process_time() - start) / given.requests * 1000
            print(f"{name:20} {seconds:6.2f} s  ratio {seconds / ideal:5.2f}  {cpu_ms:5.2f} ms of CPU a request")


if __name__ == "__main__":
    main()
