"""Who takes part: members, what each may do in which collection, and tokens that speak for them.

A token is an API key in its form and in how it is stored (:mod:`stillwatch.access.secret`). Who may
make members and tokens is who may write the store: it is done on the command line.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, delete, insert, select, update

from stillwatch.access.database import Database
from stillwatch.access.registration import check_name
from stillwatch.access.secret import LONGEST, digest_of, new_secret
from stillwatch.errors import CollectionError, InputError, UnknownCollectionError
from stillwatch.intel.store.collections import ROOT, Collection, find_collection
from stillwatch.intel.store.objects import is_object_id
from stillwatch.intel.store.schema import COLLECTIONS, MEMBERS, RIGHTS, TOKENS

__all__ = ["LASTS", "Member", "MemberBook", "Right", "Token"]

#: seconds that a token is good for at most
LASTS = 366 * 86_400


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """`identity` is the STIX identity whose objects come from this member alone, if known."""

    name: str
    identity: str | None
    created_at: int


class Right(msgspec.Struct, frozen=True, kw_only=True):
    """What a member may do in a collection."""

    member: str
    root: str
    collection: str
    read: bool
    write: bool


class Token(msgspec.Struct, frozen=True, kw_only=True):
    """Times are seconds since 1970, UTC."""

    id: str
    member: str
    created_at: int
    expires_at: int
    revoked_at: int | None = None


class MemberBook:
    """Writes and reads members, rights and tokens. `clock` gives seconds since 1970."""

    def __init__(self, database: Database, clock: Callable[[], float]) -> None:
        self._database = database
        self._clock = clock

    def add(self, name: str, identity: str | None = None) -> Member:
        """Make a member, who may do nothing yet; or bind one that there is to an identity.

        Raises:
            CollectionError: the name cannot stand, or the identity is none, or another member's.
        """
        try:
            check_name("member", name)
        except InputError as error:
            raise CollectionError(str(error)) from error
        if identity is not None and not (
            identity.startswith("identity--") and is_object_id(identity)
        ):
            raise CollectionError(f"identity: {identity!r} is not identity-- and a UUID")
        made = Member(name=name, identity=identity, created_at=int(self._clock()))
        with self._database.writing() as (connection, _):
            if identity is not None:
                of = select(MEMBERS.c.name).where(MEMBERS.c.identity == identity)
                owner = connection.execute(of).scalar_one_or_none()
                if owner not in (None, name):
                    raise CollectionError(f"{identity} is the identity of {owner!r}")
            there = connection.execute(select(MEMBERS).where(MEMBERS.c.name == name)).first()
            if there is None:
                connection.execute(insert(MEMBERS).values(msgspec.structs.asdict(made)))
                return made
            if identity is not None:
                mine = MEMBERS.c.name == name
                connection.execute(update(MEMBERS).where(mine).values(identity=identity))
            return Member(**(dict(there._mapping) | ({"identity": identity} if identity else {})))

    def allow(
        self, member: str, collection: str, *, read: bool, write: bool, root: str = ROOT
    ) -> Right:
        """Say what a member may do in a collection, in place of what was said before.

        Raises:
            UnknownCollectionError: there is no such member or collection.
        """
        with self._database.writing() as (connection, _):
            _check_member(connection, member)
            found = find_collection(connection, root, collection)
            mine = (RIGHTS.c.member == member, RIGHTS.c.collection == found.number)
            connection.execute(delete(RIGHTS).where(*mine))
            if read or write:
                row = {"member": member, "collection": found.number, "read": read, "write": write}
                connection.execute(insert(RIGHTS).values(row))
        return Right(member=member, root=root, collection=found.alias, read=read, write=write)

    def members(self) -> list[Member]:
        """All of them, by name."""
        with self._database.reading() as (connection, _):
            rows = connection.execute(select(MEMBERS).order_by(MEMBERS.c.name))
            return [Member(**row._mapping) for row in rows]

    def rights(self) -> list[Right]:
        """All of them, by member."""
        wanted = (
            select(RIGHTS.c.member, COLLECTIONS.c.root, COLLECTIONS.c.alias.label("collection"),
                   RIGHTS.c.read, RIGHTS.c.write)
            .join(COLLECTIONS, COLLECTIONS.c.number == RIGHTS.c.collection)
            .order_by(RIGHTS.c.member, COLLECTIONS.c.number)
        )  # fmt: skip
        with self._database.reading() as (connection, _):
            return [_right(row._mapping) for row in connection.execute(wanted)]

    def rights_of(self, member: str) -> list[tuple[Collection, Right]]:
        """The collections in which a member may do something, in the order they were made."""
        wanted = (
            select(COLLECTIONS, RIGHTS.c.read, RIGHTS.c.write)
            .join(RIGHTS, COLLECTIONS.c.number == RIGHTS.c.collection)
            .where(RIGHTS.c.member == member)
            .order_by(COLLECTIONS.c.number)
        )
        found = []
        with self._database.reading() as (connection, _):
            for row in connection.execute(wanted).mappings():
                fields = dict(row)
                read, write = bool(fields.pop("read")), bool(fields.pop("write"))
                collection = Collection(**fields)
                right = Right(member=member, root=collection.root, collection=collection.alias,
                              read=read, write=write)  # fmt: skip
                found.append((collection, right))
        return found

    def create_token(self, member: str, lasting: int) -> tuple[str, Token]:
        """Make a token; its secret, which is stored nowhere, and the token.

        Raises:
            UnknownCollectionError: there is no such member.
            CollectionError: it would not end.
        """
        if not 0 < lasting <= LASTS:
            raise CollectionError(f"a token must end, within {LASTS // 86_400} days")
        secret, now = new_secret(), int(self._clock())
        token = Token(
            id=f"tok-{secrets.token_hex(6)}", member=member, created_at=now,
            expires_at=now + lasting,
        )  # fmt: skip
        with self._database.writing() as (connection, _):
            _check_member(connection, member)
            row = msgspec.structs.asdict(token) | {"digest": digest_of(secret)}
            connection.execute(insert(TOKENS).values(row))
        return secret, token

    def revoke_token(self, id: str) -> Token:  # noqa: A002
        """End a token now; a second time changes nothing.

        Raises:
            UnknownCollectionError: there is none of that id.
        """
        mine = (TOKENS.c.id == id, TOKENS.c.revoked_at.is_(None))
        with self._database.writing() as (connection, _):
            connection.execute(update(TOKENS).where(*mine).values(revoked_at=int(self._clock())))
        for token in self.tokens():
            if token.id == id:
                return token
        raise UnknownCollectionError(f"there is no token {id!r}")

    def tokens(self) -> list[Token]:
        """All of them, also those that have ended, oldest first."""
        wanted = select(TOKENS).order_by(TOKENS.c.created_at, TOKENS.c.id)
        with self._database.reading() as (connection, _):
            return [_token(row) for row in connection.execute(wanted)]

    def bearer(self, secret: str) -> Token | None:
        """Whom a secret speaks for; None where nobody, or not any more."""
        if len(secret) > LONGEST:
            return None
        wanted = select(TOKENS).where(TOKENS.c.digest == digest_of(secret))
        with self._database.reading() as (connection, _):
            row = connection.execute(wanted).first()
            found = None if row is None else _token(row)
        if found is None or found.revoked_at is not None or self._clock() >= found.expires_at:
            return None
        return found


def _check_member(connection: Connection, name: str) -> None:
    if connection.execute(select(MEMBERS.c.name).where(MEMBERS.c.name == name)).first() is None:
        raise UnknownCollectionError(
            f"there is no member {name!r}; `stillwatch intel collection allow` makes one"
        )


def _right(row: Mapping[Any, Any]) -> Right:
    return Right(**{**row, "read": bool(row["read"]), "write": bool(row["write"])})


def _token(row: Row[Any]) -> Token:
    return Token(
        id=row.id,
        member=row.member,
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
    )
