"""A keyed function for many keys at once: ``premix-v1``.

A context and a token are mixed once, without a key, into 64 bits: each context token goes through
the finaliser of SplitMix64 (Steele, Lea and Flood, 2014; constants of Stafford's mix 13), and the
token takes a step of SplitMix64 from there. What is left for each key is HalfSipHash-1-3 (Aumasson
and Bernstein's SipHash with 32-bit words) of these two words, without the block that holds the
length, which never varies: five rounds of additions, rotations and exclusive ors on 32 bits, which
a processor does for 16 tokens in one instruction.

What it is not. HalfSipHash was made against flooding of hash tables; its key has 64 bits, it has
been studied less than SipHash, and one round between words is its authors' fast choice, not their
cautious one. No way to its key is known to us that is shorter than trying keys; whoever tries them
against observed text needs some 2^64 evaluations, as with any 64-bit key. The mix without a key is
public and invertible: two (context, token) pairs that collide in it collide under every key (odds
2^-64 a pair by chance, and by construction whenever somebody wants to), so that an author of text
can repeat a score, but not choose one. Where engines must verify the mark, take Philox.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import uint32, uint64

from stillwatch.watermark.compiled import inlined

__all__ = ["premix_begin", "premix_context", "premix_token", "premix_word"]

_GAMMA = np.uint64(0x9E3779B97F4A7C15)
_M1, _M2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_DOMAIN = np.uint64(0x5354574D50524D58)
_30, _27, _31 = np.uint64(30), np.uint64(27), np.uint64(31)
_V2, _V3 = np.uint32(0x6C796765), np.uint32(0x74656462)
_FF = np.uint32(0xFF)


@inlined
def _mix(x: Any) -> Any:
    x = (x ^ (x >> _30)) * _M1
    x = (x ^ (x >> _27)) * _M2
    return x ^ (x >> _31)


@inlined
def premix_begin(width: Any) -> Any:
    """The state before the first token of a context of `width` tokens."""
    return _mix(_DOMAIN + uint64(width) * _GAMMA)


@inlined
def premix_context(state: Any, token: Any) -> Any:
    """The state after one more token of the context (modulo 2^32), the oldest first."""
    return _mix((state + _GAMMA) ^ uint64(token))


@inlined
def premix_token(state: Any, token: Any) -> Any:
    """64 bits of a context and a token (modulo 2^32): the only ones that a key ever sees."""
    return _mix(state + (uint64(token) + uint64(1)) * _GAMMA)


@inlined
def _rotate(x: Any, by: Any) -> Any:
    return uint32(uint32(x << uint32(by)) | uint32(x >> uint32(32 - by)))


@inlined
def _round(v0: Any, v1: Any, v2: Any, v3: Any) -> Any:
    v0 = uint32(v0 + v1)
    v2 = uint32(v2 + v3)
    v1 = uint32(_rotate(v1, 5) ^ v0)
    v3 = uint32(_rotate(v3, 8) ^ v2)
    v0 = uint32(_rotate(v0, 16) + v3)
    v2 = uint32(v2 + v1)
    v3 = uint32(_rotate(v3, 7) ^ v0)
    v1 = uint32(_rotate(v1, 13) ^ v2)
    return v0, v1, _rotate(v2, 16), v3


@inlined
def premix_word(low: Any, high: Any, k0: Any, k1: Any) -> Any:
    """The 32-bit word of a premixed pair; all are uint32, and so is the result."""
    v0, v1, v2, v3 = uint32(k0), uint32(k1), uint32(_V2 ^ k0), uint32(_V3 ^ k1)
    v3 = uint32(v3 ^ low)
    v0, v1, v2, v3 = _round(v0, v1, v2, v3)
    v0, v3 = uint32(v0 ^ low), uint32(v3 ^ high)
    v0, v1, v2, v3 = _round(v0, v1, v2, v3)
    v0, v2 = uint32(v0 ^ high), uint32(v2 ^ _FF)
    for _ in range(3):
        v0, v1, v2, v3 = _round(v0, v1, v2, v3)
    return uint32(v1 ^ v3)
