"""Files and answers that somebody made to break us: read in bounds, shown without their tricks."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from stillwatch.errors import IndicatorError
from stillwatch.intel.keeping import kept_of
from stillwatch.intel.received import Received, open_received, read_objects
from stillwatch.intel.received.retention import expire_received
from tests.cli.in_process import run
from tests.intel.received.conftest import AT, DAY, KEY, NOW, A, Clock, hidden
from tests.intel.received.test_hostile_members import Takes


def test_one_object_alone_is_no_empty_bundle() -> None:
    told = A.tells("card-1")
    assert read_objects(json.dumps(told).encode()) == [told]


def test_a_file_of_millions_of_nothings_is_refused_before_it_fills_the_memory() -> None:
    with pytest.raises(IndicatorError, match="parts"):
        read_objects(b'{"objects":[' + b"0," * 9_000_000 + b"0]}")


def test_refusals_are_counted_all_and_kept_so_far(
    received: Received, takes: Takes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stillwatch.intel.received.importing.MOST_REFUSED", 5)
    told = takes(*({"type": "nothing"} for _ in range(9)))
    assert len(told.refused) == 9
    with received.database.reading() as (connection, _):
        rows = connection.exec_driver_sql("SELECT count(*) FROM intel_received_refusals").scalar()
    assert rows == 5


def test_what_a_stranger_calls_an_object_does_nothing_to_the_terminal(tmp_path: Path) -> None:
    state = tmp_path / "state"
    open_received(state, create=True).close()
    evil = "\x1b]0;owned\x07\x1b[2J\nimport 2: 9 objects, 9 new"
    file = tmp_path / "evil.json"
    file.write_text(json.dumps([A.tells("card-1") | {"id": evil}, {"type": evil, "id": evil}]))
    ended = run("intel", "import", file, "--state", state)
    assert "\x1b" not in ended.stderr + ended.stdout
    assert "\\x1b" in ended.stderr
    assert ended.stdout.count("import ") == 1


def test_an_empty_folder_is_said_to_be_one(tmp_path: Path) -> None:
    state = tmp_path / "state"
    open_received(state, create=True).close()
    (tmp_path / "polled").mkdir()
    ended = run("intel", "import", tmp_path / "polled", "--state", state)
    assert (ended.returncode, "no .json file" in ended.stderr) == (0, True)


def test_one_community_key_given_twice_is_one(tmp_path: Path) -> None:
    state, log, key = tmp_path / "state", tmp_path / "log.jsonl", tmp_path / "key.json"
    with open_received(state, create=True) as received:
        received.add_member(A.identity, "a", A.key.public, "ana")
        received.take_in([A.tells(hidden("card-1"), days=9_000)], source="a file", by="job")
    KEY.write(key)
    log.write_text(
        json.dumps({"at": NOW, "account": "a", "prompt": "p", "payment": hidden("card-1")})
    )
    ended = run("intel", "match", log, "--community", key, "--community", key, "--state", state)
    assert ended.returncode == 0, ended.stderr
    assert "1 of 1 accounts" in ended.stdout


@pytest.mark.parametrize("revoked", [True, False], ids=["taken back", "shortened"])
def test_forgetting_a_later_version_does_not_bring_an_earlier_one_back(
    received: Received, takes: Takes, clock: Clock, revoked: bool
) -> None:
    told = A.tells("card-1", days=200)
    soon = (AT + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    changes = {"valid_until": soon} | ({"revoked": True} if revoked else {})
    takes(A.changes(told, AT + timedelta(hours=1), **changes))
    clock.now = NOW + 100 * DAY
    before = NOW + 10 * DAY
    assert expire_received(received.database, before, clock.now, apply=False) == 1
    assert expire_received(received.database, before, clock.now, apply=True) == 1
    assert expire_received(received.database, before, clock.now, apply=True) == 0
    with received.database.reading() as (connection, _):
        bodies = connection.exec_driver_sql("SELECT body FROM intel_received_objects").scalars()
        assert list(bodies) == ["{}"]  # that there was a version, and nothing of what it said
    takes(told)
    assert received.indicators() == []
    clock.now = NOW + 400 * DAY
    assert expire_received(received.database, NOW + 310 * DAY, clock.now, apply=True) >= 1
    with received.database.reading() as (connection, _):
        kept = connection.exec_driver_sql("SELECT count(*) FROM intel_received_objects").scalar()
    assert kept == 0


def test_what_was_polled_goes_with_what_was_received(tmp_path: Path) -> None:
    import os

    from stillwatch.cases.periods import Periods

    open_received(tmp_path, create=True).close()
    (tmp_path / "polled").mkdir()
    for name, days in (("0123456789ab-00000001.json", 91), ("0123456789ab-00000002.json", 1)):
        file = tmp_path / "polled" / name
        file.write_text("{}")
        os.utime(file, (NOW - days * DAY,) * 2)
    (tmp_path / "polled" / "mine.json").write_text("{}")
    os.utime(tmp_path / "polled" / "mine.json", (NOW - 99 * DAY,) * 2)
    with kept_of(tmp_path, Periods()) as stores:
        [polled] = [each for each in stores if each.name == "polled"]
        before = NOW - polled.days * DAY
        assert (polled.expire(before, False), polled.expire(before, True)) == (1, 1)
        assert polled.expire(before, True) == 0
    assert sorted(each.name for each in (tmp_path / "polled").iterdir()) == [
        "0123456789ab-00000002.json", "mine.json",
    ]  # fmt: skip


def test_one_file_that_is_no_bundle_keeps_no_other_away(tmp_path: Path) -> None:
    state, folder = tmp_path / "state", tmp_path / "folder"
    with open_received(state, create=True) as received:
        received.add_member(A.identity, "a", A.key.public, "ana")
    folder.mkdir()
    (folder / "1.json").write_text("no bundle")
    (folder / "2.json").write_text(json.dumps([A.tells("card-1", days=9_000)]))
    ended = run("intel", "import", folder, folder / "absent.json", "--state", state)
    assert (ended.returncode, "1 new" in ended.stdout) == (2, True)
    assert "1.json" in ended.stderr
    assert "absent.json" in ended.stderr
