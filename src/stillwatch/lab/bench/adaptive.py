"""Campaigns that see their verdicts (tier T5).

The period has rounds. After each one the detector looks at the log so far. Is an account of the
generation at work named, the campaign gives it up and goes on with fresh accounts, another wording
and half the share of attack; otherwise it goes on as it was. Everything that could happen is
simulated beforehand; the verdicts choose.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from stillwatch.lab.bench.cell import ROUNDS, Cell, Generation
from stillwatch.lab.bench.view import View
from stillwatch.lab.bench.world import World

__all__ = ["played"]


def played(
    cell: Cell, world: World, look: Callable[[View], frozenset[str]]
) -> tuple[View, tuple[int, ...]]:
    """The whole period as it came to be, and which generation worked in each round.

    Args:
        look: the accounts that the detector names in a view.
    """
    width = world.parts // ROUNDS
    active: dict[str, range] = {}
    now = Generation(cell.name, 0, 0)
    rounds = []
    for number in range(ROUNDS):
        rounds.append(now.number)
        active[now.campaign] = range(now.since * width, (number + 1) * width)
        if number == ROUNDS - 1:
            break
        seen = View(world, dict(active), (number + 1) * width)
        if look(seen) & _accounts(world, {now.campaign: active[now.campaign]}):
            now = Generation(cell.name, now.number + 1, number + 1)
    return View(world, dict(active)), tuple(rounds)


def _accounts(world: World, campaigns: Mapping[str, range]) -> frozenset[str]:
    return View(world, campaigns).truth().guilty
