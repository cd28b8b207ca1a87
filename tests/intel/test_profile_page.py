"""The page on the profile can be implemented without our code: here it is, and it agrees."""

from __future__ import annotations

import hashlib
import hmac
import re
import uuid
from pathlib import Path

import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from stillwatch.exchange import RawExchange
from stillwatch.intel import CommunityKey
from stillwatch.intel.private_sets import Bloom, build_set
from stillwatch.intel.profile import TECHNIQUES, Author, Tlp, attack_pattern, extension_of, marking
from stillwatch.ledger import SigningKey
from stillwatch.sketches import Sketcher
from tests.intel.conftest import NOW, random_token

PAGE = (Path(__file__).parents[2] / "docs" / "intel-profile.md").read_text()
FLAT = " ".join(PAGE.split())
SECRET = bytes(range(32))


def test_the_digests_of_the_table_follow_from_the_text() -> None:
    subkey = hmac.digest(SECRET, b"digest", "sha256")
    assert subkey.hex() in PAGE
    rows = re.findall(r"^\| `(payment|device|toolset|system)` \| `(.*)` \| `([0-9a-f]{32})` \|$",
                      PAGE, re.MULTILINE)  # fmt: skip
    assert len(rows) == 4
    for field, value, digest in rows:
        written = "\n".join(value.split("`, `")) if field == "toolset" else value
        written = written.casefold() if field == "system" else written
        made = hmac.digest(subkey, field.encode() + b"\0" + written.encode(), "sha256")
        assert made[:16].hex() == digest, field


def test_the_seal_of_the_page_follows_from_the_text() -> None:
    canonical = re.search(r'^    (\{"created".*\})$', PAGE, re.MULTILINE)
    key = re.search(r"^    key        ([0-9a-f]{64})$", PAGE, re.MULTILINE)
    signature = re.search(r"^    signature  ([0-9a-f]{128})$", PAGE, re.MULTILINE)
    assert canonical
    assert key
    assert signature
    message = b"stillwatch.seal/1\n" + canonical[1].encode()
    Ed25519PublicKey.from_public_bytes(bytes.fromhex(key[1])).verify(
        bytes.fromhex(signature[1]), message
    )
    secret = Ed25519PrivateKey.from_private_bytes(b"s" * 32)
    assert secret.sign(message).hex() == signature[1]
    author = Author("identity--11111111-1111-4111-8111-111111111111", SigningKey(b"s" * 32),
                    Tlp.AMBER)  # fmt: skip
    ours = author.described("provider-a", NOW)
    seal = extension_of(ours).pop("seal")
    assert rfc8785.dumps(ours).decode() == canonical[1]
    assert seal == {"key": key[1], "signature": signature[1]}


def test_the_cells_of_the_page_are_those_of_the_sketches() -> None:
    key = CommunityKey("fmf", "2026-q4", SECRET)
    assert hmac.digest(SECRET, b"cells", "sha256").hex() in PAGE
    prompt = re.search(r"^    (evaluate the following .*)$", PAGE, re.MULTILINE)
    assert prompt
    row = RawExchange(at=0, account="a", prompt=prompt[1])
    (cells,) = Sketcher(key.sketch_key()).sketch([row])["cells"].to_pylist()
    written = sorted(cell.to_bytes(8, "big", signed=True).hex() for cell in cells)
    told = PAGE.split("has eleven: ")[1].split(".")[0]
    assert re.findall(r"`([0-9a-f]{16})`", told) == written


def test_the_bits_of_a_private_set_follow_from_the_text() -> None:
    entry = b"payment\0" + bytes.fromhex("64feafe6ed22877e2aac803925dc99bc")
    made = hashlib.blake2b(entry, digest_size=16, salt=b"0" * 16, person=b"sw.private-set").digest()
    a, b = int.from_bytes(made[:8], "little"), int.from_bytes(made[8:], "little")
    assert f"a is `{a:016x}` and b `{b:016x}`" in FLAT
    bits = [(a + i * b + (i**3 - i) // 6) % 2**64 % 1024 for i in range(5)]
    assert "{}, {}, {}, {} and {}".format(*bits) in FLAT


def test_a_reader_of_the_page_finds_what_is_in_a_set() -> None:
    digest = random_token("d")
    made = build_set(
        [("payment", digest)], scheme="stillwatch.digest/1:a:b:0000000000000000", maker="x",
        key=SigningKey(b"s" * 32), watermark=b"w" * 32, recipient="b", tlp=Tlp.RED, purpose="p",
        made=NOW, valid_until=NOW,
    )  # fmt: skip
    first, header, bits = made.encoded().split(b"\n", 2)
    assert first == b"stillwatch.private-set/1"
    fields = re.search(rb'"hashes":(\d+).*"id":"([0-9a-f]{32})".*"size":(\d+)', header)
    assert fields
    hashes, name, size = int(fields[1]), fields[2], int(fields[3])
    assert len(bits) == size // 8
    entry = b"payment\0" + bytes.fromhex(digest)
    salted = {"digest_size": 16, "salt": name[:16], "person": b"sw.private-set"}
    pair = hashlib.blake2b(entry, **salted).digest()  # type: ignore[arg-type]
    a, b = int.from_bytes(pair[:8], "little"), int.from_bytes(pair[8:], "little")
    places = [(a + i * b + (i**3 - i) // 6) % 2**64 % size for i in range(hashes)]
    assert all(bits[j // 8] >> j % 8 & 1 for j in places)
    assert Bloom.sized(1_000_000, 1e-6).hashes == 20


def test_the_ids_of_the_page_are_those_of_the_objects() -> None:
    namespace = uuid.UUID("6f8d0d2e-0b0e-5a53-9d9c-5c0d7a1b7f10")
    for technique, name in TECHNIQUES.items():
        expected = f"attack-pattern--{uuid.uuid5(namespace, technique)}"
        assert attack_pattern(technique)["id"] == expected
        assert f"| {technique} | {name} | `{expected}` |" in PAGE
    for tlp in Tlp:
        assert f"| TLP:{tlp.upper()} | `{marking(tlp)['id']}` |" in PAGE
