"""Files: gzip in all its states, lines without end, JSON that keeps to no lines."""

from __future__ import annotations

import gzip
import json
import zlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stillwatch.errors import InputError
from stillwatch.sources import documents, lines

_ROW = {"at": 1_763_700_000, "account": "a"}


def _rows(count: int, start: int = 0) -> bytes:
    rows = (_ROW | {"prompt": f"prompt number {n}"} for n in range(start, start + count))
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def test_gzip_is_told_by_its_content_and_may_have_many_members(read: Any, tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_bytes(gzip.compress(_rows(3)) + gzip.compress(_rows(2, 3)) + b"\0" * 512)
    reading = read(path)
    assert [row.prompt for row in reading.rows] == [f"prompt number {n}" for n in range(5)]
    assert reading.rejects == []


@pytest.mark.parametrize("kept", [0.3, 0.6, 0.95])
def test_a_truncated_gzip_loses_nothing_before_the_cut(
    read: Any, tmp_path: Path, kept: float
) -> None:
    packed = gzip.compress(_rows(5000))
    path = tmp_path / "log.jsonl.gz"
    path.write_bytes(packed[: int(len(packed) * kept)])
    left = zlib.decompressobj(wbits=31).decompress(path.read_bytes()).count(b"\n")
    reading = read(path)
    assert [row.prompt for row in reading.rows] == [f"prompt number {n}" for n in range(left)]
    *partial, cut = reading.rejects
    assert cut.reason == "the gzip file is truncated here; what came before was read"
    assert cut.line in (left, left + 1)
    assert all(reject.line == left + 1 for reject in partial)


def test_a_gzip_cut_within_its_last_bytes_still_gives_every_row(read: Any, tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl.gz"
    path.write_bytes(gzip.compress(_rows(100))[:-4])
    reading = read(path)
    assert len(reading.rows) == 100
    (cut,) = reading.rejects
    assert (cut.line, "truncated" in cut.reason) == (100, True)


def test_a_damaged_gzip_delivers_what_comes_before(read: Any, tmp_path: Path) -> None:
    first, second = gzip.compress(_rows(10)), bytearray(gzip.compress(_rows(1000)))
    second[-8] ^= 0xFF  # the checksum at the end: every row is there
    path = tmp_path / "log.jsonl.gz"
    path.write_bytes(first + second)
    reading = read(path)
    assert len(reading.rows) == 1010
    assert reading.reasons == ["the gzip data is damaged from here on; what came before was read"]
    half = len(second) // 2
    second[half:] = b"\xff" * (len(second) - half)
    path.write_bytes(first + second)
    reading = read(path)
    assert 300 < len(reading.rows) < 700
    assert "the gzip data is damaged from here on" in reading.reasons[-1]


def test_what_packs_a_thousandfold_is_unpacked_a_block_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl.gz"
    path.write_bytes(gzip.compress((b" " * 1000 + b"\n") * 50_000))
    assert max(len(data) for data, _, _ in lines.chunks(path)) <= 1 << 20
    assert sum(len(block.lines) for block in lines.blocks(path)) == 50_000


def test_a_line_that_is_too_long_is_refused_and_the_next_one_read(
    read: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lines, "LINE_MAX", 3 << 20)
    path = tmp_path / "log.jsonl"
    long = json.dumps(_ROW | {"prompt": "x" * (4 << 20)}).encode()
    path.write_bytes(_rows(1) + long + b"\n" + _rows(2, 1) + long)
    reading = read(path)
    assert [row.prompt for row in reading.rows] == [f"prompt number {n}" for n in range(3)]
    assert [(r.line, r.reason) for r in reading.rejects] == [
        (2, "is longer than 64 MB and was skipped"),
        (5, "is longer than 64 MB and was skipped"),
    ]


def test_lines_are_the_same_however_the_blocks_fall(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "log.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + _rows(40) + b"\n\nlast")
    whole = [line for block in lines.blocks(path) for line in block.lines]
    for size in (7, 64, 1000):
        monkeypatch.setattr(lines, "_READ", size)
        found: list[bytes] = []
        for block in lines.blocks(path):
            assert block.first == len(found) + 1
            found += block.lines
        assert found == whole


def test_a_file_that_may_not_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"gone\.jsonl: cannot be read: No such file"):
        list(lines.blocks(tmp_path / "gone.jsonl"))


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
_OBJECTS = st.lists(st.dictionaries(st.text(), _VALUES, max_size=3), max_size=5)


@given(_OBJECTS, st.sampled_from([None, 1, 4]), st.integers(1, 40), st.booleans())
def test_objects_are_found_in_arrays_and_over_lines_however_the_blocks_fall(
    objects: list[dict[str, Any]], indent: int | None, size: int, array: bool
) -> None:
    texts = [json.dumps(o, indent=indent, ensure_ascii=False) for o in objects]
    whole = ("[" + ",\n".join(texts) + "]" if array else "\n".join(texts)).encode(
        "utf-8", "replace"
    )
    scan = documents._Scan()
    found = [d for i in range(0, len(whole), size) for d in scan.feed(whole[i : i + size])]
    assert list(scan.finish()) == []
    assert [d.fault for d in found] == [None] * len(objects)
    assert [json.loads(d.text) for d in found] == [
        json.loads(t.encode("utf-8", "replace")) for t in texts
    ]
    assert [d.number for d in found] == list(range(1, len(objects) + 1))
    for document in found:
        start = whole.decode().split("\n")[document.line - 1]
        assert document.text.decode().split("\n")[0] in start


@given(st.binary(max_size=200), st.integers(1, 20))
def test_any_bytes_at_all_are_scanned_to_their_end(data: bytes, size: int) -> None:
    scan = documents._Scan()
    for i in range(0, len(data), size):
        list(scan.feed(data[i : i + size]))
    list(scan.finish())


@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_a_value_that_is_no_object_is_one_fault_however_the_blocks_fall(size: int) -> None:
    data = b'[12345, "a { \\" b", {"n": 1}, null]'
    scan = documents._Scan()
    found = [d for i in range(0, len(data), size) for d in scan.feed(data[i : i + size])]
    assert [d.text for d in found] == [b"", b"", b'{"n": 1}', b""]
    assert {d.fault for d in found if not d.text} == {"is a value where an object should be"}


@pytest.mark.parametrize("indent", [None, 2])
def test_a_native_log_may_be_one_array(read: Any, tmp_path: Path, indent: int | None) -> None:
    rows: list[Any] = [_ROW | {"prompt": f"prompt number {n}"} for n in range(3)]
    path = tmp_path / "log.json"
    path.write_text(json.dumps([*rows, {"oops": 1}, 5, *rows[:1]], indent=indent))
    reading = read(path)
    assert len(reading.rows) == 4
    assert reading.reasons == [
        "object 4: 'at' is missing",
        "object 5: the row is a value where an object should be",
    ]
    assert reading.rejects[0].line == (1 if indent is None else 17)


def test_an_array_that_is_cut_off_says_so(read: Any, tmp_path: Path) -> None:
    path = tmp_path / "log.json"
    path.write_bytes(b"[" + _rows(3).replace(b"\n", b",\n")[:-20])
    reading = read(path)
    assert len(reading.rows) == 2
    assert reading.reasons == ["object 3: the row is cut off: the file ends inside it"]


def test_an_object_that_is_too_long_is_refused_in_the_memory_of_a_block(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(documents, "LINE_MAX", 1000)
    scan = documents._Scan()
    long = json.dumps({"a": '"{' * 3000, "b": [{"c": "x" * 5000}] * 3}).encode()
    data = b'[{"n": 1}, ' + long + b', {"n": 2}]'
    found = []
    for i in range(0, len(data), 100):
        found += scan.feed(data[i : i + 100])
        assert len(scan._buffer) <= 1200
    assert [d.text for d in found] == [b'{"n": 1}', b"", b'{"n": 2}']
    assert found[1].fault == "is an object of more than 64 MB and was skipped"
