"""Tokens of the API: whom one speaks for, in which role, until when. Their secrets are not kept.

A token is an API key in its form and in how it is stored (:mod:`stillwatch.access.secret`), and no
gateway knows it. Who may make tokens is who may write the store: it is done on the command line.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from enum import StrEnum
from typing import Any

import msgspec
from sqlalchemy import Row, insert, select, update

from stillwatch.access.database import Database
from stillwatch.access.secret import LONGEST, digest_of, new_secret
from stillwatch.cases.people import Who
from stillwatch.cases.schema import TOKENS
from stillwatch.cases.transaction import transaction
from stillwatch.errors import CaseError, NotAllowedError, UnknownCaseError

__all__ = ["LASTS", "Role", "Token", "TokenBook"]

#: seconds that a token is good for at most
LASTS = 366 * 86_400


class Role(StrEnum):
    """What a token may do: see docs/cases-api.md. Each next one may do more, but for the auditor,
    who sees everything and changes nothing."""

    READ_ONLY = "read-only"
    AUDITOR = "auditor"
    ANALYST = "analyst"
    APPROVER = "approver"


class Token(msgspec.Struct, frozen=True, kw_only=True):
    """Times are seconds since the epoch, UTC. `person` says that `name` is a human being."""

    id: str
    name: str
    role: Role
    person: bool
    created_at: int
    expires_at: int
    revoked_at: int | None = None

    @property
    def who(self) -> Who:
        """Whom it speaks for."""
        return Who(name=self.name, person=self.person)


class TokenBook:
    """Writes and reads tokens. `clock` gives seconds since the epoch."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock

    def create(
        self, name: str, role: Role, lasting: int, *, person: bool = True
    ) -> tuple[str, Token]:
        """Make a token; its secret, which is stored nowhere, and the token.

        Raises:
            CaseError: the name cannot stand, a program would approve, or there is no end.
        """
        Who(name=name).checked()
        if role == Role.APPROVER and not person:
            raise CaseError("role: a program approves nothing; make an analyst's token for it")
        if not 0 < lasting <= LASTS:
            raise CaseError(f"a token must end, within {LASTS // 86_400} days")
        secret, now = new_secret(), int(self._clock())
        token = Token(
            id=f"tok-{secrets.token_hex(6)}",
            name=name,
            role=role,
            person=person,
            created_at=now,
            expires_at=now + lasting,
        )
        with transaction(self._database, now) as change:
            change.connection.execute(
                insert(TOKENS).values(
                    msgspec.structs.asdict(token) | {"role": str(role), "digest": digest_of(secret)}
                )
            )
        return secret, token

    def revoke(self, id: str) -> Token:  # noqa: A002
        """End a token now; a second time changes nothing.

        Raises:
            UnknownCaseError: there is none of that id.
        """
        with transaction(self._database, self._clock()) as change:
            change.connection.execute(
                update(TOKENS)
                .where(TOKENS.c.id == id, TOKENS.c.revoked_at.is_(None))
                .values(revoked_at=change.now)
            )
        for token in self.all():
            if token.id == id:
                return token
        raise UnknownCaseError(f"there is no token {id!r}; `stillwatch cases token list` shows all")

    def all(self) -> list[Token]:
        """All of them, also those that have ended, oldest first."""
        wanted = select(TOKENS).order_by(TOKENS.c.created_at, TOKENS.c.id)
        with self._database.reading() as (connection, _):
            return [_token(row) for row in connection.execute(wanted)]

    def bearer(self, secret: str) -> Token:
        """Whom a secret speaks for.

        Raises:
            NotAllowedError: nobody, or not any more.
        """
        found = None
        if len(secret) <= LONGEST:
            wanted = select(TOKENS).where(TOKENS.c.digest == digest_of(secret))
            with self._database.reading() as (connection, _):
                row = connection.execute(wanted).first()
                found = None if row is None else _token(row)
        if found is None or found.revoked_at is not None or self._clock() >= found.expires_at:
            raise NotAllowedError("this token is unknown, has expired or was revoked")
        return found


def _token(row: Row[Any]) -> Token:
    return Token(
        id=row.id,
        name=row.name,
        role=Role(row.role),
        person=bool(row.person),
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
    )
