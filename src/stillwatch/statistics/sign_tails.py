"""The upper tail of a sum of whole numbers under random signs, as log10, exactly.

By convolution, number by number, of the law of the sum of those that have a plus: only positive
terms are ever added, so that the faintest tail has all of its digits.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["sign_tail"]

Floats = npt.NDArray[np.float64]

#: 2^-n is then no smaller than a float can hold
_MOST_NUMBERS = 1_000
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
        numbers: [n], at most 1,000 that are not 0, with magnitudes of at most 10^7 together.

    Raises:
        ValueError: numbers or totals that are not whole; too many or too large numbers.
    """
    sizes, x = np.abs(np.asarray(numbers, np.float64)), np.asarray(total, np.float64)
    if sizes.ndim != 1 or (sizes != np.floor(sizes)).any() or (x != np.floor(x)).any():
        raise ValueError("totals and numbers [n] are whole")
    sizes = np.sort(sizes[sizes > 0]).astype(np.int64)
    if len(sizes) > _MOST_NUMBERS or sizes.sum() > _LARGEST_SUM:
        raise ValueError("at most 1,000 numbers, of at most 10^7 together")
    whole = int(sizes.sum())
    masses, reach = np.zeros(whole + 1), 0
    masses[0] = 1.0
    for size in sizes.tolist():
        longer = masses[: reach + 1] / 2
        masses[: reach + 1] = longer
        masses[size : reach + size + 1] += longer
        reach += size
    tails = np.append(np.cumsum(masses[::-1])[::-1], 0.0)
    # a sum of signs is twice what has a plus, less all
    least = np.clip(np.ceil((x + whole) / 2), 0, whole + 1).astype(np.int64)
    out = tails[least]
    if rng is not None:
        exact = ((x + whole) % 2 == 0) & (np.abs(x) <= whole)
        out = out - rng.random(x.shape) * np.where(exact, masses[np.minimum(least, whole)], 0.0)
    with np.errstate(divide="ignore"):
        logs: Floats = np.log10(np.minimum(out, 1.0))
    return logs
