"""The compiled entry points: batches of texts in, sketch columns out.

They are compiled on first use (some seconds) and cached on disk beside the sources. numba's cache
knows only the file of a function itself, so every entry point closes over a digest of the sources
that are compiled in: an edit to any of them makes it compile again. Signatures are explicit and
take read-only arrays, since numba would otherwise compile once more for them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from hashlib import blake2b
from importlib.resources import files
from typing import Any, NamedTuple

import numpy as np
from numba import njit, types

from stillwatch.sketches import layout as ly
from stillwatch.sketches.cells import add_cells, add_shingles, list_cells
from stillwatch.sketches.characters import TABLE_END
from stillwatch.sketches.compiled import compiled
from stillwatch.sketches.lexicon import PHRASE, look_up
from stillwatch.sketches.masks import dominant_script, hash_words, mask_mode, masked_tokens
from stillwatch.sketches.phrases import match_phrases
from stillwatch.sketches.scan import room_for_folded, room_for_words, scan
from stillwatch.sketches.siphash import siphash_bytes, siphash_three
from stillwatch.sketches.topics import coarse_topic, room_for_scores
from stillwatch.sketches.utf8 import decode

__all__ = ["KEY_NAMES", "NUMBERS", "SOURCES", "Kernels", "kernels"]

KEY_NAMES = ("word", "cell", "shingle", "content", "prefix")
"""The purposes of the SipHash keys, two uint64 each, in the order of the `keys` argument."""

NUMBERS = ("topic", "words", "script", "shape", "asks")
"""The rows of the `numbers` argument."""

SOURCES = (
    "cells", "characters", "compiled", "features", "kernel", "layout", "lexicon", "masks",
    "phrases", "scan", "siphash", "smallest", "surface", "topics", "utf8",
)  # fmt: skip
"""The modules whose functions or constants are compiled in."""

_CHANGES_FROM = 0x2F800
"""Compatibility ideographs and tags: from here on, preparation may change anything."""

_GAP_BETWEEN_TEXTS = 1 << 10
_LOW_BITS, _PHRASE = np.uint64(0xFFFF), np.uint64(PHRASE)
_COMPILED = {"cache": True, "nogil": True}


class Kernels(NamedTuple):
    """The compiled entry points; each releases the interpreter's lock while it runs."""

    sketch: Callable[..., None]
    compare: Callable[..., None]
    shingle: Callable[..., None]
    chain: Callable[..., None]
    list_cells: Callable[..., tuple[int, int, int]]
    hash_each: Callable[..., None]
    changes: Callable[..., None]


@cache
def kernels() -> Kernels:
    """Compile the entry points, or load them from the cache."""
    digest = blake2b(digest_size=7)
    for name in SOURCES:
        digest.update((files(__package__) / f"{name}.py").read_bytes())
    sources = int.from_bytes(digest.digest(), "little")
    return Kernels(
        _sketch(sources), _compare(sources), _shingle(sources), _chain(sources),
        _list_cells(sources), _hash_each(sources), _changes(sources),
    )  # fmt: skip


def _input(dtype: Any, dimensions: int = 1) -> Any:
    return types.Array(dtype, dimensions, "C", readonly=True)


def _output(dtype: Any, dimensions: int = 1) -> Any:
    return types.Array(dtype, dimensions, "C")


_TEXT = (_input(types.uint8), _input(types.int64))
_TABLE = _KEYS = _input(types.uint64)


@compiled
def _cells_under(  # type: ignore[no-untyped-def]
    out, words, n, mode, keys, hashes, tokens, kinds, first_words, values, lengths, scratch, cells,
    begin,
):  # fmt: skip
    """The cells of words under one key: its keys of words and of cells. Returns how many."""
    hash_words(out, words, n, keys[0], keys[1], hashes)
    t = masked_tokens(hashes, words, n, mode, tokens, kinds, first_words)
    list_cells(tokens, kinds, t, keys[2], keys[3], values, lengths)
    return add_cells(values, lengths, t, scratch, cells, begin)


