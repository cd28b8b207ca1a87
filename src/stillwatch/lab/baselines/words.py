"""Prompts as rows of hashed word counts (the hashing trick, Weinberger et al., ICML 2009)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any
from zlib import crc32

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from stillwatch.exchange import RawExchange
from stillwatch.sketches.texts import new_texts

__all__ = ["fold_of", "hashed_words", "prompts", "unit_rows"]

#: a character of a script without spaces counts as a word
_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[^\W\u3040-\u30ff\u3400-\u9fff]+")
#: words of a prompt that are read; a retrieved document behind them says little about its sender
_WORDS_MOST = 256
_CHARACTERS_MOST = 8 * _WORDS_MOST
_MIX = np.uint64(0x9E3779B97F4A7C15)


def prompts(rows: Sequence[RawExchange]) -> list[str]:
    """What the user newly said in each row, without system prompt and earlier turns."""
    return new_texts(rows)[1::2]


def fold_of(account: str) -> int:
    """0 or 1: half of the accounts calibrates or trains for the other half."""
    return crc32(account.encode()) >> 16 & 1


def hashed_words(texts: Sequence[str], *, bits: int, pairs: bool = False) -> Any:
    """Counts of hashed words, and of pairs of neighbouring words if `pairs`.

    Returns:
        A scipy CSR matrix of float32 with a row for each text and ``2**bits`` columns.
    """
    found = [
        [_hashed(word) for word in _WORD.findall(text[:_CHARACTERS_MOST].lower())[:_WORDS_MOST]]
        for text in texts
    ]
    ends = np.cumsum([0, *map(len, found)])
    words = np.fromiter((word for text in found for word in text), np.uint64, int(ends[-1]))
    counts = _counts(words, ends, bits)
    if pairs and words.size:
        # the pair of a text's last word would reach into the next text
        inner = np.ones(words.size, bool)
        inner[ends[1:][np.diff(ends) > 0] - 1] = False
        joined = words[:-1] * _MIX + words[1:]
        kept = np.concatenate([[0], np.cumsum(inner)])[ends]
        counts = counts + _counts(joined[inner[:-1]] >> np.uint64(7), kept, bits)
    return counts


def _counts(hashes: NDArray[np.uint64], ends: NDArray[np.int64], bits: int) -> Any:
    columns = (hashes & np.uint64((1 << bits) - 1)).astype(np.int32)
    counts = sp.csr_matrix(
        (np.ones(columns.size, np.float32), columns, ends), shape=(ends.size - 1, 1 << bits)
    )
    counts.sum_duplicates()
    return counts


@lru_cache(maxsize=1 << 18)
def _hashed(word: str) -> int:
    return crc32(word.encode("utf-8", "surrogatepass"))


def unit_rows(counts: Any) -> Any:
    """`counts` with rows of length 1; empty rows stay empty."""
    lengths = np.sqrt(counts.multiply(counts).sum(axis=1)).A1
    return sp.diags_array((1 / np.maximum(lengths, 1e-12)).astype(np.float32)) @ counts
