"""Erasure: the rows of an account are gone from every file, freed pages included."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from stillwatch.errors import StorageError
from stillwatch.events import EventStore
from stillwatch.events.parts import read_part
from stillwatch.exchange import SCHEMA

Keep = Callable[..., Any]
WITNESS = 0x5EC2E7_ACC0_0117  # the account that is erased


@pytest.fixture
def rows(exchanges: Keep) -> pa.RecordBatch:
    """Twenty exchanges, every other one of the witness, under a model name of its own."""
    batch = exchanges(20)
    account = pa.array([WITNESS if i % 2 else 1 for i in range(20)])
    model = pa.array(["witness-model" if i % 2 else "m" for i in range(20)]).dictionary_encode()
    batch = batch.set_column(2, SCHEMA.field("account"), account)
    place = SCHEMA.get_field_index("model")
    return batch.set_column(place, SCHEMA.field("model"), model)


def files(store: EventStore) -> Iterator[Path]:
    return (path for path in store.path.rglob("*") if path.is_file())


def holding(store: EventStore, what: bytes) -> list[str]:
    """The files in which these bytes stand, wherever in the file."""
    return [path.name for path in files(store) if what in path.read_bytes()]


def traces(store: EventStore) -> list[str]:
    found = holding(store, WITNESS.to_bytes(8, "little")) + holding(store, b"witness-model")
    for path in store.parquet_files():
        for batch in read_part(path):
            if WITNESS in batch["account"].to_pylist():
                found.append(path.name)
            if "witness-model" in batch["model"].dictionary.to_pylist():
                found.append(path.name)
    return found


def test_hot_rows_leave_no_trace(store: EventStore, rows: pa.RecordBatch) -> None:
    store.append(rows)
    assert traces(store)
    assert store.erase([WITNESS]) == 10
    assert traces(store) == []
    assert store.rows() == 10


def test_rolled_rows_leave_no_trace(store: EventStore, rows: pa.RecordBatch) -> None:
    store.append(rows)
    store.roll()
    assert traces(store)
    assert store.erase([WITNESS]) == 10
    assert traces(store) == []
    assert store.rows() == 10
    store.check()


def test_rows_that_were_hot_once_leave_no_trace_in_the_hot_log(
    store: EventStore, rows: pa.RecordBatch
) -> None:
    for _ in range(50):
        store.append(rows)
    store.roll()
    store.erase([WITNESS])
    assert traces(store) == []


def test_a_batch_and_a_file_of_nothing_else_go_as_a_whole(
    store: EventStore, rows: pa.RecordBatch
) -> None:
    only = rows.take(pa.array(range(1, 20, 2)))
    store.append(only)
    store.roll()
    store.append(only)
    assert store.erase([WITNESS]) == 20
    assert (store.rows(), store.days(), store.parquet_files()) == (0, [], [])
    assert not list(store.path.rglob("day=*"))


def test_files_without_the_account_are_not_touched(
    store: EventStore, exchanges: Keep, rows: pa.RecordBatch
) -> None:
    with store.bulk() as writer:
        writer.write(exchanges(10, start=0))
        writer.write(rows)
    untouched, rewritten = store.parquet_files()
    before = untouched.stat()
    store.erase([WITNESS])
    after = untouched.stat()
    assert store.parquet_files()[0] == untouched
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert not rewritten.exists()


def test_several_accounts_go_at_once_and_strangers_are_no_error(
    store: EventStore, exchanges: Keep, kept: Keep, tally: Keep
) -> None:
    rows = exchanges(200, days=2)
    store.append(rows)
    store.roll()
    others = {row: n for row, n in tally(rows).items() if row[1] not in (1, 2)}
    assert store.erase([1, 2, 10**18]) == 200 - len(others)
    assert kept(store) == others
    assert store.erase([1, 2]) == 0
    assert store.erase([]) == 0


def test_expired_rows_leave_no_trace_either(store: EventStore, rows: pa.RecordBatch) -> None:
    store.append(rows)
    store.expire(store.days()[0].replace(day=2))
    assert traces(store) == []


def test_a_reader_that_holds_on_to_old_pages_is_reported(
    store: EventStore, rows: pa.RecordBatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.append(rows)
    monkeypatch.setattr("stillwatch.events.hot._PATIENCE", 50)
    reader = sqlite3.connect(store.path / "hot.sqlite", isolation_level=None)
    try:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM hot").fetchone()
        with EventStore.open(store.path) as impatient, pytest.raises(StorageError, match="reader"):
            impatient.erase([WITNESS])
    finally:
        reader.close()
    store.erase([WITNESS])
    assert traces(store) == []


@pytest.mark.parametrize("rolled", [False, True])
def test_rows_of_others_name_an_erased_account_no_more(
    store: EventStore, exchanges: Keep, rolled: bool
) -> None:
    place = SCHEMA.get_field_index("replayed_from")
    issuers = pa.array([WITNESS if i % 2 else 3 if i % 3 else None for i in range(20)])
    store.append(exchanges(20).set_column(place, SCHEMA.field(place), issuers))
    if rolled:
        store.roll()
    assert holding(store, WITNESS.to_bytes(8, "little"))
    assert store.erase([WITNESS]) == 0
    assert holding(store, WITNESS.to_bytes(8, "little")) == []
    found = [*store.hot(), *(b for path in store.parquet_files() for b in read_part(path))]
    left = [value for batch in found for value in batch["replayed_from"].to_pylist()]
    assert left == [None if i % 2 or not i % 3 else 3 for i in range(20)]
