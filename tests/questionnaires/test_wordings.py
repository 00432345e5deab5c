"""A wording comes from the user's file: recognised statement by statement, kept whole or not at all."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import pytest

from alignsuite.errors import InstrumentError
from alignsuite.questionnaires import import_wording, is_here, key, load
from alignsuite.questionnaires.wordings import wording_path

from .conftest import TEXTS, Toy

pytestmark = pytest.mark.usefixtures("toy")


def csv(folder: Path, *lines: str, header: str = "item,reversed,text") -> Path:
    """A file of statements."""
    path = folder / "mine.csv"
    path.write_text("\n".join([header, *lines, ""]), encoding="utf-8")
    return path


RIGHT = [f"{n},{'yes' if n % 2 == 0 else 'no'},{text}" for n, text in enumerate(TEXTS, start=1)]


def test_an_imported_wording_is_there_from_then_on(tmp_path: Path) -> None:
    """Before, the error has the commands to type; afterwards the statements stand at their items."""
    with pytest.raises(
        InstrumentError, match=r"isn't here: alignsuite instruments fetch ferns, or .* import ferns FILE\.csv"
    ):
        load("ferns")
    assert not is_here("ferns")
    import_wording("Fern Scale", csv(tmp_path, *RIGHT))
    assert is_here("ferns")
    assert [item.text for item in load("ferns").items] == list(TEXTS)
    assert load("ferns").worded
    assert not key("ferns").worded


def test_a_file_in_another_order_is_matched_by_its_words(tmp_path: Path) -> None:
    """Neither order nor other numbers nor another typist's capitals and quotes can put a statement at a wrong item."""
    import_wording("ferns", csv(tmp_path, "4,i water my FERNS", "1,Ferns are only plants!", "2,I forget my ferns.",
                                "3,My  ferns know me by name", header="item,text"))  # fmt: skip
    assert [(item.text or "").casefold().rstrip(".!") for item in load("ferns").items] == [
        "i water my ferns",
        "i forget my ferns",
        "my  ferns know me by name",
        "ferns are only plants",
    ]


@pytest.mark.parametrize("first", ["\ufeffText", " TEXT ", "text"])
def test_only_the_column_text_is_needed(tmp_path: Path, first: str) -> None:
    """A byte-order mark, capitals and other columns are no reason to refuse."""
    lines = [f"{text},whatever" for text in TEXTS]
    import_wording("ferns", csv(tmp_path, *lines, header=f"{first},note"))
    assert load("ferns").worded


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (
            [RIGHT[0], "2,yes,I neglect my ferns.", *RIGHT[2:]],
            r'mine\.csv:3: "I neglect my ferns\." is no statement of ferns as published; nearest is item 2 \(care\), .*fingerprint',
        ),
        ([*RIGHT[:3], "9,no,Ferns are plants."], r"mine\.csv:5: .* nearest is item 4"),
        (["1,no,A.", "2,no,B.", *RIGHT[2:]], r"(?s)mine\.csv:2: .* item 1 .*mine\.csv:3: .* item 2 .*nothing was kept"),
        ([*RIGHT, "5,no,I talk to trees."], r"mine\.csv:6: .*no item is left that it could stand for"),
        (RIGHT[:3], r"mine\.csv lacks item 4 of ferns"),
        (RIGHT[:2], r"mine\.csv lacks items 3, 4 of ferns"),
        ([*RIGHT, RIGHT[0]], r"mine\.csv:6: item 1 stands twice \(first at mine\.csv:2\)"),
        ([RIGHT[0].replace("no", "yes"), *RIGHT[1:]], r"mine\.csv:2: item 1 is reversed here, but not reversed in the"),
        ([RIGHT[0], "2,yes"], r"mine\.csv:3: 2 values; wanted 3"),
        ([RIGHT[0], "2,yes,I forget, my ferns"], r"mine\.csv:3: 4 values; wanted 3 .*double quotes"),
        ([RIGHT[0], '2,yes,"I forget'], r"mine\.csv:3: not CSV"),
        (["1,no,", *RIGHT[1:]], r'mine\.csv:2: "" is no statement'),
    ],
)
def test_what_is_no_statement_is_refused_line_by_line(tmp_path: Path, lines: list[str], words: str) -> None:
    """The line, the words, the item that was probably meant; and nothing is kept."""
    with pytest.raises(InstrumentError, match=words):
        import_wording("ferns", csv(tmp_path, *lines))
    assert not is_here("ferns")


