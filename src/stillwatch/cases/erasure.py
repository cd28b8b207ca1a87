"""What cases hold about an account: shown, or erased.

Names stand in one table, so that without its row and its salt the history speaks of a number, and
the ledger's commitments of nobody. Where people wrote the name into a text it is replaced there.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
from sqlalchemy import delete, select, update

from stillwatch.access.database import Database
from stillwatch.cases.reasons import REASONS
from stillwatch.cases.schema import ACCOUNTS, ALLOWED, EVENTS

__all__ = ["ERASED", "erase_account", "held", "rewritten"]

#: what stands in a text in place of a name
ERASED = "(erased)"


def held(database: Database, account: str) -> Iterator[tuple[str, Any]]:
    """Everything that cases hold about an account, as (``case``, ``event`` or ``allowance``, its
    fields). Events are those of its cases; they speak of it by the number that ``case`` names.

    Raises:
        StorageError: the store cannot be read.
    """
    with database.reading() as (connection, _):
        mine = select(ACCOUNTS).where(ACCOUNTS.c.account == account)
        for row in connection.execute(mine.order_by(ACCOUNTS.c.case_id)).mappings():
            yield (
                "case",
                {
                    "case": row["case_id"],
                    "number": row["number"],
                    "seen_at": row["seen_at"],
                    "standing": msgspec.json.decode(row["standing"]),
                },
            )
            events = select(EVENTS).where(EVENTS.c.case_id == row["case_id"])
            for event in connection.execute(events.order_by(EVENTS.c.number)).mappings():
                yield "event", dict(event) | {"body": msgspec.json.decode(event["body"])}
        allowed = select(ALLOWED).where(ALLOWED.c.account == account)
        for row in connection.execute(allowed).mappings():
            yield "allowance", dict(row)


def erase_account(database: Database, account: str) -> int:
    """Erase an account from all cases and the allow-list; rows changed or deleted.

    Actions on it are in the store of `access`, which erases them itself. The events of a case are
    changed here, and nowhere else, where a text names the account: the ledger's commitment to such
    an event then opens no more, as it should.

    Raises:
        StorageError: the store cannot be written; nothing was erased.
    """
    changed = 0
    with database.writing(removes=True) as (connection, _):
        rows = connection.execute(
            select(ACCOUNTS.c.case_id).where(ACCOUNTS.c.account == account)
        ).scalars()
        for case in list(rows):
            events = select(EVENTS.c.number, EVENTS.c.body).where(EVENTS.c.case_id == case)
            for number, body in connection.execute(events).all():
                without = rewritten(body, lambda text: text.replace(account, ERASED))
                if without != body:
                    changed += connection.execute(
                        update(EVENTS)
                        .where(EVENTS.c.case_id == case, EVENTS.c.number == number)
                        .values(body=without)
                    ).rowcount
        changed += connection.execute(
            update(ACCOUNTS)
            .where(ACCOUNTS.c.account == account)
            .values(account=None, salt=None, standing=None)
        ).rowcount
        changed += connection.execute(delete(ALLOWED).where(ALLOWED.c.account == account)).rowcount
    return changed


#: what people and detections write; everything else of an event is codes, numbers and ids
_WRITTEN = frozenset(
    {"message", "of", "question", "reason", "source", "summary", "text", "through", "why",
     "without_terms"}
)  # fmt: skip


def rewritten(body: str, words: Callable[[str], str]) -> str:
    """The body of an event with other words where somebody wrote a text; codes stay."""

    def scrubbed(value: Any, name: str = "") -> Any:
        if isinstance(value, dict):
            return {key: scrubbed(each, key) for key, each in value.items()}
        if isinstance(value, list):
            return [scrubbed(each, name) for each in value]
        if isinstance(value, str) and name in _WRITTEN and value not in REASONS:
            return words(value)
        return value

    fields = json.loads(body)
    found = scrubbed(fields)
    return body if found == fields else msgspec.json.encode(found, order="sorted").decode()
