"""Command that fetches a toxicity judge: `python -m alignsuite.judges.toxicity [VARIANT | hf:ORG/NAME]`."""

from __future__ import annotations

import sys

from alignsuite.errors import AlignsuiteError
from alignsuite.judges.toxicity.classifier import judge_at
from alignsuite.judges.toxicity.detoxify import DetoxifyJudge


def main(name: str = "original") -> int:
    """Exit code: 0 when the checkpoint is there, 1 with the reason on stderr when it could not be had."""
    name = name.removeprefix("detoxify:").removeprefix("toxicity:")
    try:
        place = judge_at(name).fetch() if name.startswith("hf:") else DetoxifyJudge(name).fetch()
    except AlignsuiteError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stderr.write(f"{place}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:2]))
