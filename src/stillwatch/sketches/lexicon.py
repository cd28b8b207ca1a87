"""The words that the kernel knows: those of the phrases and those of the topics, by keyed hash.

An open-addressing table of one uint64 a slot: the upper half of the word's hash, then the number
of the word among those of the phrases plus one, and its row in the topic model plus one, 16 bits
each. 0 is an empty slot. The slot and the upper half together tell words apart: one word in 2**45
is taken for another.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from stillwatch.sketches.compiled import inlined
from stillwatch.sketches.layout import UInt64, UInt64s

__all__ = ["PHRASE", "build_lexicon", "look_up"]

PHRASE = 16
"""Where the phrase word begins in an entry; the topic row is in the lowest bits."""

_UPPER_HALF, _ONE = np.uint64(0xFFFFFFFF00000000), np.uint64(1)
_MOST_WORDS = (1 << 16) - 1


def build_lexicon(words: Mapping[int, tuple[int, int]]) -> UInt64s:
    """Hash → numbers of the word among phrase words and topic words, -1 for none."""
    if any(max(numbers) >= _MOST_WORDS for numbers in words.values()):
        raise ValueError(f"the lexicon holds at most {_MOST_WORDS} words of a kind")
    size = 1 << (2 * len(words)).bit_length()
    table = np.zeros(size, np.uint64)
    for value, (phrase, topic) in words.items():
        slot = value & (size - 1)
        while table[slot]:
            slot = (slot + 1) & (size - 1)
        table[slot] = (value >> 32 << 32) | (phrase + 1) << PHRASE | (topic + 1)
    table.setflags(write=False)
    return table


@inlined
def look_up(value: UInt64, table: UInt64s) -> UInt64:
    """The lower half of the entry of a word hash, 0 where it is not in the table."""
    mask = np.uint64(table.shape[0] - 1)
    slot = value & mask
    while table[slot]:
        if (table[slot] ^ value) & _UPPER_HALF == 0:
            return table[slot] & ~_UPPER_HALF
        slot = (slot + _ONE) & mask
    return np.uint64(0)
