"""How many of the flagged are false, at any threshold, also one that was chosen by looking?

FDR control fixes the threshold; an operator drags a slider. These bounds hold for all thresholds at
once with one probability, so that the slider may stop wherever it looks best.
For conformal p-values see :mod:`stillwatch.statistics.conformal_discoveries`, which is sharper.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Discoveries", "e_value_discoveries", "simes_discoveries"]

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Discoveries:
    """Bounds for every length of the list of suspects, most suspicious first.

    Attributes:
        order: positions in the input, most suspicious first.
        false: entry r - 1 bounds the number of true nulls among the first r of `order`.
    """

    order: Ints
    false: Ints

    def shares(self) -> Floats:
        """The bounds on the false discovery proportion, one for each length of the list."""
        out: Floats = self.false / np.arange(1, len(self.false) + 1)
        return out

    def longest(self, share: float) -> Ints:
        """The longest list whose false discovery proportion is bounded by `share`."""
        fits = np.flatnonzero(self.shares() <= share)
        return self.order[: fits[-1] + 1] if len(fits) else self.order[:0]


def simes_discoveries(p: Floats, *, confidence: float = 0.95) -> Discoveries:
    """Simultaneous bounds by closed testing with Simes tests, all lengths in K log K.

    Null: each p is no smaller than uniform. Assumption: Simes' inequality holds for the true nulls,
    as it does when they are independent or positively dependent (PRDS: conformal p-values of one
    calibration sample). Source: Goeman and Solari (Statistical Science 26, 2011); the shortcut of
    Goeman, Meijer, Krebs and Solari (Biometrika 106, 2019), Hommel (1988).
    """
    p = np.asarray(p, dtype=np.float64)
    if not ((p >= 0) & (p <= 1)).all():
        raise ValueError("a p-value lies between 0 and 1")
    alpha, order = _miss(confidence), np.argsort(p, kind="stable")
    ordered = p[order]
    level = _hommel(ordered, alpha)
    place = np.arange(1, len(p) + 1)
    needed = np.maximum(1.0, np.ceil(level * ordered / alpha))
    true = np.maximum.accumulate(np.maximum(0, place + 1 - needed)) if len(p) else needed
    return Discoveries(order, (place - np.minimum(true, place)).astype(np.int64))


def _hommel(ordered: Floats, alpha: float) -> int:
    """The size of the largest set of nulls that Simes' test does not reject."""
    low, high = 0, len(ordered)
    while low < high:
        size = (low + high + 1) // 2
        largest = ordered[len(ordered) - size :]
        if (size * largest > np.arange(1, size + 1) * alpha).all():
            low = size
        else:
            high = size - 1
    return low


def e_value_discoveries(log_e: Floats, *, confidence: float = 0.95) -> Discoveries:
    """Simultaneous bounds by closed testing with means of e-values, all lengths in K log K.

    A set of nulls is rejected when the mean of its e-values reaches 1 / α. The worst set with k
    members on the list has the k smallest of the list and, outside, all e-values below 1 / α.
    Null: each e-value has expectation of at most 1 under its null. Assumption: none on dependence.
    Source: Vovk and Wang, "Confidence and discoveries with e-values" (Statistical Science, 2023).
    """
    log_e = np.asarray(log_e, dtype=np.float64)
    if np.isnan(log_e).any():
        raise ValueError("an e-value is not a number")
    alpha, size = _miss(confidence), len(log_e)
    order = np.argsort(-log_e, kind="stable")
    most = np.log(
        (size + 1) / alpha
    )  # one such outweighs all others, so a larger one changes nothing
    excess = np.exp(np.minimum(log_e[order], most)) - 1 / alpha
    high = int((excess >= 0).sum())  # only these can be discovered
    debt = -excess[high:].sum()
    # the k last of the first r may all be false while they sum to less than the debt
    sums = np.concatenate([[0.0], np.cumsum(excess[:high])])
    within = np.minimum(np.arange(1, size + 1), high)
    true = np.searchsorted(sums, sums[within] - debt, side="right")
    return Discoveries(order, np.arange(1, size + 1) - np.minimum(true, within))


def _miss(confidence: float) -> float:
    if not 0 < confidence < 1:
        raise ValueError(f"confidence lies between 0 and 1, not at {confidence}")
    return 1 - confidence
