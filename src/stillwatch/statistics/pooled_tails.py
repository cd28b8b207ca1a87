"""Chernoff's bound for very many totals of the same weights, each over one set of scores or more.

:func:`.weighted_tails.chernoff_tail` looks for the best t for one total. Here the logarithms of the
moment generating functions are summed at a grid of t once, and every total takes the least bound of
the grid: a bound as well, and less tight by less than a hundredth of its own size.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from stillwatch.statistics.score_laws import ScoreLaw

__all__ = ["PooledTails"]

Floats = npt.NDArray[np.float64]

_LN10: Final = float(np.log(10))
#: neighbours of the grid; half of that away from the best t the exponent loses some 0.3 %
_RATIO: Final = 1.12
#: standard deviations below which a total is no evidence, and gets a bound of nearly 1
_FAINT: Final = 0.3
#: of what a law reaches, so much is used; beyond the other no tilt changes a bounded score any more
_NEARLY, _FAR = 1 - 1e-9, 500.0
_TOTALS: Final = 1 << 14


class PooledTails:
    """Bounds on P(Σ over `times` independent sets of scores of Σ w (S - mean) ≥ total).

    Null: scores have the given law and are independent of one another and of the weights. Valid for
    any weights. Source: Chernoff (1952).

    Args:
        weights: float64 [n], the same in every set.
        law: of one score.
        most: the largest number of sets that will be asked for; more are allowed, and less tight.

    Raises:
        ValueError: weights that are not finite.
    """

    def __init__(self, weights: npt.ArrayLike, law: ScoreLaw, *, most: int = 1) -> None:
        w = np.asarray(weights, np.float64).ravel()
        if not np.isfinite(w).all():
            raise ValueError("weights are finite numbers")
        _, bend = law.slopes(np.zeros(1))
        spread = float(np.sqrt(float(w @ w) * float(bend[0])))
        if spread == 0:
            self._tilts, self._logs = np.empty(0), np.empty(0)
            return
        limit = _FAR / float(np.abs(w).max())
        if np.isfinite(law.reach) and (largest := float(w.max())) > 0:
            limit = min(limit, _NEARLY * law.reach / largest)
        first = min(_FAINT / (spread * np.sqrt(max(most, 1))), limit)
        steps = int(np.log(limit / first) / np.log(_RATIO)) + 1
        near = limit * (1 - 0.5 ** np.arange(3, 24))
        self._tilts = np.unique(np.concatenate([first * _RATIO ** np.arange(steps), near, [limit]]))
        self._logs = np.array([float(law.log_mgf(tilt * w).sum()) for tilt in self._tilts])

    def log10_p(self, totals: npt.ArrayLike, times: npt.ArrayLike = 1) -> Floats:
        """log10 of the bound for each total; arguments broadcast.

        Raises:
            ValueError: a total that is not finite, fewer sets than one.
        """
        total, sets = np.broadcast_arrays(np.asarray(totals, np.float64), np.asarray(times))
        if not np.isfinite(total).all() or (sets < 1).any():
            raise ValueError("totals are finite, and over at least one set of scores")
        flat, over = total.ravel(), sets.ravel()
        out = np.zeros(len(flat))
        if len(self._tilts):
            for start in range(0, len(flat), _TOTALS):
                some = slice(start, start + _TOTALS)
                bounds = np.outer(over[some], self._logs) - np.outer(flat[some], self._tilts)
                out[some] = np.minimum(bounds.min(axis=1), 0.0) / _LN10
        return out.reshape(total.shape)
