"""How much choice each row leaves: the entropy of what is sampled from.

Compiled entry point.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numba import float64, int64, njit, types

from stillwatch.watermark.choosing import BLOCK, ID_BITS, block_maxima, top_of
from stillwatch.watermark.compiled import ENTRY, digest_of, given, result
from stillwatch.watermark.mark import Floats
from stillwatch.watermark.rows import Rows
from stillwatch.watermark.words import SOURCES

__all__ = ["entropies"]


def entropies(rows: Rows) -> Floats:
    """Nats of each row after temperature and top k, float64 [batch].

    NaN for a row that cannot be sampled from (NaN, +inf, no finite logit).
    """
    out = np.empty(len(rows.logits))
    _measurer()(rows.logits, rows.logits.view(np.int32), rows.temperatures, rows.top_k, out)
    return out


@cache
def _measurer() -> Callable[..., None]:
    return _measure(digest_of("choosing", "entropies", *SOURCES))  # type: ignore[no-any-return]


def _measure(sources: int) -> Any:
    @njit(
        types.void(
            given(types.float32, 2), given(types.int32, 2), given(types.float64),
            given(types.int64), result(types.float64),
        ),
        **ENTRY,
    )  # fmt: skip
    def measure(logits, bits, temperatures, top_k, out):  # type: ignore[no-untyped-def]
        """H = ln Z - Σ x e^x / Z, of logits x less the largest, over the temperature."""
        if sources < 0:
            return
        rows, vocabulary = logits.shape
        blocks = (vocabulary + BLOCK - 1) // BLOCK
        maxima, spare = np.empty(blocks, np.int32), np.empty(blocks, np.int32)
        candidates = np.empty(vocabulary, np.int64)
        for r in range(rows):
            row, cold, k = logits[r], 1.0 / temperatures[r], top_k[r]
            kept, every = vocabulary, k <= 0 or k >= vocabulary
            if not every:
                block_maxima(bits[r], maxima)
                kept = top_of(bits[r], maxima, spare, k, candidates)
            most = -np.inf
            for i in range(kept):
                at = i if every else ID_BITS - (candidates[i] & ID_BITS)
                most = max(most, float64(row[int64(at)]))
            whole, moment = 0.0, 0.0
            for i in range(kept):
                at = i if every else ID_BITS - (candidates[i] & ID_BITS)
                x = (float64(row[int64(at)]) - most) * cold
                if x > -700.0:
                    weight = np.exp(x)
                    whole, moment = whole + weight, moment + weight * x
                elif x != x:
                    whole = np.nan
            out[r] = np.log(whole) - moment / whole if whole > 0.0 else np.nan

    return measure
