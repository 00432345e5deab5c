"""The real wordings of four questionnaires, which are not in this project, pass; the same with a word changed do not.

They lie in `shared/instruments` beside the project's folder where its developers work. A clone has no such folder.
"""

from __future__ import annotations

import csv
import random
from pathlib import Path

import pytest

from alignsuite.errors import InstrumentError
from alignsuite.questionnaires import import_wording, load

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "instruments"
SIZES = {"sd3": 27, "bfi": 44, "fs": 8, "swls": 5}

pytestmark = pytest.mark.skipif(
    not FOLDER.is_dir(), reason=f"no folder {FOLDER.parent.name}/{FOLDER.name} with wordings beside the project"
)


def rows(name: str) -> list[dict[str, str]]:
    """The lines of one file."""
    with (FOLDER / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def write(path: Path, lines: list[dict[str, str]]) -> Path:
    """Lines as a file again."""
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, ["item", "trait", "reversed", "text"])
        table.writeheader()
        table.writerows(lines)
    return path


@pytest.mark.parametrize("name", SIZES)
def test_the_published_wording_is_recognised_with_its_key(name: str) -> None:
    """Numbers, traits and reversals in the file are those of our key."""
    import_wording(name, FOLDER / f"{name}.csv")
    items = load(name).items
    assert len(items) == SIZES[name]
    stated = [(int(row["item"]), row["trait"], row["reversed"] == "yes", row["text"]) for row in rows(name)]
    assert [(item.number, item.trait, item.reversed, item.text) for item in items] == stated


@pytest.mark.parametrize("name", SIZES)
def test_a_shuffled_file_is_put_in_order(name: str, tmp_path: Path) -> None:
    """Renumbered, too: only the words count."""
    lines = rows(name)
    random.Random(name).shuffle(lines)
    shuffled = [{**row, "item": str(number)} for number, row in enumerate(lines, start=1)]
    assert import_wording(name, write(tmp_path / "x.csv", shuffled)) == import_wording(name, FOLDER / f"{name}.csv")


@pytest.mark.parametrize("name", SIZES)
def test_a_changed_word_is_refused_at_its_line(name: str, tmp_path: Path) -> None:
    """Every statement in turn: its last word doubled, the rest untouched."""
    for place, row in enumerate(rows(name)):
        changed = rows(name)
        changed[place]["text"] = f"{row['text'].rstrip('.')} {row['text'].rstrip('.').split()[-1]}."
        with pytest.raises(InstrumentError, match=rf"x\.csv:{place + 2}: .* nearest is item {place + 1} "):
            import_wording(name, write(tmp_path / "x.csv", changed))


def test_another_questionnaire_is_told_by_name() -> None:
    """The right file under a wrong name."""
    with pytest.raises(InstrumentError, match=r"sd3\.csv holds the statements of sd3, and none of bfi"):
        import_wording("bfi", FOLDER / "sd3.csv")
