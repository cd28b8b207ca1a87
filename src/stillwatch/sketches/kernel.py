"""The compiled entry points: batches of texts in, sketch columns out.

They are compiled on first use (some seconds) and cached on disk beside the sources. numba's cache
knows only the file of a function itself, so every entry point closes over a digest of the room's
sources: an edit anywhere in the room makes it compile again.
"""

from __future__ import annotations

from functools import cache
from hashlib import blake2b
from importlib.resources import files
from typing import Any, NamedTuple

import numpy as np
from numba import njit, types

from stillwatch.sketches import cells as ce
from stillwatch.sketches import scan as sc
from stillwatch.sketches.phrases import match_phrases
from stillwatch.sketches.siphash import siphash_bytes, siphash_words
from stillwatch.sketches.topics import DIRECTIONS, coarse_topic

__all__ = ["Kernels", "kernels"]

_COMPILED = ("siphash.py", "scan.py", "cells.py", "phrases.py", "topics.py", "kernel.py")
_GAP_BETWEEN_TEXTS = 1 << 10


def _read_only(dtype: Any, dimensions: int = 1) -> Any:
    return types.Array(dtype, dimensions, "C", readonly=True)


def _written(dtype: Any, dimensions: int = 1) -> Any:
    return types.Array(dtype, dimensions, "C")


_CHARACTERS = (
    _read_only(types.uint16),
    _read_only(types.uint32),
    _read_only(types.uint32),
    _read_only(types.uint8),
)
_KEYS = _read_only(types.uint64)
_TEXT = (_read_only(types.uint8), _read_only(types.int64))


class Kernels(NamedTuple):
    """The compiled entry points; each releases the interpreter's lock while it runs."""

    sketch: Any
    shingle: Any
    chain: Any
    tokens: Any
    windows: Any
    hash_each: Any


@cache
def kernels() -> Kernels:
    """Compile the entry points, or load them from the cache."""
    digest = blake2b(digest_size=7)
    for name in _COMPILED:
        digest.update((files(__package__) / name).read_bytes())
    return _build(int.from_bytes(digest.digest(), "little"))


