"""Tournaments among the candidates of each row, in closed form.

Compiled entry point. A tournament of m layers draws 2^m tokens from the model and lets them meet in
pairs. What it chooses has, layer by layer, the probabilities p' = p · (1 + g - Σ p g), with g the
bits of the layer (the vectorised form of Dathathri et al. 2024), so that nothing is drawn but the
last token. The k most likely tokens are found as for Gumbel-max.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numba import float64, int64, njit, types, uint32

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
from stillwatch.watermark.drawing import picked
from stillwatch.watermark.mark import Int64s, UInt64s
from stillwatch.watermark.prf import number_of
from stillwatch.watermark.rows import Rows, tokens_of
from stillwatch.watermark.words import SOURCES

__all__ = ["play"]

_SOURCES = ("choosing", "drawing", "tournaments", *SOURCES)
#: sums that run side by side, for the processor's sake
_LANES = 16
_1 = np.uint32(1)


def play(rows: Rows, prf: str, keys: UInt64s, layers: int, rng: np.random.Generator) -> Int64s:
    """A token for each row, int64 [batch]; one uniform number a row is drawn from `rng`.

    Raises:
        ValueError: a row with NaN, with +inf, or without a finite logit; named by its number.
    """
    out = np.empty(len(rows.logits), np.int64)
    _player()(
        number_of(prf), rows.logits, rows.logits.view(np.int32), rows.contexts, keys,
        rows.temperatures, rows.top_k, layers, rng.random(len(out)), out,
    )  # fmt: skip
    return tokens_of(out)


@cache
def _player() -> Callable[..., None]:
    return _play(digest_of(*_SOURCES))  # type: ignore[no-any-return]


@inlined
def _sum(values: Any, lanes: Any) -> Any:
    """The sum of values whose number is a multiple of the lanes'."""
    lanes[:] = 0.0
    for start in range(0, values.shape[0], _LANES):
        some = values[start : start + _LANES]
        for j in range(_LANES):
            lanes[j] += some[j]
    whole = 0.0
    for j in range(_LANES):
        whole += lanes[j]
    return whole


@inlined
def _layered(chances: Any, words: Any, won: Any, layers: Any, lanes: Any) -> None:
    """What the layers make of the weights of the candidates; `won` and `lanes` are scratch."""
    whole = _sum(chances, lanes)
    for j in range(chances.shape[0]):
        chances[j] /= whole
    for layer in range(layers):
        for j in range(chances.shape[0]):
            won[j] = chances[j] * float64((words[j] >> uint32(layer)) & _1)
        lost = 1.0 - _sum(won, lanes)
        for j in range(chances.shape[0]):
            chances[j] = chances[j] * lost + won[j]


def _play(sources: int) -> Any:
    @njit(
        types.void(
            types.int64, given(types.float32, 2), given(types.int32, 2), given(types.int64, 2),
            given(types.uint64), given(types.float64), given(types.int64), types.int64,
            given(types.float64), result(types.int64),
        ),
        **ENTRY,
    )  # fmt: skip
    def play_each(  # type: ignore[no-untyped-def]
        prf, logits, bits, contexts, keys, temperatures, top_k, layers, uniforms, out
    ):
        """The token of each row, or what is wrong with it."""
        if sources < 0:
            return
        rows, vocabulary = logits.shape
        blocks = (vocabulary + BLOCK - 1) // BLOCK
        maxima, spare = np.empty(blocks, np.int32), np.empty(blocks, np.int32)
        candidates, state = np.empty(vocabulary, np.int64), np.zeros(4, np.uint64)
        room = blocks * BLOCK
        ids, words = np.empty(room, np.uint32), np.zeros(room, np.uint32)
        chances, won, lanes = np.empty(room), np.empty(room), np.empty(_LANES)
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
            row, cold, k = logits[r], 1.0 / temperatures[r], top_k[r]
            b = largest_of(maxima)
            most = float64(row[b * BLOCK : (b + 1) * BLOCK].max())
            context_state(prf, contexts[r], keys[r], state)
            whole = k <= 0 or k >= vocabulary
            if whole:
                kept = vocabulary
                for b in range(blocks):
                    words_from(prf, state, keys[r], b * BLOCK, words[b * BLOCK : (b + 1) * BLOCK])
                for token in range(vocabulary):
                    chances[token] = np.exp((float64(row[token]) - most) * cold)
            else:
                kept = top_of(bits[r], maxima, spare, k, candidates)
                for i in range(kept):
                    ids[i] = uint32(ID_BITS - (candidates[i] & ID_BITS))
                words_of(prf, state, keys[r], ids[:kept], words[:kept])
                for i in range(kept):
                    chances[i] = np.exp((float64(row[int64(ids[i])]) - most) * cold)
            padded = (kept + _LANES - 1) // _LANES * _LANES
            chances[kept:padded] = 0.0
            _layered(chances[:padded], words[:padded], won[:padded], layers, lanes)
            said = picked(chances, kept, uniforms[r])
            out[r] = said if whole else int64(ids[said])

    return play_each
