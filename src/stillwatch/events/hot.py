"""The SQLite file of a store: what is hot, which Parquet parts count, whose key made the digests.

A part counts from the transaction that lists it; rows leave the hot log in that same transaction.
That is why a crash at any moment leaves every row exactly once.
"""

from __future__ import annotations

import contextlib
import secrets
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa

from stillwatch.durable import failures, write_ahead
from stillwatch.errors import StorageError, StoreFormatError
from stillwatch.events.batches import by_day, checked, joined, pack, unpack
from stillwatch.events.parts import Moment, Part
from stillwatch.exchange import COLUMNS, FIRST_COLUMNS, SCHEMA_VERSION

__all__ = ["HotLog"]

FORMAT = "stillwatch.events/1"
#: the columns of this version and of the earlier ones that it reads, ours first
_VERSIONS = [
    ", ".join(f"{c.name} {c.type}" for c in COLUMNS[:number])
    for number in range(len(COLUMNS), FIRST_COLUMNS - 1, -1)
]
_COLUMNS = _VERSIONS[0]
_PATIENCE = 30_000  # milliseconds to wait for another process
_BLOB_ROWS = 65_536
_TABLES = """
CREATE TABLE about (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE hot (seq INTEGER PRIMARY KEY AUTOINCREMENT, day TEXT NOT NULL, rows INTEGER NOT NULL,
                  body BLOB NOT NULL) STRICT;
CREATE INDEX hot_by_day ON hot (day, seq, rows);
CREATE TABLE part (path TEXT PRIMARY KEY, day TEXT NOT NULL, rows INTEGER NOT NULL,
                   bytes INTEGER NOT NULL, sha256 BLOB NOT NULL) STRICT;
CREATE INDEX part_by_day ON part (day, path, rows);
"""
#: made when it is first needed: stores of before have none
_APPLIED = """
CREATE TABLE IF NOT EXISTS applied (source TEXT PRIMARY KEY, sequence INTEGER NOT NULL)
STRICT, WITHOUT ROWID
"""


