"""The state folder: made for its owner only, and its key and its store belong together."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from stillwatch.errors import KeyFileError, OutputError
from stillwatch.events import EventStore
from stillwatch.gateway.recording.state import prepare
from stillwatch.sketches import SketchKey


def test_the_folder_and_everything_in_it_is_for_its_owner_only(tmp_path: Path) -> None:
    state = tmp_path / "deep" / "state"
    prepare(state)
    for path in (state, *state.rglob("*")):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
    assert stat.S_IMODE((state / "sketch.key").stat().st_mode) == 0o600


def test_the_key_is_made_once_and_names_the_store(tmp_path: Path) -> None:
    prepare(tmp_path)
    key = (tmp_path / "sketch.key").read_bytes()
    prepare(tmp_path)
    assert (tmp_path / "sketch.key").read_bytes() == key
    with EventStore.open(tmp_path / "events") as store:
        assert store.key_id == SketchKey(key).key_id


def test_a_key_of_ones_own_may_be_named_and_none_is_made_then(tmp_path: Path) -> None:
    SketchKey.generate().write(tmp_path / "ours")
    prepare(tmp_path / "state", key_file=tmp_path / "ours")
    assert not (tmp_path / "state" / "sketch.key").exists()


def test_another_key_than_that_of_the_store_is_refused(tmp_path: Path) -> None:
    prepare(tmp_path / "state")
    SketchKey.generate().write(tmp_path / "other")
    with pytest.raises(KeyFileError, match="their digests do not meet"):
        prepare(tmp_path / "state", key_file=tmp_path / "other")


def test_a_store_whose_key_is_gone_is_not_given_a_new_one(tmp_path: Path) -> None:
    prepare(tmp_path)
    (tmp_path / "sketch.key").unlink()
    with pytest.raises(KeyFileError, match="cannot read the sketch key"):
        prepare(tmp_path)
    assert not (tmp_path / "sketch.key").exists()


def test_the_state_of_a_watch_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "state.sqlite").touch()
    with pytest.raises(OutputError, match="the state of a watch"):
        prepare(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["state.sqlite"]


def test_a_folder_that_was_half_made_is_made_whole(tmp_path: Path) -> None:
    SketchKey.generate().write(tmp_path / "sketch.key")
    (tmp_path / "events" / "days").mkdir(parents=True)
    prepare(tmp_path)
    with EventStore.open(tmp_path / "events") as store:
        assert store.rows() == 0
