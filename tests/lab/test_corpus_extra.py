"""The reader of the user's prompts takes any text, and answers any bytes with a clear error."""

from __future__ import annotations

import csv
import gzip
import io
import tempfile
from contextlib import suppress
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stillwatch.errors import InputError
from stillwatch.lab.corpus.extra import read_extra

TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1).filter(str.strip)
ROWS = st.lists(st.tuples(TEXT, st.none() | st.sampled_from(["a", "b"])), min_size=1, max_size=8)


def _read(name: str, content: bytes) -> set[tuple[str, str | None]]:
    """The texts and groups of one file."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / name).write_bytes(content)
        (blocks,) = read_extra(Path(folder)).blocks.values()
    return {(text, block.group) for block in blocks for text in block.texts}


def _first(rows: list[tuple[str, str | None]]) -> set[tuple[str, str | None]]:
    """What is kept of `rows`: every text once, with its first group."""
    kept: dict[str, str | None] = {}
    for text, group in rows:
        kept.setdefault(text.strip(), group)
    return set(kept.items())


@settings(deadline=None)
@given(ROWS)
def test_json_lines_come_back(rows: list[tuple[str, str | None]]) -> None:
    lines = b"".join(msgspec.json.encode({"text": t, "group": g}) + b"\n" for t, g in rows)

    assert _read("x.jsonl", lines) == _first(rows)
    assert _read("x.jsonl.gz", gzip.compress(lines)) == _first(rows)


@settings(deadline=None)
@given(ROWS)
def test_csv_rows_come_back(rows: list[tuple[str, str | None]]) -> None:
    table = io.StringIO()
    writer = csv.writer(table)
    writer.writerows([("prompt", "category"), *((t, g or "") for t, g in rows)])

    assert _read("x.csv", table.getvalue().encode()) == _first(rows)


@settings(deadline=None)
@given(st.binary(), st.sampled_from(["x.jsonl", "x.csv", "x.txt", "x.jsonl.gz", "x.txt.gz"]))
def test_any_bytes_are_read_or_refused(content: bytes, name: str) -> None:
    with suppress(InputError):
        assert _read(name, content)


@pytest.mark.parametrize("content", [b"\xef\xbb\xbftext\nhello\n", b"text\r\nhello\r\n"])
def test_a_byte_order_mark_and_windows_line_ends_do_no_harm(content: bytes) -> None:
    assert _read("x.csv", content) == {("hello", None)}
