"""What is kept here of an account of ours: what it met, and what that caused. Shown, or erased.

Actions themselves stand in the store of `access`, which shows and erases them. What nobody tells
any more is forgotten by itself: hits go when no live indicator carries them, and what ended with
the days that it is kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from sqlalchemy import Connection, delete, inspect, select

from stillwatch.access.database import Database
from stillwatch.intel.received.schema import ABOUT, BLOCKS, HITS

__all__ = ["KEPT_DAYS", "erase_account", "forget", "held"]

#: days that a block is remembered after its end, for who asks why
KEPT_DAYS: Final = 90


def held(database: Database, account: str) -> Iterator[tuple[str, Any]]:
    """Everything that is kept of an account, as (``indicator_hit`` or ``block``, its fields).

    Raises:
        StorageError: the store cannot be read.
    """
    with database.reading() as (connection, _):
        if not inspect(connection).has_table(ABOUT.name):
            return
        for kind, table in (("indicator_hit", HITS), ("block", BLOCKS)):
            wanted = select(table).where(table.c.account == account)
            for row in connection.execute(wanted).mappings():
                yield kind, dict(row)


def erase_account(database: Database, account: str) -> int:
    """Erase what is kept of an account; rows deleted.

    Raises:
        StorageError: the store cannot be written; nothing was erased.
    """
    with database.writing(removes=True) as (connection, _):
        if not inspect(connection).has_table(ABOUT.name):
            return 0
        return sum(
            connection.execute(delete(table).where(table.c.account == account)).rowcount
            for table in (HITS, BLOCKS)
        )


def forget(connection: Connection, carried: set[str], now: int) -> int:
    """Delete hits of patterns that nobody tells any more, and blocks that ended long ago.

    Args:
        carried: the patterns of live indicators.
    """
    patterns = set(connection.execute(select(HITS.c.pattern).distinct()).scalars()) - carried
    gone = sum(
        connection.execute(delete(HITS).where(HITS.c.pattern == each)).rowcount
        for each in sorted(patterns)
    )
    old = BLOCKS.c.ended_at < now - KEPT_DAYS * 86_400
    return gone + connection.execute(delete(BLOCKS).where(old)).rowcount
