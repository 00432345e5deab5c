"""Command that fetches a checkpoint of Detoxify: `python -m alignsuite.judges.toxicity [VARIANT]`."""

from __future__ import annotations

import sys

from alignsuite.errors import AlignsuiteError
from alignsuite.judges.toxicity.detoxify import DetoxifyJudge


def main(variant: str = "original") -> int:
    """Exit code: 0 when the checkpoint is there, 1 with the reason on stderr when it could not be had."""
    try:
        file = DetoxifyJudge(variant).fetch()
    except AlignsuiteError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stderr.write(f"{file}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:2]))
