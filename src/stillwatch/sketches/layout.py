"""The memory that the halves of the kernel share: rows of words, state and counters of a text.

Word rows are ``int32[n, ROW]``; the state is one ``int64[STATE]``, cleared for every text. Arrays
rather than objects, so that compiled functions pass few arguments and allocate nothing.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Bytes: TypeAlias = NDArray[np.uint8]
Int32s: TypeAlias = NDArray[np.int32]
Int64s: TypeAlias = NDArray[np.int64]
UInt64s: TypeAlias = NDArray[np.uint64]
Int: TypeAlias = Any
"""An int64 in compiled code: numpy's or Python's, which are the same there."""
UInt64: TypeAlias = Any
"""A numpy or numba uint64; mixing it with int makes a float, so kernels cast with care."""

# Columns of a word row. Offsets in the folded text, then in the source, then what was seen.
BEGIN, END, SOURCE_BEGIN, SOURCE_END, FLAGS = range(5)
ROW = 5

# Flags of a word.
FIRST_UPPER = 1
INNER_UPPER = 2
HAS_DIGIT = 4
SENTENCE_START = 8
FOLLOWS = 16
"""Only spaces stand between it and the word before."""
CHARACTER = 32
"""One character of a script without spaces, with its marks."""
ENTITY = 64
ENTITY_BY_CASE = 128
QUOTED = 256
PRONOUN = 512
"""English I, I'm, I'll…"""
LONG = 1024

# Counters of the two texts of a row (system and user), then state of the text being scanned.
SHAPE, LINES, CODE_LINES, CAPITALS, CASED = range(5)
SCRIPTS = 8
STARTS = 40
"""Whether a word that began here would start a sentence."""
CHUNK, CHUNK_BITS, SLASHES = 43, 44, 45
DOUBLE, WIDE, BLOCK, SINGLE, BACK, FENCE = 46, 47, 48, 49, 50, 51
"""The word at which an open quotation begins, -1 where none is open."""
FRESH, INDENT, LINE_BEGIN, SYMBOLS, BARS, CODE_BEFORE = 52, 53, 54, 55, 56, 57
BULLETS, NUMBERED, TABLE_LINES, KEYS, COMMANDS, CHOICES = 59, 60, 61, 62, 63, 64
BRACE_WORD, BRACE_END = 65, 66
BASE = 67
"""Where the row begins in the source: source offsets in word rows count from there."""
STATE = 72

# Bits of CHUNK_BITS.
WHOLE, ANY_DIGIT, ANY_CAPITAL, ADDRESS = 1, 2, 4, 8
