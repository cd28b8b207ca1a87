"""The k smallest distinct numbers of many: bottom-k sampling (Cohen and Kaplan, 2007)."""

from __future__ import annotations

import numpy as np

from stillwatch.sketches.compiled import compiled
from stillwatch.sketches.layout import Int, Int64s

__all__ = ["keep_smallest"]


@compiled
def _insert(value: Int, smallest: Int64s, begin: int, count: int, most: int) -> Int:
    """Insert into the ascending, distinct ``smallest[begin:begin + count]``; the new count."""
    j = begin + count
    while j > begin and smallest[np.uint64(j - 1)] > value:
        j -= 1
    if j == begin or smallest[np.uint64(j - 1)] != value:
        last = begin + min(count, most - 1)
        while last > j:
            smallest[np.uint64(last)] = smallest[np.uint64(last - 1)]
            last -= 1
        smallest[np.uint64(j)] = value
        count = min(count + 1, most)
    return count


@compiled
def keep_smallest(values: Int64s, n: int, smallest: Int64s, begin: int, most: int) -> Int:
    """The `most` smallest distinct of ``values[:n]`` into ``smallest[begin:]``, ascending.

    Returns how many there are. Insertion is the fastest way for 8 to 64 of a hundred (ranking by
    counting and by thresholds were measured): most values lose the first comparison.
    """
    count = 0
    largest = np.int64(0)
    for i in range(n):
        value = values[np.uint64(i)]
        if count < most or value < largest:
            count = _insert(value, smallest, begin, count, most)
            largest = smallest[begin + count - 1]
    return count