def _sketch(sources: int) -> Any:
    @njit(
        types.void(
            *_TEXT, _TABLE, _KEYS,
            _input(types.uint64), _input(types.int32), _input(types.int32), _input(types.int32),
            _input(types.int32),
            _output(types.int64), _input(types.int8, 2),
            _output(types.int64), _output(types.int32), _output(types.int64), _output(types.int32),
            _output(types.int64), _output(types.int32, 2), _output(types.float32),
            _input(types.uint64, 2), _output(types.int64, 2), _output(types.int32, 2),
        ),
        **_COMPILED,
    )  # fmt: skip
    def sketch(  # type: ignore[no-untyped-def]
        buf, offsets, table, keys,
        lexicon, posting_offsets, postings, gaps, completes, reached, weights,
        cells, cell_offsets, shingles, shingle_offsets, content, numbers, code_share,
        other_keys, other_cells, other_offsets,
    ):  # fmt: skip
        """Sketch rows of two texts each: system prompt, user text. Of `other_keys` each has cells
        of its own, and nothing else.

        `reached` belongs to :func:`.phrases.match_phrases`; its last entry is the position that
        the next batch counts from.
        """
        if sources < 0:
            return
        rows = content.shape[0]
        longest = 0
        for r in range(rows):
            longest = max(longest, offsets[2 * r + 2] - offsets[2 * r])
        most = room_for_words(longest)
        out = np.empty(room_for_folded(longest), np.uint8)
        words = np.empty((most, ly.ROW), np.int32)
        hashes, tokens = np.empty(most, np.uint64), np.empty(most, np.uint64)
        values, kinds = np.empty(most, np.uint64), np.empty(most, np.uint8)
        lengths, first_words = np.empty(most, np.uint8), np.empty(most, np.int32)
        topic_rows, scratch = np.empty(most, np.int32), np.empty(most, np.int64)
        scores = np.empty(room_for_scores(weights), np.int32)
        state = np.zeros(ly.STATE, np.int64)
        zero = np.int64(0)  # a literal would make numba compile the callees once more
        position = reached[-1]
        cell_count = shingle_count = zero
        for r in range(rows):
            state[:] = 0
            state[ly.BASE] = offsets[2 * r]
            user_o = first = zero
            if offsets[2 * r] < offsets[2 * r + 1]:
                user_o, first = scan(
                    buf, offsets[2 * r], offsets[2 * r + 1], table, out, zero, words, zero, state
                )
            o, n = scan(
                buf, offsets[2 * r + 1], offsets[2 * r + 2], table, out, user_o, words, first,
                state,
            )  # fmt: skip
            hash_words(out, words, n, keys[0], keys[1], hashes)
            asks = 0
            for i in range(n):
                found = look_up(hashes[i], lexicon)
                topic_rows[i] = np.int64(found & _LOW_BITS) - 1
                phrase = np.int64((found >> _PHRASE) & _LOW_BITS) - 1
                if phrase >= 0:
                    asks |= match_phrases(
                        phrase, position + i, posting_offsets, postings, gaps, completes, reached
                    )
            position += n + _GAP_BETWEEN_TEXTS
            script = dominant_script(state)
            mode = mask_mode(words, n, state, script)
            t = masked_tokens(hashes, words, n, mode, tokens, kinds, first_words)
            list_cells(tokens, kinds, t, keys[2], keys[3], values, lengths)
            cell_count += add_cells(values, lengths, t, scratch, cells, cell_count)
            cell_offsets[r + 1] = cell_count
            shingle_count += add_shingles(
                hashes, words, first, n, keys[4], keys[5], values, shingles, shingle_count
            )
            shingle_offsets[r + 1] = shingle_count
            content[r] = np.int64(siphash_bytes(out, user_o, o, keys[6], keys[7]))
            numbers[0, r] = coarse_topic(topic_rows, hashes, words, first, n, weights, scores)
            numbers[1, r] = n
            numbers[2, r] = script
            numbers[3, r] = state[ly.SHAPE]
            numbers[4, r] = asks
            code_share[r] = state[ly.CODE_LINES] / max(state[ly.LINES], 1)
            for k in range(other_keys.shape[0]):  # the text is taken apart; hashes are made anew
                begin = np.int64(other_offsets[k, r])
                other_offsets[k, r + 1] = begin + _cells_under(
                    out, words, n, mode, other_keys[k], hashes, tokens, kinds, first_words, values,
                    lengths, scratch, other_cells[k], begin,
                )  # fmt: skip
        reached[-1] = position

    return sketch


