"""What sharing keeps in a state folder, for the job that deletes what is over everywhere."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import inspect

from stillwatch.access.database import FILE as KEYS_FILE
from stillwatch.access.database import open_database
from stillwatch.cases.keeping import Kept
from stillwatch.cases.periods import Periods
from stillwatch.durable import failures
from stillwatch.intel.exporting.register import FILE as EXPORTS_FILE
from stillwatch.intel.exporting.register import Register
from stillwatch.intel.overlap.questions import FILE as QUESTIONS_FILE
from stillwatch.intel.overlap.questions import KEPT_DAYS, Questions
from stillwatch.intel.received.retention import expire_received
from stillwatch.intel.received.schema import ABOUT
from stillwatch.intel.taxii.files import POLLED, pages

__all__ = ["kept_of"]

_DAY = 86_400


@contextmanager
def kept_of(
    state: Path, periods: Periods, keys: str | None = None, ledger: Path | None = None
) -> Iterator[list[Kept]]:
    """What was received, where anything was, pages that were fetched, the register of exports,
    where anything left, and that of overlaps, where a question was answered.

    `keys` is the address of the store of keys where that is not in the folder, `ledger` the folder
    of the ledger likewise: exports are registered beside it.

    Raises:
        StoreFormatError: a store is damaged or of another version.
    """
    found: list[Kept] = []
    database = None
    if keys is not None or (state / KEYS_FILE).is_file():
        database = open_database(keys or state)
    try:
        if database is not None:
            known = database
            with known.reading() as (connection, _):
                there = inspect(connection).has_table(ABOUT.name)
            if there:
                days = periods.received

                def received(before: int, apply: bool) -> int:
                    return expire_received(known, before, before + days * _DAY, apply=apply)

                found.append(Kept("received", days, received))
        folder = ledger or state
        if (state / POLLED).is_dir():
            days = periods.received
            found.append(Kept("polled", days, lambda before, apply: _polled(state, before, apply)))
        if (folder / EXPORTS_FILE).is_file():
            found.append(Kept("exports", 0, lambda before, apply: _exports(folder, before, apply)))
        if (folder / QUESTIONS_FILE).is_file():
            found.append(
                Kept("overlaps", KEPT_DAYS, lambda before, apply: _overlaps(folder, before, apply))
            )
        yield found
    finally:
        if database is not None:
            database.close()


def _exports(folder: Path, now: int, apply: bool) -> int:
    """What those who received it have to have deleted by now."""
    at = datetime.fromtimestamp(now, UTC)
    with Register(folder, create=True) as register:
        return register.tidy(at) if apply else register.outlived(at)


def _overlaps(folder: Path, before: int, apply: bool) -> int:
    """Questions that no limit counts any more."""
    at = datetime.fromtimestamp(before, UTC)
    with Questions(folder, create=True) as questions:
        return questions.tidy(at) if apply else questions.outlived(at)


def _polled(state: Path, before: int, apply: bool) -> int:
    """Pages that `stillwatch intel poll` wrote: what they hold was imported, or never will be."""
    old = [each for each in pages(state / POLLED) if each.stat().st_mtime < before]
    with failures(state / POLLED):
        for each in old if apply else ():
            each.unlink(missing_ok=True)
    return len(old)
