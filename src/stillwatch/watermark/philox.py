"""Philox4x32-10 as vLLM keys its watermark with it, compiled: ``philox4x32-10-v1``.

The generator is that of Salmon, Moraes, Dror and Shaw (Parallel random numbers: as easy as 1, 2, 3,
2011). How contexts and tokens enter it is vLLM 0.33's (``vllm/v1/watermarking/prfs/philox.py``):
the context is absorbed four tokens at a time under the key, the token's quarter is the counter, and
its last two bits choose one of the four words that come out. Tokens are taken modulo 2^32; a token
that is missing before the beginning is -1.

Every number is a uint64 that holds 32 bits, so that a product is the machine's 32 × 32 → 64.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import uint64

from stillwatch.watermark.compiled import inlined

__all__ = ["CONTEXT_DOMAIN", "MASK", "TOKEN_DOMAIN", "philox_absorb", "philox_four", "philox_word"]

MASK = np.uint64(0xFFFFFFFF)
CONTEXT_DOMAIN = np.uint64(0x574D4358)
TOKEN_DOMAIN = np.uint64(0x574D544B)

_M0, _M1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
_W0, _W1 = np.uint64(0x9E3779B9), np.uint64(0xBB67AE85)
_2, _3, _32 = np.uint64(2), np.uint64(3), np.uint64(32)


@inlined
def _ten_rounds(c0: Any, c1: Any, c2: Any, c3: Any, k0: Any, k1: Any) -> Any:
    for _ in range(10):
        p0, p1 = _M0 * c0, _M1 * c2
        c0, c1 = (p1 >> _32) ^ c1 ^ k0, p1 & MASK
        c2, c3 = (p0 >> _32) ^ c3 ^ k1, p0 & MASK
        k0, k1 = (k0 + _W0) & MASK, (k1 + _W1) & MASK
    return c0, c1, c2, c3


@inlined
def philox_absorb(
    s0: Any, s1: Any, s2: Any, s3: Any, t0: Any, t1: Any, t2: Any, t3: Any, offset: Any, key: Any
) -> Any:
    """The state after four more tokens of a context, the first of them at `offset`.

    The state begins as (CONTEXT_DOMAIN, width, 0, 0). Beyond the width, the token at place i of a
    block is ``MASK - i``.
    """
    return _ten_rounds(
        s0 ^ t0, s1 ^ t1, s2 ^ t2, s3 ^ t3, (key & MASK) ^ uint64(offset), key >> _32
    )


@inlined
def philox_four(s0: Any, s1: Any, s2: Any, s3: Any, quarter: Any, key: Any) -> Any:
    """The 32-bit words of tokens 4·quarter … 4·quarter + 3 after a context."""
    return _ten_rounds(quarter, s0, s1, s2, (key & MASK) ^ s3, (key >> _32) ^ TOKEN_DOMAIN)


@inlined
def philox_word(s0: Any, s1: Any, s2: Any, s3: Any, token: Any, key: Any) -> Any:
    """The 32-bit word of a token after a context."""
    w0, w1, w2, w3 = philox_four(s0, s1, s2, s3, token >> _2, key)
    place = token & _3
    low = w0 if place == uint64(0) else w1
    high = w2 if place == uint64(2) else w3
    return low if place < uint64(2) else high
