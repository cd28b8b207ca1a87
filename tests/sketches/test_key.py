"""The secret: how it is kept, and that nothing shows it."""

from __future__ import annotations

from pathlib import Path

import pytest

from stillwatch.errors import KeyFileError
from stillwatch.sketches import SketchKey


def test_a_written_key_reads_back_and_only_its_owner_can(tmp_path: Path) -> None:
    key = SketchKey.generate()
    key.write(tmp_path / "key")
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600
    assert SketchKey.from_file(tmp_path / "key").digest("ip", "x") == key.digest("ip", "x")


def test_a_key_is_never_overwritten(tmp_path: Path) -> None:
    SketchKey.generate().write(tmp_path / "key")
    with pytest.raises(KeyFileError, match="never overwritten"):
        SketchKey.generate().write(tmp_path / "key")


@pytest.mark.parametrize(
    ("content", "mode", "complaint"),
    [
        (b"short", 0o600, "5 bytes"),
        (b"x" * 32, 0o644, "chmod 600"),
        (b"x" * 32, 0o602, "chmod 600"),
    ],
)
def test_a_short_or_open_key_file_is_refused(
    tmp_path: Path, content: bytes, mode: int, complaint: str
) -> None:
    path = tmp_path / "key"
    path.write_bytes(content)
    path.chmod(mode)
    with pytest.raises(KeyFileError, match=complaint) as refused:
        SketchKey.from_file(path)
    assert refused.value.path == str(path)


def test_a_missing_key_or_a_folder_in_its_place_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KeyFileError, match="No such file"):
        SketchKey.from_file(tmp_path / "key")
    with pytest.raises(KeyFileError, match="regular file"):
        SketchKey.from_file(tmp_path)


def test_a_key_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    with pytest.raises(KeyFileError, match="No such file"):
        SketchKey.generate().write(tmp_path / "no" / "key")


def test_a_short_secret_is_refused() -> None:
    with pytest.raises(KeyFileError, match="at least 32"):
        SketchKey(b"x" * 31)


def test_neither_the_name_nor_the_repr_shows_the_secret() -> None:
    secret = bytes(range(32))
    key = SketchKey(secret)
    assert len(key.key_id) == 16
    assert key.key_id in repr(key)
    assert secret.hex()[:16] not in repr(key)
    assert key.key_id == SketchKey(secret).key_id != SketchKey(secret + b"!").key_id


def test_purposes_do_not_share_digests() -> None:
    key = SketchKey(b"k" * 32)
    assert len({key.digest(purpose, "192.0.2.1") for purpose in ("ip", "key", "org")}) == 3


def test_every_byte_of_a_long_secret_counts() -> None:
    long = b"k" * 100
    assert SketchKey(long).digest("ip", "x") != SketchKey(long[:-1] + b"l").digest("ip", "x")


def test_digests_are_signed_64_bit_numbers() -> None:
    key = SketchKey(b"k" * 32)
    digests = [key.digest("account", str(n)) for n in range(200)]
    assert any(d < 0 for d in digests)
    assert all(-(2**63) <= d < 2**63 for d in digests)


def test_a_purpose_that_blake2b_cannot_hold_is_refused() -> None:
    with pytest.raises(ValueError, match="longer than 16"):
        SketchKey(b"k" * 32).subkey("seventeen letters")