class HotLog:
    """One connection to the file; may be used from any thread of one process."""

    def __init__(self, path: Path) -> None:
        """Open the file.

        Raises:
            StoreFormatError: it is absent, damaged, or of another version.
        """
        self.path = path
        self._mutex = threading.RLock()
        if not path.is_file():
            raise StoreFormatError("there is no event store here", path=path.parent)
        with failures(path):
            self._db = _connect(path)
            try:
                self._about = dict(self._db.execute("SELECT key, value FROM about"))
            except sqlite3.OperationalError as error:
                self._db.close()
                if "no such table" not in str(error):
                    raise
                raise StoreFormatError("this is no event store", path=path) from error
            except BaseException:
                self._db.close()
                raise
        try:
            self._check_version()
        except BaseException:
            self._db.close()
            raise

    @classmethod
    def create(cls, path: Path, key_id: str) -> None:
        """Make an empty file; it gets its name only when it is whole."""
        aside = path.with_suffix(".new")
        with failures(path):
            aside.unlink(missing_ok=True)
            db = _connect(aside, page_size=16_384)
            try:
                db.executescript(_TABLES)
                db.executemany(
                    "INSERT INTO about VALUES (?, ?)",
                    [
                        ("format", FORMAT), ("exchange", SCHEMA_VERSION), ("columns", _COLUMNS),
                        ("key_id", key_id), ("operation", "0"), ("id", secrets.token_hex(8)),
                    ],
                )  # fmt: skip
            finally:
                db.close()
            aside.rename(path)

    @property
    def key_id(self) -> str:
        """The name of the key that the digests were made with."""
        return str(self._about["key_id"])

    def append(
        self, batch: pa.RecordBatch, source: str | None = None, sequence: int | None = None
    ) -> None:
        """Keep the rows of `batch`; they are on the disk when this returns.

        With a `source`, in the same transaction: that all of it up to `sequence` is kept. Nothing
        is done if that stood there already.
        """
        bodies = [
            (when.isoformat(), len(piece), pack(piece))
            for when, rows in by_day(checked(batch))
            for start in range(0, len(rows), _BLOB_ROWS)
            for piece in [rows.slice(start, _BLOB_ROWS)]
        ]
        if not bodies and source is None:
            return
        with self._transaction() as db:
            self._say_columns(db)
            if source is not None:
                db.execute(_APPLIED)
                fresh = db.execute(
                    "INSERT INTO applied VALUES (?1, ?2) ON CONFLICT DO "
                    "UPDATE SET sequence = ?2 WHERE sequence < ?2",
                    (source, sequence),
                ).rowcount
                if not fresh:
                    return
            db.executemany("INSERT INTO hot (day, rows, body) VALUES (?, ?, ?)", bodies)

    def applied(self, source: str) -> int | None:
        """The last sequence of `source` that is kept; None if it never appended."""
        if not self._all("SELECT 1 FROM sqlite_schema WHERE name = 'applied'"):
            return None
        found = self._all("SELECT sequence FROM applied WHERE source = ?", source)
        return int(found[0][0]) if found else None

    def operation(self) -> int:
        """A number that no operation on this store had before, and none will have again."""
        with self._transaction() as db:
            self._say_columns(db)
            row = db.execute(
                "UPDATE about SET value = CAST(value AS INTEGER) + 1 WHERE key = 'operation' "
                "RETURNING value"
            ).fetchone()
        return int(row[0])

    def days(self) -> list[date]:
        """Every day with rows, hot or in parts."""
        found = self._all("SELECT day FROM hot UNION SELECT day FROM part ORDER BY day")
        return [date.fromisoformat(day) for (day,) in found]

    def hot_days(self) -> list[date]:
        """Every day with rows in the hot log."""
        return [
            date.fromisoformat(day)
            for (day,) in self._all("SELECT DISTINCT day FROM hot ORDER BY day")
        ]

    def rows(self, before: date = date.max) -> int:
        """Rows in all, or of the days before `before`."""
        return int(
            self._all(
                "SELECT (SELECT coalesce(sum(rows), 0) FROM hot WHERE day < ?1) "
                "+ (SELECT coalesce(sum(rows), 0) FROM part WHERE day < ?1)",
                before.isoformat(),
            )[0][0]
        )

    def parts(self, first: date | None = None, last: date | None = None) -> list[Part]:
        """The parts that count, of the days from `first` to `last`, both included."""
        rows = self._all(
            "SELECT path, day, rows, bytes, sha256 FROM part WHERE day BETWEEN ? AND ? "
            "ORDER BY day, path",
            (first or date.min).isoformat(),
            (last or date.max).isoformat(),
        )
        return [Part(path, date.fromisoformat(day), *rest) for path, day, *rest in rows]

    def moment(self) -> Moment:
        """What is listed now, all of it as of one moment."""
        with self._mutex, failures(self.path):
            self._db.execute("BEGIN")
            try:
                about = dict(self._db.execute("SELECT key, value FROM about"))
                parts = self.parts()
                last = self._db.execute(
                    "SELECT seq FROM sqlite_sequence WHERE name = 'hot'"
                ).fetchone()
            finally:
                self._db.execute("ROLLBACK")
        return Moment(
            store=str(about.get("id", "")),
            parts=tuple(parts),
            appended=int(last[0]) if last else 0,
            removals=int(about.get("removals", 0)),
        )

    def removed(self) -> None:
        """Rows were removed: count it, for those who follow."""
        with self._transaction() as db:
            _count_removal(db)

    def batches(
        self, day: date | None = None, *, rows: int = 1, after: int = 0
    ) -> Iterator[tuple[int, pa.RecordBatch]]:
        """What is hot when this starts, oldest first, of one day if `day` is given.

        Batches up to the number `after` are left out.

        Appended batches are joined until they have `rows` rows, and come with the number of the
        last of them. No transaction stays open in between.

        Raises:
            StoreFormatError: a batch is damaged.
        """
        which = "seq > ? AND seq <= ?" + ("" if day is None else " AND day = ?")
        last = self._all("SELECT coalesce(max(seq), 0) FROM hot")[0][0]
        values = [last] if day is None else [last, day.isoformat()]
        seq, waiting, size = after, [], 0
        while found := self._all(
            f"SELECT seq, body, rows FROM hot WHERE {which} ORDER BY seq LIMIT 1",
            seq,
            *values,
        ):
            seq, body, stated = found[0]
            waiting.append(self._unpacked(seq, body, stated))
            size += stated
            if size >= rows:
                yield seq, joined(waiting)
                waiting, size = [], 0
        if waiting:
            yield seq, joined(waiting)

    def _unpacked(self, seq: int, body: bytes, rows: int) -> pa.RecordBatch:
        try:
            batch = unpack(body)
        except (pa.ArrowException, OSError) as error:
            raise StoreFormatError(
                f"batch {seq} of the hot log is damaged ({error}); restore the file",
                path=self.path,
            ) from error
        if len(batch) != rows:
            raise StoreFormatError(
                f"batch {seq} of the hot log has {len(batch)} rows, not {rows}; restore the file",
                path=self.path,
            )
        return batch

    def exchange(
        self,
        *,
        listed: Sequence[Part] = (),
        dropped: Sequence[Part] = (),
        rolled: tuple[date, int] | None = None,
        label: str | None = None,
    ) -> None:
        """In one transaction: list parts, drop others, forget hot rows of a day up to a number.

        A `label` replaces the one before it.
        """
        with self._transaction() as db:
            db.executemany("DELETE FROM part WHERE path = ?", [(p.path,) for p in dropped])
            db.executemany(
                "INSERT INTO part VALUES (?, ?, ?, ?, ?)",
                [(p.path, p.day.isoformat(), p.rows, p.size, p.sha256) for p in listed],
            )
            if rolled is not None:
                db.execute(
                    "DELETE FROM hot WHERE day = ? AND seq <= ?", (rolled[0].isoformat(), rolled[1])
                )
            if label is not None:
                db.execute("INSERT OR REPLACE INTO about VALUES ('label', ?)", (label,))

    def label(self) -> str | None:
        """The last label that :meth:`exchange` was given."""
        found = self._all("SELECT value FROM about WHERE key = 'label'")
        return str(found[0][0]) if found else None

    def replace(self, seq: int, batch: pa.RecordBatch) -> None:
        """Put `batch` in the place of a hot one, or nothing if it is empty."""
        with self._transaction() as db:
            if len(batch):
                db.execute(
                    "UPDATE hot SET rows = ?, body = ? WHERE seq = ?",
                    (len(batch), pack(batch), seq),
                )
            else:
                db.execute("DELETE FROM hot WHERE seq = ?", (seq,))

    def expire(self, before: date) -> list[Part]:
        """Forget every row of the days before `before`; the parts that they stood in."""
        with self._transaction() as db:
            parts = [part for part in self.parts() if part.day < before]
            gone = [
                db.execute(f"DELETE FROM {table} WHERE day < ?", (before.isoformat(),)).rowcount
                for table in ("part", "hot")
            ]
            if any(gone):
                _count_removal(db)
        return parts

    def purge(self) -> None:
        """Leave no copy of deleted rows behind: freed pages are zeroed, the WAL is emptied.

        Raises:
            StorageError: a reader in another process still needs the old pages.
        """
        busy = self._all("PRAGMA wal_checkpoint(TRUNCATE)")[0][0]
        if busy:
            raise StorageError(
                "a reader holds on to rows that were erased; erase again when it has finished",
                path=self.path,
            )

    def check(self) -> None:
        """Read everything here once.

        Raises:
            StoreFormatError: a page or a batch is damaged.
        """
        found = [text for (text,) in self._all("PRAGMA integrity_check(5)")]
        if found != ["ok"]:
            raise StoreFormatError(
                f"the file is damaged ({found[0]}); restore it from a backup", path=self.path
            )
        for _ in self.batches():
            pass

    def close(self) -> None:
        with self._mutex, failures(self.path):
            self._db.close()

    def _say_columns(self, db: sqlite3.Connection) -> None:
        """Before the first rows with more columns: an earlier version would lose them."""
        if self._about["columns"] != _COLUMNS:
            db.execute("UPDATE about SET value = ? WHERE key = 'columns'", (_COLUMNS,))

    def _check_version(self) -> None:
        for name, ours in (("format", FORMAT), ("exchange", SCHEMA_VERSION), ("columns", _COLUMNS)):
            theirs = self._about.get(name, "none")
            if theirs != ours and not (name == "columns" and theirs in _VERSIONS):
                if name == "columns":
                    theirs = ", ".join(sorted(set(theirs.split(", ")) ^ set(ours.split(", "))))
                    ours = "what this version writes; they differ in"
                raise StoreFormatError(
                    f"the store's {name}: {theirs} (this version reads {ours}); "
                    "scan the log again into a new store",
                    path=self.path,
                )

    def _all(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        with self._mutex, failures(self.path):
            return self._db.execute(statement, values).fetchall()

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._mutex, failures(self.path):
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise


def _count_removal(db: sqlite3.Connection) -> None:
    # stores of before have no such line
    db.execute(
        "INSERT INTO about VALUES ('removals', '1') "
        "ON CONFLICT DO UPDATE SET value = CAST(value AS INTEGER) + 1"
    )


def _connect(path: Path, page_size: int | None = None) -> sqlite3.Connection:
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    try:
        if page_size:
            db.execute(f"PRAGMA page_size = {page_size}")
        db.execute(f"PRAGMA busy_timeout = {_PATIENCE}")
        write_ahead(db)
        db.execute("PRAGMA synchronous = FULL")
        db.execute("PRAGMA secure_delete = ON")
    except BaseException:
        db.close()
        raise
    return db
