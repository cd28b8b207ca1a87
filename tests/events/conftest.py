"""Exchanges to keep, and stores to keep them in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from stillwatch.events import EventStore
from stillwatch.events.parts import read_part
from stillwatch.exchange import SCHEMA

DAY = 86_400_000_000  # microseconds
NEW_YEAR = 1_767_225_600_000_000  # 2026-01-01


def lists(random: np.random.Generator, rows: int) -> pa.ListArray:
    offsets = np.concatenate([[0], np.cumsum(random.integers(0, 4, rows))]).astype(np.int32)
    return pa.ListArray.from_arrays(offsets, random.integers(-(2**63), 2**63, offsets[-1]))


def forms(random: np.random.Generator, rows: int) -> pa.ListArray:
    """Of each row two keys' forms."""
    type_ = SCHEMA.field("compared").type
    keys = pa.array(np.tile([-1, 1], rows))
    flat = pa.StructArray.from_arrays(
        [keys, lists(random, 2 * rows), lists(random, 2 * rows)], fields=list(type_.value_type)
    )
    ends = pa.array(np.arange(0, 2 * rows + 1, 2, dtype=np.int32))
    return pa.ListArray.from_arrays(ends, flat, type=type_)


def exchanges(
    rows: int, *, seed: int = 0, days: float = 1, start: int = NEW_YEAR
) -> pa.RecordBatch:
    """`rows` random exchanges in order of time, of seven accounts (1 to 7) of unequal activity."""
    random = np.random.default_rng(seed)
    account = np.minimum(random.geometric(0.4, rows), 7)
    columns = []
    for field in SCHEMA:
        if field.name == "at":
            times = np.sort(start + random.integers(0, int(days * DAY), rows))
            column = pa.array(times).cast(field.type)
        elif field.name == "account":
            column = pa.array(account)
        elif field.name == "compared":
            column = forms(random, rows)
        elif pa.types.is_list(field.type):
            column = lists(random, rows)
        elif pa.types.is_dictionary(field.type):
            names = [f"{field.name} of {a}" if a % 2 else None for a in account]
            column = pa.array(names, pa.string()).dictionary_encode()
        elif field.type == pa.bool_():
            column = pa.array(random.random(rows) < 0.5)
        elif pa.types.is_timestamp(field.type):
            column = pa.array([None] * rows, field.type)
        else:
            column = pa.array(random.integers(0, 2**20, rows)).cast(field.type)
        columns.append(column)
    return pa.RecordBatch.from_arrays(columns, schema=SCHEMA)


@pytest.fixture(name="exchanges")
def _exchanges() -> Callable[..., pa.RecordBatch]:
    return exchanges


@pytest.fixture
def store(tmp_path: Path) -> Iterator[EventStore]:
    with EventStore.create(tmp_path / "store", key_id="test key") as new:
        yield new


def kept(store: EventStore) -> Counter[tuple[int, int]]:
    """How often each row, by request and account, is in the store, hot or not."""
    batches = [
        *store.hot(),
        *(batch for path in store.parquet_files() for batch in read_part(path)),
    ]
    return tally(*batches)


def tally(*batches: pa.RecordBatch) -> Counter[tuple[int, int]]:
    """The same of batches."""
    table = pa.Table.from_batches(batches, SCHEMA)
    return Counter(zip(table["request"].to_pylist(), table["account"].to_pylist(), strict=True))


@pytest.fixture(name="kept")
def _kept() -> Callable[..., Counter[tuple[int, int]]]:
    return kept


@pytest.fixture(name="tally")
def _tally() -> Callable[..., Counter[tuple[int, int]]]:
    return tally


@pytest.fixture(scope="session")
def exchanges_of() -> Callable[..., pa.RecordBatch]:
    """The same as `exchanges`, for property-based tests, which share their fixtures."""
    return exchanges
