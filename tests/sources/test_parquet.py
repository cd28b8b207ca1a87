"""Parquet logs: every type that a column may have, and what is said of the others."""

from __future__ import annotations

import decimal
import json
import os
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stillwatch.errors import InputError
from stillwatch.exchange import Message, RawExchange
from stillwatch.sources import log, open_log, parquet

_AT = 1_763_700_000_123_456
_MOMENT = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=_AT)
_TURNS = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "so"}]


@pytest.fixture
def read_table(tmp_path: Path, read: Any) -> Any:
    """Write a table of the least columns and those that are given, and read it."""

    def write_and_read(**columns: Any) -> Any:
        rows = max((len(column) for column in columns.values() if column is not None), default=1)
        least = {"at": pa.array([_AT] * rows), "account": ["a"] * rows, "prompt": ["p"] * rows}
        given = {name: values for name, values in (least | columns).items() if values is not None}
        pq.write_table(pa.table(given), tmp_path / "log.parquet")
        return read(tmp_path / "log.parquet")

    return write_and_read


def _named(value: Any) -> str:
    return str(value.type)[:40] if isinstance(value, pa.Array) else str(value)[:40]


def _column(reading: Any, name: str) -> list[Any]:
    assert reading.rejects == []
    return [getattr(row, name) for row in reading.rows]


@pytest.mark.parametrize(
    "array",
    [
        pa.array([_AT], pa.timestamp("us", tz="UTC")),
        pa.array([_MOMENT], pa.timestamp("us", tz="Asia/Kathmandu")),
        pa.array([_AT * 1000 + 789], pa.timestamp("ns", tz="UTC")),
        pa.array([_AT], pa.timestamp("us")),
        pa.array([_AT * 1000], pa.int64()),
        pa.array([_AT], pa.int64()),
        pa.array([_AT / 1e6], pa.float64()),
        pa.array([decimal.Decimal("1763700000.123456")]),
        pa.array([_MOMENT.isoformat()], pa.large_string()),
        pa.array([_MOMENT.isoformat()]).dictionary_encode(),
    ],
    ids=lambda array: str(array.type),
)
def test_times_of_every_type_are_the_same_moment(read_table: Any, array: pa.Array) -> None:
    assert _column(read_table(at=array), "at") == [_AT]


