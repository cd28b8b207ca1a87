"""Sums of independent scores with weights: bounds and approximations of their upper tails.

`total` is Σ w (S - mean) over all scores. Null of all: the scores have the given law and are
independent of one another and of the weights, whatever the weights are. log10 everywhere.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.special import erfcx, log_ndtr

from stillwatch.statistics.score_laws import ScoreLaw

__all__ = ["betting_tail", "chernoff_tail", "saddlepoint_tail"]

Floats = npt.NDArray[np.float64]

_LN10: Final = float(np.log(10))
_STEPS: Final = 60
#: of what a law reaches, so much is used
_NEARLY: Final = 1 - 1e-9
#: beyond this no tilt changes a bounded score any more
_FAR: Final = 500.0
#: a bet risks at most this part of what a law reaches
_MOST: Final = 0.8
_SAME: Final = 1e-4
#: how near a tilted mean is to the total; the bound errs by the square of it
_NEAR: Final = 1e-7


def chernoff_tail(total: float, weights: npt.ArrayLike, law: ScoreLaw) -> float:
    """log10 of Chernoff's bound on P(T ≥ total): the least of exp(Σ ln mgf(t w) - t total), t > 0.

    Valid for any weights, since each t bounds the tail and the bound falls with the total; the
    search for the best t may only miss it upwards. Source: Chernoff (1952).

    Raises:
        ValueError: weights or a total that are not finite.
    """
    w = _checked(total, weights)
    if total <= 0 or not len(w):
        return 0.0
    tilt = _tilt(total, w, law)
    return min(0.0, (float(law.log_mgf(tilt * w).sum()) - tilt * total) / _LN10)


def saddlepoint_tail(total: float, weights: npt.ArrayLike, law: ScoreLaw) -> float:
    """log10 of Lugannani and Rice's approximation (1980) of P(T ≥ total).

    Close to the tail itself, mostly to a few per cent, and no bound: what is claimed is
    :func:`chernoff_tail`.

    Raises:
        ValueError: weights or a total that are not finite.
    """
    w = _checked(total, weights)
    if not len(w) or not w.any():
        return 0.0
    tilt = _tilt(total, w, law) if total >= 0 else -_tilt(-total, -w, law)
    _, bend = law.slopes(tilt * w)
    deep = tilt * total - float(law.log_mgf(tilt * w).sum())
    root = np.copysign(np.sqrt(2 * max(deep, 0.0)), tilt)
    slope = tilt * np.sqrt(float((w * w) @ bend))
    if abs(root) < _SAME or slope == 0:
        # the two terms cancel there; the normal tail is within a few per cent of a half
        _, bend = law.slopes(np.zeros(len(w)))
        return float(log_ndtr(-total / np.sqrt(float((w * w) @ bend)))) / _LN10
    correction = 1 / slope - 1 / root
    if root > 0:
        mills = np.sqrt(np.pi / 2) * erfcx(root / np.sqrt(2))
        log = -root * root / 2 - 0.5 * np.log(2 * np.pi) + np.log(max(mills + correction, 1e-300))
        return min(0.0, float(log) / _LN10)
    tail = np.exp(log_ndtr(-root)) + np.exp(-root * root / 2) / np.sqrt(2 * np.pi) * correction
    return float(np.log10(np.clip(tail, 1e-300, 1.0)))


def betting_tail(
    scores: npt.ArrayLike, weights: npt.ArrayLike, law: ScoreLaw, rates: npt.ArrayLike
) -> float:
    """log10 of an e-value's p-value: one over the average wealth of bets at fixed rates.

    A bet stakes b = rate · weight on a score and multiplies wealth by exp(b (S - mean)) / mgf(b),
    which is 1 on average. So it may be that weights, and which scores come in at all, depend on the
    scores before them in some order: wealth stays a supermartingale, and the p-value holds (Ville,
    1939; Ramdas et al., Game-theoretic statistics, 2023). What must be fixed beforehand is the
    rates.

    Args:
        scores, weights: float64 [n].
        rates: positive, float64 [rates]; a stake that nears what the law reaches is cut.

    Raises:
        ValueError: weights, scores or rates that are not finite, rates that are not positive.
    """
    s, w = np.asarray(scores, np.float64), _checked(0.0, weights)
    grid = np.asarray(rates, np.float64)
    if s.shape != w.shape or not np.isfinite(s).all():
        raise ValueError("there is one finite score for each weight")
    if grid.ndim != 1 or not len(grid) or not (np.isfinite(grid) & (grid > 0)).all():
        raise ValueError("rates are positive numbers")
    most = _MOST * law.reach if np.isfinite(law.reach) else _FAR
    above, wealth = s - law.mean, np.empty(len(grid))
    for i, rate in enumerate(grid):
        stakes = np.clip(rate * w, -_FAR, most)
        wealth[i] = stakes @ above - law.log_mgf(stakes).sum()
    return min(0.0, float(np.log(len(grid)) - np.logaddexp.reduce(wealth)) / _LN10)


def _checked(total: float, weights: npt.ArrayLike) -> Floats:
    w = np.asarray(weights, np.float64).ravel()
    if not (np.isfinite(total) and np.isfinite(w).all()):
        raise ValueError("weights and totals are finite numbers")
    return w


def _tilt(total: float, w: Floats, law: ScoreLaw) -> float:
    """The t ≥ 0 under which the sum has mean `total`, as near as the law reaches; total ≥ 0."""
    largest = float(w.max(initial=0.0))
    most = _FAR / float(np.abs(w).max(initial=1e-300))
    if np.isfinite(law.reach) and largest > 0:
        most = min(most, _NEARLY * law.reach / largest)
    low, high = 0.0, most
    _, bend = law.slopes(np.zeros(1))
    tilt = min(total / max(float(w @ w) * float(bend[0]), 1e-300), most / 2)
    for _ in range(_STEPS):
        first, second = law.slopes(tilt * w)
        miss = float(w @ first) - total
        low, high = (low, tilt) if miss > 0 else (tilt, high)
        if abs(miss) <= _NEAR * total or high - low <= 1e-12 * high:
            break
        step = tilt - miss / max(float((w * w) @ second), 1e-300)
        tilt = step if low < step < high else (low + high) / 2
    return tilt
