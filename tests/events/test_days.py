"""Whole logs in any order of time: split by day, in few files, in bounded memory."""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stillwatch.events import EventStore, days
from stillwatch.events.batches import by_day, joined, pack, unpack
from stillwatch.exchange import SCHEMA

Keep = Callable[..., Any]


@pytest.fixture
def small_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    """Row groups of 40 rows, so that little data does what much data would."""
    monkeypatch.setattr(days, "GROUP_ROWS", 40)
    monkeypatch.setattr(days, "_WAITING_ROWS", 80)
    monkeypatch.setattr(days, "_PART_GROUPS", 3)
    monkeypatch.setattr(days, "_FRAGMENTS", 3)
    monkeypatch.setattr(days, "_FRAGMENT_ROWS", 30)
    monkeypatch.setattr(days, "_OPEN_FILES", 4)


def shuffled(rows: pa.RecordBatch) -> pa.RecordBatch:
    return rows.take(pa.array(np.random.default_rng(1).permutation(len(rows))))


@pytest.mark.usefixtures("small_groups")
def test_a_long_day_is_cut_into_full_groups_and_parts(
    store: EventStore, exchanges: Keep, kept: Keep, tally: Keep
) -> None:
    rows = exchanges(1000)
    with store.bulk() as writer:
        for start in range(0, 1000, 70):
            writer.write(rows.slice(start, 70))
    groups = [
        [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)]
        for file in map(pq.ParquetFile, store.parquet_files())
    ]
    assert list(chain(*groups)) == [40] * 25
    assert max(map(len, groups)) == 3
    assert kept(store) == tally(rows)


@pytest.mark.usefixtures("small_groups")
def test_a_log_in_disorder_over_many_days_is_written_together_by_day(
    store: EventStore, exchanges: Keep, kept: Keep, tally: Keep
) -> None:
    rows = shuffled(exchanges(1000, days=10))
    with store.bulk() as writer:
        for start in range(0, 1000, 50):
            writer.write(rows.slice(start, 50))
    assert kept(store) == tally(rows)
    assert len(store.days()) == 10
    files = store.parquet_files()
    assert len(files) <= 20
    assert sum(pq.ParquetFile(f).num_row_groups for f in files) <= 50
    assert set(store.path.rglob("*.parquet")) == set(files)


@pytest.mark.usefixtures("small_groups")
def test_only_a_bounded_number_of_rows_waits_and_of_files_is_open(
    store: EventStore, exchanges: Keep
) -> None:
    rows = shuffled(exchanges(1000, days=20))
    with store.bulk() as writer:
        for start in range(0, 1000, 50):
            writer.write(rows.slice(start, 50))
            waiting = sum(day.rows for day in writer._days.values())
            assert waiting == writer._waiting <= 80
            assert sum(day.open is not None for day in writer._days.values()) <= 4


@given(st.lists(st.integers(-(10**15), 10**15), max_size=30))
def test_every_row_goes_to_its_own_day_once_and_order_within_a_day_is_kept(
    times: list[int],
) -> None:
    columns = [
        pa.array(times).cast(f.type) if f.name == "at"
        else pa.array(range(len(times)), f.type) if f.name == "request"
        else pa.nulls(len(times), f.type)
        for f in SCHEMA
    ]  # fmt: skip
    pieces = list(by_day(pa.RecordBatch.from_arrays(columns, schema=SCHEMA)))
    assert [day for day, _ in pieces] == sorted({day for day, _ in pieces})
    for day, piece in pieces:
        assert {at.date() for at in piece["at"].to_pylist()} == {day}
        assert piece["request"].to_pylist() == sorted(piece["request"].to_pylist())
    requests = [r for _, piece in pieces for r in piece["request"].to_pylist()]
    assert sorted(requests) == list(range(len(times)))


@given(st.integers(0, 50), st.integers(0, 40), st.integers(0, 2**32 - 1))
def test_a_packed_batch_unpacks_to_itself(
    exchanges_of: Keep, rows: int, start: int, seed: int
) -> None:
    batch = exchanges_of(rows, seed=seed).slice(start)
    assert joined([unpack(bytes(pack(batch)))]).to_pylist() == batch.to_pylist()


@given(st.binary(max_size=300), st.floats(0, 1))
def test_damaged_bytes_are_an_arrow_error_or_a_valid_batch(
    exchanges_of: Keep, noise: bytes, share: float
) -> None:
    body = bytes(pack(exchanges_of(5)))
    place = int(share * len(body))
    try:
        unpack(body[:place] + noise + body[place + len(noise) :]).validate(full=True)
    except (pa.ArrowException, OSError):
        return
