"""The 32 random-looking bits that a key gives a token in a context, and their sums over a text.

Compiled entry points. A word w stands for the uniform number u = ((w >> 8) + 1) / (2^24 + 1),
rounded to float32, as in vLLM, or with SGLang's function for u = (w + 1/2) / 2^32; the Gumbel score
of a token is -ln(1 - u).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numba import float64, njit, types, uint32, uint64

from stillwatch.watermark.compiled import ENTRY, digest_of, given, inlined, result
from stillwatch.watermark.murmur import (
    MISSING,
    murmur_absorb,
    murmur_finish,
    murmur_key,
    murmur_scramble,
    murmur_word,
)
from stillwatch.watermark.philox import CONTEXT_DOMAIN, MASK, philox_absorb, philox_word
from stillwatch.watermark.premix import premix_begin, premix_context, premix_token, premix_word

__all__ = [
    "MURMUR", "PHILOX", "PREMIX", "SOURCES", "WordKernels", "prepare", "word_kernels",
    "words_under",
]  # fmt: skip

PHILOX, PREMIX, MURMUR = 0, 1, 2
#: what the words are made by; for the digest of kernels that call these functions
SOURCES = ("murmur", "philox", "premix", "words")

_LANES = 64
#: factors of at least 2^-33 that a float64 takes without underflow
_FACTORS = 30
_CHUNK = _LANES * _FACTORS
_STEP, _FINE_STEP = 2.0**-24, 2.0**-32
_EXPONENT, _ONE, _FRACTION = 52, 1023, (1 << 52) - 1
_8, _32, _FULL = np.uint32(8), np.uint64(32), np.uint32(1 << 24)


class WordKernels(NamedTuple):
    """The compiled entry points; each releases the interpreter's lock while it runs."""

    words: Callable[..., None]
    totals: Callable[..., None]
    greens: Callable[..., None]


@cache
def word_kernels() -> WordKernels:
    """Compile the entry points, or load them from the cache."""
    sources = digest_of(*SOURCES)
    return WordKernels(_words(sources), _totals(sources), _greens(sources))


@inlined
def _premixed(contexts: Any, tokens: Any, start: Any, states: Any, low: Any, high: Any) -> None:
    """The halves of 64 bits of each (context, token) from `start` on; `states` is scratch."""
    width, targets = contexts.shape[1], tokens[start:]
    for j in range(states.shape[0]):
        states[j] = premix_begin(width)
    for i in range(width):
        column = contexts[start:, i]
        for j in range(states.shape[0]):
            states[j] = premix_context(states[j], uint64(column[j]) & MASK)
    for j in range(states.shape[0]):
        both = premix_token(states[j], uint64(targets[j]) & MASK)
        low[j], high[j] = uint32(both & MASK), uint32(both >> _32)


@inlined
def _murmured(contexts: Any, tokens: Any, start: Any, states: Any, low: Any, high: Any) -> None:
    """The hash of each context, and the token, scrambled; `states` is scratch."""
    low[:], states[:] = uint32(0), uint64(0)
    for i in range(contexts.shape[1]):
        column = contexts[start:, i]
        for j in range(low.shape[0]):
            token = uint32(uint64(column[j]) & MASK)
            longer = murmur_absorb(low[j], murmur_scramble(token))
            low[j] = low[j] if token == MISSING else longer
            states[j] += uint64(token != MISSING)
    targets = tokens[start:]
    for j in range(low.shape[0]):
        low[j] = murmur_scramble(murmur_finish(low[j], uint32(states[j])))
        high[j] = murmur_scramble(uint32(uint64(targets[j]) & MASK))


@inlined
def _columns(contexts: Any, start: Any, columns: Any) -> None:
    """The contexts from `start` on, a token a row, filled up to a multiple of four rows."""
    width = contexts.shape[1]
    for i in range(columns.shape[0]):
        row = columns[i]
        if i < width:
            for j in range(row.shape[0]):
                row[j] = uint32(uint64(contexts[start + j, i]) & MASK)
        else:
            row[:] = uint32(MASK - uint64(i % 4))


