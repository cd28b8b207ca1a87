"""What the ledger is told of cases: written with the decision, handed over afterwards, once each.

An entry is put into the outbox in the transaction of the decision itself, so that neither is ever
there without the other. :func:`deliver` appends what waits to a recorder and marks it. A process
that dies in between leaves an entry that the recorder has and the outbox does not know of; it is
found by its `record` before anything is appended again.

Names of accounts and everything that people wrote stand as salted commitments: who has the name
(or the event) and the salt can check them, and without the salt nobody can.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol

import msgspec
from sqlalchemy import Connection, func, insert, select, update

from stillwatch.access.database import Database
from stillwatch.cases.schema import OUTBOX
from stillwatch.ledger import Entry

__all__ = ["Recorder", "deliver", "put_entry", "waiting"]

_AT_ONCE = 1_000


class Recorder(Protocol):
    """What of :class:`~stillwatch.ledger.Ledger` is needed here."""

    def append(self, entries: Iterable[Entry]) -> Sequence[int]:
        """Append entries durably, all or none; their numbers."""

    def entries(self, first: int = 0, end: int | None = None) -> Iterator[tuple[int, Entry]]:
        """The entries from a number on, with their numbers."""


def put_entry(
    connection: Connection, *, kind: str, at: int, by: str, body: Mapping[str, Any]
) -> None:
    """Put an entry into the outbox; it counts when the transaction does."""
    last = connection.execute(select(func.max(OUTBOX.c.number))).scalar()
    entry = Entry(
        kind=kind,
        at=datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        by=by,
        body={"record": secrets.token_hex(16), **body},
    )
    entry.encoded()  # refused here, with the decision, and not when it is handed over
    text = msgspec.json.encode(entry, order="sorted").decode()
    connection.execute(insert(OUTBOX).values(number=(last or 0) + 1, entry=text))


def waiting(connection: Connection) -> Iterator[tuple[int, Entry]]:
    """What the recorder was not told yet, in order."""
    wanted = select(OUTBOX.c.number, OUTBOX.c.entry).where(OUTBOX.c.place.is_(None))
    for number, entry in connection.execute(wanted.order_by(OUTBOX.c.number)):
        yield number, msgspec.json.decode(entry, type=Entry)


def deliver(database: Database, recorder: Recorder) -> int:
    """Tell the recorder what waits, in order and each entry once; how many there were.

    Raises:
        StillwatchError: whatever the recorder raises; what was not told still waits.
    """
    told = 0
    while True:
        with database.writing() as (connection, _):  # one at a time, here and elsewhere
            some = list(waiting(connection))[:_AT_ONCE]
            if not some:
                return told
            last = connection.execute(select(func.max(OUTBOX.c.place))).scalar()
            places = _places(recorder, -1 if last is None else last)
            fresh = [entry for _, entry in some if entry.body["record"] not in places]
            given = iter(recorder.append(fresh) if fresh else ())
            for number, entry in some:
                record = entry.body["record"]
                place = places[record] if record in places else next(given)
                connection.execute(
                    update(OUTBOX).where(OUTBOX.c.number == number).values(place=place)
                )
            told += len(some)


def _places(recorder: Recorder, last: int) -> dict[str, int]:
    """What the recorder holds behind the last place that we know of, by its record."""
    found = {}
    for index, entry in recorder.entries(last + 1):
        record = entry.body.get("record")
        if isinstance(record, str):
            found[record] = index
    return found
