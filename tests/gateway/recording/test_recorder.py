"""The recorder: what is recorded is in the store, sketched, and the bound on what waits holds."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stillwatch.errors import StoreFormatError
from stillwatch.events import EventStore
from stillwatch.gateway.recording import Recorder
from stillwatch.gateway.recording.state import prepare
from stillwatch.sketches import Sketcher, SketchKey

Keep = Callable[..., Any]


def test_every_exchange_is_one_row_sketched_with_the_key_of_the_folder(
    tmp_path: Path, run: Keep, exchange: Keep
) -> None:
    sent = [exchange(n) for n in range(300)]

    async def gateway() -> None:
        recorder = Recorder(tmp_path)
        await recorder.start()
        assert recorder.healthy
        for each in sent[:200]:
            recorder.record(each)
        await recorder.drain()
        assert recorder.waiting == 0
        for each in sent[200:]:
            recorder.record(each)
        await recorder.close()  # drains, too

    run(gateway)
    with EventStore.open(tmp_path / "events") as store:
        kept = [row for batch in store.hot() for row in batch.to_pylist()]
    sketched = Sketcher(SketchKey.from_file(tmp_path / "sketch.key")).sketch(sent)
    assert kept == sketched.to_pylist()


def test_no_text_and_no_name_of_an_account_reaches_the_disk(
    tmp_path: Path, run: Keep, exchange: Keep
) -> None:
    async def gateway() -> None:
        recorder = Recorder(tmp_path)
        await recorder.start()
        recorder.record(exchange(1, "a wholly peculiar sentence", system="a peculiar system"))
        await recorder.close()

    run(gateway)
    everything = b"".join(p.read_bytes() for p in tmp_path.rglob("*") if p.is_file())
    for secret in (b"peculiar", b"account 1", b"distiller"):
        assert secret not in everything


def test_each_committed_frame_tells_its_exchanges_and_its_lag(
    tmp_path: Path, run: Keep, exchange: Keep
) -> None:
    told: list[tuple[int, float]] = []

    async def gateway() -> None:
        recorder = Recorder(tmp_path, on_kept=lambda rows, lag: told.append((rows, lag)))
        await recorder.start()
        for n in range(10):
            recorder.record(exchange(n))
        await recorder.drain()
        recorder.record(exchange(10))
        await recorder.close()
        assert recorder.lag == told[-1][1]

    run(gateway)
    assert [rows for rows, _ in told] == [10, 1]
    assert all(lag > 0 for _, lag in told)


def test_there_is_no_room_beyond_the_bound_and_room_again_when_the_writer_has_caught_up(
    tmp_path: Path, run: Keep, exchange: Keep
) -> None:
    async def gateway() -> None:
        recorder = Recorder(tmp_path, most_rows=100, most_bytes=1 << 20)
        await recorder.start()
        for n in range(100):
            assert recorder.room()
            recorder.record(exchange(n))
        assert not recorder.room()
        recorder.record(exchange(100))  # one that was under way: it is kept all the same
        await recorder.wait_for_room()
        assert recorder.waiting < 100
        await recorder.drain()
        recorder.record(exchange(101, "x" * (1 << 20)))
        await asyncio.sleep(0)
        drained = asyncio.create_task(recorder.drain())
        await asyncio.sleep(0)
        assert not recorder.room()  # by its bytes
        await drained
        assert recorder.room()
        await recorder.close()
        assert not recorder.room()

    run(gateway)
    with EventStore.open(tmp_path / "events") as store:
        assert store.rows() == 102


def test_one_exchange_that_cannot_be_sketched_is_kept_without_its_text(
    tmp_path: Path, run: Keep, exchange: Keep, numbers: Keep, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(
        "from stillwatch.sketches import Sketcher\n"
        "sketch = Sketcher.sketch\n"
        "def fragile(self, rows):\n"
        "    if any('breaks it' in (row.messages or [None])[0].content\n"
        "           for row in rows if row.messages):\n"
        "        raise RecursionError\n"
        "    return sketch(self, rows)\n"
        "Sketcher.sketch = fragile\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "site"))

    async def gateway() -> None:
        recorder = Recorder(tmp_path / "state")
        await recorder.start()
        for n in range(20):
            recorder.record(exchange(n, "breaks it" if n == 13 else "is fine"))
        await recorder.close()

    run(gateway)
    assert numbers(tmp_path / "state") == Counter(range(20))
    with EventStore.open(tmp_path / "state" / "events") as store:
        words = [n for batch in store.hot() for n in batch["words"].to_pylist()]
    assert [n for n, count in enumerate(words) if not count] == [13]


def test_nothing_is_taken_before_the_start_or_after_the_end(
    tmp_path: Path, run: Keep, exchange: Keep
) -> None:
    async def gateway() -> None:
        recorder = Recorder(tmp_path)
        assert not recorder.room()
        with pytest.raises(RuntimeError, match="the exchange is not kept"):
            recorder.record(exchange(1))
        await recorder.start()
        await recorder.close()
        with pytest.raises(RuntimeError, match="the exchange is not kept"):
            recorder.record(exchange(1))
        await recorder.close()

    run(gateway)


def test_a_writer_that_cannot_start_says_why(tmp_path: Path, run: Keep) -> None:
    async def gateway() -> None:
        prepare(tmp_path)[0].close()
        recorder = Recorder(tmp_path)
        (tmp_path / "events" / "hot.sqlite").write_text("this is a thesis, not a database" * 100)
        with pytest.raises(StoreFormatError, match=r"hot\.sqlite: the file is damaged"):
            await recorder.start()
        await recorder.close()

    run(gateway)