@inlined
def _philox_words(columns: Any, width: Any, tokens: Any, key: Any, states: Any, out: Any) -> None:
    """The words of one key; `states` is scratch."""
    s0, s1, s2, s3 = states[0], states[1], states[2], states[3]
    s0[:], s1[:], s2[:], s3[:] = uint32(CONTEXT_DOMAIN), uint32(width), uint32(0), uint32(0)
    for offset in range(0, columns.shape[0], 4):
        t0, t1, t2, t3 = (
            columns[offset], columns[offset + 1], columns[offset + 2], columns[offset + 3],
        )  # fmt: skip
        for j in range(out.shape[0]):
            a, b, c, d = philox_absorb(
                uint64(s0[j]), uint64(s1[j]), uint64(s2[j]), uint64(s3[j]),
                uint64(t0[j]), uint64(t1[j]), uint64(t2[j]), uint64(t3[j]), offset, key,
            )  # fmt: skip
            s0[j], s1[j], s2[j], s3[j] = uint32(a), uint32(b), uint32(c), uint32(d)
    for j in range(out.shape[0]):
        out[j] = uint32(
            philox_word(
                uint64(s0[j]), uint64(s1[j]), uint64(s2[j]), uint64(s3[j]), uint64(tokens[j]), key
            )
        )


@inlined
def _premix_words(low: Any, high: Any, key: Any, out: Any) -> None:
    k0, k1 = uint32(key & MASK), uint32(key >> _32)
    for j in range(out.shape[0]):
        out[j] = premix_word(low[j], high[j], k0, k1)


@inlined
def _murmur_words(low: Any, high: Any, key: Any, out: Any) -> None:
    keyed = murmur_key(key)
    for j in range(out.shape[0]):
        out[j] = murmur_word(keyed, low[j], high[j])


@inlined
def prepare(
    prf: Any, contexts: Any, tokens: Any, start: Any, mixed: Any, columns: Any, low: Any, high: Any
) -> None:
    """What is the same for every key, of the windows from `start` on, as many as `low` holds.

    Args:
        mixed: uint64 [low], scratch.
        columns: uint32 [width, rounded up to fours, low].
        low, high: uint32.
    """
    if prf == PREMIX:
        _premixed(contexts, tokens, start, mixed, low, high)
    elif prf == MURMUR:
        _murmured(contexts, tokens, start, mixed, low, high)
    else:
        _columns(contexts, start, columns)
        for j in range(low.shape[0]):
            low[j] = uint32(uint64(tokens[start + j]) & MASK)


@inlined
def words_under(
    prf: Any, key: Any, width: Any, columns: Any, low: Any, high: Any, states: Any, out: Any
) -> None:
    """The words of one key, after :func:`prepare`; `states`, uint32 [4, low], is scratch."""
    if prf == PREMIX:
        _premix_words(low, high, key, out)
    elif prf == MURMUR:
        _murmur_words(low, high, key, out)
    else:
        _philox_words(columns, width, low, key, states, out)


@inlined
def _total(prf: Any, words: Any, lanes: Any, bits: Any) -> Any:
    """Σ -ln(1 - u) of at most a chunk of words.

    As one product of numbers 1 - u, (2^24 - (w >> 8)) / 2^24 or (2^32 - w - 1/2) / 2^32, lane by
    lane, and one logarithm at the end. Where u < 1/2 the former differs from the float32 of vLLM by
    less than 2^-24.
    """
    lanes[:] = 1.0
    whole = words.shape[0] // _LANES * _LANES
    rest = words[whole:]
    if prf == MURMUR:
        for t in range(0, whole, _LANES):
            some = words[t : t + _LANES]
            for j in range(_LANES):
                lanes[j] *= (float64(uint32(~some[j])) + 0.5) * _FINE_STEP
        for j in range(rest.shape[0]):
            lanes[j] *= (float64(uint32(~rest[j])) + 0.5) * _FINE_STEP
    else:
        for t in range(0, whole, _LANES):
            some = words[t : t + _LANES]
            for j in range(_LANES):
                lanes[j] *= float64(uint32(_FULL - (some[j] >> _8))) * _STEP
        for j in range(rest.shape[0]):
            lanes[j] *= float64(uint32(_FULL - (rest[j] >> _8))) * _STEP
    exponent, fraction = 0, 1.0
    for j in range(_LANES):
        exponent += (bits[j] >> _EXPONENT) - _ONE
        bits[j] = (bits[j] & _FRACTION) | (_ONE << _EXPONENT)
    for j in range(_LANES):
        fraction *= lanes[j]
    return -(exponent * np.log(2.0) + np.log(fraction))


