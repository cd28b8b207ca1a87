"""A source that was not answered sends again: what is kept already is skipped."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any

import pytest

from stillwatch.events import EventStore

Keep = Callable[..., Any]


def test_a_batch_that_is_sent_again_is_kept_once(
    store: EventStore, exchanges: Keep, kept: Keep, tally: Keep
) -> None:
    rows = exchanges(20, days=2)
    for _ in range(3):
        store.append(rows, source="gateway", sequence=1)
    assert kept(store) == tally(rows)


def test_a_batch_before_the_last_one_is_skipped_and_one_after_it_is_kept(
    store: EventStore, exchanges: Keep, kept: Keep, tally: Keep
) -> None:
    first, second = exchanges(5), exchanges(5, seed=1)
    store.append(first, source="gateway", sequence=7)
    store.append(second, source="gateway", sequence=6)
    assert kept(store) == tally(first)
    store.append(second, source="gateway", sequence=9)
    assert kept(store) == tally(first, second)
    assert store.applied("gateway") == 9


def test_sources_know_nothing_of_each_other(store: EventStore, exchanges: Keep) -> None:
    assert store.applied("one") is None
    for source in ("one", "two"):
        store.append(exchanges(5), source=source, sequence=1)
    assert store.rows() == 10
    assert store.applied("three") is None


def test_an_empty_batch_counts_as_applied(store: EventStore, exchanges: Keep) -> None:
    store.append(exchanges(1).slice(1), source="gateway", sequence=3)
    assert store.applied("gateway") == 3


def test_what_was_applied_is_known_after_a_roll_and_reopening(
    store: EventStore, exchanges: Keep
) -> None:
    store.append(exchanges(5), source="gateway", sequence=1)
    store.roll()
    with EventStore.open(store.path) as again:
        again.append(exchanges(5), source="gateway", sequence=1)
        assert again.rows() == 5


def test_a_store_from_before_there_were_sources_takes_them(
    store: EventStore, exchanges: Keep
) -> None:
    with sqlite3.connect(store.path / "hot.sqlite") as database:
        database.execute("DROP TABLE IF EXISTS applied")
    store.append(exchanges(5), source="gateway", sequence=1)
    assert store.applied("gateway") == 1


def test_a_source_without_a_sequence_is_refused(store: EventStore, exchanges: Keep) -> None:
    with pytest.raises(ValueError, match="go together"):
        store.append(exchanges(5), source="gateway")
