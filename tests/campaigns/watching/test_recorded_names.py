"""Names and keys of a store that a watch follows, and what is no store of its own."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import pytest

from stillwatch.access.database import open_database
from stillwatch.access.erasure import erase_account
from stillwatch.campaigns.reading import pseudonym
from stillwatch.campaigns.watching import WatchOptions, watch
from stillwatch.campaigns.watching.changes import Known, Standing
from stillwatch.campaigns.watching.folder import open_folder
from stillwatch.campaigns.watching.gateway_store import GatewayStore
from stillwatch.campaigns.watching.state import Taken
from stillwatch.errors import (
    InputError,
    KeyFileError,
    OutputError,
    SettingsError,
    StillwatchError,
    StoreFormatError,
)
from stillwatch.events import EventStore
from stillwatch.sketches import SketchKey
from tests.campaigns.watching.gateways import Recording, register
from tests.campaigns.watching.standin import HOUR, KEY, lines, row, run, write
from tests.campaigns.watching.test_recorded import (
    ROWS,
    expected,
    follow,
    gateway,
    said,
)

__all__ = ["expected", "gateway"]
pytestmark = pytest.mark.usefixtures("quick")


def test_names_come_from_the_keys_and_go_with_them(gateway: Recording) -> None:
    """An account that is erased among the keys is called by its digest, here too."""
    gateway.record(*ROWS[:6], row(13, "nobody"))
    follow(gateway, ROWS[5].at)
    assert lines(gateway.path.parent / "state")[0]["accounts"] == [
        "crew-1-0",
        "crew-1-1",
        "crew-1-2",
    ]
    database = open_database(gateway.path)
    erase_account(database, "person-1")
    database.close()
    follow(gateway, ROWS[5].at + 12 * HOUR)
    assert len(lines(gateway.path.parent / "state")) == 2
    called = dict(said(gateway)["rows"]["account"])
    assert called[KEY.digest("account", "person-1")] == pseudonym(KEY.digest("account", "person-1"))
    assert called[KEY.digest("account", "nobody")] == pseudonym(KEY.digest("account", "nobody"))
    assert called[KEY.digest("account", "crew-1-0")] == "crew-1-0"
    page = (gateway.path.parent / "state" / "report.html").read_text("utf-8")
    assert "2 of 7 accounts are called by their digests" in page
    assert "person-1" not in page


def test_a_member_that_loses_its_name_stays_the_same_member(tmp_path: Path) -> None:
    with open_folder(tmp_path / "state", KEY, pseudonymous=False) as folder:
        body = {"id": "c-1", "accounts": ["a", "b"]}
        before = Known("c-1", Standing.STANDS, ("a", "b"), ("a", "b", "c"), 2, 0, 1, body)
        folder.state.took(Taken({}, [], [(1, "a"), (2, "b"), (3, "c")], [], "events", 0, 0, 0, 0))
        folder.state.close_look(1, [], [before])
        folder.state.rename({1: "a", 2: "0002"})
        (after,) = folder.state.known()
        assert after.accounts == ("a", "0002")
        assert after.ever == ("0002", "a", "c")
        assert after.body["accounts"] == ["a", "0002"]
        assert folder.state.names()[1] == ["a", "0002", "c"]


def test_pseudonyms_need_neither_names_nor_the_key(gateway: Recording) -> None:
    gateway.record(*ROWS[:2])
    (gateway.path / "sketch.key").unlink()
    follow(gateway, pseudonymous=True)
    state = gateway.path.parent / "state"
    assert not (state / "sketch.key").exists()
    everything = b"".join(path.read_bytes() for path in state.rglob("*") if path.is_file())
    assert b"person-1" not in everything
    assert pseudonym(KEY.digest("account", "person-1")).encode() in everything


def refused(gateway: Recording, error: type[StillwatchError], **options: Any) -> str:
    with pytest.raises(error) as refusal:
        follow(gateway, **options)
    return str(refusal.value)


def test_another_key_than_the_gateways_is_refused(gateway: Recording) -> None:
    other = SketchKey.generate()
    said = refused(gateway, KeyFileError, key=other)
    assert KEY.key_id in said
    assert other.key_id in said
    (gateway.path / "sketch.key").unlink()
    other.write(gateway.path / "sketch.key")
    assert "Name the right one with --key-file" in refused(gateway, KeyFileError)
    gateway.record(*ROWS[:2])
    assert follow(gateway, key=KEY)


def test_a_store_under_another_key_is_no_continuation(gateway: Recording) -> None:
    gateway.record(*ROWS[:2])
    follow(gateway)
    other = SketchKey.generate()
    (gateway.path / "sketch.key").unlink()
    other.write(gateway.path / "sketch.key")
    gateway.events.rename(gateway.path / "before")
    EventStore.create(gateway.events, key_id=other.key_id).close()
    assert "this state was begun with the key" in refused(gateway, KeyFileError)


def test_a_store_that_is_replaced_while_it_is_followed_is_noticed(gateway: Recording) -> None:
    gateway.record(*ROWS[:2])
    with contextlib.closing(GatewayStore(gateway.events, None, pseudonymous=False)) as source:
        assert source.open().rows() == 2
        gateway.events.rename(gateway.path / "before")
        with EventStore.create(gateway.events, key_id=KEY.key_id):
            assert source.open().rows() == 0
        gateway.events.rename(gateway.path / "between")
        EventStore.create(gateway.events, key_id="another").close()
        with pytest.raises(KeyFileError, match="made with the key another"):
            source.open()


def test_logs_and_stores_have_states_of_their_own(gateway: Recording, tmp_path: Path) -> None:
    gateway.record(*ROWS[:2])
    follow(gateway)
    log = write(tmp_path / "log.jsonl", *ROWS)
    with pytest.raises(SettingsError, match="begun with an event store"):
        run(log, tmp_path / "state")
    run(log, tmp_path / "of a log")
    with pytest.raises(SettingsError, match="begun with logs"):
        run(gateway.path, tmp_path / "of a log")
    with pytest.raises(InputError, match="is the state of a watch"):
        run(tmp_path / "state", tmp_path / "another")
    with pytest.raises(InputError, match="read alone"):
        watch(WatchOptions([gateway.path, log], tmp_path / "both", once=True))
    with pytest.raises(OutputError, match="holds something that is no state of a watch"):
        run(gateway.path, gateway.path)


def test_a_gateway_that_was_never_started_is_named(tmp_path: Path) -> None:
    register(tmp_path / "gateway", ["a"])
    with pytest.raises(InputError, match="never started"):
        run(tmp_path / "gateway", tmp_path / "state")


def test_a_damaged_part_ends_the_watch_and_is_named(gateway: Recording) -> None:
    gateway.record(*ROWS)
    gateway.store.roll()
    (part, *_) = gateway.store.parquet_files()
    part.write_bytes(part.read_bytes()[:100])
    assert str(part) in refused(gateway, StoreFormatError)
