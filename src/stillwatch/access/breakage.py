"""What a database or the operating system raises, as errors of our own tree."""

from __future__ import annotations

import contextlib
import errno
import sqlite3
from collections.abc import Iterator

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from stillwatch.errors import StorageError, StoreFormatError

__all__ = ["failures"]

_FULL = "the disk is full; make room and run again. Nothing half-written counts"
_DENIED = "no permission; run as the user that owns the store"
_BUSY = "another process keeps the store busy; run again when it has finished"
_LIMITS = "a limit on the size of files was reached; raise it and run again"
#: primary codes of SQLite
_SQLITE: dict[int, str] = {
    sqlite3.SQLITE_FULL: _FULL,
    sqlite3.SQLITE_READONLY: _DENIED,
    sqlite3.SQLITE_PERM: _DENIED,
    sqlite3.SQLITE_BUSY: _BUSY,
    sqlite3.SQLITE_LOCKED: _BUSY,
}
_SQLITE_DAMAGE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
#: SQLSTATE, the appendix "Error Codes" of the PostgreSQL manual
_SERVER: dict[str, str] = {
    "53100": _FULL,
    "42501": _DENIED,
    "55P03": _BUSY,
    "57014": _BUSY,
}
_SERVER_DAMAGE = ("XX001", "XX002")


@contextlib.contextmanager
def failures(place: str) -> Iterator[None]:
    """Turn what is raised about the store at `place` into our errors.

    Raises:
        StorageError: the machine or the server failed us.
        StoreFormatError: the store is damaged.
    """
    try:
        yield
    except DBAPIError as error:
        raise _of_database(error, place) from error
    except SQLAlchemyError as error:  # such as no free connection
        raise StorageError(f"cannot be used: {error}", path=place) from error
    except OSError as error:
        if error.errno in StorageError.DISK_FULL:
            message = _FULL
        elif error.errno == errno.EFBIG:
            message = _LIMITS
        elif error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            message = _DENIED
        else:
            message = f"cannot be used: {error.strerror or error}"
        raise StorageError(message, path=error.filename or place) from error


def _of_database(error: DBAPIError, place: str) -> StorageError:
    cause = error.orig
    said = _said(cause)
    state = _state(cause)
    code = getattr(cause, "sqlite_errorcode", 0) & 0xFF
    if code in _SQLITE_DAMAGE or state in _SERVER_DAMAGE:
        return StoreFormatError(f"it is damaged ({said}); restore it from a backup", path=place)
    message = _SERVER.get(state or "") or _SQLITE.get(code) or f"cannot be used: {said}"
    return StorageError(message, path=place)


def _fields(cause: BaseException | None) -> dict[str, str]:
    """What the server answered, by the letters of its protocol (only `pg8000` keeps them)."""
    first = cause.args[0] if cause is not None and cause.args else None
    return first if isinstance(first, dict) else {}


def _state(cause: BaseException | None) -> str | None:
    return _fields(cause).get("C") or getattr(cause, "sqlstate", None)


def _said(cause: BaseException | None) -> str:
    return " ".join((_fields(cause).get("M") or str(cause)).split())
