"""What cases hold for longer than its period: forgotten, or deleted.

A case that has been closed for long becomes a shape: which detections, values and base rates, what
was decided when, how many accounts. Names of accounts, what is known of them, every salt and every
text are gone, so that the commitments of the ledger open no more. What stays names no customer, and
is what precision is computed from. An appeal still opens such a case; what is new in it is kept for
a period again.
"""

from __future__ import annotations

from datetime import datetime

import msgspec
from sqlalchemy import ColumnElement, Table, delete, exists, func, or_, select, update

from stillwatch.access.database import Database
from stillwatch.cases.erasure import rewritten
from stillwatch.cases.schema import ACCOUNTS, ALLOWED, CASES, EVENTS, OUTBOX, PROPOSALS, TOKENS
from stillwatch.cases.states import State
from stillwatch.ledger import Entry

__all__ = [
    "FORGOTTEN",
    "expire_allowances",
    "expire_outbox",
    "expire_tokens",
    "forget_cases",
    "lingering",
]

#: what stands in place of a text
FORGOTTEN = "(expired)"
_TOGETHER = 100  # cases in one transaction


def forget_cases(database: Database, before: int, *, apply: bool = True) -> int:
    """Forget the cases that were closed before a time (seconds, UTC): how many.

    Without `apply` they are only counted. Interrupted, it is run again.
    """
    due = (
        (CASES.c.state == str(State.CLOSED))
        & (CASES.c.changed_at < before)
        & (CASES.c.salt != b"")  # whoever has none was forgotten
    )
    if not apply:
        with database.reading() as (connection, _):
            return connection.execute(
                select(func.count()).select_from(CASES).where(due)
            ).scalar_one()
    forgotten = 0
    while True:
        with database.reading() as (connection, _):
            if connection.execute(select(CASES.c.id).where(due).limit(1)).first() is None:
                return forgotten
        with database.writing() as (connection, _):
            some = list(connection.scalars(select(CASES.c.id).where(due).limit(_TOGETHER)))
            events = select(EVENTS.c.case_id, EVENTS.c.number, EVENTS.c.body).where(
                EVENTS.c.case_id.in_(some)
            )
            for case, number, body in connection.execute(events).all():
                shape = rewritten(body, lambda text: text and FORGOTTEN)
                if shape != body:
                    connection.execute(
                        update(EVENTS)
                        .where(EVENTS.c.case_id == case, EVENTS.c.number == number)
                        .values(body=shape)
                    )
            connection.execute(
                update(ACCOUNTS)
                .where(ACCOUNTS.c.case_id.in_(some))
                .values(account=None, salt=None, standing=None)
            )
            for case in some:
                connection.execute(
                    delete(PROPOSALS).where(PROPOSALS.c.id.startswith(f"{case}.", autoescape=True))
                )
            connection.execute(update(CASES).where(CASES.c.id.in_(some)).values(salt=b""))
            forgotten += len(some)


def lingering(database: Database, before: int) -> int:
    """How many cases nothing happened to since a time, and which are not closed: nobody forgets
    those, for a case that waits may be a campaign; somebody must close them."""
    with database.reading() as (connection, _):
        return connection.execute(
            select(func.count())
            .select_from(CASES)
            .where(CASES.c.state != str(State.CLOSED), CASES.c.changed_at < before)
        ).scalar_one()


def expire_allowances(database: Database, before: int, *, apply: bool = True) -> int:
    """Delete what ended on the allow-list before a time: how many."""
    over = or_(ALLOWED.c.expires_at < before, ALLOWED.c.ended_at < before)
    return _rows(database, ALLOWED, over, apply=apply)


def expire_tokens(database: Database, before: int, *, apply: bool = True) -> int:
    """Delete tokens that expired or were revoked before a time: how many.

    Those of a person stay as long as that person, or somebody they made a token of, has another
    one: they say who made it, without which one person could pass for two.
    """
    newer = TOKENS.alias()
    needed = exists().where(
        newer.c.expires_at >= before,
        or_(newer.c.revoked_at.is_(None), newer.c.revoked_at >= before),
        or_(newer.c.name == TOKENS.c.name, newer.c.made_by == TOKENS.c.name),
    )
    over = or_(TOKENS.c.expires_at < before, TOKENS.c.revoked_at < before) & ~needed
    return _rows(database, TOKENS, over, apply=apply)


def expire_outbox(database: Database, before: int, *, apply: bool = True) -> int:
    """Delete what the ledger was told and is from before a time: how many.

    The last one stays: it says up to where the ledger was read. What still waits is never deleted.
    """
    told = select(OUTBOX.c.number, OUTBOX.c.entry).where(OUTBOX.c.place.is_not(None))
    last = select(func.max(OUTBOX.c.number)).where(OUTBOX.c.place.is_not(None)).scalar_subquery()
    until, found = 0, 0
    with database.reading() as (connection, _):
        for number, entry in connection.execute(
            told.where(OUTBOX.c.number < last).order_by(OUTBOX.c.number)
        ):
            at = msgspec.json.decode(entry, type=Entry).at
            if datetime.fromisoformat(at).timestamp() >= before:
                break
            until, found = number, found + 1
    if not apply or not found:
        return found
    return _rows(
        database, OUTBOX, (OUTBOX.c.number <= until) & OUTBOX.c.place.is_not(None), apply=True
    )


def _rows(database: Database, table: Table, over: ColumnElement[bool], *, apply: bool) -> int:
    with database.reading() as (connection, _):
        found: int = connection.execute(
            select(func.count()).select_from(table).where(over)
        ).scalar_one()
    if not apply or not found:
        return found
    with database.writing() as (connection, _):
        return connection.execute(delete(table).where(over)).rowcount
