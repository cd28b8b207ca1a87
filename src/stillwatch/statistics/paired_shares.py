"""Two shares of the same units: what one of two models does and the other does not."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from stillwatch.statistics.log_tails import binomial_tail
from stillwatch.statistics.proportions import share_interval

__all__ = ["difference_interval", "mcnemar_tail"]

Floats = npt.NDArray[np.float64]


def mcnemar_tail(
    gained: npt.ArrayLike, lost: npt.ArrayLike, rng: np.random.Generator | None = None
) -> Floats:
    """log10 p-value that the first does it no oftener than the second; arguments broadcast.

    Null: of each unit the first is no likelier than the second to do it alone. Assumption: units
    are independent. Source: McNemar (Psychometrika 12, 1947), exactly: units on which the two agree
    say nothing, the others are tosses of a fair coin. With a generator the randomised p-value.

    Args:
        gained, lost: units of which the first alone, the second alone does it.
    """
    first, second = np.asarray(gained, np.float64), np.asarray(lost, np.float64)
    if (first < 0).any() or (second < 0).any():
        raise ValueError("counts are not negative")
    return binomial_tail(first, first + second, 0.5, rng)


def difference_interval(
    gained: int, lost: int, of: int, *, confidence: float = 0.95
) -> tuple[float, float]:
    """Two-sided confidence interval of the difference of the shares, first less second.

    Null: the difference lies outside. Assumption: units are independent and alike. It is the range
    of the difference over the exact intervals of both discordant shares, each at half of the error
    (Bonferroni): conservative, and never wrong for small counts. (-1, 1) where nothing was tried.
    """
    if min(gained, lost) < 0 or gained + lost > of:
        raise ValueError("discordant units are some of all units")
    half = 1 - (1 - confidence) / 2
    up = share_interval(gained, of, confidence=half)
    down = share_interval(lost, of, confidence=half)
    return up[0] - down[1], up[1] - down[0]
