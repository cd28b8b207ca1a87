"""UTF-8 in compiled code: decoding, encoding, and eight bytes at a time."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types
from numba.extending import intrinsic

from stillwatch.sketches.compiled import compiled
from stillwatch.sketches.layout import Bytes, Int, UInt64

__all__ = ["decode", "encode", "load_eight"]

_REPLACEMENT = 0xFFFD


@intrinsic
def load_eight(_typing_context: Any, array: Any, _at: Any) -> Any:
    """Eight bytes of a uint8 array as a little-endian uint64, at any alignment.

    The caller makes sure that they lie inside the array.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        view = context.make_array(signature.args[0])(context, builder, arguments[0])
        address = builder.gep(view.data, [arguments[1]])
        pointer = builder.bitcast(address, context.get_value_type(types.CPointer(types.uint64)))
        return builder.load(pointer, align=1)

    return types.uint64(array, types.int64), generate


@compiled
def decode(buf: Bytes, pos: int, end: int) -> tuple[Int, Int]:
    """The code point at `pos` (a byte from 128 on) and its width; U+FFFD, 1 where invalid."""
    code: Int = np.int64(buf[np.uint64(pos)])
    width = 1
    if 0xC2 <= code < 0xE0:
        width, code = 2, code & 0x1F
    elif 0xE0 <= code < 0xF0:
        width, code = 3, code & 0x0F
    elif 0xF0 <= code < 0xF5:
        width, code = 4, code & 0x07
    valid = width > 1 and pos + width <= end
    if valid:
        for j in range(1, width):
            c = np.int64(buf[np.uint64(pos + j)])
            valid &= (c & 0xC0) == 0x80
            code = (code << 6) | (c & 0x3F)
    if not valid:
        code, width = _REPLACEMENT, 1
    return code, width


@compiled
def encode(code: int, out: Bytes, o: int) -> int:
    """Write `code` at ``out[o:]`` as UTF-8; where the next byte goes."""
    if code < 0x80:
        out[np.uint64(o)] = code
        return o + 1
    if code < 0x800:
        out[np.uint64(o)] = 0xC0 | (code >> 6)
        out[np.uint64(o + 1)] = 0x80 | (code & 0x3F)
        return o + 2
    if code < 0x10000:
        out[np.uint64(o)] = 0xE0 | (code >> 12)
        out[np.uint64(o + 1)] = 0x80 | ((code >> 6) & 0x3F)
        out[np.uint64(o + 2)] = 0x80 | (code & 0x3F)
        return o + 3
    out[np.uint64(o)] = 0xF0 | (code >> 18)
    out[np.uint64(o + 1)] = 0x80 | ((code >> 12) & 0x3F)
    out[np.uint64(o + 2)] = 0x80 | ((code >> 6) & 0x3F)
    out[np.uint64(o + 3)] = 0x80 | (code & 0x3F)
    return o + 4


@compiled
def mask_low_bytes(count: int) -> UInt64:
    """A uint64 whose lowest `count` bytes (0 to 7) are ones."""
    return (np.uint64(1) << np.uint64(8 * count)) - np.uint64(1)
