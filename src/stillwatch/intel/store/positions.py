"""How far collections of other servers were fetched: a poll goes on where one was killed."""

from __future__ import annotations

import msgspec
from sqlalchemy import delete, insert, select

from stillwatch.access.database import Database
from stillwatch.intel.store.schema import POSITIONS

__all__ = ["Position", "PositionBook"]


class Position(msgspec.Struct, frozen=True, kw_only=True):
    """A fetch asks for what was added behind `after`; None is the beginning. In the middle of one
    `next` is the page that follows, and `reached` where the page before ended. All three are the
    server's own words. `pages` and `objects` count since the first poll."""

    after: str | None = None
    next: str | None = None
    reached: str | None = None
    pages: int = 0
    objects: int = 0


class PositionBook:
    """Positions by the URL of a collection."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def read(self, collection: str) -> Position:
        """Where a poll goes on; the beginning where there was none."""
        columns = [each for each in POSITIONS.c if each is not POSITIONS.c.collection]
        wanted = select(*columns).where(POSITIONS.c.collection == collection)
        with self._database.reading() as (connection, _):
            row = connection.execute(wanted).first()
        return Position() if row is None else Position(**row._mapping)

    def write(self, collection: str, position: Position) -> None:
        """Remember it; on the disk when this returns."""
        row = {"collection": collection, **msgspec.structs.asdict(position)}
        with self._database.writing() as (connection, _):
            connection.execute(delete(POSITIONS).where(POSITIONS.c.collection == collection))
            connection.execute(insert(POSITIONS).values(row))
