"""Softmax sampling of each row with the odds of its green tokens raised.

Compiled entry point. The k most likely tokens are found as for Gumbel-max, and only they meet the
keyed function: a token outside of them is not let in by being green.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numba import int64, njit, types, uint32

from stillwatch.watermark.choosing import (
    ABOVE_NOTHING,
    BLOCK,
    ID_BITS,
    INF_BITS,
    INFINITE,
    NAN,
    NONE,
    block_maxima,
    context_state,
    largest_of,
    top_of,
    words_from,
    words_of,
)
from stillwatch.watermark.compiled import ENTRY, digest_of, given, inlined, result
from stillwatch.watermark.mark import Int64s, UInt64s
from stillwatch.watermark.prf import number_of
from stillwatch.watermark.rows import Rows, tokens_of
from stillwatch.watermark.words import SOURCES

__all__ = ["draw", "picked"]

_SOURCES = ("choosing", "drawing", *SOURCES)


def draw(
    rows: Rows,
    prf: str,
    keys: UInt64s,
    below: int,
    delta: float,
    rng: np.random.Generator,
) -> Int64s:
    """A token for each row, int64 [batch]; one uniform number a row is drawn from `rng`.

    Args:
        below: words of the keyed function below it are green, of 2^32.
        delta: what is added to the logit of a green token, after the temperature.

    Raises:
        ValueError: a row with NaN, with +inf, or without a finite logit; named by its number.
    """
    out = np.empty(len(rows.logits), np.int64)
    _drawer()(
        number_of(prf), rows.logits, rows.logits.view(np.int32), rows.contexts, keys,
        rows.temperatures, rows.top_k, np.uint32(below), np.exp(-delta), rng.random(len(out)), out,
    )  # fmt: skip
    return tokens_of(out)


@cache
def _drawer() -> Callable[..., None]:
    return _draw(digest_of(*_SOURCES))  # type: ignore[no-any-return]


@inlined
def picked(weights: Any, count: Any, uniform: Any) -> Any:
    """The place at which the running sum of weights passes `uniform` of the whole."""
    whole = 0.0
    for i in range(count):
        whole += weights[i]
    target, passed, last = uniform * whole, 0.0, 0
    for i in range(count):
        if weights[i] > 0.0:
            passed, last = passed + weights[i], i
            if passed > target:
                break
    return last


def _draw(sources: int) -> Any:
    @njit(
        types.void(
            types.int64, given(types.float32, 2), given(types.int32, 2), given(types.int64, 2),
            given(types.uint64), given(types.float64), given(types.int64), types.uint32,
            types.float64, given(types.float64), result(types.int64),
        ),
        **ENTRY,
    )  # fmt: skip
    def draw_each(  # type: ignore[no-untyped-def]
        prf, logits, bits, contexts, keys, temperatures, top_k, below, red, uniforms, out
    ):
        """The token of each row, or what is wrong with it; `red` is the weight of what is not."""
        if sources < 0:
            return
        rows, vocabulary = logits.shape
        blocks = (vocabulary + BLOCK - 1) // BLOCK
        maxima, spare = np.empty(blocks, np.int32), np.empty(blocks, np.int32)
        candidates, state = np.empty(vocabulary, np.int64), np.zeros(4, np.uint64)
        ids, words = np.empty(vocabulary, np.uint32), np.empty(vocabulary, np.uint32)
        some, weights = np.empty(BLOCK, np.uint32), np.empty(vocabulary, np.float64)
        for r in range(rows):
            magnitude = block_maxima(bits[r], maxima)
            top = maxima.max()
            if magnitude > INF_BITS:
                out[r] = NAN
                continue
            if top == INF_BITS:
                out[r] = INFINITE
                continue
            if top < ABOVE_NOTHING:
                out[r] = NONE
                continue
            row, warm, k = logits[r], temperatures[r], top_k[r]
            b = largest_of(maxima)
            most = row[b * BLOCK : (b + 1) * BLOCK].max()
            context_state(prf, contexts[r], keys[r], state)
            if k <= 0 or k >= vocabulary:
                for b in range(blocks):
                    words_from(prf, state, keys[r], b * BLOCK, some)
                    for token in range(b * BLOCK, min(vocabulary, (b + 1) * BLOCK)):
                        weight = np.exp((np.float64(row[token]) - most) / warm)
                        weights[token] = weight if some[token - b * BLOCK] < below else weight * red
                out[r] = picked(weights, vocabulary, uniforms[r])
            else:
                kept = top_of(bits[r], maxima, spare, k, candidates)
                for i in range(kept):
                    ids[i] = uint32(ID_BITS - (candidates[i] & ID_BITS))
                words_of(prf, state, keys[r], ids[:kept], words[:kept])
                for i in range(kept):
                    weight = np.exp((np.float64(row[int64(ids[i])]) - most) / warm)
                    weights[i] = weight if words[i] < below else weight * red
                out[r] = int64(ids[picked(weights, kept, uniforms[r])])

    return draw_each
