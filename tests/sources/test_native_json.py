"""Native JSON: names, bad lines, and two paths that mean the same."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stillwatch.sources.columns import COLUMNS
from stillwatch.sources.native import NativeJson
from stillwatch.sources.remarks import Remarks
from stillwatch.sources.rows import Context, Refused, outcome

_NOW = 1_800_000_000_000_000
_ROW = {"at": 1_763_700_000, "account": "a", "prompt": "p"}


def test_unknown_columns_are_ignored_and_named_once_wherever_they_turn_up(read_lines: Any) -> None:
    plain = [_ROW] * 1500
    reading = read_lines(
        {**_ROW, "shard": 1}, *plain, {**_ROW, "late-comer": [1]}, {**_ROW, "shard": 2}
    )
    assert len(reading.rows) == 1503
    assert reading.log.unknown_columns == ("shard", "late-comer")


def test_a_name_that_does_not_look_like_one_is_counted_and_not_shown(read_lines: Any) -> None:
    reading = read_lines({**_ROW, "alice@example.com said hello": 1, "x" * 65: 2})
    assert reading.log.unknown_columns == ()
    (note,) = reading.log.notes
    assert note == "further unknown columns are not named here (2 times)"


@pytest.mark.parametrize("name", ['a"b', "a\\b", "a\tb", "", "\u2028", "größe", "\ud800"])
def test_a_column_may_have_any_name(read_lines: Any, name: str) -> None:
    reading = read_lines({**_ROW, name: 1}, {**_ROW, name: {"x": 2}})
    assert [row.prompt for row in reading.rows] == ["p", "p"]


def test_names_without_end_are_survived(read_lines: Any) -> None:
    reading = read_lines(*({**_ROW, f"c{i}": i} for i in range(500)))
    assert len(reading.rows) == 500
    assert len(reading.log.unknown_columns) == 100


def test_columns_go_by_their_aliases(read_lines: Any) -> None:
    row = {"timestamp": 1_763_700_000, "account_id": "a", "prompt": "p", "input_tokens": 9}
    reading = read_lines(row, row, {**_ROW, "prompt_tokens": 8}, row)
    assert [r.prompt_tokens for r in reading.rows] == [9, 9, 8, 9]
    assert reading.log.unknown_columns == ()
    assert any(note.startswith("'timestamp' is read as 'at'") for note in reading.log.notes)


def test_a_column_wins_over_its_alias(read_lines: Any) -> None:
    both = {**_ROW, "org": "real", "org_id": "alias"}
    swapped = {"org_id": "alias"} | both
    rows = read_lines(both, swapped, {**both, "org": None}, swapped, both).rows
    assert [row.org for row in rows] == ["real", "real", "alias", "real", "real"]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"not json", "the row is not JSON: expecting value, character 1"),
        (b'{"at": 1', "the row is not JSON: expecting ',' delimiter, character 9"),
        (b"[1, 2]", "the row is a list, not an object"),
        (b'"text"', "the row is text, not an object"),
        (b"null", "the row is null, not an object"),
        (b"[" * 100_000, "the row is nested too deeply"),
        (b'{"at": ' + b"9" * 5000 + b"}", None),
        (b"\x00" * 50, "the row is not JSON: expecting value, character 1"),
    ],
)
def test_a_bad_line_is_refused_and_the_next_one_read(
    read_lines: Any, line: bytes, reason: str | None
) -> None:
    reading = read_lines(_ROW, line, _ROW)
    assert len(reading.rows) == 2
    (reject,) = reading.rejects
    assert reject.line == 2
    assert reason is None or reject.reason == reason


def test_blank_lines_crlf_and_a_byte_order_mark_are_no_rows(read_lines: Any) -> None:
    line = json.dumps(_ROW).encode()
    reading = read_lines(b"\xef\xbb\xbf" + line + b"\r", b"", b"  \t\r", line, b"oops")
    assert len(reading.rows) == 2
    assert [reject.line for reject in reading.rejects] == [5]


def test_invalid_utf8_is_replaced_and_counted(read_lines: Any) -> None:
    reading = read_lines(
        b'{"at":1763700000,"account":"a","prompt":"caf\xe9"}',
        b'{"at":1763700000,"account":"a","prompt":"lone \\ud83d surrogate"}',
    )
    assert [row.prompt for row in reading.rows] == ["caf\ufffd", "lone \ufffd surrogate"]
    assert "invalid UTF-8 was replaced by U+FFFD (2 times" in reading.log.notes[0]


def test_an_account_is_never_guessed_from_invalid_utf8(read_lines: Any) -> None:
    reading = read_lines(b'{"at":1763700000,"account":"a\xff","prompt":"p"}')
    assert reading.reasons == ["'account' is not valid UTF-8"]


def test_a_prompt_of_ten_megabytes_passes(read_row: Callable[..., Any]) -> None:
    prompt = "word " * 2_000_000
    assert read_row(prompt=prompt).prompt == prompt


def test_a_reason_never_holds_text_of_the_row(read_lines: Any) -> None:
    secret = "hunter2-is-my-password"
    columns = {column.name for column in COLUMNS}
    lines = [{**_ROW, column: [secret, {secret: secret}]} for column in columns]
    lines += [{**_ROW, column: {secret: secret}} for column in columns]
    reading = read_lines(*lines, secret.encode(), json.dumps(secret)[:-1].encode(), {secret: 1})
    assert len(reading.rejects) > len(columns)
    assert not [reason for reason in reading.reasons if secret in reason]
    assert not [note for note in reading.log.notes if secret in note]


_SCALARS = st.none() | st.booleans() | st.integers(-5, 2**33) | st.floats() | st.text(max_size=8)
_TURNS = st.lists(
    st.fixed_dictionaries(
        {"role": st.sampled_from(["user", "assistant", "system", "Human", ""])},
        optional={"content": _SCALARS, "tool_calls": _SCALARS},
    ),
    max_size=4,
)
_COLUMNS = st.dictionaries(
    st.sampled_from([c.name for c in COLUMNS if c.name not in ("at", "account", "messages")]),
    _SCALARS,
    max_size=3,
)
_ROWS = st.builds(
    lambda least, columns, messages: _ROW | least | columns | messages,
    st.fixed_dictionaries(
        {},
        optional={
            "account": st.sampled_from(["b", "", None, 5]),
            "at": st.sampled_from([1_763_700_000_123, "2025-11-21T04:40:00Z", 0, "x"]),
        },
    ),
    _COLUMNS,
    st.just({}) | _TURNS.map(lambda turns: {"prompt": None, "messages": turns}),
)


@given(st.lists(_ROWS, max_size=4))
def test_the_fast_path_and_the_explaining_path_agree(rows: list[dict[str, Any]]) -> None:
    fast = NativeJson(Context(Remarks(), _NOW))
    for row in rows:
        line = json.dumps(row).encode()
        explained = outcome(json.loads(line), Context(Remarks(), _NOW), replaced=False)
        (read,) = fast(line)
        if isinstance(explained, Refused) or isinstance(read, Refused):
            assert read == explained
        else:
            assert repr(read) == repr(explained)  # NaN never passes, so text is exact
