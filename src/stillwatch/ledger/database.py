"""The SQLite file of a ledger: made once, opened to write or only to read, one writer at a time.

A transaction is on the disk when its block ends (WAL, ``synchronous = FULL``), whole or not at all.
Writers of several processes wait for each other, half a minute at most. Triggers refuse to change
or delete an entry: they stop a slip, not somebody who means it; that is what heads are for.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from stillwatch.durable import failures, sync_folder, write_ahead
from stillwatch.errors import StoreFormatError
from stillwatch.key_files import create_key_file
from stillwatch.ledger.signing import KEY_BYTES, SigningKey, public_pem

__all__ = ["FILE", "KEY_FILE", "PUBLIC_FILE", "Database"]

FORMAT = "stillwatch.ledger/1"
#: names in a state folder
FILE, KEY_FILE, PUBLIC_FILE = "ledger.db", "ledger.key", "ledger.pub"
_HEAD = 100  # bytes of the header of a file of SQLite
_PATIENCE = 30.0  # seconds that a writer waits for another
_TABLES = (
    "CREATE TABLE about (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID",
    "CREATE TABLE entry (number INTEGER PRIMARY KEY, leaf BLOB NOT NULL, entry BLOB NOT NULL)"
    " STRICT",
    "CREATE TABLE subtree (height INTEGER NOT NULL, number INTEGER NOT NULL, hash BLOB NOT NULL,"
    " PRIMARY KEY (height, number)) STRICT, WITHOUT ROWID",
    "CREATE TABLE head (number INTEGER PRIMARY KEY, size INTEGER NOT NULL, head BLOB NOT NULL)"
    " STRICT",
    "CREATE TRIGGER entry_stays BEFORE UPDATE ON entry"
    " BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END",
    "CREATE TRIGGER entry_is_kept BEFORE DELETE ON entry"
    " BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END",
)


class Database:
    """One connection to the file; may be used from any thread of one process."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._db = connection
        self._mutex = threading.RLock()
        about: dict[bytes, bytes] = dict(self.rows("SELECT key, value FROM about"))
        said = about.get(b"format", b"").decode(errors="replace")
        if said != FORMAT:
            raise StoreFormatError(
                f"the ledger is of the format '{said}', and this version reads {FORMAT}; "
                "use the version of stillwatch that wrote it",
                path=path,
            )
        #: the ledger's own random name; the public key that its heads are signed with
        self.ledger = about.get(b"ledger", b"").decode(errors="replace")
        self.public_key = about.get(b"public_key", b"").decode(errors="replace")

    @classmethod
    def create(cls, state: Path, key_file: Path | None) -> None:
        """Make what is missing: the folder, the signing key, the tables; all for the owner only.

        ``ledger.pub`` is written last. Where it is and the ledger is not, or is empty, there was
        one, and none is made in its place.

        Raises:
            StoreFormatError: there was a ledger here, and it is gone or was cut off.
            KeyFileError: `key_file`, which is to sign, is not there or no key.
            StorageError: the folder cannot be written.
        """
        path = state / FILE
        with failures(state, "the ledger"):
            state.mkdir(mode=0o700, parents=True, exist_ok=True)
            public = state / PUBLIC_FILE
            if public.exists():
                _check_whole(path)
            with contextlib.suppress(FileExistsError):
                # SQLite gives the files beside it (-wal, -shm) the same mode
                os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
            with contextlib.closing(_connect(path)) as db:
                write_ahead(db, _PATIENCE)
                db.execute("PRAGMA synchronous = FULL")
                db.execute("BEGIN IMMEDIATE")
                if not db.execute("SELECT 1 FROM sqlite_schema").fetchall():
                    _fill(db, _key(state, key_file))
                db.execute("COMMIT")
                if not public.exists():
                    [(key,)] = db.execute("SELECT value FROM about WHERE key = 'public_key'")
                    public.write_bytes(public_pem(key.decode()))
            sync_folder(state)

    @classmethod
    def open(cls, state: Path, *, writing: bool) -> Database:
        """Open the ledger of a state folder.

        Raises:
            StoreFormatError: there is none, it is damaged, or another version wrote it.
            StorageError: it cannot be read.
        """
        path = state / FILE
        if not path.is_file():
            raise StoreFormatError(
                f"there is no ledger here ({FILE}); `stillwatch ledger append` makes one",
                path=state,
            )
        with failures(path, "the ledger"):
            _check_whole(path)
            connection = _connect(path) if writing else _reader(path)
            try:
                connection.execute("PRAGMA synchronous = FULL")
                return cls(path, connection)
            except BaseException as error:
                connection.close()
                if "no such table" in str(error.__cause__ or error):
                    raise StoreFormatError("this is no ledger", path=path) from error
                raise

    def rows(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """What a query finds; texts are bytes, for damage may make them anything."""
        with self._mutex, failures(self.path, "the ledger"):
            return self._db.execute(statement, values).fetchall()

    @contextlib.contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A transaction that sees one moment."""
        with self._transaction("BEGIN") as connection:
            yield connection

    @contextlib.contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction that writes; it waits for other writers.

        Raises:
            StorageError: the disk is full, or may not be written; nothing was.
        """
        with self._transaction("BEGIN IMMEDIATE") as connection:
            yield connection

    def close(self) -> None:
        with self._mutex:
            self._db.close()

    @contextlib.contextmanager
    def _transaction(self, begin: str) -> Iterator[sqlite3.Connection]:
        with self._mutex, failures(self.path, "the ledger"):
            self._db.execute(begin)
            try:
                yield self._db
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise


def _check_whole(path: Path) -> None:
    """Refuse a file that is shorter than its own header says: SQLite would read zeros for the rest,
    or take what is all but empty for a new file, and write to it.

    While SQLite keeps a log beside it nothing is said: then it knows better what belongs there.
    """
    log = path.with_name(path.name + "-wal")
    try:
        if log.exists() and log.stat().st_size:
            return
        with path.open("rb") as file:
            head = file.read(_HEAD)
            size = os.fstat(file.fileno()).st_size
    except FileNotFoundError:
        head, size = b"", 0
    if not head and not path.with_name(PUBLIC_FILE).exists():
        raise StoreFormatError("this is no ledger, but an empty file", path=path)
    if not head:
        raise StoreFormatError(
            f"a ledger was begun here, and its file is gone or empty; restore {FILE} from a backup,"
            f" or, to begin anew for good, remove {PUBLIC_FILE}",
            path=path,
        )
    # https://www.sqlite.org/fileformat.html: page size, changes, pages, and whether they are valid
    page = int.from_bytes(head[16:18])
    page = 65_536 if page == 1 else page
    pages = int.from_bytes(head[28:32]) if head[24:28] == head[92:96] else 0
    if len(head) < _HEAD or (size < pages * page and not (log.exists() and log.stat().st_size)):
        raise StoreFormatError(
            f"the file is damaged: it was cut off after {size:,} bytes; restore it from a backup",
            path=path,
        )


def _connect(path: Path, how: str = "rw") -> sqlite3.Connection:
    db = sqlite3.connect(
        f"file:{quote(str(path))}?mode={how}", uri=True, timeout=_PATIENCE, isolation_level=None,
        check_same_thread=False,
    )  # fmt: skip
    db.text_factory = bytes
    return db


def _reader(path: Path) -> sqlite3.Connection:
    db = _connect(path, "ro")
    try:
        db.execute("SELECT 1 FROM sqlite_schema").fetchall()
    except sqlite3.OperationalError:
        # SQLite wants to make files beside it, and may not: nobody else can be writing then
        db.close()
        log = path.with_name(path.name + "-wal")
        if log.exists() and log.stat().st_size:
            raise
        return _connect(path, "ro&immutable=1")
    except BaseException:
        db.close()
        raise
    return db


def _fill(db: sqlite3.Connection, key: SigningKey) -> None:
    for statement in _TABLES:
        db.execute(statement)
    about = {"format": FORMAT, "ledger": secrets.token_hex(16), "public_key": key.public}
    db.executemany("INSERT INTO about VALUES (?, ?)", about.items())


def _key(state: Path, key_file: Path | None) -> SigningKey:
    """The key of a new ledger: the one given, or ``ledger.key``, which is made."""
    if key_file is None:
        key_file = state / KEY_FILE
        if key_file.exists() and key_file.stat().st_size < KEY_BYTES:
            key_file.unlink()  # its making was killed, and nothing was signed with it
        if not key_file.exists():
            create_key_file(key_file, secrets.token_bytes(KEY_BYTES))
    return SigningKey.from_file(key_file)
