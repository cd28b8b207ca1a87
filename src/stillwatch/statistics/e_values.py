"""E-values in nats: from p-values and back, averaged and multiplied.

An e-value has expectation of at most 1 under the null, so that it reaches c with probability of at
most 1 / c. Everything here takes and gives natural logarithms: of e-values (nats of evidence) and
of p-values (`log_p`, never above 0; log10 tails times ln 10). A p-value of 0 is infinite evidence.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import logsumexp

__all__ = [
    "average",
    "e_to_p",
    "mixture_calibrator",
    "power_calibrator",
    "product",
    "shafer_calibrator",
]

Floats = npt.NDArray[np.float64]

#: where -log p is this small, the mixture is expanded around p = 1
_NEAR_ONE = 1e-3


def power_calibrator(log_p: Floats, kappa: float = 0.5) -> Floats:
    """Nats of κ p^(κ-1); the smaller κ, the more it bets on tiny p-values.

    Null: p is no smaller than uniform. Assumption: κ in (0, 1) was chosen before p was seen.
    Source: Sellke, Bayarri and Berger (2001); Vovk and Wang (Annals of Statistics 49, 2021).
    """
    if not 0 < kappa < 1:
        raise ValueError(f"kappa lies between 0 and 1, not at {kappa}")
    out: Floats = np.log(kappa) + (kappa - 1) * checked(log_p)
    return out


def mixture_calibrator(log_p: Floats) -> Floats:
    """Nats of the average over κ of κ p^(κ-1): (1 - p + p ln p) / (p ln² p), nothing to choose.

    Null: p is no smaller than uniform. Assumption: none. Source: Vovk and Wang (2021), section 2.
    """
    nats = -checked(log_p)
    near, zero = nats < _NEAR_ONE, np.isposinf(nats)
    x = np.where(near | zero, 1.0, nats)
    large = x + np.log1p(-np.exp(-x) * (1 + x)) - 2 * np.log(x)
    short = np.where(near, nats, 0.0)
    small = np.log(0.5 + short / 6 + short**2 / 24)  # a series in nats
    out: Floats = np.where(zero, np.inf, np.where(near, small, large))
    return out


def shafer_calibrator(log_p: Floats) -> Floats:
    """Nats of p^(-1/2) - 1; no evidence at all at p = 1.

    Null: p is no smaller than uniform. Assumption: none. Source: Shafer, "Testing by betting"
    (Journal of the Royal Statistical Society A 184, 2021).
    """
    half = -checked(log_p) / 2
    with np.errstate(divide="ignore"):
        out: Floats = half + np.log(-np.expm1(-half))
    return out


def e_to_p(log_e: Floats) -> Floats:
    """Log p-value min(1, 1 / e), by Markov's inequality; the only admissible way back.

    Null: e has expectation of at most 1. Assumption: none. For a running maximum of an e-process it
    holds as well (Ville's inequality). Source: Vovk and Wang (2021), section 2.
    """
    out: Floats = np.minimum(0.0, -np.asarray(log_e, dtype=np.float64))
    return out


def average(log_e: Floats, weights: Floats | None = None, *, axis: int = -1) -> Floats:
    """Nats of the weighted mean of e-values: an e-value whatever their dependence.

    Null: all the nulls that are averaged hold. Assumption: the weights, equal by default, are not
    negative and were chosen before. Source: Vovk and Wang (2021), section 3: no symmetric rule for
    arbitrary dependence is essentially better.
    """
    log_e = np.asarray(log_e, dtype=np.float64)
    shares = np.ones(log_e.shape[axis]) if weights is None else np.asarray(weights, np.float64)
    if not shares.sum() > 0 or (shares < 0).any():
        raise ValueError("weights are not negative, and one at least is above 0")
    across = [1] * log_e.ndim
    across[axis] = -1
    shares = (shares / shares.sum()).reshape(across)
    log_e = np.where(shares > 0, log_e, -np.inf)
    out: Floats = np.asarray(logsumexp(log_e, b=shares, axis=axis))
    return out


def product(log_e: Floats, *, axis: int = -1) -> Floats:
    """Nats of the product of e-values.

    Null: all the nulls hold. Assumption: the e-values are independent, or sequential: each has
    expectation of at most 1 given those before it. Under any other dependence use :func:`average`.
    A factor of 0 wins over an infinite one. Source: Vovk and Wang (2021), section 4.
    """
    log_e = np.asarray(log_e, dtype=np.float64)
    nothing = np.isneginf(log_e).any(axis=axis)
    out: Floats = np.where(
        nothing, -np.inf, np.where(np.isneginf(log_e), 0.0, log_e).sum(axis=axis)
    )
    return out


def checked(log_p: Floats) -> Floats:
    """`log_p` as floats; refuses logarithms above 0, which no p-value has."""
    out = np.asarray(log_p, dtype=np.float64)
    if (out > 0).any():
        raise ValueError("a p-value is at most 1: its logarithm is not above 0")
    return out
