"""docs/logs.md says what the code does."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stillwatch.sources import COLUMNS, FORMATS, PARQUET
from stillwatch.sources.columns import KINDS
from stillwatch.sources.opentelemetry import ACCOUNT, ATTRIBUTES


@pytest.fixture(scope="module")
def page(project: Path) -> str:
    return (project / "docs" / "logs.md").read_text()


def _table() -> Iterator[str]:
    for column in COLUMNS:
        name = f"**`{column.name}`**" if column.required else f"`{column.name}`"
        written = str(PARQUET.field(column.name).type)
        if column.name == "messages":
            written = "list<struct<role: string, content: string>>"
        if column.kind == "tools":
            written = "list<string>"
        also = ", ".join(f"`{alias}`" for alias in column.aliases)
        yield f"| {name} | {column.holds} | {KINDS[column.kind]} | {written} | {also} |"


def test_every_column_stands_in_the_table_as_it_is(page: str) -> None:
    rows = [
        line
        for line in page.splitlines()
        if re.match(r"\| \**`[a-z_0-9]+`\** \| .*\|.*\|.*\|", line)
    ]
    table = list(_table())
    assert [row for row in table if row not in rows] == []
    assert [row for row in rows if row not in table] == []


def test_every_format_is_named(page: str) -> None:
    assert [f.name for f in FORMATS if f"--format {f.name}" not in page] == []


def test_every_attribute_that_is_tried_is_named(page: str) -> None:
    tried = {name for names in ATTRIBUTES.values() for name in names} | set(ACCOUNT)
    assert sorted(name for name in tried if f"`{name}`" not in page) == []


def test_the_examples_are_read_as_they_stand(page: str, tmp_path: Path, read: Any) -> None:
    examples = re.findall(r"```json\n(.*?)```", page, re.DOTALL)
    assert len(examples) >= 2
    for example in examples:
        path = tmp_path / "log.jsonl"
        path.write_text(example)
        reading = read(path)
        assert reading.rejects == []
        assert reading.rows != []
        assert reading.log.unknown_columns == ()


def test_the_limits_are_the_ones_of_the_code(page: str) -> None:
    for limit in ("64 MB", "25 million", "512 MB", "2015", "1990", "10,000"):
        assert limit in page, limit
