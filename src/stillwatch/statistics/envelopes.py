"""Bounds that every order statistic of a uniform sample keeps to at once, calibrated by simulation.

The bounds have one precision everywhere: each order statistic exceeds its own with the same small
probability (Berk and Jones, 1979), and simulation finds the probability at which all of them hold
together. Only a grid of ranks is looked at, each small one and then a geometric sequence: bounds
between two ranks of the grid are those of the next one, and the cost hardly depends on the size.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from scipy.special import betainc, betaincinv

__all__ = ["cut", "order_envelope", "ranks_to_look_at", "sample_order"]

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

#: ranks up to this one are all looked at, later ones where they are 8 % apart
_EVERY, _STEP = 32, 1.08


def ranks_to_look_at(last: int) -> Ints:
    """Ranks from 1 to `last`: each small one, then a geometric sequence, and the last."""
    few = np.arange(1, min(last, _EVERY) + 1, dtype=np.int64)
    if last <= _EVERY:
        return few
    count = math.ceil(math.log(last / _EVERY) / math.log(_STEP)) + 1
    many = np.round(np.geomspace(_EVERY, last, count)).astype(np.int64)
    return np.unique(np.concatenate([few, many]))


def sample_order(ranks: Ints, size: int, draws: int, rng: np.random.Generator) -> Floats:
    """Draws × ranks: those order statistics of `size` uniform numbers, by gamma spacings."""
    gaps = np.diff(ranks, prepend=0, append=size + 1).astype(np.float64)
    spacings = rng.standard_gamma(gaps, (draws, len(gaps)))
    sums = np.cumsum(spacings, axis=1)
    out: Floats = sums[:, :-1] / sums[:, -1:]
    return out


def cut(statistics: Floats, miss: float) -> float:
    """The value that one more such statistic falls below with probability of at most `miss`.

    Exact for any number of draws, the draws themselves counted as chance: the new statistic is
    equally likely to have any rank among them (Dwass, Annals of Mathematical Statistics 28, 1957).
    """
    rank = math.floor(miss * (len(statistics) + 1))
    if rank < 1:
        raise ValueError(f"{len(statistics)} draws are too few for a miss of {miss}")
    return float(np.partition(statistics, rank - 1)[rank - 1])


def order_envelope(
    size: int, miss: float, rng: np.random.Generator, *, draws: int = 4_000
) -> Floats:
    """Bounds b with P(U_(i) ≤ b_i for every i) ≥ 1 - `miss`, for the sorted U of `size` uniforms.

    Null: the sample is uniform. Assumption: its members are independent. Source: the Monte Carlo
    adjustment of Bates, Candès, Lei, Romano and Sesia (Annals of Statistics 51, 2023), here with
    bounds of one precision.

    Returns:
        Float64, `size` + 1 numbers for the ranks 1 to `size` + 1; the last is 1.
    """
    ranks = ranks_to_look_at(size)
    beyond = betainc(size + 1 - ranks, ranks, 1 - sample_order(ranks, size, draws, rng))
    level = cut(beyond.min(axis=1), miss)
    bounds = 1 - betaincinv(size + 1 - ranks, ranks, level)
    every = np.ones(size + 1)
    every[:size] = bounds[np.searchsorted(ranks, np.arange(1, size + 1))]
    return every
