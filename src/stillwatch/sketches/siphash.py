"""SipHash-2-4 (Aumasson and Bernstein, 2012), compiled: of bytes, and of one 64-bit number."""

from __future__ import annotations

import numpy as np
from numba import njit, uint64

__all__ = ["siphash_bytes", "siphash_word", "siphash_words"]

_V0 = np.uint64(0x736F6D6570736575)
_V1 = np.uint64(0x646F72616E646F6D)
_V2 = np.uint64(0x6C7967656E657261)
_V3 = np.uint64(0x7465646279746573)
_FF = np.uint64(0xFF)
_8, _13, _16, _17, _21, _32 = (np.uint64(n) for n in (8, 13, 16, 17, 21, 32))
_43, _47, _48, _51, _56 = (np.uint64(n) for n in (43, 47, 48, 51, 56))


@njit(inline="always")
def _round(v0, v1, v2, v3):
    v0 = v0 + v1
    v2 = v2 + v3
    v1 = ((v1 << _13) | (v1 >> _51)) ^ v0
    v3 = ((v3 << _16) | (v3 >> _48)) ^ v2
    v0 = (v0 << _32) | (v0 >> _32)
    v2 = v2 + v1
    v0 = v0 + v3
    v1 = ((v1 << _17) | (v1 >> _47)) ^ v2
    v3 = ((v3 << _21) | (v3 >> _43)) ^ v0
    v2 = (v2 << _32) | (v2 >> _32)
    return v0, v1, v2, v3


@njit(inline="always")
def _absorb(v0, v1, v2, v3, block):
    v3 = v3 ^ block
    v0, v1, v2, v3 = _round(v0, v1, v2, v3)
    v0, v1, v2, v3 = _round(v0, v1, v2, v3)
    return v0 ^ block, v1, v2, v3


@njit(inline="always")
def _finish(v0, v1, v2, v3):
    v2 = v2 ^ _FF
    v0, v1, v2, v3 = _round(v0, v1, v2, v3)
    v0, v1, v2, v3 = _round(v0, v1, v2, v3)
    v0, v1, v2, v3 = _round(v0, v1, v2, v3)
    v0, v1, v2, v3 = _round(v0, v1, v2, v3)
    return v0 ^ v1 ^ v2 ^ v3


@njit
def siphash_bytes(data, start, end, k0, k1):
    """SipHash-2-4 of ``data[start:end]`` (uint8) under the key (`k0`, `k1`), a uint64."""
    v0, v1, v2, v3 = k0 ^ _V0, k1 ^ _V1, k0 ^ _V2, k1 ^ _V3
    pos = start
    while pos + 8 <= end:
        block = uint64(0)
        for j in range(8):
            block |= uint64(data[pos + j]) << uint64(8 * j)
        v0, v1, v2, v3 = _absorb(v0, v1, v2, v3, block)
        pos += 8
    block = uint64(end - start) << _56
    shift = uint64(0)
    while pos < end:
        block |= uint64(data[pos]) << shift
        shift += _8
        pos += 1
    v0, v1, v2, v3 = _absorb(v0, v1, v2, v3, block)
    return _finish(v0, v1, v2, v3)


@njit
def siphash_word(value, k0, k1):
    """SipHash-2-4 of the eight little-endian bytes of `value`."""
    v0, v1, v2, v3 = k0 ^ _V0, k1 ^ _V1, k0 ^ _V2, k1 ^ _V3
    v0, v1, v2, v3 = _absorb(v0, v1, v2, v3, value)
    v0, v1, v2, v3 = _absorb(v0, v1, v2, v3, _8 << _56)
    return _finish(v0, v1, v2, v3)


@njit
def siphash_words(a, b, c, k0, k1):
    """SipHash-2-4 of the 24 little-endian bytes of three numbers."""
    v0, v1, v2, v3 = k0 ^ _V0, k1 ^ _V1, k0 ^ _V2, k1 ^ _V3
    v0, v1, v2, v3 = _absorb(v0, v1, v2, v3, a)
    v0, v1, v2, v3 = _absorb(v0, v1, v2, v3, b)
    v0, v1, v2, v3 = _absorb(v0, v1, v2, v3, c)
    v0, v1, v2, v3 = _absorb(v0, v1, v2, v3, uint64(24) << _56)
    return _finish(v0, v1, v2, v3)
