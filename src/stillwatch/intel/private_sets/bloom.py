"""A Bloom filter over pairs of 64-bit hashes (Bloom, CACM 13(7), 1970).

The i-th bit of a pair (a, b) is ``(a + i·b + (i³ - i)/6) mod 2^64 mod m``: enhanced double hashing
(Dillinger and Manolios, FMCAD 2004), which needs two hashes for any number of bits.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import numpy.typing as npt

__all__ = ["Bloom", "Pairs"]

#: shape (n, 2), uint64
Pairs = npt.NDArray[np.uint64]
_AT_ONCE: Final = 65_536


class Bloom:
    """`bits` are bytes; bit j is bit ``j mod 8`` (the lowest is 0) of byte ``j div 8``."""

    def __init__(self, size: int, hashes: int, bits: npt.NDArray[np.uint8] | None = None) -> None:
        self.size, self.hashes = size, hashes
        self.bits = np.zeros((size + 7) // 8, np.uint8) if bits is None else bits

    @classmethod
    def sized(cls, entries: int, false_positives: float) -> Bloom:
        """An empty one that answers wrongly so often once it holds `entries`.

        Raises:
            ValueError: `false_positives` is not between 0 and 1, or `entries` below 1.
        """
        if not 0 < false_positives < 1 or entries < 1:
            raise ValueError(f"{entries} entries at {false_positives}: no filter has that")
        size = math.ceil(-entries * math.log(false_positives) / math.log(2) ** 2)
        size = -(-size // 64) * 64
        return cls(size, max(1, round(size / entries * math.log(2))))

    def add(self, pairs: Pairs) -> None:
        """Put `pairs` in."""
        for start in range(0, len(pairs), _AT_ONCE):
            places = self._places(pairs[start : start + _AT_ONCE]).ravel()
            marks = np.left_shift(np.uint8(1), (places & np.uint64(7)).astype(np.uint8))
            np.bitwise_or.at(self.bits, (places >> np.uint64(3)).astype(np.int64), marks)

    def holds(self, pairs: Pairs) -> npt.NDArray[np.bool_]:
        """Of each pair whether it is in; a yes is wrong now and then, a no never."""
        found = np.ones(len(pairs), np.bool_)
        for start in range(0, len(pairs), _AT_ONCE):
            places = self._places(pairs[start : start + _AT_ONCE])
            marks = np.left_shift(np.uint8(1), (places & np.uint64(7)).astype(np.uint8))
            held = self.bits[(places >> np.uint64(3)).astype(np.int64)] & marks
            found[start : start + _AT_ONCE] = np.all(held, axis=1)
        return found

    def wrong(self) -> float:
        """The share of values not in it that it says yes to: that all their bits are set."""
        return float(np.bitwise_count(self.bits).sum() / self.size) ** self.hashes

    def _places(self, pairs: Pairs) -> npt.NDArray[np.uint64]:
        """Shape (n, hashes)."""
        i = np.arange(self.hashes, dtype=np.uint64)
        third = (i**3 - i) // np.uint64(6)
        with np.errstate(over="ignore"):
            places: npt.NDArray[np.uint64] = pairs[:, :1] + i * pairs[:, 1:] + third
        return places % np.uint64(self.size)
