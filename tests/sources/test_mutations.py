"""Logs that went wrong in any way: no exception but ours, and no row lost."""

from __future__ import annotations

import contextlib
import copy
import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stillwatch.errors import StillwatchError
from stillwatch.sources import COLUMNS, open_log

_SETTINGS = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**25), 10**25)
    | st.floats()
    | st.text(max_size=6)
    | st.sampled_from(["2025-11-21", "NaN", "[", "{", '{"a": 1}', "\ud800"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.text(max_size=4) | st.sampled_from(["type", "text", "role"]), inner, max_size=3
        )
    ),
    max_leaves=5,
)
_NATIVE = {
    "at": 1_763_700_000,
    "account": "a",
    "messages": [
        {"role": "system", "content": "s"},
        {"role": "user", "content": [{"type": "text", "text": "hi"}]},
        {"role": "assistant", "content": None, "tool_calls": [{"function": {"name": "f"}}]},
    ],
    "tools": [{"type": "function", "function": {"name": "f"}}],
    "logit_bias": {"5": 1},
    "response_format": {"type": "text"},
    "reasoning": {"effort": "low"},
    "request_id": "r",
}


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The way to every value inside a value."""
    found = [path] if path else []
    entries = value.items() if isinstance(value, dict) else enumerate(value)
    for key, entry in entries:
        if isinstance(entry, dict | list):
            found += _places(entry, (*path, key))
        else:
            found.append((*path, key))
    return found


def _mutated(data: st.DataObject, value: dict[str, Any]) -> dict[str, Any]:
    """A copy with one to three values replaced by anything, or removed."""
    changed = copy.deepcopy(value)
    for _ in range(data.draw(st.integers(1, 3))):
        places = _places(changed)
        if not places:
            break
        *way, last = data.draw(st.sampled_from(places))
        inside: Any = changed
        for key in way:
            inside = inside[key]
        if data.draw(st.booleans()):
            inside[last] = data.draw(_JSON)
        else:
            del inside[last]
    return changed


def _original(name: str, samples: SimpleNamespace) -> dict[str, Any]:
    if name == "native":
        return _NATIVE
    if name == "litellm":
        payload: dict[str, Any] = samples.litellm_payload()
        return payload
    events = [("gen_ai.user.message", {"content": "hi"}), ("gen_ai.choice", {"message": "{}"})]
    attributes = samples.otel_attributes() | {"gen_ai.prompt.0.content": "x"}
    spans = [samples.otel_span(1, attributes, events), samples.otel_span(2, attributes)]
    export: dict[str, Any] = samples.otel_export(*spans)
    return export


@pytest.mark.parametrize("name", ["native", "litellm", "otel"])
@_SETTINGS
@given(data=st.data())
def test_any_change_of_a_value_gives_a_row_or_a_reason(
    tmp_path: Path, read: Any, samples: SimpleNamespace, name: str, data: st.DataObject
) -> None:
    original = _original(name, samples)
    path = tmp_path / "log.jsonl"
    lines = [json.dumps(_mutated(data, original)) for _ in range(3)]
    path.write_text(
        "".join(line + "\n" for line in lines), encoding="utf-8", errors="surrogatepass"
    )
    reading = read(path, as_format=name)
    left_out = sum(
        int(re.search(r"\((\d+) time", note).group(1))  # type: ignore[union-attr]
        for note in reading.log.notes
        if "left out (" in note
    )
    if name == "otel":  # a line holds two spans, or one fault that ends it
        assert {reject.line for reject in reading.rejects} <= {1, 2, 3}
    else:
        assert len(reading.rows) + len(reading.rejects) + left_out == 3
    for row in reading.rows:
        json.dumps(row.account + (row.prompt or "") + (row.completion or "")).encode()


@pytest.mark.parametrize("name", ["native", "litellm", "otel"])
@pytest.mark.parametrize("indent", [None, 1])
@_SETTINGS
@given(data=st.data())
def test_any_damage_to_the_bytes_raises_nothing_of_others(
    tmp_path: Path, samples: SimpleNamespace, name: str, indent: int | None, data: st.DataObject
) -> None:
    whole = bytearray(
        "\n".join(json.dumps(_original(name, samples), indent=indent) for _ in range(3)).encode()
    )
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(whole) - 1))
        length = data.draw(st.sampled_from([0, 1, 1, 5, 200]))
        whole[start : start + length] = data.draw(st.binary(max_size=5))
    path = tmp_path / "log.jsonl"
    path.write_bytes(whole)
    for as_format in ("auto", name):
        with contextlib.suppress(StillwatchError):  # no format is recognised, or another container
            batches = list(open_log([path], format=as_format).batches())
            assert all(reject.line >= 1 for batch in batches for reject in batch.rejects)


@_SETTINGS
@given(
    rows=st.lists(
        st.fixed_dictionaries({}, optional={column.name: _JSON for column in COLUMNS}),
        min_size=1,
        max_size=3,
    )
)
def test_any_json_in_the_columns_gives_a_row_or_a_reason(
    read_lines: Any, rows: list[dict[str, Any]]
) -> None:
    reading = read_lines(*(_NATIVE | row for row in rows))
    assert len(reading.rows) + len(reading.rejects) == len(rows)


_CELLS: dict[pa.DataType, st.SearchStrategy[Any]] = {
    pa.string(): st.text(max_size=5) | st.just("[{]"),
    pa.binary(): st.binary(max_size=5),
    pa.int64(): st.integers(-(2**63), 2**63 - 1),
    pa.float64(): st.floats(),
    pa.bool_(): st.booleans(),
    pa.timestamp("us"): st.integers(-(2**60), 2**60),
    pa.timestamp("s", tz="UTC"): st.integers(-(2**40), 2**40),
    pa.list_(pa.string()): st.lists(st.text(max_size=3), max_size=2),
    pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())])): st.lists(
        st.fixed_dictionaries(
            {"role": st.none() | st.text(max_size=3), "content": st.none() | st.text()}
        ),
        max_size=2,
    ),
    pa.struct([("type", pa.string())]): st.fixed_dictionaries({"type": st.none() | st.text()}),
    pa.duration("ns"): st.integers(-(2**60), 2**60),
    pa.date32(): st.integers(-(2**20), 2**20),
}


@_SETTINGS
@given(data=st.data())
def test_any_parquet_gives_rows_or_reasons_or_names_the_column(
    tmp_path: Path, data: st.DataObject
) -> None:
    rows = data.draw(st.integers(0, 4))
    arrays = {}
    for column in {"at", "account", "prompt"} | data.draw(
        st.sets(st.sampled_from([column.name for column in COLUMNS]), max_size=3)
    ):
        type_ = data.draw(st.sampled_from(list(_CELLS)))
        cells = st.lists(st.none() | _CELLS[type_], min_size=rows, max_size=rows)
        arrays[column] = pa.array(data.draw(cells), type_)
    path = tmp_path / "log.parquet"
    pq.write_table(pa.table(arrays), path)
    error = None
    try:
        batches = list(open_log([path]).batches())
    except StillwatchError as raised:
        error = str(raised)
    if error is None:
        assert sum(len(b.rows) + len(b.rejects) for b in batches) == rows
    else:
        assert any(f"column '{name}' is " in error for name in arrays)
