"""The event store: what is appended is kept, by day, until it is erased or expires."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from stillwatch.errors import StorageError, StoreFormatError
from stillwatch.events import EventStore
from stillwatch.exchange import SCHEMA

Exchanges = Callable[..., pa.RecordBatch]
Keep = Callable[..., Any]
FIRST, SECOND, THIRD = date(2026, 1, 1), date(2026, 1, 2), date(2026, 1, 3)


def read_all(store: EventStore) -> pa.Table:
    """Every row with every column, hot ones first."""
    from stillwatch.events.parts import read_part

    parts = [b for path in store.parquet_files() for b in read_part(path)]
    return pa.Table.from_batches([*store.hot(), *parts], SCHEMA)


def test_a_new_store_is_empty_and_knows_its_key(store: EventStore) -> None:
    assert (store.rows(), store.days(), store.parquet_files()) == (0, [], [])
    assert store.key_id == "test key"


def test_every_value_comes_back_as_it_was_appended(store: EventStore, exchanges: Exchanges) -> None:
    rows = exchanges(50)
    store.append(rows)
    assert read_all(store).equals(pa.Table.from_batches([rows]))
    store.roll()
    assert read_all(store).equals(pa.Table.from_batches([rows]))


def test_a_slice_of_a_batch_keeps_only_its_own_rows(
    store: EventStore, exchanges: Exchanges
) -> None:
    rows = exchanges(50)
    store.append(rows.slice(20, 10))
    assert read_all(store).to_pylist() == rows.slice(20, 10).to_pylist()
    assert store.rows() == 10


def test_appended_rows_are_there_after_reopening(
    store: EventStore, exchanges: Exchanges, kept: Keep, tally: Keep
) -> None:
    rows = exchanges(20)
    store.append(rows)
    with EventStore.open(store.path) as again:
        assert kept(again) == tally(rows)


def test_an_empty_batch_is_nothing(store: EventStore, exchanges: Exchanges) -> None:
    store.append(exchanges(0))
    with store.bulk() as writer:
        writer.write(exchanges(0))
    assert (store.rows(), store.days(), store.parquet_files()) == (0, [], [])


def test_rows_stand_in_the_folder_of_their_utc_day(store: EventStore, exchanges: Exchanges) -> None:
    store.append(exchanges(30, days=3))
    assert store.days() == [FIRST, SECOND, THIRD]
    store.roll()
    assert store.days() == [FIRST, SECOND, THIRD]
    for path in store.parquet_files():
        at = pa.parquet.read_table(path, columns=["at"])["at"].to_pylist()
        assert {f"day={t:%Y-%m-%d}" for t in at} == {path.parent.name}


def test_files_are_listed_for_a_range_of_days(store: EventStore, exchanges: Exchanges) -> None:
    store.append(exchanges(30, days=3))
    store.roll()
    one, two, three = store.parquet_files()
    assert store.parquet_files(SECOND) == [two, three]
    assert store.parquet_files(last=SECOND) == [one, two]
    assert store.parquet_files(SECOND, SECOND) == [two]
    assert store.parquet_files(date(2027, 1, 1)) == []


def test_rolling_until_a_day_leaves_that_day_hot(
    store: EventStore, exchanges: Exchanges, kept: Keep, tally: Keep
) -> None:
    rows = exchanges(60, days=3)
    store.append(rows)
    moved = store.roll(THIRD)
    hot = sum(len(batch) for batch in store.hot())
    assert moved + hot == 60
    assert {p.parent.name for p in store.parquet_files()} == {"day=2026-01-01", "day=2026-01-02"}
    assert kept(store) == tally(rows)


def test_rolling_again_moves_nothing_and_changes_no_file(
    store: EventStore, exchanges: Exchanges
) -> None:
    store.append(exchanges(10))
    assert store.roll() == 10
    before = store.parquet_files()
    assert store.roll() == 0
    assert store.parquet_files() == before


def test_a_day_that_is_rolled_often_stays_in_few_files(
    store: EventStore, exchanges: Exchanges, kept: Keep, tally: Keep
) -> None:
    appended = [exchanges(5, seed=seed) for seed in range(30)]
    for rows in appended:
        store.append(rows)
        store.roll()
    assert len(store.parquet_files()) <= 8
    assert kept(store) == tally(*appended)
    assert on_disk(store) == set(store.parquet_files())


def on_disk(store: EventStore) -> set[Path]:
    """Every Parquet file in the folder of the store, listed or not."""
    return set(store.path.rglob("*.parquet"))


def test_small_parts_of_a_day_are_joined_without_a_roll(
    store: EventStore, exchanges: Exchanges, kept: Keep
) -> None:
    for seed in range(8):
        with store.bulk() as writer:
            writer.write(exchanges(30, seed=seed, days=2))
    before = kept(store)
    assert len(store.parquet_files()) == 16
    store.join()
    assert len(store.parquet_files()) == 2
    assert kept(store) == before
    files = store.parquet_files()
    store.join()
    assert store.parquet_files() == files


def test_a_label_counts_with_the_rows_of_its_bulk(store: EventStore, exchanges: Exchanges) -> None:
    assert store.label is None
    with store.bulk("one") as writer:
        writer.write(exchanges(3))
    with pytest.raises(KeyError), store.bulk("two"):
        raise KeyError
    with store.bulk():
        pass
    with EventStore.open(store.path) as again:
        assert again.label == "one"
    with store.bulk("three"):
        pass
    assert store.label == "three"


def test_late_rows_of_a_rolled_day_get_a_file_of_their_own(
    store: EventStore, exchanges: Exchanges, kept: Keep, tally: Keep
) -> None:
    early, late = exchanges(10), exchanges(10, seed=1)
    store.append(early)
    store.roll()
    store.append(late)
    store.roll()
    assert len(store.parquet_files()) == 2
    assert kept(store) == tally(early, late)


def test_an_engine_reads_the_listed_files(store: EventStore, exchanges: Exchanges) -> None:
    rows = exchanges(100, days=2)
    store.append(rows)
    store.roll()
    files = [str(p) for p in store.parquet_files()]
    total = duckdb.sql(
        "SELECT count(*), sum(len(cells)), count(channel), count(DISTINCT channel), "
        'min(epoch_us("at")) FROM read_parquet($files)',
        params={"files": files},
    ).fetchall()[0]
    table = pa.Table.from_batches([rows])
    assert total == (
        100,
        len(table["cells"].combine_chunks().flatten()),
        100 - table["channel"].null_count,
        len(set(table["channel"].to_pylist()) - {None}),
        table["at"].cast(pa.int64()).to_pylist()[0],
    )


def test_rows_before_1970_have_their_day_too(store: EventStore, exchanges: Exchanges) -> None:
    store.append(exchanges(5, start=-10, days=1e-10))
    assert store.days() == [date(1969, 12, 31)]


def other_type(batch: pa.RecordBatch) -> pa.RecordBatch:
    return batch.set_column(2, "account", batch["account"].cast("int32"))


def null_account(batch: pa.RecordBatch) -> pa.RecordBatch:
    return batch.set_column(2, "account", pa.nulls(len(batch), "int64"))


def far_future(batch: pa.RecordBatch) -> pa.RecordBatch:
    at = pa.array([2**62] * len(batch)).cast(SCHEMA.field("at").type)
    return batch.set_column(0, "at", at)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda batch: batch.drop_columns(["at"]), r"what differs: \['at'\]"),
        (lambda batch: batch.select(batch.schema.names[::-1]), "what differs: their order"),
        (other_type, "'account' must be int64, not int32"),
        (null_account, "'account' must not be null"),
        (far_future, "'at' holds a day"),
    ],
)
def test_a_batch_of_another_shape_is_refused_and_nothing_of_it_is_kept(
    store: EventStore, exchanges: Exchanges, spoil: Keep, message: str
) -> None:
    bad = spoil(exchanges(3))
    with pytest.raises(ValueError, match=message):
        store.append(bad)
    with pytest.raises(ValueError, match=message), store.bulk() as writer:
        writer.write(bad)
    assert store.rows() == 0
    assert on_disk(store) == set()


def test_threads_may_append_at_the_same_time(
    store: EventStore, exchanges: Exchanges, kept: Keep, tally: Keep
) -> None:
    appended = [exchanges(5, seed=seed) for seed in range(40)]

    def append(some: list[pa.RecordBatch]) -> None:
        for rows in some:
            store.append(rows)

    threads = [threading.Thread(target=append, args=(appended[i::4],)) for i in range(4)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        store.roll()
    for thread in threads:
        thread.join()
    assert kept(store) == tally(*appended)


def test_a_store_is_not_made_over_another_one(store: EventStore) -> None:
    with pytest.raises(StorageError, match="an event store here already"):
        EventStore.create(store.path, key_id="k")


def test_a_store_is_not_made_among_other_files(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").touch()
    with pytest.raises(StorageError, match=r"not empty \('thesis.txt'\)"):
        EventStore.create(tmp_path, key_id="k")


def test_an_absent_store_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreFormatError, match="nowhere: there is no event store here"):
        EventStore.open(tmp_path / "nowhere")


def test_two_writers_of_files_in_one_thread_are_refused(store: EventStore) -> None:
    with store.bulk(), pytest.raises(StorageError, match="already writing"):
        store.roll()


def test_another_thread_waits_its_turn(store: EventStore, exchanges: Exchanges) -> None:
    store.append(exchanges(10))
    roll = threading.Thread(target=store.roll)
    with store.bulk() as writer:
        roll.start()
        writer.write(exchanges(5, seed=1))
        roll.join(0.1)
        assert roll.is_alive()
        assert store.parquet_files() == []
    roll.join()
    assert len(store.parquet_files()) == 2
    assert list(store.hot()) == []


def test_another_process_that_stays_busy_is_reported(
    store: EventStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stillwatch.events.store._PATIENCE", 0.1)
    busy = pytest.raises(StorageError, match="keeps the store busy; run again")
    with EventStore.open(store.path) as other, other.bulk(), busy:
        store.roll()
    store.roll()


def test_only_the_owner_may_look_into_a_new_store(store: EventStore) -> None:
    assert store.path.stat().st_mode & 0o077 == 0


def test_rows_that_are_appended_during_a_roll_stay_hot(
    store: EventStore, exchanges: Exchanges, kept: Keep, tally: Keep
) -> None:
    first, second = exchanges(10), exchanges(10, seed=1)
    store.append(first)
    batches = store.hot()
    assert len(next(batches)) == 10
    store.append(second)
    assert list(batches) == []
    assert kept(store) == tally(first, second)


def test_retention_removes_whole_days_hot_or_not(
    store: EventStore, exchanges: Exchanges, kept: Keep
) -> None:
    store.append(exchanges(30, days=3))
    store.roll(SECOND)
    rows = store.rows()
    gone = store.expire(THIRD)
    assert store.days() == [THIRD]
    assert gone == rows - store.rows()
    assert kept(store).total() == store.rows()
    assert on_disk(store) == set()
    assert store.expire(THIRD) == 0


def test_a_second_process_waits_its_turn_and_sees_the_same_rows(
    store: EventStore, exchanges: Exchanges, kept: Keep
) -> None:
    store.append(exchanges(10))
    with EventStore.open(store.path) as other:
        other.roll()
        assert kept(store) == kept(other)
        assert store.parquet_files() == other.parquet_files()
