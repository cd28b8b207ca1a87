"""Stores that an earlier version wrote, with fewer columns: read, added to, and never damaged."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stillwatch.engines import open_engine
from stillwatch.errors import StoreFormatError
from stillwatch.events import EventStore
from stillwatch.events.batches import _PACKED, unpack
from stillwatch.events.parts import read_part
from stillwatch.exchange import COLUMNS, FIRST_COLUMNS, SCHEMA

Keep = Callable[..., Any]
ADDED = SCHEMA.names[FIRST_COLUMNS:]


def columns_of(number: int) -> str:
    return ", ".join(f"{c.name} {c.type}" for c in COLUMNS[:number])


def make_older(path: Path, number: int = FIRST_COLUMNS) -> None:
    """Leave of every row, hot or not, the first columns, as an earlier version wrote them."""
    database = sqlite3.connect(path / "hot.sqlite")
    database.execute("UPDATE about SET value = ? WHERE key = 'columns'", (columns_of(number),))
    packed = pa.schema(list(_PACKED)[:number])
    for seq, body in database.execute("SELECT seq, body FROM hot").fetchall():
        rows = pa.RecordBatch.from_arrays(unpack(body).columns[:number], schema=packed)
        database.execute(
            "UPDATE hot SET body = ? WHERE seq = ?", (rows.serialize().to_pybytes(), seq)
        )
    for (name,) in database.execute("SELECT path FROM part").fetchall():
        schema = pa.schema(list(SCHEMA)[:number], metadata=SCHEMA.metadata)
        table = pq.read_table(path / name).select(schema.names).cast(schema)
        pq.write_table(table, path / name)
        content = (path / name).read_bytes()
        database.execute(
            "UPDATE part SET bytes = ?, sha256 = ? WHERE path = ?",
            (len(content), hashlib.sha256(content).digest(), name),
        )
    database.commit()
    database.close()


@pytest.fixture
def older(store: EventStore, exchanges: Keep) -> EventStore:
    """A store with two parts and twelve hot rows, all of them older."""
    store.append(exchanges(200, days=2))
    store.roll()
    store.append(exchanges(12, seed=1))
    store.close()
    make_older(store.path)
    return EventStore.open(store.path)


def stated(store: EventStore) -> str:
    database = sqlite3.connect(store.path / "hot.sqlite")
    ((found,),) = database.execute("SELECT value FROM about WHERE key = 'columns'").fetchall()
    database.close()
    return str(found)


def test_their_rows_are_read_and_say_nothing_in_what_was_added(
    older: EventStore, exchanges: Keep, kept: Keep, tally: Keep
) -> None:
    older.check()
    assert kept(older) == tally(exchanges(200, days=2), exchanges(12, seed=1))
    for batch in [*older.hot(), *read_part(older.parquet_files()[0])]:
        assert batch.schema.equals(SCHEMA)
        assert all(batch[name].null_count == len(batch) for name in ADDED)


def test_rows_of_both_versions_stand_side_by_side(
    older: EventStore, exchanges: Keep, kept: Keep, tally: Keep
) -> None:
    new = exchanges(30, seed=2)
    older.append(new)
    before = kept(older)
    assert before == tally(exchanges(200, days=2), exchanges(12, seed=1), new)
    assert older.roll() == 42
    assert kept(older) == before
    older.check()
    batches = [batch for path in older.parquet_files() for batch in read_part(path)]
    values = {value for batch in batches for value in batch["replay"].to_pylist()}
    assert values == {None, *new["replay"].to_pylist()}


def test_a_store_says_what_it_holds_from_the_first_new_row_on(
    older: EventStore, exchanges: Keep
) -> None:
    assert stated(older) == columns_of(FIRST_COLUMNS)
    older.append(exchanges(1))
    assert stated(older) == columns_of(len(COLUMNS))


def test_a_roll_says_it_too(older: EventStore) -> None:
    older.roll()
    assert stated(older) == columns_of(len(COLUMNS))


@pytest.mark.parametrize("number", range(FIRST_COLUMNS, len(COLUMNS)))
def test_every_version_in_between_can_be_read(
    store: EventStore, exchanges: Keep, kept: Keep, tally: Keep, number: int
) -> None:
    store.append(exchanges(20))
    store.close()
    make_older(store.path, number)
    with EventStore.open(store.path) as opened:
        assert kept(opened) == tally(exchanges(20))
        opened.roll()
        assert kept(opened) == tally(exchanges(20))


def test_a_store_of_fewer_columns_than_ever_were_is_refused(older: EventStore) -> None:
    older.close()
    make_older(older.path, FIRST_COLUMNS - 1)
    with pytest.raises(StoreFormatError, match="columns"):
        EventStore.open(older.path)


def test_accounts_are_erased_from_older_parts(older: EventStore, kept: Keep) -> None:
    before = kept(older)
    gone = sum(n for (_, account), n in before.items() if account == 1)
    assert older.erase([1]) == gone > 0
    assert sum(kept(older).values()) == sum(before.values()) - gone


@pytest.mark.parametrize("engine", ["duckdb", "polars"])
def test_engines_read_parts_of_both_versions_together(
    older: EventStore, exchanges: Keep, tmp_path: Path, engine: str
) -> None:
    older.append(exchanges(30, seed=2, days=5))
    older.roll()
    files = older.parquet_files()
    for order in (files, files[::-1]):
        with open_engine(engine, tmp_path / engine) as opened:
            rows = opened.read(order)
            found = opened.collect(
                rows.aggregate(n=rows.count(), said=rows.replayed_from.notnull().sum())
            )
        assert found.to_pylist() == [{"n": 242, "said": 30}]


def test_the_columns_that_were_added_may_be_null() -> None:
    assert all(SCHEMA.field(name).nullable for name in ADDED)