def _compare(sources: int) -> Any:
    @njit(
        types.void(
            *_TEXT, _TABLE, _input(types.uint64, 2),
            _output(types.int64, 2), _output(types.int32, 2),
        ),
        **_COMPILED,
    )  # fmt: skip
    def compare(buf, offsets, table, keys, cells, cell_offsets):  # type: ignore[no-untyped-def]
        """The style cells of rows of two texts each under several keys: a row of `keys` each, for
        words and for cells. The text is taken apart once for all of them."""
        if sources < 0:
            return
        rows = cell_offsets.shape[1] - 1
        longest = 0
        for r in range(rows):
            longest = max(longest, offsets[2 * r + 2] - offsets[2 * r])
        most = room_for_words(longest)
        out = np.empty(room_for_folded(longest), np.uint8)
        words = np.empty((most, ly.ROW), np.int32)
        hashes, tokens = np.empty(most, np.uint64), np.empty(most, np.uint64)
        values, kinds = np.empty(most, np.uint64), np.empty(most, np.uint8)
        lengths, first_words = np.empty(most, np.uint8), np.empty(most, np.int32)
        scratch = np.empty(most, np.int64)
        state = np.zeros(ly.STATE, np.int64)
        zero = np.int64(0)  # a literal would make numba compile the callees once more
        for r in range(rows):
            state[:] = 0
            state[ly.BASE] = offsets[2 * r]
            o = n = zero
            if offsets[2 * r] < offsets[2 * r + 1]:
                o, n = scan(
                    buf, offsets[2 * r], offsets[2 * r + 1], table, out, zero, words, zero, state
                )
            o, n = scan(buf, offsets[2 * r + 1], offsets[2 * r + 2], table, out, o, words, n, state)
            mode = mask_mode(words, n, state, dominant_script(state))
            for k in range(keys.shape[0]):
                begin = np.int64(cell_offsets[k, r])
                cell_offsets[k, r + 1] = begin + _cells_under(
                    out, words, n, mode, keys[k], hashes, tokens, kinds, first_words, values,
                    lengths, scratch, cells[k], begin,
                )  # fmt: skip

    return compare


def _shingle(sources: int) -> Any:
    @njit(
        types.void(*_TEXT, _TABLE, _KEYS, _output(types.int64), _output(types.int32)), **_COMPILED
    )
    def shingle(buf, offsets, table, keys, shingles, shingle_offsets):  # type: ignore[no-untyped-def]
        """The shingles of one text a row."""
        if sources < 0:
            return
        rows = offsets.shape[0] - 1
        longest = 0
        for r in range(rows):
            longest = max(longest, offsets[r + 1] - offsets[r])
        most = room_for_words(longest)
        out = np.empty(room_for_folded(longest), np.uint8)
        words = np.empty((most, ly.ROW), np.int32)
        hashes, values = np.empty(most, np.uint64), np.empty(most, np.uint64)
        state = np.zeros(ly.STATE, np.int64)
        zero = np.int64(0)  # a literal would make numba compile the callees once more
        total = zero
        for r in range(rows):
            state[ly.BASE] = offsets[r]
            _, n = scan(buf, offsets[r], offsets[r + 1], table, out, zero, words, zero, state)
            hash_words(out, words, n, keys[0], keys[1], hashes)
            total += add_shingles(hashes, words, zero, n, keys[4], keys[5], values, shingles, total)
            shingle_offsets[r + 1] = total

    return shingle


