"""Adds the objects of one request: all that can be kept, and a status that says what became of it.

One transaction: when it is acknowledged, objects and status are on the disk together. The time that
an object was added at is its place in the collection: strictly growing, whoever writes and whatever
the clock does, so that a page that ends at one goes on behind it.
"""

from __future__ import annotations

import uuid
import zlib
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, insert, select, update

from stillwatch.access.database import Database
from stillwatch.errors import IndicatorError
from stillwatch.intel.store.collections import Collection
from stillwatch.intel.store.objects import Incoming, check_object
from stillwatch.intel.store.schema import COLLECTIONS, MEMBERS, OBJECTS, STATUSES
from stillwatch.intel.store.times import version_key, written

__all__ = ["Adder", "Outcome", "Status"]

_AT_ONCE = 500  # ids in one statement
_LONGEST_NAME = 300  # characters of what a member calls an id
HELD = "it is here already"


class Outcome(msgspec.Struct, frozen=True, omit_defaults=True):
    """What became of one object: TAXII 2.1's status-details."""

    id: str
    version: str
    message: str = ""


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a request; everything is decided when it is answered, so nothing pends."""

    id: str
    at: int
    successes: list[Outcome]
    failures: list[Outcome]

    def resource(self) -> dict[str, Any]:
        """TAXII 2.1's status (section 4.3.1), in which lists are not empty."""
        made: dict[str, Any] = {
            "id": self.id,
            "status": "complete",
            "request_timestamp": written(self.at),
            "total_count": len(self.successes) + len(self.failures),
            "success_count": len(self.successes),
            "failure_count": len(self.failures),
            "pending_count": 0,
        }
        if self.successes:
            made["successes"] = self.successes
        if self.failures:
            made["failures"] = self.failures
        return made


class _Held(msgspec.Struct):
    """What is known of an id: its author, whether it has versions, and what they hold."""

    author: str | None
    versioned: bool
    digests: dict[str, bytes]
    shown: dict[str, str]


class Adder:
    """Adds objects. `clock` gives seconds since 1970."""

    def __init__(self, database: Database, clock: Callable[[], float]) -> None:
        self._database = database
        self._clock = clock

    def add(self, collection: Collection, member: str, values: Sequence[Any]) -> Status:
        """Keep what is an object of STIX 2.1 and not here yet, in this order.

        An object that is here with the same content is a success that changes nothing; one of the
        same id and version with another content is a failure.

        Raises:
            StorageError: the store cannot be written; nothing of the request was kept.
        """
        now = round(self._clock() * 1e6)
        successes: list[Outcome] = []
        failures: list[Outcome] = []
        incoming = []
        for value in values:
            try:
                incoming.append(check_object(value))
            except IndicatorError as error:
                failures.append(Outcome(*_called(value, now), _text(str(error))))
        status = Status(id=str(uuid.uuid4()), at=now, successes=successes, failures=failures)
        with self._database.writing() as (connection, _):
            mine = COLLECTIONS.c.number == collection.number
            last = connection.execute(select(COLLECTIONS.c.last).where(mine)).scalar_one()
            bound = _identities(connection)
            held = _held(connection, collection.number, incoming)
            rows = []
            for each in incoming:
                version, shown = each.version, each.shown
                there = held.get(each.id)
                if not each.versioned and there is not None and not there.versioned:
                    [version] = there.digests  # the only one
                    shown = there.shown[version]
                if there is not None and there.digests.get(version or "") == each.digest:
                    successes.append(Outcome(each.id, shown or "", HELD))
                    continue
                added = max(now, last + 1)
                if version is None or shown is None:  # it has no time of its own
                    shown = written(added)
                    version = version_key(shown)
                if problem := _problem(each, there, version, bound, member):
                    failures.append(Outcome(each.id, shown, problem))
                    continue
                last = added
                rows.append(_row(each, collection.number, member, added, version, shown))
                if there is None:
                    there = held[each.id] = _Held(each.author, each.versioned, {}, {})
                there.digests[version], there.shown[version] = each.digest, shown
                successes.append(Outcome(each.id, shown))
            if rows:
                # asked for something back, SQLAlchemy sends many rows at once; PostgreSQL's driver
                # would send each by itself
                many = connection.dialect.name == "postgresql"
                new = insert(OBJECTS).returning(OBJECTS.c.added) if many else insert(OBJECTS)
                connection.execute(new, rows)
                connection.execute(update(COLLECTIONS).where(mine).values(last=last))
            connection.execute(insert(STATUSES).values(_status_row(status, collection, member)))
        return status

    def status(self, id: str, root: str, member: str) -> dict[str, Any] | None:  # noqa: A002
        """What became of an earlier request of a member, as TAXII has it; None where there is none.

        Statuses are kept for two days (:mod:`.expiry`)."""
        mine = (STATUSES.c.id == id, STATUSES.c.root == root, STATUSES.c.member == member)
        with self._database.reading() as (connection, _):
            body = connection.execute(select(STATUSES.c.body).where(*mine)).scalar_one_or_none()
        return None if body is None else msgspec.json.decode(zlib.decompress(body))


