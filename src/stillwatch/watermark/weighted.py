"""Sums of scores with weights under many keys: many tokens of each context at once.

Compiled. For a test of a model, where each context gives a weight to each of many tokens, rather
than one token. Scores here are float32: within 2^-22 of those of a mark.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import float32, njit, types, uint32, uint64

from stillwatch.watermark.compiled import ENTRY, digest_of, given, inlined, result
from stillwatch.watermark.cores import over_all_cores
from stillwatch.watermark.green_list import GreenListMark
from stillwatch.watermark.gumbel import GumbelMark
from stillwatch.watermark.keys import MarkKey
from stillwatch.watermark.layers import LayerMark
from stillwatch.watermark.mark import Floats, Int64s, Mark, UInt64s
from stillwatch.watermark.philox import CONTEXT_DOMAIN, MASK, philox_absorb, philox_word
from stillwatch.watermark.premix import premix_begin, premix_context, premix_token, premix_word
from stillwatch.watermark.prf import number_of
from stillwatch.watermark.words import MURMUR, PREMIX

__all__ = ["SOURCES", "weighted_totals"]

SOURCES = ("philox", "premix", "weighted")

_LANES = 64
#: pairs that are worked on at a time, whose words stay in the nearest cache
_BLOCK = 4_096
#: pairs × keys of one task, some tens of milliseconds
_TASK = 1 << 23
_EXPONENT, _BIAS = np.int32(23), np.int32(127)
_FRACTION, _ONE = np.int32((1 << 23) - 1), np.int32(127 << 23)
_ROOT, _LN2 = np.float32(np.sqrt(2)), np.float32(np.log(2))
#: of atanh(s) / s in powers of s², halved powers of 2 in
_A3, _A5, _A7, _A9 = (np.float32(2 / n) for n in (3, 5, 7, 9))
_8, _32, _FULL = np.uint32(8), np.uint64(32), np.uint32(1 << 24)


def weighted_totals(
    mark: Mark, contexts: Int64s, tokens: Int64s, weights: npt.NDArray[np.float32], keys: UInt64s
) -> Floats:
    """Σ weight · score over all windows under each key, float64 [keys], on all cores.

    Gumbel and green-list marks, and layers of those, are compiled; another scheme, and SGLang's
    keyed function, is asked for its scores key by key.

    Args:
        mark: its key does not matter.
        contexts: int64 [n, context].
        tokens: int64 [n, k], the tokens of each context.
        weights: float32 [n, k]; 0 where a context has fewer.

    Raises:
        ValueError: arrays of other shapes.
    """
    contexts = np.ascontiguousarray(contexts, np.int64)
    tokens = np.ascontiguousarray(tokens, np.int64)
    weights = np.ascontiguousarray(weights, np.float32)
    keys = np.ascontiguousarray(keys, np.uint64)
    if contexts.ndim != 2 or contexts.shape[1] < 1 or tokens.shape != weights.shape:
        raise ValueError("contexts are [n, context], tokens and weights [n, k]")
    if tokens.ndim != 2 or len(tokens) != len(contexts):
        raise ValueError("there is one row of tokens for each context")
    if not tokens.size or not len(keys):
        return np.zeros(len(keys))
    inner = mark.mark if isinstance(mark, LayerMark) else mark
    compiled = isinstance(inner, GumbelMark | GreenListMark) and number_of(inner.prf) != MURMUR
    if compiled and isinstance(inner, GumbelMark):
        return _over_tasks(inner.prf, 0, contexts, tokens, weights, keys)
    if compiled and isinstance(inner, GreenListMark):
        return _over_tasks(inner.prf, inner.below, contexts, tokens, weights, keys)
    out = np.empty(len(keys))
    repeated = np.repeat(contexts, tokens.shape[1], axis=0)
    for place, key in enumerate(keys):
        one = mark.with_key(MarkKey(int(key), "", "", mark.scheme))
        out[place] = one.scores(repeated, tokens.ravel()) @ weights.ravel().astype(np.float64)
    return out


def _over_tasks(
    prf: str,
    below: int,
    contexts: Int64s,
    tokens: Int64s,
    weights: npt.NDArray[np.float32],
    keys: UInt64s,
) -> Floats:
    """The totals; `below` is where green words end, 0 for Gumbel scores."""
    number, run = number_of(prf), _kernels().totals
    rows = max(1, min(len(tokens), (1 << 17) // tokens.shape[1]))
    pieces = [slice(i, i + rows) for i in range(0, len(tokens), rows)]
    many = max(1, _TASK // (rows * tokens.shape[1]))
    groups = [slice(i, i + many) for i in range(0, len(keys), many)]
    parts = np.zeros((len(pieces), len(keys)))

    def one(task: tuple[int, slice, slice]) -> None:
        place, piece, group = task
        run(
            number, np.uint32(below), keys[group], contexts[piece], tokens[piece], weights[piece],
            parts[place, group],
        )  # fmt: skip

    over_all_cores(one, [(i, piece, group) for i, piece in enumerate(pieces) for group in groups])
    out: Floats = parts.sum(axis=0)
    return out


class _Kernels(NamedTuple):
    """The compiled entry point; it releases the interpreter's lock while it runs."""

    totals: Callable[..., None]


