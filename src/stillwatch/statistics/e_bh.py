"""Which of many nulls to reject, so that few rejections are false: e-BH and its closure.

The false discovery rate (FDR) is the expected share of true nulls among the rejected. With e-values
it is held under any dependence: one polluted template may shift thousands of nulls together.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["closed_e_bh", "e_bh", "step_up"]

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


def e_bh(log_e: Floats, alpha: float) -> Flags:
    """The nulls that e-BH rejects: the k largest e-values, k the largest with e_(k) ≥ K / (α k).

    Null: each e-value has expectation of at most 1 under its own null. Assumption: none on
    dependence. E-processes qualify at one common stopping time, running maxima only once adjusted.
    Source: Wang and Ramdas (Journal of the Royal Statistical Society B 84, 2022).

    Args:
        log_e: nats, one a null.
        alpha: the FDR that is promised.
    """
    values = checked(log_e, alpha)
    return step_up(values - np.log(max(1, len(values))), alpha)


def step_up(shares: Floats, alpha: float) -> Flags:
    """The k largest of `shares` (log e-value times its part of α), k largest with all ≥ 1/(α k)."""
    order = np.argsort(-shares, kind="stable")
    passes = shares[order] + np.log(np.arange(1, len(shares) + 1)) >= -np.log(alpha)
    rejected = np.zeros(len(shares), np.bool_)
    if passes.any():
        rejected[order[: np.flatnonzero(passes)[-1] + 1]] = True
    return rejected


def closed_e_bh(log_e: Floats, alpha: float) -> Flags:
    """The largest set of largest e-values that closed e-BH allows; never smaller than e-BH's.

    A set R is allowed when, for every set S of nulls, the mean of the e-values in S is at least
    |R ∩ S| / (α |R|). For R the r largest it is enough to look at S of the a smallest in R and
    those outside below a / (α r): r conditions, sorted sums. Costs up to K² log K; for thousands.
    Null and assumption: as in :func:`e_bh`, any dependence. Source: Xu, Solari, Fischer, de Heide,
    Ramdas and Goeman, "Bringing closure to FDR control" (arXiv 2504.11759, 2509.02517).
    """
    values = checked(log_e, alpha)
    base = e_bh(values, alpha)
    size = len(values)
    most = 2 * size / alpha if size else 1.0  # a larger one decides no comparison
    order = np.argsort(-values, kind="stable")
    e = np.exp(np.minimum(values[order], np.log(most)))
    above = np.concatenate([[0.0], np.cumsum(e)])
    rising = e[::-1]
    below = np.concatenate([[0.0], np.cumsum(rising)])
    for r in range(size, int(base.sum()), -1):
        a = np.arange(1, r + 1)
        bar = a / (alpha * r)
        outside = np.minimum(np.searchsorted(rising, bar), size - r)
        inside = above[r] - above[r - a]
        missing = a * bar + outside * bar - below[outside]
        if (inside - missing >= 1e-12 * above[r]).all():  # rounding never rejects
            base[order[:r]] = True
            return base
    return base


def checked(log_e: Floats, alpha: float) -> Floats:
    """`log_e` as floats; refuses what is no e-value and no level."""
    out = np.asarray(log_e, dtype=np.float64)
    if np.isnan(out).any():
        raise ValueError("an e-value is not a number")
    if not 0 < alpha < 1:
        raise ValueError(f"alpha lies between 0 and 1, not at {alpha}")
    return out
