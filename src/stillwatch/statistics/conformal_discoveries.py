"""How many of those flagged by conformal p-values are false, whatever threshold is chosen?

The joint law of null conformal p-values is known: that of ranks among exchangeable scores. Drawing
from it gives a curve that the number of null p-values below t stays under for all t at once, with
one probability; what lies above the curve is discovered.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import betaln

from stillwatch.statistics.envelopes import cut, ranks_to_look_at, sample_order
from stillwatch.statistics.false_discoveries import Discoveries

__all__ = ["conformal_discoveries"]

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

#: how often the number of nulls is bounded anew by the bounds themselves
_ROUNDS = 3


def conformal_discoveries(
    p: Floats,
    calibration_size: int,
    rng: np.random.Generator,
    *,
    confidence: float = 0.95,
    focus: float = 0.5,
    draws: int = 2_000,
) -> Discoveries:
    """Simultaneous bounds on false discoveries from conformal p-values of one calibration sample.

    Null: the scores of true nulls and of the sample are exchangeable. Assumption: p-values are
    those of :func:`conformal_p_values`, neither smoothed nor inflated; the other scores may follow
    any law that leaves this exchangeability alone. The draws are counted as chance, so that their
    number costs no validity. Source: the idea of Song, Jin and Candès, "Everywhere valid bounds on
    false discovery proportions in conformal inference" (arXiv 2605.20726): an envelope by sampling
    the joint law. The shape (one precision at each threshold), the grid and the step down in the
    number of nulls are ours. The step down keeps the bound: fewer nulls, being some of the same
    draws, need a curve that is nowhere higher.

    Args:
        p: one p-value a suspect.
        calibration_size: how many scores the calibration sample has.
        focus: p-values above this one are not looked at; the smaller, the sharper the rest.
    """
    size, ranks = len(p), np.asarray(p, np.float64) * (calibration_size + 1)
    steps = np.round(ranks).astype(np.int64) if np.isfinite(ranks).all() else np.zeros(1, np.int64)
    if (steps < 1).any() or (steps > calibration_size + 1).any() or not _close(steps, ranks):
        raise ValueError(f"these are no conformal p-values of {calibration_size} scores")
    order = np.argsort(steps, kind="stable")
    false = np.arange(1, size + 1)
    last = max(1, min(calibration_size, int(focus * (calibration_size + 1))))
    grid = ranks_to_look_at(last)
    flagged = np.searchsorted(steps[order], grid, side="right")
    shares = np.diff(sample_order(grid, calibration_size, draws, rng), axis=1, prepend=0, append=1)
    drawn = rng.multinomial(size, np.maximum(0.0, shares))
    nulls = size
    for _ in range(_ROUNDS):
        curve = _curve(drawn, grid, calibration_size, size, 1 - confidence)
        fewer = int(min(nulls, (curve + size - flagged).min(initial=size)))
        seen = flagged > 0
        np.minimum.at(false, flagged[seen] - 1, np.minimum(curve, fewer)[seen])
        if fewer == nulls:
            break
        drawn, nulls = _thinned(drawn, fewer, rng), fewer
    false = np.minimum(false, nulls)
    # one more suspect is at most one more false, and a shorter list has no more than a longer one
    length = np.arange(1, size + 1)
    false = length + np.minimum.accumulate(false - length)
    return Discoveries(order, np.minimum.accumulate(false[::-1])[::-1])


def _curve(drawn: Ints, grid: Ints, calibration_size: int, size: int, miss: float) -> Ints:
    """At each rank of `grid`, what the number of nulls below never exceeds but for `miss`."""
    counts = np.cumsum(drawn[:, :-1], axis=1)
    rarest = np.ones(len(drawn))
    for column, rank in enumerate(grid):
        tails = _tails(size, int(rank), calibration_size)
        rarest = np.minimum(rarest, tails[counts[:, column]])
    level = cut(rarest, miss)
    return np.array(
        [int((_tails(size, int(rank), calibration_size) >= level).sum()) - 1 for rank in grid]
    )


def _tails(size: int, rank: int, calibration_size: int) -> Floats:
    """P(at least v of `size` nulls are as strange as the rank-th calibration score), v = 0 … size.

    Beta-binomial; falls in v strictly but for rounding, which costs sharpness and not validity.
    """
    a, b = float(rank), float(calibration_size + 1 - rank)
    v = np.arange(size, dtype=np.float64)
    logs = np.log((size - v) / (v + 1)) + np.log((v + a) / (size - v - 1 + b))
    mass = np.exp(betaln(a, size + b) - betaln(a, b) + np.concatenate([[0.0], np.cumsum(logs)]))
    tails: Floats = np.cumsum(mass[::-1])[::-1]
    return tails


def _thinned(drawn: Ints, keep: int, rng: np.random.Generator) -> Ints:
    """The same draws with `keep` nulls in each, the others left out at random."""
    kept = np.zeros_like(drawn)
    rest, left = drawn.sum(axis=1), np.full(len(drawn), keep)
    for column in range(drawn.shape[1]):
        rest = rest - drawn[:, column]
        kept[:, column] = rng.hypergeometric(drawn[:, column], rest, left)
        left = left - kept[:, column]
    return kept


def _close(steps: Ints, ranks: Floats) -> bool:
    return bool(np.allclose(steps, ranks, rtol=1e-9, atol=1e-6))
