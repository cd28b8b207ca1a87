"""SipHash-2-4 (Aumasson and Bernstein, 2012), compiled: of bytes, and of one 64-bit number."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import uint64

from stillwatch.sketches.compiled import compiled, inlined
from stillwatch.sketches.layout import Bytes, UInt64, UInt64s
from stillwatch.sketches.utf8 import load_eight

__all__ = ["siphash_bytes", "siphash_each", "siphash_short_each", "siphash_three"]

_V0 = np.uint64(0x736F6D6570736575)
_V1 = np.uint64(0x646F72616E646F6D)
_V2 = np.uint64(0x6C7967656E657261)
_V3 = np.uint64(0x7465646279746573)
_FF = np.uint64(0xFF)
_8, _13, _16, _17, _21, _32 = (np.uint64(n) for n in (8, 13, 16, 17, 21, 32))
_43, _47, _48, _51, _56 = (np.uint64(n) for n in (43, 47, 48, 51, 56))


@inlined
def _round(v0: UInt64, v1: UInt64, v2: UInt64, v3: UInt64) -> Any:
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


@inlined
def _absorb(v0: UInt64, v1: UInt64, v2: UInt64, v3: UInt64, block: UInt64) -> Any:
    v3 = v3 ^ block
    v0, v1, v2, v3 = _round(v0, v1, v2, v3)
    v0, v1, v2, v3 = _round(v0, v1, v2, v3)
    return v0 ^ block, v1, v2, v3


@inlined
def _finish(v0: UInt64, v1: UInt64, v2: UInt64, v3: UInt64) -> UInt64:
    v2 = v2 ^ _FF
    v0, v1, v2, v3 = _round(v0, v1, v2, v3)
    v0, v1, v2, v3 = _round(v0, v1, v2, v3)
    v0, v1, v2, v3 = _round(v0, v1, v2, v3)
    v0, v1, v2, v3 = _round(v0, v1, v2, v3)
    return v0 ^ v1 ^ v2 ^ v3


@compiled
def siphash_bytes(data: Bytes, start: int, end: int, k0: UInt64, k1: UInt64) -> UInt64:
    """SipHash-2-4 of ``data[start:end]`` under the key (`k0`, `k1`)."""
    v0, v1, v2, v3 = k0 ^ _V0, k1 ^ _V1, k0 ^ _V2, k1 ^ _V3
    pos = start
    while pos + 8 <= end:
        v0, v1, v2, v3 = _absorb(v0, v1, v2, v3, load_eight(data, pos))
        pos += 8
    block = uint64(end - start) << _56
    shift = uint64(0)
    while pos < end:
        block |= uint64(data[np.uint64(pos)]) << shift
        shift += _8
        pos += 1
    v0, v1, v2, v3 = _absorb(v0, v1, v2, v3, block)
    return _finish(v0, v1, v2, v3)


@compiled
def siphash_short_each(blocks: UInt64s, count: int, k0: UInt64, k1: UInt64) -> None:
    """In place, SipHash-2-4 of messages below eight bytes, each given as its only block.

    The loop has no branch, so that the compiler makes it work on several messages at a time.
    """
    for i in range(count):
        v0, v1, v2, v3 = k0 ^ _V0, k1 ^ _V1, k0 ^ _V2, k1 ^ _V3
        v0, v1, v2, v3 = _absorb(v0, v1, v2, v3, blocks[i])
        blocks[i] = _finish(v0, v1, v2, v3)


@compiled
def siphash_each(values: UInt64s, begin: int, end: int, k0: UInt64, k1: UInt64) -> None:
    """In place, SipHash-2-4 of the eight little-endian bytes of each of ``values[begin:end]``."""
    for i in range(np.uint64(begin), np.uint64(end)):
        v0, v1, v2, v3 = k0 ^ _V0, k1 ^ _V1, k0 ^ _V2, k1 ^ _V3
        v0, v1, v2, v3 = _absorb(v0, v1, v2, v3, values[i])
        v0, v1, v2, v3 = _absorb(v0, v1, v2, v3, _8 << _56)
        values[i] = _finish(v0, v1, v2, v3)


@compiled
def siphash_three(a: UInt64, b: UInt64, c: UInt64, k0: UInt64, k1: UInt64) -> UInt64:
    """SipHash-2-4 of the 24 little-endian bytes of three numbers."""
    v0, v1, v2, v3 = k0 ^ _V0, k1 ^ _V1, k0 ^ _V2, k1 ^ _V3
    v0, v1, v2, v3 = _absorb(v0, v1, v2, v3, a)
    v0, v1, v2, v3 = _absorb(v0, v1, v2, v3, b)
    v0, v1, v2, v3 = _absorb(v0, v1, v2, v3, c)
    v0, v1, v2, v3 = _absorb(v0, v1, v2, v3, uint64(24) << _56)
    return _finish(v0, v1, v2, v3)