def _build(sources: int) -> Kernels:
    compiled: dict[str, Any] = {"cache": True, "nogil": True, "boundscheck": False}

    @njit(
        types.void(
            *_TEXT, *_CHARACTERS, _KEYS,
            _read_only(types.uint64), _read_only(types.int32), _read_only(types.int32),
            _read_only(types.int32), _read_only(types.int32), _read_only(types.int32),
            _read_only(types.int32), _read_only(types.int32),
            _read_only(types.int8, 2), _written(types.int64),
            _written(types.int64), _written(types.int32),
            _written(types.int64), _written(types.int32),
            _written(types.int64), _written(types.int32, 2), _written(types.float32),
        ),
        **compiled,
    )  # fmt: skip
    def sketch(
        buf, offsets, properties, folded, mixed, script, keys,
        slots, slot_ids, word_phrase, word_topic,
        posting_offsets, postings, slot_gap, slot_bit,
        weights, reached,
        cells, cell_offsets, shingles, shingle_offsets, content, numbers, code_share,
    ):  # fmt: skip
        """Sketch rows of two texts each, system and user; see :mod:`.batch` for the columns."""
        if sources < 0:
            return
        rows = content.shape[0]
        longest = 0
        for r in range(rows):
            longest = max(longest, offsets[2 * r + 2] - offsets[2 * r])
        out = np.empty(longest * 3 // 2 + 16, np.uint8)
        most = longest + 2
        begins, ends = np.empty(most, np.int32), np.empty(most, np.int32)
        source, flags = np.empty((most, 2), np.int32), np.empty(most, np.int32)
        hashes, topic_rows = np.empty(most, np.uint64), np.empty(most, np.int32)
        tokens, kinds = np.empty(most, np.uint64), np.empty(most, np.uint8)
        first_words = np.empty(most, np.int32)
        counts = np.zeros(sc.COUNTS, np.int64)
        scores = np.zeros(max(weights.shape[1], DIRECTIONS), np.int32)
        slot_mask = np.uint64(slots.shape[0] - 1)
        position = reached[reached.shape[0] - 1]
        cell_count = shingle_count = 0
        for r in range(rows):
            counts[:] = 0
            o, first = sc.scan(
                buf, offsets[2 * r], offsets[2 * r + 1], properties, folded, mixed, script,
                out, 0, begins, ends, source, flags, 0, counts,
            )  # fmt: skip
            user_o = o
            o, n = sc.scan(
                buf, offsets[2 * r + 1], offsets[2 * r + 2], properties, folded, mixed, script,
                out, o, begins, ends, source, flags, first, counts,
            )  # fmt: skip
            ce.hash_words(out, begins, ends, n, keys[0], keys[1], hashes)
            asks = 0
            for i in range(n):
                row = -1
                h = hashes[i]
                slot = h & slot_mask
                while slot_ids[slot] >= 0:
                    if slots[slot] == h:
                        word = slot_ids[slot]
                        row = word_topic[word]
                        if word_phrase[word] >= 0:
                            asks |= match_phrases(
                                word_phrase[word], position + i,
                                posting_offsets, postings, slot_gap, slot_bit, reached,
                            )  # fmt: skip
                        break
                    slot = (slot + np.uint64(1)) & slot_mask
                topic_rows[i] = row
            position += n + _GAP_BETWEEN_TEXTS
            kind = ce.dominant_script(counts)
            mode = ce.mask_mode(flags, n, counts, kind)
            t = ce.masked_tokens(hashes, flags, n, mode, tokens, kinds, first_words)
            cell_count += ce.add_cells(tokens, kinds, t, keys[2], keys[3], cells, cell_count)
            cell_offsets[r + 1] = cell_count
            shingle_count += ce.add_shingles(
                hashes, flags, first, n, keys[4], keys[5], shingles, shingle_count
            )
            shingle_offsets[r + 1] = shingle_count
            content[r] = np.int64(siphash_bytes(out, user_o, o, keys[6], keys[7]))
            numbers[0, r] = coarse_topic(
                topic_rows, hashes, begins, ends, flags, first, n, weights, scores
            )
            numbers[1, r] = n
            numbers[2, r] = kind
            numbers[3, r] = counts[sc.SHAPE]
            numbers[4, r] = asks
            lines = counts[sc.LINES]
            code_share[r] = counts[sc.CODE_LINES] / lines if lines else 0.0
        reached[reached.shape[0] - 1] = position

    @njit(
        types.void(
            *_TEXT, *_CHARACTERS, _KEYS, _written(types.int64), _written(types.int32)
        ),
        **compiled,
    )  # fmt: skip
    def shingle(buf, offsets, properties, folded, mixed, script, keys, shingles, shingle_offsets):
        """The shingles of one text a row."""
        if sources < 0:
            return
        rows = offsets.shape[0] - 1
        longest = 0
        for r in range(rows):
            longest = max(longest, offsets[r + 1] - offsets[r])
        out = np.empty(longest * 3 // 2 + 16, np.uint8)
        most = longest + 2
        begins, ends = np.empty(most, np.int32), np.empty(most, np.int32)
        source, flags = np.empty((most, 2), np.int32), np.empty(most, np.int32)
        hashes = np.empty(most, np.uint64)
        counts = np.zeros(sc.COUNTS, np.int64)
        total = 0
        for r in range(rows):
            _, n = sc.scan(
                buf, offsets[r], offsets[r + 1], properties, folded, mixed, script,
                out, 0, begins, ends, source, flags, 0, counts,
            )  # fmt: skip
            ce.hash_words(out, begins, ends, n, keys[0], keys[1], hashes)
            total += ce.add_shingles(hashes, flags, 0, n, keys[4], keys[5], shingles, total)
            shingle_offsets[r + 1] = total

    @njit(
        types.void(
            *_TEXT, _read_only(types.int64), _read_only(types.int64), _read_only(types.uint64),
            _KEYS, types.int64, _written(types.int64), _written(types.int32),
        ),
        **compiled,
    )  # fmt: skip
    def chain(buf, offsets, row_offsets, roles, seeds, keys, keep, prefixes, prefix_offsets):
        """The last `keep` links of each row's chain of messages."""
        if sources < 0:
            return
        total = 0
        for r in range(row_offsets.shape[0] - 1):
            link = seeds[r]
            last = row_offsets[r + 1]
            for m in range(row_offsets[r], last):
                text = siphash_bytes(buf, offsets[m], offsets[m + 1], keys[8], keys[9])
                link = siphash_words(link, np.uint64(roles[m]), text, keys[8], keys[9])
                if m >= last - keep:
                    prefixes[total] = np.int64(link)
                    total += 1
            prefix_offsets[r + 1] = total

    @njit(
        types.Tuple((types.int64, types.int64, types.int64))(
            *_TEXT, *_CHARACTERS, _KEYS, _written(types.int32, 2), _written(types.int32),
            _written(types.uint64), _written(types.uint8), _written(types.int32),
        ),
        **compiled,
    )  # fmt: skip
    def tokens(
        buf, offsets, properties, folded, mixed, script, keys,
        source, flags, hashes, kinds, first_words,
    ):  # fmt: skip
        """Words and masked tokens of one row: the number of words and tokens, and the masks."""
        if sources < 0:
            return 0, 0, 0
        length = offsets[2] - offsets[0]
        out = np.empty(length * 3 // 2 + 16, np.uint8)
        begins, ends = np.empty(length + 2, np.int32), np.empty(length + 2, np.int32)
        words = np.empty(length + 2, np.uint64)
        counts = np.zeros(sc.COUNTS, np.int64)
        o, n = 0, 0
        for part in range(2):
            o, n = sc.scan(
                buf, offsets[part], offsets[part + 1], properties, folded, mixed, script,
                out, o, begins, ends, source, flags, n, counts,
            )  # fmt: skip
        ce.hash_words(out, begins, ends, n, keys[0], keys[1], words)
        mode = ce.mask_mode(flags, n, counts, ce.dominant_script(counts))
        t = ce.masked_tokens(words, flags, n, mode, hashes, kinds, first_words)
        return n, t, mode

    @njit(
        types.int64(
            _written(types.uint64), _written(types.uint8), types.int64, _KEYS,
            _written(types.int64, 2),
        ),
        **compiled,
    )  # fmt: skip
    def windows(hashes, kinds, t, keys, found):
        """Every cell of a text: its value and the tokens that it begins and ends at."""
        if sources < 0:
            return 0
        count = 0
        for i in range(t):
            length, value = ce.cell_at(hashes, kinds, i, t, keys[2], keys[3])
            if length > 0:
                found[count, 0], found[count, 1], found[count, 2] = value, i, i + length
                count += 1
        if count == 0 and t <= ce.CELL_CHARACTERS:
            length, value = ce.short_text_cell(hashes, kinds, t, keys[2], keys[3])
            if length > 0:
                found[0, 0], found[0, 1], found[0, 2] = value, 0, length
                count = 1
        return count

    @njit(types.void(*_TEXT, types.uint64, types.uint64, _written(types.uint64)), **compiled)
    def hash_each(buf, offsets, k0, k1, hashes):
        """SipHash-2-4 of each slice of `buf`."""
        if sources < 0:
            return
        for i in range(offsets.shape[0] - 1):
            hashes[i] = siphash_bytes(buf, offsets[i], offsets[i + 1], k0, k1)

    return Kernels(sketch, shingle, chain, tokens, windows, hash_each)
