"""A small SQLite file beside the ledger: what left, and what was asked, so that limits hold.

It outlives restarts, and processes that write at once take turns. It is for its owner only, on the
disk when a block of writing ends, and what is deleted from it is overwritten.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Final, Self

from stillwatch.durable import failures, write_ahead
from stillwatch.errors import StoreFormatError

__all__ = ["Beside"]

_PATIENCE: Final = 30.0  # seconds that a writer waits for another


class Beside:
    """The file of a folder. A context manager; without `create` it is only there if it was made,
    and else reads as empty.

    Attributes:
        FILE: its name in the folder.
        FORMAT: the version of its tables.
        TABLES: statements that make them where they are not.
        WHAT: what it is, in an error.
        NEVER: what an error says where something is to be changed in a file that was never made.

    Raises:
        StoreFormatError: the file is damaged, or of another version.
        StorageError: it cannot be read or written.
    """

    FILE: ClassVar[str]
    FORMAT: ClassVar[int]
    TABLES: ClassVar[str]
    WHAT: ClassVar[str]
    NEVER: ClassVar[str]

    def __init__(self, folder: Path, *, create: bool = False) -> None:
        self.path = folder / self.FILE
        self._db: sqlite3.Connection | None = None
        if not create and not self.path.is_file():
            return
        with failures(self.path, self.WHAT):
            if create:
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._db = sqlite3.connect(self.path, isolation_level=None, timeout=_PATIENCE)
            self.path.chmod(0o600)
            write_ahead(self._db, _PATIENCE)
            self._db.execute("PRAGMA synchronous = FULL")
            self._db.execute("PRAGMA secure_delete = ON")
            [(version,)] = self._db.execute("PRAGMA user_version")
            if version not in (0, self.FORMAT):
                raise StoreFormatError(
                    f"it is of format {version}, and this version reads {self.FORMAT}",
                    path=self.path,
                )
            self._db.executescript(self.TABLES)
            self._db.execute(f"PRAGMA user_version = {self.FORMAT}")

    def close(self) -> None:
        if self._db is not None:
            self._db.close()
            self._db = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _rows(self, question: str, *values: object) -> list[tuple[Any, ...]]:
        if self._db is None:
            return []
        with failures(self.path, self.WHAT), closing(self._db.execute(question, values)) as found:
            return found.fetchall()

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        if self._db is None:
            raise StoreFormatError(self.NEVER, path=self.path)
        with failures(self.path, self.WHAT):
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")
