"""Chance-corrected agreement within owners: do accounts differ from each other at all?

``kappa = (within - between) / (1 - between)``: `within` is the probability that two exchanges of
one owner fall into the same class, `between` that two of different owners do.
Null: owners are interchangeable (classes are exchangeable over owners): kappa is 0 in expectation.
Assumption: owners are independent of each other. Source: intraclass kappa, Kraemer
(Psychometrika 44, 1979); the standard error is a jackknife over owners (Efron, 1982).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from stillwatch.statistics.pairs import count_pairs

__all__ = ["Agreement", "agreement"]

Ints = npt.NDArray[np.int64]


class Agreement(NamedTuple):
    """Kappa with its standard error; `between` is the agreement of strangers."""

    kappa: float
    error: float
    between: float


def agreement(owner: Ints, classes: Ints) -> Agreement | None:
    """Chance-corrected agreement of `classes` within the same `owner`.

    Args:
        owner, classes: int64, one entry an exchange.

    Returns:
        None where fewer than 5 owners have two exchanges.
    """
    _, code = np.unique(classes, return_inverse=True)
    _, who = np.unique(owner, return_inverse=True)
    size = np.bincount(who).astype(float)
    if (size >= 2).sum() < 5:
        return None
    cells = count_pairs(who, code)
    count = cells[2]
    same = np.bincount(cells[0], weights=count * (count - 1.0))  # ordered agreeing pairs inside
    pairs = size * (size - 1)
    total = np.bincount(code).astype(float)
    weight = np.where(pairs > 0, np.minimum(1.0, 30 / np.maximum(size, 1)), 0.0)  # no one dominates
    inside = np.where(pairs > 0, same / np.maximum(pairs, 1), 0.0)
    n = size.sum()
    across = (np.sum(total**2) - n - same.sum()) / max(1.0, n * (n - 1) - pairs.sum())
    # agreement of an owner's exchanges with everybody else's, so that leaving one out is cheap
    outer = np.bincount(cells[0], weights=count * (total[cells[1]] - count))
    leave = (np.sum(total**2) - n - same.sum() - 2 * outer) / np.maximum(
        1.0, n * (n - 1) - pairs.sum() - 2 * size * (n - size)
    )
    mass = size * weight
    within = float(np.sum(mass * inside) / np.sum(mass))
    kappa = (within - across) / max(1e-9, 1 - across)
    without = (np.sum(mass * inside) - mass * inside) / np.maximum(1e-9, np.sum(mass) - mass)
    folds = (without - leave) / np.maximum(1e-9, 1 - leave)
    m = len(size)
    error = float(np.sqrt((m - 1) / m * np.sum((folds - folds.mean()) ** 2)))
    return Agreement(float(kappa), error, float(across))
