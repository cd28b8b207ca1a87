"""Which files a log is made of, and which format they are in."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stillwatch.errors import InputError, UnknownFormatError
from stillwatch.sources import open_log

_ROW = json.dumps({"at": 1_763_700_000, "account": "a", "prompt": "p"}) + "\n"


def test_files_folders_and_globs_are_sorted_and_each_read_once(tmp_path: Path) -> None:
    for name in ("b.jsonl", "a.jsonl.gz", "deep/c.ndjson", ".hidden/d.jsonl", "notes.txt"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(gzip.compress(_ROW.encode()) if name.endswith("gz") else _ROW.encode())
    log = open_log([tmp_path / "b.jsonl", str(tmp_path / "*.jsonl*"), tmp_path])
    names = [str(path.relative_to(tmp_path)) for path in log.files]
    assert names == ["a.jsonl.gz", "b.jsonl", "deep/c.ndjson"]
    deep = open_log([str(tmp_path / "**" / "*.ndjson")])
    assert [path.name for path in deep.files] == ["c.ndjson"]
    assert [path.name for path in open_log([tmp_path / "notes.txt"]).files] == ["notes.txt"]


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("gone.jsonl", "there is no such file"),
        ("*.nothing", "no file matches"),
        ("empty", "the folder holds no log"),
        ("pipe", "is no regular file"),
    ],
)
def test_what_is_missing_is_named_with_what_to_do(
    tmp_path: Path, pattern: str, reason: str
) -> None:
    (tmp_path / "empty").mkdir()
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError, match=reason) as raised:
        open_log([tmp_path / pattern])
    assert raised.value.path == str(tmp_path / pattern)


def test_no_log_at_all_is_an_error() -> None:
    with pytest.raises(InputError, match="no log was named"):
        open_log([])


@pytest.mark.parametrize(
    ("beginning", "advice"),
    [
        (b"\x28\xb5\x2f\xfd", "zstd -d"),
        (b"BZh91AY", "bunzip2"),
        (b"PK\x03\x04", "zip"),
        ('{"at"'.encode("utf-16"), "iconv"),
    ],
)
def test_a_container_that_is_not_read_says_how_to_unpack_it(
    tmp_path: Path, beginning: bytes, advice: str
) -> None:
    path = tmp_path / "log.jsonl"
    path.write_bytes(beginning + b"rest")
    with pytest.raises(InputError, match=advice):
        open_log([path])


@pytest.mark.parametrize("content", [b"hello\n", b'{"a": 1}\n', b"1,2,3\n", b"\xff\xfa\n"])
def test_what_is_in_no_known_format_is_refused_with_the_ones_that_are(
    tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "log.jsonl"
    path.write_bytes(content)
    with pytest.raises(UnknownFormatError, match=r"native .* LiteLLM .* OpenTelemetry .* --format"):
        open_log([path])


def test_a_bad_first_line_does_not_hide_the_format(tmp_path: Path, read: Any) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text("oops\n" + _ROW)
    reading = read(path)
    assert (reading.log.format, len(reading.rows), reading.rejects[0].line) == ("native", 1, 1)


def test_each_format_is_recognised(tmp_path: Path, samples: SimpleNamespace) -> None:
    span = samples.otel_span(1, samples.otel_attributes())
    for name, value in {
        "native": json.loads(_ROW),
        "litellm": samples.litellm_payload(),
        "otel": samples.otel_export(span),
    }.items():
        for indent in (None, 2):
            path = tmp_path / "log.json"
            path.write_text(json.dumps(value, indent=indent))
            assert open_log([path]).format == name


def test_two_formats_are_refused_by_naming_both_files(
    tmp_path: Path, samples: SimpleNamespace, read: Any
) -> None:
    (tmp_path / "a.jsonl").write_text(_ROW)
    (tmp_path / "b.jsonl").write_text(json.dumps(samples.litellm_payload()))
    with pytest.raises(
        UnknownFormatError, match=r"b\.jsonl: .*'litellm', but .*a\.jsonl .*'native'"
    ):
        open_log([tmp_path])
    forced = read(tmp_path, as_format="native")
    assert (len(forced.rows), len(forced.rejects)) == (1, 1)


def test_jsonl_and_parquet_are_one_format(tmp_path: Path, read: Any) -> None:
    (tmp_path / "a.jsonl").write_text(_ROW)
    table = pa.table({"at": [1_763_700_001], "account": ["a"], "prompt": ["p"]})
    pq.write_table(table, tmp_path / "b.parquet")
    assert len(read(tmp_path).rows) == 2
    with pytest.raises(UnknownFormatError, match="is Parquet"):
        open_log([tmp_path / "b.parquet"], format="litellm")


def test_an_unknown_format_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(UnknownFormatError, match="choose one of auto, otel, litellm, native"):
        open_log([tmp_path], format="csv")


def test_empty_files_are_noted_and_give_no_rows(tmp_path: Path, read: Any) -> None:
    (tmp_path / "a.jsonl").write_bytes(b"")
    (tmp_path / "b.jsonl").write_bytes(b"\n  \n")
    (tmp_path / "c.jsonl.gz").write_bytes(gzip.compress(b""))
    reading = read(tmp_path)
    assert (reading.log.format, reading.rows, reading.rejects) == ("empty", [], [])
    (note,) = reading.log.notes
    assert note.startswith("the file is empty (3 times, 3 files, first at ")
    (tmp_path / "d.jsonl").write_text(_ROW)
    assert len(read(tmp_path).rows) == 1