def _problem(
    each: Incoming, there: _Held | None, version: str, bound: dict[str, str], member: str
) -> str:
    """Why an object is not taken; nothing where it is."""
    for who in (each.author, each.id, there.author if there else None):
        if who is not None and bound.get(who, member) != member:
            return f"{who} is the identity of another member"
    if there is None:
        return ""
    if there.versioned != each.versioned:
        return "the same id is here as an object of another kind"
    if version in there.digests:
        return "the same version is here with other content; a change needs a later modified"
    if there.author != each.author:
        return "created_by_ref: it is another one than that of the versions that are here"
    return ""


def _identities(connection: Connection) -> dict[str, str]:
    """Which member each identity belongs to, where that is known."""
    wanted = select(MEMBERS.c.identity, MEMBERS.c.name).where(MEMBERS.c.identity.is_not(None))
    return {row.identity: row.name for row in connection.execute(wanted)}


def _held(
    connection: Connection, collection: int, incoming: Sequence[Incoming]
) -> dict[str, _Held]:
    found: dict[str, _Held] = {}
    ids = list({each.id for each in incoming})
    columns = OBJECTS.c
    for start in range(0, len(ids), _AT_ONCE):
        wanted = select(
            columns.object_id, columns.version, columns.shown, columns.versioned, columns.author,
            columns.digest,
        ).where(
            columns.collection == collection,
            columns.object_id.in_(ids[start : start + _AT_ONCE]),
        )  # fmt: skip
        for row in connection.execute(wanted):
            there = found.setdefault(row.object_id, _Held(row.author, bool(row.versioned), {}, {}))
            there.digests[row.version] = bytes(row.digest)
            there.shown[row.version] = row.shown
    return found


def _row(
    each: Incoming, collection: int, member: str, added: int, version: str, shown: str
) -> dict[str, Any]:
    return {
        "collection": collection, "object_id": each.id, "version": version, "added": added,
        "type": each.type, "shown": shown, "versioned": each.versioned, "member": member,
        "author": each.author, "ends": added if each.ends is None else each.ends,
        "size": len(each.body), "digest": each.digest, "body": each.body,
    }  # fmt: skip


def _status_row(status: Status, collection: Collection, member: str) -> dict[str, Any]:
    body = zlib.compress(msgspec.json.encode(status.resource()), 1)
    return {
        "id": status.id, "root": collection.root, "member": member, "at": status.at, "body": body,
    }  # fmt: skip


def _called(value: Any, now: int) -> tuple[str, str]:
    """The id and version of what is no object, as far as it has them."""
    name = value.get("id") if isinstance(value, dict) else None
    version = value.get("modified", value.get("created")) if isinstance(value, dict) else None
    return (
        _text(name) if isinstance(name, str) and name else "unknown",
        _text(version) if isinstance(version, str) and version else written(now),
    )


def _text(text: str) -> str:
    """What JSON can hold of it."""
    return text[:_LONGEST_NAME].encode("utf-8", "replace").decode()
