"""A state belongs to one process, one key and one manner of names, and to its owner."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from stillwatch.campaigns.watching import WatchOptions, watch
from stillwatch.campaigns.watching.folder import open_folder
from stillwatch.campaigns.watching.publishing import publish_findings
from stillwatch.errors import (
    KeyFileError,
    OutputError,
    SettingsError,
    StillwatchError,
    StoreFormatError,
)
from stillwatch.sketches import SketchKey
from tests.campaigns.watching.standin import KEY, answers, lines, row, run, write

pytestmark = pytest.mark.usefixtures("quick")


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return write(tmp_path / "log.jsonl", *[row(n / 4, f"crew-1-{n}") for n in range(12)])


def refused(log: Path, state: Path, error: type[StillwatchError], **options: Any) -> str:
    with pytest.raises(error) as refusal:
        watch(WatchOptions([log], state, **{"once": True, "key": KEY} | options))
    return str(refusal.value)


def test_everything_in_a_state_is_for_its_owner_only(log: Path, tmp_path: Path) -> None:
    (tmp_path / "state").mkdir(mode=0o755)
    run(log, tmp_path / "state", key=None)
    files = [tmp_path / "state", *(tmp_path / "state").rglob("*")]
    assert len(files) > 10
    assert [path for path in files if path.stat().st_mode & 0o077] == []


def test_without_a_key_one_is_made_and_kept(log: Path, tmp_path: Path) -> None:
    run(log, tmp_path / "state", key=None)
    kept = SketchKey.from_file(tmp_path / "state" / "sketch.key")
    assert run(log, tmp_path / "state", key=kept) == []
    (tmp_path / "state" / "sketch.key").unlink()
    said = refused(log, tmp_path / "state", KeyFileError, key=None)
    assert "the key of this state is not in it" in said


def test_another_key_is_refused_with_the_names_of_both(log: Path, tmp_path: Path) -> None:
    run(log, tmp_path / "state")
    other = SketchKey.generate()
    said = refused(log, tmp_path / "state", KeyFileError, key=other)
    assert KEY.key_id in said
    assert other.key_id in said


def test_names_stay_names_and_pseudonyms_pseudonyms(log: Path, tmp_path: Path) -> None:
    run(log, tmp_path / "named")
    assert "without --pseud" in refused(log, tmp_path / "named", SettingsError, pseudonymous=True)
    run(log, tmp_path / "secret", pseudonymous=True)
    assert "with --pseudonymous" in refused(log, tmp_path / "secret", SettingsError)
    everything = b"".join(p.read_bytes() for p in (tmp_path / "secret").rglob("*") if p.is_file())
    assert b"crew-" not in everything


def test_a_state_that_is_in_use_is_refused(log: Path, tmp_path: Path) -> None:
    with open_folder(tmp_path / "state", KEY, pseudonymous=False):
        assert "another process watches" in refused(log, tmp_path / "state", OutputError)
    assert run(log, tmp_path / "state")


def test_a_folder_that_holds_something_else_is_refused(log: Path, tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cat.jpeg").touch()
    assert "('cat.jpeg')" in refused(log, tmp_path / "photos", OutputError)
    assert [path.name for path in (tmp_path / "photos").iterdir()] == ["cat.jpeg"]
    assert "is a file" in refused(log, tmp_path / "photos" / "cat.jpeg", OutputError)


def test_a_state_of_another_version_is_refused(log: Path, tmp_path: Path) -> None:
    run(log, tmp_path / "state")
    db = sqlite3.connect(tmp_path / "state" / "state.sqlite")
    db.execute("UPDATE about SET value = 'stillwatch.watch/9' WHERE key = 'format'")
    db.commit()
    db.close()
    said = refused(log, tmp_path / "state", StoreFormatError)
    assert "stillwatch.watch/9 (this version reads stillwatch.watch/1)" in said
    (tmp_path / "state" / "state.sqlite").write_bytes(b"")
    assert "no state of a watch" in refused(log, tmp_path / "state", StoreFormatError)


@pytest.mark.parametrize("left", [b"", b"torn", None])
def test_findings_that_are_torn_or_gone_are_made_whole(
    log: Path, tmp_path: Path, left: bytes | None
) -> None:
    run(log, tmp_path / "state")
    whole = answers(tmp_path / "state")
    path = tmp_path / "state" / "findings.jsonl"
    if left is None:
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:-20] + left)
    run(log, tmp_path / "state")
    assert answers(tmp_path / "state") == whole


def test_findings_are_appended_to_the_same_file(log: Path, tmp_path: Path) -> None:
    run(log, tmp_path / "state")
    path = tmp_path / "state" / "findings.jsonl"
    before = path.stat().st_ino
    with open_folder(tmp_path / "state", KEY, pseudonymous=False) as folder:
        publish_findings(folder)
    assert path.stat().st_ino == before
    assert [line["event"] for line in lines(tmp_path / "state")] == ["new", "grown", "grown"]


def test_stages_are_computed_again_after_a_restart_of_the_machine(
    log: Path, tmp_path: Path
) -> None:
    run(log, tmp_path / "state")
    (tmp_path / "state" / "work" / "stages").mkdir(exist_ok=True)
    with open_folder(tmp_path / "state", KEY, pseudonymous=False) as folder:
        assert (folder.work / "stages").exists()
        folder.state.say(boot="the one before")
    with open_folder(tmp_path / "state", KEY, pseudonymous=False) as folder:
        assert not folder.work.exists()
