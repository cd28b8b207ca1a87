"""What the writer writes, the reader reads; and a log is whole or not there."""

from __future__ import annotations

import contextlib
import gzip
import json
import random
import resource
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stillwatch.errors import InputError, StorageError
from stillwatch.exchange import Message, RawExchange
from stillwatch.sources import COLUMNS, PARQUET, NativeWriter, writer
from stillwatch.sources.remarks import Remarks
from stillwatch.sources.rows import Context, settle

_AT = 1_763_700_000_000_000
_ENDINGS = ["jsonl", "jsonl.gz", "parquet"]
_ROW = RawExchange(at=_AT, account="a", prompt="p")

_NAMES = st.text(min_size=1, max_size=12)
_TIMES = st.integers(_AT - 10**15 // 4, _AT + 10**6)
_VALUES: dict[str, st.SearchStrategy[Any]] = {
    "time": _TIMES,
    "asn": st.integers(0, 2**32 - 1),
    "flag": st.booleans(),
    "logprobs": st.booleans(),
    "number": st.floats(-1e9, 1e9),
    "ip": st.ip_addresses().map(str),
    "tools": st.lists(st.text(max_size=8), max_size=3).map(tuple),
    "text": st.text(max_size=60),
    "messages": st.lists(
        st.builds(Message, st.sampled_from(["user", "assistant", "system", "tool"]), st.text()),
        min_size=1,
        max_size=4,
    ).map(tuple),
    "response_format": st.sampled_from(["text", "json_object"]),
    "reasoning": st.sampled_from(["low", "high"]),
    "prefill": st.text(max_size=8),
    "system": st.text(max_size=8),
    "completion": st.text(max_size=60),
    "finish_reason": _NAMES,
    "name": _NAMES,
} | dict.fromkeys(("count", "max_tokens", "duration", "logit_bias"), st.integers(0, 2**31 - 1))


@st.composite
def _exchanges(draw: st.DrawFn) -> RawExchange:
    """Any exchange that a reader may hand out: one that keeps the rules of a row."""
    optional = {c.name: _VALUES[c.kind] for c in COLUMNS if not c.required}
    text = optional.pop("prompt"), optional.pop("messages")
    fields = draw(st.fixed_dictionaries({}, optional=optional))
    fields[draw(st.sampled_from(["prompt", "messages"]))] = None
    if "prompt" in fields:
        fields["messages"] = draw(text[1])
    else:
        fields["prompt"] = draw(text[0])
    raw = RawExchange(at=draw(_TIMES), account=draw(_NAMES), **fields)
    settle(raw, Context(Remarks(), now=_AT + 10**7))
    return raw


@pytest.mark.parametrize("ending", _ENDINGS)
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(rows=st.lists(_exchanges(), min_size=1, max_size=4))
def test_a_written_log_reads_back_the_same(
    tmp_path: Path, read: Any, ending: str, rows: list[RawExchange]
) -> None:
    for number, row in enumerate(rows):
        row.request_id = None if row.request_id is None else f"{number}:{row.request_id}"
    path = tmp_path / f"log.{ending}"
    with NativeWriter(path) as log:
        log.write(rows)
    reading = read(path, as_format="native")
    assert reading.rejects == []
    assert reading.rows == rows
    assert reading.log.notes == ()


def test_settling_twice_changes_nothing() -> None:
    turns = (Message("SYSTEM", "s"), Message("user", "u"), Message("ai", "x"), Message("ai", "x"))
    raw = RawExchange(at=_AT, account="a", messages=turns, completion="x")
    context = Context(Remarks(), now=_AT)
    settle(raw, context)
    assert (raw.system, raw.messages) == ("s", (Message("user", "u"),))
    before = repr(raw)
    settle(raw, context)
    assert repr(raw) == before


@pytest.mark.parametrize("ending", _ENDINGS)
def test_rows_in_several_writes_keep_their_order(
    tmp_path: Path, read: Any, ending: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "GROUP_ROWS", 10)
    path = tmp_path / f"log.{ending}"
    with NativeWriter(path) as log:
        for start in (0, 7, 14, 21):
            log.write(
                RawExchange(at=_AT, account="a", prompt=str(n)) for n in range(start, start + 7)
            )
        assert log.rows == 28
    assert [row.prompt for row in read(path).rows] == [str(n) for n in range(28)]
    if ending == "parquet":
        file = pq.ParquetFile(path)
        groups = [file.metadata.row_group(g).num_rows for g in range(file.num_row_groups)]
        assert groups == [10, 10, 8]


def test_a_parquet_log_has_every_column_in_its_documented_type(tmp_path: Path) -> None:
    path = tmp_path / "log.parquet"
    with NativeWriter(path) as log:
        log.write([_ROW])
    schema = pq.read_schema(path)
    assert schema.names == [column.name for column in COLUMNS] == PARQUET.names
    assert schema.equals(PARQUET)


def test_the_same_rows_make_the_same_bytes(tmp_path: Path) -> None:
    for ending in _ENDINGS:
        for name in ("a", "b"):
            with NativeWriter(tmp_path / f"{name}.{ending}") as log:
                log.write([_ROW] * 3)
        first, second = ((tmp_path / f"{name}.{ending}").read_bytes() for name in ("a", "b"))
        assert first == second
    assert (tmp_path / "a.jsonl.gz").read_bytes()[4:8] == bytes(4)  # gzip's header has no time


def test_a_line_is_the_columns_that_are_known_with_times_in_rfc_3339(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl.gz"
    with NativeWriter(path) as log:
        log.write([_ROW])
    line = json.loads(gzip.decompress(path.read_bytes()))
    assert line == {"at": "2025-11-21T04:40:00Z", "account": "a", "prompt": "p"}


@pytest.mark.parametrize("ending", _ENDINGS)
def test_a_log_that_failed_is_not_there(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"log.{ending}"
    with contextlib.suppress(RuntimeError), NativeWriter(path) as log:
        log.write([_ROW] * 10)
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("ending", _ENDINGS)
def test_a_log_replaces_an_older_one_only_when_it_is_whole(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"log.{ending}"
    path.write_text("older")
    with NativeWriter(path) as log:
        log.write([_ROW])
        assert path.read_text() == "older"
    assert path.read_bytes() != b"older"
    assert list(tmp_path.iterdir()) == [path]


@pytest.fixture
def small_disk() -> Iterator[None]:
    """No file may grow beyond 64 kB: writing on fails as it does on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64 << 10, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.usefixtures("small_disk")
@pytest.mark.parametrize("ending", _ENDINGS)
def test_a_full_disk_is_reported_and_leaves_nothing_half_written(
    tmp_path: Path, ending: str
) -> None:
    path = tmp_path / f"log.{ending}"
    chance = random.Random(1)
    rows = [
        RawExchange(at=_AT, account="a", prompt=chance.randbytes(5000).hex()) for _ in range(50)
    ]
    with (
        pytest.raises(StorageError, match=rf"log\.{ending}: cannot be written: .*too large"),
        NativeWriter(path) as log,
    ):
        log.write(rows)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there_is_reported(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"gone/log\.jsonl: cannot be written: No such file"):
        NativeWriter(tmp_path / "gone" / "log.jsonl")


def test_a_name_says_which_kind_of_log_it_is(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"name a log \.jsonl, \.jsonl\.gz or \.parquet"):
        NativeWriter(tmp_path / "log.csv")
