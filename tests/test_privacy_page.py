"""docs/privacy.md names every table and every field of every store, and every period."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
import yaml
from sqlalchemy import MetaData

from stillwatch.access.schema import METADATA as ACCESS
from stillwatch.campaigns.watching.state import State
from stillwatch.cases.periods import Periods
from stillwatch.cases.schema import METADATA as CASES
from stillwatch.events import EventStore
from stillwatch.intel.exporting import Register
from stillwatch.intel.overlap import Questions
from stillwatch.intel.received.schema import METADATA as RECEIVED
from stillwatch.intel.store.schema import METADATA as TAXII
from stillwatch.ledger import Ledger, Salts
from tests.events.conftest import exchanges

PAGE = (Path(__file__).parents[1] / "docs" / "privacy.md").read_text()


def rows_of(heading: str) -> dict[str, set[str]]:
    """Table → its fields, as the page has them under a heading."""
    section = re.split(r"^##+ ", PAGE, flags=re.MULTILINE)
    [text] = [each for each in section if each.startswith(heading)]
    return {
        cells[1].strip().strip("`"): set(re.findall(r"`(\w+)`", cells[2]))
        for line in text.splitlines()
        if (cells := line.split("|"))[1:2] and cells[1].strip().startswith("`")
    }


def tables_in(file: Path) -> Iterator[tuple[str, set[str]]]:
    """Table → its fields, as a file of SQLite has them."""
    with closing(sqlite3.connect(file)) as db:
        for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall():
            if not name.startswith("sqlite_"):
                columns = db.execute(f"SELECT name FROM pragma_table_info('{name}')")
                yield name, {column for (column,) in columns}


@pytest.mark.parametrize(
    ("heading", "schema"),
    [("Keys and", ACCESS), ("Cases", CASES), ("Indicators of", RECEIVED), ("Collections", TAXII)],
)
def test_every_table_of_the_database_stands_there_with_its_fields(
    heading: str, schema: MetaData
) -> None:
    found = {name: set(table.columns.keys()) for name, table in schema.tables.items()}
    assert rows_of(heading) == found


def test_every_table_of_the_event_store_stands_there_with_its_fields(tmp_path: Path) -> None:
    with EventStore.create(tmp_path / "events", key_id="k") as store:
        store.append(exchanges(1), source="s", sequence=1)
    assert rows_of("Exchanges") == dict(tables_in(tmp_path / "events" / "hot.sqlite"))


def test_every_table_of_the_ledger_and_its_salts_stands_there_with_its_fields(
    tmp_path: Path,
) -> None:
    Ledger.open(tmp_path, create=True).close()
    Salts.open(tmp_path, create=True).close()
    found = dict(tables_in(tmp_path / "ledger.db")) | dict(tables_in(tmp_path / "salts.db"))
    assert rows_of("The ledger") == found


def test_every_table_of_the_register_of_exports_stands_there_with_its_fields(
    tmp_path: Path,
) -> None:
    Register(tmp_path, create=True).close()
    assert rows_of("Exports") == dict(tables_in(tmp_path / "exports.db"))


def test_every_table_of_the_register_of_overlaps_stands_there_with_its_fields(
    tmp_path: Path,
) -> None:
    Questions(tmp_path, create=True).close()
    assert rows_of("Overlaps") == dict(tables_in(tmp_path / "overlaps.db"))


def test_every_table_of_a_watch_stands_there_with_its_fields(tmp_path: Path) -> None:
    State.create(tmp_path / "state.sqlite", {})
    assert rows_of("A watch") == dict(tables_in(tmp_path / "state.sqlite"))


def test_the_periods_on_the_page_are_the_defaults() -> None:
    [written] = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    assert yaml.safe_load(written) == {"retention": msgspec.to_builtins(Periods())}
