"""Prints ``docs/exchange.md`` from the schema.

``make format`` writes the page again; a test fails when it is stale.
"""

from __future__ import annotations

import sys

import pyarrow as pa

from stillwatch.exchange import COLUMNS, SCHEMA_VERSION, Column

HEAD = f"""# The exchange, column by column
<!-- printed by tools/document_exchange.py from src/stillwatch/exchange/schema.py; do not edit -->
One exchange is one request and its response. It is the one record that everything reads, and it
holds no text: this page is its schema, version `{SCHEMA_VERSION}`.

- **log** columns are what the log says, unchanged.
- **digest** columns are 64 bits of a keyed hash of what the log says: equal values have equal
  digests under one key, and nobody without the key can tell what they stand for.
- **sketch** columns are derived from the text under the same key; the text itself is not kept.
- **compared** columns are digests and cells under [keys that others hold, too](intel.md).

Times are UTC with microseconds. *null* is what an empty field means.
"""

_TITLES = {
    "log": "From the log",
    "digest": "Keyed digests",
    "sketch": "Sketches of the text",
    "compared": "What others can compare",
}


def page() -> str:
    """The whole page, ending with a line break."""
    parts = [HEAD]
    for source, title in _TITLES.items():
        parts.append(f"\n## {title}\n| column | type | holds | null |\n|---|---|---|---|\n")
        parts += [_row(column) for column in COLUMNS if column.source == source]
    return "".join(parts)


def _row(column: Column) -> str:
    return f"| `{column.name}` | {_type(column.type)} | {column.holds} | {column.null} |\n"


def _type(type_: pa.DataType) -> str:
    if pa.types.is_dictionary(type_):
        return "string"
    if pa.types.is_list(type_):
        return f"list of {_type(type_.value_type)}"
    if pa.types.is_struct(type_):
        return f"({', '.join(f'{field.name}: {_type(field.type)}' for field in type_)})"
    if pa.types.is_timestamp(type_):
        return "timestamp"
    return str(type_)


if __name__ == "__main__":
    sys.stdout.write(page())
