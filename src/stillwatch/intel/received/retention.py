"""What was received goes when its sender said, or after the period; what it met here likewise.

Counted without `apply`, deleted with it. Identities, markings and definitions stay: others point
to them, and they observe nobody. What is over by its sender's word is refused when it comes again,
so that deleting a retraction brings nothing back.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, Connection, Table, and_, delete, func, or_, select

from stillwatch.access.database import Database
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

_STAYING = ("identity", "marking-definition", "extension-definition")


def expire_received(database: Database, before: int, now: int, *, apply: bool) -> int:
    """Rows that are over, deleted with `apply`.

    Args:
        before: what ended, or came, before that time (seconds) has been kept for its period.
        now: objects go that their senders wanted kept until then at the latest.

    Raises:
        StorageError: the store cannot be read, or written; then nothing was deleted.
    """
    if not apply:
        with database.reading() as (connection, _):
            return sum(_count(connection, *each) for each in _over(before, now))
    with database.writing(removes=True) as (connection, _):
        return sum(
            connection.execute(delete(table).where(over)).rowcount
            for table, over in _over(before, now)
        )


def _over(before: int, now: int) -> list[tuple[Table, ColumnElement[bool]]]:
    """What is over in each table; imports last, for others ask them for their time."""
    old = select(IMPORTS.c.number).where(IMPORTS.c.at < before)
    told = select(OBJECTS.c.id).where(OBJECTS.c.id == SIGHTINGS.c.id).correlate(SIGHTINGS)
    waits = select(OBJECTS.c.import_number)
    return [
        (
            OBJECTS,
            and_(
                OBJECTS.c.type.not_in(_STAYING),
                or_(
                    OBJECTS.c.retain_until < now,
                    and_(
                        OBJECTS.c.retain_until.is_(None),
                        or_(
                            OBJECTS.c.valid_until < before,
                            and_(
                                OBJECTS.c.valid_until.is_(None),
                                OBJECTS.c.import_number.in_(old),
                            ),
                        ),
                    ),
                ),
            ),
        ),
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
