"""Every format that a scan reads can be watched, growing or not."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stillwatch.exchange import RawExchange
from tests.campaigns.watching.standin import answers, lines, row, run, write
from tests.cli.test_scan_formats import as_litellm, as_span

pytestmark = pytest.mark.usefixtures("quick")

ROWS = [row(n / 4, f"crew-1-{n % 5}", request_id=f"r-{n}") for n in range(20)]


@pytest.fixture
def expected(tmp_path: Path) -> list[str]:
    """The events of the same rows as native JSON Lines."""
    run(write(tmp_path / "native.jsonl", *ROWS), tmp_path / "native")
    return [line["event"] for line in lines(tmp_path / "native")]


@pytest.mark.parametrize("name", ["log.parquet", "log.jsonl.gz", "log.json"])
def test_files_of_other_kinds_say_the_same(tmp_path: Path, expected: list[str], name: str) -> None:
    (tmp_path / "logs").mkdir()
    if name == "log.json":
        rows = (tmp_path / "native.jsonl").read_text().splitlines()
        (tmp_path / "logs" / name).write_text("[" + ",".join(rows) + "]")
    else:
        write(tmp_path / "logs" / name, *ROWS)
    run(tmp_path / "logs", tmp_path / "state")
    assert [line["event"] for line in lines(tmp_path / "state")] == expected
    assert answers(tmp_path / "state")["exchanges"] == answers(tmp_path / "native")["exchanges"]


@pytest.mark.parametrize("convert", [as_litellm, as_span])
def test_logs_of_other_programs_say_the_same(
    tmp_path: Path, expected: list[str], convert: Callable[[RawExchange, int], dict[str, Any]]
) -> None:
    log = tmp_path / "log.jsonl"
    with log.open("w") as file:
        file.writelines(json.dumps(convert(each, n)) + "\n" for n, each in enumerate(ROWS[:11]))
    looks = run(log, tmp_path / "state")
    with log.open("a") as file:
        file.writelines(json.dumps(convert(each, n)) + "\n" for n, each in enumerate(ROWS[11:], 11))
    looks += run(log, tmp_path / "state")
    assert sum(look.fresh for look in looks) == len(ROWS)
    assert [line["event"] for line in lines(tmp_path / "state")] == expected


def test_a_log_that_rotates_is_read_once_across_runs(tmp_path: Path, expected: list[str]) -> None:
    log = tmp_path / "log.jsonl"
    rows = (tmp_path / "native.jsonl").read_text().splitlines(keepends=True)
    log.write_text("".join(rows[:8]))
    run(log, tmp_path / "state")
    with log.open("a") as file:
        file.write("".join(rows[8:12]))
    (tmp_path / "log.jsonl.1.gz").write_bytes(gzip.compress(log.read_bytes()))
    log.write_text("".join(rows[12:]))
    run(log, tmp_path / "state")
    assert [line["event"] for line in lines(tmp_path / "state")] == expected
    assert answers(tmp_path / "state")["exchanges"] == answers(tmp_path / "native")["exchanges"]
