"""The upper tail of a sum of whole numbers under random signs, as log10, exactly.

It is that of the sum of the numbers that have a plus: each a choice between nothing and itself.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from stillwatch.statistics.scored_choices import scored_tails

__all__ = ["sign_tail"]

Floats = npt.NDArray[np.float64]

_LARGEST_SUM = 10_000_000


def sign_tail(
    total: npt.ArrayLike, numbers: npt.ArrayLike, rng: np.random.Generator | None = None
) -> Floats:
    """log10 of P(Σ ±a ≥ total), over all signs of the whole numbers a.

    Null: signs are independent and fair. Source: Fisher's randomisation test (The design of
    experiments, 1935, section 21). With a generator the randomised p-value P(S > total) + U ·
    P(S = total), which is uniform under the null (Geyer and Meeden, Statistical Science 20, 2005).

    Args:
        total: of any shape.
        numbers: [n], with magnitudes of at most 10^7 together.

    Raises:
        ValueError: numbers or totals that are not whole; too large numbers.
    """
    sizes, x = np.abs(np.asarray(numbers, np.float64)), np.asarray(total, np.float64)
    if sizes.ndim != 1 or (sizes != np.floor(sizes)).any() or (x != np.floor(x)).any():
        raise ValueError("totals and numbers [n] are whole")
    whole = float(sizes.sum())
    if whole > _LARGEST_SUM:
        raise ValueError("numbers are at most 10^7 together")
    sizes = sizes[sizes > 0].astype(np.int64)
    scores = np.stack([np.zeros_like(sizes), sizes], axis=1)
    options = np.full(len(sizes), 2)
    # a sum of signs is twice what has a plus, less all
    least = np.clip(np.ceil((x + whole) / 2), -1, whole + 1).astype(np.int64)
    tails = scored_tails(least, scores, options)
    if rng is None:
        return tails
    exact = (x + whole) % 2 == 0  # another sum cannot be, and has no share to draw from
    return np.where(exact, scored_tails(least, scores, options, rng), tails)
