"""A watch over what a gateway records says what a watch over the same log says, come what may."""

from __future__ import annotations

import contextlib
import shutil
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from stillwatch.access.database import open_database
from stillwatch.access.erasure import erase_account
from stillwatch.campaigns.reading import pseudonym
from stillwatch.campaigns.watching import Look, WatchOptions, recorded, watch
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
from tests.campaigns.watching.standin import HOUR, KEY, START, answers, lines, row, run, write

pytestmark = pytest.mark.usefixtures("quick")

#: looks with something new, grown and withdrawn; late rows; days that leave the window
ROWS = [
    row(0.5, "person-1"), row(0.7, "person-2"),
    *[row(1.5 + n / 10, f"crew-1-{n}") for n in range(3)],
    row(13, "crew-1-9"), row(1.2, "late-1"), row(14, "person-1"),
    *[row(30 + n, f"crew-2-{n}") for n in range(4)],
    row(50, "crew-2-cleared"),
    *[row(24 * 15 + n, f"crew-3-{n}") for n in range(3)],
]  # fmt: skip
NAMES = {each.account for each in ROWS}
#: what must not depend on where exchanges came from
SAME = ("findings.jsonl", "campaigns.json", "accounts.parquet", "exchanges", "days")


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a watch over the log says."""
    with pytest.MonkeyPatch.context() as patch:
        from stillwatch.campaigns.watching import look
        from tests.campaigns.watching.standin import find

        patch.setattr(look, "find_campaigns", find)
        folder = tmp_path_factory.mktemp("log")
        run(write(folder / "log.jsonl", *ROWS), folder / "state", every=12 * HOUR)
        return answers(folder / "state")


@pytest.fixture
def gateway(tmp_path: Path) -> Recording:
    return Recording(tmp_path / "gateway", NAMES)


def follow(gateway: Recording, clock: int | None = None, **more: Any) -> list[Look]:
    """Watch once, at the time `clock` if it is given (µs since 1970)."""
    looks: list[Look] = []
    options: dict[str, Any] = {"once": True, "grace": 0, "every": 12 * HOUR} | more
    told: dict[str, Any] = {} if clock is None else {"clock": lambda: clock}
    state = gateway.path.parent / "state"
    watch(WatchOptions([gateway.path], state, **options), seen=looks.append, **told)
    return looks


def said(gateway: Recording) -> dict[str, Any]:
    return answers(gateway.path.parent / "state")


def agree(gateway: Recording, expected: dict[str, Any]) -> None:
    found = said(gateway)
    for part in SAME:
        assert found[part] == expected[part], part
    assert found["rejects.jsonl"] == b""


def test_what_is_hot_says_what_its_log_says(gateway: Recording, expected: dict[str, Any]) -> None:
    gateway.record(*ROWS, at_once=4)
    follow(gateway)
    agree(gateway, expected)
    assert len(expected["findings.jsonl"].splitlines()) >= 4


def test_the_store_may_be_named_in_place_of_the_folder_around_it(
    gateway: Recording, expected: dict[str, Any]
) -> None:
    gateway.record(*ROWS)
    run(gateway.events, gateway.path.parent / "state", key=None, every=12 * HOUR)
    agree(gateway, expected)


def test_what_is_rolled_says_the_same(gateway: Recording, expected: dict[str, Any]) -> None:
    gateway.record(*ROWS)
    gateway.store.roll()
    follow(gateway)
    agree(gateway, expected)


@pytest.mark.parametrize("roll", [None, 0, 1])
def test_rows_that_are_appended_and_rolled_between_runs_count_once(
    gateway: Recording, expected: dict[str, Any], roll: int | None
) -> None:
    """Before a run, after it, or never."""
    for start in range(0, len(ROWS), 6):
        gateway.record(*ROWS[start : start + 6])
        if roll == 0:
            gateway.store.roll()
        follow(gateway, max(each.at for each in ROWS[: start + 6]))
        if roll == 1:
            gateway.store.roll()
    follow(gateway, ROWS[-1].at + 12 * HOUR)
    agree(gateway, expected)


def test_a_day_that_is_rolled_while_it_is_read_counts_once(
    gateway: Recording, expected: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The roll comes when half of what is hot has been taken, and the rest has left for a part."""
    gateway.record(*ROWS)
    taken = iter([False, False, True])
    new_parts = recorded.new_parts

    def rolled(*which: Any) -> bool:
        if next(taken, False):
            gateway.store.roll()
        return new_parts(*which)

    monkeypatch.setattr(recorded, "ROWS", 5)
    monkeypatch.setattr(recorded, "new_parts", rolled)
    follow(gateway)
    agree(gateway, expected)


def test_parts_that_are_written_together_count_once(
    gateway: Recording, expected: dict[str, Any]
) -> None:
    for each in ROWS[:8]:  # of the first day: eight small parts become one
        gateway.record(each)
        gateway.store.roll()
        parts = gateway.store.parquet_files()
        if len(parts) == 3:
            follow(gateway, ROWS[2].at)
    assert len(parts) == 8
    gateway.record(*ROWS[8:])
    gateway.store.roll()
    gateway.store.join()
    assert not {*parts} & {*gateway.store.parquet_files()}
    follow(gateway)
    agree(gateway, expected)


