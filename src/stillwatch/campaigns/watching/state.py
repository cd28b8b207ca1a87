"""The SQLite file of a watch: how far was read, what waits for its look, what was reported.

Each step is one transaction: what was read of a file counts together with the offset behind it,
a finding together with the look that made it. Files beside it hold what the file lists, and no
more: so a crash at any moment leaves everything exactly once.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from stillwatch.campaigns.watching.changes import Known
from stillwatch.durable import failures, write_ahead
from stillwatch.errors import StoreFormatError
from stillwatch.sources import Place

__all__ = ["FORMAT", "State", "Taken", "Waiting"]

Ints = npt.NDArray[np.int64]

FORMAT = "stillwatch.watch/1"
_TABLES = """
CREATE TABLE about (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE place (identity TEXT PRIMARY KEY, path TEXT NOT NULL, position INTEGER NOT NULL,
                    number INTEGER NOT NULL, before TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE waiting (file INTEGER NOT NULL, batch INTEGER NOT NULL, boundary INTEGER NOT NULL,
                      rows INTEGER NOT NULL, PRIMARY KEY (file, batch)) STRICT, WITHOUT ROWID;
CREATE TABLE account (digest INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT;
CREATE TABLE note (text TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
CREATE TABLE finding (start INTEGER PRIMARY KEY, line BLOB NOT NULL) STRICT;
CREATE TABLE campaign (number INTEGER PRIMARY KEY, body TEXT NOT NULL) STRICT;
"""


@dataclass(frozen=True)
class Waiting:
    """Exchanges of one look: record batch number `batch` of the file of that number."""

    file: int
    batch: int
    boundary: int
    rows: int


@dataclass(frozen=True)
class Taken:
    """What was read in one step, and how far.

    Attributes:
        places: of the files that it was read from, by identity.
        waiting: where its exchanges are kept until their look; all in a file that is on the disk.
        names: digest and name of the accounts in it.
        newest: the latest time that was read so far (µs since 1970).
        read_at: when it was read (µs since 1970).
        rejects: how many bytes of ``rejects.jsonl`` count with it.
    """

    places: Mapping[str, Place]
    waiting: Sequence[Waiting]
    names: Sequence[tuple[int, str]]
    notes: Sequence[str]
    format: str
    newest: int
    read_at: int
    rejected: int
    rejects: int


class State:
    """One connection to the file, for one thread.

    Raises:
        StoreFormatError: the file is damaged, or of another version.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with failures(path):
            self._db = _connect(path)
            try:
                self._about = dict(self._db.execute("SELECT key, value FROM about"))
            except sqlite3.OperationalError as error:
                self._db.close()
                raise StoreFormatError("this is no state of a watch", path=path) from error
        if self._about.get("format") != FORMAT:
            self._db.close()
            raise StoreFormatError(
                f"the state's format is {self._about.get('format')} (this version reads {FORMAT}); "
                "begin a new state",
                path=path,
            )

    @classmethod
    def create(cls, path: Path, about: Mapping[str, str]) -> None:
        """Make an empty file that says `about` itself; it gets its name only when it is whole."""
        aside = path.with_suffix(".new")
        with failures(path):
            for left in path.parent.glob(f"{aside.name}*"):
                left.unlink()
            db = _connect(aside)
            try:
                db.executescript(_TABLES)
                started = {"format": FORMAT, "log": "", "newest": "0", "closed": "0"}
                started |= {
                    "read_at": "0",
                    "names_since": "",
                    "rejected": "0",
                    "rejects": "0",
                    "boot": "",
                    **about,
                }
                db.executemany("INSERT INTO about VALUES (?, ?)", started.items())
            finally:
                db.close()
            aside.rename(path)

    def about(self, key: str) -> str:
        """What the file says about itself: `key_id`, `pseudonymous`, `log` (the format)…"""
        return str(self._about[key])

    @property
    def newest(self) -> int:
        """The latest time that was read, µs since 1970; 0 before the first row."""
        return int(self._about["newest"])

    @property
    def closed(self) -> int:
        """The boundary that exchanges are read for no more, µs since 1970; 0 before the first.

        While something waits up to it, its look is not done.
        """
        return int(self._about["closed"])

    @property
    def read_at(self) -> int:
        """When something was read last, by the wall clock (µs since 1970)."""
        return int(self._about["read_at"])

    @property
    def rejected(self) -> int:
        """Rows that could not be read, or did not count."""
        return int(self._about["rejected"])

    def places(self) -> dict[str, Place]:
        """How far each file was read, by its identity."""
        rows = self._all("SELECT identity, path, position, number, before FROM place")
        return {identity: Place(*rest) for identity, *rest in rows}

    def names(self) -> tuple[Ints, list[str]]:
        """Digests and names of all accounts, by digest."""
        rows = self._all("SELECT digest, name FROM account ORDER BY digest")
        return np.array([digest for digest, _ in rows], np.int64), [name for _, name in rows]

    def notes(self) -> list[str]:
        """What was noticed about the log, in alphabetical order."""
        return [text for (text,) in self._all("SELECT text FROM note ORDER BY text")]

    def waiting(self, until: int | None = None) -> list[Waiting]:
        """What waits for looks up to the boundary `until`, in the order in which it was read."""
        rows = self._all(
            "SELECT file, batch, boundary, rows FROM waiting WHERE boundary <= ? "
            "ORDER BY file, batch",
            2**62 if until is None else until,
        )
        return [Waiting(*row) for row in rows]

    def due(self, until: int) -> int | None:
        """The first boundary up to `until` for which something waits."""
        found = self._all("SELECT min(boundary) FROM waiting WHERE boundary <= ?", until)[0][0]
        return None if found is None else int(found)

    def files(self) -> set[int]:
        """The files in which something waits."""
        return {file for (file,) in self._all("SELECT DISTINCT file FROM waiting")}

    def known(self) -> list[Known]:
        """The campaigns that were reported, in the order of their first report."""
        rows = self._all("SELECT body FROM campaign ORDER BY number")
        return [Known.read(json.loads(body)) for (body,) in rows]

    def written(self, size: int) -> int:
        """Where the last whole line ends that fits into `size` bytes of ``findings.jsonl``."""
        found = self._all(
            "SELECT max(start + length(line)) FROM finding WHERE start + length(line) <= ?", size
        )
        return int(found[0][0] or 0)

    def findings(self, start: int = 0) -> Iterator[bytes]:
        """The lines of ``findings.jsonl`` from the byte `start` on."""
        for (line,) in self._all("SELECT line FROM finding WHERE start >= ? ORDER BY start", start):
            yield line

    def lines(self) -> int:
        """The number of findings."""
        return int(self._all("SELECT count(*) FROM finding")[0][0])

    def took(self, taken: Taken) -> None:
        """Something was read: it and the places behind it count from now on."""
        with self._transaction() as db:
            self._move(db, taken.places)
            db.executemany(
                "INSERT INTO waiting VALUES (?, ?, ?, ?)",
                [(each.file, each.batch, each.boundary, each.rows) for each in taken.waiting],
            )
            db.executemany("INSERT OR IGNORE INTO account VALUES (?, ?)", taken.names)
            db.executemany("INSERT OR IGNORE INTO note VALUES (?)", [(n,) for n in taken.notes])
            self._say(
                db, log=taken.format, newest=taken.newest, read_at=taken.read_at,
                rejects=taken.rejects, rejected=self.rejected + taken.rejected,
            )  # fmt: skip

    def move(self, places: Mapping[str, Place]) -> None:
        """Files are somewhere else now, or were read on without anything that counts."""
        with self._transaction() as db:
            self._move(db, places)

    def left(self, instead: Mapping[Waiting, Sequence[Waiting]]) -> None:
        """Exchanges were erased while they waited: what is left of each batch stands elsewhere."""
        with self._transaction() as db:
            for each, kept in instead.items():
                db.execute("DELETE FROM waiting WHERE file = ? AND batch = ?", astuple(each)[:2])
                db.executemany(
                    "INSERT INTO waiting VALUES (?, ?, ?, ?)", [astuple(one) for one in kept]
                )

    def rename(self, called: Mapping[int, str]) -> None:
        """Accounts are called otherwise from now on, also where they were reported before."""
        digests, before = self.names()
        names = {
            old: called[digest]
            for digest, old in zip(digests.tolist(), before, strict=True)
            if called.get(digest, old) != old
        }
        if not names:
            return
        known = [each.renamed(names) for each in self.known()]
        with self._transaction() as db:
            db.executemany(
                "UPDATE account SET name = ? WHERE digest = ?",
                [(name, digest) for digest, name in called.items()],
            )
            self._keep(db, known)

    def close_look(self, boundary: int, lines: Sequence[bytes], known: Sequence[Known]) -> None:
        """A look was made: its findings count, and what it covered waits no more."""
        with self._transaction() as db:
            start = db.execute("SELECT max(start + length(line)) FROM finding").fetchone()[0] or 0
            for line in lines:
                db.execute("INSERT INTO finding VALUES (?, ?)", (start, line))
                start += len(line)
            self._keep(db, known)
            db.execute("DELETE FROM waiting WHERE boundary <= ?", (boundary,))

    def close_until(self, boundary: int) -> None:
        """What is read from now on belongs to looks after `boundary`."""
        if boundary > self.closed:
            self.say(closed=boundary)

    def forget_names(self, kept: Ints, since: str) -> None:
        """Forget all names but those of the accounts `kept`, which sent something `since`."""
        with self._transaction() as db:
            known = [digest for (digest,) in db.execute("SELECT digest FROM account")]
            gone = np.setdiff1d(np.array(known, np.int64), kept)
            db.executemany("DELETE FROM account WHERE digest = ?", [(int(g),) for g in gone])
            self._say(db, names_since=since)

    def say(self, **about: object) -> None:
        """Change what the file says about itself."""
        with self._transaction() as db:
            self._say(db, **about)

    def close(self) -> None:
        """Let go of the file; nothing is lost without it."""
        with failures(self.path):
            self._db.close()

    def _say(self, db: sqlite3.Connection, **about: object) -> None:
        told = {key: str(value) for key, value in about.items()}
        db.executemany("INSERT OR REPLACE INTO about VALUES (?, ?)", told.items())
        self._about |= told

    def _keep(self, db: sqlite3.Connection, known: Sequence[Known]) -> None:
        db.execute("DELETE FROM campaign")
        db.executemany(
            "INSERT INTO campaign VALUES (?, ?)",
            [
                (number, json.dumps(each.stored(), ensure_ascii=False))
                for number, each in enumerate(known)
            ],
        )

    def _move(self, db: sqlite3.Connection, places: Mapping[str, Place]) -> None:
        db.executemany(
            "INSERT OR REPLACE INTO place VALUES (?, ?, ?, ?, ?)",
            [(i, p.path, p.position, p.number, p.before) for i, p in places.items()],
        )

    def _all(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        with failures(self.path):
            return self._db.execute(statement, values).fetchall()

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        about = dict(self._about)
        with failures(self.path):
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
                self._db.execute("COMMIT")
            except BaseException:
                self._about = about
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise


def _connect(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, isolation_level=None)
    try:
        write_ahead(db)
        db.execute("PRAGMA synchronous = FULL")
        db.execute("PRAGMA secure_delete = ON")
    except BaseException:
        db.close()
        raise
    return db
