"""How much a campaign gets before it is first reported.

The detector would look at the log so far every hour. Running it at every hour of ten days costs
hundreds of runs a campaign, so that the first look that reports is searched for by bisection: it is
taken for granted that what is reported once is reported at every later look while the campaign is
at work. Where that is not so, the look that is found is *a* first report, not always the earliest.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from stillwatch.lab.bench.cell import Cell
from stillwatch.lab.bench.view import View
from stillwatch.lab.bench.world import World
from stillwatch.lab.traffic import Tier

__all__ = ["LEAK", "Leaked", "leaked_before"]

_DAYS, _HOUR = 10.0, 3_600_000_000
_SPANS = {"burst": (5.0, 5.25), "day": (5.0, 6.0), "ten-days": (0.0, _DAYS)}


def _cells() -> tuple[Cell, ...]:
    return tuple(
        Cell(
            name=f"leak-{span}{'-shared' if shared else ''}",
            tier=Tier.T1,
            family="reasoning_harvest",
            accounts=300,
            exchanges=20,
            shared=shared,
            active=active,
        )
        for shared in (False, True)
        for span, active in _SPANS.items()
    )


#: 3,000 attack exchanges over 300 accounts (10 each, and as many that cover them) in six hours,
#: a day or ten days, without and with infrastructure signals
LEAK: tuple[Cell, ...] = _cells()


class Leaked(NamedTuple):
    """Attack exchanges before the first report, and hours from the part of the first one until it.

    Where nothing is reported, `exchanges` is all of them, and `hours` is None.
    """

    exchanges: int
    hours: float | None


def leaked_before(cell: Cell, world: World, reports: Callable[[View], bool]) -> Leaked:
    """What `cell` got before the look that first reports it.

    Args:
        reports: whether a look at a view reports the campaign.
    """
    campaign = {cell.name: range(world.parts)}
    senders = View(world, campaign).senders
    attacks = senders["attacks"].to_numpy()
    parts = senders["slice"].to_numpy()[attacks > 0]
    low, high = int(parts.min()), int(parts.max()) + 1
    if not reports(View(world, campaign, high)):
        return Leaked(int(np.sum(attacks)), None)
    first = low
    while high - low > 1:
        middle = (low + high) // 2
        if reports(View(world, campaign, middle)):
            high = middle
        else:
            low = middle
    hours = (world.part_at(high) - world.part_at(first)) / _HOUR
    return Leaked(View(world, campaign, high).truth().attacks, hours)
