"""The words of a text in any script, as token ids: what a mark is put on where no tokenizer is.

A text is folded (NFKC, case folding, NFKC). A word is a run of letters, digits and their marks; in
scripts that put no spaces between words each letter with its marks is one. Punctuation, spaces and
symbols part words and are otherwise not seen, so that a text may be reflowed and reformatted;
invisible characters neither part words nor count. Which code points are letters is what Python's
``unicodedata`` says: a Python that knows a newer Unicode sees more of them.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from functools import cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from numba import njit, types, uint64

from stillwatch.watermark.compiled import ENTRY, digest_of, given, result
from stillwatch.watermark.mark import Int64s
from stillwatch.watermark.philox import MASK
from stillwatch.watermark.premix import premix_begin, premix_context
from stillwatch.watermark.refusing import Vocabulary

__all__ = ["WORDS", "word_ids"]

#: the vocabulary of words: 2^32 - 1 is left out, it is how keyed functions see a missing token
WORDS: Final = Vocabulary((1 << 32) - 1, "stillwatch-words-v1")

_PART, _ALONE, _JOINED, _UNSEEN = 1, 2, 3, 4
_32 = np.uint64(32)

#: Thai, Lao, Myanmar, Khmer, Tai scripts, Han, kana, bopomofo
_UNSPACED = (
    (0x0E00, 0x0EFF), (0x1000, 0x109F), (0x1780, 0x17FF), (0x1950, 0x19DF), (0x1A20, 0x1AAF),
    (0x2E80, 0x2FDF), (0x3005, 0x3007), (0x3021, 0x3029), (0x3031, 0x3035), (0x3041, 0x30FF),
    (0x3105, 0x312F), (0x31A0, 0x31BF), (0x31F0, 0x31FF), (0x3400, 0x4DBF), (0x4E00, 0x9FFF),
    (0xA9E0, 0xA9FF), (0xAA60, 0xAADF), (0xF900, 0xFAFF), (0x1AFF0, 0x1B16F),
)  # fmt: skip
_PLANES_OF_HAN = (0x20000, 0x3FFFE)
_VARIATIONS = ((0xFE00, 0xFE10), (0xE0000, 0xE1000))


def word_ids(text: str) -> Int64s:
    """The ids of the words, int64 [words], each from 0 to 2^32 - 2.

    An id is a hash without a key: two words share one with odds of 2^-32 a pair, which costs
    a mark next to nothing.
    """
    if text.isascii():
        folded = text.lower()
    else:
        folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    # a lone surrogate is no letter, and no reason to fail
    codes = np.frombuffer(folded.encode("utf-32-le", "surrogatepass"), np.uint32)
    out = np.empty(len(codes), np.int64)
    return out[: _segmenter()(codes, _kinds(), out)].copy()


@cache
def _kinds() -> npt.NDArray[np.uint8]:
    """What each code point is to a word, 0 for what parts words."""
    kinds = np.zeros(0x110000, np.uint8)
    for code in range(0x20000):
        category = unicodedata.category(chr(code))
        if category[0] in "LN":
            kinds[code] = _PART
        elif category[0] == "M":
            kinds[code] = _JOINED
        elif category == "Cf":
            kinds[code] = _UNSEEN
    for first, last in _UNSPACED:
        some = kinds[first : last + 1]
        some[some == _PART] = _ALONE
    kinds[_PLANES_OF_HAN[0] : _PLANES_OF_HAN[1]] = _ALONE
    for first, end in _VARIATIONS:
        kinds[first:end] = _UNSEEN
    kinds.setflags(write=False)
    return kinds


@cache
def _segmenter() -> Callable[..., int]:
    return _segment(digest_of("philox", "premix", "segmenting"))  # type: ignore[no-any-return]


def _segment(sources: int) -> Any:
    @njit(
        types.int64(given(types.uint32), given(types.uint8), result(types.int64)),
        **ENTRY,
    )
    def segment(codes, kinds, out):  # type: ignore[no-untyped-def]
        """Write the ids of the words; how many there are."""
        if sources < 0:
            return 0
        count, state, kind = 0, uint64(0), 0
        for i in range(codes.shape[0] + 1):
            now = kinds[codes[i]] if i < codes.shape[0] else 0
            if now == _UNSEEN or (now == _JOINED and kind == 0):
                continue
            if kind != 0 and now != _JOINED and not (kind == _PART and now == _PART):
                value = state >> _32
                out[count] = 0 if value == MASK else value
                count, kind = count + 1, 0
            if now != 0:
                if kind == 0:
                    state, kind = premix_begin(0), now
                state = premix_context(state, uint64(codes[i]))
        return count

    return segment
