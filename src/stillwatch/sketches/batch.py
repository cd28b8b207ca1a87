"""Batches of texts → sketch columns as numpy arrays: the Python side of the kernel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from stillwatch.errors import InputError
from stillwatch.sketches import cells as ce
from stillwatch.sketches import layout as ly
from stillwatch.sketches.characters import changeable, character_table, fold_word, prepare
from stillwatch.sketches.kernel import KEY_NAMES, NUMBERS, kernels
from stillwatch.sketches.key import SketchKey
from stillwatch.sketches.lexicon import build_lexicon
from stillwatch.sketches.phrases import patterns, phrase_tables
from stillwatch.sketches.topics import TopicModel, load_topics

__all__ = [
    "PREFIXES",
    "Cells",
    "Engine",
    "ListedCells",
    "Packed",
    "SketchColumns",
    "cells_under",
    "list_text",
    "pack",
    "prepare_and_pack",
    "split_each",
    "split_words",
]

PREFIXES = 16
_LONGEST = 1 << 30

#: style cells of a batch, flat, and where each row begins
Cells: TypeAlias = tuple[NDArray[np.int64], NDArray[np.int32]]
#: texts in one buffer of UTF-8, and where each begins and ends
Packed: TypeAlias = tuple[NDArray[np.uint8], NDArray[np.int64]]


class SketchColumns(NamedTuple):
    """The sketch columns of a batch. Lists are flat values with int32 offsets. `others` are the
    style cells under each of the other keys that were given."""

    cells: NDArray[np.int64]
    cell_offsets: NDArray[np.int32]
    shingles: NDArray[np.int64]
    shingle_offsets: NDArray[np.int32]
    content: NDArray[np.int64]
    topic: NDArray[np.int32]
    words: NDArray[np.int32]
    script: NDArray[np.int32]
    shape: NDArray[np.int32]
    asks: NDArray[np.int32]
    code_share: NDArray[np.float32]
    others: list[Cells]


class _Room(NamedTuple):
    """Keys, and where their cells go."""

    keys: NDArray[np.uint64]
    cells: NDArray[np.int64]
    offsets: NDArray[np.int32]


def pack(texts: Sequence[str]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """One UTF-8 buffer and ``len(texts) + 1`` offsets. Lone surrogates pass as three bytes."""
    try:
        packed = pa.array(texts, pa.large_string())
    except UnicodeEncodeError:
        encoded = [text.encode("utf-8", "surrogatepass") for text in texts]
        packed = pa.array(encoded, pa.large_binary())
    _, offsets, data = packed.buffers()
    return (
        np.frombuffer(data or b"", np.uint8),
        np.frombuffer(offsets, np.int64)[: len(texts) + 1],
    )


def prepare_and_pack(texts: Sequence[str]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Prepared texts, packed. Few texts need preparation, so the kernel looks which."""
    buf, offsets = pack(texts)
    found = np.empty(len(texts), np.bool_)
    kernels().changes(buf, offsets, changeable(), found)
    if not found.any():
        return buf, offsets
    prepared = list(texts)
    for number in np.flatnonzero(found).tolist():
        prepared[number] = prepare(prepared[number])
    return pack(prepared)


def split_each(texts: Sequence[str]) -> list[tuple[str, ...]]:
    """The folded words of each text, as they are hashed. No text may hold a newline."""
    buf, offsets = pack(["", "\n".join(map(prepare, texts))])
    listed = list_text(buf, offsets, np.zeros(2 * len(KEY_NAMES), np.uint64))
    raw = buf.tobytes()
    found: list[list[str]] = [[] for _ in texts]
    spans = listed.words[:, [ly.SOURCE_BEGIN, ly.SOURCE_END]]
    owners = np.searchsorted(np.flatnonzero(buf == ord("\n")), spans[:, 0])
    for owner, (begin, end) in zip(owners.tolist(), spans.tolist(), strict=True):
        found[owner].append(fold_word(raw[begin:end].decode("utf-8", "surrogatepass")))
    return list(map(tuple, found))


def split_words(text: str) -> tuple[str, ...]:
    """The folded words of one text."""
    return tuple(word for words in split_each(text.splitlines() or [""]) for word in words)


class ListedCells(NamedTuple):
    """Words, tokens and cells of one row."""

    words: NDArray[np.int32]
    kinds: NDArray[np.uint8]
    first_words: NDArray[np.int32]
    values: NDArray[np.uint64]
    lengths: NDArray[np.uint8]
    mode: int


def list_text(
    buf: NDArray[np.uint8], offsets: NDArray[np.int64], keys: NDArray[np.uint64]
) -> ListedCells:
    """List every cell of one row of two packed texts."""
    room = len(buf) + 2
    words = np.empty((room, ly.ROW), np.int32)
    kinds, first_words = np.empty(room, np.uint8), np.empty(room, np.int32)
    values, lengths = np.empty(room, np.uint64), np.empty(room, np.uint8)
    n, t, mode = kernels().list_cells(
        buf, offsets, character_table(), keys, words, kinds, first_words, values, lengths
    )
    return ListedCells(words[:n], kinds[:t], first_words[:t], values[:t], lengths[:t], mode)