def _words(sources: int) -> Any:
    @njit(
        types.void(
            types.int64, types.uint64, given(types.int64, 2), given(types.int64),
            result(types.uint32),
        ),
        **ENTRY,
    )  # fmt: skip
    def words(prf, key, contexts, tokens, out):  # type: ignore[no-untyped-def]
        """The word of each token after its context, under one key."""
        if sources < 0:
            return
        n, width = contexts.shape
        padded = (width + 3) // 4 * 4
        for start in range(0, n, _CHUNK):
            size = min(_CHUNK, n - start)
            mixed, columns = np.empty(size, np.uint64), np.empty((padded, size), np.uint32)
            low, high = np.empty(size, np.uint32), np.empty(size, np.uint32)
            states = np.empty((4, size), np.uint32)
            prepare(prf, contexts, tokens, start, mixed, columns, low, high)
            some = out[start : start + size]
            words_under(prf, key, width, columns, low, high, states, some)

    return words


def _totals(sources: int) -> Any:
    @njit(
        types.void(
            types.int64, given(types.uint64), given(types.int64, 2), given(types.int64),
            result(types.float64),
        ),
        **ENTRY,
    )  # fmt: skip
    def totals(prf, keys, contexts, tokens, out):  # type: ignore[no-untyped-def]
        """The sum of Gumbel scores under each key."""
        if sources < 0:
            return
        out[:] = 0.0
        lanes = np.empty(_LANES, np.float64)
        bits = lanes.view(np.int64)
        n, width = contexts.shape
        padded = (width + 3) // 4 * 4
        for start in range(0, n, _CHUNK):
            size = min(_CHUNK, n - start)
            mixed, columns = np.empty(size, np.uint64), np.empty((padded, size), np.uint32)
            low, high = np.empty(size, np.uint32), np.empty(size, np.uint32)
            states = np.empty((4, size), np.uint32)
            prepare(prf, contexts, tokens, start, mixed, columns, low, high)
            found = np.empty(size, np.uint32)
            for k in range(keys.shape[0]):
                words_under(prf, keys[k], width, columns, low, high, states, found)
                out[k] += _total(prf, found, lanes, bits)

    return totals


def _greens(sources: int) -> Any:
    @njit(
        types.void(
            types.int64, given(types.uint64), given(types.int64, 2), given(types.int64),
            types.uint32, result(types.int64),
        ),
        **ENTRY,
    )  # fmt: skip
    def greens(prf, keys, contexts, tokens, below, out):  # type: ignore[no-untyped-def]
        """How many words lie below `below` under each key: the hits of a green list."""
        if sources < 0:
            return
        out[:] = 0
        n, width = contexts.shape
        padded = (width + 3) // 4 * 4
        for start in range(0, n, _CHUNK):
            size = min(_CHUNK, n - start)
            mixed, columns = np.empty(size, np.uint64), np.empty((padded, size), np.uint32)
            low, high = np.empty(size, np.uint32), np.empty(size, np.uint32)
            states = np.empty((4, size), np.uint32)
            prepare(prf, contexts, tokens, start, mixed, columns, low, high)
            found = np.empty(size, np.uint32)
            for k in range(keys.shape[0]):
                words_under(prf, keys[k], width, columns, low, high, states, found)
                hits = 0
                for j in range(size):
                    hits += found[j] < below
                out[k] += hits

    return greens