@cache
def _kernels() -> _Kernels:
    return _Kernels(_totals(digest_of(*SOURCES)))


@njit(_nrt=False, forceinline=True, error_model="numpy")  # a check of a divisor costs all lanes
def _scored(words: Any, weights: Any, values: Any, bits: Any, left: Any, lanes: Any) -> None:
    """Add weight · -ln(1 - u) of each word, lane by lane; words are a whole number of lanes.

    1 - u = k / 2^24, and ln k comes from its exponent and a polynomial: ln m = ln √2 + 2 atanh(s),
    s = (m - √2) / (m + √2), |s| < 0.172.
    """
    for t in range(0, words.shape[0], _LANES):
        some, heavy = words[t : t + _LANES], weights[t : t + _LANES]
        for j in range(_LANES):
            values[j] = float32(np.int32(_FULL - (some[j] >> _8)))
        # loops apart, since `values` and `bits` are the same memory
        for j in range(_LANES):
            left[j] = float32(23.5) - float32(np.int32((bits[j] >> _EXPONENT) - _BIAS))
        for j in range(_LANES):
            bits[j] = np.int32((bits[j] & _FRACTION) | _ONE)
        for j in range(_LANES):
            m = values[j]
            s = (m - _ROOT) / (m + _ROOT)
            square = s * s
            series = float32(2) + square * (_A3 + square * (_A5 + square * (_A7 + square * _A9)))
            lanes[j] += heavy[j] * (left[j] * _LN2 - s * series)


@inlined
def _counted(words: Any, weights: Any, below: Any, lanes: Any) -> None:
    """Add the weight of each word that lies below `below`, lane by lane."""
    for t in range(0, words.shape[0], _LANES):
        some, heavy = words[t : t + _LANES], weights[t : t + _LANES]
        for j in range(_LANES):
            lanes[j] += heavy[j] if some[j] < below else float32(0)


def _totals(sources: int) -> Any:
    @njit(
        types.void(
            types.int64, types.uint32, given(types.uint64), given(types.int64, 2),
            given(types.int64, 2), given(types.float32, 2), result(types.float64),
        ),
        **ENTRY,
    )  # fmt: skip
    def totals(prf, below, keys, contexts, tokens, weights, out):  # type: ignore[no-untyped-def]
        """The weighted sum of scores under each key."""
        if sources < 0:
            return
        out[:] = 0.0
        n, many = tokens.shape
        width = contexts.shape[1]
        rows = max(1, _BLOCK // many)
        room = (rows * many + _LANES - 1) // _LANES * _LANES
        found, heavy = np.zeros(room, np.uint32), np.zeros(room, np.float32)
        low, high = np.zeros(room, np.uint32), np.zeros(room, np.uint32)
        block = np.full((width + 3) // 4 * 4, np.uint64(0))
        values, lanes = np.empty(_LANES, np.float32), np.empty(_LANES, np.float32)
        bits, left = values.view(np.int32), np.empty(_LANES, np.float32)
        for start in range(0, n, rows):
            count = min(rows, n - start)
            size = count * many
            heavy[:] = float32(0)
            for r in range(count):
                for j in range(many):
                    heavy[r * many + j] = weights[start + r, j]
            if prf == PREMIX:
                for r in range(count):
                    state = premix_begin(width)
                    for i in range(width):
                        state = premix_context(state, uint64(contexts[start + r, i]) & MASK)
                    for j in range(many):
                        both = premix_token(state, uint64(tokens[start + r, j]) & MASK)
                        low[r * many + j] = uint32(both & MASK)
                        high[r * many + j] = uint32(both >> _32)
            else:
                for r in range(count):
                    for j in range(many):
                        low[r * many + j] = uint32(uint64(tokens[start + r, j]) & MASK)
            for k in range(keys.shape[0]):
                key = keys[k]
                if prf == PREMIX:
                    k0, k1 = uint32(key & MASK), uint32(key >> _32)
                    for j in range(size):
                        found[j] = premix_word(low[j], high[j], k0, k1)
                else:
                    for r in range(count):
                        for i in range(block.shape[0]):
                            block[i] = MASK - uint64(i % 4)
                        for i in range(width):
                            block[i] = uint64(contexts[start + r, i]) & MASK
                        s0, s1, s2, s3 = CONTEXT_DOMAIN, uint64(width), uint64(0), uint64(0)
                        for offset in range(0, block.shape[0], 4):
                            s0, s1, s2, s3 = philox_absorb(
                                s0, s1, s2, s3, block[offset], block[offset + 1],
                                block[offset + 2], block[offset + 3], offset, key,
                            )  # fmt: skip
                        some, here = low[r * many : (r + 1) * many], found[r * many :]
                        for j in range(many):
                            here[j] = uint32(philox_word(s0, s1, s2, s3, uint64(some[j]), key))
                lanes[:] = float32(0)
                if below:
                    _counted(found, heavy, below, lanes)
                else:
                    _scored(found, heavy, values, bits, left, lanes)
                total = 0.0
                for j in range(_LANES):
                    total += lanes[j]
                out[k] += total

    return totals
