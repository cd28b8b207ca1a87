"""Counting pairs of values: a contingency table in sparse form."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["count_pairs"]

Ints = npt.NDArray[np.int64]


def count_pairs(left: Ints, right: Ints) -> tuple[Ints, Ints, Ints]:
    """The distinct pairs of `left` and `right` and how often each occurs.

    Returns:
        Left values, right values and counts, one entry a distinct pair, by left, then by right.
    """
    lefts, row = np.unique(left, return_inverse=True)
    rights, column = np.unique(right, return_inverse=True)
    keys, counts = np.unique(row * max(1, len(rights)) + column, return_counts=True)
    rank, of = np.divmod(keys, max(1, len(rights)))
    return lefts[rank], rights[of], counts.astype(np.int64)
