"""Who follows a store learns what came, and that something went, from two moments of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest

from stillwatch.events import EventStore
from tests.events.test_store import read_all

Exchanges = Callable[..., pa.RecordBatch]
FIRST, SECOND = date(2026, 1, 1), date(2026, 1, 2)


def test_batches_count_upwards_whatever_happens_to_them(
    store: EventStore, exchanges: Exchanges
) -> None:
    assert (store.moment().appended, store.moment().parts) == (0, ())
    rows = exchanges(10)
    for start in range(0, 10, 2):
        store.append(rows.slice(start, 2))
    numbers = [number for number, _ in store.hot_after(0, rows=1)]
    assert numbers == [1, 2, 3, 4, 5]
    assert store.moment().appended == 5
    store.roll()
    assert store.moment().appended == 5
    assert len(store.moment().parts) == 1
    store.append(rows.slice(0, 1))
    assert [number for number, _ in store.hot_after(5, rows=1)] == [6]


def test_what_was_appended_after_a_batch_comes_joined_with_the_number_of_its_last(
    store: EventStore, exchanges: Exchanges
) -> None:
    rows = exchanges(10)
    for start in range(0, 10, 2):
        store.append(rows.slice(start, 2))
    found = list(store.hot_after(2, rows=4))
    assert [(number, len(batch)) for number, batch in found] == [(4, 4), (5, 2)]
    assert pa.Table.from_batches([b for _, b in found]).to_pylist() == rows.slice(4).to_pylist()


def test_erasures_and_expiry_are_counted_and_rolls_are_not(
    store: EventStore, exchanges: Exchanges
) -> None:
    store.append(exchanges(20, days=2))
    store.roll()
    assert store.moment().removals == 0
    store.erase([1])
    assert store.moment().removals == 1
    store.expire(FIRST)  # nothing is that old
    assert store.moment().removals == 1
    store.expire(SECOND)
    assert store.moment().removals == 2
    store.erase([12345])  # it may be an interrupted one that is run again
    assert store.moment().removals == 3


def test_every_store_has_an_id_of_its_own(tmp_path: Path) -> None:
    ids = set()
    for name in ("a", "b"):
        with EventStore.create(tmp_path / name, key_id="the same") as store:
            ids.add(store.moment().store)
        with EventStore.open(tmp_path / name) as store:
            ids.add(store.moment().store)
    assert len(ids) == 2


def test_single_requests_may_be_erased(store: EventStore, exchanges: Exchanges) -> None:
    """Hot ones and rolled ones; others of the same account stay."""
    rows = exchanges(20)
    store.append(rows.slice(0, 10))
    store.roll()
    store.append(rows.slice(10))
    requests = rows["request"].to_pylist()
    assert store.erase([requests[3], requests[15]], by="request") == 2
    left = read_all(store)["request"].to_pylist()
    assert sorted(left) == sorted(set(requests) - {requests[3], requests[15]})


def test_names_of_others_may_be_erased_alone(store: EventStore, exchanges: Exchanges) -> None:
    rows = exchanges(20)
    named = rows["replayed_from"].drop_null()[0].as_py()
    store.append(rows)
    store.roll()
    assert store.erase([named], by="replayed_from") == 0
    assert store.rows() == 20
    assert named not in read_all(store)["replayed_from"].to_pylist()


@pytest.mark.parametrize("tidy", [True, False])
def test_a_reader_leaves_what_a_crash_left(
    store: EventStore, exchanges: Exchanges, tidy: bool
) -> None:
    (store.path / "aside" / "00000009").mkdir()
    EventStore.open(store.path, tidy=tidy).close()
    assert (store.path / "aside" / "00000009").exists() is not tidy
