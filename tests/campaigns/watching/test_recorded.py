"""A watch over what a gateway records says what a watch over the same log says, come what may."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from stillwatch.campaigns.watching import Look, WatchOptions, recorded, watch
from stillwatch.events import EventStore
from tests.campaigns.watching.gateways import Recording
from tests.campaigns.watching.standin import HOUR, KEY, START, answers, row, run, write

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
