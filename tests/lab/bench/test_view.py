"""What a detector sees of a cell: all innocent rows, and those of one campaign."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from stillwatch.campaigns import Silent
from stillwatch.lab.bench import Cell, Periods, Size
from stillwatch.lab.bench.adaptive import played
from stillwatch.lab.bench.cell import TEST
from stillwatch.lab.bench.sizes import scenario_of
from stillwatch.lab.bench.view import View
from stillwatch.lab.bench.world import World, open_world


@pytest.fixture(scope="module")
def world(periods: Periods) -> World:
    return periods.world(TEST)


def whole(world: World, name: str) -> View:
    return View(world, {name: range(world.parts)})


def cell_of(tiny: Size, name: str) -> Cell:
    return next(cell for cell in tiny.cells if cell.name == name)


def accounts_of(world: World, name: str) -> set[str]:
    labels = pq.read_table(world.folder / "labels.parquet")
    return set(labels.filter(pc.equal(labels["campaign"], name))["account"].to_pylist())


def test_the_log_of_a_cell_holds_its_campaign_and_no_other(world: World, tmp_path: Path) -> None:
    log = tmp_path / "log.parquet"
    view = whole(world, "harvest")
    view.write_log(log)
    labels = pq.read_table(world.folder / "labels.parquet")
    innocent = set(labels.filter(pc.is_null(labels["campaign"]))["account"].to_pylist())
    table = pq.read_table(log)
    assert set(table["account"].to_pylist()) == innocent | accounts_of(world, "harvest")
    assert table.num_rows == view.rows()
    assert table["at"].to_pylist() == sorted(table["at"].to_pylist())


def test_sketched_rows_and_log_rows_are_of_the_same_accounts_and_times(
    world: World, tmp_path: Path
) -> None:
    view = View(world, {"harvest": range(world.parts)}, until=1)
    view.write_log(tmp_path / "log.parquet")
    log = pq.read_table(tmp_path / "log.parquet", columns=["account", "at"])
    files = view.parquet_files()
    rows = pa.concat_tables([pq.read_table(file, columns=["account", "at"]) for file in files])
    named = view.names().lookup(rows["account"].to_numpy())
    assert sorted(zip(named, rows["at"].cast(pa.int64()).to_pylist(), strict=True)) == sorted(
        zip(log["account"].to_pylist(), log["at"].cast(pa.int64()).to_pylist(), strict=True)
    )
    assert view.rows() == log.num_rows == view.read().rows
    assert max(log["at"].cast(pa.int64()).to_pylist()) < world.part_at(1)


def test_the_truth_of_a_cell_knows_its_attackers_and_the_kinds_of_the_others(
    world: World,
) -> None:
    truth = whole(world, "harvest").truth()
    assert truth.guilty == accounts_of(world, "harvest")
    assert not truth.guilty & truth.innocents.keys()
    assert {"chat"} in truth.innocents.values()
    assert truth.attacks == pytest.approx(120, rel=0.1)


def test_a_cell_without_a_campaign_has_no_attackers(world: World) -> None:
    truth = View(world).truth()
    assert truth.guilty == frozenset()
    assert truth.attacks == 0


def test_a_campaign_that_is_never_named_goes_on_as_it_was(world: World, tiny: Size) -> None:
    view, rounds = played(cell_of(tiny, "moving"), world, lambda _: frozenset())
    assert rounds == (0, 0, 0, 0)
    assert view.truth().guilty == accounts_of(world, "moving/0-0")


def test_a_campaign_that_is_named_goes_on_with_other_accounts(world: World, tiny: Size) -> None:
    seen: list[int] = []

    def look(view: View) -> frozenset[str]:
        seen.append(view.rows())
        return view.truth().guilty

    view, rounds = played(cell_of(tiny, "moving"), world, look)
    assert rounds == (0, 1, 2, 3)
    assert seen == sorted(seen)
    owners = {a.split("/")[1] for a in view.campaigns}
    assert owners == {"0-0", "1-1", "2-2", "3-3"}
    first = accounts_of(world, "moving/0-0")
    assert view.truth().guilty & first
    assert view.truth().guilty - first


def test_accounts_that_were_given_up_fall_silent(world: World, tmp_path: Path) -> None:
    view = View(world, {"moving/0-0": range(1), "moving/1-1": range(1, world.parts)})
    view.write_log(tmp_path / "log.parquet")
    log = pq.read_table(tmp_path / "log.parquet", columns=["account", "at"])
    gone = log.filter(
        pc.is_in(log["account"], value_set=pa.array(sorted(accounts_of(world, "moving/0-0"))))
    )
    assert gone.num_rows
    assert max(gone["at"].cast(pa.int64()).to_pylist()) < world.part_at(1)
    assert log.num_rows == view.rows()


@pytest.mark.slow
def test_a_world_is_made_once_and_made_again_when_its_scenario_changes(
    tiny: Size, tmp_path: Path
) -> None:
    few = [cell for cell in tiny.cells if cell.name == "quiet"]
    scenario = scenario_of(tiny, TEST, few)
    open_world(tmp_path / "w", scenario, 1, Silent())
    stamp = (tmp_path / "w" / "log.parquet").stat().st_mtime_ns
    open_world(tmp_path / "w", scenario, 1, Silent())
    assert (tmp_path / "w" / "log.parquet").stat().st_mtime_ns == stamp
    open_world(tmp_path / "w", scenario, 2, Silent())
    assert (tmp_path / "w" / "log.parquet").stat().st_mtime_ns != stamp
