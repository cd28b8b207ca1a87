"""What is leaked before the first report."""

from __future__ import annotations

import pytest

from stillwatch.lab.bench import SIZES, Cell, Periods, choose
from stillwatch.lab.bench.cell import TEST
from stillwatch.lab.bench.leak import LEAK, leaked_before
from stillwatch.lab.bench.results import Result
from stillwatch.lab.bench.scored import Scored
from stillwatch.lab.bench.sizes import scenario_of
from stillwatch.lab.bench.tables import leak_table
from stillwatch.lab.bench.view import View
from stillwatch.lab.bench.world import World
from stillwatch.lab.traffic import simulate


@pytest.fixture(scope="module")
def world(periods: Periods) -> World:
    return periods.world(TEST)


@pytest.fixture(scope="module")
def harvest(periods: Periods) -> Cell:
    (cell,) = choose(periods.size.cells, ["harvest"])
    return cell


def attacks(world: World, until: int) -> int:
    return View(world, {"harvest": range(world.parts)}, until).truth().attacks


def test_a_campaign_that_no_look_reports_has_leaked_everything(world: World, harvest: Cell) -> None:
    assert leaked_before(harvest, world, lambda _: False) == (attacks(world, world.parts), None)


@pytest.mark.parametrize("look", [1, 2, 3, 4])
def test_the_first_look_that_reports_ends_the_leak(world: World, harvest: Cell, look: int) -> None:
    needed = attacks(world, look)
    found = leaked_before(harvest, world, lambda view: view.truth().attacks >= needed)
    assert found == (needed, 12 * look)


def test_looks_are_searched_by_halves(world: World, harvest: Cell) -> None:
    seen: list[int] = []
    leaked_before(harvest, world, lambda view: seen.append(view.rows()) is None)
    assert len(seen) <= 3


def test_three_thousand_exchanges_are_one_percent_of_ten_days() -> None:
    size = SIZES["leak"]
    traffic = simulate(scenario_of(size, TEST, choose(size.cells, ["leak-ten-days"])), 2)
    (planted,) = traffic.planted()
    assert len(planted.accounts) == pytest.approx(300, abs=3)
    assert planted.exchanges == pytest.approx(3_000, rel=0.05)
    assert planted.exchanges / traffic.rows == pytest.approx(0.01, rel=0.25)


def test_every_span_is_there_with_and_without_infrastructure() -> None:
    assert {(cell.active, cell.shared) for cell in LEAK} == {
        (span, shared)
        for span in ((5.0, 5.25), (5.0, 6.0), (0.0, 10.0))
        for shared in (False, True)
    }


def test_the_table_counts_what_was_not_stopped_as_all_of_it() -> None:
    scored = Scored(10, 3_000, True, 10, 1, 0, 10, 0, 10, 10, 100, {}, {})
    results = [
        Result(detector="d", size="leak", cell="leak-day", seed=seed, design="x", scored=scored,
               leaked=leaked, hours=None if leaked == 3_000 else leaked / 100)
        for seed, leaked in enumerate((500, 700, 3_000))
    ]  # fmt: skip
    (row,) = leak_table(results).rows
    assert row == ("leak-day", "d", "3", "2", "700", "500 to 3,000", "3,000", "6")
