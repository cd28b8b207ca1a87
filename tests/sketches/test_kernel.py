"""The compiled entry points and their cache."""

from __future__ import annotations

import subprocess
import sys
from importlib.resources import files

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stillwatch.errors import InputError
from stillwatch.sketches import batch
from stillwatch.sketches.characters import TABLE_END, changeable, prepare
from stillwatch.sketches.kernel import SOURCES, kernels
from stillwatch.sketches.lexicon import build_lexicon, look_up
from stillwatch.sketches.utf8 import decode, encode


def test_every_module_that_is_compiled_in_is_part_of_the_caches_name() -> None:
    room = files("stillwatch.sketches")
    compiled = {
        entry.name.removesuffix(".py")
        for entry in room.iterdir()
        if entry.name.endswith(".py")
        and any(mark in entry.read_text("utf-8") for mark in ("@compiled", "@inlined", "@njit"))
    }
    assert compiled <= set(SOURCES)
    assert {"layout", "characters", "features"} <= set(SOURCES)  # constants are compiled in


def test_read_only_and_writable_input_run_the_same_compiled_code() -> None:
    buf = np.frombuffer(b"abc", np.uint8)
    offsets = np.array([0, 3], np.int64)
    made = np.empty(1, np.uint64)
    for array in (buf, buf.copy()):
        kernels().hash_each(array, offsets, np.uint64(1), np.uint64(2), made)
    assert len(kernels().hash_each.signatures) == 1  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("raw", "codes"),
    [
        ("aé中😀", [0x61, 0xE9, 0x4E2D, 0x1F600]),
        (b"\xff\xc3", [0xFFFD, 0xFFFD]),
        (b"\xe4\xb8", [0xFFFD, 0xFFFD]),
        (b"\xc3a", [0xFFFD, 0x61]),
        (b"\xf0\x9f\x98", [0xFFFD, 0xFFFD, 0xFFFD]),
    ],
)
def test_utf8_is_decoded_and_invalid_bytes_are_replaced(raw: str | bytes, codes: list[int]) -> None:
    buf = np.frombuffer(raw if isinstance(raw, bytes) else raw.encode(), np.uint8)
    found, pos = [], 0
    while pos < len(buf):
        code, width = (int(buf[pos]), 1) if buf[pos] < 128 else decode(buf, pos, len(buf))
        found.append(code)
        pos += width
    assert found == codes


@settings(max_examples=200)
@given(st.lists(st.text(st.characters(), max_size=20), max_size=8))
def test_what_is_packed_is_what_preparation_gives(texts: list[str]) -> None:
    """The kernel's quick look never leaves out a text that needs preparation."""
    one, other = batch.prepare_and_pack(texts), batch.pack(list(map(prepare, texts)))
    assert one[0].tobytes() == other[0].tobytes()
    assert one[1].tolist() == other[1].tolist()


def test_every_character_that_preparation_changes_is_looked_for() -> None:
    table = changeable()
    for code in range(TABLE_END):
        if prepare(chr(code)) != chr(code):
            assert table[code], hex(code)


def test_encoding_is_that_of_python() -> None:
    out = np.zeros(8, np.uint8)
    for code in (0, 0x7F, 0x80, 0x7FF, 0x800, 0xFFFF, 0x10000, 0x10FFFF):
        end = encode(code, out, 0)
        assert out[:end].tobytes() == chr(code).encode()


def test_the_lexicon_finds_its_words_and_no_others() -> None:
    rng = np.random.default_rng(0)
    values = rng.integers(0, 2**64, 2_000, dtype=np.uint64)
    known = {int(v): (n if n % 2 else -1, -1 if n % 2 else n) for n, v in enumerate(values[:1000])}
    table = build_lexicon(known)
    for n, value in enumerate(values):
        found = int(look_up(value, table))
        expected = known.get(int(value), (-1, -1))
        assert (found >> 16) - 1 == expected[0], n
        assert (found & 0xFFFF) - 1 == expected[1], n


def test_a_lexicon_that_cannot_be_numbered_is_refused() -> None:
    with pytest.raises(ValueError, match="at most"):
        build_lexicon({1: (0, 1 << 16)})


def test_an_exchange_of_more_than_a_gigabyte_is_refused_not_miscounted() -> None:
    offsets = np.array([0, 10, 10 + (1 << 30) + 1])
    with pytest.raises(InputError, match=r"1,073,741,825 bytes"):
        batch._check_lengths(offsets)


def test_importing_the_room_compiles_nothing() -> None:
    code = (
        "import stillwatch.sketches, stillwatch.sketches.kernel as k;"
        "assert k.kernels.cache_info().currsize == 0"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
