"""The one record that everything else reads: one request and its response.

:class:`RawExchange` carries text and lives in memory only. An ``Exchange`` carries none: it is a
row of :data:`SCHEMA`, made by :mod:`stillwatch.sketches` and kept by :mod:`stillwatch.events`.
:data:`COLUMNS` documents the schema column by column; ``docs/exchange.md`` is printed from it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from stillwatch.exchange.raw import Message, RawExchange

if TYPE_CHECKING:
    from stillwatch.exchange.schema import COLUMNS, FIRST_COLUMNS, SCHEMA, SCHEMA_VERSION, Column

__all__ = [
    "COLUMNS",
    "FIRST_COLUMNS",
    "SCHEMA",
    "SCHEMA_VERSION",
    "Column",
    "Message",
    "RawExchange",
]


def __getattr__(name: str) -> object:
    """The schema when it is asked for: a gateway makes exchanges, and needs no Arrow for that."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from stillwatch.exchange import schema

    return getattr(schema, name)
