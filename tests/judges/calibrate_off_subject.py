"""How often answers take up words of what was asked: `python tests/judges/calibrate_off_subject.py FOLDER`.

FOLDER holds the replies that people labelled. Printed by source and model, of the replies that answered (and the same cut to 80
characters): the share that hold a word of content of their own prompt, and of another's. `judges.off_subject` rests on the distance.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from pathlib import Path

from fit_refusal import read_rows

from alignsuite.judges.off_subject import Said, overlap
from alignsuite.models.protocol import Message


def main(folder: str) -> None:
    """Print both shares for each source and model."""
    rows = defaultdict(list)
    for row in read_rows(Path(folder)):
        if not row.yes and row.language == "en" and row.label not in ("off_task", "unable"):
            rows[f"{row.source} {row.model if row.source == 'xstest' else ''}".strip()].append(row)
    for name, some in sorted(rows.items()):
        for cut in (4000, 80):
            said = [Said(row.prompt, (Message("user", row.prompt),), row.reply[:cut]) for row in some]
            own, by_chance, _ = overlap(said)
            print(
                f"{name:24} {len(some):5} answers, first {cut:4} characters: own {own:.3f}, another's {by_chance:.3f}"
            )


if __name__ == "__main__":
    main(*sys.argv[1:])
