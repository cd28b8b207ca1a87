"""The exchange: its columns, its schema, its page."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pyarrow as pa

from stillwatch.exchange import COLUMNS, SCHEMA, SCHEMA_VERSION, RawExchange


def test_the_page_is_what_the_columns_print(project: Path) -> None:
    printed = subprocess.run(
        [sys.executable, str(project / "tools" / "document_exchange.py")],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert (project / "docs" / "exchange.md").read_text() == printed, "run `make format`"


def test_a_column_says_what_it_holds_what_null_means_and_where_it_comes_from() -> None:
    names = [column.name for column in COLUMNS]
    assert len(names) == len(set(names))
    for column in COLUMNS:
        assert column.holds, column.name
        assert column.null, column.name
        assert column.source in ("log", "digest", "sketch", "compared"), column.name


def test_the_schema_carries_its_version_and_forbids_null_where_the_column_does() -> None:
    assert SCHEMA.metadata == {b"schema": SCHEMA_VERSION.encode()}
    assert [f.name for f in SCHEMA if not f.nullable] == [
        c.name for c in COLUMNS if c.null == "never"
    ]


def test_no_column_can_hold_text_of_a_request() -> None:
    """Strings are names from small sets (dictionary-encoded); everything else is a number."""
    names = {f.name for f in SCHEMA if pa.types.is_dictionary(f.type)}
    assert names == {
        "channel", "tenant_kind", "country", "model", "endpoint",
        "response_format", "reasoning", "finish_reason", "replay", "mark", "mark_epoch", "unmarked",
    }  # fmt: skip
    assert not [f for f in SCHEMA if pa.types.is_string(f.type) or pa.types.is_binary(f.type)]


def test_every_field_of_the_raw_exchange_but_its_text_has_a_column() -> None:
    text = {"prompt", "messages", "completion", "request_id"}
    assert set(RawExchange.__struct_fields__) - text <= set(SCHEMA.names)
