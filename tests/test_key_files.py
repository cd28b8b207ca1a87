"""A secret is on the disk whole, or there is no file. What is read: see the tests of each key."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest

from stillwatch.key_files import create_key_file, read_key_file


def test_a_new_file_is_for_its_owner_only(tmp_path: Path) -> None:
    umask = os.umask(0)
    try:
        create_key_file(tmp_path / "key", b"k" * 32)
    finally:
        os.umask(umask)
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600
    assert read_key_file(tmp_path / "key", "the key") == b"k" * 32


def test_a_disk_that_takes_nothing_leaves_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        create_key_file(tmp_path / "key", b"k" * 32)
    assert not list(tmp_path.iterdir())
