"""What was received goes when its sender said, or after the period; what it met here likewise.

Counted without `apply`, deleted with it. Identities, markings and definitions stay: others point
to them, and they observe nobody. What is over by its sender's word is refused when it comes again.
Of the last version of an indicator it stays known that there was one, and nothing of what it said:
else an earlier version, that was to hold for longer, would count when it comes again.
"""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import ColumnElement, Connection, Table, and_, delete, func, or_, select, update

from stillwatch.access.database import Database
from stillwatch.intel.received.checking import LONGEST
from stillwatch.intel.received.schema import (
    APART,
    BLOCKS,
    HITS,
    IMPORTS,
    OBJECTS,
    REFUSALS,
    SIGHTINGS,
)

__all__ = ["expire_received"]

_EMPTY = "{}"
_STAYING = ("identity", "marking-definition", "extension-definition")


def expire_received(database: Database, before: int, now: int, *, apply: bool) -> int:
    """Rows that are over, deleted with `apply`.

    Args:
        before: what ended, or came, before that time (seconds) has been kept for its period.
        now: objects go that their senders wanted kept until then at the latest.

    Raises:
        StorageError: the store cannot be read, or written; then nothing was deleted.
    """
    over = _over(before, now)
    if not apply:
        with database.reading() as (connection, _):
            return sum(_count(connection, *each) for each in [(OBJECTS, _said(before, now)), *over])
    with database.writing(removes=True) as (connection, _):
        emptied = connection.execute(
            update(OBJECTS).where(_said(before, now)).values(body=_EMPTY, pattern=None)
        ).rowcount
        return emptied + sum(
            connection.execute(delete(table).where(gone)).rowcount for table, gone in over
        )


def _ended(before: int, now: int) -> ColumnElement[bool]:
    """Objects that are over."""
    columns = OBJECTS.c
    old = select(IMPORTS.c.number).where(IMPORTS.c.at < before)
    return and_(
        columns.type.not_in(_STAYING),
        or_(
            columns.retain_until < now,
            and_(
                columns.retain_until.is_(None),
                or_(
                    columns.valid_until < before,
                    and_(columns.valid_until.is_(None), columns.import_number.in_(old)),
                ),
            ),
        ),
    )


def _remembered(now: int) -> ColumnElement[bool]:
    """Last versions of indicators of which an earlier one could still hold."""
    since = datetime.fromtimestamp(now - LONGEST, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return and_(OBJECTS.c.type == "indicator", OBJECTS.c.newest, OBJECTS.c.modified >= since)


def _said(before: int, now: int) -> ColumnElement[bool]:
    """Those that still say something, and are over."""
    return and_(_ended(before, now), _remembered(now), OBJECTS.c.body != _EMPTY)


def _over(before: int, now: int) -> list[tuple[Table, ColumnElement[bool]]]:
    """What is over in each table; imports last, for others ask them for their time."""
    old = select(IMPORTS.c.number).where(IMPORTS.c.at < before)
    told = select(OBJECTS.c.id).where(OBJECTS.c.id == SIGHTINGS.c.id).correlate(SIGHTINGS)
    waits = select(OBJECTS.c.import_number)
    return [
        (OBJECTS, and_(_ended(before, now), ~_remembered(now))),
        (SIGHTINGS, ~told.exists()),
        (HITS, HITS.c.matched_at < before),
        (BLOCKS, or_(BLOCKS.c.ended_at < before, BLOCKS.c.expires_at < before)),
        (APART, APART.c.import_number.in_(old)),
        (REFUSALS, REFUSALS.c.import_number.in_(old)),
        (IMPORTS, and_(IMPORTS.c.at < before, IMPORTS.c.number.not_in(waits))),
    ]


def _count(connection: Connection, table: Table, over: ColumnElement[bool]) -> int:
    wanted = select(func.count()).select_from(table).where(over)
    return int(connection.execute(wanted).scalar_one())
