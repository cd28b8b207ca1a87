"""What the machine raises about a file reads the same everywhere, and says what to do."""

from __future__ import annotations

import errno
import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from stillwatch.access import breakage
from stillwatch.durable import failures, sync_folder, write_ahead
from stillwatch.errors import StorageError, StoreFormatError


@contextmanager
def unwrapped(place: Path) -> Iterator[None]:
    """As `access` meets it: SQLite behind SQLAlchemy."""
    with breakage.failures(str(place)):
        try:
            yield
        except sqlite3.Error as error:
            raise OperationalError("SELECT", None, error) from error


EVERYWHERE: list[Callable[[Path], object]] = [failures, unwrapped]
MACHINE = [
    (errno.ENOSPC, "the disk is full; make room and run again"),
    (errno.EDQUOT, "the disk is full"),
    (errno.EFBIG, "a limit on the size of files was reached"),
    (errno.EACCES, "no permission to write here; run as the user that owns the store"),
    (errno.EROFS, "no permission to write here"),
    (errno.EIO, "cannot be used: Input/output error"),
]
SQLITE = [
    (sqlite3.SQLITE_FULL, "the disk is full"),
    (sqlite3.SQLITE_CANTOPEN, "no permission to write here"),
    (sqlite3.SQLITE_READONLY | 1 << 8, "no permission to write here"),
    (sqlite3.SQLITE_BUSY, "another process keeps the store busy; run again"),
    (sqlite3.SQLITE_IOERR, "cannot be used: it failed"),
]


@pytest.mark.parametrize("those", EVERYWHERE, ids=["durable", "access"])
@pytest.mark.parametrize(("number", "said"), MACHINE)
def test_what_the_operating_system_raises_says_what_to_do(
    tmp_path: Path, those: Callable[[Path], object], number: int, said: str
) -> None:
    with pytest.raises(StorageError) as raised, those(tmp_path):  # type: ignore[attr-defined]
        raise OSError(number, os.strerror(number))
    assert str(raised.value).startswith(f"{tmp_path}: {said}")
    assert not isinstance(raised.value, StoreFormatError)


def test_the_file_that_the_operating_system_names_is_named(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"other\.db: no permission"), failures(tmp_path):
        raise PermissionError(errno.EACCES, "no", str(tmp_path / "other.db"))


@pytest.mark.parametrize("those", EVERYWHERE, ids=["durable", "access"])
@pytest.mark.parametrize(("code", "said"), SQLITE)
def test_what_sqlite_raises_says_what_to_do(
    tmp_path: Path, those: Callable[[Path], object], code: int, said: str
) -> None:
    error = sqlite3.OperationalError("it failed")
    error.sqlite_errorcode = code
    with pytest.raises(StorageError) as raised, those(tmp_path):  # type: ignore[attr-defined]
        raise error
    assert str(raised.value).startswith(f"{tmp_path}: {said}")


@pytest.mark.parametrize("those", EVERYWHERE, ids=["durable", "access"])
def test_a_file_that_is_no_database_is_damage(
    tmp_path: Path, those: Callable[[Path], object]
) -> None:
    file = tmp_path / "x.db"
    file.write_bytes(b"this is no database at all" * 50)
    with (
        pytest.raises(StoreFormatError, match="restore it from a backup"),
        those(file),  # type: ignore[attr-defined]
        closing(sqlite3.connect(file)) as db,
    ):
        db.execute("SELECT 1 FROM sqlite_schema")


def test_what_is_kept_there_is_called_by_its_name(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="owns the ledger"), failures(tmp_path, "the ledger"):
        raise PermissionError(errno.EACCES, "no")


def test_the_names_of_a_folder_are_synced_and_a_file_is_no_folder(tmp_path: Path) -> None:
    sync_folder(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError):
        sync_folder(tmp_path / "file")


def test_asking_for_it_loads_nothing_but_the_standard_library() -> None:
    loaded = subprocess.run(
        [sys.executable, "-c", "import sys, stillwatch.durable; print(*sys.modules)"],
        check=True, capture_output=True, text=True,
    ).stdout.split()  # fmt: skip
    assert not {name.partition(".")[0] for name in loaded} & {"sqlalchemy", "pyarrow", "msgspec"}


@pytest.fixture
def others(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """Another process's connection to a new file, in the midst of its first write."""
    with closing(
        sqlite3.connect(tmp_path / "new.db", isolation_level=None, check_same_thread=False)
    ) as db:
        db.execute("BEGIN IMMEDIATE")
        db.execute("CREATE TABLE made (x)")
        yield db


def test_a_new_file_that_another_process_fills_is_waited_for(
    tmp_path: Path, others: sqlite3.Connection
) -> None:
    with closing(sqlite3.connect(tmp_path / "new.db", timeout=30, isolation_level=None)) as db:
        done = threading.Timer(0.2, others.execute, ("COMMIT",))
        done.start()
        write_ahead(db)
        done.join()
        assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_file_that_stays_busy_is_waited_for_only_so_long(
    tmp_path: Path, others: sqlite3.Connection
) -> None:
    assert others.in_transaction
    with (
        closing(sqlite3.connect(tmp_path / "new.db", timeout=0)) as db,
        pytest.raises(StorageError, match="another process keeps the store busy"),
        failures(tmp_path),
    ):
        write_ahead(db, patience=0.05)
