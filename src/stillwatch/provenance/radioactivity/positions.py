"""Which positions of a text may say something: windows that the text itself has not shown before.

A position is that of a token; its window is the `width` tokens before it, all of them in the text.
What a suspect saw earlier in the same text it may copy, which is no memory of training.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from stillwatch.provenance.text_sets import Int64s, TextSet
from stillwatch.watermark.windows import contexts_of, counted

__all__ = ["UInt64s", "coded", "contexts_at", "positions"]

UInt64s = npt.NDArray[np.uint64]

_ODD, _SHIFT = np.uint64(0x9E3779B97F4A7C15), np.uint64(29)


def positions(texts: TextSet, width: int, *, served: bool) -> list[Int64s]:
    """Of each text, the positions that count, ascending; its length stands for what comes after it.

    Args:
        width: tokens of a window.
        served: whether the key took part in the texts. Then a window counts once in all of them,
            where it first appears after a prompt, and not at all if it was visible even there:
            what follows that place may depend on its scores, what comes before it does not.
    """
    found = [_first(text, width) for text in texts.texts]
    if not served:
        return found
    # every window that comes after a prompt is used up there, whether it counts or not
    after = [
        np.arange(max(width, prompt), len(text) + 1)
        for text, prompt in zip(texts.texts, texts.prompts, strict=True)
    ]
    codes = [
        coded(contexts_at(text, width, places))
        for text, places in zip(texts.texts, after, strict=True)
    ]
    if not codes:
        return found
    _, firsts = np.unique(np.concatenate(codes), return_index=True)
    new = np.zeros(sum(map(len, codes)), np.bool_)
    new[firsts] = True
    starts = np.cumsum([0, *map(len, codes)])
    return [
        np.intersect1d(places[new[start : start + len(places)]], seen, assume_unique=True)
        for places, start, seen in zip(after, starts[:-1], found, strict=True)
    ]


def contexts_at(text: Int64s, width: int, places: Int64s) -> Int64s:
    """The window before each position, int64 [positions, width]; also that after the text."""
    return contexts_of(np.append(text, 0), width, places)


def coded(contexts: Int64s) -> UInt64s:
    """A number for each context, uint64 [n]; two of them share one with odds of 2^-64."""
    code = np.full(len(contexts), _ODD)
    for column in contexts.T:
        code = (code ^ column.astype(np.uint64)) * _ODD
        code ^= code >> _SHIFT
        code *= _ODD
        code ^= code >> _SHIFT
    return code


def _first(text: Int64s, width: int) -> Int64s:
    if len(text) < width:
        return np.empty(0, np.int64)
    return counted(np.append(text, 0), width, once="context", prefix=False)
