"""How fast texts are searched for marks."""

from __future__ import annotations

import numpy as np

from benchmarks.watermark.timing import Rate, rate
from stillwatch.watermark import GumbelMark, KeyRing, detect
from stillwatch.watermark.prf import gumbel_totals, hits
from stillwatch.watermark.windows import counted

__all__ = ["scored_a_second", "text_of", "tokens_a_second", "windows_a_second"]

ROUNDS = 5
RING = KeyRing(bytes(32), "bench")


def text_of(length: int) -> np.ndarray:
    """Tokens with the frequencies of Zipf's law, exponent 1.3, ids below 128,000."""
    return (np.random.default_rng(4).zipf(1.3, length) % 128_000).astype(np.int64)


def tokens_a_second(length: int, context: int, prf: str) -> Rate:
    """`detect` of one key without decoys, from tokens to a p-value, on all cores."""
    text, mark = text_of(length), GumbelMark(RING.key("c"), context, prf)
    return rate(lambda: detect(text, [mark], decoys=0), length, ROUNDS)


def windows_a_second(length: int, context: int) -> Rate:
    """Windows told apart from repeated ones, on all cores."""
    text = text_of(length)
    return rate(lambda: counted(text, context), length, ROUNDS)


def scored_a_second(windows: int, keys: int, prf: str, *, green: bool = False) -> Rate:
    """Windows × keys whose scores are summed, on all cores."""
    rng = np.random.default_rng(5)
    contexts, tokens = rng.integers(0, 128_000, (windows, 4)), rng.integers(0, 128_000, windows)
    values = rng.integers(0, 1 << 64, keys, np.uint64)

    def work() -> object:
        if green:
            return hits(prf, values, contexts, tokens, 0.25)
        return gumbel_totals(prf, values, contexts, tokens)

    return rate(work, windows * keys, ROUNDS)
