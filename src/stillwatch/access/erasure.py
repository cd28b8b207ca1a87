"""Rows that must not be kept: those of an account that asks, and what ended long ago."""

from __future__ import annotations

from sqlalchemy import delete, or_, select

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


def expire(database: Database, before: int) -> int:
    """Delete secrets, keys and actions that ended before a time (seconds, UTC); rows deleted.

    Whoever uses such a secret is then told that it is unknown, no longer why.
    """
    revoked = select(KEYS.c.key_id).where(KEYS.c.revoked_at < before)
    alive = select(SECRETS.c.key_id)
    with database.writing(removes=True) as (connection, _):
        return sum(
            connection.execute(statement).rowcount
            for statement in (
                delete(SECRETS).where(
                    or_(SECRETS.c.expires_at < before, SECRETS.c.key_id.in_(revoked))
                ),
                delete(KEYS).where(KEYS.c.key_id.not_in(alive)),
                delete(ACTIONS).where(
                    or_(ACTIONS.c.expires_at < before, ACTIONS.c.undone_at < before)
                ),
            )
        )
