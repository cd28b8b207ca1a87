"""The salts of commitments, in a file apart from the ledger: what is deleted here, is forgotten.

``salts.db`` in the state folder holds who was committed to, and with which salt. The ledger can be
copied and shown without it. Deleting a row cannot be undone, and leaves commitments to nobody.
Of each salt the day is kept on which a commitment was last asked for, so that it can go when no
entry has needed it for long.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

from stillwatch.durable import failures, sync_folder, write_ahead
from stillwatch.errors import StoreFormatError
from stillwatch.ledger.commitments import commit, new_salt

__all__ = ["FILE", "Salts", "Somebody"]

FILE = "salts.db"
_FIRST, _FORMAT = 0x5357_0001, 0x5357_0002  # user_version; the first knew no days
_DAY = 86_400  # seconds
_PATIENCE = 30.0  # seconds that a writer waits for another
_TABLE = """
CREATE TABLE IF NOT EXISTS salt (of TEXT NOT NULL, identifier TEXT NOT NULL, salt BLOB NOT NULL,
    commitment TEXT NOT NULL UNIQUE, used_on INTEGER NOT NULL, PRIMARY KEY (of, identifier))
    STRICT, WITHOUT ROWID
"""


class Somebody(NamedTuple):
    """Who a commitment is to: the word that says what it identifies, and the identifier."""

    of: str
    identifier: str


class Salts:
    """The file of a state folder. May be used from any thread, by several processes at once."""

    def __init__(
        self, path: Path, connection: sqlite3.Connection, clock: Callable[[], float] = time.time
    ) -> None:
        self.path = path
        self._db = connection
        self._clock = clock
        self._mutex = threading.Lock()

    @classmethod
    def open(
        cls, state: Path | str, *, create: bool = False, clock: Callable[[], float] = time.time
    ) -> Salts:
        """The salts of the folder `state`. `clock` gives seconds since the epoch.

        In a file of before, the days on which salts were used begin with this opening.

        Raises:
            StoreFormatError: there are none, or the file is damaged or of another version.
            StorageError: it cannot be read.
        """
        path = Path(state).absolute() / FILE
        with failures(path, "the ledger"):
            if create:
                path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                with contextlib.suppress(FileExistsError):
                    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
                    sync_folder(path.parent)
            elif not path.is_file():
                raise StoreFormatError(f"there are no salts here ({FILE})", path=path.parent)
            db = sqlite3.connect(
                path, timeout=_PATIENCE, isolation_level=None, check_same_thread=False
            )
            try:
                db.execute("PRAGMA secure_delete = ON")
                write_ahead(db)
                db.execute("PRAGMA synchronous = FULL")
                _prepare(db, path, int(clock()) // _DAY)
            except BaseException:
                db.close()
                raise
        return cls(path, db, clock)

    def commitment(self, identifier: str, of: str = "account") -> str:
        """The commitment to somebody, always the same until :meth:`erase`; the salt is on the disk.

        Raises:
            ValueError: `of` is no word in lower-case letters, or a text holds half a surrogate.
        """
        fresh = new_salt()
        made = commit(identifier, fresh, of=of)
        today = int(self._clock()) // _DAY
        with self._mutex, failures(self.path, "the ledger"):
            found = self._db.execute(
                "SELECT commitment FROM salt WHERE of = ? AND identifier = ? AND used_on >= ?",
                (of, identifier, today),
            ).fetchone()
            if found is not None:
                return str(found[0])
            self._db.execute(
                "INSERT INTO salt VALUES (?, ?, ?, ?, ?) ON CONFLICT (of, identifier) DO UPDATE"
                " SET used_on = max(used_on, excluded.used_on)",
                (of, identifier, fresh, made, today),
            )
            kept = self._find(identifier, of)  # another process may have been faster
            assert kept is not None
            return kept

    def find(self, identifier: str, of: str = "account") -> str | None:
        """The commitment to somebody, None if there is none or it was erased."""
        with self._mutex, failures(self.path, "the ledger"):
            return self._find(identifier, of)

    def salt(self, commitment: str) -> bytes | None:
        """The salt that opens a commitment, to be shown to whoever may know."""
        with self._mutex, failures(self.path, "the ledger"):
            row = self._db.execute(
                "SELECT salt FROM salt WHERE commitment = ?", (commitment,)
            ).fetchone()
        return None if row is None else bytes(row[0])

    def somebody(self, commitment: str) -> Somebody | None:
        """Who a commitment is to, None once the salt was erased."""
        with self._mutex, failures(self.path, "the ledger"):
            row = self._db.execute(
                "SELECT of, identifier FROM salt WHERE commitment = ?", (commitment,)
            ).fetchone()
        return None if row is None else Somebody(*row)

    def erase(self, identifier: str, of: str = "account") -> bool:
        """Delete the salt of somebody; whether there was one.

        Freed bytes are overwritten with zeros, in the file and in what SQLite keeps beside it.
        Interrupted, it is run again. Backups are the operator's.
        """
        with self._mutex, failures(self.path, "the ledger"):
            gone = self._db.execute(
                "DELETE FROM salt WHERE of = ? AND identifier = ?", (of, identifier)
            ).rowcount
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return gone > 0

    def unused(self, before: float) -> int:
        """How many salts :meth:`expire` would delete; nothing is touched."""
        with self._mutex, failures(self.path, "the ledger"):
            [(found,)] = self._db.execute(
                "SELECT count(*) FROM salt WHERE used_on < ?", (int(before) // _DAY,)
            ).fetchall()
        return int(found)

    def expire(self, before: float) -> int:
        """Delete the salts that were last used on a UTC day before that of a time (seconds): how
        many. Freed bytes are overwritten as by :meth:`erase`."""
        with self._mutex, failures(self.path, "the ledger"):
            gone = self._db.execute(
                "DELETE FROM salt WHERE used_on < ?", (int(before) // _DAY,)
            ).rowcount
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return gone

    def close(self) -> None:
        """Let go of the file; nothing is lost without it."""
        with self._mutex:
            self._db.close()

    def __enter__(self) -> Salts:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _find(self, identifier: str, of: str) -> str | None:
        row = self._db.execute(
            "SELECT commitment FROM salt WHERE of = ? AND identifier = ?", (of, identifier)
        ).fetchone()
        return None if row is None else str(row[0])


def _prepare(db: sqlite3.Connection, path: Path, today: int) -> None:
    [(version,)] = db.execute("PRAGMA user_version").fetchall()
    if version == _FORMAT:
        return
    if version not in (0, _FIRST):
        raise StoreFormatError(
            f"the salts are of the format {version:#x}, and this version reads {_FORMAT:#x}",
            path=path,
        )
    db.execute("BEGIN IMMEDIATE")
    try:
        [(version,)] = db.execute("PRAGMA user_version").fetchall()  # another may have been faster
        if version == _FIRST:
            db.execute(f"ALTER TABLE salt ADD COLUMN used_on INTEGER NOT NULL DEFAULT {today}")
        db.execute(_TABLE)
        db.execute(f"PRAGMA user_version = {_FORMAT}")
        db.execute("COMMIT")
    except BaseException:
        db.execute("ROLLBACK")
        raise
