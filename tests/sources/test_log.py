"""Batches, passes, duplicates."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stillwatch.errors import InputError
from stillwatch.sources import log as log_module
from stillwatch.sources import open_log
from stillwatch.sources.duplicates import SeenIds


def _line(number: int, **columns: Any) -> str:
    row = {"at": 1_763_700_000 + number, "account": "a", "prompt": f"p{number}"} | columns
    return json.dumps(row) + "\n"


def test_batches_are_full_but_the_last_and_cross_files(tmp_path: Path) -> None:
    for name, start in (("a", 0), ("b", 25), ("c", 30)):
        stop = {"a": 25, "b": 30, "c": 47}[name]
        (tmp_path / f"{name}.jsonl").write_text("".join(map(_line, range(start, stop))))
    batches = list(open_log([tmp_path]).batches(rows=10))
    assert [len(batch.rows) for batch in batches] == [10, 10, 10, 10, 7]
    assert [row.prompt for b in batches for row in b.rows] == [f"p{n}" for n in range(47)]


def test_a_batch_ends_early_when_its_rows_are_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_module, "_TEXT_MAX", 4 << 20)
    path = tmp_path / "log.jsonl"
    path.write_text("".join(_line(n, completion="x" * (1 << 20)) for n in range(20)))
    sizes = [len(batch.rows) for batch in open_log([path]).batches()]
    assert sum(sizes) == 20
    assert max(sizes) <= 6


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    peaks = []
    for rows in (4_000, 16_000):
        path = tmp_path / f"{rows}.jsonl"
        path.write_text("".join(_line(n, completion="x" * 1000, request_id=n) for n in range(rows)))
        log = open_log([path])
        tracemalloc.start()
        assert sum(len(batch.rows) for batch in log.batches(1000)) == rows
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.5 * peaks[0]


def test_a_log_can_be_read_again(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text(
        _line(1, request_id="r", extra=1, ip="nowhere") + _line(2, request_id="r") + "oops\n"
    )
    log = open_log([path])
    first, notes = list(log.batches()), log.notes
    second = list(log.batches())
    assert first == second
    assert log.notes == notes != ()
    assert log.unknown_columns == ("extra",)
    halfway = log.batches(rows=1)
    next(halfway)
    assert list(log.batches()) == second


def test_a_file_that_vanished_between_passes_is_named(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text(_line(1))
    log = open_log([path])
    path.unlink()
    with pytest.raises(InputError, match=r"log.jsonl: cannot be read"):
        list(log.batches())


def test_the_first_row_with_a_request_id_is_kept(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(_line(1, request_id="r1") + _line(2) + _line(3))
    (tmp_path / "b.jsonl").write_text("\n" + _line(4, request_id="r2") + _line(5, request_id="r1"))
    (batch,) = open_log([tmp_path]).batches()
    assert [row.prompt for row in batch.rows] == ["p1", "p2", "p3", "p4"]
    assert batch.rejects == [r for b in open_log([tmp_path]).batches(rows=2) for r in b.rejects]
    (reject,) = batch.rejects
    assert reject == (
        str(tmp_path / "b.jsonl"),
        3,
        "the request id was met before; the first row with it is kept",
    )


@given(st.lists(st.lists(st.none() | st.integers(0, 60).map(str), max_size=40), max_size=12))
def test_repeats_are_those_of_a_plain_set(batches: list[list[str | None]]) -> None:
    seen, plain = SeenIds(slots=1 << 10), set[str]()
    for ids in batches:
        expected = []
        for one in ids:
            expected.append(one is not None and one in plain)
            plain |= {one} if one is not None else set()
        assert seen.repeats(ids).tolist() == expected


def test_ids_beyond_the_bound_are_forgotten_oldest_first_and_that_is_known() -> None:
    seen = SeenIds(slots=1 << 12)
    batches = [[f"{i}:{j}" for j in range(256)] for i in range(40)]
    assert not any(seen.repeats(ids).any() for ids in batches)
    assert seen.forgot
    assert seen.repeats(batches[-1]).all()
    assert seen.repeats(batches[-12]).all()
    assert not seen.repeats(batches[0]).any()


def test_a_table_holds_what_was_added_while_it_grew() -> None:
    seen = SeenIds()
    for start in range(0, 300_000, 8192):
        assert not seen.repeats([str(n) for n in range(start, start + 8192)]).any()
    again = seen.repeats([str(n) for n in range(0, 300_000, 41)])
    assert np.all(again)


def test_ten_thousand_files_of_one_row_make_few_batches(tmp_path: Path) -> None:
    for number in range(300):
        (tmp_path / f"{number}.json").write_text(_line(number).rstrip("\n"))
    assert [len(batch.rows) for batch in open_log([tmp_path]).batches()] == [300]
