"""How large the benchmark is, and what each of the four periods holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from stillwatch.lab.bench.cell import CALIBRATION, DRIFT, REFERENCE, TEST, Cell
from stillwatch.lab.bench.grid import FULL, SMOKE
from stillwatch.lab.bench.leak import LEAK
from stillwatch.lab.traffic import Scenario

__all__ = ["SIZES", "Size", "scenario_of"]

_NAMES = {
    REFERENCE: "reference",
    CALIBRATION: "calibration",
    TEST: "test",
    DRIFT: "drift",
}
#: weights that replace the usual ones. The new tool is nowhere before the test period; in the drift
#: period it is launched to three times as many, and those who are easily mistaken are more
_MIXES: dict[int, dict[str, float]] = {
    REFERENCE: {"new_tool": 0.0},
    CALIBRATION: {"new_tool": 0.0},
    TEST: {},
    DRIFT: {
        "new_tool": 0.15,
        "classroom": 0.12,
        "evaluator": 0.05,
        "researcher": 0.05,
        "grader": 0.05,
        "chat": 0.15,
    },
}


@dataclass(frozen=True, kw_only=True)
class Size:
    """The innocent accounts of each period, its days, and the cells that are run.

    Attributes:
        volume: factor on the volume of every innocent account.
        looks: parts of a day after which a detector may look at the log so far.
    """

    name: str
    accounts: int
    days: float
    cells: tuple[Cell, ...]
    volume: float = 1.0
    looks: int = 2


SIZES: dict[str, Size] = {
    "smoke": Size(name="smoke", accounts=1_500, days=2.0, cells=SMOKE),
    "full": Size(name="full", accounts=10_000, days=2.0, cells=FULL),
    # 3,000 attack exchanges are 1 % of what so many accounts send at this volume in ten days
    "leak": Size(name="leak", accounts=4_000, days=10.0, cells=LEAK, volume=0.28, looks=24),
}


def scenario_of(size: Size, period: int, cells: Sequence[Cell] | None = None) -> Scenario:
    """The one scenario that holds the population of `period` and the campaigns of all cells.

    Args:
        cells: hide the campaigns of these only; every one of the size without it.
    """
    hidden = [cell for cell in cells or size.cells if cell.period == period]
    return Scenario(
        name=f"{size.name}-{_NAMES[period]}",
        about="a period of the benchmark of detection",
        days=size.days,
        volume=size.volume,
        accounts=size.accounts,
        kinds=_MIXES[period],
        campaigns=tuple(c for cell in hidden for c in cell.campaigns(size.days)),
        period=period,
        apart=True,
    )
