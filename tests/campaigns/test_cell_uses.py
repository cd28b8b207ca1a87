"""How much a campaign's cells are used, inside and outside it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from stillwatch.campaigns.templates import CELLS, cell_uses
from stillwatch.detections.tables import ACCOUNT_DAYS, account_cells, shared_cells
from tests.detections.exchanges import Log, Row, exchange

MEMBERS = np.array([1, 2, 3])
Used = dict[int, tuple[int, int, int]]


def used(rows: list[Row], cells: list[int], folder: Path, engine: str = "duckdb") -> Used:
    """Cell → members, others, exchanges of members."""
    log = Log(rows, folder, engine=engine)
    log.run([ACCOUNT_DAYS, shared_cells(1), account_cells(1)])
    found = cell_uses(log, np.array(cells, dtype=np.int64), MEMBERS)
    return {cell: (use.members, use.others, use.exchanges) for cell, use in found.items()}


@pytest.mark.parametrize("engine", ["duckdb", "polars"])
def test_accounts_count_on_both_sides_and_exchanges_on_the_inside(
    engine: str, tmp_path: Path
) -> None:
    rows = [exchange(1, cells=[-64, 64])] * 3 + [exchange(2, cells=[-64]), exchange(8, cells=[64])]
    rows += [exchange(9, cells=[64])] * 5
    assert used(rows, [-64, 64], tmp_path, engine) == {-64: (2, 0, 4), 64: (1, 2, 3)}


def test_cells_that_are_not_the_campaigns_are_left_out(tmp_path: Path) -> None:
    rows = [exchange(account, cells=[64, 128]) for account in (1, 2, 3)]
    assert used(rows, [64, 640], tmp_path) == {64: (3, 0, 3)}


def test_of_many_cells_those_are_read_that_members_use_most(tmp_path: Path) -> None:
    cells = [64 * n for n in range(CELLS + 20)]
    rare, often = cells[:20], cells[20:]
    rows = [exchange(account, cells=cells) for account in (1, 2)]
    rows += [exchange(1, cells=often)] + [exchange(9, cells=rare)] * 9
    assert set(used(rows, cells, tmp_path)) == set(often)


def test_without_a_style_nothing_is_read(tmp_path: Path) -> None:
    assert used([exchange(1, cells=[64]), exchange(2, cells=[64])], [], tmp_path) == {}
