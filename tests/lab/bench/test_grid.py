"""The cells: as many as promised, with the settings that they claim."""

from __future__ import annotations

import dataclasses

import pytest

from stillwatch.errors import SettingsError
from stillwatch.lab.bench import FULL, SIZES, SMOKE, Cell, choose, grid_table
from stillwatch.lab.bench.cell import DRIFT
from stillwatch.lab.bench.sizes import scenario_of
from stillwatch.lab.traffic import Leaks, Planted, Tier, simulate
from stillwatch.lab.traffic.scenario import PERIODS


@pytest.fixture(scope="module")
def planted() -> dict[str, Planted]:
    """What the full size hides, among few innocents."""
    few = dataclasses.replace(scenario_of(SIZES["full"], 2), accounts=300)
    return {each.campaign.name: each for each in simulate(few, 1).planted()}


def test_the_grid_has_at_most_thirty_cells_of_different_names() -> None:
    assert len(FULL) <= 30
    assert len({cell.name for cell in FULL}) == len(FULL)


def test_each_promised_tier_meets_each_number_of_exchanges_without_infrastructure() -> None:
    plain = {(c.tier, c.exchanges) for c in FULL
             if c.cover == 0.5 and c.log_sd <= 0.4 and not c.shared}  # fmt: skip
    tiers = (Tier.T0, Tier.T1, Tier.T2)
    assert {(tier, n) for tier in tiers for n in (10, 30, 100, 300, 1_000)} <= plain


def test_the_cells_that_were_asked_for_are_there() -> None:
    sizes = {(cell.accounts, cell.exchanges) for cell in FULL}
    assert {(3, 1_000), (10, 300), (300, 10), (3_000, 10)} <= sizes
    assert sum(cell.tier is Tier.T3 for cell in FULL) == 3
    assert sum(cell.tier is Tier.T4 for cell in FULL) == 2
    assert sum(cell.adaptive for cell in FULL) == 2
    assert sum(cell.log_sd == 0.8 for cell in FULL) == 2
    assert sum(cell.cover == 0.9 for cell in FULL) == 1
    assert [cell.name for cell in FULL if cell.tier is None] == ["quiet", "drift"]


@pytest.mark.parametrize("cell", [c for c in (*FULL, *SMOKE) if c.tier], ids=lambda c: c.name)
def test_every_campaign_has_the_attack_exchanges_of_the_promise(cell: Cell) -> None:
    assert cell.attack >= 600
    assert 3 <= cell.accounts <= 3_000


@pytest.mark.parametrize("cell", [c for c in FULL if c.shared], ids=lambda c: c.name)
def test_a_twin_differs_from_its_cell_in_the_infrastructure_alone(cell: Cell) -> None:
    (plain,) = choose(FULL, [cell.name.removesuffix("-shared")])
    assert dataclasses.replace(cell, name=plain.name, shared=False) == plain
    assert cell.campaigns(2.0)[0].leaks != Leaks() == plain.campaigns(2.0)[0].leaks


@pytest.mark.parametrize("cell", [c for c in FULL if c.tier and not c.adaptive],
                         ids=lambda c: c.name)  # fmt: skip
def test_what_is_planted_is_what_the_cell_says(cell: Cell, planted: dict[str, Planted]) -> None:
    found = planted[cell.name]
    every = found.exchanges + found.cover
    assert len(found.accounts) == pytest.approx(cell.accounts, rel=0.01)
    assert found.exchanges == pytest.approx(cell.attack, rel=0.06)
    assert every / len(found.accounts) == pytest.approx(cell.exchanges, rel=0.1)
    assert found.cover / every == pytest.approx(cell.cover, abs=0.04)
    assert found.campaign.parameters == "honest"


@pytest.mark.parametrize("cell", [c for c in FULL if c.adaptive], ids=lambda c: c.name)
def test_later_generations_attack_half_as_often_with_accounts_of_their_own(
    cell: Cell, planted: dict[str, Planted]
) -> None:
    found = {each: planted[each.campaign] for each in cell.generations()}
    names = [name for each in found.values() for name in each.accounts]
    assert len(set(names)) == len(names)
    for each, there in found.items():
        share = there.exchanges / (there.exchanges + there.cover)
        assert share == pytest.approx((1 - cell.cover) / 2**each.number, abs=0.05)


def test_a_smoke_cell_holds_less_than_an_eighth_of_attackers() -> None:
    assert all(cell.accounts < 0.12 * SIZES["smoke"].accounts for cell in SMOKE)


def test_periods_without_cells_hide_nothing_and_the_new_tool_comes_with_the_test() -> None:
    for period in range(PERIODS):
        scenario = scenario_of(SIZES["full"], period)
        assert bool(scenario.campaigns) == (period == 2)
        assert (scenario.kinds.get("new_tool") == 0.0) == (period < 2)


def test_a_cell_that_is_not_there_is_refused_by_name() -> None:
    with pytest.raises(SettingsError, match="no cell 'T9'"):
        choose(FULL, ["T9"])


def test_a_campaign_is_hidden_in_the_test_period_alone() -> None:
    with pytest.raises(SettingsError, match="outside of the test period"):
        Cell(name="x", tier=Tier.T1, period=DRIFT)


def test_the_table_has_a_row_for_each_cell() -> None:
    heads, rows = grid_table(FULL)
    assert [row[0] for row in rows] == [cell.name for cell in FULL]
    assert {len(row) for row in rows} == {len(heads)}
