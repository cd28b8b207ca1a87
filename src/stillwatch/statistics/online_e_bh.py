"""Nulls that arrive one after the other, without end: e-LOND and online e-BH.

Clusters are found day after day, and nobody knows how many will be. Each null gets a part of α by
its place in the sequence (:func:`discounts`), before its e-value is seen. e-LOND decides at once
and for good; online e-BH may reject an earlier null later on, and rejects at least as many.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.special import zeta

from stillwatch.statistics.e_bh import checked, step_up

__all__ = ["ELond", "OnlineEBH", "discounts"]

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

#: the t-th null gets a share of α proportional to t to the power of -1.6
_DECAY = 1.6


def discounts(first: int, count: int) -> Floats:
    """Log shares of α for the nulls `first` (1 is the earliest) and following; all sum to 1."""
    place = np.arange(first, first + count, dtype=np.float64)
    out: Floats = -_DECAY * np.log(place) - np.log(zeta(_DECAY))
    return out


@dataclass(frozen=True, slots=True, eq=False)
class ELond:
    """What e-LOND must remember.

    Attributes:
        alpha: the FDR that is promised, after any number of nulls.
        seen, rejected: how many nulls came, and how many of them were rejected.
    """

    alpha: float
    seen: int = 0
    rejected: int = 0

    def update(self, log_e: Floats) -> tuple[ELond, Flags]:
        """Decide on the next nulls, in order: reject at e ≥ 1 / (α · discount · (rejected + 1)).

        Null: e has expectation of at most 1 under its null. Assumption: none on dependence; the
        order must not look at the e-values. Source: Xu and Ramdas, "Online multiple testing with
        e-values" (AISTATS 2024); at stopping times: Fischer, Xu and Ramdas (arXiv 2407.20683).
        """
        values = checked(log_e, self.alpha)
        needed = -np.log(self.alpha) - discounts(self.seen + 1, len(values)) - values
        flags = np.zeros(len(values), np.bool_)
        rejected = self.rejected
        for i in np.flatnonzero(needed <= np.log(rejected + len(values) + 1)):  # others cannot
            if needed[i] <= np.log(rejected + 1):
                flags[i] = True
                rejected += 1
        return replace(self, seen=self.seen + len(values), rejected=rejected), flags


@dataclass(frozen=True, slots=True, eq=False)
class OnlineEBH:
    """What online e-BH must remember: the e-values of all nulls so far, in order of arrival.

    Attributes:
        alpha: the FDR that is promised.
        log_e: nats.
    """

    alpha: float
    log_e: Floats

    @classmethod
    def start(cls, alpha: float) -> OnlineEBH:
        """No null yet."""
        return cls(alpha, checked(np.zeros(0), alpha))

    def update(self, log_e: Floats) -> OnlineEBH:
        """Append the next nulls, in an order that does not look at their e-values."""
        return replace(self, log_e=np.concatenate([self.log_e, checked(log_e, self.alpha)]))

    def rejected(self) -> Flags:
        """The rejected so far: the k largest of e · discount, k largest with all ≥ 1 / (α k).

        The set only grows as nulls arrive, and its FDR is at most α whenever one stops.
        Null: each e-value has expectation of at most 1 under its null. Assumption: none on
        dependence; the order must not look at the e-values. Source: Fischer, Xu and Ramdas, "An
        online generalization of the (e-)Benjamini-Hochberg procedure" (arXiv 2407.20683).
        """
        return step_up(self.log_e + discounts(1, len(self.log_e)), self.alpha)
