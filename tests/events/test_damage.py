"""Damage: a store that is not what was written says so, and names the file."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from stillwatch.errors import StorageError, StoreFormatError
from stillwatch.events import EventStore
from stillwatch.exchange import SCHEMA

Keep = Callable[..., Any]


@pytest.fixture
def written(store: EventStore, exchanges: Keep) -> EventStore:
    """A store with one part of each of two days, and twelve hot rows."""
    store.append(exchanges(200, days=2))
    store.roll()
    store.append(exchanges(12, seed=1))
    return store


def flip(path: Path, place: int) -> None:
    """Change one byte of a file."""
    content = bytearray(path.read_bytes())
    content[place] ^= 0xFF
    path.write_bytes(content)


def test_an_undamaged_store_passes(written: EventStore) -> None:
    written.check()


@pytest.mark.parametrize("share", [0.0, 0.3, 0.6, 0.9, 0.999])
def test_one_wrong_byte_anywhere_in_a_part_is_found(written: EventStore, share: float) -> None:
    path = written.parquet_files()[1]
    flip(path, int(path.stat().st_size * share))
    with pytest.raises(StoreFormatError, match=f"{path.name}: the file is not what was written"):
        written.check()


def test_a_part_that_is_cut_off_is_found(written: EventStore) -> None:
    path = written.parquet_files()[0]
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(StoreFormatError, match=path.name):
        written.check()
    with pytest.raises(StoreFormatError, match=f"{path.name}: the file is damaged"):
        written.erase([1])


def test_a_part_that_is_gone_is_found(written: EventStore) -> None:
    path = written.parquet_files()[0]
    path.unlink()
    with pytest.raises(StoreFormatError, match=f"{path.name}: the file is gone"):
        written.check()
    with pytest.raises(StoreFormatError, match=f"{path.name}: the file is gone"):
        written.erase([1])


def test_a_damaged_hot_batch_is_found(written: EventStore) -> None:
    database = sqlite3.connect(written.path / "hot.sqlite")
    database.execute("UPDATE hot SET body = substr(body, 1, length(body) / 2)")
    database.commit()
    database.close()
    with pytest.raises(StoreFormatError, match=r"hot\.sqlite: batch \d+ of the hot log is damaged"):
        written.check()
    with pytest.raises(StoreFormatError, match=r"hot\.sqlite: batch \d+ of the hot log is damaged"):
        written.roll()


def test_a_hot_batch_with_other_rows_than_it_says_is_found(written: EventStore) -> None:
    database = sqlite3.connect(written.path / "hot.sqlite")
    database.execute("UPDATE hot SET rows = rows + 1")
    database.commit()
    database.close()
    with pytest.raises(StoreFormatError, match=r"has 12 rows, not 13"):
        written.check()


def test_a_file_of_another_kind_is_no_store(tmp_path: Path) -> None:
    (tmp_path / "hot.sqlite").write_text("this is a thesis, not a database" * 100)
    with pytest.raises(StoreFormatError, match=r"hot\.sqlite: the file is damaged"):
        EventStore.open(tmp_path)


def test_another_database_is_no_store(tmp_path: Path) -> None:
    database = sqlite3.connect(tmp_path / "hot.sqlite")
    database.execute("CREATE TABLE cats (name)")
    database.close()
    with pytest.raises(StoreFormatError, match="this is no event store"):
        EventStore.open(tmp_path)


@pytest.mark.parametrize(
    ("what", "value", "message"),
    [
        ("format", "stillwatch.events/9", r"format: stillwatch\.events/9 \(this version reads"),
        ("exchange", "stillwatch.exchange/9", r"exchange: stillwatch\.exchange/9 \("),
        ("columns", "at int64", "columns: .*account int64"),
    ],
)
def test_a_store_of_another_version_says_which(
    written: EventStore, what: str, value: str, message: str
) -> None:
    database = sqlite3.connect(written.path / "hot.sqlite")
    database.execute("UPDATE about SET value = ? WHERE key = ?", (value, what))
    database.commit()
    database.close()
    with pytest.raises(StoreFormatError, match=message):
        EventStore.open(written.path)


def test_a_part_of_other_columns_is_refused(written: EventStore) -> None:
    path = written.parquet_files()[0]
    pa.parquet.write_table(pa.table({"account": [1]}), path)
    with pytest.raises(StoreFormatError, match="not those of an exchange"):
        written.erase([1])


LIMITED = """
import sys, resource, pyarrow as pa
from stillwatch.errors import StorageError
from stillwatch.events import EventStore
path, rows, how = sys.argv[1:]
batch = pa.ipc.open_file(rows).read_all().combine_chunks().to_batches()[0]
store = EventStore.open(path)
before = store.rows()
limit = 2_000_000
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
try:
    if how == "append":
        for _ in range(1000):
            store.append(batch)
            before += len(batch)
    elif how == "roll":
        store.roll()
    else:
        with store.bulk() as writer:
            for _ in range(1000):
                writer.write(batch)
except StorageError as error:
    print(error)
print(store.rows() - before)
"""


@pytest.mark.parametrize(("how", "file"), [("append", "hot.sqlite"), ("bulk", ".parquet")])
def test_a_file_that_may_not_grow_is_named_and_nothing_of_it_counts(
    written: EventStore, exchanges: Keep, tmp_path: Path, how: str, file: str
) -> None:
    """A real process under a limit on the size of its files, which any user may set."""
    with pa.ipc.new_file(tmp_path / "rows", SCHEMA) as out:
        out.write_batch(exchanges(200))
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, written.path, tmp_path / "rows", how],
        capture_output=True,
        text=True,
        check=True,
    )
    message, lost = done.stdout.splitlines()
    assert file in message
    assert lost == "0"
    with EventStore.open(written.path) as again:
        again.check()
        assert set(written.path.rglob("*.parquet")) == set(again.parquet_files())


def append_often(store: EventStore, rows: pa.RecordBatch) -> None:
    for _ in range(1000):
        store.append(rows)


def write_in_bulk(store: EventStore, rows: pa.RecordBatch) -> None:
    with store.bulk() as writer:
        for _ in range(1000):
            writer.write(rows)


@pytest.mark.service
def test_a_full_disk_is_named_and_what_was_acknowledged_stays(
    tmp_path: Path, exchanges: Keep, kept: Keep, tally: Keep
) -> None:
    """On a file system of four megabytes (a tmpfs; mounting it needs root)."""
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", disk], check=True)
    try:
        rows = exchanges(200)
        with EventStore.create(disk / "store", key_id="k") as store:
            with pytest.raises(StorageError, match=r"hot\.sqlite: the disk is full; make room"):
                append_often(store, rows)
            acknowledged = store.rows() // len(rows)
            assert acknowledged > 0
            before = kept(store)
            assert before == {row: n * acknowledged for row, n in tally(rows).items()}
            with pytest.raises(StorageError, match="the disk is full"):
                store.roll()
            with pytest.raises(StorageError, match="the disk is full"):
                write_in_bulk(store, rows)
            assert kept(store) == before
            assert list(disk.rglob("*.parquet")) == []
        with EventStore.open(disk / "store") as store:
            assert kept(store) == before
            store.check()
            subprocess.run(["mount", "-o", "remount,size=40m", disk], check=True)
            store.append(rows)
            store.roll()
            assert kept(store) == before + tally(rows)
            store.check()
    finally:
        subprocess.run(["umount", disk], check=True)
