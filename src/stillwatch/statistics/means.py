"""Bounds on the mean of values in [0, 1], such as shares of false discoveries over seeds.

Exact at any number of values, and without a word on their distribution: most runs have a share of
0 and a few have a large one, where a normal approximation or a bootstrap would see no spread.
Source: Waudby-Smith and Ramdas, "Estimating means of bounded random variables by betting" (Journal
of the Royal Statistical Society B 86, 2024), with a mixture of fixed bets in place of adaptive
ones, so that the order of the values does not matter.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.special import stdtrit

__all__ = [
    "mean_e_value", "mean_interval", "mean_nats", "mean_upper_bound", "student_upper_bound",
]  # fmt: skip

Floats = npt.NDArray[np.float64]

#: shares of the largest bet that cannot go bankrupt, mixed evenly
_BETS = np.concatenate([np.geomspace(1 / 256, 0.5, 24), np.linspace(0.55, 1.0, 10)])
_STEPS = 30  # of a bisection


def mean_e_value(values: Sequence[float] | Floats, at_most: float) -> float:
    """Nats against a mean of at most `at_most`.

    Null: each of `values` has a mean of at most `at_most`, given those before. Assumption: they lie
    in [0, 1].
    """
    if not 0 < at_most < 1:
        raise ValueError(f"a mean to test against lies between 0 and 1, not at {at_most}")
    return float(mean_nats(_checked(values) / at_most - 1, 1))


def mean_nats(gains: Floats, times: npt.ArrayLike) -> Floats:
    """Nats of the mixture of bets, of each row.

    Args:
        gains: (…, n) what a bet of everything gains of each value, -1 at least.
        times: (n,) how often each value came.
    """
    with np.errstate(divide="ignore"):
        each = np.log1p(_BETS[:, None] * gains[..., None, :])
    # a value that never came is nothing, also where it would have lost everything
    wealth = np.where(np.asarray(times) > 0, each, 0.0) @ np.broadcast_to(
        np.asarray(times, np.float64), gains.shape[-1:]
    )
    return np.asarray(np.logaddexp.reduce(wealth, axis=-1) - np.log(len(_BETS)))


def mean_upper_bound(values: Sequence[float] | Floats, *, confidence: float = 0.95) -> float:
    """One-sided upper confidence bound on the mean; 1 where there is no value.

    Null: the mean is at least the bound. Assumption: values in [0, 1], each of the same mean given
    those before. Nothing but zeros in n runs bounds the mean by about 3 / n.
    """
    found = 1 - _checked(values)
    enough = -np.log(1 - confidence)
    low, high = float(1 - found.mean()) if found.size else 1.0, 1.0
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if middle >= 1 or mean_e_value(found, 1 - middle) >= enough:
            high = middle
        else:
            low = middle
    return high


def mean_interval(
    values: Sequence[float] | Floats, *, confidence: float = 0.95
) -> tuple[float, float]:
    """Two-sided confidence interval of the mean, half of the error on each side; see above."""
    found, side = _checked(values), (1 + confidence) / 2
    return (
        1 - mean_upper_bound(1 - found, confidence=side),
        mean_upper_bound(found, confidence=side),
    )


def student_upper_bound(values: Sequence[float] | Floats, *, confidence: float = 0.95) -> float:
    """One-sided upper confidence bound on the mean by Student's t; infinite for fewer than two.

    Null: the mean is at least the bound. Assumption: values are independent and each is itself a
    mean over many runs, so that it is nearly normal. For single runs take `mean_upper_bound`.
    """
    found = np.asarray(values, dtype=np.float64)
    if found.size < 2:
        return float("inf")
    spread = found.std(ddof=1) / np.sqrt(found.size)
    return float(found.mean() + stdtrit(found.size - 1, confidence) * spread)


def _checked(values: Sequence[float] | Floats) -> Floats:
    found = np.asarray(values, dtype=np.float64)
    if not ((found >= 0) & (found <= 1)).all():
        raise ValueError("a value lies between 0 and 1")
    return found
