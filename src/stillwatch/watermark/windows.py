"""The windows of a text: each token with the tokens before it, and which of them count.

One key and one context always give the same noise, so a context that comes again is no new
evidence: only the first window of each context counts, which is also the one that was marked where
repeated contexts are sampled unmarked (:class:`History`).
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, Literal

import numpy as np
from numba import njit, types, uint64

from stillwatch.watermark.compiled import ENTRY, digest_of, given, inlined, result
from stillwatch.watermark.mark import Int64s
from stillwatch.watermark.philox import MASK
from stillwatch.watermark.premix import premix_begin, premix_context

__all__ = ["History", "Once", "contexts_of", "counted", "in_blocks"]

#: which window of several counts: the first of a context, the first of a context and its token, all
Once = Literal["context", "pair", "never"]

_SHARES = {"never": 0, "context": 1, "pair": 2}
#: windows of one bucket, whose table stays in the nearest cache
_BUCKET = 1 << 13
#: nobody who writes a text can know which contexts share a bucket
_SEED = secrets.randbits(64)
_BLOCK = 1 << 20
_EMPTY = np.uint64(0)


def counted(tokens: Int64s, context: int, *, once: Once = "context", prefix: bool = True) -> Int64s:
    """The positions of the tokens whose windows count, ascending.

    Args:
        tokens: int64 [length].
        context: tokens before a token that belong to its window.
        once: which window of several counts. Two contexts are taken for one with odds of 2^-64 a
            pair, which costs a window and nothing else.
        prefix: whether the first tokens have windows too, with -1 where nothing was before (as the
            sampler saw them if there was no prompt); without, they are left out.

    Raises:
        ValueError: tokens of a wrong shape or type, a context below 1.
    """
    tokens = _checked(tokens, context)
    first = 0 if prefix else context
    keep = np.zeros(len(tokens), np.bool_)
    if len(tokens) > first:
        _counter()(_padded(tokens, context), context, first, _SHARES[once], np.uint64(_SEED), keep)
    return np.flatnonzero(keep)


def contexts_of(tokens: Int64s, context: int, positions: Int64s) -> Int64s:
    """The tokens before each position, int64 [positions, context], the oldest first, -1 if none."""
    padded = _padded(_checked(tokens, context), context)
    out: Int64s = np.lib.stride_tricks.sliding_window_view(padded, context)[positions]
    return out


def in_blocks(tokens: Int64s, context: int, positions: Int64s) -> Iterator[tuple[Int64s, Int64s]]:
    """Contexts and tokens of the positions, about a million at a time."""
    for start in range(0, len(positions), _BLOCK):
        some = positions[start : start + _BLOCK]
        yield contexts_of(tokens, context, some), tokens[some]


class History:
    """The contexts that one request has met: each is marked once, and sampled freely after.

    Without this a cycle of contexts repeats the same choices for ever.
    """

    __slots__ = ("_seen",)

    def __init__(self) -> None:
        self._seen: set[bytes] = set()

    def first(self, context: Int64s) -> bool:
        """Whether this context, int64 [context], is here for the first time; it is then noted."""
        known = len(self._seen)
        self._seen.add(context.tobytes())
        return len(self._seen) > known

    def __len__(self) -> int:
        return len(self._seen)


def _checked(tokens: Int64s, context: int) -> Int64s:
    tokens = np.asarray(tokens)
    if tokens.ndim != 1 or (tokens.size and tokens.dtype.kind not in "iu"):
        raise ValueError(f"tokens are integers [length], not {tokens.dtype} {tokens.shape}")
    if context < 1:
        raise ValueError("a context has at least one token")
    return tokens.astype(np.int64, copy=False)


def _padded(tokens: Int64s, context: int) -> Int64s:
    return np.concatenate([np.full(context, -1, np.int64), tokens])


@inlined
def _seen(table: Any, value: Any) -> bool:
    """Whether an open table holds the value, which is put into it."""
    room = uint64(table.shape[0] - 1)
    at = value & room
    while table[at] != _EMPTY:
        if table[at] == value:
            return True
        at = (at + uint64(1)) & room
    table[at] = value
    return False


@cache
def _counter() -> Callable[..., None]:
    return _count(digest_of("philox", "premix", "windows"))  # type: ignore[no-any-return]


def _count(sources: int) -> Any:
    @njit(
        types.void(
            given(types.int64), types.int64, types.int64, types.int64, types.uint64,
            result(types.boolean),
        ),
        **ENTRY,
    )  # fmt: skip
    def count(padded, context, first, share, seed, keep):  # type: ignore[no-untyped-def]
        """Mark the windows that count, those of few contexts at a time so that they stay near."""
        if sources < 0:
            return
        n = keep.shape[0]
        if share == 0:
            keep[first:] = True
            return
        taken = context + (share - 1)  # tokens that a window is known by
        buckets, shift = 1, uint64(64)
        while buckets * _BUCKET < n:
            buckets, shift = buckets * 2, shift - uint64(1)
        values, starts = np.empty(n, np.uint64), np.zeros(buckets + 1, np.int64)
        for p in range(first, n):
            value = premix_begin(taken) ^ seed
            for i in range(taken):
                value = premix_context(value, uint64(padded[p + i]) & MASK)
            values[p] = value | uint64(1)  # 0 is an empty place
            starts[(value >> shift if buckets > 1 else uint64(0)) + uint64(1)] += 1
        for b in range(buckets):
            starts[b + 1] += starts[b]
        order, ends = np.empty(n, np.int64), starts.copy()
        for p in range(first, n):
            b = values[p] >> shift if buckets > 1 else uint64(0)
            order[ends[b]] = p
            ends[b] += 1
        for b in range(buckets):
            size = 16
            while size < 2 * (starts[b + 1] - starts[b]):
                size *= 2
            table = np.zeros(size, np.uint64)
            for i in range(starts[b], starts[b + 1]):
                p = order[i]
                keep[p] = not _seen(table, values[p] >> uint64(1))

    return count
