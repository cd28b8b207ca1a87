"""What the operating system or SQLite raises about a file of the ledger, as errors of our tree."""

from __future__ import annotations

import contextlib
import errno
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from stillwatch.errors import StorageError, StoreFormatError

__all__ = ["failures", "sync_folder"]

_FULL = "the disk is full; make room and run again. Nothing half-written counts"
_DENIED = "no permission to write here; run as the user that owns the ledger"
_BUSY = "another process keeps the ledger busy; run again when it has finished"
_LIMITS = "a limit on the size of files was reached; raise it and run again"
#: primary codes of SQLite
_SQLITE: dict[int, str] = {
    sqlite3.SQLITE_FULL: _FULL,
    sqlite3.SQLITE_READONLY: _DENIED,
    sqlite3.SQLITE_PERM: _DENIED,
    sqlite3.SQLITE_CANTOPEN: _DENIED,
    sqlite3.SQLITE_BUSY: _BUSY,
    sqlite3.SQLITE_LOCKED: _BUSY,
}
_DAMAGE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


@contextlib.contextmanager
def failures(path: Path) -> Iterator[None]:
    """Turn failures of the machine at `path` into our errors.

    Raises:
        StorageError: the machine failed us.
        StoreFormatError: SQLite found the file damaged.
    """
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code in _DAMAGE:
            raise StoreFormatError(
                f"the file is damaged ({error}); restore it from a backup", path=path
            ) from error
        raise StorageError(_SQLITE.get(code, f"cannot be used: {error}"), path=path) from error
    except OSError as error:
        if error.errno in StorageError.DISK_FULL:
            message = _FULL
        elif error.errno == errno.EFBIG:
            message = _LIMITS
        elif error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            message = _DENIED
        else:
            message = f"cannot be used: {error.strerror or error}"
        raise StorageError(message, path=error.filename or path) from error


def sync_folder(folder: Path) -> None:
    """Make the names in `folder` survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
