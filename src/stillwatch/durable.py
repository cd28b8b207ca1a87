"""Files that outlive a power cut, and what the machine raises about them as errors of our tree.

Every room that keeps something asks here, so that a full disk reads the same everywhere. Databases
that are reached through SQLAlchemy are unwrapped in `access`, and end here too.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from stillwatch.errors import OutputError, StorageError, StoreFormatError

__all__ = [
    "BUSY",
    "DENIED",
    "FULL",
    "failures",
    "of_sqlite",
    "of_system",
    "replace_file",
    "sync_folder",
    "write_ahead",
    "write_whole",
]

#: what is wrong, and what to do; ``{what}`` is what is kept there, such as ``the ledger``
FULL: Final = "the disk is full; make room and run again. Nothing half-written counts"
DENIED: Final = "no permission to write here; run as the user that owns {what}"
BUSY: Final = "another process keeps {what} busy; run again when it has finished"
_LIMITS: Final = "a limit on the size of files was reached; raise it and run again"
#: primary codes of SQLite
_SQLITE: Final[dict[int, str]] = {
    sqlite3.SQLITE_FULL: FULL,
    sqlite3.SQLITE_READONLY: DENIED,
    sqlite3.SQLITE_PERM: DENIED,
    sqlite3.SQLITE_CANTOPEN: DENIED,
    sqlite3.SQLITE_BUSY: BUSY,
    sqlite3.SQLITE_LOCKED: BUSY,
}
_DAMAGE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_SYSTEM: Final[dict[int, str]] = {
    **dict.fromkeys(StorageError.DISK_FULL, FULL),
    errno.EFBIG: _LIMITS,
    errno.EACCES: DENIED,
    errno.EPERM: DENIED,
    errno.EROFS: DENIED,
}


@contextlib.contextmanager
def failures(place: Path | str, what: str = "the store") -> Iterator[None]:
    """Turn what the operating system or SQLite raises about `place` into our errors.

    Args:
        what: is kept there, in the words of the message.

    Raises:
        StorageError: the machine failed us.
        StoreFormatError: SQLite found the file damaged.
    """
    try:
        yield
    except sqlite3.Error as error:
        raise of_sqlite(error, place, what) from error
    except OSError as error:
        raise of_system(error, place, what) from error


def of_sqlite(error: BaseException, place: Path | str, what: str = "the store") -> StorageError:
    """What SQLite raised about the file `place`, as an error of ours."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in _DAMAGE:
        return StoreFormatError(
            f"the file is damaged ({error}); restore it from a backup", path=place
        )
    known = _SQLITE.get(code)
    return StorageError(
        f"cannot be used: {error}" if known is None else known.format(what=what), path=place
    )


def of_system(error: OSError, place: Path | str, what: str = "the store") -> StorageError:
    """What the operating system raised; it names the file itself, or else it is `place`."""
    known = _SYSTEM.get(error.errno or 0)
    message = f"cannot be used: {error.strerror or error}"
    if known is not None:
        message = known.format(what=what)
    return StorageError(message, path=error.filename or place)


def sync_folder(folder: Path) -> None:
    """Make the names in `folder` survive a power cut.

    Raises:
        OSError: it is no folder, or the disk fails.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def replace_file(path: Path, data: bytes) -> None:
    """Write a file aside, and rename it when it is on the disk.

    Raises:
        OSError: it cannot be written; what was there before still is.
    """
    aside = path.with_name(f".{path.name}.partial")
    try:
        with aside.open("wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        aside.replace(path)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise
    sync_folder(path.absolute().parent)


def write_whole(path: Path, data: bytes) -> None:
    """Write a file that somebody asked for, whole or not at all; it is on the disk on return.

    Raises:
        OutputError: it cannot be written; what was there before still is.
    """
    try:
        replace_file(path, data)
    except OSError as error:
        raise OutputError(f"cannot be written: {error.strerror or error}", path=path) from error


def write_ahead(db: sqlite3.Connection, patience: float = 30.0) -> None:
    """Have `db` keep a write-ahead log, which the file remembers.

    A new file changes over under a lock that SQLite does not wait for, whatever its
    ``busy_timeout`` (https://www.sqlite.org/c3ref/busy_handler.html): of processes that make one
    store at once, all but one would fail. Here they wait, up to `patience` seconds.

    Raises:
        sqlite3.OperationalError: another process kept the file busy for longer, or the disk fails.
    """
    until = time.monotonic() + patience
    while True:
        try:
            db.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(0.005)
        else:
            return
