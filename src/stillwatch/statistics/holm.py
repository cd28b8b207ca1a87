"""Many tests at once, no false rejection at all (Holm, Scandinavian Journal of Statistics 6, 1979).

For a benchmark that asks whether any of its cells breaks a promise. To flag accounts or campaigns,
a share of false ones is the better promise: see :mod:`stillwatch.statistics.e_bh`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

__all__ = ["holm", "holm_log10"]

Floats = npt.NDArray[np.float64]


def holm(p: Sequence[float] | Floats) -> Floats:
    """Adjusted p-values: rejecting those of at most α makes any false rejection as rare as α.

    Null: each p is no smaller than uniform. Assumption: none on dependence.
    """
    found = np.asarray(p, dtype=np.float64)
    if not ((found >= 0) & (found <= 1)).all():
        raise ValueError("a p-value lies between 0 and 1")
    order = np.argsort(found, kind="stable")
    scaled = found[order] * np.arange(len(found), 0, -1)
    adjusted = np.empty(len(found))
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(scaled))
    return adjusted


def holm_log10(log10_p: Sequence[float] | Floats) -> Floats:
    """The same for log10 p-values, where p itself would vanish; gives log10 of adjusted ones.

    Null: each p is no smaller than uniform. Assumption: none on dependence.
    """
    found = np.asarray(log10_p, dtype=np.float64)
    if not (found <= 0).all():
        raise ValueError("the logarithm of a p-value is not above 0")
    order = np.argsort(found, kind="stable")
    scaled = found[order] + np.log10(np.arange(len(found), 0, -1))
    adjusted = np.empty(len(found))
    adjusted[order] = np.minimum(0.0, np.maximum.accumulate(scaled))
    return adjusted
