"""Tiers by measurement: what a campaign's prompts have in common, in cells of the real sketcher.

*Recurrence* is the median, over the attack prompts, of the share of a prompt's style cells that
another exchange of the campaign has too. *Publicity* is the median share that at least 200 innocent
accounts send too. A generator outside of its band is refused by the tests.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stillwatch.exchange import RawExchange
from stillwatch.lab.traffic.scenario import Tier
from stillwatch.sketches import Sketcher

__all__ = ["MANY", "Measure", "admits", "measure"]

#: innocent accounts that make a cell public
MANY = 200


class Measure(NamedTuple):
    """Medians over attack prompts, 0 to 1. `natural`: the recurrence of innocent prompts alike."""

    recurrence: float
    publicity: float
    natural: float


class _Cells(NamedTuple):
    """Cells of all prompts, one after the other, with the number of their prompt."""

    cells: NDArray[np.int64]
    prompts: NDArray[np.int64]
    accounts: list[str]

    @classmethod
    def of(cls, rows: Sequence[RawExchange], sketcher: Sketcher) -> _Cells:
        column = sketcher.sketch(rows)["cells"]
        lengths = np.diff(column.offsets.to_numpy())
        return cls(
            column.flatten().to_numpy(),
            np.repeat(np.arange(len(rows)), lengths),
            [row.account for row in rows],
        )


def measure(
    attack: Sequence[RawExchange], innocent: Sequence[RawExchange], sketcher: Sketcher
) -> Measure:
    """Measure the attack exchanges of one campaign beside innocent traffic of any kind.

    Retries must be left out: an exact repeat recurs by definition.
    """
    ours, theirs = _Cells.of(attack, sketcher), _Cells.of(innocent, sketcher)
    _, where, counts = np.unique(ours.cells, return_inverse=True, return_counts=True)
    return Measure(
        recurrence=_median_share(ours, counts[where] > 1),
        publicity=_median_share(ours, np.isin(ours.cells, _public(theirs))),
        natural=_recurrence_of(theirs, len(attack)),
    )


def admits(tier: Tier, found: Measure) -> bool:
    """Whether prompts that measure so may be called `tier`.

    T4 recurs no more than innocent prompts do: by its words it cannot be told from them.
    """
    if tier is Tier.T3:
        return found.publicity >= 0.1
    if tier is Tier.T4:
        return found.recurrence <= found.natural + 0.05
    low, high = {Tier.T0: (0.8, 1.0), Tier.T1: (0.1, 0.5), Tier.T2: (0.0, 0.02)}[tier]
    return low <= found.recurrence <= high and found.publicity < 0.1


def _median_share(cells: _Cells, marked: NDArray[np.bool_]) -> float:
    """The median over prompts (with a cell) of the share of their cells that are marked."""
    total = np.bincount(cells.prompts)
    share = np.bincount(cells.prompts, weights=marked)[total > 0] / total[total > 0]
    return float(np.median(share)) if share.size else 0.0


def _public(cells: _Cells) -> NDArray[np.int64]:
    """Cells that at least :data:`MANY` accounts send."""
    names = {name: number for number, name in enumerate(dict.fromkeys(cells.accounts))}
    accounts = np.array([names[name] for name in cells.accounts], np.int64)[cells.prompts]
    pairs = np.unique(np.stack([cells.cells, accounts]), axis=1)
    found, counts = np.unique(pairs[0], return_counts=True)
    return found[counts >= MANY]


def _recurrence_of(cells: _Cells, prompts: int) -> float:
    """Recurrence among the first `prompts` of them, for a fair comparison of sizes."""
    kept = cells.prompts < prompts
    some = _Cells(cells.cells[kept], cells.prompts[kept], cells.accounts[:prompts])
    _, where, counts = np.unique(some.cells, return_inverse=True, return_counts=True)
    return _median_share(some, counts[where] > 1)
