"""The windows of a text: each token with the tokens before it, and which of them count.

One key and one context always give the same noise, so a context that comes again is no new
evidence: only the first window of each context counts, which is also the one that was marked where
repeated contexts are sampled unmarked (:class:`History`).
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from functools import cache
from typing import Any, Literal, NamedTuple

import numpy as np
from numba import njit, types, uint64

from stillwatch.watermark.compiled import ENTRY, digest_of, given, inlined, result
from stillwatch.watermark.cores import on_all_cores
from stillwatch.watermark.mark import Int64s
from stillwatch.watermark.philox import MASK
from stillwatch.watermark.premix import premix_context

__all__ = ["History", "Once", "contexts_of", "counted"]

#: which window of several counts: the first of a context, the first of a context and its token, all
Once = Literal["context", "pair", "never"]

_SHARES = {"never": 0, "context": 0, "pair": 1}
#: windows of one bucket, whose table stays in the nearest cache
_BUCKET = 1 << 14
#: nobody who writes a text can know which contexts share a bucket
_SEED = secrets.randbits(64)
#: windows of one part, and 2 to the power of how many parts at most
_PART, _MOST_PARTS = 1 << 22, 4
_HASHED = 1 << 10
_EMPTY, _TAKEN, _1, _PARTED = np.uint64(0), np.uint64(1 << 63), np.uint64(1), np.uint64(4)


def counted(tokens: Int64s, context: int, *, once: Once = "context", prefix: bool = True) -> Int64s:
    """The positions of the tokens whose windows count, ascending.

    Args:
        tokens: int64 [length].
        context: tokens before a token that belong to its window.
        once: which window of several counts. Two contexts are taken for one with odds of 2^-60 a
            pair, which costs a window and nothing else.
        prefix: whether the first tokens have windows too, with -1 where nothing was before (as the
            sampler saw them if there was no prompt); without, they are left out.

    Raises:
        ValueError: tokens of a wrong shape or type, a context below 1.
    """
    tokens = _checked(tokens, context)
    taken = context + _SHARES[once]
    keep = np.full(len(tokens), once == "never")
    if not prefix:
        keep[:context] = False
    if once != "never":
        bits = max((len(tokens) // _PART).bit_length(), int(len(tokens) >= _PART // 4))
        parts = 1 << min(_MOST_PARTS, bits)
        first = 0 if prefix else context

        def run(begin: int, step: int) -> None:
            _kernels().keep_first(
                tokens, context, taken, first, np.uint64(_SEED), parts, begin, step, keep
            )

        on_all_cores(run, parts)
    return np.flatnonzero(keep)


def contexts_of(tokens: Int64s, context: int, positions: Int64s) -> Int64s:
    """The tokens before each position, int64 [positions, context], the oldest first, -1 if none.

    Raises:
        ValueError: a position outside of the text.
    """
    tokens = _checked(tokens, context)
    positions = np.ascontiguousarray(positions, np.int64)
    if positions.size and not 0 <= positions.min() <= positions.max() < len(tokens):
        raise ValueError("positions lie within the text")
    out = np.empty((len(positions), context), np.int64)
    _kernels().gather(tokens, positions, out)
    return out


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
    return np.ascontiguousarray(tokens, np.int64)


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


class _Kernels(NamedTuple):
    """The compiled entry points; each releases the interpreter's lock while it runs."""

    keep_first: Callable[..., None]
    gather: Callable[..., None]


@cache
def _kernels() -> _Kernels:
    sources = digest_of("philox", "premix", "windows")
    return _Kernels(_keep_first(sources), _gather(sources))


def _gather(sources: int) -> Any:
    @njit(types.void(given(types.int64), given(types.int64), result(types.int64, 2)), **ENTRY)
    def gather(tokens, positions, out):  # type: ignore[no-untyped-def]
        """The context before each position."""
        if sources < 0:
            return
        width = out.shape[1]
        for j in range(positions.shape[0]):
            start, row = positions[j] - width, out[j]
            for i in range(width):
                row[i] = tokens[start + i] if start + i >= 0 else -1

    return gather


@inlined
def _hash(tokens: Any, context: Any, taken: Any, start: Any, seed: Any, out: Any) -> None:
    """A hash of what each window from `start` on is known by: its first `taken` tokens."""
    for j in range(out.shape[0]):
        out[j] = seed
    for i in range(taken):
        at = start - context + i
        early = min(max(0, -at), out.shape[0])
        for j in range(early):
            out[j] = premix_context(out[j], MASK)
        some, rest = tokens[at + early :], out[early:]
        for j in range(rest.shape[0]):
            rest[j] = premix_context(rest[j], uint64(some[j]) & MASK)


def _keep_first(sources: int) -> Any:
    @njit(
        types.void(
            given(types.int64), types.int64, types.int64, types.int64, types.uint64, types.int64,
            types.int64, types.int64, result(types.boolean),
        ),
        **ENTRY,
    )  # fmt: skip
    def keep_first(tokens, context, taken, first, seed, parts, begin, step, keep):  # type: ignore[no-untyped-def]
        """Mark the windows that count, of every `step`-th part of all contexts.

        A part is hashed again from the text, rather than kept: memory that is touched for the
        first time costs more. Within it, windows of few contexts at a time lie side by side in the
        order of the text, so that their table stays near.
        """
        if sources < 0:
            return
        n = keep.shape[0]
        hashed = np.empty(_HASHED, np.uint64)
        values, places = np.empty(n + 1, np.uint64), np.empty(n + 1, np.int64)
        near, order = np.empty(n, np.uint64), np.empty(n, np.int64)
        for part in range(begin, parts, step):
            met = uint64(0)
            for start in range(first, n, _HASHED):
                some = hashed[: min(_HASHED, n - start)]
                _hash(tokens, context, taken, start, seed, some)
                for j in range(some.shape[0]):
                    values[met], places[met] = some[j], start + j
                    met += uint64((some[j] & uint64(parts - 1)) == uint64(part))
            buckets, shift = 1, uint64(63)
            while uint64(buckets * _BUCKET) < met:
                buckets, shift = buckets * 2, shift - uint64(1)
            starts = np.zeros(buckets + 1, np.int64)
            ends = starts[1:]
            for i in range(met):
                ends[(values[i] >> _1) >> shift] += 1
            for b in range(buckets):
                ends[b] += starts[b]
            at = starts.copy()
            for i in range(met):
                b = (values[i] >> _1) >> shift
                near[at[b]], order[at[b]] = values[i], places[i]
                at[b] += 1
            for b in range(buckets):
                size = 16
                while size < 2 * (ends[b] - starts[b]):
                    size *= 2
                table = np.zeros(size, np.uint64)
                for i in range(starts[b], ends[b]):
                    keep[order[i]] = not _seen(table, (near[i] >> _PARTED) | _TAKEN)

    return keep_first
