"""The bits of the words that keys give the windows of a text, weighed and added up.

Compiled entry point.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numba import njit, types, uint32

from stillwatch.watermark.compiled import ENTRY, digest_of, given, result
from stillwatch.watermark.words import SOURCES, prepare, words_under

__all__ = ["bits_kernel"]

_CHUNK = 2_048
_1 = np.uint32(1)


@cache
def bits_kernel() -> Callable[..., None]:
    """Compile the entry point, or load it from the cache."""
    return _weigh(digest_of("bits", *SOURCES))  # type: ignore[no-any-return]


def _weigh(sources: int) -> Any:
    @njit(
        types.void(
            types.int64, given(types.uint64), given(types.int64, 2), given(types.int64),
            given(types.int64), result(types.int64),
        ),
        **ENTRY,
    )  # fmt: skip
    def weigh(prf, keys, contexts, tokens, weights, out):  # type: ignore[no-untyped-def]
        """The sum, under each key, of the weights of bits that are 1; the lowest comes first."""
        if sources < 0:
            return
        out[:] = 0
        n, width = contexts.shape
        padded = (width + 3) // 4 * 4
        for start in range(0, n, _CHUNK):
            size = min(_CHUNK, n - start)
            mixed, columns = np.empty(size, np.uint64), np.empty((padded, size), np.uint32)
            low, high = np.empty(size, np.uint32), np.empty(size, np.uint32)
            states, found = np.empty((4, size), np.uint32), np.empty(size, np.uint32)
            prepare(prf, contexts, tokens, start, mixed, columns, low, high)
            for k in range(keys.shape[0]):
                words_under(prf, keys[k], width, columns, low, high, states, found)
                for bit in range(weights.shape[0]):
                    ones = uint32(0)
                    for j in range(size):
                        ones = uint32(ones + ((found[j] >> uint32(bit)) & _1))
                    out[k] += weights[bit] * ones

    return weigh
