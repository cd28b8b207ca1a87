"""Opens the store of keys and actions: a SQLite file in a state folder, or a PostgreSQL server.

Rooms above keep stores of their own in the same manner, each with its :class:`Layout`. A write is
on the disk when its block ends, whole or not at all, whatever kills the process. Errors
are those of :mod:`stillwatch.errors`; a password in an address is never shown.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, cast

from sqlalchemy import (
    Connection,
    Engine,
    MetaData,
    Table,
    create_engine,
    event,
    insert,
    inspect,
    select,
    update,
)
from sqlalchemy.engine import URL, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from stillwatch.access.breakage import failures
from stillwatch.access.postgres import connect
from stillwatch.access.schema import CHANGES, FORMAT, METADATA
from stillwatch.durable import write_ahead
from stillwatch.errors import SettingsError, StoreFormatError

__all__ = ["FILE", "Database", "Layout", "Version", "open_database"]

#: the name of the file in a state folder
FILE = "access.db"
_PATIENCE = 30_000  # milliseconds that a write waits for another process
_LOCK = 0x5377_6163  # of the advisory lock under which tables are made


class Layout(NamedTuple):
    """What is kept in a store: the name of its file in a state folder, its tables, the one among
    them that counts changes (with the columns of ``access_changes``), their format, and what to
    say where there is none."""

    file: str
    tables: MetaData
    changes: Table
    format: str
    absent: str


_KEYS = Layout(
    file=FILE,
    tables=METADATA,
    changes=CHANGES,
    format=FORMAT,
    absent=f"there is no store of keys here ({FILE}); `stillwatch keys create` makes one",
)


class Version(NamedTuple):
    """How far the store is: `changes` counts writes, `removed` is the last that deleted rows.

    `place` changes when the file is replaced by another one, such as a backup.
    """

    place: int
    changes: int
    removed: int


class Database:
    """A store; may be used from any thread. Make one with :func:`open_database`."""

    def __init__(
        self, engine: Engine, name: str, file: Path | None, layout: Layout = _KEYS
    ) -> None:
        self.name = name
        self._layout = layout
        self._engine = engine
        self._reader: Engine = engine
        # Readers see one moment. Writers wait in line for the row of changes, and then must see
        # what those before them wrote.
        if file is None:
            self._reader = engine.execution_options(isolation_level="REPEATABLE READ")
            self._writer = engine.execution_options(isolation_level="READ COMMITTED")
        else:
            self._writer = engine.execution_options(stillwatch_begin="BEGIN IMMEDIATE")
        self._file = file
        self._mutex = threading.Lock()
        self._seen: tuple[int, int] | None = None
        self._place = 0

    @contextlib.contextmanager
    def reading(self) -> Iterator[tuple[Connection, Version]]:
        """A connection that sees one moment of the store, and the version of that moment.

        Raises:
            StorageError: it cannot be reached.
            StoreFormatError: it is gone, or damaged.
        """
        with failures(self.name):
            place = self._find()
            with self._reader.begin() as connection:
                changes = self._layout.changes
                row = connection.execute(select(changes.c.version, changes.c.removed)).one()
                yield connection, Version(place, row.version, row.removed)

    @contextlib.contextmanager
    def writing(self, *, removes: bool = False) -> Iterator[tuple[Connection, int]]:
        """A transaction and the version that the rows which it touches must carry.

        With `removes`, followers read everything anew.

        Raises:
            StorageError: it cannot be reached, or the disk is full; nothing was written.
            StoreFormatError: it is gone, or damaged.
        """
        with failures(self.name):
            self._find()
            with self._writer.begin() as connection:
                changes = self._layout.changes
                number = changes.c.version + 1
                values = {"version": number} | ({"removed": number} if removes else {})
                version = connection.execute(
                    update(changes).values(values).returning(changes.c.version)
                ).scalar_one()
                yield connection, version

    def close(self) -> None:
        self._engine.dispose()

    def prepare(self, *, create: bool) -> None:
        """Make the tables where there are none, if asked to, and check their version."""
        layout = self._layout
        with failures(self.name):
            self._find()
            with (self._writer if create else self._reader).begin() as connection:
                if create:
                    _make_tables(connection, layout)
                elif not inspect(connection).has_table(layout.changes.name):
                    what = "this is no store of keys and actions"
                    raise StoreFormatError(
                        what if layout is _KEYS else layout.absent, path=self.name
                    )
                theirs = connection.execute(select(layout.changes.c.format)).scalar_one_or_none()
        if theirs != layout.format:
            raise StoreFormatError(
                f"the store is of the format {theirs}, and this version reads {layout.format}; "
                "use the version of stillwatch that wrote it",
                path=self.name,
            )

    def _find(self) -> int:
        """Let go of a file that was replaced: SQLite would read the old one for ever."""
        if self._file is None:
            return 0
        try:
            found = self._file.stat()
        except FileNotFoundError:
            raise StoreFormatError(self._layout.absent, path=self._file.parent) from None
        with self._mutex:
            if self._seen not in (None, (found.st_dev, found.st_ino)):
                self._engine.dispose()
                self._place += 1
            self._seen = (found.st_dev, found.st_ino)
            return self._place


def open_database(state: str | Path, *, create: bool = False, layout: Layout = _KEYS) -> Database:
    """Open the store in a state folder, or at an address such as ``postgresql://host/name``.

    It is that of keys and actions, unless another `layout` is given.

    `create` makes what is missing: the folder (for its owner only), the file (mode 600), tables.

    Raises:
        SettingsError: the address is none, or its driver is not installed.
        StoreFormatError: there is no store, or it is damaged or of another version.
        StorageError: it cannot be reached.
    """
    if "://" in str(state):
        database = _at_address(str(state), layout)
    else:
        database = _in_folder(Path(state), create, layout)
    try:
        database.prepare(create=create)
    except BaseException:
        database.close()
        raise
    return database


def _in_folder(folder: Path, create: bool, layout: Layout) -> Database:
    file = folder / layout.file
    if create:
        with failures(str(folder)):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            # SQLite gives the files beside it (-wal, -shm) the same mode
            with contextlib.suppress(FileExistsError):
                os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    elif not file.is_file():
        raise StoreFormatError(layout.absent, path=folder)
    engine = create_engine(URL.create("sqlite", database=str(file)))
    event.listen(engine, "connect", _set_up_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return Database(engine, str(file), file, layout)


def _at_address(address: str, layout: Layout) -> Database:
    try:
        url = make_url(address)
        if url.get_backend_name() != "postgresql":
            raise SettingsError(
                f"{url.get_backend_name()} is no database that we keep keys in; "
                "give a folder, or an address such as postgresql://host/name"
            )
        engine = connect(url)
    except (ArgumentError, NoSuchModuleError, ValueError) as error:
        raise SettingsError(
            "this is no address of a database; write it as postgresql://user@host/name"
        ) from error
    except ModuleNotFoundError as error:
        raise SettingsError(
            f"the driver {error.name} is not installed; install it: "
            "pip install 'stillwatch[postgresql]'"
        ) from error
    return Database(engine, url.render_as_string(hide_password=True), None, layout)


def _make_tables(connection: Connection, layout: Layout) -> None:
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
    layout.tables.create_all(connection)
    changes = layout.changes
    if connection.execute(select(changes.c.one)).first() is None:
        first = {"one": 1, "format": layout.format, "version": 0, "removed": 0}
        connection.execute(insert(changes).values(first))


def _set_up_sqlite(connection: DBAPIConnection, _: object) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {_PATIENCE}")
    write_ahead(cast(sqlite3.Connection, connection))
    for pragma in (
        "synchronous = FULL",
        "foreign_keys = ON",
        "secure_delete = ON",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    begin = connection.get_execution_options().get("stillwatch_begin", "BEGIN")
    connection.exec_driver_sql(begin)
