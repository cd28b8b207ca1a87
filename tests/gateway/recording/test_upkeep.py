"""Old rows: finished days go to Parquet, days beyond the retention go for good."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from stillwatch.events import EventStore
from stillwatch.gateway.recording import Recorder
from stillwatch.gateway.recording.state import prepare
from stillwatch.gateway.recording.upkeep import Upkeep
from stillwatch.sketches import Sketcher

Keep = Callable[..., Any]
DAY = 86_400_000_000  # microseconds
FIRST = 1_767_225_600_000_000  # 2026-01-01


@pytest.fixture
def store(tmp_path: Path, exchange: Keep) -> EventStore:
    """Hot rows of the first five days of 2026."""
    store, key = prepare(tmp_path)
    sketcher = Sketcher(key)
    store.append(sketcher.sketch([exchange(n, at=FIRST + n * DAY) for n in range(5)]))
    return store


def hot_days(store: EventStore) -> list[date]:
    return [row["at"].date() for batch in store.hot() for row in batch.to_pylist()]


@pytest.mark.parametrize(("hour", "hot"), [(0.9, [4, 5]), (1.1, [5])])
def test_a_day_is_rolled_an_hour_after_its_end(
    store: EventStore, hour: float, hot: list[int]
) -> None:
    Upkeep(store, None, print).tend(datetime(2026, 1, 5, tzinfo=UTC) + timedelta(hours=hour))
    assert [day.day for day in hot_days(store)] == hot
    assert store.rows() == 5


def test_days_beyond_the_retention_are_gone_hot_or_not(store: EventStore) -> None:
    Upkeep(store, 2, print).tend(datetime(2026, 1, 5, 0, 30, tzinfo=UTC))
    assert [day.day for day in store.days()] == [3, 4, 5]


def test_a_recorder_tends_to_what_is_old_as_soon_as_it_is_started(
    tmp_path: Path, store: EventStore, run: Keep, eventually: Keep, exchange: Keep
) -> None:
    now = time.time_ns() // 1000

    async def gateway() -> None:
        recorder = Recorder(tmp_path, retention_days=30)
        await recorder.start()
        recorder.record(exchange(1, at=now - 3 * DAY))
        recorder.record(exchange(2, at=now))
        await recorder.close()
        recorder = Recorder(tmp_path, retention_days=30)
        await recorder.start()
        await eventually(store.parquet_files)
        await eventually(lambda: store.rows() == 2)
        await recorder.close()

    run(gateway)
    assert len(store.parquet_files()) == 1
    assert hot_days(store) == [datetime.fromtimestamp(now / 1e6, UTC).date()]


def test_upkeep_that_fails_is_a_problem_and_recording_goes_on(
    tmp_path: Path, store: EventStore, run: Keep, exchange: Keep, eventually: Keep
) -> None:
    (store.path / "aside").rmdir()  # what is written aside has no place

    async def gateway() -> None:
        recorder = Recorder(tmp_path)
        (store.path / "aside").rmdir() if (store.path / "aside").exists() else None
        await recorder.start()
        await eventually(lambda: recorder.problem)
        assert "old exchanges could not be rolled" in recorder.problem
        assert recorder.room()
        recorder.record(exchange(9))
        await recorder.close()

    run(gateway)
    assert store.rows() == 6
