"""Do two run files tell the same story? `python tests/same_run.py A.jsonl B.jsonl` prints the first path that differs, and exits with 1.

What a run spent is left out (keys named `time` or ending in `_s`), and so is what schema 2 added and where the store lay.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

LEFT_OUT = {"time", "schema", "pairing", "effect", "answered", "alignsuite"}


def differences(a: Any, b: Any, path: str = "") -> Iterator[str]:
    """The paths at which two values differ, with both sides; the order of keys is free."""
    if isinstance(a, dict) and isinstance(b, dict):
        for key in sorted((a.keys() | b.keys()) - LEFT_OUT):
            if not key.endswith("_s"):
                yield from differences(a.get(key, "<absent>"), b.get(key, "<absent>"), f"{path}.{key}")
    elif isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        for place, (one, other) in enumerate(zip(a, b, strict=True)):
            yield from differences(one, other, f"{path}[{place}]")
    elif _plain(path, a) != _plain(path, b):
        yield f"{path}: {a!r} != {b!r}"


def _plain(path: str, value: object) -> object:
    return re.sub(r" '?--align-store=\S+", "", str(value)) if path.endswith(".replay") else value


def main(first: str, second: str) -> int:
    """0 where they are the same."""
    a, b = ([json.loads(line) for line in Path(name).read_text("ascii").splitlines()] for name in (first, second))
    found = next(differences(a, b), None)
    print(f"the same: {len(a)} lines" if found is None else found)
    return int(found is not None)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
