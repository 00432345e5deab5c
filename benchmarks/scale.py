"""Does it stay linear? 10 000 and 100 000 replies through broker, store and judge, with a scripted model.

Each size runs in a process of its own, fresh (asked, stored, judged) and again (from the store alone, judged). Printed:
CPU time a reply, memory a reply, and the ratios of the large size to the small one: 1 is linear. Memory is what the
process holds at its peak beyond what it held before the first request; the requests themselves are made beforehand.

    python benchmarks/scale.py [--small 10000] [--large 100000]
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

WAVE = 500  # as many replies as a claim waits for at a time


def resident() -> int:
    """Bytes of memory that this process holds now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def one(count: int, store: Path) -> dict[str, float]:
    """Ask for so many replies, wave by wave, and judge each."""
    from alignsuite.judges import refused
    from alignsuite.models.broker.broker import Broker
    from alignsuite.models.engines.scripted import open_scripted
    from alignsuite.models.protocol import Generate, Generated, Message
    from alignsuite.models.store import Store

    requests = [
        Generate((Message("user", f"Tell me about thing number {n}, please, in one sentence."),)) for n in range(count)
    ]
    model = open_scripted("good")
    kept = Store(store)
    broker = Broker(model, kept)
    labels: Counter[str] = Counter()
    held, cpu, start = resident(), time.process_time(), time.perf_counter()
    peak = held
    broker.plan(requests)
    for first in range(0, count, WAVE):
        wave = requests[first : first + WAVE]
        for request, reply in zip(wave, broker.get(wave).replies, strict=True):
            assert isinstance(reply, Generated)
            labels[refused.judge.read(request.prompt[-1].content, reply).label] += 1  # type: ignore[union-attr]
        peak = max(peak, resident())
    spent = {"cpu_s": time.process_time() - cpu, "wall_s": time.perf_counter() - start, "bytes": float(peak - held)}
    assert sum(labels.values()) == count
    calls = broker.calls
    broker.close()
    kept.close()
    return spent | {"calls": float(calls), "peak_rss": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024.0}


def run(count: int, store: Path) -> dict[str, float]:
    """`one`, in a process of its own."""
    done = subprocess.run(
        [sys.executable, __file__, "--one", str(count), str(store)], capture_output=True, text=True, check=True
    )
    found = json.loads(done.stdout)
    assert isinstance(found, dict)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--small", type=int, default=10_000)
    parser.add_argument("--large", type=int, default=100_000)
    parser.add_argument("--one", nargs=2, metavar=("COUNT", "STORE"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        return print(json.dumps(one(int(given.one[0]), Path(given.one[1]))))
    print(f"load of the machine {os.getloadavg()[0]:.1f} on {os.cpu_count()} CPUs")
    print("            replies   CPU µs a reply   wall µs a reply   bytes a reply   asked   store bytes a reply")
    found: dict[tuple[str, int], dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as scratch:
        for count in (given.small, given.large):
            store = Path(scratch) / f"{count}.sqlite"
            for name in ("fresh", "again"):
                got = found[name, count] = run(count, store)
                size = store.stat().st_size / count
                print(
                    f"{name:10} {count:8}  {got['cpu_s'] / count * 1e6:14.0f}  {got['wall_s'] / count * 1e6:16.0f} "
                    f" {got['bytes'] / count:14.0f}  {got['calls']:6.0f}  {size:20.0f}",
                    flush=True,
                )
    for name in ("fresh", "again"):
        small, large = found[name, given.small], found[name, given.large]
        growth = given.large / given.small
        print(
            f"{name}: {given.large} over {given.small}, a reply: CPU {large['cpu_s'] / small['cpu_s'] / growth:.2f}, "
            f"wall {large['wall_s'] / small['wall_s'] / growth:.2f}, memory {large['bytes'] / small['bytes'] / growth:.2f}"
        )
    large, warm = found["fresh", given.large], found["again", given.large]
    print(f"again over fresh at {given.large}: CPU {warm['cpu_s'] / large['cpu_s']:.2f}, asked {warm['calls']:.0f}")
    return None


if __name__ == "__main__":
    main()
