"""Collections: what members publish into and fetch from, each in an API root (a trust group)."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, func, insert, or_, select, update

from stillwatch.access.database import Database
from stillwatch.access.registration import check_name
from stillwatch.errors import CollectionError, InputError, UnknownCollectionError
from stillwatch.intel.store.schema import COLLECTIONS

__all__ = ["ROOT", "Collection", "CollectionBook", "find_collection"]

#: the API root where none is named
ROOT = "intel"
#: words that stand in a URL as they are
_WORD = re.compile(r"[a-z0-9](?:[a-z0-9_-]{0,62}[a-z0-9])?")
#: paths of the server itself
_TAKEN = frozenset({"taxii2", "healthz", "metrics", "readyz"})
_LONGEST_KEEP = 3_660 * 86_400


class Collection(msgspec.Struct, frozen=True, kw_only=True):
    """`id` is a UUID, `alias` a word for it within its `root`. Objects are deleted `keep` seconds
    after their end (their `valid_until`; without one, the time that they were added); None keeps
    them. `last` is the latest time that an object was added at, in microseconds since 1970."""

    number: int
    id: str
    root: str
    alias: str
    title: str
    description: str
    created_at: int
    keep: int | None
    last: int


class CollectionBook:
    """Makes and lists collections. `clock` gives seconds since 1970."""

    def __init__(self, database: Database, clock: Callable[[], float]) -> None:
        self._database = database
        self._clock = clock

    def add(
        self,
        alias: str,
        *,
        title: str = "",
        description: str = "",
        root: str = ROOT,
        keep: int | None = None,
    ) -> Collection:
        """Make a collection; nobody may use it yet.

        Raises:
            CollectionError: the alias or the root is no word, or the alias is taken.
        """
        for what, word in (("alias", alias), ("root", root)):
            if not _WORD.fullmatch(word) or (what == "root" and word in _TAKEN):
                raise CollectionError(
                    f"{what}: {word!r} cannot stand in an address; use a to z, 0 to 9, - and _"
                )
        _check_keep(keep)
        title = title or alias
        try:
            check_name("title", title)
            if description:
                check_name("description", description)
        except InputError as error:
            raise CollectionError(str(error)) from error
        with self._database.writing() as (connection, _):
            same = (COLLECTIONS.c.root == root, COLLECTIONS.c.alias == alias)
            if connection.execute(select(COLLECTIONS.c.id).where(*same)).first() is not None:
                raise CollectionError(f"there is a collection {alias!r} in {root!r} already")
            number = connection.execute(select(func.max(COLLECTIONS.c.number))).scalar_one() or 0
            made = Collection(
                number=number + 1, id=str(uuid.uuid4()), root=root, alias=alias, title=title,
                description=description, created_at=int(self._clock()), keep=keep, last=0,
            )  # fmt: skip
            connection.execute(insert(COLLECTIONS).values(msgspec.structs.asdict(made)))
        return made

    def keep(self, name: str, keep: int | None, *, root: str = ROOT) -> Collection:
        """Change how long objects are kept beyond their end, in seconds.

        Raises:
            UnknownCollectionError: there is none of that alias or id.
        """
        _check_keep(keep)
        with self._database.writing() as (connection, _):
            found = find_collection(connection, root, name)
            mine = COLLECTIONS.c.number == found.number
            connection.execute(update(COLLECTIONS).where(mine).values(keep=keep))
        return msgspec.structs.replace(found, keep=keep)

    def all(self) -> list[Collection]:
        """All of them, in the order in which they were made."""
        with self._database.reading() as (connection, _):
            rows = connection.execute(select(COLLECTIONS).order_by(COLLECTIONS.c.number))
            return [_collection(row) for row in rows]

    def named(self, name: str, *, root: str = ROOT) -> Collection:
        """The one of this alias or id.

        Raises:
            UnknownCollectionError: there is none.
        """
        with self._database.reading() as (connection, _):
            return find_collection(connection, root, name)


def find_collection(connection: Connection, root: str, name: str) -> Collection:
    """A collection of a root by its alias or its id.

    Raises:
        UnknownCollectionError: there is none.
    """
    row = None
    if _WORD.fullmatch(root) and _WORD.fullmatch(name):  # nothing else is ever one
        names = or_(COLLECTIONS.c.id == name, COLLECTIONS.c.alias == name)
        row = connection.execute(
            select(COLLECTIONS).where(COLLECTIONS.c.root == root, names)
        ).first()
    if row is None:
        raise UnknownCollectionError(
            f"there is no collection {name!r} in {root!r}; `stillwatch intel collection list` "
            "shows all"
        )
    return _collection(row)


def _check_keep(keep: int | None) -> None:
    if keep is not None and not 0 <= keep <= _LONGEST_KEEP:
        raise CollectionError("keep: give ten years at most, or nothing to keep for ever")


def _collection(row: Row[Any]) -> Collection:
    return Collection(**row._mapping)
