"""A scan over everything that goes wrong in logs at once: counted, named, and no reason to stop."""

from __future__ import annotations

import gzip
import json
import os
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stillwatch.campaigns import ScanOptions
from stillwatch.campaigns import scan as scan_here
from tests.cli.running import rejects, run, scan, source

AT = 1_763_700_000
FUTURE = int(time.time()) + 30 * 86_400


def line(at: Any = AT, account: Any = "a", prompt: Any = "why?", **more: Any) -> bytes:
    row = {"at": at, "account": account, "prompt": prompt} | more
    return json.dumps({name: value for name, value in row.items() if value is not None}).encode()


def write(path: Path, lines: list[bytes]) -> None:
    path.write_bytes(b"".join(text + b"\n" for text in lines))


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """Files of one folder, each bad in its own way; 13 + 20 + 2 rows of them are good."""
    folder = tmp_path / "logs"
    folder.mkdir()
    write(
        folder / "a.jsonl",
        [
            line(),
            line(prompt="x" * 10_000_000),  # ten megabytes
            line(prompt="caf\udce9").replace(b"\\udce9", b"\xe9"),  # invalid UTF-8
            line(account="b\udce9").replace(b"\\udce9", b"\xe9"),
            line(at=AT * 1000 + 5),  # a clock in milliseconds
            line(at=5),
            line(at="1970-01-01T00:00:00Z"),
            line(at=FUTURE),
            line(at=datetime.fromtimestamp(FUTURE, UTC).isoformat()),
            line(at="2025-11-21 04:40:00"),
            line(request_id="r1"),
            line(request_id="r1"),
            b"",
            b"{broken",
            b"[1, 2]",
            b"\x00\xff\xfe",
            line(prompt=None),
            line(temperature="hot"),
            line(prompt=None, messages=[{"role": "user", "content": "hi"}]),
            line(prompt=None, timestamp=AT, client_ip="nowhere"),
            line(shard=3),
            line(account=42),
            line(prompt=""),
            line(prompt="\ud800"),
            line(registered_at=0),
        ],
    )
    packed = gzip.compress(b"".join(line(prompt=f"p{n}") + b"\n" for n in range(20)))
    (folder / "b.jsonl.gz").write_bytes(packed[:-6])
    table = {
        "timestamp": pa.array([AT * 1000, AT * 1000 + 1, 0], pa.timestamp("ms")),
        "account_id": ["d", "e", "f"],
        "prompt": ["a parquet", "of other columns", "of 1970"],
        "request_id": ["r2", "r3", "r4"],
        "shard": [1, 2, 3],
    }
    pq.write_table(pa.table(table), folder / "c.parquet")
    (folder / "d.jsonl").write_bytes(b"")
    write(folder / "e.jsonl", [line(request_id="r2"), line(request_id="r1")])
    return folder


BEFORE = "'at' lies before 2015"
AHEAD = "'at' lies more than a day in the future"
AGAIN = "the request id was met before; the first row with it is kept"


@pytest.mark.slow
def test_every_row_that_is_refused_is_counted_with_its_file_and_line(
    logs: Path, tmp_path: Path
) -> None:
    ended = scan(logs, tmp_path / "out")
    assert ended.returncode == 0, ended.stderr
    refused = sorted(rejects(tmp_path / "out"))
    assert [(file, number) for file, number, _ in refused] == [
        *[("a.jsonl", number) for number in (4, 6, 7, 8, 9, 12, 14, 15, 16, 17, 18, 20)],
        ("b.jsonl.gz", 20),
        ("c.parquet", 3),
        *[("e.jsonl", number) for number in (1, 2)],
    ]
    reasons = {(file, number): reason for file, number, reason in refused}
    assert reasons["a.jsonl", 4] == "'account' is not valid UTF-8"
    assert reasons["a.jsonl", 6] == reasons["a.jsonl", 7] == reasons["c.parquet", 3] == BEFORE
    assert reasons["a.jsonl", 8] == reasons["a.jsonl", 9] == AHEAD
    assert reasons["a.jsonl", 12] == reasons["e.jsonl", 1] == reasons["e.jsonl", 2] == AGAIN
    assert "truncated" in reasons["b.jsonl.gz", 20]
    about = source(tmp_path / "out")
    assert about["rejected"] == len(refused)
    assert about["rows"] == 12 + 20 + 2
    assert f"{len(refused)} rows rejected" in ended.stdout
    assert "milliseconds" in ended.stdout
    assert "ignored columns: timestamp, shard" in ended.stdout


def test_a_reference_period_does_not_list_rows_twice(logs: Path, tmp_path: Path) -> None:
    until = (AT + 1) * 1_000_000
    scan_here(ScanOptions([logs], tmp_path / "out", reference_until=until))
    assert len(rejects(tmp_path / "out")) == source(tmp_path / "out")["rejected"]


def test_a_log_of_nothing_but_bad_rows_is_read_to_its_end(tmp_path: Path) -> None:
    write(tmp_path / "log.jsonl", [line(at=5)] * 3)
    scan_here(ScanOptions([tmp_path / "log.jsonl"], tmp_path / "out"))
    about = source(tmp_path / "out")
    assert about == {"rows": 0, "rejected": 3, "from": None, "to": None}


def test_a_file_name_that_is_no_text_is_read_and_listed(tmp_path: Path) -> None:
    """Names of files are bytes."""
    folder = tmp_path / "logs"
    folder.mkdir()
    path = Path(os.fsdecode(os.fsencode(folder) + b"/caf\xe9.jsonl"))
    write(path, [line(), b"{broken"])
    ended = scan(folder, tmp_path / "out")
    assert ended.returncode == 0, ended.stderr
    ((name, number, _),) = rejects(tmp_path / "out")
    assert (name, number) == ("caf\ufffd.jsonl", 2)


def test_formats_that_are_mixed_are_refused_before_the_first_row(tmp_path: Path) -> None:
    write(tmp_path / "a.jsonl", [line()])
    span = {"resourceSpans": []}
    write(tmp_path / "b.jsonl", [json.dumps(span).encode()])
    ended = run("scan", tmp_path / "a.jsonl", tmp_path / "b.jsonl", "--out", tmp_path / "out")
    assert ended.returncode == 2
    assert "'otel', but " in ended.stderr
    assert ended.stderr.endswith("[SW101]\n")
    assert not (tmp_path / "out").exists()
