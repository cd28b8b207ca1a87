"""Two keys in one text as SGLang mixes them: its key A is a cluster's, its key B that of everybody.

SGLang 0.5.23 tosses a coin for each context with a hash of both keys and of the context
(``sglang/srt/sampling/watermarking``, dual key). So the coin is another for each cluster: who looks
for many clusters in one text pays for each, decoys included, or looks for plain marks under
:data:`.prf.SGLANG`, which score the contexts of the other key as chance.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numba import njit, types, uint32, uint64

from stillwatch.watermark.compiled import ENTRY, digest_of, given, result
from stillwatch.watermark.gumbel import GumbelMark
from stillwatch.watermark.keys import MarkKey
from stillwatch.watermark.layers import LayeredMark
from stillwatch.watermark.mark import Bools, Int64s
from stillwatch.watermark.murmur import (
    MISSING,
    murmur_absorb,
    murmur_finish,
    murmur_key,
    murmur_scramble,
)
from stillwatch.watermark.philox import MASK
from stillwatch.watermark.prf import SGLANG

__all__ = ["SglangCoin", "SglangMark"]


@dataclass(frozen=True, slots=True)
class SglangCoin:
    """Heads is key B, on all but a share `mixing` of the contexts."""

    key_a: MarkKey
    key_b: MarkKey
    mixing: float

    def toss(self, contexts: Int64s) -> Bools:
        """Whether each context, int64 [n, width], comes up heads."""
        out = np.empty(len(contexts), np.bool_)
        _tosser()(
            np.ascontiguousarray(contexts, np.int64), np.uint64(self.key_a.value),
            np.uint64(self.key_b.value), np.uint64(int(self.mixing * 2**32)), out,
        )  # fmt: skip
        return out


@dataclass(frozen=True, slots=True)
class SglangMark(LayeredMark):
    """What SGLang with a key B puts on the answers to a request that brings key A.

    Args:
        global_mark: under SGLang's key B.
        cluster_mark: under the key of the request.
        share: of contexts under key B: 1 less SGLang's ``mixing_probability``.

    Raises:
        ValueError: as :class:`.layers.LayeredMark`; a mark that is not Gumbel-max with SGLang's
            function; contexts of two widths.
    """

    def __post_init__(self) -> None:
        LayeredMark.__post_init__(self)
        for mark in (self.global_mark, self.cluster_mark):
            if not isinstance(mark, GumbelMark) or mark.prf != SGLANG:
                raise ValueError(f"SGLang samples by Gumbel-max with {SGLANG} and nothing else")
        if self.global_mark.context != self.cluster_mark.context:
            raise ValueError("both keys of SGLang have contexts of one width")

    @property
    def coin(self) -> SglangCoin:
        """Heads is the global layer."""
        return SglangCoin(self.cluster_mark.key, self.global_mark.key, 1 - self.share)


@cache
def _tosser() -> Callable[..., None]:
    return _toss(digest_of("murmur", "philox", "sglang_layers"))  # type: ignore[no-any-return]


def _toss(sources: int) -> Any:
    @njit(
        types.void(
            given(types.int64, 2), types.uint64, types.uint64, types.uint64, result(types.boolean)
        ),
        **ENTRY,
    )
    def toss(contexts, key_a, key_b, threshold, out):  # type: ignore[no-untyped-def]
        """Whether the coin of each context lies at or above the threshold."""
        if sources < 0:
            return
        both = murmur_absorb(murmur_key(key_a), murmur_scramble(uint32(key_b & MASK)))
        both = murmur_absorb(both, murmur_scramble(uint32(key_b >> uint64(32))))
        for i in range(contexts.shape[0]):
            hashed, length = uint32(0), uint32(0)
            for place in range(contexts.shape[1]):
                token = uint32(uint64(contexts[i, place]) & MASK)
                if token != MISSING:
                    hashed = murmur_absorb(hashed, murmur_scramble(token))
                    length = uint32(length + uint32(1))
            context = murmur_scramble(murmur_finish(hashed, length))
            out[i] = uint64(murmur_finish(murmur_absorb(both, context), uint32(5))) >= threshold

    return toss
