"""MurmurHash3 as SGLang keys its watermark with it, compiled: ``murmur3-32-sglang-v1``.

Appleby's MurmurHash3 (x86, 32 bits, 2011) of whole 32-bit words with seed 0, twice, as in SGLang
0.5.23 (``sglang/srt/sampling/watermarking``): once of the context, without a key, and once of the
two halves of the key, the low one first, that hash, and the token. A token that is missing before
the beginning is not there at all: the context is shorter. A word w stands for the uniform number
u = (w + 1/2) / 2^32.

What it is not: a cryptographic function. Its steps can be undone one by one. Worse, the 64 bits of
a key are mixed into 32 before they meet anything else: there are 2^32 different keys, not 2^64,
which one machine tries within minutes against one marked answer, and among 93,000 keys two are
expected to be one and the same. Two contexts share all of their words, under every key, with odds
of 2^-32. Take it to find what SGLang has marked, and for nothing else.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import uint32, uint64

from stillwatch.watermark.compiled import inlined

__all__ = [
    "MISSING", "murmur_absorb", "murmur_finish", "murmur_key", "murmur_scramble", "murmur_word",
]  # fmt: skip

MISSING = np.uint32(0xFFFFFFFF)

_C1, _C2 = np.uint32(0xCC9E2D51), np.uint32(0x1B873593)
_F1, _F2 = np.uint32(0x85EBCA6B), np.uint32(0xC2B2AE35)
_ADDED = np.uint32(0xE6546B64)
_MASK, _32 = np.uint64(0xFFFFFFFF), np.uint64(32)


@inlined
def _rotate(x: Any, by: Any) -> Any:
    return uint32(uint32(x << uint32(by)) | uint32(x >> uint32(32 - by)))


@inlined
def murmur_scramble(word: Any) -> Any:
    """What of a word enters the state, uint32."""
    return uint32(_rotate(uint32(word * _C1), 15) * _C2)


@inlined
def murmur_absorb(state: Any, scrambled: Any) -> Any:
    """The state after one more word, uint32."""
    return uint32(uint32(_rotate(uint32(state ^ scrambled), 13) * uint32(5)) + _ADDED)


@inlined
def murmur_finish(state: Any, words: Any) -> Any:
    """The hash of so many words, uint32."""
    x = uint32(state ^ uint32(uint32(words) << uint32(2)))
    x = uint32(uint32(x ^ uint32(x >> uint32(16))) * _F1)
    x = uint32(uint32(x ^ uint32(x >> uint32(13))) * _F2)
    return uint32(x ^ uint32(x >> uint32(16)))


@inlined
def murmur_key(key: Any) -> Any:
    """The state after a key: all that its 64 bits come to, uint32."""
    low = murmur_absorb(uint32(0), murmur_scramble(uint32(key & _MASK)))
    return murmur_absorb(low, murmur_scramble(uint32(uint64(key) >> _32)))


@inlined
def murmur_word(keyed: Any, context: Any, token: Any) -> Any:
    """The word of a token after a context, uint32; both hash and token are scrambled already."""
    return murmur_finish(murmur_absorb(murmur_absorb(keyed, context), token), 4)
