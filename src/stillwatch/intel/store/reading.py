"""Pages of a collection, in the order in which objects were added (TAXII 2.1, 3.3 to 3.5).

A page is a moment of the store. The next one begins behind the last `added` of the one before, and
whatever is added meanwhile comes later: nothing is missed and nothing comes twice.
"""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import ColumnElement, and_, delete, exists, false, or_, select

from stillwatch.access.database import Database
from stillwatch.intel.store.collections import Collection
from stillwatch.intel.store.schema import MEMBERS, OBJECTS

__all__ = ["MOST_BYTES", "MOST_OBJECTS", "Entry", "Filter", "Page", "Reader", "Version"]

#: of one page
MOST_OBJECTS = 5_000
MOST_BYTES = 16 * 2**20
_COLUMNS = OBJECTS.c


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """Which versions of an object are meant; any that one of these names. `exact` are keys of
    :func:`~stillwatch.intel.store.times.version_key`."""

    every: bool = False
    first: bool = False
    last: bool = False
    exact: tuple[str, ...] = ()


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked of a collection; None asks for anything. `after` is exclusive, in microseconds
    since 1970."""

    after: int | None = None
    ids: tuple[str, ...] | None = None
    types: tuple[str, ...] | None = None
    versions: Version = Version(last=True)
    spec_versions: tuple[str, ...] | None = None


class Entry(msgspec.Struct, frozen=True):
    """One version of an object, as a manifest has it."""

    id: str
    shown: str
    added: int
    body: bytes = b""


class Page(msgspec.Struct, frozen=True):
    """`more` says that there are further objects behind the last one."""

    entries: list[Entry]
    more: bool


class Reader:
    """Reads pages, and deletes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def page(
        self, collection: Collection, wanted: Filter, *, most: int = MOST_OBJECTS,
        bodies: bool = True,
    ) -> Page:  # fmt: skip
        """The first objects that are wanted, `most` at most; with their bodies no more than
        :data:`MOST_BYTES`, but always one.

        Raises:
            StorageError: the store cannot be read.
        """
        where = _where(collection, wanted)
        columns: list[Any] = [_COLUMNS.object_id, _COLUMNS.shown, _COLUMNS.added, _COLUMNS.size]
        query = select(*columns).where(*where).order_by(_order(wanted)).limit(most + 1)
        with self._database.reading() as (connection, _):
            rows = connection.execute(query).all()
            kept = rows[:most]
            if not bodies:
                return Page(
                    [Entry(row.object_id, row.shown, row.added) for row in kept], len(rows) > most
                )
            size, cut = 0, 0
            for row in kept:
                size += row.size
                if size > MOST_BYTES and cut:
                    break
                cut += 1
            kept = kept[:cut]
            if not kept:
                return Page([], False)
            within = _COLUMNS.added.between(kept[0].added, kept[-1].added)
            theirs = (_COLUMNS.collection == collection.number, within)
            found = connection.execute(select(_COLUMNS.added, _COLUMNS.body).where(*theirs))
            if len(kept) * 4 < most:  # few among many: do not read all between them
                found = connection.execute(
                    select(_COLUMNS.added, _COLUMNS.body)
                    .where(*where, within)
                    .order_by(_COLUMNS.added)
                )
            body = {row.added: bytes(row.body) for row in found}
        entries = [Entry(row.object_id, row.shown, row.added, body[row.added]) for row in kept]
        return Page(entries, len(rows) > len(kept))

    def has(self, collection: Collection, object_id: str) -> bool:
        """Whether there is any version of an object."""
        there = select(_COLUMNS.added).where(
            _COLUMNS.collection == collection.number, _COLUMNS.object_id == object_id
        )
        with self._database.reading() as (connection, _):
            return connection.execute(there.limit(1)).first() is not None

    def delete(
        self, collection: Collection, object_id: str, versions: Version, member: str
    ) -> int | None:
        """Delete versions of an object that this member sent, or is the author of; how many.

        None where one of them is somebody else's: nothing is deleted then.

        Raises:
            StorageError: the store cannot be written.
        """
        where = _where(collection, Filter(ids=(object_id,), versions=versions))
        with self._database.writing() as (connection, _):
            mine = select(MEMBERS.c.identity).where(MEMBERS.c.name == member)
            identity = connection.execute(mine).scalar_one_or_none()
            found = connection.execute(
                select(_COLUMNS.added, _COLUMNS.member, _COLUMNS.author).where(*where)
            ).all()
            for row in found:
                if row.member != member and (identity is None or row.author != identity):
                    return None
            for row in found:
                connection.execute(
                    delete(OBJECTS).where(
                        _COLUMNS.collection == collection.number, _COLUMNS.added == row.added
                    )
                )
        return len(found)


def _order(wanted: Filter) -> ColumnElement[int]:
    """The time of adding; where few ids are asked for, so that no database walks along it to find
    them."""
    return _COLUMNS.added if wanted.ids is None else _COLUMNS.added + 0


def _where(collection: Collection, wanted: Filter) -> list[ColumnElement[bool]]:
    where: list[ColumnElement[bool]] = [_COLUMNS.collection == collection.number]
    if wanted.after is not None:
        where.append(_order(wanted) > wanted.after)
    if wanted.ids is not None:
        where.append(_COLUMNS.object_id.in_(wanted.ids))
    if wanted.types is not None:
        where.append(_COLUMNS.type.in_(wanted.types))
    if wanted.spec_versions is not None and "2.1" not in wanted.spec_versions:
        where.append(false())  # nothing else is kept
    versions = wanted.versions
    if not versions.every:
        any_of: list[ColumnElement[bool]] = []
        for asked, newer in ((versions.last, True), (versions.first, False)):
            if asked:
                any_of.append(~_another(newer))
        if versions.exact:
            any_of.append(_COLUMNS.version.in_(versions.exact))
        where.append(or_(*any_of) if any_of else false())
    return where


def _another(newer: bool) -> ColumnElement[bool]:
    """That there is a newer (or an older) version of the same object."""
    other = OBJECTS.alias()
    order = other.c.version > _COLUMNS.version if newer else other.c.version < _COLUMNS.version
    same = and_(
        other.c.collection == _COLUMNS.collection, other.c.object_id == _COLUMNS.object_id, order
    )
    return exists().where(same)
