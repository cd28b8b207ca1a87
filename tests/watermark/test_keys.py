"""Keys: derived as the RFC says, apart from each other, and never shown."""

from __future__ import annotations

import dataclasses
import itertools
from pathlib import Path

import pytest

from stillwatch.errors import KeyFileError
from stillwatch.watermark import GLOBAL, KeyRing, MarkKey
from stillwatch.watermark.keys import hkdf_sha256

MASTER = bytes(range(32))


@pytest.mark.parametrize(
    ("secret", "salt", "info", "length", "output"),
    [
        (b"\x0b" * 22, bytes(range(13)), bytes(range(0xF0, 0xFA)), 42,
         "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"),
        (bytes(range(0x50)), bytes(range(0x60, 0xB0)), bytes(range(0xB0, 0x100)), 82,
         "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e"
         "590e09da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87"),
        (b"\x0b" * 22, b"", b"", 42,
         "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"),
    ],
)  # fmt: skip
def test_keys_are_derived_as_rfc_5869_prints(
    secret: bytes, salt: bytes, info: bytes, length: int, output: str
) -> None:
    assert hkdf_sha256(secret, salt=salt, info=info, length=length).hex() == output


def test_no_two_of_tenant_epoch_cluster_and_scheme_share_a_key() -> None:
    """Not even where their names run together."""
    names = ["a", "ab", "b", "aa", "a|b"]
    values = [
        KeyRing(MASTER, epoch, tenant=tenant).key(cluster, scheme).value
        for tenant, epoch, cluster, scheme in itertools.product(["", *names], names, names, names)
    ]
    assert len(set(values)) == len(values) == 6 * 5**3


def test_the_same_names_give_the_same_key_for_ever() -> None:
    assert KeyRing(MASTER, "2026-11", tenant="t").key("c-812").value == 0x4187B7923B06CB5D
    assert KeyRing(MASTER, "2026-11").key(GLOBAL, "tournament").value == 0xCBAB066CA58DB3A1


def test_another_epoch_has_other_keys_and_the_way_back_the_old_ones(ring: KeyRing) -> None:
    later = ring.at("2026-12")
    assert later.key("c") != ring.key("c")
    assert later.at("2026-11").key("c") == ring.key("c")
    assert KeyRing(MASTER, "e", tenant="t").at("f").tenant == "t"


def test_neither_a_ring_nor_a_key_shows_its_secret(ring: KeyRing) -> None:
    key = ring.key("c-812")
    shown = repr(ring) + repr(key) + repr([key])
    assert "c-812" in shown
    assert str(key.value) not in shown
    assert f"{key.value:x}" not in shown
    assert MASTER.hex() not in shown
    assert "\\x01" not in shown
    with pytest.raises(dataclasses.FrozenInstanceError):
        key.value = 1  # type: ignore[misc]


def test_a_cluster_cannot_pass_for_everybody(ring: KeyRing) -> None:
    assert ring.key(GLOBAL).cluster == GLOBAL
    for name in (GLOBAL + "x", ""):
        with pytest.raises(ValueError):
            ring.key(name)


def test_a_commitment_binds_to_the_whole_key_and_needs_a_salt(ring: KeyRing) -> None:
    key, salt = ring.key("c"), b"s" * 16
    said = key.commitment(salt)
    assert said == dataclasses.replace(key).commitment(salt)
    others = [
        dataclasses.replace(key, value=key.value ^ 1), dataclasses.replace(key, epoch="x"),
        dataclasses.replace(key, cluster="x"), dataclasses.replace(key, scheme="x"),
    ]  # fmt: skip
    assert len({said, key.commitment(b"t" * 16), *(o.commitment(salt) for o in others)}) == 6
    with pytest.raises(ValueError, match="salt"):
        key.commitment(b"short")


def test_a_key_of_more_than_64_bits_is_refused() -> None:
    for value in (-1, 1 << 64):
        with pytest.raises(ValueError, match="64 bits"):
            MarkKey(value, "e", "c")


def test_a_ring_is_read_from_a_file_that_is_not_open_to_all(tmp_path: Path, ring: KeyRing) -> None:
    path = tmp_path / "master"
    path.write_bytes(MASTER)
    path.chmod(0o600)
    assert KeyRing.from_file(path, "2026-11").key("c") == ring.key("c")
    for mode in (0o604, 0o602):
        path.chmod(mode)
        with pytest.raises(KeyFileError, match="chmod 600"):
            KeyRing.from_file(path, "2026-11")


def test_a_key_file_that_is_missing_short_or_no_file_is_named(tmp_path: Path) -> None:
    short = tmp_path / "short"
    short.write_bytes(MASTER[:31])
    short.chmod(0o600)
    for path, why in ((short, "31 bytes"), (tmp_path / "none", "No such"), (tmp_path, "regular")):
        with pytest.raises(KeyFileError, match=why) as raised:
            KeyRing.from_file(path, "e")
        assert raised.value.path == str(path)
    with pytest.raises(KeyFileError, match="31"):
        KeyRing(MASTER[:31], "e")
    with pytest.raises(ValueError, match="epoch"):
        KeyRing(MASTER, "")


def test_a_ring_is_read_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, ring: KeyRing
) -> None:
    monkeypatch.setenv("STILLWATCH_MARK_KEY", MASTER.hex())
    assert KeyRing.from_environment("2026-11").key("c") == ring.key("c")
    for written, why in (("zz", "hexadecimal"), (MASTER[:31].hex(), "31 bytes"), ("", "not set")):
        monkeypatch.setenv("STILLWATCH_MARK_KEY", written)
        with pytest.raises(KeyFileError, match=why) as raised:
            KeyRing.from_environment("2026-11")
        assert written not in str(raised.value) or not written
    monkeypatch.delenv("STILLWATCH_MARK_KEY")
    with pytest.raises(KeyFileError, match="not set"):
        KeyRing.from_environment("2026-11")


def test_many_keys_are_those_that_are_asked_for_one_by_one() -> None:
    ring = KeyRing(bytes(range(32)), "2026-11")
    names = [f"c-{i}" for i in range(5)]
    for scheme in ("gumbel", "green-list"):
        values = ring.values(names, scheme)
        assert values.tolist() == [ring.key(name, scheme).value for name in names]
    assert ring.values([]).shape == (0,)
    with pytest.raises(ValueError, match="reserved"):
        ring.values(["a", "*b"])


def test_a_fingerprint_names_master_and_tenant_of_all_epochs() -> None:
    ring = KeyRing(bytes(range(32)), "2026-11", tenant="t")
    assert len(ring.fingerprint) == 64
    assert ring.at("2027-01").fingerprint == ring.fingerprint
    others = [KeyRing(bytes(32), "2026-11", tenant="t"), KeyRing(bytes(range(32)), "2026-11")]
    assert len({ring.fingerprint, *(other.fingerprint for other in others)}) == 3