def test_coarse_times_are_read(read_table: Any) -> None:
    seconds, millis = pa.timestamp("s", tz="UTC"), pa.timestamp("ms")
    assert _column(read_table(at=pa.array([_AT // 10**6], seconds)), "at") == [
        1_763_700_000 * 10**6
    ]
    assert _column(read_table(at=pa.array([_AT // 10**3], millis)), "at") == [_AT // 10**3 * 10**3]
    reading = read_table(at=pa.array([date(2025, 11, 21)]))
    assert _column(reading, "at") == [1_763_683_200_000_000]
    assert "no time zone and is taken as UTC (1 time" in reading.log.notes[0]


@pytest.mark.parametrize(
    ("name", "array", "expected"),
    [
        ("account", pa.array([7, 8]), ["7", "8"]),
        ("account", pa.array(["x", "y"]).dictionary_encode(), ["x", "y"]),
        ("account", pa.array(["x", "y"], pa.string_view()), ["x", "y"]),
        ("prompt", pa.array(["p", "q"], pa.large_string()), ["p", "q"]),
        ("prompt", pa.array([b"p", b"caf\xe9"], pa.binary()), ["p", "caf\ufffd"]),
        ("org", pa.array(["x", ""]), ["x", None]),
        ("org", pa.nulls(2), [None, None]),
        ("temperature", pa.array([0.5, None], pa.float32()), [0.5, None]),
        ("temperature", pa.array([0.5, 1.0], pa.float16()), [0.5, 1.0]),
        ("temperature", pa.array([1, 0], pa.int8()), [1.0, 0.0]),
        ("temperature", pa.array([decimal.Decimal("0.7"), None]), [0.7, None]),
        ("temperature", pa.array(["0.7", None]), [0.7, None]),
        ("status", pa.array([200, None], pa.uint16()), [200, None]),
        ("status", pa.array([200.0, None]), [200, None]),
        ("max_tokens", pa.array([-1, 5]), [None, 5]),
        ("latency_ms", pa.array([1.5, 2.5]), [2, 2]),
        ("latency_ms", pa.array([1_500_000, None], pa.duration("us")), [1500, None]),
        ("asn", pa.array([2**32 - 1, None]), [2**32 - 1, None]),
        ("stream", pa.array([True, None]), [True, None]),
        ("stream", pa.array([1, 0]), [True, False]),
        ("logprobs", pa.array([True, False]), [True, False]),
        ("ip", pa.array(["::1", "x"]), ["::1", None]),
        ("tools", pa.array([["f"], None]), [("f",), None]),
        ("tools", pa.array([[{"name": "f"}], []]), [("f",), ()]),
        ("tools", pa.array([json.dumps([{"name": "f"}]), None]), [("f",), None]),
        ("tools", pa.array([3, None]), [("", "", ""), None]),
        ("logit_bias", pa.array([{"1": 2.0, "5": None}, {"1": 1.0, "5": 2.0}]), [1, 2]),
        (
            "logit_bias",
            pa.array([[("1", 2.0)], None], pa.map_(pa.string(), pa.float64())),
            [1, None],
        ),
        ("logit_bias", pa.array(['{"1": 2}', None]), [1, None]),
        ("logit_bias", pa.array([4, None]), [4, None]),
        (
            "response_format",
            pa.array([{"type": "text"}, {"type": "json_object"}]),
            ["text", "json_object"],
        ),
        ("finish_reason", pa.array([["stop"], ["length"]]), ["stop", "length"]),
        ("prefill", pa.array([True, False]), ["…", ""]),
        ("registered_at", pa.array([date(2020, 1, 1), None]), [1_577_836_800_000_000, None]),
    ],
    ids=_named,
)
def test_columns_of_every_type_are_read(
    read_table: Any, name: str, array: pa.Array, expected: list[Any]
) -> None:
    assert _column(read_table(**{name: array}), name) == expected


_TURN = pa.struct([("role", pa.string()), ("content", pa.string())])


@pytest.mark.parametrize(
    "array",
    [
        pa.array([_TURNS, _TURNS[:1]], pa.list_(_TURN)),
        pa.array([_TURNS, _TURNS[:1]], pa.large_list(_TURN)),
        pa.array([json.dumps(_TURNS), json.dumps(_TURNS[:1])]),
        pa.array([[{**t, "name": None} for t in _TURNS], _TURNS[:1]]),
        pa.array(
            [
                [
                    {"role": t["role"], "content": [{"type": "text", "text": t["content"]}]}
                    for t in turns
                ]
                for turns in (_TURNS, _TURNS[:1])
            ]
        ),
    ],
    ids=lambda array: str(array.type)[:60],
)
def test_messages_are_read_from_lists_of_structs_and_from_json(
    read_table: Any, array: pa.Array
) -> None:
    user, assistant = Message("user", "hi"), Message("assistant", "so")
    assert _column(read_table(messages=array, prompt=None), "messages") == [
        (user, assistant),
        (user,),
    ]


def test_a_null_list_of_messages_leaves_the_prompt(read_table: Any) -> None:
    reading = read_table(
        messages=pa.array([_TURNS, None, []], pa.list_(_TURN)), prompt=[None, "p", "q"]
    )
    assert _column(reading, "prompt") == [None, "p", "q"]


@pytest.mark.parametrize(
    ("name", "array", "reason"),
    [
        ("at", pa.array([[1]]), "column 'at' is list<.*>, not a timestamp, a number or text"),
        ("account", pa.array([1.5]), "column 'account' is double, not text or a whole number"),
        ("prompt", pa.array([1]), "column 'prompt' is int64, not text"),
        ("temperature", pa.array([True]), "column 'temperature' is bool, not a number"),
        ("messages", pa.array([{"role": "user"}]), "column 'messages' is struct<.*>, not a list"),
        ("status_code", pa.array([[1]]), "column 'status_code' is list<.*>, not a number"),
    ],
    ids=_named,
)
def test_a_column_of_a_wrong_type_is_named_with_its_type(
    read_table: Any, name: str, array: pa.Array, reason: str
) -> None:
    with pytest.raises(InputError, match=reason):
        read_table(**{name: array})


def test_bad_values_are_refused_with_the_number_of_their_row(read_table: Any) -> None:
    reading = read_table(
        temperature=pa.array([0.5, float("nan"), None, 0.1, float("inf")]),
        n=pa.array([1, 1, -3, 1, 1]),
        account=pa.array(["a", "a", "a", None, "a"]),
    )
    assert len(reading.rows) == 1
    assert [(r.line, r.reason) for r in reading.rejects] == [
        (2, "'temperature' is not finite, or out of range"),
        (3, "'n' is negative"),
        (4, "'account' is missing"),
        (5, "'temperature' is not finite, or out of range"),
    ]


def test_nan_alone_is_refused_and_so_is_a_role_without_a_name(read_table: Any) -> None:
    reading = read_table(top_p=pa.array([0.5, float("nan")]))
    assert reading.reasons == ["'top_p' is not finite, or out of range"]
    turns = pa.array([_TURNS, [{"role": "", "content": "x"}]], pa.list_(_TURN))
    reading = read_table(messages=turns, prompt=None)
    assert reading.reasons == ["'messages' has a message without a role: number 1"]
    assert len(reading.rows) == 1


def test_a_table_without_rows_is_read(read_table: Any) -> None:
    reading = read_table(org=pa.array([], pa.string()))
    assert (reading.rows, reading.rejects) == ([], [])


def test_a_row_without_any_value_is_refused_too(read_table: Any) -> None:
    empty = pa.array([None, None], pa.string())
    assert read_table(at=empty, account=empty, prompt=empty).reasons == ["'at' is missing"] * 2


def test_required_columns_are_asked_for_by_name(tmp_path: Path) -> None:
    for columns, missing in (
        (["account", "prompt"], "at"),
        (["at", "prompt"], "account"),
        (["at", "account"], "prompt"),
    ):
        path = tmp_path / "log.parquet"
        pq.write_table(pa.table({name: ["2025-11-21"] for name in columns}), path)
        with pytest.raises(InputError, match=f"has no column '{missing}"):
            open_log([path])


def test_unknown_columns_and_aliases_are_named(read_table: Any) -> None:
    reading = read_table(shard=[1], account=None, account_id=["b"], org=["o"], org_id=["other"])
    assert [(row.account, row.org) for row in reading.rows] == [("b", "o")]
    assert reading.log.unknown_columns == ("shard", "org_id")
    assert "'account_id' is read as 'account'" in reading.log.notes[0]


def test_a_file_without_a_footer_is_named(tmp_path: Path) -> None:
    whole, path = tmp_path / "whole.parquet", tmp_path / "cut.parquet"
    pq.write_table(pa.table({"at": [1], "account": ["a"], "prompt": ["p"]}), whole)
    path.write_bytes(whole.read_bytes()[:-20])
    with pytest.raises(InputError, match=r"cut\.parquet: is Parquet without a footer"):
        open_log([path])


def test_a_file_whose_name_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "log.parquet"
    pq.write_table(pa.table({"at": [1], "account": ["a"], "prompt": ["p"]}), path)
    renamed = path.rename(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.parquet"))
    with pytest.raises(InputError, match="has a name that is not UTF-8: rename it"):
        open_log([renamed])


def test_a_damaged_row_group_loses_no_other(tmp_path: Path, read: Any) -> None:
    path = tmp_path / "log.parquet"
    prompts = [f"prompt {n} {n * 7919}" for n in range(300)]
    accounts = ["a"] * 299 + [None]
    table = pa.table({"at": [_AT] * 300, "account": accounts, "prompt": prompts})
    pq.write_table(table, path, row_group_size=100, compression="zstd", use_dictionary=False)
    start = pq.ParquetFile(path).metadata.row_group(1).column(2).data_page_offset
    data = bytearray(path.read_bytes())
    data[start : start + 60] = b"\xff" * 60
    path.write_bytes(data)
    reading = read(path)
    assert [row.prompt for row in reading.rows] == prompts[:100] + prompts[200:299]
    (reject, last) = reading.rejects
    assert (reject.line, last.line) == (101, 300)
    assert reject.reason.startswith("rows 101 to 200 cannot be read: row group 2 is damaged")


def test_long_rows_come_few_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (log, parquet):
        monkeypatch.setattr(module, "_TEXT_MAX", 4 << 20)
    path = tmp_path / "log.parquet"
    columns = {"at": [_AT] * 30, "account": ["a"] * 30, "prompt": ["x" * (1 << 20)] * 30}
    pq.write_table(pa.table(columns), path, use_dictionary=False, compression="zstd")
    sizes = [len(batch.rows) for batch in open_log([path]).batches()]
    assert sum(sizes) == 30
    assert max(sizes) <= 8


def test_parquet_and_jsonl_mean_the_same(tmp_path: Path, read: Any) -> None:
    rows = [
        {"at": _AT, "account": "a", "messages": _TURNS, "temperature": 0.5, "stream": True},
        {"at": _AT + 1, "account": "b", "messages": _TURNS[:1], "tools": ["f"], "n": 2},
    ]
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    pq.write_table(pa.Table.from_pylist(rows, pa.schema(_types())), tmp_path / "b.parquet")
    lines: list[RawExchange] = read(tmp_path / "a.jsonl").rows
    assert lines == read(tmp_path / "b.parquet").rows


def _types() -> list[tuple[str, pa.DataType]]:
    return [
        ("at", pa.int64()),
        ("account", pa.string()),
        ("messages", pa.list_(_TURN)),
        ("temperature", pa.float64()),
        ("stream", pa.bool_()),
        ("tools", pa.list_(pa.string())),
        ("n", pa.int64()),
    ]
