"""What the ledger is told of cases: written with the decision, handed over afterwards, once each.

An entry is put into the outbox in the transaction of the decision itself, so that neither is ever
there without the other. :func:`deliver` appends what waits to a recorder and marks it. A process
that dies in between leaves an entry that the recorder has and the outbox does not know of; it is
found by its `record` before anything is appended again.

Names of accounts and everything that people wrote stand as salted commitments: who has the name
(or the event) and the salt can check them, and without the salt nobody can.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol

import msgspec
from sqlalchemy import Connection, func, insert, select, update

from stillwatch.access.database import Database
from stillwatch.cases.schema import OUTBOX

__all__ = ["SALT_BYTES", "Recorder", "commitment", "deliver", "put_entry", "waiting"]

SALT_BYTES = 32
_AT_ONCE = 1_000


class Recorder(Protocol):
    """An append-only record of entries ``{"kind", "at", "by", "body"}``, each at an index."""

    def append(self, entries: Sequence[Mapping[str, Any]], /) -> Sequence[int]:
        """Append entries durably, all or none; their indices."""

    def entries(self, first: int, /) -> Iterable[tuple[int, Mapping[str, Any]]]:
        """The entries from an index on, with their indices."""


def commitment(identifier: str, salt: bytes, *, of: str = "account") -> str:
    """The ledger's salted commitment to something: HMAC-SHA-256 under a random salt of 32 bytes."""
    message = f"stillwatch commitment 1\0{of}\0{identifier}".encode()
    return "c1-" + hmac.digest(salt, message, hashlib.sha256).hex()


def put_entry(
    connection: Connection, *, kind: str, at: int, by: str, body: Mapping[str, Any]
) -> None:
    """Put an entry into the outbox; it counts when the transaction does."""
    last = connection.execute(select(func.max(OUTBOX.c.number))).scalar()
    entry = {
        "kind": kind,
        "at": datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "by": by,
        "body": {"record": secrets.token_hex(16), **body},
    }
    text = msgspec.json.encode(entry, order="sorted").decode()
    connection.execute(insert(OUTBOX).values(number=(last or 0) + 1, entry=text))


def waiting(connection: Connection) -> Iterator[tuple[int, dict[str, Any]]]:
    """What the recorder was not told yet, in order."""
    wanted = select(OUTBOX.c.number, OUTBOX.c.entry).where(OUTBOX.c.place.is_(None))
    for number, entry in connection.execute(wanted.order_by(OUTBOX.c.number)):
        yield number, msgspec.json.decode(entry, type=dict[str, Any])


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
            fresh = [entry for _, entry in some if entry["body"]["record"] not in places]
            given = iter(recorder.append(fresh) if fresh else ())
            for number, entry in some:
                record = entry["body"]["record"]
                place = places[record] if record in places else next(given)
                connection.execute(
                    update(OUTBOX).where(OUTBOX.c.number == number).values(place=place)
                )
            told += len(some)


def _places(recorder: Recorder, last: int) -> dict[str, int]:
    """What the recorder holds behind the last place that we know of, by its record."""
    found = {}
    for index, entry in recorder.entries(last + 1):
        record = entry.get("body", {}).get("record")
        if isinstance(record, str):
            found[record] = index
    return found
