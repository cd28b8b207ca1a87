"""Elicitation phrases: a data file → gapped word patterns → bits, matched on word hashes.

The file (``data/asks.toml``, versioned) has a table a feature with lists of phrases by language.
A phrase is a sequence of items; an item is words or parts of text joined by ``|``; between two
items ``..n`` allows up to `n` other words. ``&n`` in front takes the items in any order, each at
most `n` words after the one before it.
"""

from __future__ import annotations

import itertools
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from stillwatch.sketches.compiled import compiled
from stillwatch.sketches.features import Asks
from stillwatch.sketches.layout import Int32s, Int64s

__all__ = ["Pattern", "PhraseTables", "match_phrases", "patterns", "phrase_tables"]

_Slots: TypeAlias = tuple[tuple[frozenset[str], int], ...]


class Pattern(NamedTuple):
    """Slots in order: a slot is a set of alternative words and the gap allowed before it."""

    bit: int
    slots: _Slots


class PhraseTables(NamedTuple):
    """What :func:`match_phrases` reads. Postings say where in which pattern a word fits."""

    vocabulary: tuple[str, ...]
    posting_offsets: NDArray[np.int32]
    postings: NDArray[np.int32]
    """Slot numbers, ascending slots of one pattern being neighbours; descending in a posting."""
    gaps: NDArray[np.int32]
    """Words allowed between the slot before and this one; -1 for a first slot."""
    completes: NDArray[np.int32]
    """The feature that this slot completes, 0 where the pattern goes on."""


@cache
def patterns(split_each: Callable[[Sequence[str]], list[tuple[str, ...]]]) -> tuple[Pattern, ...]:
    """Every pattern of the data file, its items split into words by `split_each`."""
    raw = tomllib.loads((files(__package__) / "data" / "asks.toml").read_text("utf-8"))
    phrases = [
        (int(Asks[name]), phrase)
        for name, languages in raw["asks"].items()
        for found in languages.values()
        for phrase in found
    ]
    items = {
        item: None for _, phrase in phrases for part in phrase.split() for item in part.split("|")
    }
    words = dict(zip(items, split_each(list(items)), strict=True))
    return tuple(
        dict.fromkeys(
            Pattern(bit, slots) for bit, phrase in phrases for slots in _expand(phrase, words)
        )
    )


def _expand(phrase: str, words: Mapping[str, tuple[str, ...]]) -> Iterator[_Slots]:
    """One phrase → the slot sequences that it stands for."""
    parts = phrase.split()
    window = int(parts.pop(0)[1:]) if parts[0].startswith("&") else None
    items: list[tuple[list[tuple[str, ...]], int]] = []
    gap = 0
    for part in parts:
        if part.startswith(".."):
            gap = int(part[2:])
        else:
            items.append(([words[item] for item in part.split("|")], gap))
            gap = 0
    orders = [items]
    if window is not None:
        orders = [
            [(alternatives, window) for alternatives, _ in order]
            for order in itertools.permutations(items)
        ]
    for order in orders:
        choices = []
        for alternatives, before in order:
            single = frozenset(a[0] for a in alternatives if len(a) == 1)
            item: list[_Slots] = [((single, before),)] if single else []
            item += [
                ((frozenset(a[:1]), before), *((frozenset((word,)), 0) for word in a[1:]))
                for a in alternatives
                if len(a) > 1
            ]
            choices.append(item)
        for chosen in itertools.product(*choices):
            yield tuple(itertools.chain.from_iterable(chosen))


def phrase_tables(found: tuple[Pattern, ...]) -> PhraseTables:
    """Flatten the patterns for the kernel."""
    slots: list[tuple[frozenset[str], int, int]] = []
    for pattern in found:
        for number, (words, gap) in enumerate(pattern.slots):
            done = number == len(pattern.slots) - 1
            slots.append((words, gap if number else -1, pattern.bit if done else 0))
    by_word: dict[str, list[int]] = {}
    for number in range(len(slots) - 1, -1, -1):  # later slots first: a word fills one at a time
        for word in slots[number][0]:
            by_word.setdefault(word, []).append(number)
    offsets = np.zeros(len(by_word) + 1, np.int32)
    np.cumsum([len(p) for p in by_word.values()], out=offsets[1:])
    return PhraseTables(
        tuple(by_word),
        offsets,
        np.array(list(itertools.chain.from_iterable(by_word.values())), np.int32),
        np.array([gap for _, gap, _ in slots], np.int32),
        np.array([bit for _, _, bit in slots], np.int32),
    )


@compiled
def match_phrases(
    word: int, at: int, posting_offsets: Int32s, postings: Int32s, gaps: Int32s, completes: Int32s,
    reached: Int64s,
) -> int:  # fmt: skip
    """Advance every pattern that has vocabulary word number `word` at position `at`.

    ``reached[s]`` is the last position at which slot `s` was filled. Positions grow from text to
    text by more than any gap, so that it need not be cleared. Returns the completed features.
    """
    bits = 0
    for k in range(posting_offsets[word], posting_offsets[word + 1]):
        slot = postings[k]
        gap = gaps[slot]
        if gap < 0 or at - reached[slot - 1] <= gap + 1:
            reached[slot] = at
            bits |= completes[slot]
    return bits
