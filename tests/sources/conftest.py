"""Writes small logs and reads them, for the tests of this room."""

from __future__ import annotations

import json
import runpy
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest

from stillwatch.exchange import RawExchange
from stillwatch.sources import Log, Reject, open_log


class Reading(NamedTuple):
    """Everything that one pass over a log gave."""

    log: Log
    rows: list[RawExchange]
    rejects: list[Reject]

    @property
    def reasons(self) -> list[str]:
        return [reject.reason for reject in self.rejects]


Read = Callable[..., Reading]


def read_log(*patterns: str | Path, as_format: str = "auto", rows: int = 8192) -> Reading:
    log = open_log(patterns, format=as_format)
    batches = list(log.batches(rows))
    assert sum(batch.bytes_read for batch in batches) == log.bytes_total
    return Reading(
        log,
        [row for batch in batches for row in batch.rows],
        [reject for batch in batches for reject in batch.rejects],
    )


@pytest.fixture(scope="session")
def samples() -> SimpleNamespace:
    """The makers of sample logs in ``samples.py``."""
    module = runpy.run_path(str(Path(__file__).parent / "samples.py"))
    return SimpleNamespace(**{name: module[name] for name in module["__all__"]})


@pytest.fixture(scope="session")
def read() -> Read:
    """Read files in one pass; checks that the bytes of the progress bar add up."""
    return read_log


@pytest.fixture
def read_lines(tmp_path: Path) -> Read:
    """Write each argument as a line (objects as JSON, bytes as they are), and read the file."""

    def write_and_read(*lines: Any, name: str = "log.jsonl", as_format: str = "native") -> Reading:
        path = tmp_path / name
        texts = [x if isinstance(x, bytes) else json.dumps(x).encode() for x in lines]
        path.write_bytes(b"".join(text + b"\n" for text in texts))
        return read_log(path, as_format=as_format)

    return write_and_read


@pytest.fixture
def read_row(read_lines: Read) -> Callable[..., RawExchange]:
    """The exchange in a native row of the least columns and those that are given."""

    def one(**columns: Any) -> RawExchange:
        reading = read_lines(native_row(**columns))
        assert reading.rejects == []
        (row,) = reading.rows
        return row

    return one


@pytest.fixture
def refusal(read_lines: Read) -> Callable[..., str]:
    """The reason why a native row of the least columns and those that are given is refused."""

    def one(**columns: Any) -> str:
        reading = read_lines(native_row(**columns))
        assert reading.rows == []
        (reject,) = reading.rejects
        assert reject.line == 1
        return reject.reason

    return one


def native_row(**columns: Any) -> dict[str, Any]:
    """The least that a native row needs; a column given as ``...`` is left out."""
    row = {"at": 1_763_700_000, "account": "a", "prompt": "why?"} | columns
    if "messages" in columns and "prompt" not in columns:
        del row["prompt"]
    return {name: value for name, value in row.items() if value is not ...}
