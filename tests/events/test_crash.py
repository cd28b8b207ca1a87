"""kill -9: whatever the moment, what was acknowledged is there exactly once after reopening."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from stillwatch.events import EventStore
from stillwatch.exchange import SCHEMA

CRASH, APPEND = (Path(__file__).with_name(n) for n in ("crash.py", "append_forever.py"))
Keep = Callable[..., Any]


def killed_everywhere(store: Path, rows: pa.Table, operation: str, folder: Path) -> list[Path]:
    """Copies of `store` on which `operation` was killed before its 1st, 2nd, … step; whole last."""
    with pa.ipc.new_file(folder / "rows.arrow", SCHEMA) as file:
        file.write_table(rows)
    done = subprocess.run(
        [sys.executable, CRASH, store, folder / "rows.arrow", operation, folder],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return [folder / str(step) for step in range(int(done.stdout))]


@pytest.fixture
def template(tmp_path: Path, exchanges: Keep) -> Path:
    """A store with parts of two days, and hot rows of both."""
    with EventStore.create(tmp_path / "template", key_id="k") as store:
        store.append(exchanges(12, days=2))
        store.roll()
        store.append(exchanges(12, seed=1, days=2))
    return tmp_path / "template"


def test_a_roll_moves_every_row_once(template: Path, tmp_path: Path, kept: Keep) -> None:
    with EventStore.open(template) as store:
        before = kept(store)
    copies = killed_everywhere(template, SCHEMA.empty_table(), "roll", tmp_path)
    assert len(copies) > 20
    for copy in copies:
        with EventStore.open(copy) as store:
            assert kept(store) == before, copy.name
            store.check()
            store.roll()
            assert kept(store) == before, copy.name
            assert list(store.hot()) == []
            assert set(copy.rglob("*.parquet")) == set(store.parquet_files())


def test_a_bulk_writer_shows_all_of_its_rows_or_none(
    template: Path, tmp_path: Path, exchanges: Keep, kept: Keep, tally: Keep
) -> None:
    rows = exchanges(40, seed=9, days=2)
    with EventStore.open(template) as store:
        before = kept(store)
    outcomes = []
    for copy in killed_everywhere(template, pa.Table.from_batches([rows]), "bulk", tmp_path):
        with EventStore.open(copy) as store:
            after = kept(store)
            store.check()
            assert list((copy / "aside").iterdir()) == []
            assert set(copy.rglob("*.parquet")) == set(store.parquet_files())
        assert after in (before, before + tally(rows)), copy.name
        outcomes.append(after == before)
    assert True in outcomes
    assert outcomes[-1] is False


@pytest.mark.slow
def test_an_erasure_that_was_killed_is_completed_by_the_next(
    template: Path, tmp_path: Path, kept: Keep
) -> None:
    with EventStore.open(template) as store:
        before = kept(store)
    others = {row: times for row, times in before.items() if row[1] != 1}
    assert len(others) < len(before)
    for copy in killed_everywhere(template, SCHEMA.empty_table(), "erase", tmp_path):
        with EventStore.open(copy) as store:
            after = kept(store)
            assert after.items() <= before.items(), copy.name
            assert others.items() <= after.items(), copy.name
            store.check()
            store.erase([1])
            assert kept(store) == others, copy.name
            assert set(copy.rglob("*.parquet")) == set(store.parquet_files())


def test_retention_removes_whole_days_or_nothing(
    template: Path, tmp_path: Path, kept: Keep
) -> None:
    with EventStore.open(template) as store:
        before, days = kept(store), store.days()
    for copy in killed_everywhere(template, SCHEMA.empty_table(), "expire", tmp_path):
        with EventStore.open(copy) as store:
            assert store.days() in (days, days[1:]), copy.name
            assert (kept(store) == before) == (store.days() == days), copy.name
            store.check()
            store.expire(date(2026, 1, 2))
            assert store.days() == days[1:]
            assert set(copy.rglob("*.parquet")) == set(store.parquet_files())


def test_an_append_keeps_the_whole_batch_or_nothing(
    template: Path, tmp_path: Path, exchanges: Keep, kept: Keep, tally: Keep
) -> None:
    rows = exchanges(10, seed=9, days=2)
    with EventStore.open(template) as store:
        before = kept(store)
    copies = killed_everywhere(template, pa.Table.from_batches([rows]), "append", tmp_path)
    for copy in copies:
        with EventStore.open(copy) as store:
            assert kept(store) in (before, before + tally(rows)), copy.name


def test_an_append_that_was_killed_and_is_sent_again_is_kept_once(
    template: Path, tmp_path: Path, exchanges: Keep, kept: Keep, tally: Keep
) -> None:
    rows = exchanges(10, seed=9, days=2)
    with EventStore.open(template) as store:
        before = kept(store)
    outcomes = set()
    table = pa.Table.from_batches([rows])
    for copy in killed_everywhere(template, table, "append once", tmp_path):
        with EventStore.open(copy) as store:
            outcomes.add(store.applied("gateway"))
            assert kept(store) == (before + tally(rows) if store.applied("gateway") else before)
            store.append(rows, source="gateway", sequence=1)
            assert kept(store) == before + tally(rows), copy.name
    assert outcomes == {None, 1}


def test_what_a_killed_process_had_acknowledged_is_there(
    tmp_path: Path, exchanges: Keep, kept: Keep
) -> None:
    """A process appends, and rolls in between, until it is killed at a random moment."""
    EventStore.create(tmp_path / "store", key_id="k").close()
    rows = pa.Table.from_batches([exchanges(10)])
    with pa.ipc.new_file(tmp_path / "rows.arrow", SCHEMA) as file:
        file.write_table(rows)
    moments = random.Random(5)
    acknowledged = 0
    for _ in range(3):
        command = [sys.executable, APPEND, tmp_path / "store", tmp_path / "rows.arrow"]
        with subprocess.Popen(
            [*command, str(acknowledged)], stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            for _ in range(moments.randint(1, 20)):
                acknowledged = int(process.stdout.readline())
            time.sleep(moments.uniform(0, 0.02))
            process.send_signal(signal.SIGKILL)
            for line in process.stdout.read().split("\n")[:-1]:
                acknowledged = int(line)
        with EventStore.open(tmp_path / "store") as store:
            store.check()
            found = kept(store)
        assert set(found.values()) == {1}
        numbers = {request for request, _ in found}
        assert set(range(acknowledged)) <= numbers
        assert numbers <= set(range(acknowledged + 10)), "at most the batch in flight is more"
        acknowledged = len(numbers)


def test_what_another_process_left_is_cleared_by_a_store_that_was_open_all_along(
    tmp_path: Path, exchanges: Keep
) -> None:
    with EventStore.create(tmp_path / "store", key_id="k") as store:
        store.append(exchanges(10))
        store.roll()
        (counted,) = store.parquet_files()
        orphan = counted.with_name("part-00000009-0000.parquet")
        orphan.write_bytes(counted.read_bytes())
        (store.path / "aside" / "00000009").mkdir()
        store.roll()
        assert set(store.path.rglob("*.parquet")) == {counted}
        assert list((store.path / "aside").iterdir()) == []
