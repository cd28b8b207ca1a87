"""Rows that must not be kept: those of an account that asks, and what ended long ago."""

from __future__ import annotations

from sqlalchemy import delete, func, or_, select

from stillwatch.access.database import Database
from stillwatch.access.schema import ACTIONS, KEYS, LINKS, SECRETS

__all__ = ["erase_account", "expire"]


def erase_account(database: Database, account: str) -> int:
    """Delete the keys of an account, its link, and the actions on it or them; rows deleted.

    Actions on its org or cluster concern others too, and stay. SQLite overwrites freed pages with
    zeros (``secure_delete``); PostgreSQL frees them at its next VACUUM. Backups are the
    operator's.
    """
    keys = select(KEYS.c.key_id).where(KEYS.c.account == account)
    with database.writing(removes=True) as (connection, _):
        return sum(
            connection.execute(statement).rowcount
            for statement in (
                delete(ACTIONS).where(
                    or_(
                        (ACTIONS.c.subject_kind == "account") & (ACTIONS.c.subject == account),
                        (ACTIONS.c.subject_kind == "key") & ACTIONS.c.subject.in_(keys),
                    )
                ),
                delete(SECRETS).where(SECRETS.c.key_id.in_(keys)),
                delete(KEYS).where(KEYS.c.account == account),
                delete(LINKS).where(LINKS.c.account == account),
            )
        )


def expire(database: Database, *, keys: int, actions: int, apply: bool = True) -> dict[str, int]:
    """Delete keys and actions that ended before a time (seconds, UTC): how many of ``keys`` and of
    ``actions``. Without `apply` they are only counted.

    A key goes with its secrets, once none of them is good any more, and with the link of its
    account when that has no other. Whoever uses such a secret is then told that it is unknown, no
    longer why.
    """
    revoked = select(KEYS.c.key_id).where(KEYS.c.revoked_at < keys)
    good = select(SECRETS.c.key_id).where(
        or_(SECRETS.c.expires_at.is_(None), SECRETS.c.expires_at >= keys),
        SECRETS.c.key_id.not_in(revoked),
    )
    ended = KEYS.c.key_id.not_in(good)
    over = or_(ACTIONS.c.expires_at < actions, ACTIONS.c.undone_at < actions)
    with database.reading() as (connection, _):
        found = {
            table.name.removeprefix("access_"): connection.execute(
                select(func.count()).select_from(table).where(condition)
            ).scalar_one()
            for table, condition in ((KEYS, ended), (ACTIONS, over))
        }
        lapsed = connection.execute(
            select(SECRETS.c.digest).where(SECRETS.c.expires_at < keys).limit(1)
        ).first()
    if not apply or not (any(found.values()) or lapsed):
        return found
    staying = select(KEYS.c.account).where(KEYS.c.key_id.in_(good))
    with database.writing(removes=True) as (connection, _):
        connection.execute(
            delete(LINKS).where(
                LINKS.c.account.in_(select(KEYS.c.account).where(ended)),
                LINKS.c.account.not_in(staying),
            )
        )
        connection.execute(
            delete(SECRETS).where(or_(SECRETS.c.expires_at < keys, SECRETS.c.key_id.in_(revoked)))
        )
        return {
            "keys": connection.execute(delete(KEYS).where(ended)).rowcount,
            "actions": connection.execute(delete(ACTIONS).where(over)).rowcount,
        }
