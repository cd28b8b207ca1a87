"""An event store is scanned like the log that it was made of, hot rows and all, and left alone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from stillwatch.campaigns import ScanOptions, Silent, scan
from stillwatch.campaigns.reading import AccountNames, pseudonym
from stillwatch.campaigns.recorded import read_store
from stillwatch.campaigns.registered import Registered
from stillwatch.errors import InputError, KeyFileError, StorageError
from stillwatch.events import EventStore
from stillwatch.sketches import Sketcher, SketchKey
from tests.campaigns.logs import Log, campaigns
from tests.campaigns.watching.gateways import register

KEY = SketchKey(bytes(range(32)))


@pytest.fixture(scope="module")
def log() -> Log:
    log = Log(1)
    log.people(250)
    log.pool(30)
    return log


@pytest.fixture(scope="module")
def read(log: Log, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a scan of the log finds, under pseudonyms."""
    folder = tmp_path_factory.mktemp("read")
    written = log.write(folder / "log.parquet")
    scan(ScanOptions([written], folder / "out", key=KEY, pseudonymous=True))
    return folder / "out"


@pytest.fixture
def store(tmp_path: Path, log: Log) -> EventStore:
    """The log as a gateway would have recorded it: the first day rolled, the second one hot."""
    store = EventStore.create(tmp_path / "events", key_id=KEY.key_id)
    sketcher = Sketcher(KEY)
    for start in range(0, len(log.rows), 700):
        store.append(sketcher.sketch(log.rows[start : start + 700]))
    store.roll(date(2026, 1, 2))
    return store


def everything(folder: Path) -> dict[Path, bytes]:
    files = [*folder.rglob("*.parquet"), folder / "hot.sqlite"]
    return {path: path.read_bytes() for path in files}


def test_a_store_gives_what_its_log_gives_under_pseudonyms(
    store: EventStore, log: Log, read: Path, tmp_path: Path
) -> None:
    assert store.rows() == len(log.rows)
    assert store.parquet_files()
    assert list(store.hot())
    before = everything(store.path)
    scan(ScanOptions([store.path], tmp_path / "recorded"))
    assert everything(store.path) == before

    ours, theirs = campaigns(tmp_path / "recorded"), campaigns(read)
    assert len(ours) == 1
    for each in ("id", "accounts", "score", "exchanges", "tokens", "first_seen", "last_seen"):
        assert [one[each] for one in ours] == [one[each] for one in theirs]
    tables = [pq.read_table(out / "accounts.parquet") for out in (tmp_path / "recorded", read)]
    assert tables[0].equals(tables[1])
    page = (tmp_path / "recorded" / "report.html").read_text("utf-8")
    assert "accounts are called by their digests" in page
    assert "shown as digests" in page


def test_rows_that_are_rolled_while_it_is_read_are_there_once(
    store: EventStore, log: Log, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hot = EventStore.hot
    rolls = iter([True])

    def rolled_meanwhile(this: EventStore) -> Any:
        if next(rolls, False):
            store.roll()
        return hot(this)

    monkeypatch.setattr(EventStore, "hot", rolled_meanwhile)
    (tmp_path / "work").mkdir()
    names = AccountNames(pseudonymous=True)
    call = Registered(store.path, None).call
    recorded, read = read_store(store.path, tmp_path / "work", names, call, Silent())
    assert recorded.rows() == read.rows == len(log.rows)
    requests = [pq.read_table(file)["request"] for file in recorded.parquet_files()]
    assert len({n for each in requests for n in each.to_pylist()}) == len(log.rows)


def test_a_store_that_never_holds_still_is_said_to(
    store: EventStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files: Callable[..., list[Path]] = EventStore.parquet_files
    count = iter(range(1000))

    def other_files(this: EventStore, *days: date) -> list[Path]:
        return (
            files(this, *days)[: next(count) % 2] if this.path == store.path else files(this, *days)
        )

    monkeypatch.setattr(EventStore, "parquet_files", other_files)
    (tmp_path / "work").mkdir()
    names, call = AccountNames(pseudonymous=True), Registered(store.path, None).call
    with pytest.raises(StorageError, match="again and again"):
        read_store(store.path, tmp_path / "work", names, call, Silent())


def test_an_empty_store_is_no_error(tmp_path: Path) -> None:
    EventStore.create(tmp_path / "events", key_id="k").close()
    scan(ScanOptions([tmp_path / "events"], tmp_path / "out"))
    assert campaigns(tmp_path / "out") == []


def test_a_store_is_scanned_alone_and_without_a_reference(
    store: EventStore, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match="read alone"):
        scan(ScanOptions([store.path, tmp_path / "log.jsonl"], tmp_path / "out"))
    with pytest.raises(InputError, match="against a reference yet"):
        scan(ScanOptions([store.path], tmp_path / "out", reference=["log.jsonl"]))


def test_a_gateways_folder_gives_what_its_log_gives_names_and_all(
    store: EventStore, log: Log, read: Path, tmp_path: Path
) -> None:
    """Accounts that have keys are called by their names, an account that has none by its digest."""
    names = {each.account: pseudonym(KEY.digest("account", each.account)) for each in log.rows}
    KEY.write(tmp_path / "sketch.key")
    register(tmp_path, names.keys() - {"person-1"})
    scan(ScanOptions([tmp_path], tmp_path / "recorded"))
    (ours,), (theirs,) = campaigns(tmp_path / "recorded"), campaigns(read)
    assert all(name.startswith("pool-") for name in ours["accounts"])  # type: ignore[attr-defined]
    assert {names[name] for name in ours["accounts"]} == {*theirs["accounts"]}  # type: ignore[attr-defined]
    called = set(pq.read_table(tmp_path / "recorded" / "accounts.parquet")["account"].to_pylist())
    assert called == {*names} - {"person-1"} | {names["person-1"]}
    page = (tmp_path / "recorded" / "report.html").read_text("utf-8")
    assert f"1 of {len(called)} accounts are called by their digests" in page


def test_a_key_that_is_not_the_stores_is_refused(store: EventStore, tmp_path: Path) -> None:
    other = SketchKey.generate()
    with pytest.raises(KeyFileError, match=f"{KEY.key_id}, and this is {other.key_id}"):
        scan(ScanOptions([store.path], tmp_path / "out", key=other))
    other.write(tmp_path / "sketch.key")
    with pytest.raises(KeyFileError, match="Name the right one with --key-file"):
        scan(ScanOptions([tmp_path], tmp_path / "out"))
