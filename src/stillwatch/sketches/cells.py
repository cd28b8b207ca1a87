"""Tokens → keyed n-grams → the smallest of them: style cells and shingles."""

from __future__ import annotations

import numpy as np

from stillwatch.sketches import layout as ly
from stillwatch.sketches import masks as ma
from stillwatch.sketches.compiled import compiled
from stillwatch.sketches.layout import Bytes, Int, Int32s, Int64s, UInt64, UInt64s
from stillwatch.sketches.siphash import siphash_each
from stillwatch.sketches.smallest import keep_smallest

__all__ = [
    "CELLS", "CELL_CHARACTERS", "CELL_WORDS", "EDGE", "MOST_SHINGLES", "MULTIPLIER", "SHINGLES",
    "SHINGLE_CHARACTERS", "SHINGLE_RATE", "SHINGLE_WORDS", "add_cells", "add_shingles",
    "list_cells",
]  # fmt: skip

CELL_WORDS, CELL_CHARACTERS, CELLS = 5, 8, 16
EDGE = 64
"""Tokens at each end of a long text that cells are taken from."""
SHORT_WEIGHT = 6
"""A text without a window is one cell when two for a word and one for a character reach this."""

SHINGLE_WORDS, SHINGLE_CHARACTERS = 6, 12
SHINGLES, MOST_SHINGLES, SHINGLE_RATE = 8, 64, 16
"""At least 8 shingles are kept, then one in 16, at most 64."""

MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)


@compiled
def _combine_windows(
    tokens: UInt64s, begin: int, count: int, length: int, values: UInt64s, at: int
) -> None:
    """Polynomials in the hashes of `length` tokens, modulo 2**64, which keep their order."""
    for i in range(count):
        values[np.uint64(at + i)] = tokens[np.uint64(begin + i)]
    for j in range(1, length):
        for i in range(count):
            v = values[np.uint64(at + i)] * MULTIPLIER
            values[np.uint64(at + i)] = v + tokens[np.uint64(begin + i + j)]


@compiled
def _combine_one(tokens: UInt64s, begin: int, length: int) -> UInt64:
    value = tokens[begin]
    for j in range(begin + 1, begin + length):
        value = value * MULTIPLIER + tokens[j]
    return value


@compiled
def _list_range(
    tokens: UInt64s, kinds: Bytes, begin: int, end: int, k0: UInt64, k1: UInt64,
    values: UInt64s, lengths: Bytes,
) -> bool:  # fmt: skip
    """The cells that begin and end in ``tokens[begin:end]``; whether there is any."""
    lengths[begin:end] = 0
    windows = end - begin - CELL_WORDS + 1
    if windows < 1:
        return False
    _combine_windows(tokens, begin, windows, CELL_WORDS, values, begin)
    found = False
    characters = masks = 0
    for i in range(begin, begin + CELL_WORDS - 1):
        characters += kinds[i] == ma.CHARACTER
        masks += kinds[i] == ma.MASKED
    for i in range(begin, begin + windows):
        last = i + CELL_WORDS - 1
        characters += kinds[last] == ma.CHARACTER
        masks += kinds[last] == ma.MASKED
        if characters > 0:
            if i + CELL_CHARACTERS <= end:  # masks never touch: at most half of eight
                lengths[i] = CELL_CHARACTERS
                values[i] = _combine_one(tokens, i, CELL_CHARACTERS)
                found = True
        elif masks * 2 < CELL_WORDS:
            lengths[i] = CELL_WORDS
            found = True
        characters -= kinds[i] == ma.CHARACTER
        masks -= kinds[i] == ma.MASKED
    siphash_each(values, begin, begin + windows, k0, k1)
    return found


@compiled
def list_cells(
    tokens: UInt64s, kinds: Bytes, t: int, k0: UInt64, k1: UInt64,
    values: UInt64s, lengths: Bytes,
) -> None:  # fmt: skip
    """Every cell of a text, at the token that it begins at; length 0 where none does.

    A text of more than twice :data:`EDGE` tokens counts as two: its first and its last ones.
    Only those entries of `values` and `lengths` are written.
    """
    zero = np.int64(0)  # a literal would make numba compile the callees once more
    if t > 2 * EDGE:
        _list_range(tokens, kinds, zero, np.int64(EDGE), k0, k1, values, lengths)
        _list_range(tokens, kinds, t - EDGE, t, k0, k1, values, lengths)
        return
    if _list_range(tokens, kinds, zero, t, k0, k1, values, lengths) or t > CELL_CHARACTERS:
        return
    weight = 0
    for i in range(t):
        weight += 0 if kinds[i] == ma.MASKED else (1 if kinds[i] == ma.CHARACTER else 2)
    if weight >= SHORT_WEIGHT:
        lengths[0] = t
        values[0] = _combine_one(tokens, zero, t)
        siphash_each(values, zero, np.int64(1), k0, k1)


@compiled
def add_cells(
    values: UInt64s, lengths: Bytes, t: int, scratch: Int64s, cells: Int64s, begin: int
) -> Int:
    """The smallest listed cells into ``cells[begin:]``, ascending. Returns how many."""
    n = np.int64(0)
    for i in range(t):
        if t <= 2 * EDGE or i < EDGE or i >= t - EDGE:
            scratch[n] = np.int64(values[i])
            n += lengths[i] != 0
    return keep_smallest(scratch, n, cells, begin, np.int64(CELLS))


@compiled
def add_shingles(
    hashes: UInt64s, words: Int32s, first: int, n: int, k0: UInt64, k1: UInt64,
    values: UInt64s, shingles: Int64s, begin: int,
) -> Int:  # fmt: skip
    """The smallest shingles of the words from `first` on into ``shingles[begin:]``; how many."""
    windows = n - first - SHINGLE_WORDS + 1
    if windows < 1:
        return np.int64(0)
    _combine_windows(hashes, first, windows, SHINGLE_WORDS, values, np.int64(0))
    usable = np.int64(0)
    since = SHINGLE_WORDS  # words since the last character
    for j in range(first, n):
        since = 0 if words[j, ly.FLAGS] & ly.CHARACTER else since + 1
        i = j - SHINGLE_WORDS + 1
        if i >= first and since >= SHINGLE_WORDS:
            values[usable] = values[i - first]
            usable += 1
        elif i >= first and i + SHINGLE_CHARACTERS <= n:
            values[usable] = _combine_one(hashes, i, SHINGLE_CHARACTERS)
            usable += 1
    siphash_each(values, np.int64(0), usable, k0, k1)
    most = min(max(SHINGLES, (windows + SHINGLE_RATE - 1) // SHINGLE_RATE), MOST_SHINGLES)
    return keep_smallest(values.view(np.int64), usable, shingles, begin, most)