def _chain(sources: int) -> Any:
    @njit(
        types.void(
            *_TEXT, _input(types.int64), _input(types.int64), _input(types.uint64), _KEYS,
            types.int64, _output(types.int64), _output(types.int32),
        ),
        **_COMPILED,
    )  # fmt: skip
    def chain(buf, offsets, row_offsets, roles, seeds, keys, keep, prefixes, prefix_offsets):  # type: ignore[no-untyped-def]
        """The last `keep` links of each row's chain of messages."""
        if sources < 0:
            return
        total = 0
        for r in range(row_offsets.shape[0] - 1):
            link = seeds[r]
            last = row_offsets[r + 1]
            for m in range(row_offsets[r], last):
                text = siphash_bytes(buf, offsets[m], offsets[m + 1], keys[8], keys[9])
                link = siphash_three(link, np.uint64(roles[m]), text, keys[8], keys[9])
                if m >= last - keep:
                    prefixes[total] = np.int64(link)
                    total += 1
            prefix_offsets[r + 1] = total

    return chain


def _list_cells(sources: int) -> Any:
    @njit(
        types.UniTuple(types.int64, 3)(
            *_TEXT, _TABLE, _KEYS, _output(types.int32, 2), _output(types.uint8),
            _output(types.int32), _output(types.uint64), _output(types.uint8),
        ),
        **_COMPILED,
    )  # fmt: skip
    def cells_of(buf, offsets, table, keys, words, kinds, first_words, values, lengths):  # type: ignore[no-untyped-def]
        """Every cell of one row, for reading: the number of words and tokens, the mask mode."""
        if sources < 0:
            return 0, 0, 0
        room = room_for_words(offsets[2] - offsets[0])
        out = np.empty(room_for_folded(offsets[2] - offsets[0]), np.uint8)
        hashes, tokens = np.empty(room, np.uint64), np.empty(room, np.uint64)
        state = np.zeros(ly.STATE, np.int64)
        zero = np.int64(0)  # a literal would make numba compile the callees once more
        o, n = scan(buf, offsets[0], offsets[1], table, out, zero, words, zero, state)
        o, n = scan(buf, offsets[1], offsets[2], table, out, o, words, n, state)
        hash_words(out, words, n, keys[0], keys[1], hashes)
        mode = mask_mode(words, n, state, dominant_script(state))
        t = masked_tokens(hashes, words, n, mode, tokens, kinds, first_words)
        lengths[:t] = 0
        list_cells(tokens, kinds, t, keys[2], keys[3], values, lengths)
        return n, t, mode

    return cells_of


def _hash_each(sources: int) -> Any:
    @njit(types.void(*_TEXT, types.uint64, types.uint64, _output(types.uint64)), **_COMPILED)
    def hash_each(buf, offsets, k0, k1, hashes):  # type: ignore[no-untyped-def]
        """SipHash-2-4 of each slice of `buf`."""
        if sources < 0:
            return
        for i in range(offsets.shape[0] - 1):
            hashes[i] = siphash_bytes(buf, offsets[i], offsets[i + 1], k0, k1)

    return hash_each


def _changes(sources: int) -> Any:
    @njit(types.void(*_TEXT, _input(types.boolean), _output(types.boolean)), **_COMPILED)
    def changes(buf, offsets, changeable, found):  # type: ignore[no-untyped-def]
        """Whether each slice of `buf` has a character that preparation may change."""
        if sources < 0:
            return
        for i in range(offsets.shape[0] - 1):
            pos, end = offsets[i], offsets[i + 1]
            found[i] = False
            while pos < end:
                code, width = np.int64(buf[np.uint64(pos)]), 1
                if code >= 128:
                    code, width = decode(buf, pos, end)
                if code >= _CHANGES_FROM or (code < TABLE_END and changeable[code]):
                    found[i] = True
                    break
                pos += width

    return changes
