"""Opening a store: for its owner only, of our version, and every failure said in our own words."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from stillwatch.access.database import FILE, open_database
from stillwatch.access.following import Follower
from stillwatch.access.keys import KeyStore
from stillwatch.errors import SettingsError, StorageError, StoreFormatError


def test_the_store_and_its_folder_are_for_their_owner_only(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        database = open_database(tmp_path / "deep" / "state", create=True)
    finally:
        os.umask(before)
    KeyStore(database).create(account="acme")
    folder = tmp_path / "deep" / "state"
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
    assert modes == {FILE: 0o600, f"{FILE}-wal": 0o600, f"{FILE}-shm": 0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    database.close()


def test_a_store_that_is_not_there_is_not_made_by_readers(tmp_path: Path) -> None:
    with pytest.raises(StoreFormatError, match="there is no store of keys here"):
        open_database(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_opening_again_keeps_what_is_there(state: str) -> None:
    for _ in range(2):
        database = open_database(state, create=True)
        KeyStore(database).create(account="acme")
        database.close()
    assert len(list(KeyStore(database).list())) == 2
    database.close()


def test_many_who_make_the_same_store_at_once_make_one(state: str) -> None:
    ready, failed = threading.Barrier(6), []

    def make() -> None:
        ready.wait()
        try:
            database = open_database(state, create=True)
            KeyStore(database).create(account="acme")
            database.close()
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=make) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    database = open_database(state)
    assert [c.account for c in KeyStore(database).list()] == ["acme"] * 6
    with database.reading() as (_, version):
        assert version.changes == 6
    database.close()


@pytest.mark.parametrize(
    "content", [b"", b"this is a thesis, not a database" * 200], ids=["empty", "text"]
)
def test_a_file_of_another_kind_is_no_store(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE).write_bytes(content)
    with pytest.raises(StoreFormatError, match=f"{FILE}: (this is no store|the file is damaged)"):
        open_database(tmp_path)


def test_a_damaged_page_is_named_when_it_is_met(tmp_path: Path) -> None:
    database = open_database(tmp_path, create=True)
    keys = KeyStore(database)
    for i in range(100):
        keys.create(account=f"a{i}")
    database.close()
    content = bytearray((tmp_path / FILE).read_bytes())
    for page in range(2 * 4096, len(content), 4096):
        content[page : page + 100] = b"\xff" * 100
    (tmp_path / FILE).write_bytes(content)
    with pytest.raises(StoreFormatError, match=r"the file is damaged .* restore it from a backup"):
        list(KeyStore(open_database(tmp_path)).list())


def test_a_store_of_another_version_says_which(tmp_path: Path) -> None:
    open_database(tmp_path, create=True).close()
    with sqlite3.connect(tmp_path / FILE) as other:
        other.execute("UPDATE access_changes SET format = 'stillwatch.access/9'")
    other.close()
    with pytest.raises(StoreFormatError, match=r"of the format stillwatch\.access/9"):
        open_database(tmp_path)


def test_a_store_that_is_removed_or_replaced_is_noticed(tmp_path: Path) -> None:
    """An open SQLite file lives on without a name: its reader would never see a change again."""
    first, second = tmp_path / "1", tmp_path / "2"
    other = open_database(second, create=True)
    secret, caller = KeyStore(other).create(account="other")
    other.close()
    database = open_database(first, create=True)
    KeyStore(database).create(account="acme")
    follower = Follower(database)
    for path in first.iterdir():
        path.unlink()
    with pytest.raises(StoreFormatError, match="there is no store of keys here"):
        follower.refresh()
    shutil.copy(second / FILE, first / FILE)
    assert follower.refresh()
    assert follower.snapshot.caller_of(secret) == caller
    assert len(follower.snapshot) == 1
    database.close()


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("mysql://host/name", "mysql is no database that we keep keys in"),
        ("postgresql://host:port/name", "this is no address"),
        ("://", "this is no address"),
        ("postgresql+nothing://host/name", "this is no address"),
        ("postgresql+asyncpg://host/name", "the driver asyncpg is not installed"),
    ],
)
def test_an_address_that_is_none_is_a_mistake_in_the_settings(address: str, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        open_database(address)


def test_a_server_that_is_not_there_is_named_without_its_password(tmp_path: Path) -> None:
    with pytest.raises(StorageError) as refused:
        open_database(f"postgresql://me:hunter2@/name?host={tmp_path}")
    assert f"postgresql://me:***@/name?host={tmp_path}" in str(refused.value).replace("%2F", "/")
    assert "hunter2" not in str(refused.value)


LIMITED = """
import resource, sys
from stillwatch.access.database import open_database
from stillwatch.access.keys import KeyStore
from stillwatch.errors import StorageError
keys = KeyStore(open_database(sys.argv[1]))
resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))
made = 0
try:
    while True:
        keys.create(account="acme")
        made += 1
except StorageError as error:
    print(error)
print(made)
"""


def test_a_file_that_may_not_grow_is_named_and_nothing_half_written_counts(tmp_path: Path) -> None:
    """A real process under a limit on the size of its files, which any user may set."""
    open_database(tmp_path, create=True).close()
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, tmp_path], capture_output=True, text=True, check=True
    )
    message, made = done.stdout.splitlines()
    assert FILE in message
    database = open_database(tmp_path)
    assert len(list(KeyStore(database).list())) == int(made) > 0
    database.close()


def create_often(keys: KeyStore) -> None:
    for _ in range(10_000):
        keys.create(account="acme")


@pytest.mark.service
def test_a_full_disk_is_named_and_what_was_acknowledged_stays(tmp_path: Path) -> None:
    """On a file system of one megabyte (a tmpfs; mounting it needs root)."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", tmp_path], check=True)
    try:
        database = open_database(tmp_path, create=True)
        with pytest.raises(StorageError, match="the disk is full; make room"):
            create_often(KeyStore(database))
        made = len(list(KeyStore(database).list()))
        with database.reading() as (_, version):
            assert version.changes == made > 0
        database.close()
    finally:
        subprocess.run(["umount", tmp_path], check=True)