def test_the_nearest_statement_is_named_where_the_wording_is_known(tmp_path: Path) -> None:
    """Neither number nor place would have found it."""
    import_wording("ferns", csv(tmp_path, *RIGHT))
    lines = ["My ferns know me by sight.", TEXTS[1], TEXTS[0], "Ferns are nothing but plants."]
    with pytest.raises(InstrumentError, match=r"(?s)by sight.*item 3 \(care\).*nothing but.*item 4 \(care\)"):
        import_wording("ferns", csv(tmp_path, *lines, header="text"))
    assert load("ferns").worded, "a refused file leaves the earlier wording alone"


def test_another_instrument_is_told_once(tmp_path: Path, toy: Toy) -> None:
    """Not as four lines that are each no statement."""
    source = (toy.data / "ferns.yaml").read_text(encoding="utf-8")
    head, _, _ = source.partition("fingerprints:")
    other = head.replace('name: ferns\nalso: ["fern scale"]', "name: moss\nalso: []")
    (toy.data / "moss.yaml").write_text(other + 'fingerprints: "a b c d"\n', encoding="utf-8")
    with pytest.raises(InstrumentError, match=r"mine\.csv holds the statements of ferns, and none of moss"):
        import_wording("moss", csv(tmp_path, *RIGHT))


def test_many_complaints_are_cut(tmp_path: Path) -> None:
    """Eight in full, and how many more."""
    with pytest.raises(InstrumentError, match=r"and 22 more;\nnothing was kept"):
        import_wording("ferns", csv(tmp_path, *(f"{n},no,Line {n}" for n in range(30))))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", r"mine\.csv:1: the file is empty; wanted a first line such as `text`"),
        (b"item,statement\n1,x\n", r"mine\.csv:1: the column `text` is missing"),
        (b"text,text\n1,x\n", r"mine\.csv:1: the column `text` stands twice"),
        (b"item;text\n1;x\n", r"mine\.csv:1: .*columns separated by commas"),
        (b"text\n\xff\n", r"mine\.csv: not UTF-8 at byte 5"),
        (b"text\n", r"mine\.csv lacks items 1, 2, 3, 4 of ferns"),
    ],
)
def test_a_file_of_another_shape_is_told(tmp_path: Path, content: bytes, words: str) -> None:
    """With what was wanted."""
    path = tmp_path / "mine.csv"
    path.write_bytes(content)
    with pytest.raises(InstrumentError, match=words):
        import_wording("ferns", path)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    """Not a traceback."""
    with pytest.raises(InstrumentError, match=r"none\.csv can't be read \(No such file"):
        import_wording("ferns", tmp_path / "none.csv")


@pytest.mark.parametrize(
    "damage", ["", "{}", "[]", '{"texts": {"a": 1}, "anchors": []}', '{"texts": [], "anchors": []}']
)
def test_a_damaged_cache_is_told_with_the_command_that_mends_it(tmp_path: Path, damage: str) -> None:
    """Half a file, or somebody else's."""
    import_wording("ferns", csv(tmp_path, *RIGHT))
    wording_path(key("ferns")).write_text(damage)
    with pytest.raises(InstrumentError, match=r"is damaged: alignsuite instruments fetch ferns"):
        load("ferns")


@pytest.mark.parametrize("change", [{"1": "I drown my ferns."}, {"5": "One more."}])
def test_a_cache_that_was_edited_is_no_wording(tmp_path: Path, change: dict[str, str]) -> None:
    """What is put to a model is what was recognised."""
    import_wording("ferns", csv(tmp_path, *RIGHT))
    path = wording_path(key("ferns"))
    kept = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**kept, "texts": {**kept["texts"], **change}}), encoding="utf-8")
    with pytest.raises(InstrumentError, match="was changed, and is no wording of ferns any more"):
        load("ferns")


def test_a_home_that_can_not_be_written_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Here a file stands where the folder should be."""
    (tmp_path / "home").write_text("")
    monkeypatch.setenv("ALIGNSUITE_HOME", str(tmp_path / "home"))
    with pytest.raises(InstrumentError, match=r"can't be kept in .*ALIGNSUITE_HOME"):
        import_wording("ferns", csv(tmp_path, *RIGHT))


def test_a_language_without_translation_is_told() -> None:
    """With those that there are."""
    with pytest.raises(InstrumentError, match=r"ferns is not known in `de`; known: `en`, `fr`"):
        load("ferns", "de")
    with pytest.raises(InstrumentError, match=r"the wording of ferns in `fr` isn't here: .* fetch ferns --language fr"):
        load("ferns", "fr")


def test_a_disk_that_fills_up_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither half a wording nor a stray file."""

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(InstrumentError, match=r"can't be kept in .* \(No space left on device\): make room"):
        import_wording("ferns", csv(tmp_path, *RIGHT))
    assert list(wording_path(key("ferns")).parent.iterdir()) == []
