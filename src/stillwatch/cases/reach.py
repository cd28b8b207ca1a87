"""Measures on more than an account of the case, or on less: its org, one of its keys.

An org is many customers, most of whom nobody found anything about. So whatever is done to one takes
two people, and the second says how many accounts it reaches: who has not looked does not know.
Events name an org by the number of an account of it, so that erasing the account erases the name.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec
from sqlalchemy import Connection, func, or_, select

from stillwatch.access.schema import KEYS
from stillwatch.cases.events import Target
from stillwatch.cases.schema import ACCOUNTS, ALLOWED
from stillwatch.cases.standing import Standing
from stillwatch.errors import CaseError, ConflictError
from stillwatch.ledger import commit

__all__ = [
    "Reach",
    "check_reach",
    "commitments_of",
    "parties_of",
    "reach_of",
    "subjects_of",
    "targets",
]


class Reach(msgspec.Struct, frozen=True, kw_only=True):
    """What a measure on a subject hits now. `subject` is None once its account was erased.

    `accounts` have a key that is not revoked; of them `listed` are on the allow-list or registered
    for a purpose, `others` are not of the case.
    """

    kind: Literal["org", "key"]
    subject: str | None
    accounts: int
    listed: int
    others: int


def parties_of(connection: Connection, case: str) -> dict[str, tuple[int, Standing]]:
    """The accounts of a case that were not erased, with their numbers and what is known of them."""
    rows = connection.execute(
        select(ACCOUNTS.c.account, ACCOUNTS.c.number, ACCOUNTS.c.standing)
        .where(ACCOUNTS.c.case_id == case, ACCOUNTS.c.account.is_not(None))
        .order_by(ACCOUNTS.c.number)
    )
    return {
        name: (number, msgspec.json.decode(standing or "{}", type=Standing))
        for name, number, standing in rows
    }


def targets(
    connection: Connection, case: str, orgs: Sequence[str], keys: Sequence[str]
) -> tuple[Target, ...]:
    """Orgs and keys by what an event may hold of them.

    Raises:
        CaseError: one is of no account of the case.
    """
    standings = parties_of(connection, case)
    numbers = {name: number for name, (number, _) in standings.items()}
    of_org = {s.org: number for number, s in reversed(standings.values()) if s.org is not None}
    found = []
    for org in dict.fromkeys(orgs):
        if org not in of_org:
            raise CaseError(f"orgs: no account of {case} was of {org!r} when it was opened")
        found.append(Target(account=of_org[org]))
    wanted = select(KEYS.c.key_id, KEYS.c.account).where(KEYS.c.key_id.in_(list(keys)))
    owners = {row.key_id: row.account for row in connection.execute(wanted)}
    for key in dict.fromkeys(keys):
        if owners.get(key) not in numbers:
            raise CaseError(f"keys: {key!r} is no key of an account of {case}")
        found.append(Target(account=numbers[owners[key]], key=key))
    return tuple(found)


def subjects_of(
    connection: Connection, case: str, wider: Sequence[Target]
) -> list[tuple[Target, str | None]]:
    """The name of each: an org, or the id of a key; None once the account was erased."""
    orgs = {number: s.org for number, s in parties_of(connection, case).values()}
    return [
        (each, None if each.account not in orgs else each.key or orgs[each.account])
        for each in wider
    ]


def commitments_of(
    connection: Connection, case: str, wider: Sequence[Target]
) -> dict[str, list[str]]:
    """Commitments in place of their names, by ``orgs`` and ``keys``; each under the salt of the
    account that it is named by."""
    salts = {
        number: bytes(salt)
        for number, salt in connection.execute(
            select(ACCOUNTS.c.number, ACCOUNTS.c.salt).where(
                ACCOUNTS.c.case_id == case, ACCOUNTS.c.salt.is_not(None)
            )
        )
    }
    found: dict[str, list[str]] = {}
    for target, name in subjects_of(connection, case, wider):
        if name is not None:
            of = "org" if target.key is None else "key"
            found.setdefault(f"{of}s", []).append(commit(name, salts[target.account], of=of))
    return found


def reach_of(
    connection: Connection, case: str, wider: Sequence[Target], now: int
) -> tuple[Reach, ...]:
    """What measures on them would hit."""
    mine = set(parties_of(connection, case))
    return tuple(
        _reach(connection, target, subject, mine, now)
        for target, subject in subjects_of(connection, case, wider)
    )


def check_reach(found: Sequence[Reach], said: int | None) -> int:
    """How many accounts the orgs among them have; whoever approves must have `said` so.

    Raises:
        CaseError: nothing was said.
        ConflictError: something else was.
    """
    orgs = [each for each in found if each.kind == "org"]
    accounts = sum(each.accounts for each in orgs)
    if not orgs or said == accounts:
        return accounts
    many = (
        f"it reaches {accounts:,} accounts, {sum(e.others for e in orgs):,} of them not of this "
        f"case and {sum(e.listed for e in orgs):,} allow-listed or registered for a purpose"
    )
    if said is None:
        raise CaseError(f"reaches: {many}; look, and approve with that number")
    raise ConflictError(f"reaches: {many}, and not {said:,}; look again")


def _reach(
    connection: Connection, target: Target, subject: str | None, mine: set[str], now: int
) -> Reach:
    kind: Literal["org", "key"] = "org" if target.key is None else "key"
    if subject is None:
        return Reach(kind=kind, subject=None, accounts=0, listed=0, others=0)
    hit = (KEYS.c.org if kind == "org" else KEYS.c.key_id) == subject
    reached = select(KEYS.c.account).where(hit, KEYS.c.revoked_at.is_(None)).distinct()
    allowed = select(ALLOWED.c.account).where(
        ALLOWED.c.expires_at > now, ALLOWED.c.ended_at.is_(None)
    )
    listed = reached.where(or_(KEYS.c.purposes != "", KEYS.c.account.in_(allowed)))

    def count(query: object) -> int:
        return int(
            connection.execute(select(func.count()).select_from(query.subquery())).scalar_one()  # type: ignore[attr-defined]
        )

    own = sum(1 for account in connection.scalars(reached) if account in mine)
    accounts = count(reached)
    return Reach(
        kind=kind, subject=subject, accounts=accounts, listed=count(listed), others=accounts - own
    )
