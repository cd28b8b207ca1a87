"""Gumbel-max among the k most likely tokens of each row, in little more than one read of the row.

Compiled entry point. Of each block of 128 logits the largest is found, which takes 11 µs for 128k.
The k-th largest of these maxima is at most the k-th largest logit, so only blocks that reach it can
hold one of the top k; their few hundred candidates are ranked exactly, ties to the lowest id, and
only the top k meet the keyed function. Without a top k, a block whose maximum could not win even
with the largest noise is passed over, and so is a token by a bound from the exponent of its noise:
the choice is that of looking at every token.

Logits are read as integers whose order is theirs, so that NaN is seen, not skipped.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numba import float64, int32, int64, njit, types, uint32, uint64

from stillwatch.watermark.compiled import ENTRY, digest_of, given, inlined, result
from stillwatch.watermark.murmur import (
    MISSING,
    murmur_absorb,
    murmur_finish,
    murmur_key,
    murmur_scramble,
    murmur_word,
)
from stillwatch.watermark.philox import (
    CONTEXT_DOMAIN,
    MASK,
    philox_absorb,
    philox_four,
    philox_word,
)
from stillwatch.watermark.premix import premix_begin, premix_context, premix_token, premix_word
from stillwatch.watermark.words import MURMUR, PREMIX, SOURCES

__all__ = [
    "ABOVE_NOTHING", "BLOCK", "ID_BITS", "INFINITE", "INF_BITS", "NAN", "NONE", "block_maxima",
    "chooser", "context_state", "largest_of", "top_of", "words_from", "words_of",
]  # fmt: skip

#: what is wrong with a row, in place of its token
NAN, INFINITE, NONE = -1, -2, -3
BLOCK = 128

_LOWEST, INF_BITS, _LOW31 = np.int32(-(2**31)), np.int32(0x7F800000), np.int32(0x7FFFFFFF)
ABOVE_NOTHING = np.int32(-0x7F800000)  # in this order, the next after -inf
_MANTISSA, _FULL = np.int32(23), np.uint32(1 << 24)
_31, _8, _2 = np.int32(31), np.uint32(8), np.uint64(2)
_32 = np.uint64(32)
#: the noise of the largest uniform number is 16.636, and 22.874 with SGLang's function
_MOST_NOISE, _MOST_FINE_NOISE = 16.7, 22.9
_HALF, _FINE_SCALE = np.uint32(1 << 31), 2.0**-32
ID_BITS = np.int64(0xFFFFFFFF)
_LN2 = np.log(2.0)
_SCALE = 1.0 / (2**24 + 1)


@cache
def chooser() -> Callable[..., None]:
    """Compile the entry point, or load it from the cache."""
    return _choose(digest_of("choosing", *SOURCES))  # type: ignore[no-any-return]


@inlined
def _ordered(bits: Any) -> Any:
    """An int32 with the order of the float32 of these bits; NaN lies beyond the infinities."""
    return int32(bits ^ int32(int32(bits >> _31) & _LOW31))


@inlined
def block_maxima(bits: Any, out: Any) -> Any:
    """The largest of each block, and the largest magnitude of all."""
    magnitude = int32(0)
    for b in range(out.shape[0]):
        block = bits[b * BLOCK : (b + 1) * BLOCK]
        top, most = _LOWEST, int32(0)
        for j in range(block.shape[0]):
            top = max(top, _ordered(block[j]))
            most = max(most, int32(block[j] & _LOW31))
        out[b] = top
        magnitude = max(magnitude, most)
    return magnitude


@inlined
def largest_of(maxima: Any) -> Any:
    """The block of the largest logit, the first of several."""
    first = 0
    for b in range(maxima.shape[0]):
        if maxima[b] > maxima[first]:
            first = b
    return first


@inlined
def _kth_largest(values: Any, count: Any, k: Any) -> Any:
    """The k-th largest of ``values[:count]``, which are moved about (Hoare's selection)."""
    low, high, place = 0, count - 1, count - k
    while low < high:
        pivot = values[(low + high) >> 1]
        i, j = low, high
        while i <= j:
            while values[i] < pivot:
                i += 1
            while values[j] > pivot:
                j -= 1
            if i <= j:
                values[i], values[j] = values[j], values[i]
                i += 1
                j -= 1
        if place <= j:
            high = j
        elif place >= i:
            low = i
        else:
            break
    return values[place]


@inlined
def _noise(prf: Any, word: Any) -> Any:
    """-ln(-ln u), u rounded to float32 as vLLM does; as SGLang has it, to 32 bits."""
    if prf == MURMUR:
        if word < _HALF:
            return -np.log(-np.log((float64(word) + 0.5) * _FINE_SCALE))
        return -np.log(-np.log1p(-(float64(uint32(~word)) + 0.5) * _FINE_SCALE))
    u = float64(np.float32((float64(word >> _8) + 1.0) * _SCALE))
    return -np.log(-np.log(u))


@inlined
def context_state(prf: Any, context: Any, key: Any, state: Any) -> None:
    """The state of the keyed function after a context."""
    width = context.shape[0]
    if prf == PREMIX:
        mixed = premix_begin(width)
        for i in range(width):
            mixed = premix_context(mixed, uint64(context[i]) & MASK)
        state[0] = mixed
        return
    if prf == MURMUR:
        hashed, length = uint32(0), uint32(0)
        for i in range(width):
            token = uint32(uint64(context[i]) & MASK)
            if token != MISSING:
                hashed = murmur_absorb(hashed, murmur_scramble(token))
                length = uint32(length + uint32(1))
        state[0] = uint64(murmur_scramble(murmur_finish(hashed, length)))
        return
    s0, s1, s2, s3 = CONTEXT_DOMAIN, uint64(width), uint64(0), uint64(0)
    for offset in range(0, width, 4):
        t0 = uint64(context[offset]) & MASK
        t1 = uint64(context[offset + 1]) & MASK if offset + 1 < width else MASK - uint64(1)
        t2 = uint64(context[offset + 2]) & MASK if offset + 2 < width else MASK - uint64(2)
        t3 = uint64(context[offset + 3]) & MASK if offset + 3 < width else MASK - uint64(3)
        s0, s1, s2, s3 = philox_absorb(s0, s1, s2, s3, t0, t1, t2, t3, offset, key)
    state[0], state[1], state[2], state[3] = s0, s1, s2, s3


@inlined
def words_of(prf: Any, state: Any, key: Any, ids: Any, words: Any) -> None:
    """The word of each of some tokens."""
    s0, s1, s2, s3 = state[0], state[1], state[2], state[3]
    if prf == PREMIX:
        k0, k1 = uint32(key & MASK), uint32(key >> _32)
        for j in range(ids.shape[0]):
            both = premix_token(s0, uint64(ids[j]))
            words[j] = premix_word(uint32(both & MASK), uint32(both >> _32), k0, k1)
    elif prf == MURMUR:
        keyed = murmur_key(key)
        for j in range(ids.shape[0]):
            words[j] = murmur_word(keyed, uint32(s0), murmur_scramble(uint32(ids[j])))
    else:
        for j in range(ids.shape[0]):
            words[j] = uint32(philox_word(s0, s1, s2, s3, uint64(ids[j]), key))


@inlined
def words_from(prf: Any, state: Any, key: Any, first: Any, words: Any) -> None:
    """The words of the tokens from `first`, a multiple of four, on; as many as there is room."""
    s0, s1, s2, s3 = state[0], state[1], state[2], state[3]
    if prf == PREMIX:
        k0, k1 = uint32(key & MASK), uint32(key >> _32)
        for j in range(words.shape[0]):
            both = premix_token(s0, uint64(first + j))
            words[j] = premix_word(uint32(both & MASK), uint32(both >> _32), k0, k1)
    elif prf == MURMUR:
        keyed = murmur_key(key)
        for j in range(words.shape[0]):
            words[j] = murmur_word(keyed, uint32(s0), murmur_scramble(uint32(first + j)))
    else:
        for q in range(words.shape[0] // 4):
            quarter = (uint64(first) >> _2) + uint64(q)
            w0, w1, w2, w3 = philox_four(s0, s1, s2, s3, quarter, key)
            words[4 * q], words[4 * q + 1] = uint32(w0), uint32(w1)
            words[4 * q + 2], words[4 * q + 3] = uint32(w2), uint32(w3)


@inlined
def top_of(bits: Any, maxima: Any, spare: Any, k: Any, candidates: Any) -> Any:
    """Put the k largest logits, as (order, id) in one int64 each, first; how many there are."""
    blocks = maxima.shape[0]
    least = ABOVE_NOTHING
    if blocks >= k:
        for b in range(blocks):
            spare[b] = maxima[b]
        least = max(least, _kth_largest(spare, blocks, k))
    count = 0
    for b in range(blocks):
        if maxima[b] >= least:
            block = bits[b * BLOCK : (b + 1) * BLOCK]
            for j in range(block.shape[0]):
                order = _ordered(block[j])
                if order >= least:
                    candidates[count] = (int64(order) << 32) | (ID_BITS - int64(b * BLOCK + j))
                    count += 1
    if count <= k:
        return count
    kth = _kth_largest(candidates, count, k)
    kept = 0
    for i in range(count):
        if candidates[i] >= kth:
            candidates[kept] = candidates[i]
            kept += 1
    return kept


@inlined
def _among(prf: Any, row: Any, state: Any, key: Any, cold: Any, ids: Any, words: Any) -> Any:
    """The one of these tokens whose logit / temperature + noise is largest."""
    words_of(prf, state, key, ids, words)
    best, chosen = -np.inf, int64(-1)
    for j in range(ids.shape[0]):
        token = int64(ids[j])
        score = float64(row[token]) * cold + _noise(prf, words[j])
        if score > best or (score == best and token < chosen):
            best, chosen = score, token
    return chosen


@inlined
def _bounds(
    prf: Any, some: Any, words: Any, cold: Any, left: Any, exponents: Any, out: Any
) -> None:
    """At least logit / temperature + noise of each token of a block.

    The noise -ln(-ln u) is at most -ln(1 - u), and 1 - u is at least 2^(e - 24), e the exponent of
    what is left of 2^24 (of 2^32 with SGLang's function). Where nothing is left, e is -127.
    """
    most = 32 if prf == MURMUR else 24
    for j in range(some.shape[0]):
        rest = uint32(~words[j]) if prf == MURMUR else uint32(_FULL - (words[j] >> _8))
        left[j] = np.float32(rest)
    for j in range(some.shape[0]):
        exponent = int32(exponents[j] >> _MANTISSA) - int32(127)
        out[j] = float64(some[j]) * cold + (most - exponent) * _LN2 + 1e-6


@inlined
def _of_all(
    prf: Any, row: Any, maxima: Any, state: Any, key: Any, cold: Any,
    words: Any, left: Any, exponents: Any, bounds: Any,
) -> Any:  # fmt: skip
    """The token of the whole vocabulary whose logit / temperature + noise is largest.

    The last four are scratch of a block, `exponents` the bits of `left`.
    """
    best, chosen, least = -np.inf, int64(-1), ABOVE_NOTHING
    first = largest_of(maxima)
    loudest = _MOST_FINE_NOISE if prf == MURMUR else _MOST_NOISE
    for step in range(maxima.shape[0] + 1):
        b = first if step == 0 else step - 1  # the block that sets a high bar comes first
        if maxima[b] < least:
            continue
        some = row[b * BLOCK : (b + 1) * BLOCK]
        words_from(prf, state, key, b * BLOCK, words)
        _bounds(prf, some, words, cold, left, exponents, bounds)
        for j in range(some.shape[0]):
            if bounds[j] >= best and some[j] > -np.inf:
                token = int64(b * BLOCK + j)
                score = float64(some[j]) * cold + _noise(prf, words[j])
                if score > best or (score == best and token < chosen):
                    best, chosen = score, token
                    left[0] = np.float32((best - loudest) / cold)
                    least = max(ABOVE_NOTHING, _ordered(exponents[0]) - int32(1))
    return chosen


@inlined
def _likeliest(bits: Any, maxima: Any) -> Any:
    """The token with the largest logit, the lowest of several."""
    b = largest_of(maxima)
    for token in range(b * BLOCK, bits.shape[0]):
        if _ordered(bits[token]) == maxima[b]:
            return int64(token)
    return int64(-1)


def _choose(sources: int) -> Any:
    @njit(
        types.void(
            types.int64, given(types.float32, 2), given(types.int32, 2), given(types.int64, 2),
            given(types.uint64), given(types.float64), given(types.int64), result(types.int64),
        ),
        **ENTRY,
    )  # fmt: skip
    def choose(prf, logits, bits, contexts, keys, temperatures, top_k, out):  # type: ignore[no-untyped-def]
        """The token of each row, or what is wrong with it; `bits` are those of `logits`."""
        if sources < 0:
            return
        rows, vocabulary = logits.shape
        blocks = (vocabulary + BLOCK - 1) // BLOCK
        maxima, spare = np.empty(blocks, np.int32), np.empty(blocks, np.int32)
        candidates, state = np.empty(vocabulary, np.int64), np.zeros(4, np.uint64)
        ids, words = np.empty(vocabulary, np.uint32), np.empty(vocabulary, np.uint32)
        some, bounds = np.empty(BLOCK, np.uint32), np.empty(BLOCK, np.float64)
        left = np.empty(BLOCK, np.float32)
        exponents = left.view(np.int32)
        for r in range(rows):
            magnitude = block_maxima(bits[r], maxima)
            top = maxima.max()
            if magnitude > INF_BITS:
                out[r] = NAN
            elif top == INF_BITS:
                out[r] = INFINITE
            elif top < ABOVE_NOTHING:
                out[r] = NONE
            elif temperatures[r] == 0.0:
                out[r] = _likeliest(bits[r], maxima)
            else:
                cold = 1.0 / temperatures[r]
                context_state(prf, contexts[r], keys[r], state)
                k = top_k[r]
                if k <= 0 or k >= vocabulary:
                    out[r] = _of_all(
                        prf, logits[r], maxima, state, keys[r], cold, some, left, exponents, bounds
                    )
                else:
                    kept = top_of(bits[r], maxima, spare, k, candidates)
                    for i in range(kept):
                        ids[i] = uint32(ID_BITS - (candidates[i] & ID_BITS))
                    out[r] = _among(prf, logits[r], state, keys[r], cold, ids[:kept], words[:kept])

    return choose
