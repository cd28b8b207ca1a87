"""Retention: what every store has kept for longer than its period is deleted, by one job.

It stands here because this room can reach all stores: exchanges, keys and actions, cases, salts of
the ledger. A run says on the ledger what it is about to delete and what it did, as counts. Killed
in between, it is run again: each step is whole or not at all, and none needs the one before.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from stillwatch.access.database import FILE as KEYS_FILE
from stillwatch.access.database import Database, open_database
from stillwatch.access.erasure import expire as expire_access
from stillwatch.cases import expiry
from stillwatch.cases.periods import Periods
from stillwatch.cases.store import find_cases
from stillwatch.gateway.recording.state import EVENTS
from stillwatch.ledger import Entry, Ledger, Salts
from stillwatch.ledger.salts import FILE as SALTS_FILE

__all__ = ["Kept", "Ran", "expire", "stores_of"]

_DAY = 86_400


class Kept(msgspec.Struct, frozen=True):
    """Something that is kept for so many `days`.

    `expire` is called with a time in seconds since the epoch and with whether to delete: it deletes
    what ended before, or only counts it, and says how much that is.
    """

    name: str
    days: int
    expire: Callable[[int, bool], int]


class Ran(msgspec.Struct, frozen=True):
    """What became of one of them: `found` is how much is over, or was deleted."""

    name: str
    days: int
    before: int
    found: int


def expire(
    stores: Sequence[Kept],
    ledger: Path,
    *,
    apply: bool,
    by: str = "privacy expire",
    clock: Callable[[], float] = time.time,
) -> list[Ran]:
    """Look what is over in each of the stores, and with `apply` delete it.

    Each run that may delete is recorded in the ledger of the folder `ledger`, which is made if need
    be: before the first deletion what is due, if anything is, and at the end what was deleted.

    Raises:
        StorageError, StoreFormatError: a store failed; what was deleted until then is gone, and the
            rest is there for the next run.
    """
    now = int(clock())

    def all_of(*, delete: bool) -> list[Ran]:
        return [
            Ran(each.name, each.days, before, each.expire(before, delete))
            for each in stores
            for before in [now - each.days * _DAY]
        ]

    due = all_of(delete=False)
    if not apply:
        return due
    with Ledger.open(ledger, create=True) as book:
        if any(each.found for each in due):
            book.append([_entry("begun", due, now, by)])
        gone = all_of(delete=True)
        book.append([_entry("done", gone, now, by)])
    return gone


def _entry(step: str, ran: Sequence[Ran], now: int, by: str) -> Entry:
    at = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    body = {
        "step": step,
        "days": {each.name: each.days for each in ran},
        "rows": {each.name: each.found for each in ran},
    }
    return Entry("expiry", at, by, body)


@contextmanager
def stores_of(
    state: Path, periods: Periods, keys: str | None = None, ledger: Path | None = None
) -> Iterator[tuple[list[Kept], Callable[[int], int] | None]]:
    """What is kept in a state folder, in the order in which it is to go; and, where there are
    cases, how many nobody has touched since a time and nobody has closed.

    `keys` is the address of the store of keys where that is not in the folder, `ledger` the folder
    of the ledger likewise. What is not there is left out; there may be nothing.

    Raises:
        StoreFormatError: a store is damaged or of another version.
    """
    found: list[Kept] = []
    lingering: Callable[[int], int] | None = None
    if (state / EVENTS / "hot.sqlite").is_file():
        found.append(Kept("exchanges", periods.exchanges, lambda b, a: _exchanges(state, b, a)))
    database = None
    if keys is not None or (state / KEYS_FILE).is_file():
        database = open_database(keys or state)
    try:
        if database is not None:
            found += _of_access(database, periods)
            if (cases := find_cases(keys or state)) is not None:
                cases.close()
                found += _of_cases(database, periods)
                lingering = functools.partial(expiry.lingering, database)
        books = ledger or state
        if (books / SALTS_FILE).is_file():
            found.append(Kept("salts", periods.salts, lambda b, a: _salts(books, b, a)))
        yield found, lingering
    finally:
        if database is not None:
            database.close()


def _of_access(database: Database, periods: Periods) -> list[Kept]:
    def one(name: str) -> Callable[[int, bool], int]:
        def expired(before: int, apply: bool) -> int:
            times = {"keys": 0, "actions": 0} | {name: before}
            return expire_access(database, **times, apply=apply)[name]

        return expired

    return [Kept(name, getattr(periods, name), one(name)) for name in ("actions", "keys")]


def _of_cases(database: Database, periods: Periods) -> list[Kept]:
    return [
        Kept("cases", periods.cases, lambda b, a: expiry.forget_cases(database, b, apply=a)),
        Kept(
            "allowances", periods.allowances,
            lambda b, a: expiry.expire_allowances(database, b, apply=a),
        ),
        Kept("tokens", periods.tokens, lambda b, a: expiry.expire_tokens(database, b, apply=a)),
        Kept("outbox", periods.outbox, lambda b, a: expiry.expire_outbox(database, b, apply=a)),
    ]  # fmt: skip


def _exchanges(state: Path, before: int, apply: bool) -> int:
    from stillwatch.events import EventStore  # loads Arrow

    day = datetime.fromtimestamp(before, UTC).date()
    with EventStore.open(state / EVENTS, tidy=apply) as store:
        return store.expire(day) if apply else store.rows_before(day)


def _salts(folder: Path, before: int, apply: bool) -> int:
    with Salts.open(folder) as salts:
        return salts.expire(before) if apply else salts.unused(before)
