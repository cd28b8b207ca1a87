"""The key file: made once, for its owner only, and never taken from where others can write."""

from __future__ import annotations

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from stillwatch.errors import KeyFileError
from stillwatch.gateway.binding import BindingKey, read_keys
from stillwatch.gateway.binding.key import _make


def test_the_first_gateway_of_a_state_makes_the_key_for_its_owner_only(tmp_path: Path) -> None:
    umask = os.umask(0)
    try:
        (made,) = read_keys(tmp_path)
    finally:
        os.umask(umask)
    (file,) = tmp_path.iterdir()
    assert file.name == "binding.key"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert len(file.read_bytes()) == 32
    assert read_keys(tmp_path)[0].mac == made.mac


def test_of_gateways_that_start_together_one_makes_it(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = [keys[0].mac for keys in pool.map(read_keys, [tmp_path] * 8)]
    assert len(set(found)) == 1
    assert [file.name for file in tmp_path.iterdir()] == ["binding.key"]


def test_whoever_comes_second_leaves_the_key_of_the_first(tmp_path: Path) -> None:
    (first,) = read_keys(tmp_path)
    _make(tmp_path / "binding.key")  # it saw no file a moment ago
    assert read_keys(tmp_path)[0].mac == first.mac
    assert len(list(tmp_path.iterdir())) == 1


def test_two_states_have_two_keys(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    assert read_keys(tmp_path)[0].id != read_keys(tmp_path / "other")[0].id


def test_a_file_that_is_named_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(KeyFileError, match=r"shared\.key: cannot read the binding key"):
        read_keys(tmp_path, tmp_path / "shared.key")
    assert not list(tmp_path.iterdir())


def test_old_keys_follow_the_one_that_writes(tmp_path: Path) -> None:
    for name in ("new", "old"):
        (tmp_path / name).write_bytes(name.encode() * 20)
        (tmp_path / name).chmod(0o600)
    keys = read_keys(tmp_path, tmp_path / "new", [tmp_path / "old"])
    assert [key.id for key in keys] == [BindingKey(n * 20).id for n in (b"new", b"old")]


@pytest.mark.parametrize(
    ("content", "mode", "message"),
    [
        (b"short", 0o600, "has 5 bytes, at least 32 are needed"),
        (b"k" * 32, 0o604, "chmod 600"),
        (b"k" * 32, 0o602, "chmod 600"),
    ],
)
def test_a_key_that_cannot_be_trusted_is_refused(
    tmp_path: Path, content: bytes, mode: int, message: str
) -> None:
    (tmp_path / "binding.key").write_bytes(content)
    (tmp_path / "binding.key").chmod(mode)
    with pytest.raises(KeyFileError, match=message):
        read_keys(tmp_path)


def test_a_key_does_not_show_itself() -> None:
    key = BindingKey(b"s" * 32)
    assert repr(key) == f"BindingKey(id='{key.id.hex()}')"
    derived = {key.mac, key.mask, key.names}
    assert len(derived) == 3
    assert b"s" * 32 not in derived
