"""Stores of earlier versions become stores of this one when they are opened, in one transaction."""

from __future__ import annotations

from sqlalchemy import Connection, select, update

from stillwatch.cases.schema import ABOUT, EARLIER, FORMAT, TOKENS

__all__ = ["upgrade"]


def upgrade(connection: Connection) -> None:
    """Add what a store of before lacks; one that is of this version is left as it is.

    Where tokens were made already, people are told apart by them from now on.
    """
    if connection.execute(select(ABOUT.c.format)).scalar_one() != EARLIER:
        return
    connection.exec_driver_sql("ALTER TABLE cases_tokens ADD COLUMN made_by TEXT")
    connection.exec_driver_sql(
        "ALTER TABLE cases_about ADD COLUMN named BOOLEAN DEFAULT FALSE NOT NULL"
    )
    any_token = connection.execute(select(TOKENS.c.id).limit(1)).first() is not None
    connection.execute(update(ABOUT).values(format=FORMAT, named=any_token))