class Engine:
    """The tables of one key, ready for the kernel."""

    def __init__(self, key: SketchKey, topics: TopicModel | None = None) -> None:
        self.kernels = kernels()
        self.topics = topics or load_topics()
        keys = np.frombuffer(b"".join(key.subkey(p)[:16] for p in KEY_NAMES), "<u8")
        self.keys = keys.astype(np.uint64)
        phrases = phrase_tables(patterns(split_each))
        self.phrases = phrases[1:]
        self.lexicon = self._lexicon(phrases.vocabulary)
        # The last entry is the position from which the next batch counts.
        self.reached = np.full(len(phrases.gaps) + 1, -(1 << 40), np.int64)
        self.reached[-1] = 0
        for table in (self.keys, *self.phrases):
            table.setflags(write=False)

    def _lexicon(self, phrase_words: Sequence[str]) -> NDArray[np.uint64]:
        phrases = {word: number for number, word in enumerate(phrase_words)}
        topics = {word: number for number, word in enumerate(self.topics.vocabulary)}
        words = list(phrases | topics)
        hashes = np.empty(len(words), np.uint64)
        self.kernels.hash_each(*pack(words), self.keys[0], self.keys[1], hashes)
        return build_lexicon(
            {
                value: (phrases.get(word, -1), topics.get(word, -1))
                for value, word in zip(hashes.tolist(), words, strict=True)
            }
        )

    def sketch(self, texts: Packed, others: Sequence[SketchKey] = ()) -> SketchColumns:
        """Sketch rows of two prepared texts each: system, user, system, user…

        Args:
            others: keys under which style cells are made, too; a tenth of the cost of a sketch.

        Raises:
            InputError: a row has more than a gigabyte of text.
        """
        buf, offsets = texts
        _check_lengths(offsets[::2])
        rows = len(offsets) // 2
        cells = np.empty(rows * ce.CELLS, np.int64)
        cell_offsets = np.zeros(rows + 1, np.int32)
        shingles = np.empty(_room_for_shingles(offsets[::2]), np.int64)
        shingle_offsets = np.zeros(rows + 1, np.int32)
        content = np.empty(rows, np.int64)
        numbers = np.empty((len(NUMBERS), rows), np.int32)
        code_share = np.empty(rows, np.float32)
        other = _room_for_cells(others, rows)
        self.kernels.sketch(
            buf, offsets, character_table(), self.keys,
            self.lexicon, *self.phrases, self.reached, self.topics.weights,
            cells, cell_offsets, shingles, shingle_offsets, content, numbers, code_share,
            *other,
        )  # fmt: skip
        return SketchColumns(
            cells[: cell_offsets[-1]], cell_offsets,
            shingles[: shingle_offsets[-1]], shingle_offsets,
            content, numbers[0], numbers[1], numbers[2], numbers[3], numbers[4], code_share,
            _filled(other),
        )  # fmt: skip

    def shingle(self, texts: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        """The shingles of texts, flat, and their offsets."""
        buf, offsets = prepare_and_pack(texts)
        _check_lengths(offsets)
        shingles = np.empty(_room_for_shingles(offsets), np.int64)
        shingle_offsets = np.zeros(len(texts) + 1, np.int32)
        self.kernels.shingle(buf, offsets, character_table(), self.keys, shingles, shingle_offsets)
        return shingles[: shingle_offsets[-1]], shingle_offsets

    def chain(
        self,
        messages: Sequence[str],
        row_offsets: NDArray[np.int64],
        roles: NDArray[np.int64],
        seeds: NDArray[np.uint64],
    ) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        """The last 16 links of each row's chain, flat, and their offsets."""
        buf, offsets = pack(messages)
        for array in (row_offsets, roles, seeds):
            array.setflags(write=False)
        lengths = np.minimum(np.diff(row_offsets), PREFIXES)
        prefixes = np.empty(int(lengths.sum()), np.int64)
        prefix_offsets = np.zeros(len(row_offsets), np.int32)
        self.kernels.chain(
            buf, offsets, row_offsets, roles, seeds, self.keys, PREFIXES, prefixes, prefix_offsets
        )
        return prefixes, prefix_offsets


def cells_under(keys: Sequence[SketchKey], texts: Packed) -> list[Cells]:
    """The style cells of rows of two prepared texts each, under each key: flat, and offsets.

    Raises:
        InputError: a row has more than a gigabyte of text.
    """
    buf, offsets = texts
    _check_lengths(offsets[::2])
    room = _room_for_cells(keys, len(offsets) // 2)
    kernels().compare(buf, offsets, character_table(), *room)
    return _filled(room)


def _room_for_cells(keys: Sequence[SketchKey], rows: int) -> _Room:
    """Keys of words and cells, a row for each key, and room for its cells."""
    subkeys = [key.subkey(purpose)[:16] for key in keys for purpose in KEY_NAMES[:2]]
    table = np.frombuffer(b"".join(subkeys), "<u8").astype(np.uint64).reshape(len(keys), 4)
    cells = np.empty((len(keys), rows * ce.CELLS), np.int64)
    return _Room(table, cells, np.zeros((len(keys), rows + 1), np.int32))


def _filled(room: _Room) -> list[Cells]:
    return [(c[: ends[-1]], ends) for c, ends in zip(room.cells, room.offsets, strict=True)]


def _check_lengths(offsets: NDArray[np.int64]) -> None:
    """Word rows hold 32-bit offsets into one row's text."""
    longest = int(np.diff(offsets).max(initial=0))
    if longest > _LONGEST:
        raise InputError(
            f"one exchange has {longest:,d} bytes of text, the sketches take {_LONGEST:,d}; "
            "leave it out of the log"
        )


def _room_for_shingles(offsets: NDArray[np.int64]) -> int:
    """At least as many shingles as the texts can have: a word takes a byte and a separator."""
    lengths = np.diff(offsets) // ce.SHINGLE_RATE + 1
    return int(np.clip(lengths, ce.SHINGLES, ce.MOST_SHINGLES).sum())
