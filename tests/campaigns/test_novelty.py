"""Was the style there before? By whom decides; and an earlier period excuses nobody."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from stillwatch.campaigns.novelty import Reference
from stillwatch.detections import Evidence
from stillwatch.engines import Engine
from tests.detections.exchanges import Row, arrow, exchange

CELLS = np.array([64 * n for n in (-5, 9, 10, 11)], dtype=np.int64)
MEMBERS = np.arange(1, 11)
TOOL, STRANGERS = range(100, 200), range(1_000, 1_020)


@pytest.fixture(params=["duckdb", "polars"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    with Engine(request.param, tmp_path) as engine:
        yield engine


def before(users: range, cells: int = 2) -> list[Row]:
    """What `users` sent in the reference period: some cells of the style, over two exchanges."""
    own = [exchange(account, cells=[64 * (10_000 + account)]) for account in STRANGERS]
    return own + [
        exchange(account, cells=[cell, 64 * 77])
        for account in users
        for cell in CELLS[:cells].tolist()
    ]


def said(engine: Engine, folder: Path, rows: list[Row], cells: np.ndarray = CELLS) -> Evidence:
    file = folder / "reference.parquet"
    pq.write_table(arrow(rows), file)
    accounts = len({row["account"] for row in rows})
    (found,) = Reference(engine, [file], accounts, "an earlier day").judge(cells, MEMBERS)
    return found


def test_a_style_that_nobody_sent_before_is_new(engine: Engine, tmp_path: Path) -> None:
    found = said(engine, tmp_path, before(range(0)))
    assert (found.speaks_for, found.value) == (True, 0.0)
    assert "Nobody" in found.text


def test_a_style_that_others_sent_before_is_an_established_tools(
    engine: Engine, tmp_path: Path
) -> None:
    found = said(engine, tmp_path, before(TOOL))
    assert (found.speaks_for, found.value, found.veto) == (False, 10.0, False)
    assert found.weight == 2.0
    assert "100 accounts outside" in found.text


def test_members_who_sent_it_before_are_not_excused_by_that(engine: Engine, tmp_path: Path) -> None:
    found = said(engine, tmp_path, before(range(1, 8)))
    assert (found.speaks_for, found.value) == (True, 0.0)
    assert found.text.startswith("7 of its accounts")


@pytest.mark.parametrize(("others", "speaks_for"), [(4, True), (5, False)])
def test_half_as_many_strangers_as_members_establish_it(
    others: int, speaks_for: bool, engine: Engine, tmp_path: Path
) -> None:
    found = said(engine, tmp_path, before(range(1, 8)) + before(range(100, 100 + others)))
    assert found.speaks_for is speaks_for
    assert found.value == others / 10


def test_one_cell_of_the_style_however_often_is_no_use_of_it(
    engine: Engine, tmp_path: Path
) -> None:
    found = said(engine, tmp_path, before(TOOL, cells=1) + before(TOOL, cells=1))
    assert "Nobody" in found.text


def test_naming_a_cell_twice_makes_no_second_one(engine: Engine, tmp_path: Path) -> None:
    found = said(engine, tmp_path, before(TOOL, cells=1), np.repeat(CELLS, 2))
    assert "Nobody" in found.text


def test_without_a_style_or_without_a_reference_it_has_no_say(
    engine: Engine, tmp_path: Path
) -> None:
    file = tmp_path / "reference.parquet"
    pq.write_table(arrow(before(TOOL)), file)
    assert Reference(engine, [file], 120, "a day").judge(CELLS[:0], MEMBERS) == []
    assert Reference(engine, [], 0, "an empty period").judge(CELLS, MEMBERS) == []
