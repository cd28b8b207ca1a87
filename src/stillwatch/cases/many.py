"""Many values in one statement, which a server answers once.

A statement with a parameter a value is written, parsed and planned anew for each number of values:
on PostgreSQL that took four fifths of the time in which a thousand cases were opened. There a whole
list goes as one parameter: an array, or rows as JSON (``json_to_recordset``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import (
    ColumnElement,
    Connection,
    Table,
    Text,
    any_,
    bindparam,
    insert,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY

__all__ = ["AT_ONCE", "among", "insert_rows"]

#: values that are asked for in one statement
AT_ONCE = 500
_ROWS = 10_000


def among(
    connection: Connection, column: ColumnElement[Any], values: Sequence[str]
) -> ColumnElement[bool]:
    """Whether a column of texts holds one of the values."""
    if connection.dialect.name != "postgresql":
        return column.in_(values)
    return column == any_(bindparam(None, list(values), type_=ARRAY(Text)))


def insert_rows(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows, which all have the same columns: texts, numbers, truth values, bytes, None."""
    if connection.dialect.name != "postgresql":
        if rows:
            connection.execute(insert(table), rows)
        return
    for start in range(0, len(rows), _ROWS):
        some = rows[start : start + _ROWS]
        quote = connection.dialect.identifier_preparer.quote
        names = ", ".join(quote(name) for name in some[0])
        typed = ", ".join(
            f"{quote(name)} {table.c[name].type.compile(connection.dialect)}" for name in some[0]
        )
        statement = text(
            f"INSERT INTO {quote(table.name)} ({names}) SELECT {names} "
            f"FROM json_to_recordset(CAST(:rows AS json)) AS given ({typed})"
        )
        connection.execute(statement, {"rows": _json(some)})


def _json(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows as JSON; bytes as PostgreSQL reads them."""
    return msgspec.json.encode(
        [
            {
                name: "\\x" + value.hex() if isinstance(value, bytes) else value
                for name, value in row.items()
            }
            for row in rows
        ]
    ).decode()
