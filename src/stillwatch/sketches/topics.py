"""The coarse topic of a text: the nearest of a few centroids over its content words.

The centroids were fitted once on permissively licensed text (``tools/fit_topics.py``) and ship as
``data/topics.npz``, which names its version. Texts of which the vocabulary knows too little get
one of :data:`BINS` bins by random hyperplanes on keyed word hashes (cross-polytope hashing, Andoni
et al. 2015): the same words, the same bin.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stillwatch.sketches import layout as ly
from stillwatch.sketches.compiled import compiled
from stillwatch.sketches.layout import Int, Int32s, UInt64s

__all__ = ["BINS", "TopicModel", "coarse_topic", "load_topics", "room_for_scores"]

DIRECTIONS = 32
BINS = 2 * DIRECTIONS
FEWEST_WORDS = 3
SMALLEST_SHARE = 6  # one word in so many must be in the vocabulary
SHORTEST_BYTES = 4


class TopicModel(NamedTuple):
    """Centroids over a vocabulary. Topics count from 0, the bins follow after them."""

    version: str
    vocabulary: tuple[str, ...]
    weights: NDArray[np.int8]
    """One row a word, one column a topic."""


@cache
def load_topics() -> TopicModel:
    """The model that ships with the package."""
    with (files(__package__) / "data" / "topics.npz").open("rb") as file, np.load(file) as stored:
        vocabulary = tuple(stored["vocabulary"].tobytes().decode("utf-8").split("\n"))
        weights = np.ascontiguousarray(stored["weights"])
        version = stored["version"].tobytes().decode("utf-8")
    weights.setflags(write=False)
    return TopicModel(version, vocabulary, weights)


@compiled
def room_for_scores(weights: NDArray[np.int8]) -> Int:
    """The length of the `scores` scratch of :func:`coarse_topic`."""
    return max(weights.shape[1], DIRECTIONS)


@compiled
def coarse_topic(
    rows: Int32s, hashes: UInt64s, words: Int32s, first: int, n: int,
    weights: NDArray[np.int8], scores: Int32s,
) -> Int:  # fmt: skip
    """The topic of the words from `first` to `n`; -1 where there are too few.

    `rows` holds each word's row in `weights`, -1 for a word that is not in the vocabulary.
    """
    topics = weights.shape[1]
    scores[:] = 0
    known = 0
    for i in range(first, n):
        row = rows[i]
        if row >= 0:
            known += 1
            for k in range(topics):
                scores[k] += weights[row, k]
    if known >= FEWEST_WORDS and known * SMALLEST_SHARE >= n - first:
        return _largest(scores, topics)
    scores[:] = 0
    counted = 0
    for i in range(first, n):
        flags = words[i, ly.FLAGS]
        long_enough = words[i, ly.END] - words[i, ly.BEGIN] >= SHORTEST_BYTES
        if flags & ly.HAS_DIGIT or not (long_enough or flags & ly.CHARACTER):
            continue
        counted += 1
        bits = hashes[i]
        for d in range(DIRECTIONS):
            scores[d] += 1 - 2 * np.int32((bits >> np.uint64(d)) & np.uint64(1))
    if counted < FEWEST_WORDS:
        return -1
    best = 0
    for d in range(1, DIRECTIONS):
        if abs(scores[d]) > abs(scores[best]):
            best = d
    return topics + 2 * best + (scores[best] < 0)


@compiled
def _largest(scores: Int32s, count: int) -> Int:
    best = 0
    for k in range(1, count):
        if scores[k] > scores[best]:
            best = k
    return best
