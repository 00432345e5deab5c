"""Reply store: every reply that was ever paid for, under the identity of the weights that gave it.

One SQLite file, in WAL mode so that several processes may read and write it at once. Each reply is committed the moment it
arrives: killing the process loses none that had. A reply is found again only under the same model fingerprint and the same request, so
a changed checkpoint never meets old replies. Beside the replies stands what was learnt of how an endpoint has to be asked: a store that is
carried elsewhere answers there as it did here. Texts are kept as ASCII JSON, because models may emit lone surrogates that UTF-8 has no
place for. No key, header or address is ever written here.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from alignsuite.errors import StoreError
from alignsuite.models.protocol import (
    ModelInfo,
    Reply,
    Request,
    reply_from_json,
    reply_to_json,
    request_key,
    request_to_json,
)

VERSION = 1
_MAX_VARIABLES = 500


class Speed(NamedTuple):
    """Average cost of so many replies: tokens of the prompt and of the reply, and seconds of the model's work."""

    replies: int
    prompt_tokens: float
    completion_tokens: float
    seconds: float


class Store:
    """Reply store, keyed by (model fingerprint, request). Safe to use from several threads.

    Raises:
        StoreError: when the file can't be opened, is none of ours, or was written by another version of the format.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(path, timeout=30, check_same_thread=False, isolation_level=None)
            self._open()
        except sqlite3.DatabaseError as error:
            raise StoreError(_explain(path, error)) from error
        except OSError as error:
            raise StoreError(
                f"the store {path} can't be opened ({error.strerror}): name another place with --align-store"
            ) from error

    def _open(self) -> None:
        version = self._db.execute("PRAGMA user_version").fetchone()[0]
        if version not in (0, VERSION):
            self._db.close()
            raise StoreError(
                f"the store {self.path} has format {version}, this version of alignsuite reads {VERSION}: name another with --align-store, "
                "or keep using the version that wrote it"
            )
        if version == 0:
            tables = self._db.execute("SELECT name FROM sqlite_master").fetchall()
            if tables and ("replies",) not in tables:
                raise StoreError(f"{self.path} is a database of something else: name another file with --align-store")
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.execute(
            "CREATE TABLE IF NOT EXISTS replies "
            "(model TEXT, request TEXT, asked TEXT, reply TEXT, PRIMARY KEY (model, request)) WITHOUT ROWID"
        )
        if version == 0:
            self._db.execute(f"PRAGMA user_version={VERSION}")

    def get(self, model: str, requests: Iterable[Request]) -> dict[Request, Reply]:
        """Stored replies, for whichever of the requests have one."""
        by_key = {request_key(request): request for request in requests}
        keys, found = list(by_key), {}
        with self._lock:
            for start in range(0, len(keys), _MAX_VARIABLES):
                some = keys[start : start + _MAX_VARIABLES]
                marks = ",".join("?" * len(some))
                query = f"SELECT request, reply FROM replies WHERE model = ? AND request IN ({marks})"  # noqa: S608 (only question marks)
                try:
                    rows = self._db.execute(query, (model, *some)).fetchall()
                except sqlite3.DatabaseError as error:
                    raise StoreError(_explain(self.path, error)) from error
                found.update({by_key[key]: reply_from_json(json.loads(reply)) for key, reply in rows})
        return found

    def replies_of(self, info: ModelInfo, requests: Iterable[Request]) -> dict[Request, Reply]:
        """Stored replies of a model, each looked for under the identity that it is kept under."""
        by_identity: dict[str, list[Request]] = {}
        for request in requests:
            by_identity.setdefault(info.identity_of(request), []).append(request)
        found = (self.get(identity, some) for identity, some in by_identity.items())
        return {request: reply for part in found for request, reply in part.items()}

    def put(self, model: str, request: Request, reply: Reply) -> None:
        """Write one reply and commit it. A reply that is there already stays as it is.

        Raises:
            StoreError: when it can't be written (full disk, read-only place); the reply itself is still good for this run.
        """
        row = (model, request_key(request), json.dumps(request_to_json(request)), json.dumps(reply_to_json(reply)))
        with self._lock:
            try:
                self._db.execute("INSERT OR IGNORE INTO replies VALUES (?, ?, ?, ?)", row)
            except sqlite3.DatabaseError as error:
                raise StoreError(_explain(self.path, error)) from error

    def learnt(self, model: str) -> dict[str, str]:
        """What was learnt of how to ask a model, by its fingerprint (`ModelInfo.learnt`); empty where nothing was."""
        with self._lock:
            if not self._db.execute("SELECT 1 FROM sqlite_master WHERE name = 'learnt'").fetchone():
                return {}  # older than this table, or nobody ever learnt anything
            row = self._db.execute("SELECT facts FROM learnt WHERE model = ?", (model,)).fetchone()
        return dict(json.loads(row[0])) if row else {}

    def learn(self, model: str, facts: Mapping[str, str]) -> None:
        """Remember what was learnt of how to ask a model, so that the next session finds the replies that were got so.

        Raises:
            StoreError: when it can't be written.
        """
        with self._lock:
            try:
                self._db.execute("CREATE TABLE IF NOT EXISTS learnt (model TEXT PRIMARY KEY, facts TEXT) WITHOUT ROWID")
                self._db.execute("INSERT OR REPLACE INTO learnt VALUES (?, ?)", (model, json.dumps(dict(facts))))
            except sqlite3.DatabaseError as error:
                raise StoreError(_explain(self.path, error)) from error

    def speed(self, model: str) -> dict[str, Speed]:
        """Average cost of a model's replies by kind (`generated`, `chosen`); a kind without replies is missing."""
        with self._lock:
            rows = self._db.execute(
                "SELECT json_extract(reply, '$.kind'), count(*), avg(json_extract(reply, '$.prompt_tokens')), "
                "avg(json_extract(reply, '$.completion_tokens')), avg(json_extract(reply, '$.seconds')) "
                "FROM replies WHERE model = ? GROUP BY 1",
                (model,),
            ).fetchall()
        return {kind: Speed(*numbers) for kind, *numbers in rows}

    def count(self, model: str | None = None) -> int:
        """Count of stored replies, of one model or of all."""
        with self._lock:
            query = "SELECT count(*) FROM replies WHERE ?1 IS NULL OR model = ?1"
            return int(self._db.execute(query, (model,)).fetchone()[0])

    def close(self) -> None:
        """Close the file. Nothing is pending: every reply was committed when it came."""
        with self._lock:
            self._db.close()


def _explain(path: Path, error: sqlite3.DatabaseError) -> str:
    name = getattr(error, "sqlite_errorname", "") or ""
    if name.startswith("SQLITE_READONLY"):
        return f"the store {path} can't be written (read-only): make it writable or name another with --align-store"
    if name == "SQLITE_FULL":
        return f"the store {path} can't grow: the disk is full; free some space and run again, what is in the store is not asked twice"
    if name.startswith("SQLITE_CANTOPEN"):
        return (
            f"the store {path} can't be opened: its folder is missing or not writable; name another with --align-store"
        )
    if name in ("SQLITE_NOTADB", "SQLITE_CORRUPT"):
        return f"{path} is no store of alignsuite, or is damaged: name another with --align-store"
    return f"the store {path} failed: {error}"
