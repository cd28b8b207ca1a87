"""Deletes what has outlived its collection's period, and what nobody needs any more.

An object ends at its `valid_until`, or when it was added where it has none; `keep` seconds later it
goes, with no trace but that its place in the order is not given again. A version that ends before
an earlier one of the same object stays as long as that: it says that the earlier holds no more.
Identities, markings and extension definitions stay: others point to them, and they observe nobody.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from sqlalchemy import delete, exists, select

from stillwatch.access.database import Database
from stillwatch.intel.store.schema import COLLECTIONS, OBJECTS, STATUSES, TOKENS

__all__ = ["STATUS_KEPT", "Swept", "sweep"]

#: seconds that a status can be asked for; TAXII 2.1 (section 4.3) wants a day at least
STATUS_KEPT = 2 * 86_400
#: seconds that a token is listed after its end
_TOKEN_KEPT = 90 * 86_400
_STAYING = ("identity", "marking-definition", "extension-definition")
#: objects that are deleted at once, so that others wait for a moment only
_AT_ONCE = 2_000


class Swept(msgspec.Struct, frozen=True):
    """How many rows went."""

    objects: int
    statuses: int
    tokens: int


def sweep(database: Database, clock: Callable[[], float]) -> Swept:
    """Delete what is to go by now; a second time changes nothing.

    Raises:
        StorageError: the store cannot be written; what was deleted before that stays so.
    """
    now = round(clock() * 1e6)
    wanted = select(COLLECTIONS.c.number, COLLECTIONS.c.keep)
    with database.reading() as (connection, _):
        rows = connection.execute(wanted.where(COLLECTIONS.c.keep.is_not(None))).all()
    objects = sum(_sweep(database, row.number, now - row.keep * 1_000_000) for row in rows)
    with database.writing(removes=True) as (connection, _):
        old = STATUSES.c.at < now - STATUS_KEPT * 1_000_000
        statuses = connection.execute(delete(STATUSES).where(old)).rowcount
        ended = TOKENS.c.expires_at < now // 1_000_000 - _TOKEN_KEPT
        tokens = connection.execute(delete(TOKENS).where(ended)).rowcount
    return Swept(objects, statuses, tokens)


def _sweep(database: Database, collection: int, before: int) -> int:
    """Delete the objects of a collection that ended before a time; how many."""
    columns, other = OBJECTS.c, OBJECTS.alias()
    outlasted = exists().where(
        other.c.collection == columns.collection,
        other.c.object_id == columns.object_id,
        other.c.version < columns.version,
        other.c.ends >= before,
    )
    ended = (
        select(columns.added)
        .where(
            columns.collection == collection,
            columns.ends < before,
            columns.type.not_in(_STAYING),
            ~outlasted,
        )
        .limit(_AT_ONCE)
    )
    deleted = 0
    while True:
        with database.writing(removes=True) as (connection, _):
            some = [row.added for row in connection.execute(ended)]
            mine = (columns.collection == collection, columns.added.in_(some))
            if some:
                connection.execute(delete(OBJECTS).where(*mine))
        deleted += len(some)
        if len(some) < _AT_ONCE:
            return deleted
