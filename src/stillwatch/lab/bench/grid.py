"""The grid: which cells there are, and why these.

The full design would cross tier (6), exchanges an account (5), accounts, cover, spread of volumes,
arrival, family and infrastructure: thousands of cells. Thirty are run. What is crossed in full is
what the promised recall depends on: tiers T0, T1 and T2 with 10, 30, 100, 300 and 1,000 exchanges
an account, at half cover, without any infrastructure signal. Within these fifteen the other
settings follow a fraction: each spread of volumes (0, 0.2, 0.4) stands five times, once in each
column of n and once or twice in each row; arrivals take turns (spread, synchronised, burst,
human); families take turns within a tier, so that no tier is one wording; attack exchanges take
the least promised number (600) once or twice in a tier and 1,500 otherwise, but one cell has 3,000
accounts. The fraction confounds what it does not cross: a difference between two cells is the
difference of all their settings. One setting at a time is changed in the twins: infrastructure on
(three), volumes at log-sd 0.8 (two), cover 0.9 (one). Three cells use a public template (T3), two
resampled innocent traffic (T4), two adapt (T5); two hide nothing.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence

from stillwatch.errors import SettingsError
from stillwatch.lab.bench.cell import DRIFT, Cell
from stillwatch.lab.traffic import Arrival, Tier

__all__ = ["FULL", "SMOKE", "choose", "grid_table"]

_SPREAD, _SYNC, _BURST, _HUMAN = (
    Arrival.SPREAD,
    Arrival.SYNCHRONISED,
    Arrival.BURST,
    Arrival.HUMAN,
)

#: tier, family, accounts (K), exchanges an account (n), log-sd of volumes, arrival
_CROSSED: tuple[tuple[Tier, str, int, int, float, Arrival], ...] = (
    (Tier.T0, "reasoning_harvest", 3_000, 10, 0.4, _SPREAD),
    (Tier.T0, "injected_prompt", 40, 30, 0.2, _HUMAN),
    (Tier.T0, "agent_trajectories", 30, 100, 0.0, _SYNC),
    (Tier.T0, "reasoning_harvest", 4, 300, 0.4, _BURST),
    (Tier.T0, "injected_prompt", 3, 1_000, 0.2, _SPREAD),
    (Tier.T1, "reasoning_harvest", 300, 10, 0.2, _HUMAN),
    (Tier.T1, "judge_harvest", 100, 30, 0.4, _SYNC),
    (Tier.T1, "cot_coercion", 12, 100, 0.4, _SPREAD),
    (Tier.T1, "persona_grid", 10, 300, 0.0, _SPREAD),
    (Tier.T1, "reasoning_harvest", 3, 1_000, 0.4, _HUMAN),
    (Tier.T2, "reasoning_harvest", 120, 10, 0.0, _SPREAD),
    (Tier.T2, "judge_harvest", 100, 30, 0.0, _BURST),
    (Tier.T2, "cot_coercion", 30, 100, 0.2, _HUMAN),
    (Tier.T2, "reasoning_harvest", 10, 300, 0.2, _SYNC),
    (Tier.T2, "probe", 3, 1_000, 0.0, _SPREAD),
)


def _crossed() -> Iterable[Cell]:
    for tier, family, accounts, exchanges, log_sd, arrival in _CROSSED:
        yield Cell(
            name=f"{tier}-n{exchanges}",
            tier=tier,
            family=family,
            accounts=accounts,
            exchanges=exchanges,
            log_sd=log_sd,
            arrival=arrival,
        )


def _public(exchanges: int, accounts: int, log_sd: float, arrival: Arrival) -> Cell:
    return Cell(
        name=f"T3-n{exchanges}",
        tier=Tier.T3,
        family="reasoning_harvest",
        accounts=accounts,
        exchanges=exchanges,
        log_sd=log_sd,
        arrival=arrival,
    )


def _twin(of: Sequence[Cell], name: str, suffix: str, **changes: object) -> Cell:
    cell = next(each for each in of if each.name == name)
    return dataclasses.replace(cell, name=f"{name}-{suffix}", **changes)  # type: ignore[arg-type]


def _full() -> tuple[Cell, ...]:
    crossed = list(_crossed())
    t1 = Cell(
        name="T5-n30",
        tier=Tier.T1,
        family="reasoning_harvest",
        accounts=100,
        exchanges=30,
        adaptive=True,
    )
    return (
        *crossed,
        _public(10, 300, 0.4, _HUMAN),
        _public(30, 100, 0.2, _SPREAD),
        _public(100, 30, 0.4, _SYNC),
        Cell(name="T4-relay", tier=Tier.T4, family="user_relay", accounts=100, exchanges=30),
        Cell(name="T4-scatter", tier=Tier.T4, family="prefix_scatter", accounts=30, exchanges=100),
        t1,
        dataclasses.replace(
            t1, name="T5-n100", family="judge_harvest", accounts=30, exchanges=100, arrival=_HUMAN
        ),
        _twin(crossed, "T1-n30", "uneven", log_sd=0.8),
        _twin(crossed, "T2-n100", "uneven", log_sd=0.8),
        _twin(crossed, "T1-n100", "cover", cover=0.9, accounts=60),
        _twin(crossed, "T0-n30", "shared", shared=True),
        _twin(crossed, "T1-n10", "shared", shared=True),
        _twin(crossed, "T2-n30", "shared", shared=True),
        Cell(name="quiet"),
        Cell(name="drift", period=DRIFT),
    )


FULL: tuple[Cell, ...] = _full()

#: a few small ones of the same names and kinds: attackers stay below 12 % of the accounts of a cell
SMOKE: tuple[Cell, ...] = (
    Cell(
        name="T1-n10",
        tier=Tier.T1,
        family="reasoning_harvest",
        accounts=120,
        exchanges=10,
        log_sd=0.2,
        arrival=_HUMAN,
    ),
    Cell(
        name="T1-n30-shared",
        tier=Tier.T1,
        family="judge_harvest",
        accounts=40,
        exchanges=30,
        arrival=_SYNC,
        shared=True,
    ),
    Cell(
        name="T0-n100",
        tier=Tier.T0,
        family="injected_prompt",
        accounts=12,
        exchanges=100,
        log_sd=0.2,
    ),
    _public(30, 40, 0.2, _SPREAD),
    Cell(name="quiet"),
)


def choose(cells: Sequence[Cell], names: Sequence[str]) -> tuple[Cell, ...]:
    """The cells of those names, all where none is named; in the order of the grid.

    Raises:
        SettingsError: there is no such cell.
    """
    unknown = set(names) - {cell.name for cell in cells}
    if unknown:
        there = ", ".join(cell.name for cell in cells)
        raise SettingsError(f"there is no cell '{min(unknown)}'; there are {there}")
    return tuple(cell for cell in cells if not names or cell.name in names)


def grid_table(cells: Sequence[Cell]) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Headings and one row a cell, as text."""
    heads = ("cell", "tier", "family", "K", "n", "N", "cover", "log-sd", "arrival", "shared")
    rows = []
    for cell in cells:
        if cell.tier is None:
            rows.append((cell.name, "none", *("" for _ in heads[2:])))
            continue
        written = str(cell.tier) if not cell.adaptive else f"T5 ({cell.tier})"
        rows.append(
            (
                cell.name,
                written,
                cell.family,
                f"{cell.accounts:,}",
                f"{cell.exchanges:,}",
                f"{cell.attack:,}",
                f"{cell.cover:.0%}",
                f"{cell.log_sd:g}",
                str(cell.arrival),
                "yes" if cell.shared else "",
            )
        )
    return heads, rows
