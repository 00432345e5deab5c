"""The store keeps what was paid for, and says clearly when it can't."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from alignsuite.errors import StoreError
from alignsuite.models.protocol import Choose, Chosen, Generate, Generated, Message
from alignsuite.models.store import Store

ASK = Generate((Message("user", "hello"),), max_tokens=5)


def test_a_reply_is_found_again_under_the_same_weights_only(tmp_path: Path) -> None:
    """Another fingerprint, or any other decoding, meets nothing."""
    store = Store(tmp_path / "s.sqlite")
    store.put("one", ASK, Generated("hi"))
    assert store.get("one", [ASK]) == {ASK: Generated("hi")}
    assert store.get("two", [ASK]) == {}
    assert store.get("one", [Generate(ASK.prompt, max_tokens=6), Generate(ASK.prompt, max_tokens=5, seed=1)]) == {}


def test_hints_are_no_part_of_a_request(tmp_path: Path) -> None:
    """What a double may know changes neither the key nor what is kept."""
    store = Store(tmp_path / "s.sqlite")
    store.put("m", Generate("p", hint={"secret": "x"}), Generated("hi"))
    assert store.get("m", [Generate("p")]) == {Generate("p"): Generated("hi")}
    assert b"secret" not in (tmp_path / "s.sqlite").read_bytes() + (tmp_path / "s.sqlite-wal").read_bytes()


def test_an_option_that_was_only_bounded_stays_so(tmp_path: Path) -> None:
    """Minus infinity and `exact` survive the way through JSON."""
    store, ask = Store(tmp_path / "s.sqlite"), Choose("p", ("a", "b"))
    store.put("m", ask, Chosen((-0.5, float("-inf")), exact=False))
    assert store.get("m", [ask])[ask] == Chosen((-0.5, float("-inf")), exact=False)


def test_reasoning_and_the_provider_s_reason_are_kept(tmp_path: Path) -> None:
    """They come back as they were, lone surrogates included."""
    store = Store(tmp_path / "s.sqlite")
    reply = Generated("42", "withheld", 3, 4, 0.5, thought="Six times \ud800 seven?", withheld="content_filter")
    store.put("m", ASK, reply)
    assert store.get("m", [ASK]) == {ASK: reply}


def test_what_has_no_reasoning_is_written_as_ever(tmp_path: Path) -> None:
    """A store that an earlier version wrote is read, and this version writes the same rows."""
    store = Store(tmp_path / "s.sqlite")
    store.put("m", ASK, Generated("hi", "length", 3, 5, 0.5))
    database = sqlite3.connect(store.path)
    (row,) = database.execute("SELECT * FROM replies").fetchall()
    assert row == (
        "m",
        "9f3a708e67a57dd6f712f51cf2d94de8c2793ca13c6221f66e21f30444fcd312",
        '{"kind": "generate", "prompt": [["user", "hello"]], "max_tokens": 5, "temperature": 0.0, "seed": 0, "stop": []}',
        '{"kind": "generated", "text": "hi", "finish": "length", "prompt_tokens": 3, "completion_tokens": 5, "seconds": 0.5}',
    )


def test_the_first_reply_to_a_request_stays(tmp_path: Path) -> None:
    """A second writer changes nothing: verdicts that rest on the first stay true."""
    store = Store(tmp_path / "s.sqlite")
    store.put("m", ASK, Generated("first"))
    store.put("m", ASK, Generated("second"))
    assert store.get("m", [ASK])[ASK] == Generated("first")


def test_thousands_of_requests_are_looked_up_at_once(tmp_path: Path) -> None:
    """More requests than SQLite takes variables are no problem."""
    store = Store(tmp_path / "s.sqlite")
    asks = [Generate("p", seed=number) for number in range(2_345)]
    for ask in asks[::2]:
        store.put("m", ask, Generated(str(ask.seed)))
    assert set(store.get("m", asks)) == set(asks[::2])


def test_two_processes_write_one_store(tmp_path: Path) -> None:
    """Opened at the same moment by several writers, it holds all their replies."""
    code = (
        "import sys; from pathlib import Path; from alignsuite.models.store import Store; "
        "from alignsuite.models.protocol import Generate, Generated; store = Store(Path(sys.argv[1])); "
        "[store.put('m', Generate('p', seed=n), Generated('x')) for n in range(int(sys.argv[2]), 300, 3)]"
    )
    path = tmp_path / "s.sqlite"
    writers = [subprocess.Popen([sys.executable, "-c", code, str(path), str(number)]) for number in range(3)]
    assert [writer.wait(60) for writer in writers] == [0, 0, 0]
    assert Store(path).count("m") == 300


def test_a_store_of_another_version_is_refused_by_both_numbers(tmp_path: Path) -> None:
    """It is neither read nor changed."""
    path = tmp_path / "s.sqlite"
    Store(path).close()
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 99")
    with pytest.raises(StoreError, match=r"has format 99, this version of alignsuite reads 1.*--align-store"):
        Store(path)


def test_a_file_that_is_no_store_is_refused(tmp_path: Path) -> None:
    """Text, or somebody else's database, is left as it is."""
    text, other = tmp_path / "notes.txt", tmp_path / "other.db"
    text.write_text("these are my notes, and they are long enough to be no database header at all")
    with pytest.raises(StoreError, match="is no store of alignsuite"):
        Store(text)
    with sqlite3.connect(other) as db:
        db.execute("CREATE TABLE mine (x)")
    with pytest.raises(StoreError, match="database of something else"):
        Store(other)
    with sqlite3.connect(other) as db:
        assert db.execute("SELECT name FROM sqlite_master").fetchall() == [("mine",)]


def test_a_full_disk_is_named_and_loses_nothing(tmp_path: Path) -> None:
    """The reply that no longer fits is an error that says so; all before it are there."""
    store = Store(tmp_path / "s.sqlite")
    store._db.execute("PRAGMA max_page_count = 12")
    kept, asks = 0, iter(Generate("p", seed=number) for number in range(1_000))

    def fill() -> None:
        nonlocal kept
        for ask in asks:
            store.put("m", ask, Generated("y" * 500))
            kept += 1

    with pytest.raises(StoreError, match=r"can't grow: the disk is full.*not asked twice"):
        fill()
    store.close()
    assert kept > 5
    assert Store(tmp_path / "s.sqlite").count("m") == kept


def test_a_read_only_store_is_named(tmp_path: Path) -> None:
    """What can't be written is an error that says what to do, not a run that pays twice."""
    path = tmp_path / "s.sqlite"
    store = Store(path)
    store._db.execute("PRAGMA query_only = 1")
    with pytest.raises(StoreError, match=r"can't be written \(read-only\).*--align-store"):
        store.put("m", ASK, Generated("x"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write into read-only folders")
def test_a_read_only_folder_is_named(tmp_path: Path) -> None:
    """A folder that can't be written to is an error at the start, before anything is paid for."""
    folder = tmp_path / "locked"
    folder.mkdir(mode=0o500)
    with pytest.raises(StoreError, match="can't be opened"):
        Store(folder / "s.sqlite")


def test_a_folder_that_cannot_be_is_named(tmp_path: Path) -> None:
    """A path through a file can't become a folder."""
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"can't be opened.*--align-store"):
        Store(tmp_path / "file" / "s.sqlite")
