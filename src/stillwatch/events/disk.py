"""What a store asks of the machine: whole files, durable renames, one maintainer at a time.

Failures of the machine become :class:`~stillwatch.errors.StorageError`, damage becomes
:class:`~stillwatch.errors.StoreFormatError`; both name the file.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from stillwatch.errors import StorageError, StoreFormatError

__all__ = ["Lock", "failures", "sync_folder", "whole"]

_FULL = "the disk is full; make room, or move the store, and run again. Nothing half-written counts"
_DENIED = "no permission to write here; run as the user that owns the store"
_BUSY = "another process keeps the store busy; run again when it has finished"
_SQLITE: dict[int, str] = {
    sqlite3.SQLITE_FULL: _FULL,
    sqlite3.SQLITE_READONLY: _DENIED,
    sqlite3.SQLITE_PERM: _DENIED,
    sqlite3.SQLITE_BUSY: _BUSY,
    sqlite3.SQLITE_LOCKED: _BUSY,
}
_DAMAGE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


@contextlib.contextmanager
def failures(path: Path) -> Iterator[None]:
    """Turn what the operating system or SQLite raises about `path` into our errors.

    Raises:
        StorageError: the machine failed while writing.
        StoreFormatError: SQLite found the file damaged.
    """
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the primary code
        if code in _DAMAGE:
            raise StoreFormatError(
                f"the file is damaged ({error}); restore it from a backup", path=path
            ) from error
        raise StorageError(_SQLITE.get(code, f"cannot be used: {error}"), path=path) from error
    except OSError as error:
        if error.errno in StorageError.DISK_FULL:
            message = _FULL
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


def whole(aside: Path, place: Path) -> None:
    """Move a finished file to its place, both on one file system, durably."""
    created = not place.parent.exists()
    place.parent.mkdir(exist_ok=True)
    aside.replace(place)
    sync_folder(place.parent)
    if created:
        sync_folder(place.parent.parent)


class Lock:
    """Held by whoever adds or removes files of a store; readers and appends do not need it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._mutex = threading.Lock()
        self._owner: int | None = None

    @contextlib.contextmanager
    def held(self, *, patience: float) -> Iterator[None]:
        """Hold the lock, waiting at most `patience` seconds for another thread or process.

        Raises:
            StorageError: somebody else holds it still, or this thread does already.
        """
        if self._owner == threading.get_ident():
            raise StorageError(
                "this thread is already writing to the store; close that writer first",
                path=self._path.parent,
            )
        deadline = time.monotonic() + patience
        if not self._mutex.acquire(timeout=patience):
            raise StorageError(_BUSY, path=self._path.parent)
        try:
            with self._file(deadline):
                self._owner = threading.get_ident()
                yield
        finally:
            self._owner = None
            self._mutex.release()

    @contextlib.contextmanager
    def _file(self, deadline: float) -> Iterator[None]:
        with failures(self._path):
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            while not _locked(descriptor):
                if time.monotonic() >= deadline:
                    raise StorageError(_BUSY, path=self._path.parent)
                time.sleep(0.05)
            yield
        finally:
            os.close(descriptor)


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
