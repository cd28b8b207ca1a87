"""What SQLAlchemy and a database server raise, as errors of our own tree."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from stillwatch.durable import BUSY, DENIED, FULL, of_sqlite, of_system
from stillwatch.errors import StorageError, StoreFormatError

__all__ = ["failures"]

_WHAT = "the store"
#: SQLSTATE, the appendix "Error Codes" of the PostgreSQL manual
_SERVER: dict[str, str] = {
    "53100": FULL,
    "42501": DENIED,
    "55P03": BUSY,
    "57014": BUSY,
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
        raise of_system(error, place, _WHAT) from error


def _of_database(error: DBAPIError, place: str) -> StorageError:
    cause = error.orig
    if isinstance(cause, sqlite3.Error):
        return of_sqlite(cause, place, _WHAT)
    said, state = _said(cause), _state(cause)
    if state in _SERVER_DAMAGE:
        return StoreFormatError(f"it is damaged ({said}); restore it from a backup", path=place)
    known = _SERVER.get(state or "")
    return StorageError(
        f"cannot be used: {said}" if known is None else known.format(what=_WHAT), path=place
    )


def _fields(cause: BaseException | None) -> dict[str, str]:
    """What the server answered, by the letters of its protocol (only `pg8000` keeps them)."""
    first = cause.args[0] if cause is not None and cause.args else None
    return first if isinstance(first, dict) else {}


def _state(cause: BaseException | None) -> str | None:
    return _fields(cause).get("C") or getattr(cause, "sqlstate", None)


def _said(cause: BaseException | None) -> str:
    return " ".join((_fields(cause).get("M") or str(cause)).split())