def test_a_file_that_vanishes_while_it_is_read_is_read_anew(
    gateway: Recording, expected: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    for each in ROWS[:8]:
        gateway.record(each)
        gateway.store.roll()
    gateway.record(*ROWS[8:])
    read_part, once = recorded.read_part, iter([True])

    def gone(path: Path, *columns: Any) -> Any:
        if columns == () and next(once, False):
            gateway.store.roll()
            gateway.store.join()
            assert not path.exists()
        return read_part(path, *columns)

    monkeypatch.setattr(recorded, "read_part", gone)
    follow(gateway)
    agree(gateway, expected)


def test_what_is_known_is_not_read_again(
    gateway: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway.record(*ROWS[:8])
    gateway.store.roll()
    follow(gateway, ROWS[5].at)
    gateway.record(*ROWS[8:10])
    gateway.store.roll()
    read: list[Path] = []
    read_part = recorded.read_part

    def noted(path: Path, *columns: Any) -> Any:
        read.append(path)
        return read_part(path, *columns)

    monkeypatch.setattr(recorded, "read_part", noted)
    follow(gateway, ROWS[9].at)
    assert {*read} == {gateway.store.parquet_files()[-1]}


def test_a_row_that_comes_when_its_day_has_left_the_window_is_passed_over(
    gateway: Recording,
) -> None:
    gateway.record(row(24 * 20, "b"), row(1, "much too late"))
    assert [look.fresh for look in follow(gateway)] == [1]


def test_what_the_gateway_erased_is_erased_here(gateway: Recording, tmp_path: Path) -> None:
    """Of exchanges whose look is made, and of those that wait for theirs; and where those of others
    name the account."""
    erased = KEY.digest("account", "crew-1-0")
    rows = [*ROWS[:6], row(14, "crew-1-0"), row(15, "person-2", replayed_from=erased)]
    rows[1] = row(0.7, "person-2", replayed_from=erased)
    gateway.record(*rows)
    follow(gateway, rows[-1].at)
    assert len(said(gateway)["exchanges"]) == 5
    stage = tmp_path / "state" / "work" / "stages" / "accounts.parquet"
    stage.parent.mkdir(parents=True, exist_ok=True)
    stage.touch()
    gateway.store.erase([erased])
    follow(gateway, rows[-1].at)
    assert not stage.exists()
    assert len(said(gateway)["exchanges"]) == 4
    assert "crew-1-0" not in {name for _, name in said(gateway)["rows"]["account"]}
    looks = follow(gateway, rows[-1].at + 12 * HOUR)
    assert [(look.fresh, look.rows) for look in looks] == [(2, 6)]
    sought = erased.to_bytes(8, "little", signed=True)
    held = [path for path in (tmp_path / "state").rglob("*") if path.is_file()]
    assert [path for path in held if sought in path.read_bytes()] == []


def test_a_roll_while_it_is_compared_is_not_taken_for_an_erasure(
    gateway: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway.record(*ROWS[:6])
    follow(gateway, ROWS[5].at)
    gateway.store.erase([KEY.digest("account", "person-1")])
    hot_after, once = EventStore.hot_after, iter([True])

    def rolled(store: EventStore, *which: Any, **more: Any) -> Any:
        if next(once, False):
            gateway.store.roll()
        return hot_after(store, *which, **more)

    monkeypatch.setattr(EventStore, "hot_after", rolled)
    assert [look.rows for look in follow(gateway)] == [5]


def test_an_account_that_comes_back_after_it_was_erased_is_read(gateway: Recording) -> None:
    gateway.record(*ROWS[:3])
    follow(gateway, ROWS[2].at)
    gateway.store.erase([KEY.digest("account", "person-1")])
    gateway.record(row(3, "person-1"))
    looks = follow(gateway)
    assert [look.rows for look in looks] == [3]


def test_days_that_the_gateway_keeps_no_longer_are_not_kept_here(gateway: Recording) -> None:
    gateway.record(row(1, "a"), row(30, "b"), row(50, "c"))
    follow(gateway)
    assert len(said(gateway)["days"]) == 3
    gateway.store.roll(date(2026, 1, 2))
    gateway.store.expire(date(2026, 1, 2))
    follow(gateway)
    assert said(gateway)["days"] == [date(2026, 1, 2), date(2026, 1, 3)]


def test_a_part_that_is_older_than_the_window_is_not_read_again(gateway: Recording) -> None:
    gateway.record(*ROWS)
    follow(gateway)
    kept = said(gateway)["exchanges"]
    gateway.store.roll()
    gateway.store.erase([KEY.digest("account", "late-1")])  # long gone here
    assert follow(gateway) == []
    assert said(gateway)["exchanges"] == kept


@pytest.mark.parametrize(("copied", "rows"), [(True, 4), (False, 6)])
def test_a_store_that_begins_anew_is_read_anew(gateway: Recording, copied: bool, rows: int) -> None:
    """A copy from before, whose numbers begin lower again, or a new store under the same key."""
    gateway.record(row(0.5, "a"))
    backup = gateway.path.parent / "backup"
    gateway.store.close()
    shutil.copytree(gateway.events, backup)
    gateway.store = EventStore.open(gateway.events)
    gateway.record(row(1, "b"), row(2, "c"))
    follow(gateway, START + 2 * HOUR)
    gateway.store.close()
    gateway.events.rename(gateway.path / "before")
    if copied:
        backup.rename(gateway.events)
        gateway.store = EventStore.open(gateway.events)
    else:
        gateway.store = EventStore.create(gateway.events, key_id=KEY.key_id)
        gateway.record(row(0.5, "a"), row(1.2, "e"), row(2.2, "f"))  # as many as before
    gateway.record(row(3, "d"))
    looks = follow(gateway)
    assert [look.rows for look in looks] == [rows]


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
