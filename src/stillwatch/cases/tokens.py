"""Tokens: whom one speaks for, in which role, until when. Their secrets are not kept.

A token is an API key in its form and in how it is stored (:mod:`stillwatch.access.secret`), and no
gateway knows it. From the first one on, names alone are not believed any more, also on the command
line. Once somebody may approve, only who may makes tokens, and whoever made a token is no second
person beside whom it speaks for. Each token that is made or revoked is told to the ledger.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping, Set
from enum import StrEnum
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, insert, select, update

from stillwatch.access.database import Database
from stillwatch.access.secret import LONGEST, digest_of, new_secret
from stillwatch.cases.outbox import put_entry
from stillwatch.cases.people import Who, check_second, folded
from stillwatch.cases.schema import ABOUT, TOKENS
from stillwatch.cases.transaction import Transaction, transaction
from stillwatch.errors import CaseError, FourEyesError, NotAllowedError, UnknownCaseError

__all__ = ["APPROVES", "LASTS", "WORKS", "Role", "Token", "TokenBook", "check_pair"]

#: seconds that a token is good for at most
LASTS = 366 * 86_400


class Role(StrEnum):
    """What a token may do: see docs/cases-api.md. Each next one may do more, but for the auditor,
    who sees everything and changes nothing."""

    READ_ONLY = "read-only"
    AUDITOR = "auditor"
    ANALYST = "analyst"
    APPROVER = "approver"


#: who works on cases, and who decides as the second
WORKS = frozenset({Role.ANALYST, Role.APPROVER})
APPROVES = frozenset({Role.APPROVER})


class Token(msgspec.Struct, frozen=True, kw_only=True):
    """Times are seconds since the epoch, UTC. `person` says that `name` is a human being; `made_by`
    is None where the token was made without one."""

    id: str
    name: str
    role: Role
    person: bool
    created_at: int
    expires_at: int
    revoked_at: int | None = None
    made_by: str | None = None

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
        self,
        name: str,
        role: Role,
        lasting: int,
        *,
        person: bool = True,
        by: Token | None = None,
    ) -> tuple[str, Token]:
        """Make a token; its secret, which is stored nowhere, and the token.

        Raises:
            CaseError: the name cannot stand, a program would approve, or there is no end.
            NotAllowedError: somebody may approve, and `by` may not.
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
            made_by=None if by is None else by.name,
        )
        with transaction(self._database, now) as change:
            _check_maker(change, by)
            change.connection.execute(
                insert(TOKENS).values(
                    msgspec.structs.asdict(token) | {"role": str(role), "digest": digest_of(secret)}
                )
            )
            change.connection.execute(update(ABOUT).values(named=True))
            _record(change, "made", token, by)
        return secret, token

    def revoke(self, id: str, by: Token | None = None) -> Token:  # noqa: A002
        """End a token now; a second time changes nothing.

        Raises:
            UnknownCaseError: there is none of that id.
            NotAllowedError: somebody may approve, and `by` may not.
        """
        with transaction(self._database, self._clock()) as change:
            found = change.connection.execute(select(TOKENS).where(TOKENS.c.id == id)).first()
            if found is None:
                raise UnknownCaseError(
                    f"there is no token {id!r}; `stillwatch cases token list` shows all"
                )
            token = _token(found)
            if token.revoked_at is not None:
                return token
            _check_maker(change, by)
            change.connection.execute(
                update(TOKENS).where(TOKENS.c.id == id).values(revoked_at=change.now)
            )
            _record(change, "revoked", token, by)
            return msgspec.structs.replace(token, revoked_at=change.now)

    def named(self) -> bool:
        """Whether people are told apart by tokens here."""
        with self._database.reading() as (connection, _):
            return bool(connection.execute(select(ABOUT.c.named)).scalar_one())

    def acting(
        self, secret: str | None, name: str | None, *, roles: Set[Role], person: bool = True
    ) -> Who:
        """Who acts on the machine itself: whom a token speaks for, or, as long as none was ever
        made here, the `name` that was typed.

        Raises:
            NotAllowedError: the token is none, is of another role or of another name, or is
                missing.
            CaseError: there is neither.
        """
        if secret is not None:
            token = self.bearer(secret)
            if name is not None and folded(name) != folded(token.name):
                raise NotAllowedError(f"--by says {name}, and the token is of {token.name}")
            if token.role not in roles:
                raise NotAllowedError(
                    f"the role {token.role} may not do this; it is for {', '.join(sorted(roles))}"
                )
            return token.who
        if self.named():
            raise NotAllowedError(
                "people are told apart by tokens here, and a name is not believed; "
                "set STILLWATCH_TOKEN, or give --token-file"
            )
        if name is None:
            raise CaseError("by: say who does this, with --by NAME, or with a token")
        return Who(name=name, person=person)

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
        made_by=row.made_by,
    )


def check_pair(connection: Connection, first: str, who: Who, what: str) -> None:
    """Four eyes: `who` is another person than the `first`, neither made a token of the other, and
    their tokens do not all come from one and the same person.

    Raises:
        FourEyesError: it is not so.
    """
    check_second(first, who, what)
    one, other = folded(first), folded(who.name)
    makers: dict[str, set[str]] = {}
    for name, maker in connection.execute(select(TOKENS.c.name, TOKENS.c.made_by)):
        # whom the store's keeper made a token of is vouched for by nobody else
        makers.setdefault(folded(name), set()).add(folded(name if maker is None else maker))
        if maker is not None and {folded(name), folded(maker)} == {one, other}:
            raise FourEyesError(
                f"{maker} made a token of {name}, so that they are no two people; "
                f"let somebody else decide on {what}"
            )
    behind = _behind(one, makers) | _behind(other, makers)
    if len(behind) == 1:
        raise FourEyesError(
            f"the tokens of {first} and of {who.name} all come from {behind.pop()}, so that they "
            f"may be one person; let somebody else decide on {what}, or have another approver "
            "make one of them a token"
        )


def _behind(name: str, makers: Mapping[str, Set[str]]) -> set[str]:
    """Who vouches for somebody in the end, by the tokens that are known."""
    found: set[str] = set()
    seen: set[str] = set()
    waiting = [name]
    while waiting:
        each = waiting.pop()
        if each in seen:
            continue
        seen.add(each)
        above = makers.get(each, {each})
        found |= above & {each}
        waiting += above - {each}
    return found or {min(seen)}


def _check_maker(change: Transaction, by: Token | None) -> None:
    """Once somebody may approve, only they make and revoke tokens."""
    approvers = select(TOKENS.c.id).where(
        TOKENS.c.role == str(Role.APPROVER),
        TOKENS.c.revoked_at.is_(None),
        TOKENS.c.expires_at > change.now,
    )
    if change.connection.execute(approvers.limit(1)).first() is None:
        return
    if by is None or by.role not in APPROVES:
        raise NotAllowedError(
            "only an approver makes and revokes tokens here; set STILLWATCH_TOKEN, or give "
            "--token-file"
        )


def _record(change: Transaction, outcome: str, token: Token, by: Token | None) -> None:
    body = {
        "token": token.id,
        "outcome": outcome,
        "name": token.name,
        "role": str(token.role),
        "person": token.person,
        "expires_at": token.expires_at,
    }
    author = "whoever may write the store" if by is None else by.name
    put_entry(change.connection, kind="access", at=change.now, by=author, body=body)
